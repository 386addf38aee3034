/** The journal: every changeset that was committed, in order. IXFR (RFC 1995) serves it, history shows it, rollback inverts it. */
import type { Database, Statement } from "better-sqlite3";
import type { Actor, ChangeCause, Changeset, ChangeOrigin } from "../zone/changeset.ts";
import type { HistoryEntry, JournalLimits } from "../zone/ports.ts";
import type { ZoneRow } from "./catalogue.ts";
import { decodeRecord, decodeRecords, encodeRecords } from "./rr-blob.ts";

/** Most entries one page of history holds, whatever is asked for. */
export const MAX_HISTORY_PAGE = 1000;
/** Octets of changesets after which a page of history ends, so that a row of great imports does not fill the memory. */
const HISTORY_OCTETS = 16 * 1024 * 1024;
/** Most entries, and octets of them, that one trim deletes: some milliseconds of work. */
const TRIM_ENTRIES = 500;
const TRIM_OCTETS = 4 * 1024 * 1024;

interface EntryRow {
  id: number;
  serial_before: number | null;
  serial_after: number;
  at: number;
  cause: ChangeCause;
  actor_kind: Actor["kind"];
  actor_name: string;
  actor_from: string | null;
  note: string | null;
  size: number;
  removed_count: number;
  added_count: number;
  soa_before: Uint8Array | null;
  soa_after: Uint8Array | null;
  removed: Uint8Array | null;
  added: Uint8Array | null;
}

/** An entry to be written. */
interface NewEntry {
  readonly serialBefore: number | null;
  readonly serialAfter: number;
  readonly origin: ChangeOrigin;
  readonly size: number;
  readonly removedCount: number;
  readonly addedCount: number;
  /** SOA before, SOA after, removed, added. */
  readonly blobs:
    | readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    | readonly [null, null, null, null];
}

export class Journal {
  readonly #insert: Statement;
  readonly #startOf: Statement<[number, number], number>;
  readonly #from: Statement<[number, number], EntryRow>;
  readonly #history: Statement<[number, number, number, number], EntryRow>;
  readonly #oldest: Statement<[number, number], [id: number, at: number, size: number]>;
  readonly #delete: Statement<[number, number]>;
  readonly #clear: Statement<[number]>;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO journal (zone, serial_before, serial_after, at, cause, actor_kind, actor_name, actor_from, note,
                            size, removed_count, added_count, soa_before, soa_after, removed, added)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    // Serials come round again after 2^32 changes: the latest of that number is meant.
    this.#startOf = db
      .prepare<[number, number], number>("SELECT max(id) FROM journal WHERE zone = ? AND serial_before = ?")
      .pluck();
    this.#from = db.prepare("SELECT * FROM journal WHERE zone = ? AND id >= ? ORDER BY id");
    this.#history = db.prepare(
      "SELECT * FROM journal WHERE zone = ? AND id < ? AND at >= ? ORDER BY id DESC LIMIT ?",
    );
    this.#oldest = db
      .prepare<[number, number], [number, number, number]>(
        "SELECT id, at, size FROM journal WHERE zone = ? ORDER BY id LIMIT ?",
      )
      .raw();
    this.#delete = db.prepare("DELETE FROM journal WHERE zone = ? AND id <= ?");
    this.#clear = db.prepare("DELETE FROM journal WHERE zone = ?");
  }

  /** Writes the entry that says a zone was created. It only counts: the records themselves are in the zone. */
  appendCreation(zone: number, serial: number, recordCount: number, origin: ChangeOrigin): void {
    this.#append(zone, {
      serialBefore: null,
      serialAfter: serial,
      origin,
      size: 0,
      removedCount: 0,
      addedCount: recordCount,
      blobs: [null, null, null, null],
    });
  }

  /** Writes a changeset. @returns its octets in the journal */
  append(zone: number, changeset: Changeset, serialBefore: number, serialAfter: number): number {
    const { soaBefore, soaAfter, removed, added, origin } = changeset;
    const blobs = [
      encodeRecords([soaBefore]),
      encodeRecords([soaAfter]),
      encodeRecords(removed),
      encodeRecords(added),
    ] as const;
    const size = blobs[0].length + blobs[1].length + blobs[2].length + blobs[3].length;
    const counts = { removedCount: removed.length, addedCount: added.length };
    this.#append(zone, { serialBefore, serialAfter, origin, size, ...counts, blobs });
    return size;
  }

  #append(zone: number, entry: NewEntry): void {
    const { origin, blobs } = entry;
    this.#insert.run(
      zone,
      entry.serialBefore,
      entry.serialAfter,
      Math.trunc(origin.at),
      origin.cause,
      origin.actor.kind,
      origin.actor.name,
      origin.actor.from ?? null,
      origin.note ?? null,
      entry.size,
      entry.removedCount,
      entry.addedCount,
      blobs[0],
      blobs[1],
      blobs[2],
      blobs[3],
    );
  }

  /** See `ZoneStore.changesSince`. */
  changesSince(zone: ZoneRow, serial: number, maxBytes: number): Changeset[] | undefined {
    if (serial === zone.serial) return [];
    const start = this.#startOf.get(zone.id, serial);
    if (start === null || start === undefined) return undefined;
    const rows: EntryRow[] = [];
    let octets = 0;
    let reached = serial;
    for (const row of this.#from.iterate(zone.id, start)) {
      octets += row.size;
      // A gap cannot come from commits; were there one, the secondary is better off with the whole zone.
      if (octets > maxBytes || row.serial_before !== reached) return undefined;
      reached = row.serial_after;
      rows.push(row);
    }
    if (reached !== zone.serial) return undefined;
    return rows.map((row) => changesetOf(zone, row)).filter((changeset) => changeset !== undefined);
  }

  /** See `ZoneStore.history`: up to {@link MAX_HISTORY_PAGE} entries, fewer where they are large. */
  history(zone: ZoneRow, options: { limit: number; before?: number; since?: number }): HistoryEntry[] {
    const limit = Math.min(Math.max(Math.trunc(options.limit), 0), MAX_HISTORY_PAGE);
    const before = options.before ?? Number.MAX_SAFE_INTEGER;
    const since = options.since ?? Number.MIN_SAFE_INTEGER;
    const entries: HistoryEntry[] = [];
    let octets = 0;
    for (const row of this.#history.iterate(zone.id, before, since, limit)) {
      octets += row.size;
      if (octets > HISTORY_OCTETS && entries.length > 0) break;
      entries.push({
        id: row.id,
        origin: originOf(row),
        serialBefore: row.serial_before ?? undefined,
        serialAfter: row.serial_after,
        changeset: changesetOf(zone, row),
        removedCount: row.removed_count,
        addedCount: row.added_count,
      });
    }
    return entries;
  }

  /**
   * Deletes the oldest entries that are over the limits, a bounded number of them; always a prefix, so that what stays
   * is a chain, and never the newest, so that the last change of a zone can always be explained.
   * @returns how many went and their octets, and whether more are over the limits
   */
  trim(
    zone: ZoneRow,
    limits: JournalLimits,
    now: number,
  ): { removed: number; octets: number; more: boolean } {
    const oldest = this.#oldest.all(zone.id, TRIM_ENTRIES + 2);
    let removed = 0;
    let octets = 0;
    let more = false;
    for (const [, at, size] of oldest.slice(0, -1)) {
      const over = now - at > limits.maxAge || zone.journalBytes - octets > limits.maxBytes;
      if (!over) break;
      more = removed === TRIM_ENTRIES || (removed > 0 && octets + size > TRIM_OCTETS);
      if (more) break;
      removed++;
      octets += size;
    }
    if (removed > 0) this.#delete.run(zone.id, oldest[removed - 1]![0]);
    return { removed, octets, more };
  }

  /** Removes a zone's whole journal. */
  clear(zone: number): void {
    this.#clear.run(zone);
  }
}

function changesetOf(zone: ZoneRow, row: EntryRow): Changeset | undefined {
  const { soa_before: soaBefore, soa_after: soaAfter, removed, added } = row;
  if (soaBefore === null || soaAfter === null || removed === null || added === null) return undefined;
  return {
    zone: zone.apex,
    soaBefore: decodeRecord(soaBefore),
    soaAfter: decodeRecord(soaAfter),
    removed: decodeRecords(removed),
    added: decodeRecords(added),
    origin: originOf(row),
  };
}

function originOf(row: EntryRow): ChangeOrigin {
  return {
    actor: {
      kind: row.actor_kind,
      name: row.actor_name,
      ...(row.actor_from !== null && { from: row.actor_from }),
    },
    at: row.at,
    cause: row.cause,
    ...(row.note !== null && { note: row.note }),
  };
}
