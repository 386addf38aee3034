/**
 * Packs the records of a transfer into messages (RFC 5936 §2.2), lazily and one message at a time, with name compression
 * of its own: a zone's worth of names goes through here, and the general writer's map of suffixes would take most of the
 * time.
 *
 * The question stands in the first message only (RFC 5936 §2.2.2 leaves the others free; BIND and NSD do likewise), and
 * so does OPT (RFC 5936 §2.2.5).
 */
import type { RecordCursor } from "../wire/cursor.ts";
import { ObjectCursor } from "../wire/cursor.ts";
import { WireError } from "../wire/error.ts";
import type { Edns } from "../wire/edns.ts";
import { writeEdns } from "../wire/edns.ts";
import { RrType, typeToText } from "../wire/iana/type.ts";
import { Name } from "../wire/name.ts";
import type { Question, ResourceRecord } from "../wire/record.ts";
import { HEADER_LENGTH, MAX_MESSAGE_LENGTH, WireWriter } from "../wire/writer.ts";

/** Furthest octet a compression pointer reaches (RFC 1035 §4.1.4). */
const MAX_POINTER_TARGET = 0x3fff;
/** Octets of type, class, TTL and RDLENGTH. */
const FIXED_LENGTH = 10;
/** Offset of ANCOUNT; ARCOUNT is four octets on. */
const ANCOUNT_OFFSET = 6;

export interface PackingOptions {
  /** Of the request. */
  readonly id: number;
  /** The header's whole flags word: QR and AA among them, RCODE 0. */
  readonly flags: number;
  readonly question: Question;
  /** Octets of the longest message, at most 65,535 (the default). */
  readonly limit?: number;
  /** Octets to leave free in each message, for TSIG. */
  readonly reserve?: number;
  /**
   * A message that has come past this many octets takes no more records. By default that is where compression pointers
   * no longer reach: names written behind it can not be pointed to, so that longer messages make the whole transfer
   * longer. NSD and Knot do the same.
   */
  readonly fullAt?: number;
  /** One record in each message, for receivers that know no better. */
  readonly oneAnswer?: boolean;
  /** Written into the first message. */
  readonly edns?: Edns | undefined;
}

/**
 * Packs records into messages.
 * @throws WireError `WIRE_FULL`, while iterating, for a record that no message of this limit can hold
 */
export function* packRecords(
  records: Iterable<ResourceRecord>,
  options: PackingOptions,
): Generator<Uint8Array, void, undefined> {
  const cursor = new ObjectCursor(records);
  try {
    yield* packCursors([cursor], options);
  } finally {
    cursor.close();
  }
}

/**
 * Packs the records of cursors, one after the other, into messages.
 * @throws WireError `WIRE_FULL`, while iterating, for a record that no message of this limit can hold
 */
export function* packCursors(
  cursors: Iterable<RecordCursor>,
  options: PackingOptions,
): Generator<Uint8Array, void, undefined> {
  const { limit = MAX_MESSAGE_LENGTH, reserve = 0, fullAt = MAX_POINTER_TARGET, oneAnswer = false } = options;
  const opt = options.edns === undefined ? undefined : encodeOpt(options.edns);
  const message = new Packing(options.id, options.flags);
  message.begin(options.question);
  let room = limit - reserve - (opt?.length ?? 0);
  let isFirst = true;
  for (const cursor of cursors) {
    while (cursor.next()) {
      const isFull = message.count > 0 && (message.length > fullAt || oneAnswer);
      if (!isFull && message.add(cursor, room)) continue;
      if (message.count === 0) throw tooLong(cursor, room);
      yield message.finish(isFirst ? opt : undefined);
      isFirst = false;
      room = limit - reserve;
      message.begin(undefined);
      if (!message.add(cursor, room)) throw tooLong(cursor, room);
    }
  }
  if (message.count > 0) yield message.finish(isFirst ? opt : undefined);
}

function tooLong({ owner, ownerLength, type, rdataLength }: RecordCursor, room: number): WireError {
  const name = Name.fromTrustedWire(owner.slice(0, ownerLength));
  const what = `a ${typeToText(type)} record of ${name.toString()} with ${rdataLength} octets`;
  return new WireError("WIRE_FULL", `${what} does not fit a message of ${room} octets`);
}

function encodeOpt(edns: Edns): Uint8Array {
  const writer = new WireWriter();
  writeEdns(writer, edns);
  return writer.finish();
}

/** Slots of the suffix table: a power of two. */
const SLOTS = 4096;
/** Suffixes remembered at most, so that a free slot is always near. More of them than this fit 16 KiB only on purpose. */
const MAX_SUFFIXES = 2048;

/** A name's labels while it is looked up: where each begins, and the hash of the suffix from it on. */
const labelAt = new Uint8Array(128);
const suffixHash = new Uint32Array(128);

/** One message being packed, its buffer and suffix table used again for the next. */
class Packing {
  length = 0;
  /** Records in it. */
  count = 0;
  readonly #id: number;
  readonly #flags: number;
  /** Room to write a record before it is known whether it fits. */
  readonly #bytes: Uint8Array = new Uint8Array(2 * MAX_MESSAGE_LENGTH + 512);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  /** Offset of a suffix in the low 14 bits, above them the message it belongs to: a new message empties the table. */
  readonly #slots: Uint32Array = new Uint32Array(SLOTS);
  #generation = 0;
  #suffixes = 0;
  /** A pointer to the owner written last; 0 where it can not be pointed to. */
  #ownerPointer = 0;

  constructor(id: number, flags: number) {
    this.#id = id;
    this.#flags = flags;
  }

  begin(question: Question | undefined): void {
    const view = this.#view;
    view.setUint16(0, this.#id);
    view.setUint16(2, this.#flags);
    view.setUint16(4, question === undefined ? 0 : 1);
    view.setUint32(ANCOUNT_OFFSET, 0);
    view.setUint16(ANCOUNT_OFFSET + 4, 0);
    this.length = HEADER_LENGTH;
    this.count = 0;
    this.#generation = (this.#generation + 1) & 0x3ffff;
    if (this.#generation === 0) {
      this.#slots.fill(0);
      this.#generation = 1;
    }
    this.#suffixes = 0;
    this.#ownerPointer = 0;
    if (question === undefined) return;
    this.#name(question.name.wire, 0);
    view.setUint16(this.length, question.type);
    view.setUint16(this.length + 2, question.class);
    this.length += 4;
  }

  /**
   * Adds the cursor's record where the message stays within `room` octets with it. Where it does not, the message is as it
   * was, but for the suffix table: {@link finish} it, or begin anew.
   */
  add(record: RecordCursor, room: number): boolean {
    const start = this.length;
    const view = this.#view;
    if (start + 2 + FIXED_LENGTH > room) return false;
    if (!record.ownerChanged && this.#ownerPointer !== 0) {
      view.setUint16(start, this.#ownerPointer);
      this.length = start + 2;
    } else {
      this.#name(record.owner, 0);
      this.#ownerPointer = start <= MAX_POINTER_TARGET && record.ownerLength > 1 ? 0xc000 | start : 0;
    }
    const { type } = record;
    const at = this.length;
    view.setUint16(at, type);
    view.setUint16(at + 2, record.class);
    view.setUint32(at + 4, record.ttl);
    this.length = at + FIXED_LENGTH;
    this.#rdata(type, record.rdata, record.rdataLength);
    view.setUint16(at + 8, this.length - at - FIXED_LENGTH);
    if (this.length <= room) {
      this.count++;
      return true;
    }
    this.length = start;
    return false;
  }

  /** A copy of the message, with the OPT record at its end where there is one. */
  finish(opt: Uint8Array | undefined): Uint8Array {
    this.#view.setUint16(ANCOUNT_OFFSET, this.count);
    if (opt === undefined) return this.#bytes.slice(0, this.length);
    this.#view.setUint16(ANCOUNT_OFFSET + 4, 1);
    const message = new Uint8Array(this.length + opt.length);
    message.set(this.#bytes.subarray(0, this.length));
    message.set(opt, this.length);
    return message;
  }

  /** RFC 3597 §4: names are compressed in the RDATA of RFC 1035's types alone; the obsolete ones of those go as they are. */
  #rdata(type: number, rdata: Uint8Array, length: number): void {
    switch (type) {
      case RrType.NS:
      case RrType.CNAME:
      case RrType.PTR:
        this.#name(rdata, 0);
        return;
      case RrType.MX:
        this.#copy(rdata, 0, 2);
        this.#name(rdata, 2);
        return;
      case RrType.SOA: {
        const rname = this.#name(rdata, 0);
        const numbers = this.#name(rdata, rname);
        this.#copy(rdata, numbers, length);
        return;
      }
      default:
        this.#copy(rdata, 0, length);
    }
  }

  /**
   * Writes the name that begins at `from`, compressed. Letter case must not change on the way (RFC 5936 §3.4), so a
   * suffix counts as known only in its very octets.
   * @returns offset in `wire` behind the name
   */
  #name(wire: Uint8Array, from: number): number {
    let labels = 0;
    let end = from;
    for (let length = wire[end]!; length !== 0; length = wire[end]!) {
      labelAt[labels++] = end - from;
      end += length + 1;
    }
    let hash = 0;
    for (let label = labels - 1, to = end; label >= 0; label--) {
      const at = from + labelAt[label]!;
      for (let i = at; i < to; i++) hash = Math.imul(hash ^ wire[i]!, 0x01000193);
      hash ^= hash >>> 15;
      suffixHash[label] = hash;
      to = at;
    }
    const start = this.length;
    const slots = this.#slots;
    for (let label = 0; label < labels; label++) {
      const at = labelAt[label]!;
      let slot = suffixHash[label]! & (SLOTS - 1);
      for (; slots[slot]! >>> 14 === this.#generation; slot = (slot + 1) & (SLOTS - 1)) {
        const offset = slots[slot]! & MAX_POINTER_TARGET;
        if (!this.#isAt(offset, wire, from + at)) continue;
        this.#copy(wire, from, from + at);
        this.#view.setUint16(this.length, 0xc000 | offset);
        this.length += 2;
        return end + 1;
      }
      if (start + at <= MAX_POINTER_TARGET && this.#suffixes < MAX_SUFFIXES) {
        slots[slot] = (this.#generation << 14) | (start + at);
        this.#suffixes++;
      }
    }
    this.#copy(wire, from, end + 1);
    return end + 1;
  }

  /** Whether the name at `offset` of the message is that at `at` of `wire`, octet by octet. */
  #isAt(offset: number, wire: Uint8Array, at: number): boolean {
    const bytes = this.#bytes;
    for (let from = offset, to = at; ;) {
      const length = bytes[from]!;
      if (length >= 0xc0) {
        from = ((length & 0x3f) << 8) | bytes[from + 1]!;
        continue;
      }
      if (length !== wire[to]!) return false;
      if (length === 0) return true;
      for (let i = 1; i <= length; i++) if (bytes[from + i] !== wire[to + i]) return false;
      from += length + 1;
      to += length + 1;
    }
  }

  /** Short pieces octet by octet: cheaper than the call that copies long ones. */
  #copy(octets: Uint8Array, from: number, to: number): void {
    const bytes = this.#bytes;
    const length = to - from;
    if (length > 48) {
      bytes.set(octets.subarray(from, to), this.length);
      this.length += length;
      return;
    }
    let at = this.length;
    for (let i = from; i < to; i++) bytes[at++] = octets[i]!;
    this.length = at;
  }
}
