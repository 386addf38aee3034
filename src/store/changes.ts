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
  /** Each zone of the batch, as it was and as it becomes, and what makes it so. */
  const touched = new Map<string, { before: ZoneRow; after: ZoneRow; changesets: Changeset[] }>();
  db.transaction(() => {
    for (const changeset of batch) {
      const { key } = changeset.zone;
      let zone = touched.get(key);
      if (zone === undefined) {
        const before = catalogue.get(changeset.zone);
        touched.set(key, (zone = { before, after: before, changesets: [] }));
      }
      zone.after = applyChangeset(records, zone.after, changeset);
      zone.changesets.push(changeset);
    }
    for (const zone of touched.values()) {
      const { before, after, changesets } = zone;
      zone.after = { ...after, journalBytes: after.journalBytes + journal.append(after.id, changesets) };
      catalogue.update(before, zone.after);
    }
  }).immediate();
  for (const { after } of touched.values()) catalogue.keep(after);
}

function applyChangeset(records: RecordTable, zone: ZoneRow, changeset: Changeset): ZoneRow {
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
  if (isReplacement(changeset)) {
    assertStorable(added[0]!, apex);
    if (!records.replace(id, apex, removed[0]!, added[0]!)) {
      throw conflict(
        apex,
        `it has no record ${removed[0]!.name.toString()} of type ${removed[0]!.type} to replace`,
      );
    }
    return after(zone, changeset, serialAfter);
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
  return after(zone, changeset, serialAfter);
}

function after(zone: ZoneRow, { soaAfter, removed, added }: Changeset, serial: number): ZoneRow {
  return { ...zone, serial, soa: soaAfter, recordCount: zone.recordCount + added.length - removed.length };
}

/** Whether it puts one address in the place of another, as most updates do. */
function isReplacement({ removed, added }: Changeset): boolean {
  const [old] = removed;
  const [rr] = added;
  if (old === undefined || rr === undefined || removed.length > 1 || added.length > 1) return false;
  return (
    old.type === rr.type && (rr.type === RrType.A || rr.type === RrType.AAAA) && old.name.equals(rr.name)
  );
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
