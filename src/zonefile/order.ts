/** The order of records in print: canonical (RFC 4034 §6), with what opens a zone first. */
import { RrType } from "../wire/iana/type.ts";
import { LOWER } from "../wire/name.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";

/**
 * A string for each name whose order by code unit is the canonical order of the names (RFC 4034 §6.1): its labels from
 * the right, in lower case, each octet one higher so that the 0 that ends a label sorts before any of them.
 */
export function canonicalOrderKey(name: Name): string {
  const labels = name.labels();
  let key = "";
  for (let i = labels.length - 1; i >= 0; i--) {
    for (const octet of labels[i]!) key += String.fromCharCode(LOWER[octet]! + 1);
    key += "\0";
  }
  return key;
}

/** Order of two records of one owner: SOA, NS, then by type number, then by RDATA (RFC 4034 §6.3). */
export function compareAtOwner(a: ResourceRecord, b: ResourceRecord): number {
  return rank(a.type) - rank(b.type) || compareOctets(a.rdata, b.rdata);
}

/** All records in order. Takes them all before it returns. */
export function inCanonicalOrder(records: Iterable<ResourceRecord>): ResourceRecord[] {
  const keyed: { key: string; record: ResourceRecord }[] = [];
  let previous: Name | undefined;
  let key = "";
  for (const record of records) {
    if (record.name !== previous) key = canonicalOrderKey((previous = record.name));
    keyed.push({ key, record });
  }
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : compareAtOwner(a.record, b.record)));
  return keyed.map(({ record }) => record);
}

function rank(type: number): number {
  if (type === RrType.SOA) return -2;
  if (type === RrType.NS) return -1;
  return type;
}

function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const order = a[i]! - b[i]!;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
