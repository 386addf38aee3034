/** Reads a DNS message field by field (RFC 1035 §4.1), with bounded work whatever the octets are. */
import { WireError } from "./error.ts";
import { MAX_LABEL_LENGTH, MAX_NAME_LENGTH, Name, uncompressedLength } from "./name.ts";

/**
 * Compression pointers one message may follow in all. A well-formed message needs one for each name; this bounds the
 * work that a chain of pointers can cost without ever refusing an honest 64 KiB message.
 */
const POINTER_BUDGET = 65_536;

/** The labels of the name being decompressed. Nothing is kept here between calls. */
const SCRATCH = new Uint8Array(MAX_NAME_LENGTH);

/** A cursor over the octets of one message. */
export class WireReader {
  readonly bytes: Uint8Array;
  /** Offset of the next octet to be read. */
  offset: number;
  /** Offset after the last octet that may be read. */
  end: number;
  #pointersLeft = POINTER_BUDGET;
  /** The last name that was spelt out, and where it begins: the records behind it often have the same owner. */
  #last: Name | undefined;
  #lastAt = -1;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    // A Buffer's `slice` does not copy, so none is let in.
    this.bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  // By octets: a DataView needs the array's buffer, and asking for that moves a short array out of V8's heap.

  u8(): number {
    return this.bytes[this.#take(1)]!;
  }

  u16(): number {
    const at = this.#take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  u32(): number {
    return this.#u32At(this.#take(4));
  }

  /** A 48-bit unsigned integer, as TSIG's Time Signed. */
  u48(): number {
    const at = this.#take(6);
    return ((this.bytes[at]! << 8) | this.bytes[at + 1]!) * 0x1_0000_0000 + this.#u32At(at + 2);
  }

  /** Passes over octets. */
  skip(length: number): void {
    this.#take(length);
  }

  /** A view of the next `length` octets, not a copy. */
  take(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A copy of the next `length` octets. */
  copy(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.slice(at, at + length);
  }

  /**
   * A name, decompressed (RFC 1035 §4.1.4). Every pointer must lead strictly backwards of the place the name or the
   * previous pointer's target began, so no loop can be written.
   */
  name(): Name {
    const { bytes, end } = this;
    const start = this.offset;
    let at = start;
    let limit = at; // a pointer must lead before this
    let behind = -1; // where the name ends in the message, once a pointer was met
    let runAt = at; // labels not yet copied begin here
    let copied = 0; // octets in SCRATCH
    for (;;) {
      if (at >= end) throw new WireError("WIRE_SHORT", "the message ends inside a name", at);
      const length = bytes[at]!;
      if (length <= MAX_LABEL_LENGTH) {
        if (at + length + 1 > end) throw new WireError("WIRE_SHORT", "the message ends inside a label", at);
        at += length + 1;
        if (copied + at - runAt > MAX_NAME_LENGTH)
          throw new WireError("WIRE_NAME", "a name over 255 octets", start);
        if (length === 0) break;
        continue;
      }
      if (length < 0xc0) throw new WireError("WIRE_NAME", "an unknown label type", at);
      if (at + 2 > end) throw new WireError("WIRE_SHORT", "the message ends inside a pointer", at);
      const target = ((length & 0x3f) << 8) | bytes[at + 1]!;
      if (target >= limit)
        throw new WireError("WIRE_NAME", "a compression pointer that does not lead backwards", at);
      if (at === start && target === this.#lastAt) {
        this.offset = at + 2;
        return this.#last!;
      }
      if (--this.#pointersLeft < 0) throw new WireError("WIRE_NAME", "too many compression pointers", at);
      if (behind < 0) behind = at + 2;
      copied = copyRun(bytes, runAt, at, copied);
      runAt = target;
      limit = target;
      at = target;
    }
    this.offset = behind < 0 ? at : behind;
    this.#lastAt = copied === 0 ? runAt : start;
    const wire = copied === 0 ? bytes.slice(runAt, at) : SCRATCH.slice(0, copyRun(bytes, runAt, at, copied));
    return (this.#last = Name.fromTrustedWire(wire));
  }

  /**
   * A name without compression pointers, as in RDATA held in memory.
   * @throws WireError `WIRE_NAME` for a pointer or a name over 255 octets, `WIRE_SHORT` where it runs past the end
   */
  plainName(): Name {
    const length = uncompressedLength(this.bytes, this.offset);
    const at = this.#take(length);
    return Name.fromTrustedWire(this.bytes.slice(at, at + length));
  }

  #u32At(at: number): number {
    const { bytes } = this;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  #take(length: number): number {
    const at = this.offset;
    if (length > this.end - at)
      throw new WireError("WIRE_SHORT", `the message ends ${length - (this.end - at)} octets early`, at);
    this.offset = at + length;
    return at;
  }
}

/** Copies the labels from `from` to `to` behind the `copied` octets of SCRATCH; gives how many are there then. */
function copyRun(bytes: Uint8Array, from: number, to: number, copied: number): number {
  // Labels are short: a loop is quicker than a view and `set`.
  for (let i = from; i < to; i++) SCRATCH[copied + i - from] = bytes[i]!;
  return copied + to - from;
}
