/** RFC 4034 §6.1: canonical order of names. */
import { expect, test } from "vitest";
import { Name } from "../../../src/wire/name.ts";

test("the RFC's own example", () => {
  const sorted = [
    "example.",
    "a.example.",
    "yljkjljk.a.example.",
    "Z.a.example.",
    "zABC.a.EXAMPLE.",
    "z.example.",
    "\\001.z.example.",
    "*.z.example.",
    "\\200.z.example.",
  ].map((text) => Name.parse(text));
  const shuffled = [3, 8, 0, 5, 7, 1, 6, 2, 4].map((i) => sorted[i]!);
  expect(shuffled.toSorted((a, b) => a.compare(b)).map(String)).toEqual(sorted.map(String));
});

test("the root comes first", () => {
  expect(Name.root.compare(Name.parse("a."))).toBeLessThan(0);
  expect(Name.root.compare(Name.root)).toBe(0);
});
