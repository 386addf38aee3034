/** The SOA record's fields (RFC 1035 §3.3.13, RFC 2308 §4 for MINIMUM, RFC 1982 for the serial). */
import { WireError } from "../error.ts";
import type { Name } from "../name.ts";
import { WireReader } from "../reader.ts";

/** Times are in seconds. */
export interface Soa {
  /** The primary server. */
  readonly mname: Name;
  /** The mailbox of the person responsible, its `@` written as a dot. */
  readonly rname: Name;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** How long a negative answer may be kept, at most (RFC 2308 §4). */
  readonly minimum: number;
}

/** Octets behind the two names: five 32-bit numbers. */
const NUMBERS_LENGTH = 20;

/** Reads uncompressed SOA RDATA. @throws WireError */
export function readSoa(rdata: Uint8Array): Soa {
  const reader = new WireReader(rdata);
  const soa = {
    mname: reader.plainName(),
    rname: reader.plainName(),
    serial: reader.u32(),
    refresh: reader.u32(),
    retry: reader.u32(),
    expire: reader.u32(),
    minimum: reader.u32(),
  };
  if (reader.remaining > 0) throw new WireError("WIRE_RDATA", "octets left after SOA RDATA", reader.offset);
  return soa;
}

/** The uncompressed RDATA of an SOA record. */
export function writeSoa(soa: Soa): Uint8Array {
  const names = soa.mname.wire.length + soa.rname.wire.length;
  const rdata = new Uint8Array(names + NUMBERS_LENGTH);
  rdata.set(soa.mname.wire);
  rdata.set(soa.rname.wire, soa.mname.wire.length);
  const view = new DataView(rdata.buffer, names);
  [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum].forEach((value, i) =>
    view.setUint32(4 * i, value),
  );
  return rdata;
}

/** The serial in valid SOA RDATA. */
export function soaSerial(rdata: Uint8Array): number {
  return u32At(rdata, rdata.length - NUMBERS_LENGTH);
}

/** The SOA's MINIMUM field in seconds, from valid SOA RDATA. */
export function soaMinimum(rdata: Uint8Array): number {
  return u32At(rdata, rdata.length - 4);
}

/** A copy of valid SOA RDATA with another serial. */
export function withSerial(rdata: Uint8Array, serial: number): Uint8Array {
  const copy = new Uint8Array(rdata);
  const at = copy.length - NUMBERS_LENGTH;
  copy[at] = serial >>> 24;
  copy[at + 1] = serial >>> 16;
  copy[at + 2] = serial >>> 8;
  copy[at + 3] = serial;
  return copy;
}

// Octet by octet: a DataView would move a short array's octets out of the heap, which costs more than all of this.
function u32At(rdata: Uint8Array, at: number): number {
  return ((rdata[at]! << 24) | (rdata[at + 1]! << 16) | (rdata[at + 2]! << 8) | rdata[at + 3]!) >>> 0;
}
