/** The TSIG record's fields (RFC 8945 §4.2). What they mean is `auth/tsig`'s business. */
import { WireError } from "./error.ts";
import { RrClass } from "./iana/class.ts";
import { RrType } from "./iana/type.ts";
import type { Name } from "./name.ts";
import { WireReader } from "./reader.ts";
import type { ResourceRecord } from "./record.ts";
import { MAX_MESSAGE_LENGTH, WireWriter } from "./writer.ts";

export interface TsigFields {
  readonly keyName: Name;
  readonly algorithm: Name;
  /** Seconds since 1970 UTC, 48 bits. */
  readonly timeSigned: number;
  /** Seconds either side. */
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  /** A `TsigError`. */
  readonly error: number;
  readonly other: Uint8Array;
}

/** A TSIG received, with the place it began: the octets before `start` are what it signs. */
export interface TsigRecord extends TsigFields {
  /** Offset in the message of the TSIG record's owner name. */
  readonly start: number;
}

/**
 * Reads a TSIG record's RDATA.
 * @throws WireError `WIRE_TSIG` where class is not ANY, TTL not 0, or lengths do not add up (RFC 8945 §4.2)
 */
export function readTsig(rr: ResourceRecord, start: number): TsigRecord {
  if (rr.class !== RrClass.ANY || rr.ttl !== 0)
    throw new WireError("WIRE_TSIG", "a TSIG whose class or TTL is wrong", start);
  try {
    const reader = new WireReader(rr.rdata);
    const fields = {
      keyName: rr.name,
      algorithm: reader.name(),
      timeSigned: reader.u48(),
      fudge: reader.u16(),
      mac: reader.copy(reader.u16()),
      originalId: reader.u16(),
      error: reader.u16(),
      other: reader.copy(reader.u16()),
      start,
    };
    if (reader.remaining > 0) throw new WireError("WIRE_TSIG", "octets left after a TSIG", start);
    return fields;
  } catch (error) {
    if (error instanceof WireError)
      throw new WireError("WIRE_TSIG", `a malformed TSIG: ${error.message}`, start);
    throw error;
  }
}

/** Writes a TSIG record, its names uncompressed (RFC 8945 §4.2): Windows cannot read compressed ones. */
export function writeTsig(writer: WireWriter, tsig: TsigFields): void {
  // As plain octets: nothing follows a TSIG that could point into its names.
  writer.bytes(tsig.keyName.wire);
  writer.u16(RrType.TSIG);
  writer.u16(RrClass.ANY);
  writer.u32(0);
  const lengthAt = writer.length;
  writer.u16(0);
  writer.bytes(tsig.algorithm.wire);
  writer.u48(tsig.timeSigned);
  writer.u16(tsig.fudge);
  writer.u16(tsig.mac.length);
  writer.bytes(tsig.mac);
  writer.u16(tsig.originalId);
  writer.u16(tsig.error);
  writer.u16(tsig.other.length);
  writer.bytes(tsig.other);
  writer.patchU16(lengthAt, writer.length - lengthAt - 2);
}

/** Octets that a TSIG record with a MAC of `macLength` and no other data takes. */
export function tsigLength(keyName: Name, algorithm: Name, macLength: number, otherLength = 0): number {
  return keyName.wire.length + 10 + algorithm.wire.length + 16 + macLength + otherLength;
}

/** Offset of ARCOUNT in the header (RFC 1035 §4.1.1). */
const ARCOUNT_OFFSET = 10;

/** Signing is synchronous: one message at a time. */
const signedWriter = new WireWriter();

/**
 * A copy of an encoded message with the TSIG record at its end and ARCOUNT one higher.
 * @throws WireError `WIRE_FULL` where it would pass 65,535 octets
 */
export function appendTsig(message: Uint8Array, tsig: TsigFields): Uint8Array {
  const writer = signedWriter;
  writer.restart(MAX_MESSAGE_LENGTH);
  writer.bytes(message);
  writeTsig(writer, tsig);
  writer.patchU16(ARCOUNT_OFFSET, ((message[ARCOUNT_OFFSET]! << 8) | message[ARCOUNT_OFFSET + 1]!) + 1);
  return writer.finish();
}
