/**
 * Consistent snapshots: each a read transaction on a connection of its own, which sees the zone as it was when the
 * snapshot was taken while commits go on beside it (SQLite's WAL isolation).
 */
import type { Database, Statement } from "better-sqlite3";
import type { RecordCursor } from "../wire/cursor.ts";
import { Name } from "../wire/name.ts";
import { record, type ResourceRecord } from "../wire/record.ts";
import type { ZoneSnapshot } from "../zone/ports.ts";
import { keyBlob, ZONE_COLUMNS, type ZoneColumns, zoneRowOf, type ZoneRow } from "./catalogue.ts";
import { openReader } from "./connection.ts";
import { guarded, StoreError } from "./error.ts";
import { RowCursor, RowPages } from "./rows.ts";

/** Snapshots open at once: stops a leak before it starves the disk. */
export const MAX_SNAPSHOTS = 64;
/** Connections kept for the next snapshot. */
const MAX_IDLE = 4;

/** A connection and what is prepared on it. */
class Reader {
  readonly db: Database;
  readonly rows: RowPages;
  readonly #zone: Statement<[Uint8Array], ZoneColumns>;
  readonly #begin: Statement<[]>;
  readonly #end: Statement<[]>;

  constructor(file: string) {
    this.db = openReader(file);
    this.rows = new RowPages(this.db);
    this.#zone = this.db
      .prepare<[Uint8Array], ZoneColumns>(
        `SELECT ${ZONE_COLUMNS} FROM zone WHERE apex_key = ? AND length(soa) > 0`,
      )
      .raw();
    this.#begin = this.db.prepare("BEGIN");
    this.#end = this.db.prepare("COMMIT");
  }

  /** Fixes the state that is read from now on: a deferred transaction begins with its first read. */
  begin(apex: Name): ZoneRow | undefined {
    this.#begin.run();
    const columns = this.#zone.get(keyBlob(apex));
    return columns === undefined ? undefined : zoneRowOf(columns);
  }

  end(): void {
    if (this.db.inTransaction) this.#end.run();
  }
}

/** Hands out snapshots of one database. */
export class SnapshotPool {
  readonly #file: string;
  readonly #idle: Reader[] = [];
  readonly #busy = new Set<Reader>();
  #closed = false;

  /** @param file path of rollcall.db */
  constructor(file: string) {
    this.#file = file;
  }

  /** Snapshots open now. */
  get open(): number {
    return this.#busy.size;
  }

  /**
   * Opens a snapshot of a zone.
   * @throws StoreError `STORE_NO_ZONE`, `STORE_BUSY` beyond {@link MAX_SNAPSHOTS}, `STORE_CLOSED`, or a failure of SQLite
   */
  take(apex: Name): ZoneSnapshot {
    if (this.#closed) throw new StoreError("STORE_CLOSED", "the store is closed");
    if (this.#busy.size >= MAX_SNAPSHOTS) {
      throw new StoreError(
        "STORE_BUSY",
        `${MAX_SNAPSHOTS} snapshots are open already`,
        "Try again in a moment.",
      );
    }
    return guarded(`taking a snapshot of ${apex.toString()}`, () => {
      const reader = this.#idle.pop() ?? new Reader(this.#file);
      this.#busy.add(reader);
      try {
        const zone = reader.begin(apex);
        if (zone === undefined)
          throw new StoreError("STORE_NO_ZONE", `there is no zone ${apex.toString()} in the store`);
        return new Snapshot(zone, reader.rows, () => this.#giveBack(reader));
      } catch (error) {
        this.#giveBack(reader);
        throw error;
      }
    });
  }

  /** Closes all connections, those of snapshots still open too. */
  close(): void {
    this.#closed = true;
    for (const reader of [...this.#idle, ...this.#busy]) reader.db.close();
    this.#idle.length = 0;
    this.#busy.clear();
  }

  #giveBack(reader: Reader): void {
    if (!this.#busy.delete(reader)) return;
    try {
      reader.end();
    } catch {
      reader.db.close(); // a connection that cannot end its transaction is no use to anyone
      return;
    }
    if (this.#idle.length < MAX_IDLE) this.#idle.push(reader);
    else reader.db.close();
  }
}

class Snapshot implements ZoneSnapshot {
  readonly apex: Name;
  readonly soa: ResourceRecord;
  readonly recordCount: number;
  readonly #zone: ZoneRow;
  readonly #rows: RowPages;
  readonly #release: () => void;
  #closed = false;

  constructor(zone: ZoneRow, rows: RowPages, release: () => void) {
    this.apex = zone.apex;
    this.soa = zone.soa;
    this.recordCount = zone.recordCount;
    this.#zone = zone;
    this.#rows = rows;
    this.#release = release;
  }

  cursor(): RecordCursor {
    const pages = this.#rows.of(this.#zone.id);
    // The connection may serve another snapshot once this one is closed: never read on after that.
    const read = <T>(page: () => T): T => {
      this.#assertOpen();
      return guarded(`reading zone ${this.apex.toString()}`, page);
    };
    return new RowCursor(
      {
        first: (usual) => read(() => pages.first(usual)),
        after: (key, type, rdata, usual) => read(() => pages.after(key, type, rdata, usual)),
      },
      this.apex,
    );
  }

  *records(): Generator<ResourceRecord, void, undefined> {
    const cursor = this.cursor();
    let name = this.apex;
    while (cursor.next()) {
      if (cursor.ownerChanged) name = Name.fromTrustedWire(cursor.owner.slice(0, cursor.ownerLength));
      yield record(name, cursor.type, cursor.ttl, cursor.rdata.slice(0, cursor.rdataLength));
      this.#assertOpen();
    }
  }

  #assertOpen(): void {
    if (this.#closed)
      throw new StoreError("STORE_CLOSED", `the snapshot of ${this.apex.toString()} is closed`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
  }
}
