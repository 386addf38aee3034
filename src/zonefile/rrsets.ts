/**
 * Gathers the records of a zone file into RRsets as they are read: one TTL for each (RFC 2181 §5.2), and no record
 * twice (RFC 2181 §5).
 */
import { typeToText } from "../wire/iana/type.ts";
import { LOWER } from "../wire/name.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { PositionList } from "./positions.ts";
import type { ProblemList } from "./problem.ts";

/**
 * The records kept so far. RRsets are found in an open-addressing hash table over the records' indexes, so that a
 * million names cost neither a string nor an object each, and adding stays linear.
 */
export class RecordCollector {
  readonly records: ResourceRecord[] = [];
  readonly positions: PositionList;
  readonly #problems: ProblemList;
  /** Index of an RRset's first record, or -1. */
  #slots = new Int32Array(2048).fill(-1);
  /** Hash of each record's owner and type, by index. */
  #hashes = new Uint32Array(1024);
  /** RDATA seen, for the RRsets of two records and more, by the index of their first. */
  readonly #seen = new Map<number, Set<string>>();

  /** @param files the names that the positions' file indexes count in; may still grow */
  constructor(files: readonly string[], problems: ProblemList) {
    this.positions = new PositionList(files);
    this.#problems = problems;
  }

  /** Keeps a record, with its RRset's TTL; a record that stands there already is left out. Both with a warning. */
  add(record: ResourceRecord, file: string, fileIndex: number, line: number): void {
    const index = this.records.length;
    const hash = hashOwner(record.name.wire, record.type);
    const firstIndex = this.#findOrAdd(record, hash, index);
    let kept = record;
    if (firstIndex !== index) {
      const first = this.records[firstIndex]!;
      if (!this.#isNew(record, first, firstIndex)) {
        const message = `${describe(record)} stands there twice: this one is left out`;
        this.#problems.add("ZONEFILE_DUPLICATE", "warning", file, line, 1, message);
        return;
      }
      if (record.ttl !== first.ttl) {
        const message = `${describe(record)} has TTL ${record.ttl}, and its RRset ${first.ttl}: ${first.ttl} is used (RFC 2181 §5.2)`;
        this.#problems.add("ZONEFILE_TTL_DIFFERS", "warning", file, line, 1, message);
        kept = { ...record, ttl: first.ttl };
      }
    }
    this.#hashes[index] = hash;
    this.records.push(kept);
    this.positions.push(fileIndex, line);
    if (this.records.length === this.#hashes.length) this.#grow();
  }

  /** Whether no record of the RRset has this RDATA; it is remembered. */
  #isNew(record: ResourceRecord, first: ResourceRecord, firstIndex: number): boolean {
    let rdatas = this.#seen.get(firstIndex);
    if (rdatas === undefined) {
      rdatas = new Set([rdataKey(first.type, first.rdata)]);
      this.#seen.set(firstIndex, rdatas);
    }
    const { size } = rdatas;
    return rdatas.add(rdataKey(record.type, record.rdata)).size > size;
  }

  /** Index of the first record of the record's RRset; `index` where it is the first itself. */
  #findOrAdd(record: ResourceRecord, hash: number, index: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot]!;
      if (found < 0) {
        this.#slots[slot] = index;
        return index;
      }
      // The hash decides nearly always: the records themselves are seldom fetched from memory.
      if (this.#hashes[found] !== hash) continue;
      const other = this.records[found]!;
      if (other.type === record.type && sameOwner(other.name.wire, record.name.wire)) return found;
    }
  }

  /** Doubles the table before it is half full. */
  #grow(): void {
    const hashes = new Uint32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (const index of this.#slots) {
      if (index < 0) continue;
      let slot = hashes[index]! & mask;
      while (slots[slot]! >= 0) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.#hashes = hashes;
    this.#slots = slots;
  }
}

function describe(record: ResourceRecord): string {
  return `${record.name.toString()} ${typeToText(record.type)}`;
}

/** FNV-1a over the owner in lower case and the type, mixed once more since the table uses the low bits. */
function hashOwner(wire: Uint8Array, type: number): number {
  let hash = 0x811c9dc5 ^ type;
  for (let i = 0; i < wire.length; i++) hash = Math.imul(hash ^ LOWER[wire[i]!]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function sameOwner(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (LOWER[a[i]!] !== LOWER[b[i]!]) return false;
  return true;
}
