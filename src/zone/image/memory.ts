/**
 * The shared memory of one image: a buffer that grows in place.
 *
 * The views have a fixed length and are made anew after growth: V8 reads through a length-tracking view about seven
 * times slower. A reader that meets a reference beyond its view makes its views anew (`refresh`). No block lies across
 * a length the buffer ever had, so a view that reaches a block's first octet reaches all of it.
 */
/** Address space asked for an image: what a reference reaches. Memory is only taken as it grows. */
const MAX_RESERVE = 4 * 1024 ** 3;
const MIN_RESERVE = 64 * 1024 ** 2;
const INITIAL_BYTES = 64 * 1024;

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
