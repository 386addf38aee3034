/**
 * The shared memory of one image: a buffer that grows in place, and a heap of blocks in it that the writer manages.
 *
 * The views have a fixed length and are made anew after growth: V8 reads through a length-tracking view about seven
 * times slower. A reader that meets a reference beyond its view makes its views anew (`refresh`). No block lies across
 * a length the buffer ever had, so a view that reaches a block's first octet reaches all of it.
 */
import type { Epochs } from "./epochs.ts";
import { HEADER_BYTES, UNIT, UNIT_SHIFT } from "./layout.ts";

/** Address space asked for an image: what a reference reaches. Memory is only taken as it grows. */
const MAX_RESERVE = 4 * 1024 ** 3;
const MIN_RESERVE = 64 * 1024 ** 2;
const INITIAL_BYTES = 64 * 1024;
const LARGEST_STEP = 32 * 1024 ** 2;

/** Units up to this have a free list of their own each; larger blocks are rounded up to a geometric series. */
const EXACT_UNITS = 64;
/** What is left before the end of a buffer that grows becomes free blocks of this many units: an ordinary host's node. */
const TAIL_UNITS = 6;

/** An image outgrew what can be addressed. */
export class ImageFullError extends Error {
  override readonly name = "ImageFullError";
  readonly code = "IMAGE_FULL";
}

/** Views of an image's memory; what a reader thread needs. */
export class ImageMemory {
  readonly buffer: SharedArrayBuffer;
  u8!: Uint8Array;
  u32!: Uint32Array;
  /** The same words, signed, for Atomics on header and slots. */
  i32!: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.refresh();
  }

  /** Makes views that reach as far as the buffer does now. */
  refresh(): void {
    const length = this.buffer.byteLength;
    this.u8 = new Uint8Array(this.buffer, 0, length);
    this.u32 = new Uint32Array(this.buffer, 0, Math.floor(length / 4));
    this.i32 = new Int32Array(this.buffer, 0, Math.floor(length / 4));
  }
}

/**
 * Reserves address space and takes the first pages.
 * @param most octets that the image can grow to
 * @throws ImageFullError where not even the smallest can be had
 */
export function allocateImageBuffer(most: number = MAX_RESERVE): SharedArrayBuffer {
  for (let reserve = most; reserve >= Math.min(most, MIN_RESERVE); reserve /= 2) {
    try {
      return new SharedArrayBuffer(INITIAL_BYTES, { maxByteLength: reserve });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new ImageFullError(
    "no address space for a zone image: raise the limit on virtual memory (ulimit -v)",
  );
}

/** The writer's heap over an image's memory. */
export class ImageHeap {
  readonly memory: ImageMemory;
  readonly #epochs: Epochs;
  /** First unit never used yet. */
  #top = HEADER_BYTES >> UNIT_SHIFT;
  /** Free blocks by size in units. */
  readonly #free = new Map<number, number[]>();
  /** Retired in the current epoch: reference, units, alternating. */
  #retired: number[] = [];
  /** Retired in closed epochs, oldest first. */
  readonly #waiting: { tag: number; blocks: number[] }[] = [];
  #freeUnits = 0;

  constructor(memory: ImageMemory, epochs: Epochs) {
    this.memory = memory;
    this.#epochs = epochs;
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

  /** Gives a block back once every reader has left the current epoch. */
  retire(reference: number, units: number): void {
    this.#retired.push(reference, units);
  }

  /** Closes the epoch after a publication, and takes back what no reader can be in any more. */
  publish(): void {
    if (this.#retired.length > 0) {
      this.#waiting.push({ tag: this.#epochs.advance(), blocks: this.#retired });
      this.#retired = [];
    }
    while (this.#waiting.length > 0 && this.#epochs.isOver(this.#waiting[0]!.tag)) {
      const { blocks } = this.#waiting.shift()!;
      for (let i = 0; i < blocks.length; i += 2) this.#release(blocks[i]!, blocks[i + 1]!);
    }
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
