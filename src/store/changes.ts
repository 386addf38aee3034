/** How zones change and go, each time in one transaction; how they come is in creation.ts. */
import type { Database } from "better-sqlite3";
import { RrClass } from "../wire/iana/class.ts";
import { RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import { type ResourceRecord, sameBytes } from "../wire/record.ts";
import type { Changeset } from "../zone/changeset.ts";
import { ownerKey } from "../zone/owner-key.ts";
import type { Registration } from "../zone/registration.ts";
import type { Catalogue, ZoneRow } from "./catalogue.ts";
import { StoreError } from "./error.ts";
import type { Journal } from "./journal.ts";
import type { Owners } from "./owners.ts";
import { assertStorable, invalid, type RecordTable } from "./records.ts";
import type { Registrations } from "./registrations.ts";

/** Octets of SOA RDATA at least: two root names and five numbers (RFC 1035 §3.3.13). */
const MIN_SOA_LENGTH = 22;
/** How a static record is registered: not at all. */
const STATIC = { refreshed: undefined, lease: undefined } as const;

/** What the changes are made with: one writing connection and the tables on it. */
export interface Tables {
  readonly db: Database;
  readonly catalogue: Catalogue;
  readonly records: RecordTable;
  readonly journal: Journal;
  readonly registrations: Registrations;
  readonly owners: Owners;
}

/**
 * Commits a batch: all of it, or nothing. On return it is on the disk.
 * @throws StoreError `STORE_CONFLICT` where a changeset does not fit the state that those before it leave,
 *   `STORE_NO_ZONE`, `STORE_INVALID`; SqliteError
 */
export function commitBatch(tables: Tables, batch: readonly Changeset[]): void {
  if (batch.length === 0) return;
  const { db, catalogue, journal } = tables;
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
      zone.after = applyChangeset(tables, zone.after, changeset);
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

function applyChangeset(tables: Tables, zone: ZoneRow, changeset: Changeset): ZoneRow {
  const { records, owners } = tables;
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
  const returning = returningRecords(tables, zone, changeset);
  if (isReplacement(changeset)) {
    assertStorable(added[0]!, apex);
    const registration = returning?.get(added[0]!) ?? registrationOf(changeset, 0);
    if (!records.replace(id, apex, removed[0]!, added[0]!, registration)) {
      throw conflict(
        apex,
        `it has no record ${removed[0]!.name.toString()} of type ${removed[0]!.type} to replace`,
      );
    }
    claim(tables, zone, changeset);
    return after(zone, changeset, serialAfter);
  }
  for (const rr of removed) {
    assertStorable(rr, apex);
    if (!records.remove(id, apex, rr))
      throw conflict(apex, `it has no record ${rr.name.toString()} of type ${rr.type} to remove`);
  }
  for (let index = 0; index < added.length; index++) {
    const rr = added[index]!;
    assertStorable(rr, apex);
    const registration = returning?.get(rr) ?? registrationOf(changeset, index);
    if (!records.add(id, apex, rr, registration))
      throw conflict(apex, `it has the record ${rr.name.toString()} of type ${rr.type} already`);
  }
  owners.release(id, apex, removed);
  claim(tables, zone, changeset);
  return after(zone, changeset, serialAfter);
}

function after(zone: ZoneRow, { soaAfter, removed, added }: Changeset, serial: number): ZoneRow {
  return { ...zone, serial, soa: soaAfter, recordCount: zone.recordCount + added.length - removed.length };
}

/** Writes who owns names by the change. */
function claim({ owners }: Tables, { id, apex }: ZoneRow, { claimed, origin }: Changeset): void {
  if (claimed !== undefined) owners.claim(id, apex, claimed, origin);
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

/** How an added record that was not there before is registered; see `Changeset.lifetimes`. */
function registrationOf({ lifetimes, origin }: Changeset, index: number): Registration | undefined {
  const lifetime = lifetimes?.[index];
  if (lifetime === undefined) return undefined;
  return { refreshed: Math.floor(origin.at / 1000), lease: lifetime === 0 ? undefined : lifetime };
}

/**
 * Records that come back with another TTL or letter case of the owner, and how they are registered then: as before, or
 * anew where the changeset says so, but static where they were. Must be asked before they are removed.
 * @returns undefined where there are none
 */
function returningRecords(
  { registrations }: Tables,
  { id, apex }: ZoneRow,
  changeset: Changeset,
): Map<ResourceRecord, Registration | typeof STATIC> | undefined {
  const { lifetimes, removed, added } = changeset;
  if (lifetimes === undefined || removed.length === 0) return undefined;
  // Mostly one for one: that needs no index.
  const keys = removed.length * added.length > 16 ? new Set(removed.map(keyOf)) : undefined;
  let returning: Map<ResourceRecord, Registration | typeof STATIC> | undefined;
  for (let index = 0; index < added.length; index++) {
    const rr = added[index]!;
    if (keys === undefined ? !hasRecord(removed, rr) : !keys.has(keyOf(rr))) continue;
    const before = registrations.ofRow(id, ownerKey(rr.name, apex), rr.type, rr.rdata);
    returning ??= new Map();
    returning.set(rr, before === undefined ? STATIC : (registrationOf(changeset, index) ?? before));
  }
  return returning;
}

function hasRecord(records: readonly ResourceRecord[], rr: ResourceRecord): boolean {
  for (const { name, type, rdata } of records) {
    if (type === rr.type && sameBytes(rdata, rr.rdata) && name.equals(rr.name)) return true;
  }
  return false;
}

/**
 * Removes a zone, its records and its journal.
 * @throws StoreError `STORE_NO_ZONE`; SqliteError
 */
export function dropZone(
  { db, catalogue, records, journal, registrations, owners }: Tables,
  apex: Name,
  alsoClear: (id: number) => void,
): ZoneRow {
  const zone = catalogue.get(apex);
  db.transaction(() => {
    records.clear(zone.id);
    journal.clear(zone.id);
    registrations.clear(zone.id);
    owners.clear(zone.id);
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

/** The same for two records that are one row. */
function keyOf({ name, type, rdata }: ResourceRecord): string {
  const octets = Buffer.from(rdata.buffer, rdata.byteOffset, rdata.byteLength).toString("latin1");
  return `${type} ${octets} ${name.key}`;
}
