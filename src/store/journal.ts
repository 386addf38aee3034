/**
 * The journal: every changeset that was committed, in order. IXFR (RFC 1995) serves it, history shows it, rollback
 * inverts it. What one commit changed in one zone is one row, see journal-entries.ts.
 *
 * Every change has an id, for ever. A row's `id` is that of the last change in it, those before count down; so SQLite's
 * AUTOINCREMENT never gives one twice, even when the row is gone.
 */
import type { Database, Statement } from "better-sqlite3";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { Changeset, ChangeOrigin } from "../zone/changeset.ts";
import { changesetSize } from "../zone/algebra.ts";
import type { HistoryEntry, JournalLimits } from "../zone/ports.ts";
import type { ZoneRow } from "./catalogue.ts";
import { EntryWriter, readEntries } from "./journal-entries.ts";
import { damaged, plain } from "./rr-blob.ts";

/** Most entries one page of history holds, whatever is asked for. */
export const MAX_HISTORY_PAGE = 1000;
/** Octets of rows after which a page of history ends, so that one of great imports does not fill the memory. */
const HISTORY_OCTETS = 16 * 1024 * 1024;
/** Octets after which a row ends and another is begun: the journal is trimmed by rows. */
const ROW_OCTETS = 64 * 1024;
/** Most rows, and octets of them, that one trim deletes: some milliseconds of work. */
const TRIM_ROWS = 500;
const TRIM_OCTETS = 4 * 1024 * 1024;

interface Row {
  /** Of the last change in it. */
  readonly id: number;
  /** Changes in it. */
  readonly count: number;
  readonly serial_before: number | null;
  readonly serial_after: number;
  readonly changes: Uint8Array;
}

const COLUMNS = "id, count, serial_before, serial_after, changes";

export class Journal {
  readonly #insert: Statement;
  readonly #lastId: Statement<[], number>;
  readonly #atOrBefore: Statement<[number, number], Row>;
  readonly #wrapping: Statement<[number], Row>;
  readonly #behind: Statement<[number, number], Row>;
  readonly #holding: Statement<[number, number], Row>;
  readonly #history: Statement<[number, number, number], Row>;
  readonly #oldest: Statement<[number, number], [id: number, count: number, at: number, size: number]>;
  readonly #delete: Statement<[number, number]>;
  readonly #clear: Statement<[number]>;
  readonly #writer = new EntryWriter();

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO journal (id, zone, count, serial_before, serial_after, at, size, changes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#lastId = db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").pluck();
    // Serials come round again after 2^32 changes: the latest of that number is meant.
    const bySerial = "ORDER BY serial_before DESC, id DESC LIMIT 1";
    this.#atOrBefore = db.prepare(
      `SELECT ${COLUMNS} FROM journal WHERE zone = ? AND serial_before <= ? ${bySerial}`,
    );
    this.#wrapping = db.prepare(
      `SELECT ${COLUMNS} FROM journal WHERE zone = ? AND serial_before IS NOT NULL ${bySerial}`,
    );
    this.#behind = db.prepare(`SELECT ${COLUMNS} FROM journal WHERE zone = ? AND id > ? ORDER BY id`);
    this.#holding = db.prepare(
      `SELECT ${COLUMNS} FROM journal WHERE zone = ? AND id >= ? ORDER BY id LIMIT 1`,
    );
    this.#history = db.prepare(
      `SELECT ${COLUMNS} FROM journal WHERE zone = ? AND id < ? AND at >= ? ORDER BY id DESC`,
    );
    this.#oldest = db
      .prepare<[number, number], [number, number, number, number]>(
        "SELECT id, count, at, size FROM journal WHERE zone = ? ORDER BY id LIMIT ?",
      )
      .raw();
    this.#delete = db.prepare("DELETE FROM journal WHERE zone = ? AND id <= ?");
    this.#clear = db.prepare("DELETE FROM journal WHERE zone = ?");
  }

  /**
   * Writes that a zone was created. It only counts: the records themselves are in the zone.
   * @returns its octets in the journal
   */
  appendCreation(zone: number, serial: number, recordCount: number, origin: ChangeOrigin): number {
    this.#writer.restart();
    this.#writer.creation(origin, recordCount);
    return this.#append(zone, 1, null, serial, origin.at);
  }

  /**
   * Writes the changesets of one commit to one zone, each following from the one before: one row of them, or several
   * where they are large.
   * @returns their octets in the journal
   */
  append(zone: number, changesets: readonly Changeset[]): number {
    let octets = 0;
    let start = 0;
    let newest = -Infinity;
    this.#writer.restart();
    for (const [at, changeset] of changesets.entries()) {
      this.#writer.change(changeset);
      newest = Math.max(newest, changeset.origin.at);
      if (at + 1 < changesets.length && this.#writer.bytes.length < ROW_OCTETS) continue;
      const before = soaSerial(changesets[start]!.soaBefore.rdata);
      const after = soaSerial(changeset.soaAfter.rdata);
      octets += this.#append(zone, at + 1 - start, before, after, newest);
      this.#writer.restart();
      start = at + 1;
      newest = -Infinity;
    }
    return octets;
  }

  #append(zone: number, count: number, before: number | null, after: number, at: number): number {
    const { bytes } = this.#writer;
    const id = (this.#lastId.get() ?? 0) + count;
    this.#insert.run(id, zone, count, before, after, Math.trunc(at), bytes.length, bytes);
    return bytes.length;
  }

  /** See `ZoneStore.changesSince`. */
  changesSince(zone: ZoneRow, serial: number, maxBytes: number): Changeset[] | undefined {
    if (serial === zone.serial) return [];
    const start = this.#rowWith(zone.id, serial);
    if (start === undefined) return undefined;
    const found: Changeset[] = [];
    let octets = 0;
    let reached: number | undefined;
    const take = (row: Row): boolean => {
      for (const { changeset } of readEntries(plain(row.changes), zone.apex)) {
        if (changeset === undefined) return false;
        const before = soaSerial(changeset.soaBefore.rdata);
        if (reached === undefined && before !== serial) continue;
        // A gap cannot come from commits; were there one, the secondary is better off with the whole zone.
        if (reached !== undefined && before !== reached) return false;
        reached = soaSerial(changeset.soaAfter.rdata);
        octets += changesetSize(changeset);
        if (octets > maxBytes) return false;
        found.push(changeset);
      }
      return true;
    };
    if (!take(start)) return undefined;
    for (const row of this.#behind.iterate(zone.id, start.id)) if (!take(row)) return undefined;
    return reached === zone.serial ? found : undefined;
  }

  /** The newest row that leads over a serial: it begins there, or before it and ends behind it (RFC 1982). */
  #rowWith(zone: number, serial: number): Row | undefined {
    const leadsOver = (row: Row | undefined): row is Row =>
      row !== undefined &&
      row.serial_before !== null &&
      (serial - row.serial_before) >>> 0 < (row.serial_after - row.serial_before) >>> 0;
    const row = this.#atOrBefore.get(zone, serial);
    if (leadsOver(row)) return row;
    // One over the end of the numbers begins with a greater one.
    const wrapping = this.#wrapping.get(zone);
    return leadsOver(wrapping) ? wrapping : undefined;
  }

  /** See `ZoneStore.history`: up to {@link MAX_HISTORY_PAGE} entries, fewer where they are large. */
  history(zone: ZoneRow, options: { limit: number; before?: number; since?: number }): HistoryEntry[] {
    const limit = Math.min(Math.max(Math.trunc(options.limit), 0), MAX_HISTORY_PAGE);
    const before = options.before ?? Number.MAX_SAFE_INTEGER;
    const since = options.since ?? Number.MIN_SAFE_INTEGER;
    const entries: HistoryEntry[] = [];
    let octets = 0;
    for (const row of this.#rowsBefore(zone.id, before, since)) {
      octets += row.changes.length;
      if (entries.length === limit || (octets > HISTORY_OCTETS && entries.length > 0)) break;
      for (const entry of historyOf(zone, row).toReversed()) {
        if (entry.id >= before || entry.origin.at < since) continue;
        if (entries.length === limit) break;
        entries.push(entry);
      }
    }
    return entries;
  }

  /** The rows with changes before an id, the newest first. */
  *#rowsBefore(zone: number, before: number, since: number): Generator<Row, void, undefined> {
    // The row that holds the change itself may hold some before it.
    const holding = this.#holding.get(zone, before);
    if (holding !== undefined) yield holding;
    yield* this.#history.iterate(zone, before, since);
  }

  /**
   * Deletes the oldest rows that are over the limits, a bounded number of them; always a prefix, so that what stays is a
   * chain, and never the newest, so that the last change of a zone can always be explained.
   * @returns how many changes went and their octets, and whether more are over the limits
   */
  trim(
    zone: ZoneRow,
    limits: JournalLimits,
    now: number,
  ): { removed: number; octets: number; more: boolean } {
    const oldest = this.#oldest.all(zone.id, TRIM_ROWS + 2);
    let rows = 0;
    let removed = 0;
    let octets = 0;
    let more = false;
    for (const [, count, at, size] of oldest.slice(0, -1)) {
      const over = now - at > limits.maxAge || zone.journalBytes - octets > limits.maxBytes;
      if (!over) break;
      more = rows === TRIM_ROWS || (rows > 0 && octets + size > TRIM_OCTETS);
      if (more) break;
      rows++;
      removed += count;
      octets += size;
    }
    if (rows > 0) this.#delete.run(zone.id, oldest[rows - 1]![0]);
    return { removed, octets, more };
  }

  /** Removes a zone's whole journal. */
  clear(zone: number): void {
    this.#clear.run(zone);
  }
}

/** The changes of a row, oldest first. */
function historyOf(zone: ZoneRow, row: Row): HistoryEntry[] {
  const entries = readEntries(plain(row.changes), zone.apex);
  if (entries.length !== row.count) throw damaged();
  return entries.map(({ origin, changeset, removedCount, addedCount }, at) => ({
    id: row.id - row.count + 1 + at,
    origin,
    serialBefore: changeset === undefined ? undefined : soaSerial(changeset.soaBefore.rdata),
    serialAfter: changeset === undefined ? row.serial_after : soaSerial(changeset.soaAfter.rdata),
    changeset,
    removedCount,
    addedCount,
  }));
}
