/**
 * Refreshes that are not written yet. A host that says every day that it is still there is not to cost a write each time:
 * what it says is kept here and written with others' every now and then.
 */
import type { Name } from "../../wire/name.ts";
import type { ResourceRecord } from "../../wire/record.ts";
import { recordKey } from "../../zone/algebra.ts";
import type { Refresh } from "../../zone/registration.ts";

/** Refreshes written at once: a few milliseconds. */
const WRITE_AT_ONCE = 500;

interface PendingZone {
  readonly apex: Name;
  readonly refreshes: Map<string, Refresh>;
}

export class PendingRefreshes {
  readonly #zones = new Map<string, PendingZone>();
  #size = 0;

  /** Refreshes kept. */
  get size(): number {
    return this.#size;
  }

  /** Zones that have any. */
  get zones(): Name[] {
    return Array.from(this.#zones.values(), ({ apex }) => apex);
  }

  note(apex: Name, refreshes: readonly Refresh[]): void {
    let zone = this.#zones.get(apex.key);
    if (zone === undefined) this.#zones.set(apex.key, (zone = { apex, refreshes: new Map() }));
    const before = zone.refreshes.size;
    for (const refresh of refreshes) zone.refreshes.set(recordKey(refresh), refresh);
    this.#size += zone.refreshes.size - before;
  }

  /** Forgets those of records that were written otherwise since. */
  drop(apex: Name, records: readonly ResourceRecord[]): void {
    const zone = this.#zones.get(apex.key);
    if (zone === undefined) return;
    for (const record of records) if (zone.refreshes.delete(recordKey(record))) this.#size--;
  }

  has(apex: Name, record: ResourceRecord): boolean {
    return this.#zones.get(apex.key)?.refreshes.has(recordKey(record)) === true;
  }

  /**
   * Hands the oldest few of a zone to `write` and forgets them, unless it throws.
   * @returns whether the zone has more
   * @throws what `write` throws
   */
  writeSome(apex: Name, write: (refreshes: readonly Refresh[]) => void): boolean {
    const zone = this.#zones.get(apex.key);
    if (zone === undefined) return false;
    const some: Refresh[] = [];
    const keys: string[] = [];
    for (const [key, refresh] of zone.refreshes) {
      if (keys.push(key) > WRITE_AT_ONCE) break;
      some.push(refresh);
    }
    write(some);
    for (const key of keys.slice(0, some.length)) zone.refreshes.delete(key);
    this.#size -= some.length;
    if (zone.refreshes.size > 0) return true;
    this.#zones.delete(apex.key);
    return false;
  }

  /** Forgets those of a zone. */
  forget(apex: Name): void {
    this.#size -= this.#zones.get(apex.key)?.refreshes.size ?? 0;
    this.#zones.delete(apex.key);
  }
}
