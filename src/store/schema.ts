/** The database's form: its tables, and the numbered steps that bring an older one up to date. */
import type { Database } from "better-sqlite3";
import { RESTORE_ADVICE, StoreError } from "./error.ts";
import { gatherJournal } from "./journal-migration.ts";

/** `PRAGMA application_id` of every Rollcall database: "RCLL". */
export const APPLICATION_ID = 0x52434c4c;

/**
 * The steps, oldest first; `PRAGMA user_version` counts those a database has had. A step that was released is never
 * changed: a new one follows it.
 */
const MIGRATIONS: readonly (string | ((db: Database) => void))[] = [
  // 1. Zones, records, journal, secondaries.
  `
  CREATE TABLE zone (
    id            INTEGER PRIMARY KEY,
    apex_key      BLOB    NOT NULL UNIQUE, -- wire form, lower case
    apex          BLOB    NOT NULL,        -- wire form, as written
    serial        INTEGER NOT NULL,        -- that of the SOA
    soa           BLOB    NOT NULL,        -- the whole record, wire form
    record_count  INTEGER NOT NULL,        -- the SOA among them
    journal_bytes INTEGER NOT NULL         -- sum of journal.size
  ) STRICT;

  -- Every record but the SOAs; class IN throughout.
  CREATE TABLE record (
    zone          INTEGER NOT NULL REFERENCES zone (id),
    owner         BLOB    NOT NULL,        -- sort key relative to the apex, see owner-key.ts
    type          INTEGER NOT NULL,
    rdata         BLOB    NOT NULL,        -- uncompressed wire form
    ttl           INTEGER NOT NULL,        -- seconds
    owner_written BLOB,                    -- wire form, where its case differs from what the key gives back
    PRIMARY KEY (zone, owner, type, rdata)
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE journal (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- an id names one change for ever, also after it was trimmed
    zone          INTEGER NOT NULL REFERENCES zone (id),
    serial_before INTEGER,                 -- NULL for the entry that created the zone
    serial_after  INTEGER NOT NULL,
    at            INTEGER NOT NULL,        -- milliseconds since 1970 UTC
    cause         TEXT    NOT NULL,
    actor_kind    TEXT    NOT NULL,
    actor_name    TEXT    NOT NULL,
    actor_from    TEXT,
    note          TEXT,
    size          INTEGER NOT NULL,        -- octets of the four blobs
    removed_count INTEGER NOT NULL,
    added_count   INTEGER NOT NULL,
    soa_before    BLOB,                    -- records in wire form, see rr-blob.ts
    soa_after     BLOB,
    removed       BLOB,
    added         BLOB
  ) STRICT;
  CREATE INDEX journal_by_zone ON journal (zone, id);
  CREATE INDEX journal_by_serial ON journal (zone, serial_before);

  CREATE TABLE secondary (
    zone          INTEGER NOT NULL REFERENCES zone (id),
    address       TEXT    NOT NULL,
    serial        INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (zone, address)
  ) WITHOUT ROWID, STRICT;
  `,
  // 2. A row of the journal for each commit and zone, not for each change.
  gatherJournal,
  // 3. Ageing: when records were last registered, and how long they live; who owns a name.
  `
  ALTER TABLE record ADD COLUMN refreshed INTEGER; -- seconds since 1970 UTC when an update last named it; NULL: static
  ALTER TABLE record ADD COLUMN lease INTEGER;     -- seconds that it lives after that; NULL: as long as the zone says
  -- Only of records with a lease: others are looked for once a day, and are to cost nothing until then.
  CREATE INDEX record_by_lease_end ON record (zone, refreshed + lease) WHERE lease IS NOT NULL;

  CREATE TABLE ageing (
    zone          INTEGER PRIMARY KEY REFERENCES zone (id),
    not_before    INTEGER NOT NULL,        -- seconds since 1970 UTC until when nothing is stale
    seen          INTEGER NOT NULL         -- when the zone was last known to take refreshes
  ) STRICT;

  CREATE TABLE name_owner (
    zone          INTEGER NOT NULL REFERENCES zone (id),
    name          BLOB    NOT NULL,        -- sort key, as record.owner
    actor_kind    TEXT    NOT NULL,
    actor_name    TEXT    NOT NULL,
    since         INTEGER NOT NULL,        -- milliseconds since 1970 UTC
    PRIMARY KEY (zone, name)
  ) WITHOUT ROWID, STRICT;
  `,
];

/** The schema version this program writes. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

/**
 * Makes sure that the database is Rollcall's and not newer than this program, without writing to it.
 * @returns the steps it has had: 0 for a database that is yet empty
 * @throws StoreError `STORE_FOREIGN`, `STORE_NEWER` or `STORE_CORRUPT`; SqliteError
 */
export function identify(db: Database): number {
  const applicationId = Number(db.pragma("application_id", { simple: true }));
  const version = Number(db.pragma("user_version", { simple: true }));
  const tables = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
  if (applicationId === 0 && version === 0 && tables === 0) return 0;
  if (applicationId !== APPLICATION_ID) {
    throw new StoreError(
      "STORE_FOREIGN",
      `${db.name} is an SQLite database of some other program`,
      "Point `data` at a directory of its own.",
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      "STORE_NEWER",
      `${db.name} has schema version ${version}, and this program knows versions up to ${SCHEMA_VERSION}`,
      "Start the newer Rollcall that wrote it, or restore a backup from before the upgrade.",
    );
  }
  if (version < 1) throw new StoreError("STORE_CORRUPT", `${db.name} has no schema version`, RESTORE_ADVICE);
  return version;
}

/**
 * Takes the steps that a database with `version` of them has not had, each in a transaction.
 * @param to the steps it is to have then
 * @throws SqliteError
 */
export function migrate(db: Database, version: number, to: number = SCHEMA_VERSION): void {
  for (let step = version; step < to; step++) {
    db.transaction(() => {
      const migration = MIGRATIONS[step]!;
      if (typeof migration === "string") db.exec(migration);
      else migration(db);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${step + 1}`);
    }).immediate();
  }
}
