/** The names under which addresses are looked up: in-addr.arpa (RFC 1035 §3.5) and ip6.arpa (RFC 3596 §2.5). */
import { Name } from "./name.ts";

const IPV4_APEX = Name.parse("in-addr.arpa.");
const IPV6_APEX = Name.parse("ip6.arpa.");

/**
 * The reverse name of an address.
 * @param octets four of IPv4 or sixteen of IPv6, as in the RDATA of an A or AAAA record
 */
export function reverseName(octets: Uint8Array): Name {
  const wire: number[] = [];
  for (let i = octets.length - 1; i >= 0; i--) {
    const octet = octets[i]!;
    if (octets.length === 4) {
      const digits = String(octet);
      wire.push(digits.length);
      for (let at = 0; at < digits.length; at++) wire.push(digits.charCodeAt(at));
    } else {
      wire.push(1, hexDigit(octet & 15), 1, hexDigit(octet >> 4));
    }
  }
  const apex = octets.length === 4 ? IPV4_APEX : IPV6_APEX;
  return Name.fromTrustedWire(Uint8Array.of(...wire, ...apex.wire));
}

/** The character code of a digit from 0 to 15. */
function hexDigit(digit: number): number {
  return digit < 10 ? 0x30 + digit : 0x57 + digit;
}

/** Whether a zone of this apex holds reverse names. */
export function isReverseApex(apex: Name): boolean {
  return apex.isWithin(IPV4_APEX) || apex.isWithin(IPV6_APEX);
}
