/** The hosts that serve a zone, by its own word. */
import { RrType } from "../wire/iana/type.ts";
import { Name, uncompressedLength } from "../wire/name.ts";
import type { ZoneView } from "./view.ts";

/**
 * The targets of the NS records at the apex, and the SOA's MNAME, to which hosts send their updates (RFC 2136 §4.3).
 * Made for every update that changes something, and so of the view's own octets: not to be kept beyond its next change.
 */
export function nameServersOf(view: ZoneView): Name[] {
  const soa = view.soa.rdata;
  // What begins both RDATA is a whole name, uncompressed (RFC 1035 §3.3.11, §3.3.13).
  const names = [Name.fromTrustedWire(soa.subarray(0, uncompressedLength(soa, 0)))];
  for (const rdata of view.rrset(view.apex, RrType.NS)?.rdatas ?? []) names.push(Name.fromTrustedWire(rdata));
  return names;
}
