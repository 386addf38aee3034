/** The TKEY record's fields (RFC 2930 §2). What they mean is `auth/gss`'s business. */
import { RrClass } from "./iana/class.ts";
import { RrType } from "./iana/type.ts";
import type { Name } from "./name.ts";
import { WireReader } from "./reader.ts";
import type { ResourceRecord } from "./record.ts";
import { WireError } from "./error.ts";
import type { WireWriter } from "./writer.ts";

export interface TkeyFields {
  readonly keyName: Name;
  readonly algorithm: Name;
  /** Seconds since 1970 UTC, 32 bits. */
  readonly inception: number;
  /** Seconds since 1970 UTC, 32 bits. */
  readonly expiration: number;
  /** 3 is GSS-API negotiation (RFC 3645 §3.1.1), 5 key deletion (RFC 2930 §4.2). */
  readonly mode: number;
  /** A `TsigError`. */
  readonly error: number;
  readonly key: Uint8Array;
  readonly other: Uint8Array;
}

/**
 * Reads a TKEY record's RDATA, as {@link readRecord} leaves it.
 * @throws WireError `WIRE_RDATA` where the lengths do not add up
 */
export function readTkey(rr: ResourceRecord): TkeyFields {
  const reader = new WireReader(rr.rdata);
  const fields = {
    keyName: rr.name,
    algorithm: reader.plainName(),
    inception: reader.u32(),
    expiration: reader.u32(),
    mode: reader.u16(),
    error: reader.u16(),
    key: reader.take(reader.u16()),
    other: reader.take(reader.u16()),
  };
  if (reader.remaining > 0) throw new WireError("WIRE_RDATA", "octets left after a TKEY");
  return fields;
}

/** Writes a TKEY record, class ANY and TTL 0 (RFC 2930 §2), its names uncompressed: Windows cannot read compressed ones. */
export function writeTkey(writer: WireWriter, tkey: TkeyFields): void {
  writer.name(tkey.keyName, false);
  writer.u16(RrType.TKEY);
  writer.u16(RrClass.ANY);
  writer.u32(0);
  const lengthAt = writer.length;
  writer.u16(0);
  writer.name(tkey.algorithm, false);
  writer.u32(tkey.inception);
  writer.u32(tkey.expiration);
  writer.u16(tkey.mode);
  writer.u16(tkey.error);
  writer.u16(tkey.key.length);
  writer.bytes(tkey.key);
  writer.u16(tkey.other.length);
  writer.bytes(tkey.other);
  writer.patchU16(lengthAt, writer.length - lengthAt - 2);
}
