/**
 * A zone comes into the store: in steps of some milliseconds, so that a million records keep nobody waiting, and yet
 * all of it or nothing.
 *
 * A zone that does not fit one step is being created over several transactions. Until the last of them its row has no
 * SOA, and nobody sees it; one that was left behind by a crash is removed when the database is opened.
 */
import type { Database } from "better-sqlite3";
import { RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { ChangeOrigin } from "../zone/changeset.ts";
import { type Catalogue, keyBlob, type ZoneRow } from "./catalogue.ts";
import { serialOf, type Tables } from "./changes.ts";
import { StoreError } from "./error.ts";
import { type KeyedRecord, OwnerOrder } from "../zone/owner-order.ts";
import { assertStorable, BulkInsert, CASE_COUNTS, invalid } from "./records.ts";

/**
 * Records that one step sorts, or writes in one transaction. They are sorted first because rows that come in order fill
 * one page after the other, where those of a million names in any order would touch most pages with every transaction.
 */
const STEP_RECORDS = 2048;

/** Removes what is left of zones that were never created to the end. @throws SqliteError */
export function removeUnfinished(db: Database): void {
  const unfinished = db.prepare<[], number>("SELECT id FROM zone WHERE length(soa) = 0").pluck();
  for (const id of unfinished.all()) remove(db, id);
}

function remove(db: Database, id: number): void {
  db.transaction(() => {
    db.prepare("DELETE FROM record WHERE zone = ?").run(id);
    db.prepare("DELETE FROM zone WHERE id = ?").run(id);
  })();
}

/**
 * Creates a zone with its first records. Drawn to its end it is there; given up before, there is nothing of it. A record
 * that comes twice (letter case aside) counts once, the first of them (RFC 2181 §5).
 * @returns yields how many records are written
 * @throws StoreError `STORE_EXISTS`; `STORE_INVALID` unless exactly one SOA is among the records, at the apex, and all
 *   are within the zone; what the source throws; SqliteError
 */
export function* createZoneInSteps(
  tables: Tables,
  apex: Name,
  source: Iterable<ResourceRecord>,
  origin: ChangeOrigin,
): Generator<number, ZoneRow, undefined> {
  const { arriving } = tables.catalogue;
  if (tables.catalogue.find(apex) !== undefined || arriving.has(apex.key))
    throw new StoreError("STORE_EXISTS", `zone ${apex.toString()} is in the store already`);
  arriving.add(apex.key);
  try {
    return yield* new Creation(tables, apex, origin).steps(source);
  } finally {
    arriving.delete(apex.key);
  }
}

type EmptyRow = ReturnType<Catalogue["insert"]>;

class Creation {
  readonly #tables: Tables;
  readonly #apex: Name;
  readonly #origin: ChangeOrigin;
  readonly #order: OwnerOrder;
  #soa: ResourceRecord | undefined;
  /** The zone's row while it is being created. */
  #row: EmptyRow | undefined;
  #written = 0;

  constructor(tables: Tables, apex: Name, origin: ChangeOrigin) {
    this.#tables = tables;
    this.#apex = apex;
    this.#origin = origin;
    this.#order = new OwnerOrder(apex);
  }

  *steps(source: Iterable<ResourceRecord>): Generator<number, ZoneRow, undefined> {
    yield* this.#sort(source);
    const soa = this.#soa;
    if (soa === undefined) {
      const message = `the records of zone ${this.#apex.toString()} have no SOA among them`;
      throw new StoreError("STORE_INVALID", message);
    }
    const serial = serialOf(soa, this.#apex);
    const records = withoutDoubles(this.#order.merged());
    let zone: ZoneRow | undefined;
    try {
      for (;;) {
        zone = this.#write(take(records, STEP_RECORDS), soa, serial);
        if (zone !== undefined) return zone;
        yield this.#written;
      }
    } finally {
      if (zone === undefined) this.#giveUp();
    }
  }

  /** Checks the records and brings them in order. */
  *#sort(source: Iterable<ResourceRecord>): Generator<number, void, undefined> {
    let piece: ResourceRecord[] = [];
    for (const rr of source) {
      if (rr.type === RrType.SOA) {
        if (this.#soa !== undefined) throw invalid(rr, "is a second SOA");
        this.#soa = rr;
        continue;
      }
      assertStorable(rr, this.#apex);
      if (piece.push(rr) < STEP_RECORDS) continue;
      this.#order.add(piece);
      piece = [];
      yield 0;
    }
    this.#order.add(piece);
  }

  /** One transaction. @returns the zone, where these records are its last */
  #write(records: readonly KeyedRecord[], soa: ResourceRecord, serial: number): ZoneRow | undefined {
    const { db, catalogue, journal } = this.#tables;
    const isLast = records.length < STEP_RECORDS;
    const { empty, written, zone } = db
      .transaction(() => {
        const empty = this.#row ?? this.#insert();
        const bulk = new BulkInsert(db, empty.id, this.#apex);
        for (const { rr } of records) bulk.add(rr);
        const written = this.#written + bulk.finish();
        if (!isLast) return { empty, written, zone: undefined };
        const recordCount = 1 + written;
        const journalBytes = journal.appendCreation(empty.id, serial, recordCount, this.#origin);
        const zone = { ...empty, soa, serial, recordCount, journalBytes };
        catalogue.update(empty, zone);
        return { empty, written, zone };
      })
      .immediate();
    this.#row = empty;
    this.#written = written;
    if (zone !== undefined) catalogue.keep(zone);
    return zone;
  }

  #insert(): EmptyRow {
    const { db, catalogue } = this.#tables;
    // Of one that could not even be given up: the disk was full, say.
    const left = db.prepare<[Uint8Array], number>(
      "SELECT id FROM zone WHERE apex_key = ? AND length(soa) = 0",
    );
    const id = left.pluck().get(keyBlob(this.#apex));
    if (id !== undefined) remove(db, id);
    return catalogue.insert(this.#apex);
  }

  #giveUp(): void {
    const { db } = this.#tables;
    if (this.#row === undefined || !db.open) return;
    try {
      remove(db, this.#row.id);
    } catch {
      // Nobody sees it, and what went wrong before is what is to be told.
    }
  }
}

/** Leaves out what equals a record before it in all but letter case; the very same octets the table itself keeps out. */
function* withoutDoubles(records: Iterable<KeyedRecord>): Generator<KeyedRecord, void, undefined> {
  let before: KeyedRecord | undefined;
  let seen: Set<string> | undefined;
  for (const record of records) {
    const { type } = record.rr;
    if (before === undefined || before.key !== record.key || before.rr.type !== type) {
      seen = undefined;
    } else if (!CASE_COUNTS.has(type)) {
      seen ??= new Set([rdataKey(type, before.rr.rdata)]);
      const key = rdataKey(type, record.rr.rdata);
      if (seen.has(key)) continue;
      seen.add(key);
    }
    before = record;
    yield record;
  }
}

function take<T>(source: Iterator<T>, most: number): T[] {
  const taken: T[] = [];
  while (taken.length < most) {
    const next = source.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}
