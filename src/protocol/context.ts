/** What every exchange knows of the packet that started it. */

/** Where a request came from. */
export interface Peer {
  /** Numeric address, IPv4-mapped IPv6 as IPv4, without a zone index. */
  readonly address: string;
  readonly port: number;
  readonly transport: "udp" | "tcp";
}

/** `192.0.2.1:53` or `[2001:db8::1]:53`. */
export function peerToText(peer: { readonly address: string; readonly port: number }): string {
  return peer.address.includes(":") ? `[${peer.address}]:${peer.port}` : `${peer.address}:${peer.port}`;
}
