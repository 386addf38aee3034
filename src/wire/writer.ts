/** Writes a DNS message field by field, with name compression (RFC 1035 §4.1.4) and a hard size limit. */
import { WireError } from "./error.ts";
import { RrClass } from "./iana/class.ts";
import type { Name } from "./name.ts";
import type { Question, ResourceRecord } from "./record.ts";
import { writeRdata } from "./rdata/rdata.ts";

/** The largest DNS message: the length prefix of TCP has 16 bits (RFC 1035 §4.2.2). */
export const MAX_MESSAGE_LENGTH = 65_535;
/** Octets of the header (RFC 1035 §4.1.1). */
export const HEADER_LENGTH = 12;
/** A pointer holds 14 bits of offset. */
const MAX_POINTER_TARGET = 0x3fff;

/** Octets of buffer that a writer keeps from one message to the next. */
const KEPT_CAPACITY = 4096;

/** A growing message. `mark` and `rewind` take back what did not fit. */
export class WireWriter {
  /** Largest length the message may reach, in octets. */
  limit: number;
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  /** Lower-cased suffix key -> offset of its first occurrence, in whatever case. */
  readonly #suffixes = new Map<string, number>();

  constructor(limit: number = MAX_MESSAGE_LENGTH, initialCapacity = 512) {
    this.limit = limit;
    this.#bytes = new Uint8Array(Math.min(limit, initialCapacity));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Begins another message of up to `limit` octets. A buffer that grew large is not kept. */
  restart(limit: number): void {
    if (this.#bytes.length > KEPT_CAPACITY) {
      this.#bytes = new Uint8Array(KEPT_CAPACITY);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.limit = limit;
    this.#length = 0;
    this.#suffixes.clear();
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#reserve(1); // first: it may replace the buffer
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
  }

  u48(value: number): void {
    this.u16(Math.floor(value / 0x1_0000_0000));
    this.u32(value % 0x1_0000_0000);
  }

  bytes(octets: Uint8Array): void {
    const at = this.#reserve(octets.length);
    this.#bytes.set(octets, at);
  }

  /** A part of `octets`; for the few octets of a label quicker than a view. */
  #part(octets: Uint8Array, from: number, length: number): void {
    const at = this.#reserve(length);
    for (let i = 0; i < length; i++) this.#bytes[at + i] = octets[from + i]!;
  }

  /** Overwrites a 16-bit field written before, e.g. a count in the header. */
  patchU16(offset: number, value: number): void {
    this.#view.setUint16(offset, value);
  }

  /**
   * A name; `compress` allows a pointer to an earlier occurrence, whose labels must be the same in the same case: a
   * pointer to another case would lose this one, and names keep their case (RFC 4343 §4; BIND does likewise).
   */
  name(name: Name, compress: boolean): void {
    const { wire, key } = name;
    for (let at = 0; wire[at] !== 0; at += wire[at]! + 1) {
      const suffix = at === 0 ? key : key.slice(at);
      const seen = this.#suffixes.get(suffix);
      if (compress && seen !== undefined && this.#isSame(seen, wire, at)) {
        this.u16(0xc000 | seen);
        return;
      }
      if (seen === undefined && this.#length <= MAX_POINTER_TARGET) this.#suffixes.set(suffix, this.#length);
      this.#part(wire, at, wire[at]! + 1);
    }
    this.u8(0);
  }

  question(question: Question): void {
    this.name(question.name, true);
    this.u16(question.type);
    this.u16(question.class);
  }

  /** A whole record, its owner and (for the types that allow it) the names in its RDATA compressed. */
  record(rr: ResourceRecord): void {
    this.name(rr.name, true);
    this.u16(rr.type);
    this.u16(rr.class);
    this.u32(rr.ttl);
    const lengthAt = this.#length;
    this.u16(0);
    // Other classes' RDATA is kept as it came, whatever its type (see `decodeMessage`).
    if (rr.class === RrClass.IN || rr.class === RrClass.NONE) writeRdata(rr.type, rr.rdata, this);
    else this.bytes(rr.rdata);
    this.patchU16(lengthAt, this.#length - lengthAt - 2);
  }

  /** A place to come back to with {@link rewind}. */
  mark(): number {
    return this.#length;
  }

  /** Takes back everything written since `mark`. */
  rewind(mark: number): void {
    this.#length = mark;
    // Suffixes are few behind a mark, and rewinding is rare: a scan is cheaper than keeping them sorted.
    for (const [suffix, offset] of this.#suffixes) if (offset >= mark) this.#suffixes.delete(suffix);
  }

  /** A copy of the message so far. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Whether the name at `offset` here is `wire` from `at` on, in case too. That they are equal but for case is known. */
  #isSame(offset: number, wire: Uint8Array, at: number): boolean {
    const bytes = this.#bytes;
    let here = offset;
    let there = at;
    for (;;) {
      while (bytes[here]! >= 0xc0) here = ((bytes[here]! & 0x3f) << 8) | bytes[here + 1]!;
      const length = wire[there]!;
      if (length === 0) return true;
      for (let i = 1; i <= length; i++) if (bytes[here + i] !== wire[there + i]) return false;
      here += length + 1;
      there += length + 1;
    }
  }

  #reserve(length: number): number {
    const at = this.#length;
    const need = at + length;
    if (need > this.limit)
      throw new WireError("WIRE_FULL", `the message would outgrow ${this.limit} octets`, at);
    if (need > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.limit, Math.max(need, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = need;
    return at;
  }
}
