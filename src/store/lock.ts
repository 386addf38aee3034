/**
 * One process at a time on a data directory. The lock is SQLite's own write lock on a tiny database beside the data:
 * the operating system drops it when the process ends, however it ends, and no stale file can lock anyone out.
 * The row in it tells the others who holds it; a held write lock still lets them read.
 */
import Database from "better-sqlite3";
import { StoreError } from "./error.ts";

/** Milliseconds to wait for a holder that is just ending. */
const PATIENCE = 250;

/** Keeps locks from being collected, and so lost, should whoever holds one lose sight of it. */
const held = new Set<DirectoryLock>();

/** The lock on one data directory, held until it is released or the process ends. */
export class DirectoryLock {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /**
   * Takes the lock.
   * @param file path of the lock database, made where it is missing
   * @throws StoreError `STORE_LOCKED` naming the holder's process id, `STORE_CORRUPT`; SqliteError
   */
  static take(file: string): DirectoryLock {
    const db = new Database(file, { timeout: PATIENCE });
    try {
      db.exec("BEGIN IMMEDIATE");
      db.exec(
        "CREATE TABLE IF NOT EXISTS holder (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL)",
      );
      db.prepare("INSERT OR REPLACE INTO holder VALUES (1, ?)").run(process.pid);
      db.exec("COMMIT");
      // In the moment between, another may have come first: then this fails, and the row names the other.
      db.exec("BEGIN IMMEDIATE");
    } catch (error) {
      const busy = hasCode(error, "SQLITE_BUSY");
      const holder = busy ? readHolder(db) : undefined;
      db.close();
      if (hasCode(error, "SQLITE_NOTADB") || hasCode(error, "SQLITE_CORRUPT")) {
        throw new StoreError(
          "STORE_CORRUPT",
          `the lock file ${file} is damaged`,
          "Delete it: it holds nothing else.",
          error,
        );
      }
      if (!busy) throw error;
      throw new StoreError(
        "STORE_LOCKED",
        `the data directory is in use by ${holder === undefined ? "another process" : `process ${holder}`} (${file})`,
        "Stop that process first (`rollcall stop`), or give this one a `data` directory of its own.",
        error,
      );
    }
    const lock = new DirectoryLock(db);
    held.add(lock);
    return lock;
  }

  release(): void {
    held.delete(this);
    this.#db.close();
  }
}

function readHolder(db: Database.Database): number | undefined {
  try {
    return db.prepare<[], number>("SELECT pid FROM holder").pluck().get();
  } catch {
    return undefined; // between making the file and its table, or just committing: nobody to name yet
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith(code);
}
