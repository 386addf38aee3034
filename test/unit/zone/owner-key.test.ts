import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ownerKey, ownerWire } from "../../../src/zone/owner-key.ts";
import { Name } from "../../../src/wire/name.ts";

const apex = Name.parse("Example.");
const key = (text: string) => ownerKey(Name.parse(text, apex), apex);

describe("the order of owner keys", () => {
  test("RFC 4034 §6.1: its example", () => {
    const inOrder = ["@", "a", "yljkjljk.a", "Z.a", "zABC.a", "z", "\\001.z", "*.z", "\\200.z"];
    const keys = inOrder.map(key);
    expect(keys.toSorted((x, y) => Buffer.compare(x, y))).toEqual(keys);
  });

  test("the apex comes first, with the empty key", () => {
    expect(key("@")).toHaveLength(0);
  });

  // Octets around the escape and the ends of the alphabet, so that they meet.
  const label = fc.array(fc.constantFrom(0, 1, 2, 0x2a, 0x2e, 0x40, 0x41, 0x5a, 0x61, 0xff), {
    minLength: 1,
    maxLength: 3,
  });
  const name = fc
    .array(label, { maxLength: 4 })
    .map((labels) => labels.reduce((below, octets) => below.child(Uint8Array.from(octets)), apex));

  test("is that of names, whatever their octets", () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        const order = Buffer.compare(ownerKey(a, apex), ownerKey(b, apex));
        expect(Math.sign(order)).toBe(Math.sign(a.compare(b)));
      }),
      { numRuns: 1000 },
    );
  });

  test("a key gives its name back, in lower case below the apex as written", () => {
    fc.assert(
      fc.property(name, (a) => {
        const back = Name.fromWire(ownerWire(ownerKey(a, apex), apex));
        expect(back.key).toBe(a.key);
        expect(back.toString().endsWith("Example.")).toBe(true);
      }),
    );
  });

  test("holds the longest name there is, of octets that are all escaped", () => {
    const labels = Array.from({ length: 3 }, () => new Uint8Array(63)).concat(new Uint8Array(53));
    const long = labels.reduce((below, octets) => below.child(octets), apex);
    expect(long.wire).toHaveLength(255);
    expect(ownerWire(ownerKey(long, apex), apex)).toEqual(long.wire);
  });

  test("works for a zone at the root", () => {
    const host = Name.parse("host.example.");
    expect(ownerWire(ownerKey(host, Name.root), Name.root)).toEqual(host.wire);
  });
});
