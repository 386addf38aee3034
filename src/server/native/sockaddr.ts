/** Socket addresses as the C library lays them out: `struct sockaddr_in` and `struct sockaddr_in6`, little-endian hosts. */
import { ipv4ToText, ipv6ToText, parseIpv4, parseIpv6 } from "../../wire/rdata/address.ts";
import { AF_INET, AF_INET6 } from "./libc.ts";

/** Octets of the longer of the two. */
export const SOCKADDR_BYTES = 28;
export const SOCKADDR_IN_BYTES = 16;
/** Where the address stands in each of the two. */
export const SOCKADDR_IN_ADDRESS = 4;
export const SOCKADDR_IN6_ADDRESS = 8;
/** Where the interface of a link-local IPv6 address stands: 32 bits. */
const SCOPE_ID = 24;

/**
 * Writes a numeric address and port.
 * @param scope number of the interface that a link-local IPv6 address is one of (RFC 4007 §6)
 * @returns octets written
 * @throws TypeError where the address is none
 */
export function writeSockaddr(
  bytes: Uint8Array,
  at: number,
  address: string,
  port: number,
  scope = 0,
): number {
  bytes.fill(0, at, at + SOCKADDR_BYTES);
  bytes[at + 2] = port >> 8;
  bytes[at + 3] = port & 0xff;
  if (!address.includes(":")) {
    const octets = parseIpv4(address);
    if (octets === undefined) throw new TypeError(`"${address}" is not an IPv4 address`);
    bytes[at] = AF_INET;
    bytes.set(octets, at + 4);
    return SOCKADDR_IN_BYTES;
  }
  const octets = parseIpv6(address);
  if (octets === undefined) throw new TypeError(`"${address}" is not an IPv6 address`);
  bytes[at] = AF_INET6;
  bytes.set(octets, at + 8);
  for (let i = 0; i < 4; i++) bytes[at + SCOPE_ID + i] = scope >>> (8 * i);
  return SOCKADDR_BYTES;
}

/** Octets that count in a socket address of either form. */
export function sockaddrLength(bytes: Uint8Array, at: number): number {
  return bytes[at] === AF_INET ? SOCKADDR_IN_BYTES : SOCKADDR_BYTES;
}

/** The port of either form. */
export function sockaddrPort(bytes: Uint8Array, at: number): number {
  return (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** The numeric address of either form, without a zone index. */
export function sockaddrAddress(bytes: Uint8Array, at: number): string {
  if (bytes[at] === AF_INET) return ipv4ToText(bytes, at + 4);
  return ipv6ToText(bytes, at + 8);
}

/** Whether a socket bound to this address is asked at many. */
export function isWildcard(bytes: Uint8Array, at: number): boolean {
  const [from, length] = bytes[at] === AF_INET ? [4, 4] : [8, 16];
  return bytes.subarray(at + from, at + from + length).every((octet) => octet === 0);
}
