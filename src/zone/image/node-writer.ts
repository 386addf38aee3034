/**
 * What changes the nodes of an image: gives a name its RRsets in a new block, makes and drops the empty non-terminals
 * above it, and keeps the counts of the header. Blocks are written first and swapped in then.
 */
import { RrType } from "../../wire/iana/type.ts";
import type { Name } from "../../wire/name.ts";
import type { RrSet } from "../../wire/record.ts";
import type { HashSeed } from "./hash.ts";
import { NameScratch } from "./hash.ts";
import { ENTRY_BYTES, GONE, Header, Node, NodeFlag, RECORD_HEAD, UNIT } from "./layout.ts";
import { ImageHeap } from "./heap.ts";
import { writeRecordHead } from "./node.ts";
import type { ImageReader } from "./reader.ts";
import { NOT_FOUND } from "./reader.ts";
import type { SlotTable } from "./table.ts";

export class NodeWriter {
  readonly #heap: ImageHeap;
  readonly #table: SlotTable;
  readonly #reader: ImageReader;
  /** The name at hand: the methods below find it and its suffixes in here. */
  readonly #scratch: NameScratch;
  readonly #apexLabels: number;

  constructor(apex: Name, seed: HashSeed, heap: ImageHeap, table: SlotTable, reader: ImageReader) {
    this.#heap = heap;
    this.#table = table;
    this.#reader = reader;
    this.#scratch = new NameScratch(seed);
    this.#scratch.load(apex.wire, 0, apex.wire.length);
    this.#apexLabels = this.#scratch.labels;
  }

  /**
   * Gives a name exactly these RRsets: creates, replaces or removes its node, and its empty non-terminals with it.
   * @param name within the zone
   * @throws ImageFullError
   */
  put(name: Name, sets: readonly RrSet[]): void {
    this.#scratch.load(name.wire, 0, name.wire.length);
    const old = this.#reader.find(this.#scratch, 0);
    if (old === NOT_FOUND) {
      if (sets.length === 0 && !this.#isApex(0)) return;
      if (!this.#isApex(0)) this.#addChild(name, 1);
      this.#insert(0, this.#writeNode(name, 0, sets, 0));
      return;
    }
    const children = this.#heap.memory.u32[(old + Node.CHILDREN) / 4]!;
    if (sets.length === 0 && children === 0 && !this.#isApex(0)) {
      this.#replace(0, old, GONE);
      this.#dropChild(1);
      return;
    }
    this.#replace(0, old, this.#writeNode(name, 0, sets, children));
  }

  /**
   * Counts a new child at the suffix of the name at hand that begins with `label`, creating it as an empty non-terminal
   * where it does not exist (RFC 4592 §2.2.2).
   */
  #addChild(name: Name, label: number): void {
    let node = this.#reader.find(this.#scratch, label);
    if (node === NOT_FOUND) {
      this.#addChild(name, label + 1);
      const reference = this.#writeNode(name, label, [], 0);
      this.#insert(label, reference);
      node = reference * UNIT;
    }
    this.#heap.memory.u32[(node + Node.CHILDREN) / 4]! += 1;
  }

  #dropChild(label: number): void {
    const node = this.#reader.find(this.#scratch, label);
    const left = (this.#heap.memory.u32[(node + Node.CHILDREN) / 4]! -= 1);
    if (left > 0 || this.#reader.rrsetCount(node) > 0 || this.#isApex(label)) return;
    this.#replace(label, node, GONE);
    this.#dropChild(label + 1);
  }

  /**
   * Writes the node block of the suffix of the name at hand that begins with `label`, and counts what it holds.
   * @returns its reference
   */
  #writeNode(name: Name, label: number, sets: readonly RrSet[], children: number): number {
    const { lower, offsets, hashes } = this.#scratch;
    const nameFrom = offsets[label]!;
    const nameLength = this.#scratch.length - nameFrom;
    const { wire } = name;
    let flags = this.#isApex(label) ? NodeFlag.APEX : 0;
    for (let i = nameFrom; i < wire.length; i++) {
      if (wire[i] !== lower[i]) {
        flags |= NodeFlag.CASED;
        break;
      }
    }
    let bytes =
      Node.DIRECTORY + sets.length * ENTRY_BYTES + nameLength * ((flags & NodeFlag.CASED) === 0 ? 1 : 2);
    let records = 0;
    for (const set of sets) {
      records += set.rdatas.length;
      for (const rdata of set.rdatas) bytes += RECORD_HEAD + rdata.length;
      if (set.type === RrType.NS) flags |= NodeFlag.NS;
      else if (set.type === RrType.CNAME) flags |= NodeFlag.CNAME;
      else if (set.type === RrType.DNAME) flags |= NodeFlag.DNAME;
    }
    const units = ImageHeap.unitsFor(bytes);
    const reference = this.#heap.allocate(units);
    const { u8, u32 } = this.#heap.memory; // after allocate: it may have made new views
    const start = reference * UNIT;
    u32[start / 4] = hashes[label]!;
    u32[(start + Node.UNITS) / 4] = units;
    u32[(start + Node.CHILDREN) / 4] = children;
    u8[start + Node.RRSETS] = sets.length & 0xff;
    u8[start + Node.RRSETS + 1] = sets.length >> 8;
    u8[start + Node.FLAGS] = flags;
    u8[start + Node.NAME_LENGTH] = nameLength;

    let at = start + Node.DIRECTORY + sets.length * ENTRY_BYTES;
    const nameEnd = nameFrom + nameLength;
    for (let i = nameFrom; i < nameEnd; i++) u8[at++] = lower[i]!;
    if ((flags & NodeFlag.CASED) !== 0) for (let i = nameFrom; i < nameEnd; i++) u8[at++] = wire[i]!;
    let entry = (start + Node.DIRECTORY) / 4;
    for (const set of sets) {
      const from = at;
      for (const rdata of set.rdatas) {
        at = writeRecordHead(u8, at, set.type, set.ttl, rdata.length);
        u8.set(rdata, at);
        at += rdata.length;
      }
      u32[entry] = set.type | (set.rdatas.length << 16);
      u32[entry + 1] = set.ttl;
      u32[entry + 2] = from - start;
      u32[entry + 3] = at - from;
      entry += 4;
    }
    this.#count(flags, lower[nameFrom] === 1 && lower[nameFrom + 1] === 0x2a, records, 1);
    return reference;
  }

  #count(flags: number, wildcard: boolean, records: number, sign: 1 | -1): void {
    const { u32 } = this.#heap.memory;
    u32[Header.NODES]! += sign;
    u32[Header.RECORDS]! += sign * records;
    if ((flags & NodeFlag.NS) !== 0 && (flags & NodeFlag.APEX) === 0) u32[Header.CUTS]! += sign;
    if ((flags & NodeFlag.DNAME) !== 0) u32[Header.DNAMES]! += sign;
    if (wildcard) u32[Header.WILDCARDS]! += sign;
  }

  /** Whether the suffix of the name at hand that begins with this label is the apex. */
  #isApex(label: number): boolean {
    return this.#scratch.labels - label === this.#apexLabels;
  }

  /** Puts a new node, of the suffix of the name at hand that begins with `label`, where readers find it. */
  #insert(label: number, reference: number): void {
    this.#table.insert(this.#scratch.hashes[label]!, reference);
    const { i32, u8 } = this.#heap.memory;
    if ((u8[reference * UNIT + Node.FLAGS]! & NodeFlag.APEX) !== 0)
      Atomics.store(i32, Header.APEX, reference);
  }

  /**
   * Swaps the node at octet `old`, of the suffix of the name at hand that begins with `label`, for the one at `reference`
   * (or GONE), and retires the old block.
   */
  #replace(label: number, old: number, reference: number): void {
    const oldReference = old / UNIT;
    this.#table.replace(this.#scratch.hashes[label]!, oldReference, reference);
    const { i32, u32, u8 } = this.#heap.memory;
    const flags = u8[old + Node.FLAGS]!;
    if ((flags & NodeFlag.APEX) !== 0) Atomics.store(i32, Header.APEX, reference);
    let records = 0;
    const count = this.#reader.rrsetCount(old);
    for (let i = 0; i < count; i++) records += u32[(old + Node.DIRECTORY + i * ENTRY_BYTES) / 4]! >>> 16;
    const name = old + Node.DIRECTORY + count * ENTRY_BYTES;
    this.#count(flags, u8[name] === 1 && u8[name + 1] === 0x2a, records, -1);
    this.#heap.retire(oldReference, u32[(old + Node.UNITS) / 4]!);
  }
}
