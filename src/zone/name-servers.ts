/** The hosts that serve a zone, by its own word. */
import { RrType } from "../wire/iana/type.ts";
import { Name, uncompressedLength } from "../wire/name.ts";
import type { RrSet } from "../wire/record.ts";
import type { ZoneView } from "./view.ts";

/** What was made of NS records before, by their RRset: within a batch of updates a view gives the same again. */
const known = new WeakMap<RrSet, readonly Name[]>();

/**
 * The targets of the NS records at the apex, and the SOA's MNAME, to which hosts send their updates (RFC 2136 §4.3).
 * Asked for with every update that changes something.
 */
export function nameServersOf(view: ZoneView): readonly Name[] {
  const soa = view.soa.rdata;
  const rrset = view.rrset(view.apex, RrType.NS);
  const before = rrset && known.get(rrset);
  if (before !== undefined && beginsWith(soa, before[0]!)) return before;
  // What begins both RDATA is a whole name, uncompressed (RFC 1035 §3.3.11, §3.3.13).
  const names = [Name.fromTrustedWire(soa.slice(0, uncompressedLength(soa, 0)))];
  if (rrset === undefined) return names;
  for (const rdata of rrset.rdatas) names.push(Name.fromTrustedWire(rdata));
  known.set(rrset, names);
  return names;
}

/** Whether RDATA begin with a name, octet by octet: its root label ends it in both. */
function beginsWith(rdata: Uint8Array, { wire }: Name): boolean {
  for (let i = 0; i < wire.length; i++) if (rdata[i] !== wire[i]) return false;
  return true;
}
