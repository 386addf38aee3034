/** RDATA being put together, at most 65,535 octets long (RDLENGTH has 16 bits, RFC 1035 §3.2.1). */
import { RdataSyntaxError } from "./text.ts";

/** Longest RDATA, in octets. */
export const MAX_RDATA_LENGTH = 0xffff;

/** A growing row of octets. */
export class RdataOutput {
  #bytes = new Uint8Array(64);
  #length = 0;

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    this.u8(value >>> 8);
    this.u8(value & 0xff);
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  bytes(octets: Uint8Array): void {
    const at = this.#reserve(octets.length);
    this.#bytes.set(octets, at);
  }

  /** Octets behind an 8-bit count: a <character-string>. At most 255. */
  counted8(octets: Uint8Array): void {
    this.u8(octets.length);
    this.bytes(octets);
  }

  /** Octets behind a 16-bit count. */
  counted16(octets: Uint8Array): void {
    this.u16(octets.length);
    this.bytes(octets);
  }

  /** A copy of the octets so far. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(length: number): number {
    const at = this.#length;
    const need = at + length;
    if (need > MAX_RDATA_LENGTH) throw new RdataSyntaxError(`RDATA has at most ${MAX_RDATA_LENGTH} octets`);
    if (need > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#length = need;
    return at;
  }
}
