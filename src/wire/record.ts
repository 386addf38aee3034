/** Resource records and RRsets (RFC 1035 §3.2.1, RFC 2181 §5) as everything inside Rollcall holds them. */
import { RrClass } from "./iana/class.ts";
import type { Name } from "./name.ts";

/** One resource record. `rdata` is uncompressed wire form; class is IN wherever a zone's data are meant. */
export interface ResourceRecord {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** Seconds, 0 to 2^31-1 (RFC 2181 §8). */
  readonly ttl: number;
  readonly rdata: Uint8Array;
}

/** The records of one name and type: one TTL (RFC 2181 §5.2), distinct RDATA, never empty. */
export interface RrSet {
  readonly type: number;
  readonly ttl: number;
  readonly rdatas: readonly Uint8Array[];
}

/** A question (RFC 1035 §4.1.2); an update's zone section has the same form (RFC 2136 §2.3). */
export interface Question {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

/** Largest TTL: 2^31-1 seconds; a TTL with the top bit set counts as 0 (RFC 2181 §8). */
export const MAX_TTL = 0x7fffffff;

/** A record of class IN. */
export function record(name: Name, type: number, ttl: number, rdata: Uint8Array): ResourceRecord {
  return { name, type, class: RrClass.IN, ttl, rdata };
}

/** Octet-wise equality. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
