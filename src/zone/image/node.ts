/** What the two ways of building an image write alike: the head of a record in a node, and the slot of a node. */
import { RrClass } from "../../wire/iana/class.ts";
import { QNAME_POINTER, RECORD_HEAD, REFERENCE_MASK } from "./layout.ts";

/** What stands in a slot for a node. */
export function slotOf(hash: number, reference: number): number {
  return reference | (hash & ~REFERENCE_MASK);
}

/** Writes what stands before the RDATA of a record in a node. @returns the offset behind it */
export function writeRecordHead(
  u8: Uint8Array,
  at: number,
  type: number,
  ttl: number,
  rdataLength: number,
): number {
  u8[at] = QNAME_POINTER >> 8;
  u8[at + 1] = QNAME_POINTER & 0xff;
  u8[at + 2] = type >> 8;
  u8[at + 3] = type & 0xff;
  u8[at + 4] = 0;
  u8[at + 5] = RrClass.IN;
  u8[at + 6] = ttl >>> 24;
  u8[at + 7] = (ttl >>> 16) & 0xff;
  u8[at + 8] = (ttl >>> 8) & 0xff;
  u8[at + 9] = ttl & 0xff;
  u8[at + 10] = rdataLength >> 8;
  u8[at + 11] = rdataLength & 0xff;
  return at + RECORD_HEAD;
}
