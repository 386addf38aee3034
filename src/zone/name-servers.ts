/** The hosts that serve a zone, by its own word. */
import { RrType } from "../wire/iana/type.ts";
import { Name } from "../wire/name.ts";
import { readSoa } from "../wire/rdata/soa.ts";
import type { ZoneView } from "./view.ts";

/** The targets of the NS records at the apex, and the SOA's MNAME, to which hosts send their updates (RFC 2136 §4.3). */
export function nameServersOf(view: ZoneView): Name[] {
  const hosts = view.rrset(view.apex, RrType.NS)?.rdatas ?? [];
  // Copies: the view's octets may be memory that is used again.
  return [readSoa(view.soa.rdata).mname, ...hosts.map((rdata) => Name.fromTrustedWire(rdata.slice()))];
}
