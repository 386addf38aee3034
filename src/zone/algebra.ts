/**
 * What can be done with changesets as values: merged, measured, and found between two states of a zone.
 * RFC 1995 §5 allows several differences to be condensed into one, as {@link condense} does.
 */
import { RrType } from "../wire/iana/type.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import { sameBytes, type ResourceRecord } from "../wire/record.ts";

/** What goes and what comes, without SOAs. */
export interface RecordChanges {
  readonly removed: readonly ResourceRecord[];
  readonly added: readonly ResourceRecord[];
}

/** One step of a zone from one serial to another, whoever made it: what IXFR sends. */
export interface Difference extends RecordChanges {
  readonly soaBefore: ResourceRecord;
  readonly soaAfter: ResourceRecord;
}

/** Octets of a record's type, class, TTL and RDLENGTH (RFC 1035 §3.2.1). */
const FIXED_LENGTH = 10;

/** The same for two records that DNS holds equal: owner, type and RDATA, letter case and TTL aside (RFC 2136 §1.1.1). */
export function recordKey(rr: Pick<ResourceRecord, "name" | "type" | "rdata">): string {
  // A name's key ends where its root label does, and a type takes one character: no two records share a key.
  return rr.name.key + String.fromCharCode(rr.type) + rdataKey(rr.type, rr.rdata);
}

/** Whether two records are the same to the octet, TTL and letter case included. */
export function identical(a: ResourceRecord, b: ResourceRecord): boolean {
  return (
    a.type === b.type && a.ttl === b.ttl && sameBytes(a.rdata, b.rdata) && sameBytes(a.name.wire, b.name.wire)
  );
}

/** Octets of a difference's records, SOAs included, in uncompressed wire form: what the journal keeps. */
export function changesetSize({ soaBefore, soaAfter, removed, added }: Difference): number {
  let size = recordSize(soaBefore) + recordSize(soaAfter);
  for (const rr of removed) size += recordSize(rr);
  for (const rr of added) size += recordSize(rr);
  return size;
}

/**
 * Merges a chain, oldest first, into its net difference: what was added and removed again does not appear, nor what was
 * removed and came back the same. A record that came back with another TTL or in another case appears as both.
 * @throws RangeError where the chain is empty
 */
export function condense(chain: readonly Difference[]): Difference {
  const first = chain[0];
  const last = chain[chain.length - 1];
  if (first === undefined || last === undefined) throw new RangeError("no changesets to condense");
  /** As in the zone before the chain, and no longer so. */
  const removed = new Map<string, ResourceRecord>();
  /** In the zone after the chain, and not before it. */
  const added = new Map<string, ResourceRecord>();
  for (const difference of chain) {
    for (const rr of difference.removed) {
      const key = recordKey(rr);
      if (!added.delete(key)) removed.set(key, rr);
    }
    for (const rr of difference.added) {
      const key = recordKey(rr);
      const gone = removed.get(key);
      if (gone !== undefined && identical(gone, rr)) removed.delete(key);
      else added.set(key, rr);
    }
  }
  return {
    soaBefore: first.soaBefore,
    soaAfter: last.soaAfter,
    removed: [...removed.values()],
    added: [...added.values()],
  };
}

/**
 * What turns the records `before` into the records `after`, SOAs left out. A change of TTL or of letter case is a
 * removal and an addition. Of records that DNS holds equal, the first of each side counts (RFC 2181 §5).
 */
export function diffRecords(
  before: Iterable<ResourceRecord>,
  after: Iterable<ResourceRecord>,
): RecordChanges {
  const left = new Map<string, ResourceRecord>();
  for (const rr of before) {
    if (rr.type === RrType.SOA) continue;
    const key = recordKey(rr);
    if (!left.has(key)) left.set(key, rr);
  }
  const removed: ResourceRecord[] = [];
  const added: ResourceRecord[] = [];
  const seen = new Set<string>();
  for (const rr of after) {
    if (rr.type === RrType.SOA) continue;
    const key = recordKey(rr);
    if (seen.has(key)) continue;
    seen.add(key);
    const old = left.get(key);
    if (old !== undefined) {
      left.delete(key);
      if (identical(old, rr)) continue;
      removed.push(old);
    }
    added.push(rr);
  }
  // Not spread into push: a call has room for some 100,000 arguments.
  for (const rr of left.values()) removed.push(rr);
  return { removed, added };
}

function recordSize(rr: ResourceRecord): number {
  return rr.name.wire.length + FIXED_LENGTH + rr.rdata.length;
}
