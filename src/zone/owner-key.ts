/**
 * The sort key of an owner name: octets whose plain order is the canonical order of names (RFC 4034 §6.1), so that
 * SQLite's index keeps a zone in the order transfers and listings want.
 *
 * It is relative to the apex (whose key is empty, so it comes first): the labels below it from the right, lower-cased,
 * each closed by 00. Octets 00 and 01 within a label become 01 01 and 01 02, which keeps their order and leaves 00,
 * smaller than all else, to mean the end: a name sorts before what is below it.
 */
import { LOWER, type Name } from "../wire/name.ts";

const END = 0;
const ESCAPE = 1;

/** Octets that no key is longer than: at most 254 of labels, each doubled by escapes at worst. */
export const MAX_KEY_LENGTH = 512;

const scratch = Buffer.alloc(MAX_KEY_LENGTH);
const labelStarts = new Uint8Array(128);

/** The sort key of `name`, which must be `apex` or below it. */
export function ownerKey(name: Name, apex: Name): Uint8Array {
  const length = writeKey(name, apex);
  const key = new Uint8Array(length);
  for (let i = 0; i < length; i++) key[i] = scratch[i]!;
  return key;
}

/** The sort key as text, one character an octet: in the same order, and faster to compare. */
export function ownerKeyText(name: Name, apex: Name): string {
  return scratch.toString("latin1", 0, writeKey(name, apex));
}

/** Writes the sort key into the scratch. @returns its octets */
function writeKey(name: Name, apex: Name): number {
  const { wire } = name;
  const end = wire.length - apex.wire.length;
  let labels = 0;
  for (let at = 0; at < end; at += wire[at]! + 1) labelStarts[labels++] = at;
  let length = 0;
  while (labels > 0) {
    const start = labelStarts[--labels]!;
    const labelEnd = start + wire[start]!;
    for (let at = start + 1; at <= labelEnd; at++) {
      const octet = LOWER[wire[at]!]!;
      if (octet <= ESCAPE) {
        scratch[length++] = ESCAPE;
        scratch[length++] = octet + 1;
      } else {
        scratch[length++] = octet;
      }
    }
    scratch[length++] = END;
  }
  return length;
}

/** The name a sort key stands for, in lower case, as wire form that ends in `apex` as written. */
export function ownerWire(key: Uint8Array, apex: Name): Uint8Array {
  const wire = new Uint8Array(key.length + apex.wire.length); // escapes make the key longer than its labels
  return wire.slice(0, writeOwner(wire, key, key.length, apex.wire));
}

/**
 * Writes the name that the first `keyLength` octets of a key stand for into `wire`, which must have room for it: in
 * lower case, the labels of `apex` as written.
 * @returns octets of the name
 */
export function writeOwner(wire: Uint8Array, key: Uint8Array, keyLength: number, apex: Uint8Array): number {
  // Unescaped, a label takes its octets and one for the end in the key, as it does in the wire form.
  let labelAt = keyLength;
  for (let at = 0; at < keyLength; at++) {
    if (key[at] !== ESCAPE) continue;
    labelAt--;
    at++;
  }
  const length = labelAt + apex.length;
  for (let at = 0; at < apex.length; at++) wire[labelAt + at] = apex[at]!;
  for (let at = 0; at < keyLength;) {
    let labelEnd = at;
    let labelLength = 0;
    while (labelEnd < keyLength && key[labelEnd] !== END) {
      labelEnd += key[labelEnd] === ESCAPE ? 2 : 1;
      labelLength++;
    }
    labelAt -= labelLength + 1;
    wire[labelAt] = labelLength;
    for (let to = labelAt + 1; at < labelEnd; at++) {
      wire[to++] = key[at] === ESCAPE ? key[++at]! - 1 : key[at]!;
    }
    at = labelEnd + 1;
  }
  return length;
}
