/** How zones change and go, each time in one transaction; how they come is in creation.ts. */
import type { Database } from "better-sqlite3";
import { RrClass } from "../wire/iana/class.ts";
import { RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { Changeset } from "../zone/changeset.ts";
import type { Catalogue, ZoneRow } from "./catalogue.ts";
import { StoreError } from "./error.ts";
import type { Journal } from "./journal.ts";
import { assertStorable, invalid, type RecordTable } from "./records.ts";

/** Octets of SOA RDATA at least: two root names and five numbers (RFC 1035 §3.3.13). */
const MIN_SOA_LENGTH = 22;
/** What the changes are made with: one writing connection and the tables on it. */
export interface Tables {
  readonly db: Database;
  readonly catalogue: Catalogue;
  readonly records: RecordTable;
  readonly journal: Journal;
}

/**
 * Commits a batch: all of it, or nothing. On return it is on the disk.
 * @throws StoreError `STORE_CONFLICT` where a changeset does not fit the state that those before it leave,
 *   `STORE_NO_ZONE`, `STORE_INVALID`; SqliteError
 */
export function commitBatch({ db, catalogue, records, journal }: Tables, batch: readonly Changeset[]): void {
  if (batch.length === 0) return;
  /** Each zone of the batch, as it was and as it becomes. */
  const touched = new Map<string, { before: ZoneRow; after: ZoneRow }>();
  db.transaction(() => {
    for (const changeset of batch) {
      const { key } = changeset.zone;
      let zone = touched.get(key);
      if (zone === undefined) {
        const before = catalogue.get(changeset.zone);
        touched.set(key, (zone = { before, after: before }));
      }
      zone.after = applyChangeset({ db, catalogue, records, journal }, zone.after, changeset);
    }
    for (const { before, after } of touched.values()) catalogue.update(before, after);
  }).immediate();
  for (const { after } of touched.values()) catalogue.keep(after);
}

function applyChangeset({ records, journal }: Tables, zone: ZoneRow, changeset: Changeset): ZoneRow {
  const { soaBefore, soaAfter, removed, added } = changeset;
  const { id, apex } = zone;
  const serialBefore = serialOf(soaBefore, apex);
  const serialAfter = serialOf(soaAfter, apex);
  if (serialBefore !== zone.serial) {
    throw conflict(apex, `a changeset starts from serial ${serialBefore}, and the zone is at ${zone.serial}`);
  }
  if (serialAfter === serialBefore) {
    throw new StoreError(
      "STORE_INVALID",
      `zone ${apex.toString()}: a changeset leaves the serial at ${serialBefore}`,
    );
  }
  for (const rr of removed) {
    assertStorable(rr, apex);
    if (!records.remove(id, apex, rr))
      throw conflict(apex, `it has no record ${rr.name.toString()} of type ${rr.type} to remove`);
  }
  for (const rr of added) {
    assertStorable(rr, apex);
    if (!records.add(id, apex, rr))
      throw conflict(apex, `it has the record ${rr.name.toString()} of type ${rr.type} already`);
  }
  const size = journal.append(id, changeset, serialBefore, serialAfter);
  return {
    id,
    apex,
    serial: serialAfter,
    soa: soaAfter,
    recordCount: zone.recordCount + added.length - removed.length,
    journalBytes: zone.journalBytes + size,
  };
}

/**
 * Removes a zone, its records and its journal.
 * @throws StoreError `STORE_NO_ZONE`; SqliteError
 */
export function dropZone(
  { db, catalogue, records, journal }: Tables,
  apex: Name,
  alsoClear: (id: number) => void,
): ZoneRow {
  const zone = catalogue.get(apex);
  db.transaction(() => {
    records.clear(zone.id);
    journal.clear(zone.id);
    alsoClear(zone.id);
    catalogue.delete(zone);
  }).immediate();
  catalogue.forget(zone);
  return zone;
}

/** The serial of a changeset's or a zone's SOA. @throws StoreError `STORE_INVALID` where it is no SOA of that zone */
export function serialOf(soa: ResourceRecord, apex: Name): number {
  if (soa.type !== RrType.SOA || soa.class !== RrClass.IN || soa.rdata.length < MIN_SOA_LENGTH) {
    throw invalid(soa, "is not an SOA");
  }
  if (!soa.name.equals(apex)) throw invalid(soa, `is the SOA of another zone than ${apex.toString()}`);
  return soaSerial(soa.rdata);
}

function conflict(apex: Name, what: string): StoreError {
  return new StoreError(
    "STORE_CONFLICT",
    `zone ${apex.toString()}: ${what}`,
    "Judge the change again on the zone's present state.",
  );
}
