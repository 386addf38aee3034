/** RFC 1876 §2 and §3: LOC. */
import { describe, expect, test } from "vitest";
import { rdataToText } from "../../../src/wire/rdata/rdata.ts";
import { hex, parseRdata, reprint, toHex } from "../../support/rdata.ts";

test.each([
  // The examples of §4.
  ["42 21 54 N 71 06 18 W -24m 30m", "42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m"],
  ["42 21 43.952 N 71 5 6.344 W -24m 1m 200m", "42 21 43.952 N 71 5 6.344 W -24.00m 1m 200m 10m"],
  ["52 14 05 N 00 08 50 E 10m", "52 14 5.000 N 0 8 50.000 E 10.00m 1m 10000m 10m"],
  ["32 7 19 S 116 2 25 E 10m", "32 7 19.000 S 116 2 25.000 E 10.00m 1m 10000m 10m"],
  ["90 N 180 w 0 0.05m", "90 0 0.000 N 180 0 0.000 W 0.00m 0.05m 10000m 10m"],
])("%s", (text, printed) => {
  expect(reprint("LOC", text)).toBe(printed);
  expect(reprint("LOC", printed)).toBe(printed);
});

test("octets are those of §2", () => {
  expect(toHex(parseRdata("LOC", "42 21 54 N 71 06 18 W -24m 30m"))).toBe("0033161389172dd070be15f000988d20");
});

describe("refused", () => {
  test.each([
    ["91 N 0 E 0m", /90 degrees/],
    ["90 0 0.001 N 0 E 0m", /90 degrees/],
    ["0 N 181 E 0m", /180 degrees/],
    ["0 60 N 0 E 0m", /minutes/],
    ["0 0 60 N 0 E 0m", /seconds/],
    ["0 0 0 0 N 0 E 0m", /hemisphere/],
    ["0 E 0 N 0m", /minutes/],
    ["0 N 0 E", /altitude/],
    ["0 N 0 E high", /altitude/],
    ["0 N 0 E -100000.01m", /altitude/],
    ["0 N 0 E 0m 100000000m", /90000000/],
    ["0 N 0 E 0m -1m", /0 metres/],
    ["0 N 0 E 0m 1m 1m 1m 1m", /end of the LOC/],
  ])("%s", (text, message) => {
    expect(() => parseRdata("LOC", text)).toThrow(message);
  });
});

test("an unknown version is kept and printed generically (§2)", () => {
  expect(rdataToText(29, hex("01 0203"))).toBe("\\# 3 010203");
});
