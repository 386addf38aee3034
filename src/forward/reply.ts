/**
 * What an upstream server's message is worth. First whether it answers what was asked at all (RFC 5452 §3, §9.1), then
 * what of it is an answer: the records that follow from the question, and no others, so that nothing a server adds on
 * its own account ever reaches a client or the cache.
 */
import { WireError } from "../wire/error.ts";
import { RrClass } from "../wire/iana/class.ts";
import { Opcode, Rcode, rcodeToText } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import { decodeMessage, Flag, readHeader } from "../wire/message.ts";
import type { Message } from "../wire/message.ts";
import { LOWER, Name } from "../wire/name.ts";
import { readSoa, soaMinimum, writeSoa } from "../wire/rdata/soa.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { record } from "../wire/record.ts";
import { HEADER_LENGTH } from "../wire/writer.ts";
import type { Asked } from "./asked.ts";
import type { SentQuery } from "./outgoing.ts";
import type { StoredAnswer } from "./stored-answer.ts";
import { storeAnswer } from "./stored-answer.ts";

/** Aliases followed within one answer. */
const MAX_CHAIN = 16;

export interface ReplyLimits {
  /** Seconds. */
  readonly maxTtl: number;
  /** Seconds, for answers that say that there is nothing. */
  readonly maxNegativeTtl: number;
}

export type ReplyVerdict =
  /** Answers something else, or is no answer: somebody guesses, or an old one came late. Wait on. */
  | { readonly kind: "foreign" }
  /** Has the question in another case than it was sent in: a guess, or a server that does not repeat the case. */
  | { readonly kind: "otherCase" }
  /** Ask again by TCP. */
  | { readonly kind: "truncated" }
  | { readonly kind: "answer"; readonly answer: StoredAnswer }
  /** The server cannot or will not answer. */
  | {
      readonly kind: "failed";
      readonly reason: string;
      /** It may be EDNS that it does not know (RFC 6891 §7). */
      readonly tryPlain: boolean;
      /** It would not answer another question either. */
      readonly unwilling: boolean;
    };

/**
 * Judges one message that came from the address the query was sent to.
 * @param bailiwick the suffix this server is asked about; undefined where that is everything. Addresses of hosts that
 * the answer names are kept where they are within it.
 */
export function judgeReply(
  bytes: Uint8Array,
  sent: SentQuery,
  asked: Asked,
  bailiwick: Name | undefined,
  limits: ReplyLimits,
): ReplyVerdict {
  if (bytes.length < HEADER_LENGTH) return FOREIGN;
  const header = readHeader(bytes);
  const isResponse = (header.flags & Flag.QR) !== 0 && header.opcode === Opcode.QUERY;
  if (header.id !== sent.id || !isResponse) return FOREIGN;
  if (header.questionCount === 0 && (header.rcode === Rcode.FORMERR || header.rcode === Rcode.NOTIMP)) {
    // It could not even read the question back.
    return failed(rcodeToText(header.rcode), { tryPlain: sent.edns, unwilling: true });
  }
  if (header.questionCount !== 1 || !repeatsQuestion(bytes, sent)) return FOREIGN;
  if (sent.caseCounts && !repeatsCase(bytes, sent)) return { kind: "otherCase" };
  if ((header.flags & Flag.TC) !== 0) return { kind: "truncated" };
  let message: Message;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    if (error instanceof WireError) return failed(`a malformed answer: ${error.message}`);
    throw error;
  }
  const rcode = ((message.edns?.extendedRcode ?? 0) << 4) | header.rcode;
  switch (rcode) {
    case Rcode.NOERROR:
    case Rcode.NXDOMAIN:
    case Rcode.YXDOMAIN:
      return readAnswer(message, rcode, asked, sent.name, bailiwick, limits);
    case Rcode.FORMERR:
    case Rcode.NOTIMP:
    case Rcode.BADVERS:
      return failed(rcodeToText(rcode), { tryPlain: sent.edns, unwilling: true });
    default:
      return failed(rcodeToText(rcode), { unwilling: rcode === Rcode.REFUSED });
  }
}

const FOREIGN: ReplyVerdict = { kind: "foreign" };

function failed(reason: string, { tryPlain = false, unwilling = false } = {}): ReplyVerdict {
  return { kind: "failed", reason, tryPlain, unwilling };
}

function repeatsQuestion(bytes: Uint8Array, { name: { wire }, type }: SentQuery): boolean {
  const end = HEADER_LENGTH + wire.length;
  if (bytes.length < end + 4) return false;
  for (let i = 0; i < wire.length; i++) {
    if (LOWER[bytes[HEADER_LENGTH + i]!] !== LOWER[wire[i]!]) return false;
  }
  const cameType = (bytes[end]! << 8) | bytes[end + 1]!;
  return cameType === type && bytes[end + 2] === 0 && bytes[end + 3] === RrClass.IN;
}

function repeatsCase(bytes: Uint8Array, { name: { wire } }: SentQuery): boolean {
  return wire.every((octet, i) => bytes[HEADER_LENGTH + i] === octet);
}

function readAnswer(
  message: Message,
  rcode: number,
  asked: Asked,
  sentName: Name,
  bailiwick: Name | undefined,
  limits: ReplyLimits,
): ReplyVerdict {
  const { answers, end, found } = followChain(message.answers, asked);
  if (found && rcode !== Rcode.NOERROR) return failed(`${rcodeToText(rcode)} with an answer in it`);
  const soa = found ? undefined : message.authorities.find((rr) => isSoaFor(rr, end));
  if (!found && answers.length === 0 && soa === undefined && rcode === Rcode.NOERROR) {
    const refers = message.authorities.some(({ type }) => type === RrType.NS);
    const authoritative = (message.header.flags & Flag.AA) !== 0;
    if (refers && !authoritative) return failed("a referral: it does not recurse", { unwilling: true });
  }
  const proofs = asked.dnssecOk ? message.authorities.filter(isProof) : [];
  const authorities = soa === undefined ? proofs : [soa, ...proofs];
  const additionals = found ? addressesOfTargets(message.additionals, answers, bailiwick) : [];
  const restored = (rr: ResourceRecord): ResourceRecord =>
    withAskedCase({ ...rr, ttl: Math.min(rr.ttl, limits.maxTtl) }, asked.name, sentName);
  const parts = {
    answers: answers.map(restored),
    authorities: authorities.map(restored),
    additionals: additionals.map(restored),
  };
  let ttl = Math.min(
    limits.maxTtl,
    ...[...parts.answers, ...parts.authorities, ...parts.additionals].map((rr) => rr.ttl),
  );
  if (!found) {
    // RFC 2308 §5: the SOA says how long there is nothing; without one nobody knows.
    if (soa !== undefined) {
      const negative = Math.min(soa.ttl, soaMinimum(soa.rdata), limits.maxNegativeTtl);
      ttl = Math.min(ttl, negative);
      parts.authorities = parts.authorities.map((rr) => ({ ...rr, ttl: Math.min(rr.ttl, negative) }));
    } else if (answers.length === 0 || rcode !== Rcode.NOERROR) {
      ttl = 0;
    }
  }
  try {
    return {
      kind: "answer",
      answer: storeAnswer(asked.name, asked.type, {
        rcode,
        ...parts,
        ttl: rcode === Rcode.YXDOMAIN ? 0 : ttl,
      }),
    };
  } catch (error) {
    if (error instanceof WireError) return failed(`an answer that cannot be passed on: ${error.message}`);
    throw error;
  }
}

/**
 * The records that answer the question: from its name along CNAMEs and DNAMEs (RFC 1034 §3.6.2, RFC 6672 §3.2) to those
 * of the type asked for, if there are any.
 */
function followChain(
  records: readonly ResourceRecord[],
  asked: Asked,
): { readonly answers: ResourceRecord[]; readonly end: Name; readonly found: boolean } {
  const byOwner = new Map<string, ResourceRecord[]>();
  for (const rr of records) {
    if (rr.class !== RrClass.IN) continue;
    const same = byOwner.get(rr.name.key);
    if (same === undefined) byOwner.set(rr.name.key, [rr]);
    else same.push(rr);
  }
  const answers: ResourceRecord[] = [];
  const take = (owner: Name, wanted: (rr: ResourceRecord) => boolean, type: number): void => {
    const here = byOwner.get(owner.key) ?? [];
    answers.push(...here.filter(wanted));
    if (!asked.dnssecOk) return;
    answers.push(...here.filter((rr) => rr.type === RrType.RRSIG && covers(rr) === type && !wanted(rr)));
  };
  const visited = new Set<string>();
  let name = asked.name;
  for (let hops = 0; hops < MAX_CHAIN && !visited.has(name.key); hops++) {
    visited.add(name.key);
    const here = byOwner.get(name.key) ?? [];
    if (asked.type === RrType.ANY && here.length > 0) {
      answers.push(...here);
      return { answers, end: name, found: true };
    }
    if (here.some(({ type }) => type === asked.type)) {
      take(name, ({ type }) => type === asked.type, asked.type);
      return { answers, end: name, found: true };
    }
    const dname = dnameAbove(byOwner, name);
    if (dname !== undefined) take(dname.name, (rr) => rr === dname, RrType.DNAME);
    const alias = here.find(({ type }) => type === RrType.CNAME) ?? synthesized(name, dname);
    if (alias === undefined) break;
    if (here.includes(alias)) take(name, (rr) => rr === alias, RrType.CNAME);
    else answers.push(alias);
    name = Name.fromTrustedWire(alias.rdata);
  }
  return { answers, end: name, found: false };
}

function dnameAbove(
  byOwner: ReadonlyMap<string, readonly ResourceRecord[]>,
  name: Name,
): ResourceRecord | undefined {
  for (let above = name.parent; above !== undefined; above = above.parent) {
    const dname = byOwner.get(above.key)?.find(({ type }) => type === RrType.DNAME);
    if (dname !== undefined) return dname;
  }
  return undefined;
}

/** RFC 6672 §3.1: the CNAME that a DNAME stands for, where the server left it out. */
function synthesized(name: Name, dname: ResourceRecord | undefined): ResourceRecord | undefined {
  const target = dname && name.withSuffix(dname.name, Name.fromTrustedWire(dname.rdata));
  return target && record(name, RrType.CNAME, dname.ttl, target.wire);
}

/** The type an RRSIG covers (RFC 4034 §3.1.1). */
function covers({ rdata }: ResourceRecord): number {
  return (rdata[0]! << 8) | rdata[1]!;
}

/** RFC 2308 §2: the SOA of a zone that the name would be in. */
function isSoaFor(rr: ResourceRecord, name: Name): boolean {
  return rr.type === RrType.SOA && rr.class === RrClass.IN && name.isWithin(rr.name);
}

/** What a validator needs to believe that something is not there (RFC 4035 §3.1.3). */
function isProof({ type, class: rrClass, rdata }: ResourceRecord): boolean {
  if (rrClass !== RrClass.IN) return false;
  if (type === RrType.NSEC || type === RrType.NSEC3) return true;
  if (type !== RrType.RRSIG || rdata.length < 2) return false;
  const covered = (rdata[0]! << 8) | rdata[1]!;
  return covered === RrType.NSEC || covered === RrType.NSEC3 || covered === RrType.SOA;
}

/** Addresses of hosts that MX, SRV and NS records of the answer name, spared the client the next question. */
function addressesOfTargets(
  additionals: readonly ResourceRecord[],
  answers: readonly ResourceRecord[],
  bailiwick: Name | undefined,
): ResourceRecord[] {
  if (bailiwick === undefined || additionals.length === 0) return [];
  const targets = new Set<string>();
  for (const { type, rdata } of answers) {
    const skip = TARGET_AT[type];
    if (skip !== undefined) targets.add(Name.fromTrustedWire(rdata.subarray(skip)).key);
  }
  return additionals.filter(
    ({ name, type, class: rrClass }) =>
      (type === RrType.A || type === RrType.AAAA) &&
      rrClass === RrClass.IN &&
      targets.has(name.key) &&
      name.isWithin(bailiwick),
  );
}

/** Octets before the host's name in the RDATA of the types that name one. */
const TARGET_AT: Readonly<Record<number, number>> = {
  [RrType.NS]: 0,
  [RrType.MX]: 2,
  [RrType.SRV]: 6,
};

/** Octets before the name that the RDATA of a type ends with. */
const NAME_AT: Readonly<Record<number, number>> = {
  ...TARGET_AT,
  [RrType.CNAME]: 0,
  [RrType.DNAME]: 0,
  [RrType.PTR]: 0,
};

/** Takes back, where a server points to the question's name, the case that was mixed for it alone. */
function withAskedCase(rr: ResourceRecord, asked: Name, sent: Name): ResourceRecord {
  if (rr.name.equals(asked)) return { ...rr, name: asked, rdata: rdataWithAskedCase(rr, asked, sent) };
  const name = asked === sent ? rr.name : askedCase(rr.name, asked, sent);
  return { ...rr, name, rdata: rdataWithAskedCase(rr, asked, sent) };
}

function rdataWithAskedCase({ type, rdata }: ResourceRecord, asked: Name, sent: Name): Uint8Array {
  if (asked === sent) return rdata;
  if (type === RrType.SOA) {
    const soa = readSoa(rdata);
    const { mname, rname } = soa;
    return writeSoa({
      ...soa,
      mname: askedCase(mname, asked, sent),
      rname: askedCase(rname, asked, sent),
    });
  }
  const at = NAME_AT[type];
  if (at === undefined) return rdata;
  const restored = Uint8Array.from(rdata);
  restored.set(askedCase(Name.fromTrustedWire(rdata.slice(at)), asked, sent).wire, at);
  return restored;
}

function askedCase(name: Name, asked: Name, sent: Name): Name {
  // The longest suffix of whole labels that is, octet by octet, one of the name that was sent.
  let from = name.wire.length - 1;
  for (let at = 0; name.wire[at] !== 0; at += name.wire[at]! + 1) {
    const offset = sent.wire.length - (name.wire.length - at);
    if (offset < 0 || !startsLabel(sent.wire, offset)) continue;
    if (name.wire.subarray(at).every((octet, i) => octet === sent.wire[offset + i])) {
      from = at;
      break;
    }
  }
  if (from === name.wire.length - 1) return name;
  const wire = Uint8Array.from(name.wire);
  wire.set(asked.wire.subarray(asked.wire.length - (wire.length - from)), from);
  return Name.fromTrustedWire(wire);
}

function startsLabel(wire: Uint8Array, offset: number): boolean {
  let at = 0;
  while (at < offset && wire[at] !== 0) at += wire[at]! + 1;
  return at === offset;
}
