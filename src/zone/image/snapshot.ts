/**
 * One state of a zone that lasts while the zone goes on changing: for transfers, which must be of one serial however
 * slowly they are read.
 *
 * Blocks never change, so a list of those in use is a whole state, as long as none of them is used again. The list is a
 * bit for each heap unit, made by one pass over the table; going through it meets the nodes in the order they lie in
 * memory, which for a zone that was loaded is the canonical order of its names.
 */
import type { RecordCursor } from "../../wire/cursor.ts";
import { RrClass } from "../../wire/iana/class.ts";
import { RrType } from "../../wire/iana/type.ts";
import { MAX_NAME_LENGTH } from "../../wire/name.ts";
import type { ResourceRecord } from "../../wire/record.ts";
import type { ImageHeap } from "./heap.ts";
import {
  EMPTY,
  ENTRY_BYTES,
  GONE,
  Header,
  Node,
  NodeFlag,
  RECORD_HEAD,
  REFERENCE_MASK,
  UNIT,
} from "./layout.ts";
import type { ImageMemory } from "./memory.ts";
import type { Pin } from "./retired.ts";

/** A snapshot was read after its end. */
export class SnapshotEndedError extends Error {
  override readonly name = "SnapshotEndedError";
  readonly code = "SNAPSHOT_ENDED";
}

export class ImageSnapshot {
  readonly soa: ResourceRecord;
  readonly #memory: ImageMemory;
  /** Octet offset of the apex node. */
  readonly #apex: number;
  /** All others: a bit for each heap unit in which one begins. */
  readonly #nodes: Uint32Array;
  readonly #pin: Pin;

  /** @param soa the zone's SOA, now */
  constructor(heap: ImageHeap, soa: ResourceRecord) {
    this.soa = soa;
    this.#memory = heap.memory;
    const apex = heap.memory.u32[Header.APEX]!;
    this.#apex = apex * UNIT;
    this.#nodes = nodesOf(heap.memory);
    this.#nodes[apex >>> 5]! &= ~(1 << (apex & 31));
    this.#pin = heap.pin();
  }

  /**
   * Every record but the SOA, those of one owner together, the apex first. Its steps throw {@link SnapshotEndedError} once the snapshot
   * is closed, or was ended because the zone changed too much meanwhile.
   */
  cursor(): RecordCursor {
    return new ImageCursor(this.#memory, this.#apex, this.#nodes, () => {
      if (!this.#pin.isHeld) throw ended(this.soa);
    });
  }

  /** Lets the zone use its memory again. Can be called again. */
  close(): void {
    this.#pin.letGo();
  }
}

function ended({ name }: ResourceRecord): SnapshotEndedError {
  return new SnapshotEndedError(
    `${name.toString()} is read from a state of it that was given up: it was read so slowly that what changed meanwhile filled the memory set aside for that`,
  );
}

/** A bit for each heap unit: whether a node begins there. */
function nodesOf({ buffer, i32 }: ImageMemory): Uint32Array {
  const nodes = new Uint32Array(Math.ceil(buffer.byteLength / UNIT / 32));
  const table = (i32[Header.TABLE]! * UNIT) / 4;
  const capacity = i32[table]!;
  for (let at = table + 1; at <= table + capacity; at++) {
    const reference = i32[at]! & REFERENCE_MASK;
    nodes[reference >>> 5]! |= 1 << (reference & 31);
  }
  // Sorting out what is no reference at every slot would take four times as long: the processor cannot foresee it.
  nodes[0]! &= ~((1 << EMPTY) | (1 << GONE));
  return nodes;
}

/** One pass over the nodes of a snapshot. */
class ImageCursor implements RecordCursor {
  readonly owner: Uint8Array = new Uint8Array(MAX_NAME_LENGTH);
  ownerLength = 0;
  ownerChanged = true;
  type = 0;
  readonly class: number = RrClass.IN;
  ttl = 0;
  rdata: Uint8Array = new Uint8Array(512);
  rdataLength = 0;
  readonly #memory: ImageMemory;
  /** Octet offset of the apex node, until the pass has begun with it; then 0. */
  #apex: number;
  readonly #nodes: Uint32Array;
  readonly #assertOpen: () => void;
  /** Index of the word of {@link #nodes} at hand, and the nodes of it that are still to come. */
  #word = -1;
  #bits = 0;
  /** Octet offset of the node at hand, and of its next directory entry; the end of its directory. */
  #node = 0;
  #entry = 0;
  #directoryEnd = 0;
  /** Octet offset of the next record of the RRset at hand, and how many are to come. */
  #at = 0;
  #left = 0;

  constructor(memory: ImageMemory, apex: number, nodes: Uint32Array, assertOpen: () => void) {
    this.#memory = memory;
    this.#apex = apex;
    this.#nodes = nodes;
    this.#assertOpen = assertOpen;
  }

  /** @throws SnapshotEndedError */
  next(): boolean {
    this.#assertOpen();
    this.ownerChanged = false;
    while (this.#left === 0) {
      if (this.#entry < this.#directoryEnd) this.#takeEntry();
      else if (!this.#takeNode()) return false;
    }
    this.#left--;
    this.#takeRecord();
    return true;
  }

  #takeNode(): boolean {
    if (this.#apex !== 0) {
      this.#enter(this.#apex);
      this.#apex = 0;
      return true;
    }
    while (this.#bits === 0) {
      if (++this.#word === this.#nodes.length) {
        this.#word--;
        return false;
      }
      this.#bits = this.#nodes[this.#word]!;
    }
    const bit = 31 - Math.clz32(this.#bits & -this.#bits);
    this.#bits &= this.#bits - 1;
    this.#enter((this.#word * 32 + bit) * UNIT);
    return true;
  }

  #enter(node: number): void {
    const { u8, u32 } = this.#memory;
    const rrsets = u32[(node + Node.RRSETS) / 4]! & 0xffff;
    this.#node = node;
    this.#entry = node + Node.DIRECTORY;
    this.#directoryEnd = this.#entry + rrsets * ENTRY_BYTES;
    const length = u8[node + Node.NAME_LENGTH]!;
    const isCased = (u8[node + Node.FLAGS]! & NodeFlag.CASED) !== 0;
    const from = isCased ? this.#directoryEnd + length : this.#directoryEnd;
    for (let i = 0; i < length; i++) this.owner[i] = u8[from + i]!;
    this.ownerLength = length;
    this.ownerChanged = true;
  }

  #takeEntry(): void {
    const { u32 } = this.#memory;
    const word = this.#entry / 4;
    this.#entry += ENTRY_BYTES;
    this.type = u32[word]! & 0xffff;
    // The apex alone has one, and it goes by itself.
    if (this.type === RrType.SOA) return;
    this.#left = u32[word]! >>> 16;
    this.ttl = u32[word + 1]!;
    this.#at = this.#node + u32[word + 2]!;
  }

  #takeRecord(): void {
    const { u8 } = this.#memory;
    let at = this.#at + RECORD_HEAD;
    const length = (u8[at - 2]! << 8) | u8[at - 1]!;
    if (length > this.rdata.length) this.rdata = new Uint8Array(length);
    const { rdata } = this;
    for (let i = 0; i < length; i++) rdata[i] = u8[at++]!;
    this.rdataLength = length;
    this.#at = at;
  }
}
