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

// No key is longer: at most 254 octets of labels, each doubled by escapes at worst.
const scratch = new Uint8Array(512);
const labelStarts = new Uint8Array(128);

/** The sort key of `name`, which must be `apex` or below it. */
export function ownerKey(name: Name, apex: Name): Uint8Array {
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
  return scratch.slice(0, length);
}

/** The name a sort key stands for, in lower case, as wire form that ends in `apex` as written. */
export function ownerWire(key: Uint8Array, apex: Name): Uint8Array {
  const apexLength = apex.wire.length;
  // Unescaped, a label takes its octets and one for the end in the key, as it does in the wire form.
  let labelsLength = 0;
  for (let at = 0; at < key.length; at++) {
    labelsLength++;
    if (key[at] === ESCAPE) at++;
  }
  const wire = new Uint8Array(labelsLength + apexLength);
  wire.set(apex.wire, labelsLength);
  let labelAt = labelsLength;
  for (let at = 0; at < key.length;) {
    let labelEnd = at;
    let length = 0;
    while (key[labelEnd] !== END && labelEnd < key.length) {
      labelEnd += key[labelEnd] === ESCAPE ? 2 : 1;
      length++;
    }
    labelAt -= length + 1;
    wire[labelAt] = length;
    for (let to = labelAt + 1; at < labelEnd; at++) {
      wire[to++] = key[at] === ESCAPE ? key[++at]! - 1 : key[at]!;
    }
    at = labelEnd + 1;
  }
  return wire;
}
