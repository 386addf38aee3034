/**
 * The zone image as its owner sees it: builds it from records, publishes changesets, and shows it as a {@link ZoneView}.
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
import { ENTRY_BYTES, Header, IMAGE_MAGIC, Node, NodeFlag, RECORD_HEAD } from "./layout.ts";
import { ImageHeap } from "./heap.ts";
import { allocateImageBuffer, ImageMemory } from "./memory.ts";
import { NodeWriter } from "./node-writer.ts";
import { OrderedNodes } from "./ordered.ts";
import { ImageReader, NOT_FOUND } from "./reader.ts";
import { ImageSnapshot } from "./snapshot.ts";
import { SlotTable } from "./table.ts";

export { ImageError } from "./error.ts";

/** Records that one step of a build takes: some milliseconds. */
const RECORDS_PER_STEP = 5000;

export class ZoneImage implements ZoneView {
  readonly apex: Name;
  readonly reader: ImageReader;
  readonly #memory: ImageMemory;
  readonly #heap: ImageHeap;
  readonly #table: SlotTable;
  readonly #writer: NodeWriter;
  readonly #scratch: NameScratch;
  /** What the scratch holds: one name is looked for several times in a row. */
  #loaded: Name | undefined;

  private constructor(apex: Name, seed: HashSeed, epochs: Epochs, most?: number) {
    this.apex = apex;
    this.#memory = new ImageMemory(allocateImageBuffer(most));
    this.#heap = new ImageHeap(this.#memory, epochs);
    this.#scratch = new NameScratch(seed);
    const { u32 } = this.#memory;
    u32[Header.MAGIC] = IMAGE_MAGIC;
    u32[Header.SEED] = seed.seed;
    u32[Header.MULTIPLIER] = seed.multiplier;
    this.reader = new ImageReader(this.#memory);
    this.#table = new SlotTable(this.#heap);
    this.#writer = new NodeWriter(apex, seed, this.#heap, this.#table, this.reader);
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
    image.#table.create();
    image.#writer.put(apex, []);
    let owner: Name | undefined;
    let sets: MutableSets = new Map();
    const flush = (): void => {
      if (owner === undefined) return;
      // An owner may come again later (an import is not sorted): what is there already stays.
      for (const set of image.rrsets(owner)) {
        const same = sets.get(set.type);
        if (same === undefined) sets.set(set.type, { ...set, rdatas: [...set.rdatas] });
        else same.rdatas.unshift(...set.rdatas);
      }
      image.#writer.put(owner, [...sets.values()]);
    };
    for (const rr of records) {
      if (owner === undefined || !owner.equals(rr.name)) {
        flush();
        image.#assertWithin(rr.name);
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
    image.#table.adopt(nodes.finish());
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
        this.#assertWithin(name);
        const sets: MutableSets = new Map();
        for (const set of this.rrsets(name)) sets.set(set.type, { ...set, rdatas: [...set.rdatas] });
        node = { name: this.storedName(name), sets };
        touched.set(name.key, node);
      }
      // A name whose last record went and that comes back is a new name, in the case it comes back in.
      if (node.sets.size === 0) node.name = name;
      return node.sets;
    };
    let soa: ResourceRecord | undefined;
    for (const { soaBefore, soaAfter, removed, added } of changesets) {
      if (soa === undefined) remove(at(soaBefore.name), soaBefore);
      else if (!sameBytes(soa.rdata, soaBefore.rdata))
        throw new ImageError(`a changeset of ${this.apex.toString()} does not follow from the one before it`);
      for (const rr of removed) remove(at(rr.name), rr);
      for (const rr of added) add(at(rr.name), rr);
      soa = soaAfter;
    }
    if (soa !== undefined) add(at(soa.name), soa);
    // What is there comes before what goes, or a name with children in both would be missing in between; and the SOA
    // comes last, for who sees the new serial must find what it stands for.
    const apex = touched.get(this.apex.key);
    const put = ({ name, sets }: TouchedNode): void => this.#writer.put(name, [...sets.values()]);
    for (const node of touched.values()) if (node !== apex && node.sets.size > 0) put(node);
    for (const node of touched.values()) if (node.sets.size === 0) put(node);
    if (apex !== undefined && apex.sets.size > 0) put(apex);
    this.#heap.publish();
  }

  /** @throws ImageError */
  #assertWithin(name: Name): void {
    if (!name.isWithin(this.apex))
      throw new ImageError(`${name.toString()} is outside ${this.apex.toString()}`);
  }

  #find(name: Name): number {
    if (name !== this.#loaded) this.#scratch.load(name.wire, 0, name.wire.length);
    this.#loaded = name;
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
