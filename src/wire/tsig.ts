/** The TSIG record's fields (RFC 8945 §4.2). What they mean is `auth/tsig`'s business. */
import { WireError } from "./error.ts";
import { RrClass } from "./iana/class.ts";
import { RrType } from "./iana/type.ts";
import type { Name } from "./name.ts";
import { WireReader } from "./reader.ts";
import type { ResourceRecord } from "./record.ts";
import type { WireWriter } from "./writer.ts";

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
  if (rr.class !== RrClass.ANY || rr.ttl !== 0) throw new WireError("WIRE_TSIG", "a TSIG whose class or TTL is wrong", start);
  try {
    const reader = new WireReader(rr.rdata);
    const fields = {
      keyName: rr.name,
      algorithm: reader.name(),
      timeSigned: reader.u48(),
      fudge: reader.u16(),
      mac: reader.take(reader.u16()),
      originalId: reader.u16(),
      error: reader.u16(),
      other: reader.take(reader.u16()),
      start,
    };
    if (reader.remaining > 0) throw new WireError("WIRE_TSIG", "octets left after a TSIG", start);
    return fields;
  } catch (error) {
    if (error instanceof WireError) throw new WireError("WIRE_TSIG", `a malformed TSIG: ${error.message}`, start);
    throw error;
  }
}

/** Writes a TSIG record, its names uncompressed: Windows cannot read compressed ones. */
export function writeTsig(writer: WireWriter, tsig: TsigFields): void {
  writer.name(tsig.keyName, false);
  writer.u16(RrType.TSIG);
  writer.u16(RrClass.ANY);
  writer.u32(0);
  const lengthAt = writer.length;
  writer.u16(0);
  writer.name(tsig.algorithm, false);
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
