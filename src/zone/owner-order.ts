/** Puts the records of a large zone in canonical order of their owners, a piece at a time. */
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { ownerKeyText } from "./owner-key.ts";

/** A record with its owner's sort key as text. */
export interface KeyedRecord {
  readonly rr: ResourceRecord;
  readonly key: string;
}

/** The next record of a run. */
interface Head {
  entry: KeyedRecord;
  readonly run: number;
  at: number;
}

/** Sorted pieces, to be merged. Records of one owner and type keep the order they came in. */
export class OwnerOrder {
  readonly #apex: Name;
  readonly #runs: ResourceRecord[][] = [];
  /** The last record of the last run. */
  #last: KeyedRecord | undefined;

  constructor(apex: Name) {
    this.#apex = apex;
  }

  /** Takes a piece: some thousands of records, all within the zone. */
  add(piece: readonly ResourceRecord[]): void {
    let before: KeyedRecord | undefined;
    const entries = piece.map((rr) => (before = this.#entry(rr, before)));
    entries.sort(compare);
    const first = entries[0];
    if (first === undefined) return;
    const records = entries.map(({ rr }) => rr);
    // A file that is in order already is one run.
    const run = this.#runs.at(-1);
    if (run !== undefined && compare(this.#last!, first) <= 0) for (const rr of records) run.push(rr);
    else this.#runs.push(records);
    this.#last = entries.at(-1);
  }

  /** All records, by owner in canonical order, then by type. To be drawn once. */
  *merged(): Generator<KeyedRecord, void, undefined> {
    const heap: Head[] = this.#runs.map((records, run) => ({ entry: this.#entry(records[0]!), run, at: 0 }));
    for (let i = (heap.length >> 1) - 1; i >= 0; i--) siftDown(heap, i);
    for (let head = heap[0]; head !== undefined; head = heap[0]) {
      yield head.entry;
      const records = this.#runs[head.run]!;
      const next = records[++head.at];
      if (next === undefined) {
        const last = heap.pop()!;
        if (heap.length > 0) heap[0] = last;
      } else {
        head.entry = this.#entry(next, head.entry);
      }
      siftDown(heap, 0);
    }
  }

  /** @param like a record that may have the same owner */
  #entry(rr: ResourceRecord, like?: KeyedRecord): KeyedRecord {
    const isLike = like !== undefined && like.rr.name === rr.name;
    return { rr, key: isLike ? like.key : ownerKeyText(rr.name, this.#apex) };
  }
}

/** Records that one piece has: some milliseconds of work. */
const PIECE = 2048;

/**
 * The records in canonical order of owners, then by type, in steps of some milliseconds.
 * @param records all within the zone
 * @returns yields how many are in order so far
 */
export function* sortInSteps(
  records: readonly ResourceRecord[],
  apex: Name,
): Generator<number, ResourceRecord[], undefined> {
  const order = new OwnerOrder(apex);
  for (let at = 0; at < records.length; at += PIECE) {
    order.add(records.slice(at, at + PIECE));
    yield 0;
  }
  const sorted: ResourceRecord[] = [];
  for (const { rr } of order.merged()) {
    if (sorted.push(rr) % PIECE === 0) yield sorted.length;
  }
  return sorted;
}

function compare(a: KeyedRecord, b: KeyedRecord): number {
  if (a.key < b.key) return -1;
  if (a.key > b.key) return 1;
  return a.rr.type - b.rr.type;
}

/** Runs are in the order that their pieces came in. */
function isBefore(a: Head, b: Head): boolean {
  return (compare(a.entry, b.entry) || a.run - b.run) < 0;
}

function siftDown(heap: Head[], from: number): void {
  for (let at = from; ;) {
    const left = 2 * at + 1;
    const right = left + 1;
    let least = at;
    if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
    if (right < heap.length && isBefore(heap[right]!, heap[least]!)) least = right;
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least]!, heap[at]!];
    at = least;
  }
}
