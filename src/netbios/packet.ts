/**
 * The packets of the NetBIOS name service (RFC 1002 §4.2): requests read, replies written. A reply repeats the name of
 * the request, and carries no question.
 */
import { ipv4ToText, parseIpv4 } from "../wire/rdata/address.ts";
import type { NetbiosName } from "./name.ts";
import { readNetbiosName } from "./name.ts";

/** Operations (RFC 1002 §4.2.1.1; 9 is another refresh, 15 the multi-homed registration of Windows). */
export const NbOpcode = {
  QUERY: 0,
  REGISTRATION: 5,
  RELEASE: 6,
  WACK: 7,
  REFRESH: 8,
  REFRESH_ALTERNATE: 9,
  MULTIHOMED_REGISTRATION: 15,
} as const;

/** What is wrong with a request, as its reply says it (RFC 1002 §4.2.6). */
export const NbRcode = {
  OK: 0,
  /** The request is malformed. */
  FMT: 1,
  /** The server cannot do it now. */
  SRV: 2,
  /** There is no such name. */
  NAM: 3,
  /** Refused for reasons of policy. */
  RFS: 5,
  /** Another node owns the name. */
  ACT: 6,
} as const;

const RCODE_TEXT = ["OK", "FMT_ERR", "SRV_ERR", "NAM_ERR", "IMP_ERR", "RFS_ERR", "ACT_ERR", "CFT_ERR"];

export function nbRcodeToText(rcode: number): string {
  return RCODE_TEXT[rcode] ?? `RCODE${rcode}`;
}

/** Types (RFC 1002 §4.2.1.3). */
export const NbType = { NULL: 0x000a, NB: 0x0020, NBSTAT: 0x0021 } as const;

/** NB_FLAGS of an address (RFC 1002 §4.2.1.3): a group's, and of which kind the node is. */
export const NB_GROUP = 0x8000;
/** A hybrid node: asks the name server, then by broadcast. */
export const NB_HYBRID = 0x6000;

const CLASS_IN = 1;
const HEADER = 12;
const RESPONSE = 0x8000;
const AUTHORITATIVE = 0x0400;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const BROADCAST = 0x0010;
/** Octets of NB_FLAGS and an address. */
const NB_ENTRY = 6;
/** More do not fit a datagram of 576 octets. */
export const MAX_ADDRESSES = 85;

/** One address of a name. */
export interface NbAddress {
  /** {@link NB_GROUP} and the kind of node. */
  readonly flags: number;
  /** Dotted quad. */
  readonly address: string;
}

/** The header and what follows it, as far as it could be read. */
export interface NbPacket {
  readonly id: number;
  /** The flags word of the header, opcode and all. */
  readonly flags: number;
  readonly opcode: number;
  readonly response: boolean;
  /** Sent to everybody of a subnet: not for a name server. */
  readonly broadcast: boolean;
  readonly rcode: number;
  /** What is asked, or registered; of a response the name that it is about. Undefined where it cannot be read. */
  readonly name: NetbiosName | undefined;
  /** Of the question, or of a response's record. */
  readonly type: number;
  /** The record of a registration, refresh or release; of a response its addresses. Undefined where there is none. */
  readonly record: { readonly ttl: number; readonly entries: readonly NbAddress[] } | undefined;
}

/** Reads a packet. @returns undefined where it is shorter than a header */
export function readPacket(bytes: Uint8Array): NbPacket | undefined {
  if (bytes.length < HEADER) return undefined;
  const flags = u16(bytes, 2);
  const head = {
    id: u16(bytes, 0),
    flags,
    opcode: (flags >> 11) & 0xf,
    response: (flags & RESPONSE) !== 0,
    broadcast: (flags & BROADCAST) !== 0,
    rcode: flags & 0xf,
  };
  const nothing = { ...head, name: undefined, type: 0, record: undefined };
  const name = readNetbiosName(bytes, HEADER);
  if (name === undefined) return nothing;
  const at = HEADER + name.wire.length;
  if (head.response) {
    // No question, one answer (RFC 1002 §4.2.13).
    if (u16(bytes, 4) !== 0 || u16(bytes, 6) === 0) return nothing;
    return { ...head, name, type: u16(bytes, at), record: readRecord(bytes, at) };
  }
  if (u16(bytes, 4) !== 1 || at + 4 > bytes.length || u16(bytes, at + 2) !== CLASS_IN) return nothing;
  const type = u16(bytes, at);
  const one = u16(bytes, 10) === 1 && u16(bytes, 6) === 0 && u16(bytes, 8) === 0;
  return { ...head, name, type, record: one ? readAdditional(bytes, at + 4, name) : undefined };
}

/** The record of a registration: its name is a pointer to the question's, or the same name again. */
function readAdditional(bytes: Uint8Array, at: number, name: NetbiosName): NbPacket["record"] {
  if (u16(bytes, at) === (0xc000 | HEADER)) return readRecord(bytes, at + 2);
  const again = readNetbiosName(bytes, at);
  return again?.key === name.key ? readRecord(bytes, at + again.wire.length) : undefined;
}

/** A record from its type on. */
function readRecord(bytes: Uint8Array, at: number): NbPacket["record"] {
  const length = u16(bytes, at + 8);
  const end = at + 10 + length;
  if (end > bytes.length || u16(bytes, at) !== NbType.NB || u16(bytes, at + 2) !== CLASS_IN) return undefined;
  if (length === 0 || length % NB_ENTRY !== 0) return undefined;
  const ttl = u16(bytes, at + 4) * 0x10000 + u16(bytes, at + 6);
  const entries: NbAddress[] = [];
  for (let entry = at + 10; entry < end; entry += NB_ENTRY) {
    entries.push({ flags: u16(bytes, entry), address: ipv4ToText(bytes, entry + 2) });
  }
  return { ttl, entries };
}

//------------ Replies and queries -------------------------------------------

/** POSITIVE NAME QUERY RESPONSE (RFC 1002 §4.2.13): flags 8580. @param ttl seconds */
export function positiveAnswer(
  id: number,
  name: NetbiosName,
  ttl: number,
  entries: readonly NbAddress[],
): Uint8Array {
  const flags = replyFlags(NbOpcode.QUERY, RECURSION_DESIRED | RECURSION_AVAILABLE, NbRcode.OK);
  return reply(id, flags, name, NbType.NB, ttl, nbData(entries.slice(0, MAX_ADDRESSES)));
}

/** NEGATIVE NAME QUERY RESPONSE (RFC 1002 §4.2.14): flags 8583. */
export function negativeAnswer(id: number, name: NetbiosName): Uint8Array {
  const flags = replyFlags(NbOpcode.QUERY, RECURSION_DESIRED | RECURSION_AVAILABLE, NbRcode.NAM);
  return reply(id, flags, name, NbType.NULL, 0, new Uint8Array(0));
}

/**
 * The reply to a registration or refresh (RFC 1002 §4.2.5, §4.2.6): flags AD80 and the RCODE.
 * @param ttl seconds that it is good for; 0 where it was refused
 */
export function registrationReply(
  id: number,
  name: NetbiosName,
  ttl: number,
  entries: readonly NbAddress[],
  rcode: number,
): Uint8Array {
  const flags = replyFlags(NbOpcode.REGISTRATION, RECURSION_DESIRED | RECURSION_AVAILABLE, rcode);
  return reply(id, flags, name, NbType.NB, ttl, nbData(entries));
}

/** The reply to a release (RFC 1002 §4.2.10, §4.2.11): flags B400 and the RCODE. */
export function releaseReply(
  id: number,
  name: NetbiosName,
  entries: readonly NbAddress[],
  rcode: number,
): Uint8Array {
  return reply(id, replyFlags(NbOpcode.RELEASE, 0, rcode), name, NbType.NB, 0, nbData(entries));
}

/**
 * WAIT FOR ACKNOWLEDGEMENT (RFC 1002 §4.2.16): flags BC00, and the request's flags as data.
 * @param ttl seconds until the real reply
 */
export function waitReply(id: number, name: NetbiosName, ttl: number, requestFlags: number): Uint8Array {
  const data = Uint8Array.of(requestFlags >> 8, requestFlags & 0xff);
  return reply(id, replyFlags(NbOpcode.WACK, 0, NbRcode.OK), name, NbType.NB, ttl, data);
}

/** NAME QUERY REQUEST to one node (RFC 1002 §4.2.12), by which a name server asks an owner whether it still is. */
export function queryPacket(id: number, name: NetbiosName): Uint8Array {
  const bytes = new Uint8Array(HEADER + name.wire.length + 4);
  putU16(bytes, 0, id);
  putU16(bytes, 4, 1);
  bytes.set(name.wire, HEADER);
  putU16(bytes, HEADER + name.wire.length, NbType.NB);
  putU16(bytes, HEADER + name.wire.length + 2, CLASS_IN);
  return bytes;
}

function replyFlags(opcode: number, bits: number, rcode: number): number {
  return RESPONSE | (opcode << 11) | AUTHORITATIVE | bits | rcode;
}

function reply(
  id: number,
  flags: number,
  name: NetbiosName,
  type: number,
  ttl: number,
  data: Uint8Array,
): Uint8Array {
  const at = HEADER + name.wire.length;
  const bytes = new Uint8Array(at + 10 + data.length);
  putU16(bytes, 0, id);
  putU16(bytes, 2, flags);
  putU16(bytes, 6, 1);
  bytes.set(name.wire, HEADER);
  putU16(bytes, at, type);
  putU16(bytes, at + 2, CLASS_IN);
  putU16(bytes, at + 4, ttl >>> 16);
  putU16(bytes, at + 6, ttl & 0xffff);
  putU16(bytes, at + 8, data.length);
  bytes.set(data, at + 10);
  return bytes;
}

function nbData(entries: readonly NbAddress[]): Uint8Array {
  const data = new Uint8Array(entries.length * NB_ENTRY);
  for (const [i, { flags, address }] of entries.entries()) {
    putU16(data, i * NB_ENTRY, flags);
    data.set(parseIpv4(address)!, i * NB_ENTRY + 2);
  }
  return data;
}

/** Beyond the end there are zeros. */
function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}
