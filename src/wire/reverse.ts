/** The names under which addresses are looked up: in-addr.arpa (RFC 1035 §3.5) and ip6.arpa (RFC 3596 §2.5). */
import { Name } from "./name.ts";

const IPV4_APEX = Name.parse("in-addr.arpa.");
const IPV6_APEX = Name.parse("ip6.arpa.");

/**
 * The reverse name of an address.
 * @param octets four of IPv4 or sixteen of IPv6, as in the RDATA of an A or AAAA record
 */
export function reverseName(octets: Uint8Array): Name {
  let name = octets.length === 4 ? IPV4_APEX : IPV6_APEX;
  const labels: string[] = [];
  for (const octet of octets) {
    if (octets.length === 4) labels.push(String(octet));
    else labels.push((octet >> 4).toString(16), (octet & 15).toString(16));
  }
  for (const label of labels) name = name.child(label);
  return name;
}

/** Whether a zone of this apex holds reverse names. */
export function isReverseApex(apex: Name): boolean {
  return apex.isWithin(IPV4_APEX) || apex.isWithin(IPV6_APEX);
}
