/** Writing what may be lost. */
import type { Database } from "better-sqlite3";

/**
 * Does a transaction without waiting for the disk: the sync of the next commit brings it there, and a crash before may
 * lose it whole, but not tear it.
 * @throws what `work` throws; SqliteError
 */
export function withoutSync<T>(db: Database, work: () => T): T {
  db.pragma("synchronous = NORMAL");
  try {
    return db.transaction(work).immediate();
  } finally {
    db.pragma("synchronous = FULL");
  }
}
