/** Opening a data directory: the lock, the database, its schema, and what must hold before it is trusted. */
import { join } from "node:path";
import type { Database } from "better-sqlite3";
import { Catalogue } from "./catalogue.ts";
import { openWriter, prepareFile, prepareWriter, releasePages } from "./connection.ts";
import { removeUnfinished } from "./creation.ts";
import { guarded } from "./error.ts";
import { checkInvariants, checkStructure } from "./integrity.ts";
import { DirectoryLock } from "./lock.ts";
import { identify, migrate } from "./schema.ts";
import { SqliteStore } from "./store.ts";

export const DATABASE_FILE = "rollcall.db";
export const LOCK_FILE = "rollcall.lock";

export interface StoreOptions {
  /** Octets that rollcall.db may not outgrow; none by default. A commit beyond is refused with `STORE_FULL`. */
  readonly maxBytes?: number | undefined;
}

/**
 * Opens the store in a data directory, making both where they are missing.
 * @throws StoreError `STORE_LOCKED`, `STORE_NEWER`, `STORE_FOREIGN`, `STORE_CORRUPT`, `STORE_ACCESS`, `STORE_FULL`,
 *   `STORE_IO`; each with advice
 */
export function openStore(directory: string, options: StoreOptions = {}): SqliteStore {
  const file = join(directory, DATABASE_FILE);
  const lockFile = join(directory, LOCK_FILE);
  prepareFile(directory, lockFile);
  const lock = guarded(`locking the data directory with ${lockFile}`, () => DirectoryLock.take(lockFile));
  let db: Database | undefined;
  try {
    prepareFile(directory, file);
    return guarded(`opening ${file}`, () => {
      db = openWriter(file);
      const version = identify(db);
      prepareWriter(db, version === 0);
      if (options.maxBytes !== undefined) limitSize(db, options.maxBytes);
      migrate(db, version);
      checkStructure(db);
      removeUnfinished(db);
      const catalogue = new Catalogue(db);
      checkInvariants(db, catalogue);
      releasePages(db); // those that the checks read last are not those that are needed first
      return new SqliteStore(db, lock, catalogue);
    });
  } catch (error) {
    db?.close();
    lock.release();
    throw error;
  }
}

function limitSize(db: Database, maxBytes: number): void {
  const pageSize = Number(db.pragma("page_size", { simple: true }));
  db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
}
