/** TSIG keys and algorithms (RFC 8945 §6). */
import { Name } from "../../wire/name.ts";

/** The HMAC algorithms Rollcall knows: the registry's names, Node's digest names and MAC lengths in octets. */
export interface TsigAlgorithm {
  /** Without the final dot, as in key files: `hmac-sha256`. */
  readonly text: string;
  readonly name: Name;
  readonly digest: string;
  readonly macLength: number;
  /** Octets of a block of the digest (RFC 2104 §2). */
  readonly blockLength: number;
  /** Further algorithm names on the wire that mean the same. */
  readonly aliases: readonly Name[];
}

function algorithm(
  text: string,
  digest: string,
  macLength: number,
  wireName = text,
  aliases: string[] = [],
): TsigAlgorithm {
  return {
    text,
    name: Name.parse(`${wireName}.`),
    digest,
    macLength,
    // FIPS 180-4 figure 1: the digests of more than 256 bits take blocks of 1024.
    blockLength: macLength > 32 ? 128 : 64,
    aliases: aliases.map((alias) => Name.parse(alias)),
  };
}

/** hmac-md5's wire name is not its text (RFC 8945 §6, table 3). It is refused unless the configuration allows it. */
export const HMAC_MD5: TsigAlgorithm = algorithm("hmac-md5", "md5", 16, "hmac-md5.sig-alg.reg.int");

export const TSIG_ALGORITHMS: readonly TsigAlgorithm[] = [
  HMAC_MD5,
  algorithm("hmac-sha1", "sha1", 20),
  algorithm("hmac-sha224", "sha224", 28),
  algorithm("hmac-sha256", "sha256", 32),
  algorithm("hmac-sha384", "sha384", 48),
  algorithm("hmac-sha512", "sha512", 64),
];

/** A shared secret. */
export interface TsigKey {
  readonly name: Name;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Uint8Array;
  /**
   * Octets that MACs are cut to, and the fewest accepted (RFC 8945 §5.2.2.1); undefined: whole MACs only.
   * A key file asks for it with the length in bits: `algorithm hmac-sha256-128`.
   */
  readonly macLength?: number;
}

/** Keys by `Name.key`. */
export type KeyRing = ReadonlyMap<string, TsigKey>;

/** Keys put together for lookup; of two with one name the later counts. */
export function keyRing(keys: Iterable<TsigKey>): KeyRing {
  const ring = new Map<string, TsigKey>();
  for (const key of keys) ring.set(key.name.key, key);
  return ring;
}

/** Fewest octets a MAC may ever be cut to: 10, or half the digest where that is more (RFC 8945 §5.2.2.1). */
export function leastMacLength(algorithm: TsigAlgorithm): number {
  return Math.max(10, algorithm.macLength / 2);
}

/** The algorithm of a key file's or command line's text, `hmac-` optional, any case; undefined where unknown. */
export function algorithmFromText(text: string): TsigAlgorithm | undefined {
  const lower = text.toLowerCase().replace(/\.$/, "");
  return TSIG_ALGORITHMS.find(
    (candidate) =>
      candidate.text === lower ||
      candidate.text === `hmac-${lower}` ||
      candidate.name.toString() === `${lower}.`,
  );
}
