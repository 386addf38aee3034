/**
 * Makes RRsets of the records of a zone file: one TTL for each (RFC 2181 §5.2) and no record twice (RFC 2181 §5).
 */
import { typeToText } from "../wire/iana/type.ts";
import { LOWER } from "../wire/name.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { PositionList } from "./positions.ts";
import type { ProblemList } from "./problem.ts";

/** Records after which a step ends, so that a caller can let others have the thread. */
export const RECORDS_PER_STEP = 10_000;

/**
 * Normalises `records` and `positions` in place and warns of what it changed. Yields the number of records seen every
 * {@link RECORDS_PER_STEP}. Linear: RRsets are found by a hash of their owner and type, without a string for each name.
 */
export function* normaliseRrsets(
  records: ResourceRecord[],
  positions: PositionList,
  problems: ProblemList,
): Generator<number, void, undefined> {
  const table = new RrsetTable(records);
  /** RDATA seen, for the RRsets of two records and more, by the index of their first. */
  const seen = new Map<number, Set<string>>();
  let kept = 0;
  for (let index = 0; index < records.length; index++) {
    if (index % RECORDS_PER_STEP === RECORDS_PER_STEP - 1) yield index + 1;
    let record = records[index]!;
    const firstIndex = table.findOrAdd(record, kept);
    if (firstIndex !== kept) {
      const first = records[firstIndex]!;
      let rdatas = seen.get(firstIndex);
      if (rdatas === undefined) seen.set(firstIndex, (rdatas = new Set([rdataKey(first.type, first.rdata)])));
      const { size } = rdatas;
      if (rdatas.add(rdataKey(record.type, record.rdata)).size === size) {
        warn(
          problems,
          positions,
          index,
          "ZONEFILE_DUPLICATE",
          `${describe(record)} stands here twice: the second is left out`,
        );
        continue;
      }
      if (record.ttl !== first.ttl) {
        const message = `${describe(record)} has TTL ${record.ttl} and others of its RRset ${first.ttl}: ${first.ttl} is used (RFC 2181 §5.2)`;
        warn(problems, positions, index, "ZONEFILE_TTL_DIFFERS", message);
        record = { ...record, ttl: first.ttl };
      }
    }
    records[kept] = record;
    if (kept !== index) positions.move(index, kept);
    kept++;
  }
  records.length = kept;
  positions.truncate(kept);
}

function warn(
  problems: ProblemList,
  positions: PositionList,
  index: number,
  code: "ZONEFILE_DUPLICATE" | "ZONEFILE_TTL_DIFFERS",
  message: string,
): void {
  const { file, line } = positions.at(index);
  problems.add(code, "warning", file, line, 1, message);
}

function describe(record: ResourceRecord): string {
  return `${record.name.toString()} ${typeToText(record.type)}`;
}

/** Open-addressing hash table from owner and type to the index of the RRset's first record. */
class RrsetTable {
  readonly #records: readonly ResourceRecord[];
  readonly #slots: Int32Array;
  readonly #mask: number;

  constructor(records: readonly ResourceRecord[]) {
    let size = 16;
    while (size < records.length * 2) size *= 2;
    this.#records = records;
    this.#slots = new Int32Array(size).fill(-1);
    this.#mask = size - 1;
  }

  /** The index kept for the record's RRset; `index` where this is its first record. */
  findOrAdd(record: ResourceRecord, index: number): number {
    let slot = hashOwner(record.name.wire, record.type) & this.#mask;
    for (;;) {
      const found = this.#slots[slot]!;
      if (found < 0) {
        this.#slots[slot] = index;
        return index;
      }
      const other = this.#records[found]!;
      if (other.type === record.type && sameOwner(other.name.wire, record.name.wire)) return found;
      slot = (slot + 1) & this.#mask;
    }
  }
}

/** FNV-1a over the owner in lower case and the type, its bits mixed once more for the mask. */
function hashOwner(wire: Uint8Array, type: number): number {
  let hash = 0x811c9dc5 ^ type;
  for (let i = 0; i < wire.length; i++) hash = Math.imul(hash ^ LOWER[wire[i]!]!, 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) ^ (hash >>> 12);
}

function sameOwner(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (LOWER[a[i]!] !== LOWER[b[i]!]) return false;
  return true;
}
