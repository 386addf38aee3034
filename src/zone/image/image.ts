/**
 * The zone image as its owner sees it: builds it from records, applies changesets, and shows it as a {@link ZoneView}.
 * Only the control thread has one; answer threads attach an {@link ImageReader} to its buffer.
 */
import type { RecordCursor } from "../../wire/cursor.ts";
import { RrType } from "../../wire/iana/type.ts";
import { Name } from "../../wire/name.ts";
import { rdataKey } from "../../wire/rdata/rdata.ts";
import type { ResourceRecord, RrSet } from "../../wire/record.ts";
import { record, sameBytes } from "../../wire/record.ts";
import type { Changeset } from "../changeset.ts";
import type { ZoneView } from "../view.ts";
import { Epochs } from "./epochs.ts";
import { ImageError } from "./error.ts";
import type { HashSeed } from "./hash.ts";
import { NameScratch } from "./hash.ts";
import {
  EMPTY,
  ENTRY_BYTES,
  GONE,
  Header,
  IMAGE_MAGIC,
  Node,
  NodeFlag,
  RECORD_HEAD,
  REFERENCE_MASK,
  UNIT,
} from "./layout.ts";
import { ImageHeap } from "./heap.ts";
import { allocateImageBuffer, ImageMemory } from "./memory.ts";
import { slotOf, writeRecordHead } from "./node.ts";
import { OrderedNodes } from "./ordered.ts";
import { ImageReader, NOT_FOUND } from "./reader.ts";
import { ImageSnapshot } from "./snapshot.ts";

export { ImageError } from "./error.ts";

/** Slots of a fresh table; always a power of two, at most half of it in use. */
const INITIAL_SLOTS = 64;
/** Records that one step of a build takes: some milliseconds. */
const RECORDS_PER_STEP = 5000;

export class ZoneImage implements ZoneView {
  readonly apex: Name;
  readonly reader: ImageReader;
  readonly #memory: ImageMemory;
  readonly #heap: ImageHeap;
  readonly #scratch: NameScratch;
  readonly #apexName: NameScratch;
  /** Slots that are not EMPTY: nodes and graves. */
  #occupied = 0;

  private constructor(apex: Name, seed: HashSeed, epochs: Epochs, most?: number) {
    this.apex = apex;
    this.#memory = new ImageMemory(allocateImageBuffer(most));
    this.#heap = new ImageHeap(this.#memory, epochs);
    this.#scratch = new NameScratch(seed);
    this.#apexName = new NameScratch(seed);
    this.#apexName.load(apex.wire, 0, apex.wire.length);
    const { u32 } = this.#memory;
    u32[Header.MAGIC] = IMAGE_MAGIC;
    u32[Header.SEED] = seed.seed;
    u32[Header.MULTIPLIER] = seed.multiplier;
    this.reader = new ImageReader(this.#memory);
  }

  /**
   * Builds an image from all records of a zone, the SOA among them, those of one owner one after another.
   * @param most octets that the image can grow to; what can be addressed by default
   * @throws ImageError where there is no SOA at the apex, or a name is outside the zone
   */
  static build(
    apex: Name,
    records: Iterable<ResourceRecord>,
    seed: HashSeed,
    epochs: Epochs = new Epochs(),
    most?: number,
  ): ZoneImage {
    const image = new ZoneImage(apex, seed, epochs, most);
    image.#memory.u32[Header.TABLE] = image.#newTable(INITIAL_SLOTS);
    image.#memory.u32[Header.TABLES] = 1;
    image.#putNode(apex, []);
    let owner: Name | undefined;
    let sets = new Map<number, { type: number; ttl: number; rdatas: Uint8Array[] }>();
    const flush = (): void => {
      if (owner === undefined) return;
      // An owner may come again later (an import is not sorted): what is there already stays.
      for (const set of image.rrsets(owner)) {
        const same = sets.get(set.type);
        if (same === undefined) sets.set(set.type, { ...set, rdatas: [...set.rdatas] });
        else same.rdatas.unshift(...set.rdatas);
      }
      image.#putNode(owner, [...sets.values()]);
    };
    for (const rr of records) {
      if (owner === undefined || !owner.equals(rr.name)) {
        flush();
        owner = rr.name;
        sets = new Map();
      }
      const set = sets.get(rr.type);
      if (set === undefined) sets.set(rr.type, { type: rr.type, ttl: rr.ttl, rdatas: [rr.rdata] });
      else set.rdatas.push(rr.rdata);
    }
    flush();
    image.#heap.publish();
    if (image.rrset(apex, RrType.SOA) === undefined)
      throw new ImageError(`${apex.toString()} has no SOA record`);
    return image;
  }

  /**
   * Builds an image from records in canonical order, in a fifth of the time, in steps that leave the thread to others
   * between them.
   * @param soa the zone's, at its apex
   * @param cursor all other records, by owner in canonical order, then by type
   * @throws ImageError, while iterating, where there is no SOA at the apex or the records are not in that order; what the cursor throws; ImageFullError
   */
  static *buildInSteps(
    apex: Name,
    soa: ResourceRecord,
    cursor: RecordCursor,
    seed: HashSeed,
    epochs: Epochs = new Epochs(),
  ): Generator<void, ZoneImage, undefined> {
    if (soa.type !== RrType.SOA || !soa.name.equals(apex))
      throw new ImageError(`${apex.toString()} has no SOA record`);
    const image = new ZoneImage(apex, seed, epochs);
    const nodes = new OrderedNodes(image.#heap, seed, soa);
    while (nodes.take(cursor, RECORDS_PER_STEP)) yield;
    image.#occupied = nodes.finish();
    return image;
  }

  /** What reader threads attach to. */
  get buffer(): SharedArrayBuffer {
    return this.#memory.buffer;
  }

  /** Octets in use. */
  get usedBytes(): number {
    return this.#heap.usedBytes;
  }

  /** Names, empty non-terminals among them. */
  get nodeCount(): number {
    return this.#memory.u32[Header.NODES]!;
  }

  get recordCount(): number {
    return this.#memory.u32[Header.RECORDS]!;
  }

  get soa(): ResourceRecord {
    const set = this.rrset(this.apex, RrType.SOA)!;
    return record(this.apex, RrType.SOA, set.ttl, set.rdatas[0]!);
  }

  /** The zone as it is now, however it changes meanwhile: some milliseconds for a million names. Close it, always. */
  snapshot(): ImageSnapshot {
    return new ImageSnapshot(this.#heap, this.soa);
  }

  rrsets(name: Name): readonly RrSet[] {
    const node = this.#find(name);
    if (node === NOT_FOUND) return [];
    const sets: RrSet[] = [];
    const count = this.reader.rrsetCount(node);
    for (let i = 0; i < count; i++) sets.push(this.#readEntry(node, node + Node.DIRECTORY + i * ENTRY_BYTES));
    return sets;
  }

  rrset(name: Name, type: number): RrSet | undefined {
    const node = this.#find(name);
    if (node === NOT_FOUND) return undefined;
    const entry = this.reader.findRrset(node, type);
    return entry === NOT_FOUND ? undefined : this.#readEntry(node, entry);
  }

  storedName(name: Name): Name {
    const node = this.#find(name);
    // An empty non-terminal owns nothing: it takes the case of the record that first makes it more than that.
    return node === NOT_FOUND || this.reader.rrsetCount(node) === 0 ? name : this.#nodeName(node);
  }

  /**
   * Makes committed changesets visible, in order; a name that several of them touch is swapped once.
   * @throws ImageError where one removes a record that is not there, adds one that is, or leaves the zone; then nothing
   * has changed
   */
  publish(changesets: readonly Changeset[]): void {
    const touched = new Map<string, TouchedNode>();
    const at = (name: Name): MutableSets => {
      let node = touched.get(name.key);
      if (node === undefined) {
        this.#load(name);
        const sets: MutableSets = new Map();
        for (const set of this.rrsets(name)) sets.set(set.type, { ...set, rdatas: [...set.rdatas] });
        node = { name: this.storedName(name), sets };
        touched.set(name.key, node);
      }
      // A name whose last record went and that comes back is a new name, in the case it comes back in.
      if (node.sets.size === 0) node.name = name;
      return node.sets;
    };
    for (const changeset of changesets) {
      remove(at(changeset.soaBefore.name), changeset.soaBefore);
      for (const rr of changeset.removed) remove(at(rr.name), rr);
      for (const rr of changeset.added) add(at(rr.name), rr);
      add(at(changeset.soaAfter.name), changeset.soaAfter);
    }
    // What is there comes before what goes, or a name with children in both would be missing in between; and the SOA
    // comes last, for who sees the new serial must find what it stands for.
    const apex = touched.get(this.apex.key);
    for (const node of touched.values()) if (node !== apex && node.sets.size > 0) this.#put(node);
    for (const node of touched.values()) if (node.sets.size === 0) this.#put(node);
    if (apex !== undefined && apex.sets.size > 0) this.#put(apex);
    this.#heap.publish();
  }

  #put({ name, sets }: TouchedNode): void {
    this.#putNode(name, [...sets.values()]);
  }

  #find(name: Name): number {
    this.#scratch.load(name.wire, 0, name.wire.length);
    return this.reader.find(this.#scratch, 0);
  }

  #nodeName(node: number): Name {
    const { u8 } = this.#memory;
    const length = u8[node + Node.NAME_LENGTH]!;
    let at = node + Node.DIRECTORY + this.reader.rrsetCount(node) * ENTRY_BYTES;
    if ((this.reader.flags(node) & NodeFlag.CASED) !== 0) at += length;
    return Name.fromTrustedWire(u8.slice(at, at + length));
  }

  #readEntry(node: number, entry: number): RrSet {
    const { u8, u32 } = this.#memory;
    const type = u32[entry / 4]! & 0xffff;
    const count = u32[entry / 4]! >>> 16;
    const ttl = u32[entry / 4 + 1]!;
    let at = node + u32[entry / 4 + 2]!;
    const rdatas: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const length = (u8[at + 10]! << 8) | u8[at + 11]!;
      rdatas.push(u8.slice(at + RECORD_HEAD, at + RECORD_HEAD + length));
      at += RECORD_HEAD + length;
    }
    return { type, ttl, rdatas };
  }

  /** Takes a name into the scratch, where the methods below find it and its suffixes. @throws ImageError */
  #load(name: Name): NameScratch {
    const scratch = this.#scratch;
    scratch.load(name.wire, 0, name.wire.length);
    if (!scratch.endsWith(this.#apexName, 0))
      throw new ImageError(`${name.toString()} is outside ${this.apex.toString()}`);
    return scratch;
  }

  /** Whether the suffix of the scratch that begins with this label is the apex. */
  #isApex(label: number): boolean {
    return this.#scratch.labels - label === this.#apexName.labels;
  }

  /** Gives a name exactly these RRsets: creates, replaces or removes its node, and its empty non-terminals with it. */
  #putNode(name: Name, sets: readonly RrSet[]): void {
    const old = this.reader.find(this.#load(name), 0);
    if (old === NOT_FOUND) {
      if (sets.length === 0 && !this.#isApex(0)) return;
      if (!this.#isApex(0)) this.#addChild(name, 1);
      this.#insert(0, this.#writeNode(name, 0, sets, 0));
      return;
    }
    const children = this.#memory.u32[(old + Node.CHILDREN) / 4]!;
    if (sets.length === 0 && children === 0 && !this.#isApex(0)) {
      this.#replace(0, old, GONE);
      this.#dropChild(1);
      return;
    }
    this.#replace(0, old, this.#writeNode(name, 0, sets, children));
  }

  /**
   * Counts a new child at the suffix of the loaded name that begins with `label`, creating it as an empty non-terminal
   * where it does not exist (RFC 4592 §2.2.2).
   */
  #addChild(name: Name, label: number): void {
    let node = this.reader.find(this.#scratch, label);
    if (node === NOT_FOUND) {
      this.#addChild(name, label + 1);
      const reference = this.#writeNode(name, label, [], 0);
      this.#insert(label, reference);
      node = reference * UNIT;
    }
    this.#memory.u32[(node + Node.CHILDREN) / 4]! += 1;
  }

  #dropChild(label: number): void {
    const node = this.reader.find(this.#scratch, label);
    const left = (this.#memory.u32[(node + Node.CHILDREN) / 4]! -= 1);
    if (left > 0 || this.reader.rrsetCount(node) > 0 || this.#isApex(label)) return;
    this.#replace(label, node, GONE);
    this.#dropChild(label + 1);
  }

  /**
   * Writes the node block of the suffix of the loaded name that begins with `label`, and counts what it holds.
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
    const { u8, u32 } = this.#memory; // after allocate: it may have made new views
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
    const { u32 } = this.#memory;
    u32[Header.NODES]! += sign;
    u32[Header.RECORDS]! += sign * records;
    if ((flags & NodeFlag.NS) !== 0 && (flags & NodeFlag.APEX) === 0) u32[Header.CUTS]! += sign;
    if ((flags & NodeFlag.DNAME) !== 0) u32[Header.DNAMES]! += sign;
    if (wildcard) u32[Header.WILDCARDS]! += sign;
  }

  /** Puts a new node, of the loaded name's suffix from `label` on, into an empty slot. */
  #insert(label: number, reference: number): void {
    const capacity = this.#memory.i32[this.#table()]!;
    if ((this.#occupied + 1) * 2 > capacity) this.#rebuildTable();
    const { i32 } = this.#memory;
    const slots = this.#table() + 1;
    const mask = i32[slots - 1]! - 1;
    const hash = this.#scratch.hashes[label]!;
    let index = hash & mask;
    while (i32[slots + index] !== EMPTY && i32[slots + index] !== GONE) index = (index + 1) & mask;
    if (i32[slots + index] === EMPTY) this.#occupied++;
    Atomics.store(i32, slots + index, slotOf(hash, reference));
    if ((this.#memory.u8[reference * UNIT + Node.FLAGS]! & NodeFlag.APEX) !== 0) {
      Atomics.store(i32, Header.APEX, reference);
    }
  }

  /**
   * Swaps the slot of the node at octet `old`, of the loaded name's suffix from `label` on, to `reference` (or GONE), and
   * retires the old block.
   */
  #replace(label: number, old: number, reference: number): void {
    const { i32, u32, u8 } = this.#memory;
    const slots = this.#table() + 1;
    const mask = i32[slots - 1]! - 1;
    const oldReference = old / UNIT;
    const hash = this.#scratch.hashes[label]!;
    const oldSlot = slotOf(hash, oldReference);
    let index = hash & mask;
    while (i32[slots + index] !== oldSlot) {
      if (i32[slots + index] === EMPTY) throw new ImageError("a node is not where its hash says");
      index = (index + 1) & mask;
    }
    Atomics.store(i32, slots + index, reference === GONE ? GONE : slotOf(hash, reference));
    const flags = u8[old + Node.FLAGS]!;
    if ((flags & NodeFlag.APEX) !== 0) Atomics.store(i32, Header.APEX, reference);
    let records = 0;
    const count = this.reader.rrsetCount(old);
    for (let i = 0; i < count; i++) records += u32[(old + Node.DIRECTORY + i * ENTRY_BYTES) / 4]! >>> 16;
    const name = old + Node.DIRECTORY + count * ENTRY_BYTES;
    this.#count(flags, u8[name] === 1 && u8[name + 1] === 0x2a, records, -1);
    this.#heap.retire(oldReference, u32[(old + Node.UNITS) / 4]!);
  }

  /** Word index of the table block. */
  #table(): number {
    return (this.#memory.u32[Header.TABLE]! * UNIT) / 4;
  }

  /** Allocates an empty table. Returns its reference. */
  #newTable(capacity: number): number {
    const units = ImageHeap.unitsFor(4 + capacity * 4);
    const reference = this.#heap.allocate(units);
    const { i32 } = this.#memory;
    const start = (reference * UNIT) / 4;
    i32.fill(EMPTY, start, start + 1 + capacity);
    i32[start] = capacity;
    return reference;
  }

  /** Makes a table without graves, larger where nodes fill a quarter of it, and swaps it in. */
  #rebuildTable(): void {
    const oldReference = this.#memory.u32[Header.TABLE]!;
    const oldCapacity = this.#memory.i32[this.#table()]!;
    const capacity = this.nodeCount * 4 > oldCapacity ? oldCapacity * 2 : oldCapacity;
    const reference = this.#newTable(capacity);
    const { i32 } = this.#memory;
    const from = (oldReference * UNIT) / 4 + 1;
    const to = (reference * UNIT) / 4 + 1;
    const mask = capacity - 1;
    this.#occupied = 0;
    for (let i = 0; i < oldCapacity; i++) {
      const slot = i32[from + i]!;
      if (slot === EMPTY || slot === GONE) continue;
      let index = i32[((slot & REFERENCE_MASK) * UNIT) / 4]! & mask;
      while (i32[to + index] !== EMPTY) index = (index + 1) & mask;
      i32[to + index] = slot;
      this.#occupied++;
    }
    Atomics.store(i32, Header.TABLE, reference);
    Atomics.add(i32, Header.TABLES, 1);
    this.#heap.retire(oldReference, ImageHeap.unitsFor(4 + oldCapacity * 4));
  }
}

/** A name on its way to its next node. */
interface TouchedNode {
  name: Name;
  readonly sets: MutableSets;
}

type MutableSets = Map<number, { type: number; ttl: number; rdatas: Uint8Array[] }>;

function remove(sets: MutableSets, rr: ResourceRecord): void {
  const set = sets.get(rr.type);
  const index = set === undefined ? -1 : indexOfRdata(set.rdatas, rr);
  if (set === undefined || index < 0)
    throw new ImageError(`${rr.name.toString()} has no such record of type ${rr.type} to remove`);
  set.rdatas.splice(index, 1);
  if (set.rdatas.length === 0) sets.delete(rr.type);
}

function add(sets: MutableSets, rr: ResourceRecord): void {
  const set = sets.get(rr.type);
  if (set === undefined) {
    sets.set(rr.type, { type: rr.type, ttl: rr.ttl, rdatas: [rr.rdata] });
    return;
  }
  if (indexOfRdata(set.rdatas, rr) >= 0)
    throw new ImageError(`${rr.name.toString()} already has such a record of type ${rr.type}`);
  set.ttl = rr.ttl;
  set.rdatas.push(rr.rdata);
}

function indexOfRdata(rdatas: readonly Uint8Array[], rr: ResourceRecord): number {
  const exact = rdatas.findIndex((rdata) => sameBytes(rdata, rr.rdata));
  if (exact >= 0) return exact;
  const key = rdataKey(rr.type, rr.rdata);
  return rdatas.findIndex((rdata) => rdataKey(rr.type, rdata) === key);
}
