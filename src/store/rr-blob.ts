/** Records as the store keeps them whole: uncompressed wire form (RFC 1035 §3.2.1), one after the other. */
import { WireError } from "../wire/error.ts";
import { WireReader } from "../wire/reader.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { RESTORE_ADVICE, StoreError } from "./error.ts";

/** Octets of a record beside its owner and RDATA: type, class, TTL and RDLENGTH. */
const FIXED_LENGTH = 10;

/** Octets of the uncompressed wire form. */
export function wireLength(rr: ResourceRecord): number {
  return rr.name.wire.length + FIXED_LENGTH + rr.rdata.length;
}

/** The records' wire forms, concatenated. */
export function encodeRecords(records: readonly ResourceRecord[]): Uint8Array {
  let length = 0;
  for (const rr of records) length += wireLength(rr);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const rr of records) at = writeRecord(bytes, at, rr);
  return bytes;
}

/** Writes a record's wire form. @returns the offset behind it */
export function writeRecord(bytes: Uint8Array, start: number, rr: ResourceRecord): number {
  const { wire } = rr.name;
  let at = start;
  bytes.set(wire, at);
  at += wire.length;
  bytes[at++] = rr.type >> 8;
  bytes[at++] = rr.type;
  bytes[at++] = rr.class >> 8;
  bytes[at++] = rr.class;
  bytes[at++] = rr.ttl >>> 24;
  bytes[at++] = rr.ttl >> 16;
  bytes[at++] = rr.ttl >> 8;
  bytes[at++] = rr.ttl;
  bytes[at++] = rr.rdata.length >> 8;
  bytes[at++] = rr.rdata.length;
  bytes.set(rr.rdata, at);
  return at + rr.rdata.length;
}

/** The records of a concatenation; RDATA are views of it. @throws StoreError `STORE_CORRUPT` */
export function decodeRecords(blob: Uint8Array): ResourceRecord[] {
  const reader = new WireReader(plain(blob));
  const records: ResourceRecord[] = [];
  try {
    while (reader.remaining > 0) records.push(readStored(reader));
  } catch (error) {
    throw error instanceof WireError ? damaged() : error;
  }
  return records;
}

/** The record at the reader; its RDATA are a view. @throws WireError where it is not whole */
export function readStored(reader: WireReader): ResourceRecord {
  return {
    name: reader.plainName(),
    type: reader.u16(),
    class: reader.u16(),
    ttl: reader.u32(),
    rdata: reader.take(reader.u16()),
  };
}

/** The one record of a blob. @throws StoreError `STORE_CORRUPT` */
export function decodeRecord(blob: Uint8Array): ResourceRecord {
  const records = decodeRecords(blob);
  if (records.length !== 1) throw damaged();
  return records[0]!;
}

/**
 * The same octets as a plain `Uint8Array`: SQLite's driver hands out `Buffer`, whose `slice` is a view where everyone
 * else's is a copy.
 */
export function plain(blob: Uint8Array): Uint8Array {
  return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength);
}

/** What is said of octets that are not what was written. */
export function damaged(): StoreError {
  return new StoreError("STORE_CORRUPT", "a journal entry does not hold whole records", RESTORE_ADVICE);
}
