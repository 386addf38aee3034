/**
 * Ageing: records that updates registered go when nobody refreshes them. Refreshes are kept in memory and written every
 * now and then; stale records go at their zone's time of day, records with a lease (RFC 9664) when it ends. What goes,
 * goes by ordinary changesets through the change queue, so that secondaries follow, the history shows it, and a rollback
 * brings it back.
 *
 * Nobody can refresh while the server is away. So leases run anew from a start, and nothing is stale for as long after a
 * start as the server was away before it, a refresh interval at most. The same holds where the clock was put forward, and
 * where a suspended machine goes on.
 */
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { UpdateLease } from "../wire/update-lease.ts";
import type { ChangeOrigin } from "../zone/changeset.ts";
import { nameServersOf } from "../zone/name-servers.ts";
import type { AgeingRules, Refresh, RegisteredRecord, RegistrationStore } from "../zone/registration.ts";
import { staleFrom } from "../zone/registration.ts";
import { PendingRefreshes } from "./ageing/pending.ts";
import { mustStay } from "./ageing/removal.ts";
import { Scavenger } from "./ageing/scavenger.ts";
import { nextTimeOfDay } from "./ageing/time-of-day.ts";
import { departureOf, type ServedAgeingZone, type ZoneTimes } from "./ageing/zone.ts";
import type { ChangeQueue } from "./change-queue.ts";
import { breathe } from "./turns.ts";
import type { ServedZones } from "./zones.ts";

/** Milliseconds between two rounds at most; leases that end sooner bring theirs forward. */
const ROUND_INTERVAL = 60_000;
/** Milliseconds between two rounds at least. */
const LEAST_INTERVAL = 1_000;
/** Seconds after which it is written anew that a zone takes refreshes. */
const SEEN_INTERVAL = 3_600;
/** Refreshes in memory beyond which each new one has some written. */
const MAX_PENDING = 20_000;
/** Milliseconds by which the clock may be moved without being taken for set. */
const CLOCK_PLAY = 60_000;

export interface AgeingDeps {
  readonly store: { readonly registrations: RegistrationStore };
  readonly changes: Pick<ChangeQueue, "submit">;
  readonly zones: Pick<ServedZones, "all" | "get" | "enclosing">;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** Milliseconds since some instant, whatever the clock is set to; while the machine is suspended they do not count. */
  readonly uptime: () => number;
  /** Calls back after so many milliseconds, unless the returned function is called before. */
  readonly wake: (callback: () => void, milliseconds: number) => () => void;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** A record and when it goes unless it is refreshed, in milliseconds since 1970 UTC. */
export interface Departure extends RegisteredRecord {
  readonly goes: number;
}

export class Ageing {
  readonly #deps: AgeingDeps;
  readonly #pending = new PendingRefreshes();
  readonly #scavenger: Scavenger;
  readonly #times = new Map<string, ZoneTimes>();
  #refreshes = 0;
  #written = 0;
  #round: Promise<void> = Promise.resolve();
  #cancel: (() => void) | undefined;
  #wakesAt = Infinity;
  #closed = false;
  /** When {@link AgeingDeps.uptime} began, by the clock. */
  #epoch: number;

  constructor(deps: AgeingDeps) {
    this.#deps = deps;
    this.#epoch = deps.now() - deps.uptime();
    const { registrations } = deps.store;
    this.#scavenger = new Scavenger({ ...deps, registrations, pending: this.#pending });
  }

  /** Refreshes taken, those that were written, and records removed. */
  get counters(): { readonly refreshes: number; readonly written: number; readonly removed: number } {
    return { refreshes: this.#refreshes, written: this.#written, removed: this.#scavenger.removed };
  }

  /** Begins and ends the ageing of zones as they are configured now: after a start, a reload, and where zones come. */
  configure(): void {
    for (const { apex, config } of this.#deps.zones.all()) {
      const { ageing } = config;
      const times = this.#times.get(apex.key);
      if (ageing === undefined) this.#end(apex);
      else if (times === undefined) this.#begin(apex, ageing);
      else times.next = nextTimeOfDay(ageing.at, this.#deps.now());
    }
    for (const { apex } of this.#times.values())
      if (this.#deps.zones.get(apex) === undefined) this.#forget(apex);
    this.#schedule(LEAST_INTERVAL);
  }

  /** Takes note of what an update of an ageing zone registered and refreshed, and of the lease it was granted. */
  noted(
    apex: Name,
    registered: readonly ResourceRecord[],
    refreshes: readonly Refresh[],
    lease: UpdateLease | undefined,
  ): void {
    this.#refreshes += refreshes.length;
    // They were written with the change, and must not be written over with what was before it.
    if (registered.length > 0) this.#pending.drop(apex, registered);
    if (refreshes.length > 0) this.#pending.note(apex, refreshes);
    if (this.#pending.size > MAX_PENDING) this.#tryToWrite(apex);
    if (lease === undefined) return;
    const ends = this.#deps.now() + 1000 * Math.min(lease.lease, lease.keyLease ?? Infinity);
    if (ends < this.#wakesAt) this.#schedule(ends - this.#deps.now());
  }

  /** Does everything that is due; never rejects. */
  round(): Promise<void> {
    this.#round = this.#round.then(() => this.#doRound());
    return this.#round;
  }

  /**
   * Removes the stale records of a zone now.
   * @returns how many went; until `notBefore`, in milliseconds since 1970 UTC, none does; undefined where it does not age
   * @throws what the change queue throws
   */
  async scavenge(
    apex: Name,
    by: Pick<ChangeOrigin, "actor">,
  ): Promise<{ removed: number; notBefore: number } | undefined> {
    const found = await this.#found(apex);
    if (found === undefined) return undefined;
    const removed = await this.#scavenger.removeStale(found.zone, found.times, by);
    return { removed, notBefore: found.times.notBefore * 1000 };
  }

  /**
   * The records that go until then, in canonical order; undefined where the zone does not age.
   * @param until milliseconds since 1970 UTC; by default the next time at which stale records go
   */
  async departures(
    apex: Name,
    until?: number,
  ): Promise<{ until: number; records: AsyncGenerator<readonly Departure[]> } | undefined> {
    const found = await this.#found(apex);
    if (found === undefined) return undefined;
    const horizon = until ?? nextTimeOfDay(found.zone.ageing.at, this.#deps.now());
    return { until: horizon, records: this.#departures(found.zone, found.times, horizon) };
  }

  /** Removes nothing more, and resolves when nothing is under way. Refreshes are taken still. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#scavenger.close();
    this.#cancel?.();
    await this.#round;
  }

  /** Writes what is kept. After {@link stop}. */
  close(): void {
    for (const times of this.#times.values()) {
      while (this.#tryToWrite(times.apex));
      this.#keepSeen(times, 0);
    }
  }

  #begin(apex: Name, rules: AgeingRules): void {
    const { registrations } = this.#deps.store;
    const now = this.#seconds();
    const before = registrations.state(apex);
    const patience = Math.ceil(rules.refresh / 1000);
    const notBefore =
      before === undefined
        ? now + patience // hosts were never asked to refresh until now
        : this.#putOff(before.notBefore, now - before.seen, patience);
    registrations.keepState(apex, { notBefore, seen: now });
    const next = nextTimeOfDay(rules.at, this.#deps.now());
    this.#times.set(apex.key, { apex, notBefore, leasesFrom: now, seen: now, next });
  }

  /**
   * Until when nothing of a zone is stale, hosts not having been able to refresh for so many seconds. Never for longer
   * than a refresh interval: a `notBefore` of a clock that was put back since is none.
   */
  #putOff(notBefore: number, away: number, patience: number): number {
    const now = this.#seconds();
    return Math.min(Math.max(notBefore, now + Math.max(0, away)), now + patience);
  }

  /** Notices that the clock was set, or that the machine was suspended. */
  #watchClock(): void {
    const { now, uptime, zones, log } = this.#deps;
    const moved = now() - uptime() - this.#epoch;
    if (Math.abs(moved) < CLOCK_PLAY) return;
    this.#epoch += moved;
    const seconds = Math.round(moved / 1000);
    log.warn({ seconds }, "the clock was set");
    for (const times of this.#times.values()) {
      const rules = zones.get(times.apex)?.config.ageing;
      if (rules === undefined) continue;
      times.notBefore = this.#putOff(times.notBefore, seconds, Math.ceil(rules.refresh / 1000));
      times.leasesFrom = this.#seconds();
      times.next = nextTimeOfDay(rules.at, now());
      this.#keepSeen(times, -Infinity);
    }
  }

  #end(apex: Name): void {
    const { registrations } = this.#deps.store;
    this.#forget(apex);
    if (registrations.state(apex) !== undefined) registrations.keepState(apex, undefined);
  }

  #forget(apex: Name): void {
    this.#pending.forget(apex);
    this.#times.delete(apex.key);
  }

  async #doRound(): Promise<void> {
    let wait = ROUND_INTERVAL;
    for (const { apex } of this.#times.values()) {
      try {
        const found = await this.#found(apex);
        if (found === undefined) continue;
        const { zone, times } = found;
        this.#keepSeen(times, SEEN_INTERVAL);
        await this.#scavenger.endLeases(zone, times);
        if (this.#deps.now() >= times.next) await this.#scavengeInTime(zone, times);
        const leaseEnd = this.#deps.store.registrations.firstLeaseEnd(apex) ?? Infinity;
        wait = Math.min(wait, Math.min(times.next, leaseEnd * 1000) - this.#deps.now());
      } catch (error) {
        if (this.#closed) return;
        this.#deps.log.error({ zone: apex.toString(), err: error }, "ageing failed: it tries again");
      }
    }
    this.#schedule(wait);
  }

  async #scavengeInTime(zone: ServedAgeingZone, times: ZoneTimes): Promise<void> {
    const removed = await this.#scavenger.removeStale(zone, times);
    times.next = nextTimeOfDay(zone.ageing.at, this.#deps.now());
    const next = new Date(times.next).toISOString();
    this.#deps.log.info({ zone: zone.apex.toString(), removed, next }, "stale records removed");
  }

  async *#departures(
    { apex, ageing, view }: ServedAgeingZone,
    times: ZoneTimes,
    until: number,
  ): AsyncGenerator<readonly Departure[]> {
    const seconds = Math.floor(until / 1000);
    const bounds = { refreshedBefore: seconds - staleFrom(0, ageing) + 1, leaseEndsBefore: seconds + 1 };
    const servers = nameServersOf(view);
    let after: Uint8Array | undefined;
    do {
      const { records, end } = this.#deps.store.registrations.ending(apex, bounds, after);
      const now = this.#deps.now();
      yield records
        .filter(({ record }) => !mustStay(record, apex, servers))
        .map((each) => ({ ...each, goes: departureOf(each, ageing, times, now) }))
        .filter(({ goes }) => goes <= until);
      after = end;
      await breathe();
    } while (after !== undefined);
  }

  /** A zone that ages, all its refreshes written. */
  async #found(apex: Name): Promise<{ zone: ServedAgeingZone; times: ZoneTimes } | undefined> {
    this.#watchClock();
    while (this.#write(apex)) await breathe();
    const zone = this.#deps.zones.get(apex);
    const ageing = zone?.config.ageing;
    const times = this.#times.get(apex.key);
    if (zone === undefined || ageing === undefined || times === undefined) return undefined;
    return { zone: { apex: zone.apex, ageing, view: zone.view }, times };
  }

  /** Writes some of what is kept of a zone. @returns whether there is more @throws StoreError */
  #write(apex: Name): boolean {
    const rules = this.#deps.zones.get(apex)?.config.ageing;
    if (rules === undefined) return false;
    const noRefresh = Math.floor(rules.noRefresh / 1000);
    const { registrations } = this.#deps.store;
    return this.#pending.writeSome(apex, (refreshes) => {
      this.#written += registrations.refresh(apex, refreshes, noRefresh);
    });
  }

  /** The same where there is nobody to throw to. */
  #tryToWrite(apex: Name): boolean {
    try {
      return this.#write(apex);
    } catch (error) {
      this.#pending.forget(apex);
      this.#deps.log.error(
        { zone: apex.toString(), err: error },
        "refreshes could not be written, and are lost",
      );
      return false;
    }
  }

  #keepSeen(times: ZoneTimes, interval: number): void {
    const seen = this.#seconds();
    if (seen - times.seen < interval) return;
    times.seen = seen;
    try {
      this.#deps.store.registrations.keepState(times.apex, { notBefore: times.notBefore, seen });
    } catch (error) {
      this.#deps.log.error(
        { zone: times.apex.toString(), err: error },
        "the state of ageing could not be written",
      );
    }
  }

  #schedule(wait: number): void {
    this.#cancel?.();
    if (this.#closed || this.#times.size === 0) return;
    const bounded = Math.min(Math.max(wait, LEAST_INTERVAL), ROUND_INTERVAL);
    this.#wakesAt = this.#deps.now() + bounded;
    this.#cancel = this.#deps.wake(() => void this.round(), bounded);
  }

  #seconds(): number {
    return Math.floor(this.#deps.now() / 1000);
  }
}
