/** The doors through which zones are kept durably. `store/` implements them with SQLite. */
import type { RecordCursor } from "../wire/cursor.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { Changeset, ChangeOrigin } from "./changeset.ts";
import type { OwnerStore, RegistrationStore } from "./registration.ts";

/** A zone in the store. */
export interface StoredZone {
  readonly apex: Name;
  readonly serial: number;
  /** Records, the SOA among them. */
  readonly recordCount: number;
}

/** One consistent state of a zone, unaffected by later commits. Close it, always. */
export interface ZoneSnapshot {
  readonly apex: Name;
  readonly soa: ResourceRecord;
  readonly recordCount: number;
  /** Every record but the SOA, in canonical owner order, the apex first, those of one RRset together. */
  records(): Iterable<ResourceRecord>;
  /** The same records in the same order, without an object for each. */
  cursor(): RecordCursor;
  close(): void;
}

/** One line of a zone's history. */
export interface HistoryEntry {
  readonly id: number;
  readonly origin: ChangeOrigin;
  /** Undefined for the entry that created the zone. */
  readonly serialBefore: number | undefined;
  readonly serialAfter: number;
  /** Undefined where the entry only counts (creation). */
  readonly changeset: Changeset | undefined;
  readonly removedCount: number;
  readonly addedCount: number;
}

export interface JournalLimits {
  /** Changesets older than this many milliseconds may go. */
  readonly maxAge: number;
  /** Octets of changesets kept for one zone. */
  readonly maxBytes: number;
}

/** Where a secondary has got to. */
export interface SecondaryState {
  /** `address:port` or `[address]:port`. */
  readonly address: string;
  /** Highest serial it acknowledged or fetched. */
  readonly serial: number;
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
}

/**
 * Commits changesets. Asynchronous, so that a later implementation can append to a replicated log first.
 * A batch is atomic: all of it, or none and a rejection.
 */
export interface CommitPort {
  commit(batch: readonly Changeset[]): Promise<void>;
}

/** Everything the rest of the house asks of the durable copy. All but `commit` are synchronous and must be short. */
export interface ZoneStore extends CommitPort {
  zones(): StoredZone[];
  /** Creates a zone with its first records (one SOA among them), all or nothing. @throws where it exists */
  create(apex: Name, records: Iterable<ResourceRecord>, origin: ChangeOrigin): StoredZone;
  /**
   * {@link create} in steps of some milliseconds, between which other changes may be committed. Given up before its end
   * (`return`), it leaves nothing.
   * @returns yields how many records are written so far
   */
  createInSteps(
    apex: Name,
    records: Iterable<ResourceRecord>,
    origin: ChangeOrigin,
  ): Generator<number, StoredZone, undefined>;
  /** Removes a zone, its records and its journal. */
  drop(apex: Name): void;
  /** A consistent snapshot for an export, an import or the building of an image. @throws where there is no such zone */
  snapshot(apex: Name): ZoneSnapshot;
  /**
   * The changesets that lead from `serial` to the current one; empty where it is current;
   * undefined where the journal does not reach back to it or they take more than `maxBytes` octets.
   */
  changesSince(apex: Name, serial: number, maxBytes?: number): readonly Changeset[] | undefined;
  /**
   * Newest first; `since`, in milliseconds since 1970 UTC, leaves out what is older. `before` continues an earlier
   * page by its last id: there is no more only once a page is empty.
   */
  history(apex: Name, options: { limit: number; before?: number; since?: number }): HistoryEntry[];
  /**
   * Deletes changesets beyond the limits, a bounded number at a time.
   * @returns how many went, and whether there are more to go
   */
  trimJournal(apex: Name, limits: JournalLimits, now: number): { removed: number; more: boolean };
  secondaries(apex: Name): SecondaryState[];
  rememberSecondary(apex: Name, state: SecondaryState): void;
  readonly registrations: RegistrationStore;
  readonly owners: OwnerStore;
  close(): void;
}
