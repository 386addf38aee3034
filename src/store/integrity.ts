/** What is checked before a database is trusted: SQLite's own structure, then what must hold between Rollcall's tables. */
import type { Database } from "better-sqlite3";
import { RrType } from "../wire/iana/type.ts";
import { readSoa } from "../wire/rdata/soa.ts";
import type { Catalogue, ZoneRow } from "./catalogue.ts";
import { RESTORE_ADVICE, StoreError } from "./error.ts";

/** Faults named in the message: the rest would say no more. */
const MAX_FAULTS = 3;

/**
 * Checks every page of the database for structural damage: a tenth of a second for a million records.
 * @throws StoreError `STORE_CORRUPT`
 */
export function checkStructure(db: Database): void {
  const said = db.prepare<[], string>(`PRAGMA quick_check(${MAX_FAULTS})`).pluck().all();
  if (said.length !== 1 || said[0] !== "ok") throw corrupt(db, said);
}

/**
 * Checks what must hold for each zone: its SOA is one, at its apex and of its serial; its records and its journal's
 * octets are as many as it says; its journal is a chain that ends at its serial.
 * @throws StoreError `STORE_CORRUPT`
 */
export function checkInvariants(db: Database, catalogue: Catalogue): void {
  const recordCounts = db
    .prepare<[number, number], [records: number, soas: number | null]>(
      "SELECT count(*), sum(type = ?) FROM record WHERE zone = ?",
    )
    .raw();
  const journalBytes = db
    .prepare<[number], number>("SELECT coalesce(sum(size), 0) FROM journal WHERE zone = ?")
    .pluck();
  const journalEnd = db
    .prepare<[number], number>("SELECT serial_after FROM journal WHERE zone = ? ORDER BY id DESC LIMIT 1")
    .pluck();
  // The first entry that is left may begin anywhere.
  const gaps = db
    .prepare<[number], number>(
      `SELECT count(*) FROM (SELECT serial_before, lag(serial_after) OVER (ORDER BY id) AS reached FROM journal WHERE zone = ?)
       WHERE reached IS NOT NULL AND serial_before IS NOT reached`,
    )
    .pluck();
  const faults: string[] = [];
  for (const zone of catalogue.all()) {
    if (!soaFits(zone))
      faults.push(`zone ${zone.apex.toString()}: its SOA is not that of serial ${zone.serial}`);
    const [records, soas] = recordCounts.get(RrType.SOA, zone.id) ?? [0, 0];
    if ((soas ?? 0) > 0) faults.push(`zone ${zone.apex.toString()} has a second SOA`);
    if (records + 1 !== zone.recordCount) {
      faults.push(
        `zone ${zone.apex.toString()} has ${records + 1} records where ${zone.recordCount} were counted`,
      );
    }
    const octets = journalBytes.get(zone.id) ?? 0;
    if (octets !== zone.journalBytes) {
      faults.push(
        `zone ${zone.apex.toString()}: its journal has ${octets} octets where ${zone.journalBytes} were counted`,
      );
    }
    const last = journalEnd.get(zone.id);
    if (last !== zone.serial) {
      faults.push(
        `zone ${zone.apex.toString()}: its journal ends at serial ${last ?? "nothing"}, the zone is at ${zone.serial}`,
      );
    }
    if (gaps.get(zone.id) !== 0) faults.push(`zone ${zone.apex.toString()}: its journal has gaps`);
  }
  if (faults.length > 0) throw corrupt(db, faults);
}

function soaFits(zone: ZoneRow): boolean {
  const { soa } = zone;
  if (soa.type !== RrType.SOA || !soa.name.equals(zone.apex)) return false;
  try {
    return readSoa(soa.rdata).serial === zone.serial;
  } catch {
    return false;
  }
}

function corrupt(db: Database, faults: readonly string[]): StoreError {
  const named = faults.slice(0, MAX_FAULTS).join("; ");
  const rest = faults.length > MAX_FAULTS ? `; and ${faults.length - MAX_FAULTS} more` : "";
  return new StoreError("STORE_CORRUPT", `${db.name} is damaged: ${named}${rest}`, RESTORE_ADVICE);
}
