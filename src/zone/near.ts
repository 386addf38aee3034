/**
 * Which addresses are near which clients: a zone's setting, as answer threads get it. Plain values, so that it can be
 * sent to them.
 */

/** A network within which clients and addresses are near each other. */
export interface NearNetwork {
  /** 32-bit words, one for IPv4 and four for IPv6, zero beyond the prefix. Undefined: every client's own network. */
  readonly base: readonly number[] | undefined;
  /** Prefix length in bits. */
  readonly length: number;
}

/** By address family, the longest prefix first: who shares a longer prefix is nearer. */
export interface NearNetworks {
  readonly ipv4: readonly NearNetwork[];
  readonly ipv6: readonly NearNetwork[];
}

/** Puts networks of both families in the order that {@link NearNetworks} has. */
export function nearNetworks(ipv4: readonly NearNetwork[], ipv6: readonly NearNetwork[]): NearNetworks {
  const longestFirst = (a: NearNetwork, b: NearNetwork): number => b.length - a.length;
  return { ipv4: ipv4.toSorted(longestFirst), ipv6: ipv6.toSorted(longestFirst) };
}
