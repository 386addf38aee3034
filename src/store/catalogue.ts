/** The zones of the store and where each stands: the `zone` table, held in memory as well. */
import type { Database, Statement } from "better-sqlite3";
import { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { StoreError } from "./error.ts";
import { decodeRecord, encodeRecords, plain } from "./rr-blob.ts";

/** One zone's row. Replaced, never changed, so that a transaction that fails leaves the old one in place. */
export interface ZoneRow {
  readonly id: number;
  readonly apex: Name;
  readonly serial: number;
  readonly soa: ResourceRecord;
  /** The SOA among them. */
  readonly recordCount: number;
  readonly journalBytes: number;
}

/** The columns, in the order {@link zoneRowOf} takes them. */
export const ZONE_COLUMNS = "id, apex, serial, soa, record_count, journal_bytes";
export type ZoneColumns = [number, Uint8Array, number, Uint8Array, number, number];

export function zoneRowOf([id, apex, serial, soa, recordCount, journalBytes]: ZoneColumns): ZoneRow {
  return {
    id,
    apex: Name.fromTrustedWire(plain(apex)),
    serial,
    soa: decodeRecord(soa),
    recordCount,
    journalBytes,
  };
}

/** A name's key as SQLite keeps it. */
export function keyBlob(name: Name): Uint8Array {
  return plain(Buffer.from(name.key, "latin1"));
}

export class Catalogue {
  /** Keys of the zones that are being created: they are not there yet, but their names are taken. */
  readonly arriving: Set<string> = new Set();
  readonly #rows = new Map<string, ZoneRow>();
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #delete: Statement;

  /** @throws StoreError `STORE_CORRUPT`; SqliteError */
  constructor(db: Database) {
    this.#insert = db.prepare(
      "INSERT INTO zone (apex_key, apex, serial, soa, record_count, journal_bytes) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#update = db.prepare(
      "UPDATE zone SET serial = ?, soa = ?, record_count = ?, journal_bytes = ? WHERE id = ? AND serial = ?",
    );
    this.#delete = db.prepare("DELETE FROM zone WHERE id = ?");
    const rows = db.prepare<[], ZoneColumns>(`SELECT ${ZONE_COLUMNS} FROM zone ORDER BY id`).raw().all();
    for (const columns of rows) this.keep(zoneRowOf(columns));
  }

  find(apex: Name): ZoneRow | undefined {
    return this.#rows.get(apex.key);
  }

  /** @throws StoreError `STORE_NO_ZONE` */
  get(apex: Name): ZoneRow {
    const row = this.#rows.get(apex.key);
    if (row === undefined)
      throw new StoreError("STORE_NO_ZONE", `there is no zone ${apex.toString()} in the store`);
    return row;
  }

  all(): ZoneRow[] {
    return [...this.#rows.values()];
  }

  /** Writes the row of a zone that is yet empty; {@link update} gives it its state within the same transaction. */
  insert(apex: Name): Pick<ZoneRow, "id" | "apex" | "serial" | "journalBytes"> {
    const { lastInsertRowid } = this.#insert.run(keyBlob(apex), apex.wire, 0, new Uint8Array(0), 0, 0);
    return { id: Number(lastInsertRowid), apex, serial: 0, journalBytes: 0 };
  }

  /**
   * Writes a zone's new state in place of `before`.
   * @throws StoreError `STORE_CONFLICT` where the database's state is not `before`
   */
  update(before: Pick<ZoneRow, "id" | "apex" | "serial">, after: ZoneRow): void {
    const soa = encodeRecords([after.soa]);
    const { changes } = this.#update.run(
      after.serial,
      soa,
      after.recordCount,
      after.journalBytes,
      before.id,
      before.serial,
    );
    if (changes !== 1) {
      throw new StoreError(
        "STORE_CONFLICT",
        `zone ${before.apex.toString()} is no longer at serial ${before.serial} in the store`,
      );
    }
  }

  delete(row: ZoneRow): void {
    this.#delete.run(row.id);
  }

  /** Takes a row into the memory, after its transaction was committed. */
  keep(row: ZoneRow): void {
    this.#rows.set(row.apex.key, row);
  }

  /** Drops a row from the memory, after its transaction was committed. */
  forget(row: ZoneRow): void {
    this.#rows.delete(row.apex.key);
  }
}
