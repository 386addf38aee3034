/** Room for the many short octet strings of a zone file, cut from large buffers: a third of the memory of one buffer each. */
import { MAX_LABEL_LENGTH, MAX_NAME_LENGTH, Name } from "../wire/name.ts";

/** Octets of one buffer. Small enough that a forgotten record does not hold much. */
const CHUNK = 0x10000;
const DOT = 0x2e;

/** Characters that stand for themselves in a label: letters, digits, hyphen, underscore. */
const PLAIN = new Uint8Array(128);
for (const c of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
  PLAIN[c.charCodeAt(0)] = 1;

export class OctetPool {
  #chunk = new Uint8Array(CHUNK);
  #used = 0;

  /** A copy of `octets`, which may then be reused. */
  copy(octets: Uint8Array): Uint8Array {
    const { length } = octets;
    if (length > CHUNK / 8) return octets.slice();
    const at = this.#reserve(length);
    this.#chunk.set(octets, at);
    return this.#take(length);
  }

  /**
   * The name that `text` from `start` to `end` stands for, where it is a relative one of plain labels;
   * undefined for everything else, which {@link Name.parse} reads, or refuses with a reason.
   */
  plainName(text: string, start: number, end: number, origin: Name): Name | undefined {
    const length = end - start + 1 + origin.wire.length;
    if (end <= start || length > MAX_NAME_LENGTH) return undefined;
    const at = this.#reserve(length);
    const chunk = this.#chunk;
    let labelAt = at;
    for (let i = start; i < end; i++) {
      const c = text.charCodeAt(i);
      const to = at + 1 + i - start;
      if (c === DOT) {
        const label = to - labelAt - 1;
        if (label === 0 || label > MAX_LABEL_LENGTH) return undefined;
        chunk[labelAt] = label;
        labelAt = to;
      } else if (c > 0x7f || PLAIN[c] === 0) {
        return undefined;
      } else {
        chunk[to] = c;
      }
    }
    const label = at + 1 + end - start - labelAt - 1;
    if (label === 0 || label > MAX_LABEL_LENGTH) return undefined;
    chunk[labelAt] = label;
    chunk.set(origin.wire, at + length - origin.wire.length);
    return Name.fromTrustedWire(this.#take(length));
  }

  /** Offset in the chunk where `length` octets fit. */
  #reserve(length: number): number {
    if (this.#used + length > CHUNK) {
      this.#chunk = new Uint8Array(CHUNK);
      this.#used = 0;
    }
    return this.#used;
  }

  #take(length: number): Uint8Array {
    const at = this.#used;
    this.#used += length;
    return this.#chunk.subarray(at, at + length);
  }
}
