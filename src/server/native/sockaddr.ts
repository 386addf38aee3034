/** Socket addresses as the C library lays them out: `struct sockaddr_in` and `struct sockaddr_in6`, little-endian hosts. */
import { parseIpv4, parseIpv6 } from "../../wire/rdata/address.ts";
import { ipv4ToText, ipv6ToText } from "../../wire/rdata/address.ts";
import { AF_INET, AF_INET6 } from "./libc.ts";

/** Octets of the longer of the two. */
export const SOCKADDR_BYTES = 28;
export const SOCKADDR_IN_BYTES = 16;

/** Writes a numeric address and port. @returns octets written */
export function writeSockaddr(bytes: Uint8Array, at: number, address: string, port: number): number {
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
  return SOCKADDR_BYTES;
}

/** The port of either form. */
export function sockaddrPort(bytes: Uint8Array, at: number): number {
  return (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** The numeric address of either form, without a zone index. */
export function sockaddrAddress(bytes: Uint8Array, at: number): string {
  if (bytes[at] === AF_INET) return ipv4ToText(bytes.subarray(at + 4, at + 8));
  return ipv6ToText(bytes.subarray(at + 8, at + 24));
}
