/** {@link ZoneStore} on SQLite: durable zones, their journal, and snapshots of them. */
import type { Database } from "better-sqlite3";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { Changeset, ChangeOrigin } from "../zone/changeset.ts";
import type {
  HistoryEntry,
  JournalLimits,
  SecondaryState,
  StoredZone,
  ZoneSnapshot,
  ZoneStore,
} from "../zone/ports.ts";
import type { Catalogue, ZoneRow } from "./catalogue.ts";
import { commitBatch, dropZone, type Tables } from "./changes.ts";
import { releasePages } from "./connection.ts";
import { createZoneInSteps } from "./creation.ts";
import { guarded, StoreError } from "./error.ts";
import { Journal } from "./journal.ts";
import type { DirectoryLock } from "./lock.ts";
import { Owners } from "./owners.ts";
import { RecordTable } from "./records.ts";
import { Registrations } from "./registrations.ts";
import { Secondaries } from "./secondaries.ts";
import { SnapshotPool } from "./snapshot.ts";

/** Pages given back to the file system after one trim: some milliseconds of work. */
const VACUUM_PAGES = 1000;
/** Free pages that are kept for what comes next: at 4096 octets each, 16 MiB. */
const SPARE_PAGES = 4096;

export class SqliteStore implements ZoneStore {
  /** Path of rollcall.db, for a {@link SnapshotPool} of another thread. */
  readonly file: string;
  readonly registrations: Registrations;
  readonly owners: Owners;
  readonly #db: Database;
  readonly #lock: DirectoryLock;
  readonly #tables: Tables;
  readonly #secondaries: Secondaries;
  readonly #snapshots: SnapshotPool;

  /**
   * Takes over an open, migrated database and the lock on its directory: use `openStore`.
   * @throws StoreError `STORE_CORRUPT`; SqliteError
   */
  constructor(db: Database, lock: DirectoryLock, catalogue: Catalogue) {
    this.file = db.name;
    this.#db = db;
    this.#lock = lock;
    this.registrations = new Registrations(db, catalogue);
    this.owners = new Owners(db, catalogue);
    this.#tables = {
      db,
      catalogue,
      records: new RecordTable(db),
      journal: new Journal(db),
      registrations: this.registrations,
      owners: this.owners,
    };
    this.#secondaries = new Secondaries(db);
    this.#snapshots = new SnapshotPool(db.name);
  }

  /** Commits a batch, all or nothing. @throws StoreError (as a rejection) */
  // oxlint-disable-next-line typescript/require-await -- the port is asynchronous, SQLite is not
  async commit(batch: readonly Changeset[]): Promise<void> {
    this.#run("committing a change", () => commitBatch(this.#tables, batch));
  }

  zones(): StoredZone[] {
    return this.#tables.catalogue.all().map(storedZone);
  }

  create(apex: Name, records: Iterable<ResourceRecord>, origin: ChangeOrigin): StoredZone {
    const creating = this.createInSteps(apex, records, origin);
    for (;;) {
      const step = creating.next();
      if (step.done === true) return step.value;
    }
  }

  *createInSteps(
    apex: Name,
    records: Iterable<ResourceRecord>,
    origin: ChangeOrigin,
  ): Generator<number, StoredZone, undefined> {
    const creating = createZoneInSteps(this.#tables, apex, records, origin);
    try {
      for (;;) {
        const step = this.#run(`creating zone ${apex.toString()}`, () => creating.next());
        if (step.done === true) return storedZone(step.value);
        yield step.value;
      }
    } finally {
      // Given up before its end: nothing of it stays.
      creating.return(undefined as never);
    }
  }

  drop(apex: Name): void {
    this.#run(`removing zone ${apex.toString()}`, () => {
      const zone = dropZone(this.#tables, apex, (id) => this.#secondaries.clear(id));
      this.#secondaries.forget(zone.id);
      this.#giveSpaceBack();
    });
  }

  snapshot(apex: Name): ZoneSnapshot {
    return this.#snapshots.take(apex);
  }

  changesSince(apex: Name, serial: number, maxBytes = Infinity): readonly Changeset[] | undefined {
    return this.#run(`reading the journal of ${apex.toString()}`, () =>
      this.#tables.journal.changesSince(this.#tables.catalogue.get(apex), serial, maxBytes),
    );
  }

  history(apex: Name, options: { limit: number; before?: number; since?: number }): HistoryEntry[] {
    return this.#run(`reading the history of ${apex.toString()}`, () =>
      this.#tables.journal.history(this.#tables.catalogue.get(apex), options),
    );
  }

  trimJournal(apex: Name, limits: JournalLimits, now: number): { removed: number; more: boolean } {
    return this.#run(`trimming the journal of ${apex.toString()}`, () => {
      const { catalogue, journal } = this.#tables;
      const zone = catalogue.get(apex);
      const { trimmed, after } = this.#db
        .transaction(() => {
          const trimmed = journal.trim(zone, limits, now);
          const after = { ...zone, journalBytes: zone.journalBytes - trimmed.octets };
          if (trimmed.removed > 0) catalogue.update(zone, after);
          return { trimmed, after };
        })
        .immediate();
      catalogue.keep(after);
      this.#giveSpaceBack();
      return { removed: trimmed.removed, more: trimmed.more };
    });
  }

  secondaries(apex: Name): SecondaryState[] {
    return this.#secondaries.of(this.#tables.catalogue.get(apex).id);
  }

  /** Remembers where a secondary has got to; written within seconds or at {@link close}, and lost by a crash before. */
  rememberSecondary(apex: Name, state: SecondaryState): void {
    this.#secondaries.remember(this.#tables.catalogue.get(apex).id, state);
  }

  /** Gives back memory that only serves to be fast: for a time without changes. */
  releaseMemory(): void {
    if (this.#db.open) this.#run("releasing memory", () => releasePages(this.#db));
  }

  /** Closes everything, open snapshots too, and lets the next process in. Closing twice does nothing. */
  close(): void {
    if (!this.#db.open) return;
    this.#snapshots.close();
    try {
      this.#secondaries.write();
    } catch {
      // It may be lost, and a full disk must not keep the rest from closing well.
    } finally {
      // Closing the last connection copies the log into the database and removes it.
      this.#db.close();
      this.#lock.release();
    }
  }

  /** Returns free pages to the file system, some at a time, where there are many. */
  #giveSpaceBack(): void {
    const free = Number(this.#db.pragma("freelist_count", { simple: true }));
    if (free > SPARE_PAGES)
      this.#db.pragma(`incremental_vacuum(${Math.min(VACUUM_PAGES, free - SPARE_PAGES)})`);
  }

  #run<T>(doing: string, work: () => T): T {
    if (!this.#db.open) throw new StoreError("STORE_CLOSED", "the store is closed");
    return guarded(doing, work);
  }
}

function storedZone({ apex, serial, recordCount }: ZoneRow): StoredZone {
  return { apex, serial, recordCount };
}
