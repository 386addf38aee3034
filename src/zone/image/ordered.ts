/**
 * The nodes of a zone whose records come in canonical order (RFC 4034 §6.1), as the store keeps them: each is written
 * once and none is looked up.
 *
 * In that order a name comes before all that is below it, and nothing stands between. So the ancestors of the name at
 * hand are always the ones written last, and an ancestor that has not come by then owns nothing: it is an empty
 * non-terminal (RFC 4592 §2.2.2).
 */
import type { RecordCursor } from "../../wire/cursor.ts";
import { RrType } from "../../wire/iana/type.ts";
import type { ResourceRecord } from "../../wire/record.ts";
import { ImageError } from "./error.ts";
import type { HashSeed } from "./hash.ts";
import { MAX_LABELS, NameScratch } from "./hash.ts";
import { EMPTY, ENTRY_BYTES, Header, Node, NodeFlag, RECORD_HEAD, UNIT } from "./layout.ts";
import { ImageHeap } from "./heap.ts";
import { slotOf, writeRecordHead } from "./node.ts";

/** Slots of the smallest table; always a power of two, at most half of it in use. */
const MIN_SLOTS = 64;
/** References kept in one piece until the table is filled. */
const REFERENCES = 65_536;

/** An RRset of the owner at hand. */
interface GatheredSet {
  type: number;
  ttl: number;
  count: number;
  /** Octets of its records, and where they begin among the owner's. */
  offset: number;
  length: number;
}

/** Writes the nodes of one image, and at the end its table. */
export class OrderedNodes {
  readonly #heap: ImageHeap;
  readonly #apexLabels: number;
  /** The owner at hand, and the one that may follow it. */
  #owner: NameScratch;
  #next: NameScratch;
  /** The owner at hand, in the case it is stored in. */
  readonly #wire: Uint8Array = new Uint8Array(256);
  /** Octet offset of the node of the owner's suffix of that many labels, its own last. */
  readonly #nodes: Float64Array = new Float64Array(MAX_LABELS + 1);
  readonly #references: Uint32Array[] = [];
  #nodeCount = 0;
  #recordCount = 0;
  #cuts = 0;
  #dnames = 0;
  #wildcards = 0;
  /** The owner's RRsets, their objects used again for the next owner; and all their records, as a node holds them. */
  readonly #sets: GatheredSet[] = [];
  #setCount = 0;
  #records: Uint8Array = new Uint8Array(4096);
  #recordsLength = 0;

  /** @param soa the zone's, at its apex */
  constructor(heap: ImageHeap, seed: HashSeed, soa: ResourceRecord) {
    this.#heap = heap;
    this.#owner = new NameScratch(seed);
    this.#next = new NameScratch(seed);
    const { wire } = soa.name;
    this.#owner.load(wire, 0, wire.length);
    this.#apexLabels = this.#owner.labels;
    this.#wire.set(wire);
    this.#gather(RrType.SOA, soa.ttl, soa.rdata, soa.rdata.length);
  }

  /**
   * Takes the next records: in canonical order of owners, those of one owner by ascending type, no SOA among them.
   * @param most how many it takes at most
   * @returns whether there may be more
   * @throws ImageError where they come otherwise; what the cursor throws; ImageFullError
   */
  take(cursor: RecordCursor, most: number): boolean {
    for (let taken = 0; taken < most; taken++) {
      if (!cursor.next()) return false;
      if (cursor.type === RrType.SOA) throw new ImageError("there is a second SOA");
      if (cursor.ownerChanged) this.#turnTo(cursor);
      this.#gather(cursor.type, cursor.ttl, cursor.rdata, cursor.rdataLength);
    }
    return true;
  }

  /** Writes the last node, the table and the header. @returns the slots in use */
  finish(): number {
    this.#write(0);
    const table = this.#fillTable();
    const { u32 } = this.#heap.memory;
    u32[Header.NODES] = this.#nodeCount;
    u32[Header.RECORDS] = this.#recordCount;
    u32[Header.CUTS] = this.#cuts;
    u32[Header.DNAMES] = this.#dnames;
    u32[Header.WILDCARDS] = this.#wildcards;
    u32[Header.APEX] = this.#references[0]![0]!;
    u32[Header.TABLE] = table;
    u32[Header.TABLES] = 1;
    return this.#nodeCount;
  }

  /** Writes the owner at hand and goes to the cursor's, unless they differ in letter case alone. */
  #turnTo(cursor: RecordCursor): void {
    const next = this.#next;
    if (next.load(cursor.owner, 0, cursor.ownerLength) === 0) throw new ImageError("an owner is not a name");
    const owner = this.#owner;
    const common = commonLabels(owner, next);
    if (common === owner.labels && common === next.labels) return;
    if (common < this.#apexLabels) throw new ImageError("an owner is outside the zone");
    if (!isBehind(next, owner, common)) throw new ImageError("owners are not in canonical order");
    this.#write(0);
    for (let i = 0; i < cursor.ownerLength; i++) this.#wire[i] = cursor.owner[i]!;
    this.#owner = next;
    this.#next = owner;
    this.#setCount = 0;
    this.#recordsLength = 0;
    // What is between the two and has not come owns nothing.
    for (let labels = common + 1; labels < next.labels; labels++) this.#write(next.labels - labels);
  }

  #gather(type: number, ttl: number, rdata: Uint8Array, rdataLength: number): void {
    const from = this.#recordsLength;
    const to = from + RECORD_HEAD + rdataLength;
    let set = this.#sets[this.#setCount - 1];
    if (this.#setCount === 0 || set!.type !== type) {
      if (this.#setCount > 0 && type < set!.type && set!.type !== RrType.SOA)
        throw new ImageError("the types of an owner are not in order");
      set = this.#sets[this.#setCount] ??= { type: 0, ttl: 0, count: 0, offset: 0, length: 0 };
      this.#setCount++;
      set.type = type;
      set.ttl = ttl;
      set.count = 0;
      set.offset = from;
    }
    if (to > this.#records.length) {
      const larger = new Uint8Array(Math.max(to, this.#records.length * 2));
      larger.set(this.#records.subarray(0, from));
      this.#records = larger;
    }
    const records = this.#records;
    let at = writeRecordHead(records, from, type, set!.ttl, rdataLength);
    for (let i = 0; i < rdataLength; i++) records[at++] = rdata[i]!;
    set!.count++;
    set!.length = to - set!.offset;
    this.#recordsLength = to;
    this.#recordCount++;
  }

  /**
   * Writes the node of the owner's suffix that begins with `label`: with label 0 what was gathered, with another an
   * empty non-terminal.
   */
  #write(label: number): void {
    const { lower, offsets, hashes, labels } = this.#owner;
    const wire = this.#wire;
    const nameFrom = offsets[label]!;
    const nameEnd = this.#owner.length;
    const nameLength = nameEnd - nameFrom;
    const setCount = label === 0 ? this.#setCount : 0;
    const recordsLength = label === 0 ? this.#recordsLength : 0;
    const isApex = labels - label === this.#apexLabels;
    let flags = isApex ? NodeFlag.APEX : 0;
    for (let i = nameFrom; i < nameEnd; i++) {
      if (wire[i] !== lower[i]) {
        flags |= NodeFlag.CASED;
        break;
      }
    }
    const namesLength = (flags & NodeFlag.CASED) === 0 ? nameLength : 2 * nameLength;
    const directoryEnd = Node.DIRECTORY + setCount * ENTRY_BYTES;
    const recordsFrom = directoryEnd + namesLength;
    const units = ImageHeap.unitsFor(recordsFrom + recordsLength);
    const reference = this.#heap.allocate(units);
    const { u8, u32 } = this.#heap.memory; // after allocate: it may have made new views
    const start = reference * UNIT;
    let entry = (start + Node.DIRECTORY) / 4;
    for (let i = 0; i < setCount; i++) {
      const { type, ttl, count, offset, length } = this.#sets[i]!;
      u32[entry] = type | (count << 16);
      u32[entry + 1] = ttl;
      u32[entry + 2] = recordsFrom + offset;
      u32[entry + 3] = length;
      entry += 4;
      if (type === RrType.NS) flags |= NodeFlag.NS;
      else if (type === RrType.CNAME) flags |= NodeFlag.CNAME;
      else if (type === RrType.DNAME) flags |= NodeFlag.DNAME;
    }
    u32[start / 4] = hashes[label]!;
    u32[(start + Node.UNITS) / 4] = units;
    u32[(start + Node.CHILDREN) / 4] = 0;
    u8[start + Node.RRSETS] = setCount & 0xff;
    u8[start + Node.RRSETS + 1] = setCount >> 8;
    u8[start + Node.FLAGS] = flags;
    u8[start + Node.NAME_LENGTH] = nameLength;
    let at = start + directoryEnd;
    for (let i = nameFrom; i < nameEnd; i++) u8[at++] = lower[i]!;
    if ((flags & NodeFlag.CASED) !== 0) for (let i = nameFrom; i < nameEnd; i++) u8[at++] = wire[i]!;
    const records = this.#records;
    for (let i = 0; i < recordsLength; i++) u8[at++] = records[i]!;

    this.#nodes[labels - label] = start;
    if (!isApex) u32[(this.#nodes[labels - label - 1]! + Node.CHILDREN) / 4]! += 1;
    if ((flags & NodeFlag.NS) !== 0 && !isApex) this.#cuts++;
    if ((flags & NodeFlag.DNAME) !== 0) this.#dnames++;
    if (lower[nameFrom] === 1 && lower[nameFrom + 1] === 0x2a) this.#wildcards++;
    this.#remember(reference);
  }

  #remember(reference: number): void {
    const index = this.#nodeCount % REFERENCES;
    if (index === 0) this.#references.push(new Uint32Array(REFERENCES));
    this.#references.at(-1)![index] = reference;
    this.#nodeCount++;
  }

  /** Makes the table, in the size that the nodes need. @returns its reference */
  #fillTable(): number {
    let capacity = MIN_SLOTS;
    while (this.#nodeCount * 2 > capacity) capacity *= 2;
    const table = this.#heap.allocate(ImageHeap.unitsFor(4 + capacity * 4));
    const { i32 } = this.#heap.memory;
    const slots = (table * UNIT) / 4 + 1;
    const mask = capacity - 1;
    i32[slots - 1] = capacity;
    i32.fill(EMPTY, slots, slots + capacity);
    for (let node = 0; node < this.#nodeCount; node++) {
      const reference = this.#references[Math.floor(node / REFERENCES)]![node % REFERENCES]!;
      const hash = i32[(reference * UNIT + Node.HASH) / 4]!;
      let index = hash & mask;
      while (i32[slots + index] !== EMPTY) index = (index + 1) & mask;
      i32[slots + index] = slotOf(hash, reference);
    }
    return table;
  }
}

/** How many labels two names have in common, from the right. */
function commonLabels(a: NameScratch, b: NameScratch): number {
  const most = Math.min(a.labels, b.labels);
  for (let common = 0; common < most; common++) {
    const at = a.offsets[a.labels - common - 1]!;
    const bt = b.offsets[b.labels - common - 1]!;
    const length = a.lower[at]!;
    for (let i = 0; i <= length; i++) if (a.lower[at + i] !== b.lower[bt + i]) return common;
  }
  return most;
}

/** Whether a name comes behind another in canonical order, the two having so many labels in common. */
function isBehind(name: NameScratch, other: NameScratch, common: number): boolean {
  if (common === name.labels) return false;
  if (common === other.labels) return true;
  const at = name.offsets[name.labels - common - 1]!;
  const bt = other.offsets[other.labels - common - 1]!;
  const length = name.lower[at]!;
  const otherLength = other.lower[bt]!;
  for (let i = 1; i <= length && i <= otherLength; i++) {
    const order = name.lower[at + i]! - other.lower[bt + i]!;
    if (order !== 0) return order > 0;
  }
  return length > otherLength;
}
