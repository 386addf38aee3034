/** The `record` table: every record but the SOAs, each a row, in canonical owner order. */
import type { Database, Statement } from "better-sqlite3";
import { RrClass } from "../wire/iana/class.ts";
import { RrType } from "../wire/iana/type.ts";
import { LOWER, type Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import { BlobSlot } from "./blob-slot.ts";
import { StoreError } from "./error.ts";
import { ownerKey } from "../zone/owner-key.ts";
import type { Registration } from "../zone/registration.ts";
import { plain } from "./rr-blob.ts";

/** Rows that one statement of a bulk insert takes. */
const BULK_ROWS = 16;

const INSERT = "INSERT INTO record (zone, owner, type, rdata, ttl, owner_written) VALUES";
const INSERT_ROW = "(?, ?, ?, ?, ?, ?)";
const INSERT_COLUMNS = 6;

/** Types whose RDATA hold names or text whose case does not count: two that differ in it alone are one record. */
export const CASE_COUNTS: ReadonlySet<number> = new Set([RrType.A, RrType.AAAA, RrType.TXT]);

/** How a record is registered; undefined refreshed: it is static. */
export type RegistrationOrNone = Registration | { readonly refreshed: undefined; readonly lease: undefined };

/** What a commit does to the rows. */
export class RecordTable {
  readonly #insert: Statement<
    [number, Uint8Array, number, Uint8Array, number, Uint8Array | null, number | null, number | null]
  >;
  readonly #delete: Statement<[number, Uint8Array, number, Uint8Array]>;
  readonly #replace: Statement<
    [
      Uint8Array,
      number,
      Uint8Array | null,
      number | null,
      number | null,
      number,
      Uint8Array,
      number,
      Uint8Array,
    ]
  >;
  readonly #siblings: Statement<[number, Uint8Array, number], Uint8Array>;
  readonly #clear: Statement<[number]>;
  readonly #owner = new BlobSlot();
  readonly #rdata = new BlobSlot();
  readonly #oldRdata = new BlobSlot();

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO record (zone, owner, type, rdata, ttl, owner_written, refreshed, lease)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#delete = db.prepare("DELETE FROM record WHERE zone = ? AND owner = ? AND type = ? AND rdata = ?");
    this.#replace = db.prepare(
      `UPDATE OR IGNORE record SET rdata = ?, ttl = ?, owner_written = ?, refreshed = ?, lease = ?
       WHERE zone = ? AND owner = ? AND type = ? AND rdata = ?`,
    );
    this.#siblings = db
      .prepare<[number, Uint8Array, number], Uint8Array>(
        "SELECT rdata FROM record WHERE zone = ? AND owner = ? AND type = ?",
      )
      .pluck();
    this.#clear = db.prepare("DELETE FROM record WHERE zone = ?");
  }

  /**
   * Adds a record.
   * @param registration undefined: a static one
   * @returns false, and nothing done, where the zone has it already (whatever its TTL and letter case)
   */
  add(zone: number, apex: Name, rr: ResourceRecord, registration?: RegistrationOrNone): boolean {
    const owner = this.#owner.put(ownerKey(rr.name, apex));
    if (!CASE_COUNTS.has(rr.type) && this.#hasEqual(zone, owner, rr)) return false;
    const refreshed = registration?.refreshed ?? null;
    const lease = registration?.lease ?? null;
    const written = writtenOwner(rr.name, apex);
    const rdata = this.#rdata.put(rr.rdata);
    return this.#insert.run(zone, owner, rr.type, rdata, rr.ttl, written, refreshed, lease).changes === 1;
  }

  /** Removes a record, whatever its TTL. @returns false where the zone does not have it in these very RDATA */
  remove(zone: number, apex: Name, rr: ResourceRecord): boolean {
    const owner = this.#owner.put(ownerKey(rr.name, apex));
    return this.#delete.run(zone, owner, rr.type, this.#rdata.put(rr.rdata)).changes === 1;
  }

  /**
   * Puts a record in the place of another of the same owner and a type of {@link CASE_COUNTS}.
   * @param registration of the new one; undefined: it is static
   * @returns false, and nothing done, where the zone does not have the old one or has the new one already
   */
  replace(
    zone: number,
    apex: Name,
    old: ResourceRecord,
    rr: ResourceRecord,
    registration?: RegistrationOrNone,
  ): boolean {
    const owner = this.#owner.put(ownerKey(rr.name, apex));
    const written = writtenOwner(rr.name, apex);
    const refreshed = registration?.refreshed ?? null;
    const lease = registration?.lease ?? null;
    const { changes } = this.#replace.run(
      this.#rdata.put(rr.rdata),
      rr.ttl,
      written,
      refreshed,
      lease,
      zone,
      owner,
      rr.type,
      this.#oldRdata.put(old.rdata),
    );
    return changes === 1;
  }

  /** Removes all records of a zone. */
  clear(zone: number): void {
    this.#clear.run(zone);
  }

  #hasEqual(zone: number, owner: Uint8Array, rr: ResourceRecord): boolean {
    const siblings = this.#siblings.all(zone, owner, rr.type);
    if (siblings.length === 0) return false;
    const key = rdataKey(rr.type, rr.rdata);
    return siblings.some((rdata) => rdataKey(rr.type, plain(rdata)) === key);
  }
}

/** Fills a new zone, many rows a statement: the call into SQLite costs as much as the row. */
export class BulkInsert {
  readonly #zone: number;
  readonly #apex: Name;
  readonly #one: Statement;
  readonly #many: Statement;
  readonly #waiting: unknown[] = [];
  #inserted = 0;

  constructor(db: Database, zone: number, apex: Name) {
    this.#zone = zone;
    this.#apex = apex;
    const prepare = (rows: number): Statement =>
      db.prepare(`${INSERT} ${Array(rows).fill(INSERT_ROW).join(", ")} ON CONFLICT DO NOTHING`);
    this.#one = prepare(1);
    this.#many = prepare(BULK_ROWS);
  }

  /** Adds a record, unless the very same RDATA are there. */
  add(rr: ResourceRecord): void {
    const waiting = this.#waiting;
    waiting.push(
      this.#zone,
      ownerKey(rr.name, this.#apex),
      rr.type,
      rr.rdata,
      rr.ttl,
      writtenOwner(rr.name, this.#apex),
    );
    if (waiting.length === BULK_ROWS * INSERT_COLUMNS) {
      this.#inserted += this.#many.run(waiting).changes;
      waiting.length = 0;
    }
  }

  /** Inserts what still waits. @returns how many records were inserted in all */
  finish(): number {
    for (let at = 0; at < this.#waiting.length; at += INSERT_COLUMNS) {
      this.#inserted += this.#one.run(this.#waiting.slice(at, at + INSERT_COLUMNS)).changes;
    }
    this.#waiting.length = 0;
    return this.#inserted;
  }
}

/**
 * Whether a zone may hold the record, SOA aside: class IN, within the zone, TTL and type in range.
 * @throws StoreError `STORE_INVALID`
 */
export function assertStorable(rr: ResourceRecord, apex: Name): void {
  if (!rr.name.isWithin(apex)) throw invalid(rr, `is not within zone ${apex.toString()}`);
  if (rr.class !== RrClass.IN) throw invalid(rr, `has class ${rr.class}, not IN`);
  // RFC 2181 §8: a TTL is a number of 31 bits.
  if (!Number.isInteger(rr.ttl) || rr.ttl < 0 || rr.ttl > 0x7fff_ffff)
    throw invalid(rr, `has the TTL ${rr.ttl}`);
  if (rr.type === RrType.SOA) throw invalid(rr, "is a second SOA");
}

export function invalid(rr: ResourceRecord, what: string): StoreError {
  return new StoreError("STORE_INVALID", `the record ${rr.name.toString()} of type ${rr.type} ${what}`);
}

/** The owner as written, where the sort key alone would give it back in another case. */
function writtenOwner({ wire }: Name, apex: Name): Uint8Array | null {
  const prefix = wire.length - apex.wire.length;
  for (let at = 0; at < prefix; at++) if (wire[at]! !== LOWER[wire[at]!]) return wire;
  for (let at = prefix; at < wire.length; at++) if (wire[at] !== apex.wire[at - prefix]) return wire;
  return null;
}
