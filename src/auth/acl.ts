/**
 * Who is asking, and from where: networks, and the rules for transfers.
 *
 * A transfer rule that names only a network holds for signed requests from it too, as in BIND (Knot and NSD take
 * only unsigned ones there): nobody may get less for signing, and there is no rule a signature could slip past,
 * since transfer rules only ever allow.
 */
import { isIPv4, isIPv6 } from "node:net";
import type { Name } from "../wire/name.ts";
import { ipv4ToText, ipv6ToText } from "../wire/rdata/address.ts";

/** An IPv4 or IPv6 network, or a single address. */
export interface Network {
  /** As the configuration has it. */
  readonly text: string;
  /** Its first address as 32-bit words, one for IPv4 and four for IPv6. */
  readonly base: readonly number[];
  /** Prefix length in bits. */
  readonly length: number;
  /**
   * Whether a numeric address is in it; false for text that is no address. An IPv4-mapped IPv6 address counts as the
   * IPv4 address it carries, and a zone index (`%eth0`) is not looked at.
   */
  contains(address: string): boolean;
}

/** Whoever sent a request, as far as it is proven. */
export interface Requester {
  /** Numeric address it came from. Over UDP anyone can forge it. */
  readonly address: string;
  readonly transport: "udp" | "tcp";
  /** The TSIG key whose signature was verified. */
  readonly key?: Name;
  /** The Kerberos principal whose GSS-TSIG signature was verified, e.g. `NODE1$@SMB.EXAMPLE`. */
  readonly principal?: string;
}

/** One entry of a zone's `transfer`. Where both are given both must hold; an entry with neither lets nobody in. */
export interface TransferRule {
  readonly net?: Network;
  readonly key?: Name;
}

/** Whether any of the rules lets the requester transfer the zone. */
export function mayTransfer(rules: readonly TransferRule[], requester: Requester): boolean {
  return rules.some((rule) => {
    if (rule.key === undefined && rule.net === undefined) return false;
    if (rule.key !== undefined && requester.key?.equals(rule.key) !== true) return false;
    return rule.net === undefined || rule.net.contains(requester.address);
  });
}

/**
 * Reads an address (`192.0.2.1`, `2001:db8::1`) or a network in CIDR form (`192.0.2.0/24`).
 * @returns undefined where the text is neither; {@link networkProblem} then says why
 */
export function parseNetwork(text: string): Network | undefined {
  const read = readNetwork(text);
  return typeof read === "string" ? undefined : read;
}

/** What is wrong with a network and what to write instead, for the operator; undefined where it is right. */
export function networkProblem(text: string): string | undefined {
  const read = readNetwork(text);
  return typeof read === "string" ? read : undefined;
}

/**
 * The octets of a numeric address, four or sixteen; undefined for text that is none. An IPv4-mapped IPv6 address gives the
 * IPv4 address it carries, and a zone index is not looked at.
 */
export function addressOctets(address: string): Uint8Array | undefined {
  const words = parseAddress(address);
  if (words === undefined) return undefined;
  return octetsOf(isMapped(words) ? words.slice(3) : words);
}

/** A numeric address as requesters are known by it: the IPv4 address of an IPv4-mapped one, IPv6 by RFC 5952. */
export function plainAddress(address: string): string | undefined {
  const octets = addressOctets(address);
  return octets && octetsToText(octets);
}

/**
 * What a numeric address is counted as where sources are: an IPv4 address as itself, an IPv6 address as its /64, since who
 * has one address of that has all. Text that is no address is counted as it stands.
 */
export function sourceNetwork(address: string): string {
  const words = parseAddress(address);
  if (words === undefined || words.length === 1) return address;
  if (isMapped(words)) return octetsToText(octetsOf([words[3]!]));
  return `${octetsToText(octetsOf([words[0]!, words[1]!, 0, 0]))}/64`;
}

/** An address as 32-bit words: one for IPv4, four for IPv6. */
type Words = readonly number[];

function readNetwork(text: string): Network | string {
  const slash = text.indexOf("/");
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const given = parseAddress(addressText);
  if (given === undefined || addressText.includes("%")) {
    return `"${text}" is neither an address nor a network: write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32`;
  }
  const bits = given.length * 32;
  let length = bits;
  if (slash >= 0) {
    const prefix = text.slice(slash + 1);
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(prefix) || Number(prefix) > bits) {
      return `"/${prefix}" is no prefix length: IPv${bits === 32 ? 4 : 6} takes /0 to /${bits}`;
    }
    length = Number(prefix);
  }
  const base = given.map((word, i) => (word & maskOf(length - 32 * i)) >>> 0);
  if (base.some((word, i) => word !== given[i])) {
    return (
      `"${text}" has bits set beyond its prefix: write ${octetsToText(octetsOf(base))}/${length} for the network, ` +
      `or ${addressText} for the one address`
    );
  }
  // ::ffff:192.0.2.0/120 is 192.0.2.0/24 in another spelling.
  return isMapped(base) && length >= 96
    ? network(text, base.slice(3), length - 96)
    : network(text, base, length);
}

function network(text: string, base: Words, length: number): Network {
  const masks = base.map((_, i) => maskOf(length - 32 * i));
  return {
    text,
    base,
    length,
    contains(address) {
      const parsed = parseAddress(address);
      if (parsed === undefined) return false;
      const words = isMapped(parsed) ? [parsed[3]!] : parsed;
      if (words.length !== base.length) return false;
      for (let i = 0; i < base.length; i++) if ((words[i]! & masks[i]!) >>> 0 !== base[i]) return false;
      return true;
    },
  };
}

/** The mask of a word's first `length` bits; any number of bits, held to 0–32. */
function maskOf(length: number): number {
  if (length <= 0) return 0;
  return length >= 32 ? 0xffff_ffff : ~(0xffff_ffff >>> length) >>> 0;
}

/** Whether an address is IPv4-mapped (RFC 4291 §2.5.5.2). */
function isMapped(words: Words): boolean {
  return words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

function parseAddress(text: string): Words | undefined {
  if (isIPv4(text)) return [parseIpv4(text)];
  return isIPv6(text) ? parseIpv6(text) : undefined;
}

/** @param text a valid dotted quad */
function parseIpv4(text: string): number {
  let word = 0;
  let octet = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      word = (word << 8) | octet;
      octet = 0;
    } else {
      octet = octet * 10 + code - 0x30;
    }
  }
  return ((word << 8) | octet) >>> 0;
}

/**
 * Reads character by character: splitting the text costs a multiple, and this runs for every update and transfer.
 *
 * @param text a valid IPv6 address, perhaps with a dotted quad at its end or a zone index (RFC 4291 §2.2, RFC 4007 §11)
 */
function parseIpv6(text: string): Words {
  const groups: number[] = [];
  let gap = 8; // the groups before "::"
  let groupStart = 0;
  let group = 0;
  const percent = text.indexOf("%");
  const end = percent < 0 ? text.length : percent;
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3a) {
      if (i > groupStart) groups.push(group);
      if (text.charCodeAt(i + 1) === 0x3a) gap = groups.length;
      groupStart = i + 1;
      group = 0;
    } else if (code === 0x2e) {
      const quad = parseIpv4(text.slice(groupStart, end));
      groups.push(quad >>> 16);
      group = quad & 0xffff;
      break;
    } else {
      group = group * 16 + (code & 0xf) + (code >= 0x41 ? 9 : 0);
    }
  }
  if (end > groupStart) groups.push(group);
  const zeros = 8 - groups.length;
  const at = (i: number): number => {
    if (i < gap) return groups[i]!;
    return i < gap + zeros ? 0 : groups[i - zeros]!;
  };
  return [0, 2, 4, 6].map((i) => ((at(i) << 16) | at(i + 1)) >>> 0);
}

function octetsOf(words: Words): Uint8Array {
  return Uint8Array.from(words.flatMap((word) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff)));
}

/** Presentation form; IPv6 by RFC 5952. */
function octetsToText(octets: Uint8Array): string {
  return octets.length === 4 ? ipv4ToText(octets) : ipv6ToText(octets);
}
