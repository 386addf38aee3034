/** How large an RRset may be: what is larger no message can carry. */
import { LOWER } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";

/**
 * Octets that the records of one RRset may take in an answer: one more would make it an answer, or a lone record in a
 * transfer, that no message can carry next to the longest names, an OPT record and a signature.
 */
export const MAX_RRSET_OCTETS = 64_000;

/** Octets of a record besides its RDATA, its owner being a compression pointer (RFC 1035 §4.1.3). */
export const RECORD_OVERHEAD = 12;

/** Enough that a zone of ordinary RRsets fills none of them. */
const SIZE_BUCKETS = 65_536;

/**
 * The RRsets of a zone that are too large, each by the index of the first record that does not fit.
 * Sums up sizes by a coarse hash first: only what shares an overfull bucket is looked at by name.
 */
export function overfullRrsets(records: readonly ResourceRecord[]): number[] {
  const buckets = new Float64Array(SIZE_BUCKETS);
  for (const record of records) buckets[bucketOf(record)]! += sizeOf(record);
  if (buckets.every((octets) => octets <= MAX_RRSET_OCTETS)) return [];
  const overfull: number[] = [];
  const sizes = new Map<string, number>();
  for (const [index, record] of records.entries()) {
    if (buckets[bucketOf(record)]! <= MAX_RRSET_OCTETS) continue;
    const key = `${record.name.key} ${record.type}`;
    const before = sizes.get(key) ?? 0;
    const after = before + sizeOf(record);
    sizes.set(key, after);
    if (before <= MAX_RRSET_OCTETS && after > MAX_RRSET_OCTETS) overfull.push(index);
  }
  return overfull;
}

function sizeOf({ rdata }: ResourceRecord): number {
  return RECORD_OVERHEAD + rdata.length;
}

function bucketOf({ name, type }: ResourceRecord): number {
  let hash = type;
  for (const octet of name.wire) hash = Math.imul(hash ^ LOWER[octet]!, 0x0100_0193);
  return (hash ^ (hash >>> 16)) & (SIZE_BUCKETS - 1);
}
