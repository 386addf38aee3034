/** Opening SQLite the way Rollcall uses it: one connection that writes, others that read (WAL). */
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { StoreError } from "./error.ts";

/**
 * Pages of write-ahead log after which a commit copies them into the database. Passive: a reader is never waited for.
 * 16 MiB is seldom enough to be rare and soon enough to be a matter of milliseconds.
 */
const CHECKPOINT_PAGES = 4000;
/** The log is cut back to this many octets when it starts over, so that one great import does not leave it great. */
const LOG_LIMIT = 64 * 1024 * 1024;
/** Kibibytes of pages that a reading connection keeps: it goes through a zone once, from one end to the other. */
const READER_CACHE = 1024;
/** Milliseconds to wait for a lock. Nothing of ours holds one for long; an operator's sqlite3 shell might. */
const BUSY_TIMEOUT = 5000;

/**
 * Makes the directory and an empty database file in it where they are missing, readable by the owner alone.
 * @throws StoreError `STORE_ACCESS`
 */
export function prepareFile(directory: string, file: string): void {
  try {
    makeDirectory(directory);
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError(
      "STORE_ACCESS",
      `the data directory ${directory} cannot be used: ${reason}`,
      "Let the server's user create, read and write it, or set `data` to a directory where it may.",
      error,
    );
  }
}

/** Makes a directory and those above it. Not `recursive`: that goes on for ever where none can be made, as below /proc. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) makeDirectory(parent);
  mkdirSync(directory, { mode: 0o700 });
}

/**
 * The connection that writes, as SQLite opens it: nothing is written yet.
 * @throws SqliteError
 */
export function openWriter(file: string): Database.Database {
  return new Database(file, { timeout: BUSY_TIMEOUT });
}

/**
 * Sets the writing connection up: from here on every commit is on the disk when it returns.
 * @param fresh whether the database is yet empty
 * @throws SqliteError
 */
export function prepareWriter(db: Database.Database, fresh: boolean): void {
  // Before anything is written: a database keeps the vacuum mode it was made with.
  if (fresh) db.pragma("auto_vacuum = INCREMENTAL");
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.pragma("foreign_keys = ON");
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.pragma(`journal_size_limit = ${LOG_LIMIT}`);
  db.pragma("cell_size_check = ON");
  db.pragma("trusted_schema = OFF");
  db.pragma("temp_store = MEMORY");
}

/** Gives back the memory of pages that a connection keeps; they are read again where they are needed. @throws SqliteError */
export function releasePages(db: Database.Database): void {
  db.pragma("shrink_memory");
}

/**
 * A connection that only reads.
 * @throws SqliteError
 */
export function openReader(file: string): Database.Database {
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT });
  db.pragma(`cache_size = ${-READER_CACHE}`);
  return db;
}
