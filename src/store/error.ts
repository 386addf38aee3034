/** The store's faults: an operator reads them at start, the control thread turns them into SERVFAIL during a commit. */
import Database from "better-sqlite3";

/** What went wrong. The codes are stable: logs, tests and the manual use them. */
export type StoreErrorCode =
  | "STORE_LOCKED" // another process has the data directory
  | "STORE_NEWER" // the schema is newer than this program knows
  | "STORE_FOREIGN" // an SQLite database, but not one of Rollcall
  | "STORE_CORRUPT" // not a database, damaged, or breaking an invariant
  | "STORE_ACCESS" // the directory or a file cannot be created, read or written
  | "STORE_FULL" // the disk, or the size limit set, is used up
  | "STORE_IO" // any other failure of SQLite or the disk under it
  | "STORE_BUSY" // too many snapshots open at once
  | "STORE_CLOSED" // used after close
  | "STORE_EXISTS" // a zone of that name is there already
  | "STORE_NO_ZONE" // no zone of that name
  | "STORE_CONFLICT" // a changeset does not fit the zone's present state
  | "STORE_INVALID"; // records that no zone may hold: a fault of the caller

/** A failure of the store; nothing of the transaction it happened in was kept. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  /** What to do about it, in a sentence. */
  readonly advice: string;

  constructor(code: StoreErrorCode, message: string, advice = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.advice = advice;
  }
}

export const RESTORE_ADVICE =
  "Stop the server, keep a copy of the data directory, and restore rollcall.db from a backup; or move rollcall.db, " +
  "rollcall.db-wal and rollcall.db-shm away, and the zone files of the configuration are read again.";

/** The {@link StoreError} that a failure of SQLite amounts to; one that is a StoreError already stays as it is. */
export function asStoreError(error: unknown, doing: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const said = `${doing}: ${error.message} (${error.code})`;
  if (error.code.startsWith("SQLITE_FULL")) {
    return new StoreError("STORE_FULL", said, "Free space on the disk of the data directory.", error);
  }
  if (error.code.startsWith("SQLITE_NOTADB") || error.code.startsWith("SQLITE_CORRUPT")) {
    return new StoreError("STORE_CORRUPT", said, RESTORE_ADVICE, error);
  }
  if (
    error.code.startsWith("SQLITE_CANTOPEN") ||
    error.code.startsWith("SQLITE_READONLY") ||
    error.code.startsWith("SQLITE_PERM") ||
    error.code.startsWith("SQLITE_AUTH")
  ) {
    return new StoreError(
      "STORE_ACCESS",
      said,
      "Let the server's user read and write the data directory.",
      error,
    );
  }
  return new StoreError(
    "STORE_IO",
    said,
    "Look at the disk of the data directory and the system's log.",
    error,
  );
}

/** Runs `work`, turning what SQLite throws into a {@link StoreError}. `doing` opens the message. */
export function guarded<T>(doing: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asStoreError(error, doing);
  }
}
