/**
 * IXFR (RFC 1995): what a secondary that has one serial needs to get to the current one.
 *
 * | the secondary                                 | gets                                                          |
 * |-----------------------------------------------|---------------------------------------------------------------|
 * | has the current serial, or one ahead of it    | the current SOA alone (§2; so do BIND, Knot and NSD)          |
 * | is behind, and the journal reaches back to it | one difference, all changes condensed into it (§4, §5)        |
 * | is behind, and the journal does not           | the whole zone, in the form of AXFR (§4)                      |
 * | is behind by more than the zone holds         | likewise                                                      |
 * | is 2^31 away, which is neither (RFC 1982)     | likewise                                                      |
 */
import type { ResourceRecord } from "../wire/record.ts";
import { sameBytes } from "../wire/record.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { Difference } from "../zone/algebra.ts";
import { changesetSize, condense } from "../zone/algebra.ts";
import { compareSerial } from "../zone/serial.ts";

/**
 * Most octets of changesets that are read for one transfer: they are read at once, while a zone is streamed. Beyond it
 * the whole zone is the better answer to a secondary that is that far behind.
 */
const MAX_JOURNAL_OCTETS = 16 * 1024 * 1024;
/** Octets of changesets worth reading in the hope that they condense into few. */
const MIN_JOURNAL_OCTETS = 1024 * 1024;
/** A difference of no more octets than this is sent even where the zone has fewer: it costs one packet or two either way. */
const SMALL_DIFFERENCE = 4096;

export interface IxfrQuestion {
  /** The serial the secondary has. */
  readonly clientSerial: number;
  /** The zone's present SOA. */
  readonly current: ResourceRecord;
  /**
   * The changesets that lead from the client's serial to the current one, oldest first; undefined where the journal does
   * not reach back to it or they take more octets than that.
   */
  readonly changes: (maxOctets: number) => readonly Difference[] | undefined;
  /** About how many octets the zone's records take in uncompressed wire form. */
  readonly zoneOctets: number;
}

export type IxfrPlan =
  /** The current SOA alone. */
  | { readonly kind: "current"; readonly records: readonly ResourceRecord[] }
  | {
      readonly kind: "incremental";
      readonly records: Iterable<ResourceRecord>;
      /** The serial it leads to. */
      readonly serial: number;
      /** Octets of the records in uncompressed wire form. */
      readonly octets: number;
    }
  | { readonly kind: "full"; readonly reason: "no history" | "larger than the zone" | "no serial order" };

/** Decides what answers an IXFR. */
export function planIxfr({ clientSerial, current, changes, zoneOctets }: IxfrQuestion): IxfrPlan {
  const order = compareSerial(clientSerial, soaSerial(current.rdata));
  if (order === undefined) return { kind: "full", reason: "no serial order" };
  if (order >= 0) return { kind: "current", records: [current] };

  const chain = changes(Math.min(Math.max(4 * zoneOctets, MIN_JOURNAL_OCTETS), MAX_JOURNAL_OCTETS));
  if (chain === undefined || !isChain(chain, clientSerial)) return { kind: "full", reason: "no history" };
  const differences = smallest(chain);
  const octets = sizeOf(differences);
  if (octets > Math.max(zoneOctets, SMALL_DIFFERENCE))
    return { kind: "full", reason: "larger than the zone" };
  const last = differences[differences.length - 1]!.soaAfter;
  return { kind: "incremental", records: ixfrRecords(differences), serial: soaSerial(last.rdata), octets };
}

/**
 * The records of an incremental transfer in order (RFC 1995 §4): the newest SOA, each difference as old SOA, removed
 * records, new SOA, added records, and the newest SOA again.
 * @param differences a chain, oldest first, not empty
 */
export function* ixfrRecords(differences: readonly Difference[]): Generator<ResourceRecord, void, undefined> {
  const newest = differences[differences.length - 1]!.soaAfter;
  yield newest;
  for (const { soaBefore, removed, soaAfter, added } of differences) {
    yield soaBefore;
    yield* removed;
    yield soaAfter;
    yield* added;
  }
  yield newest;
}

/** Whether each difference begins where the one before ended: a secondary would be left with a stale zone otherwise. */
function isChain(chain: readonly Difference[], clientSerial: number): boolean {
  const [first] = chain;
  if (first === undefined || soaSerial(first.soaBefore.rdata) !== clientSerial) return false;
  return chain.every(
    ({ soaBefore }, i) => i === 0 || sameBytes(soaBefore.rdata, chain[i - 1]!.soaAfter.rdata),
  );
}

/** RFC 1995 §5: several differences may be condensed into one. */
function smallest(chain: readonly Difference[]): readonly Difference[] {
  if (chain.length === 1) return chain;
  const condensed = [condense(chain)];
  return sizeOf(condensed) < sizeOf(chain) ? condensed : chain;
}

function sizeOf(differences: readonly Difference[]): number {
  return differences.reduce((sum, difference) => sum + changesetSize(difference), 0);
}
