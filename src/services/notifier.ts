/**
 * Tells secondaries of changes the moment they are committed (RFC 1996), and knows where each has got to. One entry for
 * each zone and secondary, see `notify-secondary.ts`; all share the sockets.
 */
import type { NotifyTarget } from "../config/config.ts";
import { peerToText } from "../protocol/context.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { HEADER_LENGTH } from "../wire/writer.ts";
import type { Changeset } from "../zone/changeset.ts";
import type { ZoneStore } from "../zone/ports.ts";
import type { NotifyCounters, NotifyLog, SecondaryStanding } from "./notify-secondary.ts";
import { NotifySecondary } from "./notify-secondary.ts";
import type { DatagramHandler, NotifyTransport } from "./notify-socket.ts";
import { openNotifyTransport, plainTarget } from "./notify-socket.ts";

/** At the start so many NOTIFYs go out at once, and then as many every so many milliseconds. */
const START_BURST = 16;
const START_INTERVAL = 10;

export interface NotifierDeps {
  readonly store: Pick<ZoneStore, "snapshot" | "secondaries" | "rememberSecondary">;
  readonly log: NotifyLog;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** For tests. */
  readonly random?: () => number;
  /** The address that messages to an address leave from; undefined, as without it, where the system is to choose. */
  readonly sourceFor?: (address: string) => string | undefined;
  /** For tests: the sockets by default. */
  readonly transport?: (received: DatagramHandler, failed: (error: Error) => void) => NotifyTransport;
}

/** A zone and who is to be told of it, as the configuration has them. */
export interface NotifiedZone {
  readonly apex: Name;
  readonly notify: readonly NotifyTarget[];
}

/** Where a secondary has got to, for `rollcall status`. Times in milliseconds since 1970 UTC. */
export interface SecondaryReport {
  /** `192.0.2.1:53` or `[2001:db8::1]:53`. */
  readonly address: string;
  readonly state: SecondaryStanding;
  /** The serial it fetched or acknowledged last, and when. */
  readonly serial?: number;
  readonly at?: number;
  readonly acknowledgedSerial?: number;
  readonly fetchedSerial?: number;
  readonly key?: string;
  /** Tries in a row without an answer. */
  readonly unanswered: number;
  /** What is wrong, where something is. */
  readonly lastError?: string;
}

interface Entry {
  soa: ResourceRecord | undefined;
  /** By `address:port`. */
  readonly secondaries: Map<string, { readonly host: string; readonly secondary: NotifySecondary }>;
}

export class Notifier {
  readonly counters: NotifyCounters = { sent: 0, acknowledged: 0, refused: 0, unanswered: 0, ignored: 0 };
  readonly #deps: NotifierDeps;
  readonly #transport: NotifyTransport;
  /** Zones that have secondaries, by `Name.key`. */
  readonly #zones = new Map<string, Entry>();
  /** Who awaits an answer, by address, port and ID. */
  readonly #awaited = new Map<string, NotifySecondary>();

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
    const received: DatagramHandler = (bytes, address, port) => this.#received(bytes, address, port);
    const failed = (error: Error): void => deps.log.warn({ err: error }, "NOTIFY socket error");
    this.#transport =
      deps.transport?.(received, failed) ?? openNotifyTransport(received, failed, deps.sourceFor);
  }

  /**
   * Takes the zones and their secondaries as they are to be. New secondaries, and those of a zone that has come into the
   * store, are told of it once: they may have missed changes. The others are left in peace.
   */
  configure(zones: readonly NotifiedZone[]): void {
    const wanted = new Map(zones.map((zone) => [zone.apex.key, zone]));
    for (const [key, entry] of this.#zones) {
      if (wanted.get(key)?.notify.length) continue;
      for (const { secondary } of entry.secondaries.values()) secondary.close();
      this.#zones.delete(key);
    }
    let started = 0;
    for (const { apex, notify } of zones) {
      if (notify.length === 0) continue;
      for (const secondary of this.#configureZone(apex, notify)) {
        secondary.tell(Math.floor(started++ / START_BURST) * START_INTERVAL);
      }
    }
  }

  /** Changes that were committed, oldest first. */
  committed(changesets: readonly Changeset[]): void {
    const changed = new Set<Entry>();
    for (const { zone, soaAfter } of changesets) {
      const entry = this.#zones.get(zone.key);
      if (entry === undefined) continue;
      entry.soa = soaAfter;
      changed.add(entry);
    }
    for (const entry of changed) for (const { secondary } of entry.secondaries.values()) secondary.tell();
  }

  /**
   * A secondary has this serial: a transfer to it is complete, or it asked with that serial and was told it is current.
   * Of several secondaries at one address it may be any, but not those that have another key.
   * @param address numeric; the port a transfer comes from says nothing
   * @param key that signed the request
   */
  observe(apex: Name, address: string, serial: number, key?: Name): void {
    const host = plainTarget(address);
    for (const candidate of this.#zones.get(apex.key)?.secondaries.values() ?? []) {
      const { secondary } = candidate;
      const isOther = key !== undefined && secondary.key !== undefined && !secondary.key.name.equals(key);
      if (candidate.host === host && !isOther) secondary.observe(serial);
    }
  }

  /** Tells the secondaries at an address again, e.g. when a transfer that had to be put off is possible now. */
  retell(apex: Name, address: string): void {
    const host = plainTarget(address);
    for (const candidate of this.#zones.get(apex.key)?.secondaries.values() ?? []) {
      if (candidate.host === host) candidate.secondary.tell();
    }
  }

  /** The secondaries of a zone, in the order of the configuration. */
  status(apex: Name): SecondaryReport[] {
    return [...(this.#zones.get(apex.key)?.secondaries.values() ?? [])].map(({ secondary }) => {
      const { acknowledged, fetched, lastError, key } = secondary;
      const last = fetched !== undefined && fetched.at >= (acknowledged?.at ?? 0) ? fetched : acknowledged;
      return {
        address: secondary.address,
        state: secondary.standing,
        ...(last === undefined ? {} : { serial: last.serial, at: last.at }),
        ...(acknowledged === undefined ? {} : { acknowledgedSerial: acknowledged.serial }),
        ...(fetched === undefined ? {} : { fetchedSerial: fetched.serial }),
        ...(key === undefined ? {} : { key: key.name.toString() }),
        unanswered: secondary.unanswered,
        ...(lastError === undefined ? {} : { lastError }),
      };
    });
  }

  /** Sends nothing more. Resolves when the sockets are closed. */
  async close(): Promise<void> {
    for (const entry of this.#zones.values()) {
      for (const { secondary } of entry.secondaries.values()) secondary.close();
    }
    this.#zones.clear();
    await this.#transport.close();
  }

  /** @returns the secondaries to be told */
  #configureZone(apex: Name, targets: readonly NotifyTarget[]): NotifySecondary[] {
    const old = this.#zones.get(apex.key);
    const entry: Entry = { soa: old?.soa ?? this.#readSoa(apex), secondaries: new Map() };
    const untold: NotifySecondary[] = [];
    const remembered = new Map(this.#remembered(apex).map((state) => [state.address, state]));
    for (const target of targets) {
      const address = peerToText(target);
      const kept = old?.secondaries.get(address);
      if (kept !== undefined) {
        kept.secondary.key = target.key;
        entry.secondaries.set(address, kept);
        if (old?.soa === undefined) untold.push(kept.secondary);
        continue;
      }
      if (entry.secondaries.has(address)) continue;
      const secondary = this.#newSecondary(apex, target, address);
      const state = remembered.get(address);
      if (state !== undefined) secondary.restore(state);
      entry.secondaries.set(address, { host: plainTarget(target.address), secondary });
      untold.push(secondary);
    }
    for (const [address, { secondary }] of old?.secondaries ?? []) {
      if (!entry.secondaries.has(address)) secondary.close();
    }
    this.#zones.set(apex.key, entry);
    return untold;
  }

  #newSecondary(apex: Name, target: NotifyTarget, address: string): NotifySecondary {
    const { now, log, random = Math.random } = this.#deps;
    const awaitedKey = (id: number): string => answerKey(plainTarget(target.address), target.port, id);
    const secondary: NotifySecondary = new NotifySecondary(apex, address, target.key, {
      soa: () => this.#zones.get(apex.key)?.soa,
      send: (message, failed) => this.#transport.send(message, target.address, target.port, failed),
      claim: (id) => {
        if (this.#awaited.has(awaitedKey(id))) return false;
        this.#awaited.set(awaitedKey(id), secondary);
        return true;
      },
      release: (id) => {
        if (this.#awaited.get(awaitedKey(id)) === secondary) this.#awaited.delete(awaitedKey(id));
      },
      reached: (serial, at) => this.#remember(apex, address, serial, at),
      counters: this.counters,
      log,
      now,
      random,
    });
    return secondary;
  }

  #received(bytes: Uint8Array, address: string, port: number): void {
    const id = bytes.length < HEADER_LENGTH ? -1 : (bytes[0]! << 8) | bytes[1]!;
    const secondary = this.#awaited.get(answerKey(address, port, id));
    if (secondary === undefined) this.counters.ignored++;
    else secondary.receive(bytes);
  }

  #remember(apex: Name, address: string, serial: number, at: number): void {
    try {
      this.#deps.store.rememberSecondary(apex, { address, serial, at });
    } catch (error) {
      this.#deps.log.warn({ zone: apex.toString(), err: error }, "a secondary's serial could not be stored");
    }
  }

  #remembered(apex: Name): ReturnType<ZoneStore["secondaries"]> {
    try {
      return this.#deps.store.secondaries(apex);
    } catch {
      return []; // not in the store (yet): nothing to remember
    }
  }

  #readSoa(apex: Name): ResourceRecord | undefined {
    try {
      const snapshot = this.#deps.store.snapshot(apex);
      try {
        return snapshot.soa;
      } finally {
        snapshot.close();
      }
    } catch {
      return undefined; // not in the store (yet): `configure` comes again when it is
    }
  }
}

function answerKey(address: string, port: number, id: number): string {
  return `${address} ${port} ${id}`;
}
