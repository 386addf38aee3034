/**
 * Answers by place: of several addresses those near the client come first. How near an address is, is how long a prefix
 * it shares with the client, of those prefixes that the zone names for this client; addresses equally near keep the order
 * in which they turn (RFC 1794 §3.1). The same records always, in another order. Allocates nothing where the client's
 * address is given as octets.
 */
import { parseIpv4, parseIpv6 } from "../wire/rdata/address.ts";
import { RECORD_HEAD } from "../zone/image/layout.ts";
import type { NearNetwork, NearNetworks } from "../zone/near.ts";

const IPV4_OCTETS = 4;
const IPV6_OCTETS = 16;
const NOBODY = new Uint8Array(0);
/** More bits than any two addresses share. */
const BEYOND = 129;

/** The client of one message. To be set for each; reads nothing until it must. */
export class Client {
  #bytes: Uint8Array = NOBODY;
  #at = 0;
  #octets = 0;
  #text = "";
  /** Octets of the address: 4 or 16; 0 where it is not known. */
  length = 0;
  /** Its 32-bit words, one for IPv4 and four for IPv6. */
  readonly words: Int32Array = new Int32Array(4);

  /** @param octets 4 or 16, at `at`; they must stay as they are until the answer is written */
  setOctets(bytes: Uint8Array, at: number, octets: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#octets = octets;
  }

  /** @param address numeric */
  setText(address: string): void {
    this.#octets = 0;
    this.#text = address;
  }

  /** Sets {@link length} and {@link words}. An IPv4-mapped address counts as the IPv4 address (RFC 4291 §2.5.5.2). */
  read(): void {
    let bytes = this.#bytes;
    let at = this.#at;
    let octets = this.#octets;
    if (octets === 0) {
      const text = this.#text;
      bytes = (text.includes(":") ? parseIpv6(text) : parseIpv4(text)) ?? NOBODY;
      octets = bytes.length;
      at = 0;
    }
    if (octets === IPV6_OCTETS && isMapped(bytes, at)) {
      at += IPV6_OCTETS - IPV4_OCTETS;
      octets = IPV4_OCTETS;
    }
    this.length = octets;
    for (let i = 0; i < octets / 4; i++) this.words[i] = readI32(bytes, at + 4 * i);
  }
}

export class NearFirst {
  readonly client: Client = new Client();
  /** Prefix lengths that count for the client, the longest first. */
  readonly #lengths: Uint8Array = new Uint8Array(BEYOND);

  /**
   * Copies the records of an RRset of addresses, the near ones first.
   * @param from where its records lie in `source`, `length` octets of `count` records of one size
   * @param turn 16 random bits: which of those equally near comes first
   * @returns false, and nothing is copied, where the zone names nothing that is near to this client
   */
  copy(
    near: NearNetworks,
    source: Uint8Array,
    from: number,
    length: number,
    count: number,
    turn: number,
    out: Uint8Array,
    to: number,
  ): boolean {
    const stride = length / count;
    const { client } = this;
    client.read();
    // A client of the other family is near to none of them.
    if (stride - RECORD_HEAD !== client.length) return false;
    const tiers = this.#findLengths(client.length === IPV4_OCTETS ? near.ipv4 : near.ipv6);
    if (tiers === 0) return false;
    const end = from + length;
    let at = to;
    let below = BEYOND;
    for (let tier = 0; tier <= tiers; tier++) {
      const least = tier < tiers ? this.#lengths[tier]! : 0;
      let size = 0;
      for (let record = from; record < end; record += stride) {
        const shared = this.#sharedBits(source, record + RECORD_HEAD);
        if (shared >= least && shared < below) size++;
      }
      // Each tier turns by itself: begun where all of them begin, the first of a few would come first most often.
      let place = size - ((turn * size) >>> 16);
      for (let record = from; record < end; record += stride) {
        const shared = this.#sharedBits(source, record + RECORD_HEAD);
        if (shared < least || shared >= below) continue;
        if (place >= size) place -= size;
        const target = at + place++ * stride;
        for (let i = 0; i < stride; i++) out[target + i] = source[record + i]!;
      }
      at += size * stride;
      if (at === to + length) break;
      below = least;
    }
    return true;
  }

  /** Leaves in `#lengths` the prefix lengths of the networks that the client is in. @returns how many */
  #findLengths(networks: readonly NearNetwork[]): number {
    const { words } = this.client;
    let found = 0;
    for (let i = 0; i < networks.length; i++) {
      const { base, length } = networks[i]!;
      if (found > 0 && this.#lengths[found - 1] === length) continue;
      if (base === undefined || contains(base, length, words)) this.#lengths[found++] = length;
    }
    return found;
  }

  /** How many leading bits the address at `at` and the client's share. */
  #sharedBits(source: Uint8Array, at: number): number {
    const { words, length } = this.client;
    for (let word = 0; word < length / 4; word++) {
      const differing = readI32(source, at + 4 * word) ^ words[word]!;
      if (differing !== 0) return 32 * word + Math.clz32(differing);
    }
    return 8 * length;
  }
}

function contains(base: readonly number[], length: number, words: Int32Array): boolean {
  for (let word = 0; 32 * word < length; word++) {
    if (Math.clz32(base[word]! ^ words[word]!) < Math.min(32, length - 32 * word)) return false;
  }
  return true;
}

function isMapped(bytes: Uint8Array, at: number): boolean {
  return readI32(bytes, at) === 0 && readI32(bytes, at + 4) === 0 && readI32(bytes, at + 8) === 0xffff;
}

function readI32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
