/** RFC 8659 §4.1: CAA. */
import { expect, test } from "vitest";
import { parseRdata, reprint, toHex } from "../../support/rdata.ts";

test.each([
  ['0 issue "ca1.example.net"', "0005697373756563 61312e6578616d706c652e6e6574", '0 issue "ca1.example.net"'],
  ["0 issue ca1.example.net", "000569737375656361312e6578616d706c652e6e6574", '0 issue "ca1.example.net"'],
  ['128 tbs "Unknown"', "8003746273556e6b6e6f776e", '128 tbs "Unknown"'],
  ['0 issue ";"', "000569737375653b", '0 issue ";"'],
  ['0 issue ""', "00056973737565", '0 issue ""'],
])("%s", (text, wire, printed) => {
  expect(toHex(parseRdata("CAA", text))).toBe(wire.replace(" ", ""));
  expect(reprint("CAA", text)).toBe(printed);
});

test("a value may be longer than a character-string", () => {
  const text = `0 issue "${"x".repeat(1000)}"`;
  expect(parseRdata("CAA", text)).toHaveLength(1007);
  expect(reprint("CAA", text)).toBe(text);
});

test.each([
  ['256 issue "x"', /flags/],
  ['0 "issue" "x"', /tag/],
  ['0 is-sue "x"', /tag/],
  ["0 issue", /value/],
  ['0 issue "x" "y"', /end of the CAA/],
])("%s is refused", (text, message) => {
  expect(() => parseRdata("CAA", text)).toThrow(message);
});
