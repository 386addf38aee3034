/**
 * Registered records: those that an update added. Each has the time when an update last named it, and goes when nobody
 * does for as long as its zone says, or its lease (RFC 9664). Records of files, imports and the operator are static.
 *
 *     refreshed           + no-refresh        + refresh
 *     |-- writes nothing --|-- is refreshed --|-- stale: goes at the zone's time of day
 */
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { recordKey } from "./algebra.ts";
import type { Actor, Changeset } from "./changeset.ts";

/** What is kept of a registered record. */
export interface Registration {
  /** Seconds since 1970 UTC when it was last added or refreshed. */
  readonly refreshed: number;
  /** Seconds that it lives after that; undefined: as long as the zone says. */
  readonly lease?: number | undefined;
}

export interface RegisteredRecord extends Registration {
  readonly record: ResourceRecord;
}

/** A record that an update named again. */
export interface Refresh extends Registration {
  readonly name: Name;
  readonly type: number;
  /** Exactly as stored. */
  readonly rdata: Uint8Array;
}

/**
 * Records whose registration a changeset writes: all that it adds, but those that are there already and only take another
 * TTL because a neighbour of their RRset does.
 */
export function registeredBy({ added, removed, lifetimes }: Changeset): readonly ResourceRecord[] {
  if (removed.length === 0) return added;
  let before: Set<string> | undefined;
  return added.filter((rr, index) => {
    if (lifetimes?.[index] !== undefined) return true;
    before ??= new Set(removed.map(recordKey));
    return !before.has(recordKey(rr));
  });
}

/** How a zone's registered records age. Intervals in milliseconds. */
export interface AgeingRules {
  /** For so long after a refresh another one writes nothing. */
  readonly noRefresh: number;
  /** For so long after that a record waits for its refresh, and is stale then. */
  readonly refresh: number;
  /** Minutes after midnight, in the machine's local time, at which stale records go. */
  readonly at: number;
  /** Bounds of what a lease is granted. */
  readonly minLease: number;
  readonly maxLease: number;
  /** The most of a KEY record's lease. */
  readonly maxKeyLease: number;
}

/** What the store remembers of a zone that ages; seconds since 1970 UTC. */
export interface AgeingState {
  /** Until then nothing of the zone is stale. */
  readonly notBefore: number;
  /** When the zone was last known to take refreshes. */
  readonly seen: number;
}

/** Who a name belongs to. */
export interface NameOwner {
  readonly kind: Actor["kind"];
  readonly name: string;
  /** Milliseconds since 1970 UTC. */
  readonly since: number;
}

/** When a record of a zone's own intervals becomes stale, in seconds since 1970 UTC. */
export function staleFrom(refreshed: number, rules: AgeingRules): number {
  return refreshed + Math.ceil((rules.noRefresh + rules.refresh) / 1000);
}

/** Registrations in the durable copy. All are synchronous and short. */
export interface RegistrationStore {
  /** That of a record; undefined where it is static or not there. */
  of(apex: Name, record: Pick<ResourceRecord, "name" | "type" | "rdata">): Registration | undefined;
  /** Whether a name has a record that is static. */
  hasStatic(apex: Name, name: Name): boolean;
  /**
   * Refreshes records: those that are static or gone stay so, and those that were refreshed less than `noRefresh` seconds
   * before stay as they are, unless their lease differs. A time in
   * the future counts for nothing: the clock was wrong. May be lost by a crash until the next commit.
   * @returns how many were written
   */
  refresh(apex: Name, refreshes: readonly Refresh[], noRefresh: number): number;
  /**
   * The records, not of the apex, that have no lease and were refreshed before a time, or whose lease ends before one
   * (seconds since 1970 UTC): those among some thousand records in canonical order.
   * @param after where the piece before ended
   * @returns where this piece ends; undefined where it is the last
   */
  ending(
    apex: Name,
    bounds: { readonly refreshedBefore: number; readonly leaseEndsBefore?: number | undefined },
    after?: Uint8Array,
  ): { readonly records: RegisteredRecord[]; readonly end: Uint8Array | undefined };
  /** Records whose leases end at `bound` or earlier, the earliest first, so many of them at most. */
  leasesEnding(apex: Name, bound: number, limit: number): RegisteredRecord[];
  /** When the first lease of the zone ends, in seconds since 1970 UTC; undefined where there is none. */
  firstLeaseEnd(apex: Name): number | undefined;
  /** Undefined where the zone does not age (yet). */
  state(apex: Name): AgeingState | undefined;
  /** Undefined forgets that the zone ages. */
  keepState(apex: Name, state: AgeingState | undefined): void;
}

/** Who owns names, in the durable copy. */
export interface OwnerStore {
  of(apex: Name, name: Name): NameOwner | undefined;
  /** In canonical order, after a name. */
  list(apex: Name, limit: number, after?: Name): { readonly name: Name; readonly owner: NameOwner }[];
  /** Gives a name that has records to somebody, or to nobody. @returns false where it has no records */
  give(apex: Name, name: Name, owner: NameOwner | undefined): boolean;
}
