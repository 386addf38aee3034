/** The writer's heap of blocks in an image's memory. */
import type { Epochs } from "./epochs.ts";
import { HEADER_BYTES, UNIT, UNIT_SHIFT } from "./layout.ts";
import { ImageFullError, type ImageMemory } from "./memory.ts";
import { type Pin, RetiredBlocks } from "./retired.ts";

/** Octets that snapshots may keep from being used again: these, or as many as the image has in use where those are more. */
const MAX_KEPT = 64 * 1024 ** 2;
/** Octets that the memory grows by at most. */
const LARGEST_STEP = 32 * 1024 ** 2;
/** Units up to this have a free list of their own each; larger blocks are rounded up to a geometric series. */
const EXACT_UNITS = 64;
/** What is left before the end of a buffer that grows becomes free blocks of this many units: an ordinary host's node. */
const TAIL_UNITS = 6;

export class ImageHeap {
  readonly memory: ImageMemory;
  readonly #retired: RetiredBlocks;
  /** First unit never used yet. */
  #top = HEADER_BYTES >> UNIT_SHIFT;
  /** Free blocks by size in units. */
  readonly #free = new Map<number, number[]>();
  #freeUnits = 0;

  constructor(memory: ImageMemory, epochs: Epochs) {
    this.memory = memory;
    this.#retired = new RetiredBlocks(epochs);
  }

  /** Octets of the heap that hold live or retired blocks. */
  get usedBytes(): number {
    return (this.#top - this.#freeUnits) * UNIT;
  }

  /** The number of units a block of this many octets is given. */
  static unitsFor(bytes: number): number {
    const units = (bytes + UNIT - 1) >>> UNIT_SHIFT;
    if (units <= EXACT_UNITS) return units;
    let size = EXACT_UNITS;
    while (size < units) size += Math.max(1, size >> 2);
    return size;
  }

  /** Takes a block of `units`, its contents undefined. @throws ImageFullError */
  allocate(units: number): number {
    const list = this.#free.get(units);
    const reused = list?.pop();
    if (reused !== undefined) {
      this.#freeUnits -= units;
      return reused;
    }
    if ((this.#top + units) * UNIT > this.memory.buffer.byteLength) this.#grow(units);
    const reference = this.#top;
    this.#top = reference + units;
    return reference;
  }

  /** Gives a block back once every reader has left the current epoch, and every snapshot taken before is closed. */
  retire(reference: number, units: number): void {
    this.#retired.add(reference, units);
  }

  /** Keeps all blocks of today as they are, until it is let go or keeps too much: {@link MAX_KEPT}. */
  pin(): Pin {
    return this.#retired.pin();
  }

  /** Closes the epoch after a publication, and takes back what nobody can be in any more. */
  publish(): void {
    const retired = this.#retired;
    retired.close();
    this.#takeBack();
    while (retired.units > this.#mostKept && retired.dropOldestPin()) this.#takeBack();
  }

  /** Units that pins may keep. */
  get #mostKept(): number {
    return Math.max(MAX_KEPT / UNIT, this.#top - this.#freeUnits - this.#retired.units);
  }

  #takeBack(): void {
    this.#retired.takeBack((reference, units) => this.#release(reference, units));
  }

  #release(reference: number, units: number): void {
    this.#freeUnits += units;
    const list = this.#free.get(units);
    if (list === undefined) this.#free.set(units, [reference]);
    else list.push(reference);
  }

  /** Grows the buffer so that `units` fit behind its present end, which no block may lie across. */
  #grow(units: number): void {
    const { buffer } = this.memory;
    const end = buffer.byteLength;
    const bytes = end + units * UNIT;
    if (bytes > buffer.maxByteLength) {
      throw new ImageFullError(`a zone image cannot grow beyond ${buffer.maxByteLength} octets`);
    }
    const step = Math.min(LARGEST_STEP, end);
    buffer.grow(Math.min(buffer.maxByteLength, Math.max(bytes, end + step)));
    this.memory.refresh();
    for (let left = end / UNIT - this.#top; left > 0; left = end / UNIT - this.#top) {
      const piece = Math.min(left, TAIL_UNITS);
      this.#release(this.#top, piece);
      this.#top += piece;
    }
  }
}
