/** Takes out of zones what is stale and what has outlived its lease, in bounded batches through the change queue. */
import type { Name } from "../../wire/name.ts";
import type { Changeset, ChangeOrigin } from "../../zone/changeset.ts";
import {
  type Refresh,
  type RegisteredRecord,
  type RegistrationStore,
  staleFrom,
} from "../../zone/registration.ts";
import { isAddress } from "../../zone/pointers.ts";
import type { ChangeQueue } from "../change-queue.ts";
import { reverseChanges } from "../reverse-records.ts";
import { breathe } from "../turns.ts";
import type { PendingRefreshes } from "./pending.ts";
import { planRemoval, type Removal } from "./removal.ts";
import type { ServedZones } from "../zones.ts";
import { leaseEnd, type ServedAgeingZone, type ZoneTimes } from "./zone.ts";

/** Records that one changeset removes. */
const BATCH = 500;
/** Owners named in the log line of one changeset. */
const MAX_LOGGED_NAMES = 5;

export interface ScavengerDeps {
  readonly registrations: RegistrationStore;
  readonly pending: Pick<PendingRefreshes, "has">;
  readonly changes: Pick<ChangeQueue, "submit">;
  readonly zones: Pick<ServedZones, "get" | "enclosing">;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void };
}

type By = Pick<ChangeOrigin, "actor">;
const SERVER: By = { actor: { kind: "server", name: "ageing" } };

/** What a batch came to. */
interface Removed {
  readonly removed: number;
  readonly spared: Removal["spared"];
}

export class Scavenger {
  /** Records removed so far. */
  removed = 0;
  readonly #deps: ScavengerDeps;
  #closed = false;

  constructor(deps: ScavengerDeps) {
    this.#deps = deps;
  }

  /** Begins no more batches. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Removes stale records. Refreshes should have been written.
   * @returns how many
   * @throws what the change queue throws
   */
  async removeStale({ apex, ageing }: ServedAgeingZone, times: ZoneTimes, by: By = SERVER): Promise<number> {
    if (this.#seconds() < times.notBefore) return 0;
    const isStale = ({ refreshed, lease }: RegisteredRecord): boolean =>
      lease === undefined && staleFrom(refreshed, ageing) <= this.#seconds();
    const refreshedBefore = this.#seconds() - staleFrom(0, ageing) + 1;
    let removed = 0;
    let after: Uint8Array | undefined;
    const found: RegisteredRecord[] = [];
    do {
      const piece = this.#deps.registrations.ending(apex, { refreshedBefore }, after);
      found.push(...piece.records);
      after = piece.end;
      const least = after === undefined ? 1 : BATCH;
      while (found.length >= least && !this.#closed) {
        const batch = found.splice(0, BATCH);
        removed += (await this.#remove(apex, batch, isStale, "not refreshed in time", by)).removed;
      }
      await breathe();
    } while (after !== undefined && !this.#closed);
    return removed;
  }

  /** Removes records whose leases have ended. @throws what the change queue throws */
  async endLeases({ apex }: ServedAgeingZone, times: ZoneTimes): Promise<void> {
    const { registrations } = this.#deps;
    const hasEnded = (record: RegisteredRecord): boolean =>
      (leaseEnd(record, times) ?? Infinity) <= this.#seconds();
    while (!this.#closed) {
      const found = registrations.leasesEnding(apex, this.#seconds(), BATCH);
      const running = found.filter((record) => !hasEnded(record));
      registrations.refresh(apex, refreshesOf(running, times.leasesFrom), 0);
      const ended = found.filter(hasEnded);
      const { removed, spared } = await this.#remove(apex, ended, hasEnded, "lease ended", SERVER);
      // Else they would stand in front of all others for ever.
      registrations.refresh(apex, refreshesOf(spared, this.#seconds()), 0);
      if (removed + running.length + spared.length === 0) return;
      await breathe();
    }
  }

  /** Removes those records whose time is over still when the change is judged. */
  async #remove(
    apex: Name,
    candidates: readonly RegisteredRecord[],
    isDue: (candidate: RegisteredRecord) => boolean,
    note: string,
    { actor }: By,
  ): Promise<Removed> {
    if (candidates.length === 0) return { removed: 0, spared: [] };
    const { registrations, pending, zones } = this.#deps;
    const isDueStill = ({ record }: RegisteredRecord): boolean => {
      const present = registrations.of(apex, record);
      return present !== undefined && !pending.has(apex, record) && isDue({ ...present, record });
    };
    const { changeset, spared } = await this.#deps.changes.submit<Removal>({
      apex,
      // Alone in its batch, it sees a zone that is committed, whose registrations are those of the store.
      exclusive: true,
      judge: (view, other) => {
        const origin: ChangeOrigin = { actor, at: this.#deps.now(), cause: "ageing", note };
        const result = planRemoval(view, candidates, isDueStill, origin);
        const { changeset } = result;
        if (changeset === undefined || zones.get(apex)?.config.ptr !== true) return { changeset, result };
        // They only take pointers away, and so go over no limit.
        const addresses = { gone: changeset.removed.filter(isAddress), held: [] };
        return {
          changeset,
          also: reverseChanges(zones, other, addresses, origin, changeset).changesets,
          result,
        };
      },
    });
    if (changeset !== undefined) this.#removed(changeset, note);
    return { removed: changeset?.removed.length ?? 0, spared };
  }

  #removed({ zone, removed }: Changeset, why: string): void {
    this.removed += removed.length;
    const names = [...new Set(removed.map(({ name }) => name.toString()))].slice(0, MAX_LOGGED_NAMES);
    this.#deps.log.info({ zone: zone.toString(), removed: removed.length, names, why }, "records aged out");
  }

  #seconds(): number {
    return Math.floor(this.#deps.now() / 1000);
  }
}

/** Refreshes of records as they were found, at another time. */
function refreshesOf(records: readonly RegisteredRecord[], refreshed: number): Refresh[] {
  return records.map(({ record: { name, type, rdata }, lease }) => ({ name, type, rdata, refreshed, lease }));
}
