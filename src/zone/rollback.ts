/** Rollback: what brings a zone, or one owner name of it, back to what it was at an earlier serial. */
import type { Name } from "../wire/name.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import { soaSerial, withSerial } from "../wire/rdata/soa.ts";
import { record, sameBytes, type ResourceRecord } from "../wire/record.ts";
import { condense, type Difference, identical, type RecordChanges, recordKey } from "./algebra.ts";
import type { ZoneView } from "./view.ts";

export interface RollbackPlan extends RecordChanges {
  /**
   * The SOA as it was, with the zone's present serial, where any of its other fields or its TTL have changed since;
   * undefined where there is nothing to bring back.
   */
  readonly soa: ResourceRecord | undefined;
}

/**
 * Plans the way back. Only what still applies to `view` is in it: nothing is removed that is not there and nothing
 * added that is, and what comes back into an RRset that has other records takes their TTL (RFC 2181 §5.2).
 * @param chain the changesets from the target serial to the present one, oldest first, as `changesSince` gives them
 * @param owner only this very owner name; names below it are others. The SOA is the apex's.
 */
export function planRollback(chain: readonly Difference[], view: ZoneView, owner?: Name): RollbackPlan {
  if (chain.length === 0) return { removed: [], added: [], soa: undefined };
  const net = condense(chain);
  const concerned = (rr: ResourceRecord): boolean => owner === undefined || rr.name.equals(owner);

  const removed = new Map<string, ResourceRecord>();
  for (const rr of net.added) {
    if (!concerned(rr)) continue;
    const present = inView(view, rr);
    if (present !== undefined) removed.set(recordKey(rr), present);
  }
  const added: ResourceRecord[] = [];
  for (const rr of net.removed) {
    if (!concerned(rr)) continue;
    const key = recordKey(rr);
    const present = removed.get(key) ?? inView(view, rr);
    const comes = { ...rr, ttl: ttlAmongRemaining(view, rr, removed) ?? rr.ttl };
    if (present !== undefined && identical(present, comes)) {
      removed.delete(key);
      continue;
    }
    if (present !== undefined) removed.set(key, present);
    added.push(comes);
  }
  const soaConcerned = owner === undefined || owner.equals(view.apex);
  return {
    removed: [...removed.values()],
    added,
    soa: soaConcerned ? soaToRestore(net.soaBefore, view.soa) : undefined,
  };
}

/** The record of the view that equals this one, TTL and letter case aside, as the view has it. */
function inView(view: ZoneView, rr: ResourceRecord): ResourceRecord | undefined {
  const rrset = view.rrset(rr.name, rr.type);
  if (rrset === undefined) return undefined;
  const key = rdataKey(rr.type, rr.rdata);
  const rdata = rrset.rdatas.find((candidate) => rdataKey(rr.type, candidate) === key);
  return rdata === undefined ? undefined : record(view.storedName(rr.name), rr.type, rrset.ttl, rdata);
}

/** The TTL of those records of the RRset that stay; undefined where none does. */
function ttlAmongRemaining(
  view: ZoneView,
  rr: ResourceRecord,
  removed: ReadonlyMap<string, ResourceRecord>,
): number | undefined {
  const rrset = view.rrset(rr.name, rr.type);
  const own = recordKey(rr);
  const stays = rrset?.rdatas.some((rdata) => {
    const key = recordKey({ ...rr, rdata });
    return key !== own && !removed.has(key);
  });
  return stays === true ? rrset?.ttl : undefined;
}

function soaToRestore(old: ResourceRecord, present: ResourceRecord): ResourceRecord | undefined {
  const restored = record(
    present.name,
    present.type,
    old.ttl,
    withSerial(old.rdata, soaSerial(present.rdata)),
  );
  return restored.ttl === present.ttl && sameBytes(restored.rdata, present.rdata) ? undefined : restored;
}
