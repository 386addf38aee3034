/** What ageing takes out of a zone: a changeset like any other, judged on the zone as it is when its turn comes. */
import { RrType } from "../../wire/iana/type.ts";
import { soaSerial, withSerial } from "../../wire/rdata/soa.ts";
import { record, sameBytes, type ResourceRecord } from "../../wire/record.ts";
import type { Name } from "../../wire/name.ts";
import type { Changeset, ChangeOrigin } from "../../zone/changeset.ts";
import { nameServersOf } from "../../zone/name-servers.ts";
import type { RegisteredRecord } from "../../zone/registration.ts";
import { nextSerial } from "../../zone/serial.ts";
import type { ZoneView } from "../../zone/view.ts";

export interface Removal {
  readonly changeset: Changeset | undefined;
  /** Those that must never go, and so stay. */
  readonly spared: readonly RegisteredRecord[];
}

/**
 * Plans the removal of records.
 * @param isDue whether a record's time is over still: it may have been refreshed since it was found
 */
export function planRemoval(
  view: ZoneView,
  candidates: readonly RegisteredRecord[],
  isDue: (candidate: RegisteredRecord) => boolean,
  origin: ChangeOrigin,
): Removal {
  const servers = nameServersOf(view);
  const removed: ResourceRecord[] = [];
  const spared: RegisteredRecord[] = [];
  for (const candidate of candidates) {
    const { name, type, rdata } = candidate.record;
    const rrset = view.rrset(name, type);
    if (rrset === undefined || !rrset.rdatas.some((each) => sameBytes(each, rdata))) continue;
    if (!isDue(candidate)) continue;
    if (mustStay(candidate.record, view.apex, servers)) spared.push(candidate);
    else removed.push(record(view.storedName(name), type, rrset.ttl, rdata));
  }
  if (removed.length === 0) return { changeset: undefined, spared };
  const { soa } = view;
  const soaBefore = { ...soa, rdata: soa.rdata.slice() };
  const soaAfter = { ...soa, rdata: withSerial(soaBefore.rdata, nextSerial(soaSerial(soa.rdata))) };
  return { changeset: { zone: view.apex, soaBefore, soaAfter, removed, added: [], origin }, spared };
}

/** The apex, delegations, and the addresses of the zone's own name servers. */
export function mustStay({ name, type }: ResourceRecord, apex: Name, servers: readonly Name[]): boolean {
  return (
    name.equals(apex) ||
    type === RrType.NS ||
    type === RrType.SOA ||
    servers.some((server) => server.equals(name))
  );
}
