/** Migration 2: the journal's rows become what journal-entries.ts describes, one of the old rows each. */
import type { Database } from "better-sqlite3";
import { Name } from "../wire/name.ts";
import type { Actor, ChangeCause, ChangeOrigin } from "../zone/changeset.ts";
import { EntryWriter } from "./journal-entries.ts";
import { decodeRecord, decodeRecords, plain } from "./rr-blob.ts";

interface OldRow {
  readonly id: number;
  readonly apex: Uint8Array;
  readonly zone: number;
  readonly serial_before: number | null;
  readonly serial_after: number;
  readonly at: number;
  readonly cause: ChangeCause;
  readonly actor_kind: Actor["kind"];
  readonly actor_name: string;
  readonly actor_from: string | null;
  readonly note: string | null;
  readonly added_count: number;
  readonly soa_before: Uint8Array | null;
  readonly soa_after: Uint8Array | null;
  readonly removed: Uint8Array | null;
  readonly added: Uint8Array | null;
}

const NEW_TABLE = `
  CREATE TABLE journal (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- of the last change in the row; those before it count down
    zone          INTEGER NOT NULL REFERENCES zone (id),
    count         INTEGER NOT NULL,        -- changes in it
    serial_before INTEGER,                 -- of the first; NULL where it created the zone
    serial_after  INTEGER NOT NULL,        -- of the last
    at            INTEGER NOT NULL,        -- the newest, in milliseconds since 1970 UTC
    size          INTEGER NOT NULL,        -- octets of the changes
    changes       BLOB    NOT NULL         -- see journal-entries.ts
  ) STRICT;
  CREATE INDEX journal_by_zone ON journal (zone, id);
  CREATE INDEX journal_by_serial ON journal (zone, serial_before);`;

/** @throws SqliteError; StoreError `STORE_CORRUPT` where an old row is damaged */
export function gatherJournal(db: Database): void {
  // A table's AUTOINCREMENT goes with it: ids of changes that were trimmed must not come again.
  const lastId = db
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")
    .pluck()
    .get();
  db.exec(`DROP INDEX journal_by_zone; DROP INDEX journal_by_serial;
    ALTER TABLE journal RENAME TO old_journal; ${NEW_TABLE}`);
  const rows = db.prepare<[number], OldRow>(
    `SELECT old_journal.*, zone.apex FROM old_journal JOIN zone ON zone.id = old_journal.zone
     WHERE old_journal.id > ? ORDER BY old_journal.id LIMIT 1`,
  );
  const insert = db.prepare(
    `INSERT INTO journal (id, zone, count, serial_before, serial_after, at, size, changes)
     VALUES (?, ?, 1, ?, ?, ?, ?, ?)`,
  );
  const writer = new EntryWriter();
  for (let row = rows.get(-1); row !== undefined; row = rows.get(row.id)) {
    writer.restart();
    writeEntry(writer, row);
    const { bytes } = writer;
    insert.run(row.id, row.zone, row.serial_before, row.serial_after, row.at, bytes.length, bytes);
  }
  db.exec(`DROP TABLE old_journal;
    UPDATE zone SET journal_bytes = (SELECT coalesce(sum(size), 0) FROM journal WHERE journal.zone = zone.id);
    DELETE FROM sqlite_sequence WHERE name = 'journal'`);
  if (lastId !== undefined)
    db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('journal', ?)").run(lastId);
}

function writeEntry(writer: EntryWriter, row: OldRow): void {
  const { soa_before: before, soa_after: after, removed, added } = row;
  const origin: ChangeOrigin = {
    actor: {
      kind: row.actor_kind,
      name: row.actor_name,
      ...(row.actor_from !== null && { from: row.actor_from }),
    },
    at: row.at,
    cause: row.cause,
    ...(row.note !== null && { note: row.note }),
  };
  if (before === null || after === null || removed === null || added === null) {
    writer.creation(origin, row.added_count);
    return;
  }
  writer.change({
    zone: Name.fromTrustedWire(plain(row.apex)),
    soaBefore: decodeRecord(before),
    soaAfter: decodeRecord(after),
    removed: decodeRecords(removed),
    added: decodeRecords(added),
    origin,
  });
}
