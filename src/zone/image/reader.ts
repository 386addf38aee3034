/**
 * Reading an image: what answer threads do, and the control thread too. Finds nodes by name, and says where in the
 * shared memory their RRsets lie. Allocates nothing.
 */
import type { NameScratch } from "./hash.ts";
import { EMPTY, ENTRY_BYTES, GONE, Header, IMAGE_MAGIC, Node, REFERENCE_MASK, UNIT } from "./layout.ts";
import { ImageMemory } from "./memory.ts";

/** Finds nothing. No block has reference 0: the header is there. */
export const NOT_FOUND = 0;

export class ImageReader {
  readonly memory: ImageMemory;
  /** The table last met: its word index, and how many there had been. */
  #table = 0;
  #tables = -1;

  /** Attaches to an image in shared memory. @throws where the buffer holds none */
  constructor(memory: ImageMemory) {
    if (memory.u32[Header.MAGIC] !== IMAGE_MAGIC) throw new Error("this shared memory holds no zone image");
    this.memory = memory;
  }

  static attach(buffer: SharedArrayBuffer): ImageReader {
    return new ImageReader(new ImageMemory(buffer));
  }

  /** Names below the apex that own NS. */
  get cuts(): number {
    return this.memory.u32[Header.CUTS]!;
  }

  get dnames(): number {
    return this.memory.u32[Header.DNAMES]!;
  }

  get wildcards(): number {
    return this.memory.u32[Header.WILDCARDS]!;
  }

  /** Octet offset of the apex node. */
  apex(): number {
    return this.#follow(Atomics.load(this.memory.i32, Header.APEX));
  }

  /**
   * The node of the suffix that begins with label `index`.
   * @returns the octet offset of its block, or {@link NOT_FOUND}
   */
  find(name: NameScratch, index: number): number {
    const start = name.offsets[index]!;
    return this.#probe(name.hashes[index]!, name.lower, start, name.length - start, false);
  }

  /** The node of `*` directly below the suffix that begins with label `index`. */
  findWildcard(name: NameScratch, index: number): number {
    const start = name.offsets[index]!;
    return this.#probe(name.wildcardHash(index), name.lower, start, name.length - start, true);
  }

  /** The octet offset of an RRset's directory entry in a node, or {@link NOT_FOUND}. */
  findRrset(node: number, type: number): number {
    const { u32 } = this.memory;
    let entry = node + Node.DIRECTORY;
    const stop = entry + this.rrsetCount(node) * ENTRY_BYTES;
    for (; entry < stop; entry += ENTRY_BYTES) {
      if ((u32[entry / 4]! & 0xffff) === type) return entry;
    }
    return NOT_FOUND;
  }

  /** 0 for an empty non-terminal. */
  rrsetCount(node: number): number {
    return this.memory.u32[(node + Node.RRSETS) / 4]! & 0xffff;
  }

  flags(node: number): number {
    return this.memory.u8[node + Node.FLAGS]!;
  }

  #probe(hash: number, lower: Uint8Array, start: number, length: number, wildcard: boolean): number {
    const table = this.#currentTable();
    const { i32 } = this.memory;
    const capacity = i32[table]!;
    const mask = capacity - 1;
    const slots = table + 1;
    let index = hash & mask;
    for (let probes = 0; probes < capacity; probes++) {
      // Read plainly, a slot tells that the name is not here, and is read again to be followed: only an atomic load
      // brings what the node holds with it. It costs a call, and most slots on the way are others'.
      const seen = i32[slots + index]!;
      if (seen === EMPTY) return NOT_FOUND;
      if (((seen ^ hash) & ~REFERENCE_MASK) === 0) {
        const slot = Atomics.load(i32, slots + index);
        if (slot !== GONE) {
          const node = this.#follow(slot & REFERENCE_MASK);
          if (this.memory.i32[node / 4] === hash && this.#hasName(node, lower, start, length, wildcard))
            return node;
        }
      }
      index = (index + 1) & mask;
    }
    return NOT_FOUND;
  }

  /**
   * The word index of the table. It is replaced as a whole when it grows, which is seldom: as long as their count, read
   * plainly, is what it was, the one last met is whole, and no writer's yet. For had it been replaced before this
   * reader's epoch, the epoch would have brought the new count with it.
   */
  #currentTable(): number {
    const { i32 } = this.memory;
    if (i32[Header.TABLES] !== this.#tables) {
      this.#tables = Atomics.load(i32, Header.TABLES);
      this.#table = this.#follow(Atomics.load(i32, Header.TABLE)) / 4;
    }
    return this.#table;
  }

  #hasName(node: number, lower: Uint8Array, start: number, length: number, wildcard: boolean): boolean {
    const { u8 } = this.memory;
    const nameLength = u8[node + Node.NAME_LENGTH]!;
    let at = node + Node.DIRECTORY + this.rrsetCount(node) * ENTRY_BYTES;
    if (wildcard) {
      if (nameLength !== length + 2 || u8[at] !== 1 || u8[at + 1] !== 0x2a) return false;
      at += 2;
    } else if (nameLength !== length) {
      return false;
    }
    for (let i = 0; i < length; i++) if (u8[at + i] !== lower[start + i]) return false;
    return true;
  }

  /** A reference's octet offset, with views that reach it. */
  #follow(reference: number): number {
    const offset = reference * UNIT;
    if (offset >= this.memory.u8.length) this.memory.refresh();
    return offset;
  }
}
