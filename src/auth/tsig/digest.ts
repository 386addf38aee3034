/** The octets a TSIG's MAC is made over (RFC 8945 §4.3). */
import { LOWER } from "../../wire/name.ts";
import type { TsigFields } from "../../wire/tsig.ts";
import { appendTsig } from "../../wire/tsig.ts";
import { HEADER_LENGTH } from "../../wire/writer.ts";
import type { MacContext } from "./mac.ts";

/** Seconds that clocks may differ by (RFC 8945 §10 recommends 300). */
export const FUDGE = 300;

/** What a TSIG says besides its MAC. */
export type TsigStamp = Omit<TsigFields, "mac">;

/** The first message of a stream digests all TSIG variables, later ones the timers only (RFC 8945 §5.3.1). */
export type DigestForm = "variables" | "timers";

/**
 * A received message without its TSIG, as its sender digested it: the original ID put back, ARCOUNT one less
 * (RFC 8945 §4.3.2). The octets received, never an encoding of what they were understood to be.
 *
 * @param start offset of the TSIG record
 */
export function receivedParts(bytes: Uint8Array, start: number, originalId: number): Uint8Array[] {
  const header = withId(bytes, originalId);
  const additionalCount = ((header[10]! << 8) | header[11]!) - 1;
  header[10] = additionalCount >> 8;
  header[11] = additionalCount;
  return [header, bytes.subarray(HEADER_LENGTH, start)];
}

/** A MAC made before, with its length (RFC 8945 §4.3.1). */
export function priorMacParts(mac: Uint8Array): Uint8Array[] {
  return [Uint8Array.of(mac.length >> 8, mac.length), mac];
}

/** The part of the digest that comes from the TSIG itself. */
export function stampPart(stamp: TsigStamp, form: DigestForm): Uint8Array {
  return form === "variables" ? tsigVariables(stamp) : tsigTimers(stamp);
}

/**
 * Signs an encoded message and puts the TSIG at its end. The digest is made with the original ID in the header,
 * which differs from the header's where a forwarder changed that (RFC 8945 §4.3.2).
 *
 * @param prior the MAC digested before the message: the request's, or the previous one of a stream
 * @param macLength octets of MAC; default: what the key asks for
 * @throws WireError `WIRE_FULL` where the signed message would pass 65,535 octets
 */
export function signMessage(
  context: MacContext,
  message: Uint8Array,
  prior: Uint8Array | undefined,
  stamp: TsigStamp,
  form: DigestForm,
  macLength: number = context.macLength,
): { readonly message: Uint8Array; readonly mac: Uint8Array } {
  const parts = prior === undefined ? [] : priorMacParts(prior);
  if (hasId(message, stamp.originalId)) parts.push(message);
  else parts.push(withId(message, stamp.originalId), message.subarray(HEADER_LENGTH));
  parts.push(stampPart(stamp, form));
  const mac = context.mac(parts, macLength);
  return { message: appendTsig(message, { ...stamp, mac }), mac };
}

function hasId(bytes: Uint8Array, id: number): boolean {
  return ((bytes[0]! << 8) | bytes[1]!) === id;
}

/** A copy of the header with another ID in it. */
function withId(bytes: Uint8Array, id: number): Uint8Array {
  const header = bytes.slice(0, HEADER_LENGTH);
  header[0] = id >> 8;
  header[1] = id;
  return header;
}

/** RFC 8945 §4.3.3: names in canonical form, that is uncompressed and in lower case. */
function tsigVariables(stamp: TsigStamp): Uint8Array {
  const { keyName, algorithm, other } = stamp;
  const out = new Uint8Array(keyName.wire.length + algorithm.wire.length + 18 + other.length);
  let at = putLowerCase(out, 0, keyName.wire);
  out[at + 1] = 255; // CLASS ANY, then TTL 0
  at = putLowerCase(out, at + 6, algorithm.wire);
  at = putTimers(out, at, stamp);
  out[at++] = stamp.error >> 8;
  out[at++] = stamp.error;
  out[at++] = other.length >> 8;
  out[at++] = other.length;
  out.set(other, at);
  return out;
}

/** RFC 8945 §4.3.4. */
function tsigTimers(stamp: TsigStamp): Uint8Array {
  const out = new Uint8Array(8);
  putTimers(out, 0, stamp);
  return out;
}

function putTimers(out: Uint8Array, at: number, stamp: TsigStamp): number {
  const time = time48(stamp.timeSigned);
  for (let i = 0; i < 6; i++) out[at + i] = time[i]!;
  out[at + 6] = stamp.fudge >> 8;
  out[at + 7] = stamp.fudge;
  return at + 8;
}

/** Seconds since 1970 UTC as 48 bits. */
export function time48(seconds: number): Uint8Array {
  const high = Math.floor(seconds / 0x1_0000_0000);
  const low = seconds % 0x1_0000_0000;
  return Uint8Array.of(high >> 8, high, low >>> 24, low >>> 16, low >>> 8, low);
}

function putLowerCase(out: Uint8Array, at: number, wire: Uint8Array): number {
  // Length octets are below 64, so lower-casing them changes nothing.
  for (let i = 0; i < wire.length; i++) out[at + i] = LOWER[wire[i]!]!;
  return at + wire.length;
}
