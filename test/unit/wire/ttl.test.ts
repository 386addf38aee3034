import { describe, expect, test } from "vitest";
import { parseSeconds, parseTtl } from "../../../src/wire/rdata/ttl.ts";

describe("parseTtl", () => {
  test.each([
    ["0", 0],
    ["3600", 3600],
    ["007", 7],
    ["1h", 3600],
    ["1H30M", 5400],
    ["1w2d3h4m5s", 788_645],
    ["30m1h", 5400],
    ["2147483647", 2_147_483_647],
  ])("%s is %i seconds", (text, seconds) => {
    expect(parseTtl(text)).toBe(seconds);
  });

  test.each(["", "h", "1x", "1h30", "-1", "+1", "1.5h", "1 h", "2147483648", "3551w", "9".repeat(400), "1y"])(
    "%j is no TTL",
    (text) => {
      expect(parseTtl(text)).toBeUndefined();
    },
  );

  test("SOA times may have 32 bits", () => {
    expect(parseSeconds("4294967295", 0xffff_ffff)).toBe(4_294_967_295);
    expect(parseSeconds("4294967296", 0xffff_ffff)).toBeUndefined();
  });
});
