/** Reads a DNS message field by field (RFC 1035 §4.1), with bounded work whatever the octets are. */
import { WireError } from "./error.ts";
import { MAX_LABEL_LENGTH, MAX_NAME_LENGTH, Name, uncompressedLength } from "./name.ts";

/**
 * Compression pointers one message may follow in all. A well-formed message needs one for each name; this bounds the
 * work that a chain of pointers can cost without ever refusing an honest 64 KiB message.
 */
const POINTER_BUDGET = 65_536;

/** A cursor over the octets of one message. */
export class WireReader {
  readonly bytes: Uint8Array;
  /** Offset of the next octet to be read. */
  offset: number;
  /** Offset after the last octet that may be read. */
  end: number;
  readonly #view: DataView;
  #pointersLeft = POINTER_BUDGET;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    // A Buffer's `slice` does not copy, so none is let in.
    this.bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
    this.end = end;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  /** A 48-bit unsigned integer, as TSIG's Time Signed. */
  u48(): number {
    const at = this.#take(6);
    return this.#view.getUint16(at) * 0x1_0000_0000 + this.#view.getUint32(at + 2);
  }

  /** A view of the next `length` octets, not a copy. */
  take(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /**
   * A name, decompressed (RFC 1035 §4.1.4). Every pointer must lead strictly backwards of the place the name or the
   * previous pointer's target began, so no loop can be written.
   */
  name(): Name {
    const wire: number[] = [];
    let at = this.offset;
    let limit = at; // a pointer must lead before this
    let end = -1; // where the name ends in the message, once a pointer was met
    for (;;) {
      if (at >= this.end) throw new WireError("WIRE_SHORT", "the message ends inside a name", at);
      const length = this.bytes[at]!;
      if (length <= MAX_LABEL_LENGTH) {
        if (at + length + 1 > this.end)
          throw new WireError("WIRE_SHORT", "the message ends inside a label", at);
        if (wire.length + length + 1 > MAX_NAME_LENGTH)
          throw new WireError("WIRE_NAME", "a name over 255 octets", this.offset);
        for (let i = 0; i <= length; i++) wire.push(this.bytes[at + i]!);
        at += length + 1;
        if (length === 0) break;
        continue;
      }
      if (length < 0xc0) throw new WireError("WIRE_NAME", "an unknown label type", at);
      if (at + 2 > this.end) throw new WireError("WIRE_SHORT", "the message ends inside a pointer", at);
      const target = ((length & 0x3f) << 8) | this.bytes[at + 1]!;
      if (target >= limit)
        throw new WireError("WIRE_NAME", "a compression pointer that does not lead backwards", at);
      if (--this.#pointersLeft < 0) throw new WireError("WIRE_NAME", "too many compression pointers", at);
      if (end < 0) end = at + 2;
      limit = target;
      at = target;
    }
    this.offset = end < 0 ? at : end;
    return Name.fromTrustedWire(Uint8Array.from(wire));
  }

  /**
   * A name without compression pointers, as in RDATA held in memory.
   * @throws WireError `WIRE_NAME` for a pointer or a name over 255 octets, `WIRE_SHORT` where it runs past the end
   */
  plainName(): Name {
    const length = uncompressedLength(this.bytes, this.offset);
    return Name.fromTrustedWire(this.take(length));
  }

  #take(length: number): number {
    const at = this.offset;
    if (length > this.end - at)
      throw new WireError("WIRE_SHORT", `the message ends ${length - (this.end - at)} octets early`, at);
    this.offset = at + length;
    return at;
  }
}
