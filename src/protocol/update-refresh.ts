/**
 * Which records an update keeps alive: those that are there and that it names again, by adding them or by asserting them
 * as a prerequisite. An update that changes nothing is a refresh, and so is a Windows host's probe, which has
 * prerequisites alone. Only who may change a record refreshes it.
 */
import { RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { UpdateLease } from "../wire/update-lease.ts";
import { recordKey } from "../zone/algebra.ts";
import type { AgeingRules, Refresh } from "../zone/registration.ts";
import type { ZoneView } from "../zone/view.ts";
import type { UpdateRequest } from "./update-prescan.ts";

/** What a requested lease becomes within a zone's bounds (RFC 9664 §4.3, §7), in the variant that was asked in. */
export function grantLease(asked: UpdateLease, rules: AgeingRules): UpdateLease {
  const within = (lease: number, most: number): number =>
    Math.floor(Math.min(Math.max(lease, rules.minLease / 1000), most / 1000));
  const lease = within(asked.lease, rules.maxLease);
  if (asked.keyLease === undefined) return { lease };
  return { lease, keyLease: within(asked.keyLease, rules.maxKeyLease) };
}

/** The lease of a record of this type: KEY records have their own (RFC 9664 §6). */
export function leaseOf(type: number, granted: UpdateLease): number {
  return type === RrType.KEY ? (granted.keyLease ?? granted.lease) : granted.lease;
}

/**
 * The records that a granted update refreshes.
 * @param removed those that it removes: they are not there afterwards, or come back with a registration of their own
 * @param mayRefresh whether the requester could add the record
 * @param at seconds since 1970 UTC
 */
export function findRefreshes(
  request: UpdateRequest,
  view: ZoneView,
  removed: readonly ResourceRecord[],
  mayRefresh: (name: Name, type: number, rdata: Uint8Array) => boolean,
  granted: UpdateLease | undefined,
  at: number,
): Refresh[] {
  const gone = new Set(removed.map(recordKey));
  const rrsets = new Map<string, ReadonlyMap<string, Uint8Array>>();
  const stored = (name: Name, type: number): ReadonlyMap<string, Uint8Array> => {
    const id = `${type} ${name.key}`;
    let records = rrsets.get(id);
    if (records === undefined) {
      const rdatas = view.rrset(name, type)?.rdatas ?? [];
      rrsets.set(id, (records = new Map(rdatas.map((rdata) => [rdataKey(type, rdata), rdata]))));
    }
    return records;
  };
  const refreshes = new Map<string, Refresh>();
  const refresh = (name: Name, type: number, key: string): void => {
    const found = stored(name, type).get(key);
    if (found === undefined) return;
    const id = recordKey({ name, type, rdata: found });
    if (gone.has(id) || refreshes.has(id) || !mayRefresh(name, type, found)) return;
    const lease = granted === undefined ? undefined : leaseOf(type, granted);
    refreshes.set(id, { name, type, rdata: found, refreshed: at, lease });
  };
  for (const operation of request.operations) {
    if (operation.kind === "add") refresh(operation.name, operation.type, operation.key);
  }
  for (const { name, type, keys } of request.expected) for (const key of keys) refresh(name, type, key);
  return [...refreshes.values()];
}
