/**
 * An answer as the cache keeps it: its records as they go on the wire behind any question of the same name, whatever its
 * case, with the places of their TTLs. So an answer from the cache is one copy and a few numbers.
 */
import { EDNS_VERSION, edeOption, MAX_UDP_PAYLOAD } from "../wire/edns.ts";
import type { ExtendedError } from "../wire/edns.ts";
import { RrClass } from "../wire/iana/class.ts";
import { EdnsOption, Rcode } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import { Flag } from "../wire/message.ts";
import { Name } from "../wire/name.ts";
import { writeSoa } from "../wire/rdata/soa.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { record } from "../wire/record.ts";
import { HEADER_LENGTH, MAX_MESSAGE_LENGTH, WireWriter } from "../wire/writer.ts";
import type { ClientQuery } from "./asked.ts";

/** Octets of an OPT record without options, and of an option's code and length (RFC 6891 §6.1.2). */
const OPT_LENGTH = 11;
const OPTION_HEAD = 4;
/** Octets of a record before its RDATA where its owner is a pointer. */
const RECORD_HEAD = 12;

/** Records that take turns at coming first (RFC 1794): all of one length, one behind the other. */
interface Turning {
  /** Octet in the body. */
  readonly at: number;
  /** Octets of each. */
  readonly length: number;
  readonly count: number;
}

export interface StoredAnswer {
  readonly rcode: number;
  /** The records of all sections. Pointers count from the beginning of a message with the question in it. */
  readonly body: Uint8Array;
  /** Octets in `body` where TTLs stand. */
  readonly ttlsAt: readonly number[];
  /** Records of the answer, authority and additional sections. */
  readonly counts: readonly [number, number, number];
  readonly turning: Turning | undefined;
  /** Seconds it may be kept; 0: not at all. */
  readonly ttl: number;
}

/** What an answer is made of. */
export interface AnswerParts {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /** Seconds. */
  readonly ttl: number;
}

/** @throws WireError `WIRE_FULL` where the records do not fit a message */
export function storeAnswer(name: Name, type: number, parts: AnswerParts): StoredAnswer {
  const { rcode, answers, authorities, additionals, ttl } = parts;
  const writer = new WireWriter();
  writer.bytes(new Uint8Array(HEADER_LENGTH));
  writer.question({ name, type, class: RrClass.IN });
  const start = writer.length;
  const ttlsAt: number[] = [];
  const startsAt: number[] = [];
  for (const section of [answers, authorities, additionals]) {
    for (const rr of section) {
      startsAt.push(writer.length - start);
      // Owners that are the question's name, or one in front of it, become pointers; the others are written out.
      writer.record(rr);
    }
  }
  const message = writer.finish();
  for (const at of startsAt) ttlsAt.push(afterName(message, start + at) + 4 - start);
  return {
    rcode,
    body: message.slice(start),
    ttlsAt,
    counts: [answers.length, authorities.length, additionals.length],
    turning: findTurning(answers, startsAt, message.length - start),
    ttl,
  };
}

/**
 * Addresses at the end of the answer section, if there are several: others' RDATA may hold names that later records
 * point to.
 */
function findTurning(
  answers: readonly ResourceRecord[],
  startsAt: readonly number[],
  end: number,
): Turning | undefined {
  const last = answers.at(-1);
  if (last === undefined || (last.type !== RrType.A && last.type !== RrType.AAAA)) return undefined;
  let first = answers.length;
  while (first > 0 && answers[first - 1]!.type === last.type) first--;
  const count = answers.length - first;
  const length = RECORD_HEAD + last.rdata.length;
  const at = startsAt[first]!;
  const stop = startsAt[answers.length] ?? end;
  return count > 1 && stop - at === count * length ? { at, length, count } : undefined;
}

function afterName(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const length = bytes[at]!;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
}

/** How an answer is told. */
export interface Telling {
  /** Seconds since it was stored, taken off its TTLs. */
  readonly age: number;
  /** For an answer past its time: what all its TTLs become, in seconds (RFC 8767 §5.2). */
  readonly staleTtl?: number | undefined;
  /** Which of several addresses comes first: any whole number, 0 or more. */
  readonly turn?: number | undefined;
  readonly ede?: ExtendedError | undefined;
}

/** Room for one answer at a time: writing is synchronous. */
const scratch = new Uint8Array(MAX_MESSAGE_LENGTH);

/** The answer to one client's query. Where it has not the room, TC and nothing but the question (RFC 2181 §9). */
export function writeAnswer(answer: StoredAnswer, query: ClientQuery, telling: Telling): Uint8Array {
  return scratch.slice(0, writeAnswerInto(scratch, answer, query, telling));
}

/** {@link writeAnswer} into octets that have `query.room`. @returns octets written */
export function writeAnswerInto(
  out: Uint8Array,
  answer: StoredAnswer,
  query: ClientQuery,
  telling: Telling,
): number {
  const { body, counts, rcode } = answer;
  const from = query.questionEnd;
  const end = from + body.length;
  if (end + (query.edns ? OPT_LENGTH : 0) > query.room) {
    return writeBare(out, query, Flag.TC | (rcode & 0xf), rcode, telling.ede);
  }
  out.set(body, from);
  const { turning, ttlsAt } = answer;
  if (turning !== undefined && telling.turn !== undefined) turn(out, from, body, turning, telling.turn);
  const { age, staleTtl } = telling;
  for (const offset of ttlsAt) {
    const at = from + offset;
    const stored = ((out[at]! << 24) | (out[at + 1]! << 16) | (out[at + 2]! << 8) | out[at + 3]!) >>> 0;
    const ttl = staleTtl ?? (stored > age ? stored - age : 0);
    out[at] = ttl >>> 24;
    out[at + 1] = ttl >>> 16;
    out[at + 2] = ttl >>> 8;
    out[at + 3] = ttl;
  }
  writeHead(out, query, rcode & 0xf);
  out[6] = counts[0] >> 8;
  out[7] = counts[0];
  out[8] = counts[1] >> 8;
  out[9] = counts[1];
  const additionals = counts[2] + (query.edns ? 1 : 0);
  out[10] = additionals >> 8;
  out[11] = additionals;
  return query.edns ? writeOpt(out, end, query, rcode, telling.ede) : end;
}

/** An answer without records. @param ede told where the client speaks EDNS and there is room */
export function writeError(query: ClientQuery, rcode: number, ede?: ExtendedError): Uint8Array {
  return scratch.slice(0, writeBare(scratch, query, rcode & 0xf, rcode, ede));
}

/** REFUSED, to a client that may not recurse: without RA. */
export function writeRefusal(query: ClientQuery, ede: ExtendedError): Uint8Array {
  const out = writeError(query, Rcode.REFUSED, ede);
  out[3]! &= ~Flag.RA;
  return out;
}

function writeBare(
  out: Uint8Array,
  query: ClientQuery,
  flags: number,
  rcode: number,
  ede: ExtendedError | undefined,
): number {
  writeHead(out, query, flags);
  for (let i = 6; i < 11; i++) out[i] = 0;
  out[11] = query.edns ? 1 : 0;
  return query.edns ? writeOpt(out, query.questionEnd, query, rcode, ede) : query.questionEnd;
}

/** ID, flags and question. RA: whoever gets here may recurse. AA and AD are never ours to set (RFC 4035 §4.6). */
function writeHead(out: Uint8Array, { message, questionEnd }: ClientQuery, flags: number): void {
  for (let i = HEADER_LENGTH; i < questionEnd; i++) out[i] = message[i]!;
  const word = Flag.QR | Flag.RA | flags | (((message[2]! << 8) | message[3]!) & (Flag.RD | Flag.CD));
  out[0] = message[0]!;
  out[1] = message[1]!;
  out[2] = word >> 8;
  out[3] = word;
  out[4] = 0;
  out[5] = 1;
}

function turn(out: Uint8Array, from: number, body: Uint8Array, turning: Turning, by: number): void {
  const { at, length, count } = turning;
  const split = (by % count) * length;
  const end = at + count * length;
  out.set(body.subarray(at + split, end), from + at);
  out.set(body.subarray(at, at + split), from + end - split);
}

/** Writes the OPT record, with what an error says where there is room: it is never worth the answer itself. */
function writeOpt(
  out: Uint8Array,
  at: number,
  query: ClientQuery,
  rcode: number,
  ede: ExtendedError | undefined,
): number {
  const end = at + OPT_LENGTH;
  out[at] = 0;
  out[at + 1] = 0;
  out[at + 2] = RrType.OPT;
  out[at + 3] = MAX_UDP_PAYLOAD >> 8;
  out[at + 4] = MAX_UDP_PAYLOAD & 0xff;
  out[at + 5] = rcode >> 4;
  out[at + 6] = EDNS_VERSION;
  out[at + 7] = query.dnssecOk ? 0x80 : 0;
  out[at + 8] = 0;
  out[at + 9] = 0;
  out[at + 10] = 0;
  if (ede === undefined) return end;
  const { data } = edeOption(ede);
  if (end + OPTION_HEAD + data.length > query.room) return end;
  out[at + 10] = OPTION_HEAD + data.length;
  out[end] = 0;
  out[end + 1] = EdnsOption.EDE;
  out[end + 2] = 0;
  out[end + 3] = data.length;
  out.set(data, end + OPTION_HEAD);
  return end + OPTION_HEAD + data.length;
}

/** How long clients may keep an answer that was made up here, in seconds. */
const MADE_UP_TTL = 60;

/**
 * A negative answer that no server gave: with an SOA of the root, so that it can be kept (RFC 2308 §5), and of no zone
 * that a host could take for one to register in.
 * @param rcode NXDOMAIN, or NOERROR for a name that has others below it (RFC 8020)
 */
export function madeUpNegative(rcode: typeof Rcode.NXDOMAIN | typeof Rcode.NOERROR): StoredAnswer {
  const soa = writeSoa({
    mname: Name.root,
    rname: Name.parse("nobody.invalid."),
    serial: 1,
    refresh: 3600,
    retry: 1200,
    expire: 604_800,
    minimum: MADE_UP_TTL,
  });
  const authorities = [record(Name.root, RrType.SOA, MADE_UP_TTL, soa)];
  return storeAnswer(Name.root, RrType.A, {
    rcode,
    answers: [],
    authorities,
    additionals: [],
    ttl: MADE_UP_TTL,
  });
}
