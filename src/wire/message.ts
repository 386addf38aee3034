/** Whole DNS messages (RFC 1035 §4.1): decoding for everything but the fast query path, and encoding of replies. */
import type { Edns } from "./edns.ts";
import { readEdns, writeEdns } from "./edns.ts";
import { WireError } from "./error.ts";
import { RrClass } from "./iana/class.ts";
import { RrType } from "./iana/type.ts";
import { readRdata } from "./rdata/rdata.ts";
import { WireReader } from "./reader.ts";
import type { Question, ResourceRecord } from "./record.ts";
import { MAX_TTL } from "./record.ts";
import type { TsigRecord } from "./tsig.ts";
import { readTsig } from "./tsig.ts";
import { HEADER_LENGTH, MAX_MESSAGE_LENGTH, WireWriter } from "./writer.ts";

/** Header flag bits, in the 16-bit word after the ID (RFC 1035 §4.1.1, RFC 4035 §3). */
export const Flag = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const;

/** The header's fields that can be read without trusting anything behind them. */
export interface Header {
  readonly id: number;
  /** The whole 16-bit word: QR, OPCODE, flags, RCODE. */
  readonly flags: number;
  readonly opcode: number;
  /** The header's four bits; see `Edns.extendedRcode` for the rest. */
  readonly rcode: number;
  readonly questionCount: number;
  readonly answerCount: number;
  readonly authorityCount: number;
  readonly additionalCount: number;
}

/** A decoded message. OPT and TSIG are taken out of `additionals`. In an UPDATE the sections are, in order: zone, prerequisites, update, additional. */
export interface Message {
  readonly header: Header;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  readonly edns: Edns | undefined;
  readonly tsig: TsigRecord | undefined;
  /** Octets after the last record. Some Windows servers send two in a transfer request. */
  readonly trailing: number;
}

/** Reads the header. @throws WireError `WIRE_SHORT` below 12 octets */
export function readHeader(bytes: Uint8Array): Header {
  const reader = new WireReader(bytes);
  const id = reader.u16();
  const flags = reader.u16();
  return {
    id,
    flags,
    opcode: (flags >> 11) & 0xf,
    rcode: flags & 0xf,
    questionCount: reader.u16(),
    answerCount: reader.u16(),
    authorityCount: reader.u16(),
    additionalCount: reader.u16(),
  };
}

/**
 * Decodes a whole message. RDATA of known types is validated and its names decompressed; a record of class ANY or NONE
 * may have empty RDATA (RFC 2136 §2.4, §2.5); RDATA of class ANY and of classes beside IN is not looked into.
 * Nothing in the result shares memory with `bytes`.
 * @throws WireError for anything malformed, a second OPT, or a TSIG that is not the last record (RFC 8945 §5.1)
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const header = readHeader(bytes);
  const reader = new WireReader(bytes, HEADER_LENGTH);
  const questions: Question[] = [];
  for (let i = 0; i < header.questionCount; i++) {
    questions.push({ name: reader.name(), type: reader.u16(), class: reader.u16() });
  }
  const answers = readRecords(reader, header.answerCount);
  const authorities = readRecords(reader, header.authorityCount);

  const additionals: ResourceRecord[] = [];
  let edns: Edns | undefined;
  let tsig: TsigRecord | undefined;
  for (let i = 0; i < header.additionalCount; i++) {
    const start = reader.offset;
    const rr = readRecord(reader);
    if (rr.type === RrType.OPT) {
      if (edns !== undefined) throw new WireError("WIRE_EDNS", "a second OPT record", start);
      edns = readEdns(rr);
    } else if (rr.type === RrType.TSIG) {
      if (i !== header.additionalCount - 1)
        throw new WireError("WIRE_TSIG", "a TSIG that is not the last record", start);
      tsig = readTsig(rr, start);
    } else {
      additionals.push(rr);
    }
  }
  for (const rr of answers.concat(authorities)) {
    if (rr.type === RrType.TSIG) throw new WireError("WIRE_TSIG", "a TSIG outside the additional section");
    if (rr.type === RrType.OPT) throw new WireError("WIRE_EDNS", "an OPT outside the additional section");
  }
  return { header, questions, answers, authorities, additionals, edns, tsig, trailing: reader.remaining };
}

function readRecords(reader: WireReader, count: number): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (let i = 0; i < count; i++) records.push(readRecord(reader));
  return records;
}

/** Reads one record at the reader. @throws WireError */
function readRecord(reader: WireReader): ResourceRecord {
  const name = reader.name();
  const type = reader.u16();
  const rrClass = reader.u16();
  const ttl = reader.u32();
  const length = reader.u16();
  if (length > reader.remaining)
    throw new WireError("WIRE_SHORT", "the message ends inside RDATA", reader.offset);
  const rdata = isOpaque(type, rrClass, length) ? reader.copy(length) : readRdata(type, reader, length);
  // An OPT's TTL field is flags (RFC 6891 §6.1.3), and a TSIG's must be 0: both are judged as they came.
  const asIs = type === RrType.OPT || type === RrType.TSIG || ttl <= MAX_TTL;
  return { name, type, class: rrClass, ttl: asIs ? ttl : 0, rdata };
}

/** Whether RDATA is kept without a look: where its form is not that of class IN, or it may be empty (RFC 2136 §2.4, §2.5). */
function isOpaque(type: number, rrClass: number, length: number): boolean {
  switch (rrClass) {
    case RrClass.IN:
      return type === RrType.OPT;
    case RrClass.NONE:
      return type === RrType.OPT || length === 0;
    case RrClass.ANY:
      // TSIG and TKEY are of this class (RFC 8945 §4.2, RFC 2930 §2).
      return type !== RrType.TSIG && (type !== RrType.TKEY || length === 0);
    default:
      return true;
  }
}

/** What a reply or request holds, to be encoded. */
export interface MessageParts {
  readonly id: number;
  /** The whole flags word without the RCODE. */
  readonly flags: number;
  /** Up to 12 bits; above 15 needs `edns` (RFC 6891 §6.1.3). */
  readonly rcode: number;
  readonly questions?: readonly Question[];
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  readonly additionals?: readonly ResourceRecord[];
  /** Written last, its extendedRcode replaced by that of `rcode`. */
  readonly edns?: Edns | undefined;
}

/** Encoding is synchronous: one message at a time. */
const messageWriter = new WireWriter();

/**
 * Encodes a message with compression.
 * @throws WireError `WIRE_FULL` where it would outgrow `limit` octets
 */
export function encodeMessage(parts: MessageParts, limit: number = MAX_MESSAGE_LENGTH): Uint8Array {
  const writer = messageWriter;
  writer.restart(limit);
  const { questions = [], answers = [], authorities = [], additionals = [] } = parts;
  writeHeader(writer, parts.id, parts.flags | (parts.rcode & 0xf), [
    questions.length,
    answers.length,
    authorities.length,
    additionals.length + (parts.edns === undefined ? 0 : 1),
  ]);
  for (const question of questions) writer.question(question);
  for (const rr of answers) writer.record(rr);
  for (const rr of authorities) writer.record(rr);
  for (const rr of additionals) writer.record(rr);
  if (parts.edns !== undefined) writeEdns(writer, { ...parts.edns, extendedRcode: parts.rcode >> 4 });
  return writer.finish();
}

/** Writes the twelve octets of a header; counts in the order question, answer, authority, additional. */
export function writeHeader(
  writer: WireWriter,
  id: number,
  flags: number,
  counts: readonly [number, number, number, number],
): void {
  writer.u16(id);
  writer.u16(flags);
  for (const count of counts) writer.u16(count);
}
