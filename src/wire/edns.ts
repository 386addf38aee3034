/** EDNS(0): the OPT pseudo-record (RFC 6891), NSID (RFC 5001) and Extended DNS Errors (RFC 8914). */
import { WireError } from "./error.ts";
import { EdnsOption } from "./iana/code.ts";
import { RrType } from "./iana/type.ts";
import { WireReader } from "./reader.ts";
import type { ResourceRecord } from "./record.ts";
import type { WireWriter } from "./writer.ts";

/** The UDP payload Rollcall offers and never exceeds: fits any path without fragmentation (DNS flag day 2020). */
export const MAX_UDP_PAYLOAD = 1232;
/** What a client without EDNS can take (RFC 1035 §4.2.1). */
export const MIN_UDP_PAYLOAD = 512;
/** The one version there is (RFC 6891 §6.1.3). */
export const EDNS_VERSION = 0;

export interface EdnsOptionValue {
  readonly code: number;
  readonly data: Uint8Array;
}

/** What an OPT record says. */
export interface Edns {
  /** Sender's UDP payload size in octets. */
  readonly udpPayload: number;
  readonly version: number;
  /** The upper eight bits of the RCODE. */
  readonly extendedRcode: number;
  /** DNSSEC OK (RFC 3225). */
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOptionValue[];
}

/** Why an answer is what it is, for the person behind the client (RFC 8914). */
export interface ExtendedError {
  /** An INFO-CODE of the registry (`Ede`). */
  readonly code: number;
  /** English, short, without a final stop; cut at {@link MAX_EXTRA_TEXT} octets. */
  readonly text: string;
}

/** EXTRA-TEXT longer than this is cut, so that a refusal always fits 512 octets. */
export const MAX_EXTRA_TEXT = 160;

/**
 * Reads an OPT record. The options of a version other than 0 are left unread: their form is not known, and the answer
 * is BADVERS whatever they are (RFC 6891 §6.1.3).
 * @throws WireError `WIRE_EDNS` where its owner is not the root or its options do not add up (RFC 6891 §6.1.2)
 */
export function readEdns(rr: ResourceRecord): Edns {
  if (!rr.name.isRoot) throw new WireError("WIRE_EDNS", "an OPT record whose owner is not the root");
  const version = (rr.ttl >>> 16) & 0xff;
  const options = version === EDNS_VERSION ? readOptions(rr.rdata) : [];
  return {
    udpPayload: rr.class,
    extendedRcode: rr.ttl >>> 24,
    version,
    dnssecOk: (rr.ttl & 0x8000) !== 0,
    options,
  };
}

function readOptions(rdata: Uint8Array): EdnsOptionValue[] {
  const reader = new WireReader(rdata);
  const options: EdnsOptionValue[] = [];
  while (reader.remaining > 0) {
    if (reader.remaining < 4) throw new WireError("WIRE_EDNS", "an EDNS option cut short");
    const code = reader.u16();
    const length = reader.u16();
    if (length > reader.remaining)
      throw new WireError("WIRE_EDNS", "an EDNS option longer than its OPT record");
    options.push({ code, data: reader.take(length) });
  }
  return options;
}

/** Writes an OPT record. */
export function writeEdns(writer: WireWriter, edns: Edns): void {
  writer.u8(0);
  writer.u16(RrType.OPT);
  writer.u16(edns.udpPayload);
  writer.u8(edns.extendedRcode);
  writer.u8(edns.version);
  writer.u16(edns.dnssecOk ? 0x8000 : 0);
  writer.u16(edns.options.reduce((sum, option) => sum + 4 + option.data.length, 0));
  for (const option of edns.options) {
    writer.u16(option.code);
    writer.u16(option.data.length);
    writer.bytes(option.data);
  }
}

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder();

/** The EDE option (RFC 8914 §2): INFO-CODE, then EXTRA-TEXT in UTF-8, cut between characters. */
export function edeOption(error: ExtendedError): EdnsOptionValue {
  const data = new Uint8Array(2 + MAX_EXTRA_TEXT);
  data[0] = error.code >> 8;
  data[1] = error.code & 0xff;
  const { written } = utf8Encoder.encodeInto(error.text, data.subarray(2));
  return { code: EdnsOption.EDE, data: data.slice(0, 2 + written) };
}

/** Reads an EDE option's data; undefined where it is too short. A final NUL, which some senders add, is no text (RFC 8914 §2). */
export function readEde(data: Uint8Array): ExtendedError | undefined {
  if (data.length < 2) return undefined;
  const text = utf8Decoder.decode(data.subarray(2, data.at(-1) === 0 && data.length > 2 ? -1 : undefined));
  return { code: (data[0]! << 8) | data[1]!, text };
}
