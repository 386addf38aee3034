/** Names on their way into a lookup: lower-cased, split into labels, every suffix hashed in one pass, nothing allocated. */
import { LOWER, MAX_NAME_LENGTH } from "../../wire/name.ts";

/** Labels of the longest name, the root not counted. */
export const MAX_LABELS = 127;

/** The secret of a process's hash tables: whoever does not know it cannot choose names that collide. */
export interface HashSeed {
  readonly seed: number;
  /** Odd. */
  readonly multiplier: number;
}

/** Makes a seed of 8 random octets. */
export function hashSeed(random: Uint8Array): HashSeed {
  const view = new DataView(random.buffer, random.byteOffset, random.byteLength);
  return { seed: view.getInt32(0), multiplier: view.getInt32(4) | 1 };
}

/** One step of the hash: one octet in. The shift keeps the multiplication's weak low bits from staying weak. */
function mix(hash: number, octet: number, multiplier: number): number {
  const mixed = Math.imul(hash ^ octet, multiplier);
  return mixed ^ (mixed >>> 15);
}

/** A name taken apart. One instance serves any number of lookups, one at a time. */
export class NameScratch {
  /** The whole name, lower-cased, in wire form. */
  readonly lower: Uint8Array = new Uint8Array(MAX_NAME_LENGTH + 1);
  /** Offset of label i in `lower`, leftmost first; `offsets[labels]` is the root's. */
  readonly offsets: Uint8Array = new Uint8Array(MAX_LABELS + 1);
  /** Hash of the suffix that begins with label i; `hashes[labels]` is the root's. */
  readonly hashes: Int32Array = new Int32Array(MAX_LABELS + 1);
  /** Octets of the name, the root label among them. */
  length = 0;
  /** Labels, the root not counted. */
  labels = 0;
  readonly #seed: number;
  readonly #multiplier: number;

  constructor(seed: HashSeed) {
    this.#seed = seed.seed;
    this.#multiplier = seed.multiplier;
  }

  /**
   * Takes the uncompressed name at `offset`.
   * @returns octets read; 0 where it is not a valid uncompressed name within `end`
   */
  load(bytes: Uint8Array, offset: number, end: number): number {
    const { lower, offsets } = this;
    let at = offset;
    let length = 0;
    let labels = 0;
    for (;;) {
      if (at >= end) return 0;
      const size = bytes[at]!;
      if (size === 0) break;
      if (size > 63 || length + size + 2 > MAX_NAME_LENGTH || at + size >= end) return 0;
      offsets[labels++] = length;
      lower[length++] = size;
      at++;
      for (const stop = at + size; at < stop; at++) lower[length++] = LOWER[bytes[at]!]!;
    }
    offsets[labels] = length;
    lower[length++] = 0;
    this.length = length;
    this.labels = labels;
    this.#hash();
    return length;
  }

  /** Hash of the name `*` directly below the suffix that begins with label `index`. */
  wildcardHash(index: number): number {
    return mix(mix(this.hashes[index]!, 1, this.#multiplier), 0x2a, this.#multiplier);
  }

  /** Whether this name is, or is below, the suffix of another that begins with its label `index`. */
  endsWith(other: NameScratch, index: number): boolean {
    const labels = other.labels - index;
    if (labels > this.labels) return false;
    const from = this.offsets[this.labels - labels]!;
    const suffix = other.offsets[index]!;
    if (this.length - from !== other.length - suffix) return false;
    for (let i = from; i < this.length; i++) {
      if (this.lower[i] !== other.lower[suffix + i - from]) return false;
    }
    return true;
  }

  #hash(): void {
    const { lower, offsets, hashes } = this;
    const multiplier = this.#multiplier;
    // As an integer from the start: a number of any kind would be converted at every label.
    let hash = this.#seed | 0;
    let stop = this.length - 1;
    hashes[this.labels] = hash;
    for (let i = this.labels - 1; i >= 0; i--) {
      const start = offsets[i]!;
      for (let at = start; at < stop; at++) {
        const mixed = Math.imul(hash ^ lower[at]!, multiplier);
        hash = mixed ^ (mixed >>> 15);
      }
      hashes[i] = hash;
      stop = start;
    }
  }
}
