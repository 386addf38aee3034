/**
 * Where each secondary has got to. Only a convenience for `rollcall status`: kept in memory, and written now and then
 * without waiting for the disk, since a lost line is told again by the secondary's next answer.
 */
import type { Database, Statement } from "better-sqlite3";
import type { SecondaryState } from "../zone/ports.ts";
import { withoutSync } from "./without-sync.ts";

/** Secondaries remembered for one zone: beyond them the one that was silent longest is forgotten. */
export const MAX_SECONDARIES = 256;
/** Milliseconds after which what was learnt is written. */
const WRITE_AFTER = 5000;

export class Secondaries {
  readonly #db: Database;
  readonly #states = new Map<number, Map<string, SecondaryState>>();
  readonly #clear: Statement<[number]>;
  readonly #insert: Statement<[number, string, number, number]>;
  readonly #changed = new Set<number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(db: Database) {
    this.#db = db;
    this.#clear = db.prepare("DELETE FROM secondary WHERE zone = ?");
    this.#insert = db.prepare("INSERT INTO secondary (zone, address, serial, at) VALUES (?, ?, ?, ?)");
    const rows = db
      .prepare<[], [number, string, number, number]>(
        "SELECT zone, address, serial, at FROM secondary ORDER BY at",
      )
      .raw()
      .all();
    for (const [zone, address, serial, at] of rows) this.#put(zone, { address, serial, at });
  }

  /** Ordered by address. */
  of(zone: number): SecondaryState[] {
    const states = [...(this.#states.get(zone)?.values() ?? [])];
    return states.toSorted((a, b) => (a.address < b.address ? -1 : 1));
  }

  remember(zone: number, state: SecondaryState): void {
    this.#put(zone, state);
    this.#changed.add(zone);
    this.#timer ??= setTimeout(() => this.#writeLater(), WRITE_AFTER).unref();
  }

  /** Removes those of a zone that is dropped, within that transaction. */
  clear(zone: number): void {
    this.#clear.run(zone);
  }

  /** Forgets those of a zone that was dropped. */
  forget(zone: number): void {
    this.#states.delete(zone);
    this.#changed.delete(zone);
  }

  /** Writes what has changed. @throws SqliteError */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#changed.size === 0) return;
    withoutSync(this.#db, () => {
      for (const zone of this.#changed) {
        this.#clear.run(zone);
        for (const { address, serial, at } of this.of(zone))
          this.#insert.run(zone, address, serial, Math.trunc(at));
      }
    });
    this.#changed.clear();
  }

  #writeLater(): void {
    try {
      this.write();
    } catch {
      // A full disk shows in the next commit; this may be lost, and the next thing learnt tries again.
    }
  }

  #put(zone: number, state: SecondaryState): void {
    let states = this.#states.get(zone);
    if (states === undefined) this.#states.set(zone, (states = new Map()));
    // Put last, so that the first is always the one silent longest.
    states.delete(state.address);
    states.set(state.address, { address: state.address, serial: state.serial, at: state.at });
    if (states.size <= MAX_SECONDARIES) return;
    const [silent] = states.keys();
    if (silent !== undefined) states.delete(silent);
  }
}
