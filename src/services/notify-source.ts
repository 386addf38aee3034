/**
 * The address that a NOTIFY leaves from. A secondary takes it from its primaries alone (RFC 1996 §3.10), and knows them by
 * the addresses they answer on, which on a machine with several are not always what the system would choose.
 */
import { addressOctets } from "../auth/acl.ts";

/**
 * @param target numeric; of a secondary
 * @param listen numeric addresses that the server answers on
 * @returns the one of them that is nearest to the target by its leading bits; undefined where the system is to choose,
 *   since the server answers on all addresses, or on none that would get there
 */
export function notifySource(target: string, listen: readonly string[]): string | undefined {
  const to = addressOctets(target);
  if (to === undefined || isLinkLocal(to)) return undefined;
  let best: string | undefined;
  let bestBits = -1;
  for (const address of listen) {
    const from = addressOctets(address);
    if (from === undefined || from.length !== to.length) continue;
    if (from.every((octet) => octet === 0)) return undefined;
    if (isLoopback(from) !== isLoopback(to) || isLinkLocal(from)) continue;
    const bits = commonBits(from, to);
    if (bits > bestBits) [best, bestBits] = [address, bits];
  }
  return best;
}

function isLoopback(octets: Uint8Array): boolean {
  return octets.length === 4 ? octets[0] === 127 : octets.every((octet, at) => octet === (at === 15 ? 1 : 0));
}

/** fe80::/10 needs an interface, which the system knows by the target. */
function isLinkLocal(octets: Uint8Array): boolean {
  return octets.length === 16 && octets[0] === 0xfe && (octets[1]! & 0xc0) === 0x80;
}

function commonBits(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((octet, i) => octet !== b[i]);
  return at < 0 ? a.length * 8 : at * 8 + Math.clz32(a[at]! ^ b[at]!) - 24;
}
