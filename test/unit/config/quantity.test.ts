/** Durations, sizes and addresses as people write them. */
import { describe, expect, test } from "vitest";
import {
  durationToText,
  parseDuration,
  parseSize,
  parseSocketAddress,
  sizeToText,
  socketAddressToText,
} from "../../../src/config/quantity.ts";
import { nearest } from "../../../src/config/suggest.ts";

describe("durations", () => {
  test.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["5min", 300_000],
    ["1h30m", 5_400_000],
    ["1h 30m", 5_400_000],
    ["30d", 2_592_000_000],
    ["2w", 1_209_600_000],
    ["0s", 0],
    ["30", undefined],
    ["", undefined],
    ["-1s", undefined],
    ["1y", undefined],
    ["1.5h", undefined],
    ["99999d", undefined],
  ])("%j", (text, expected) => expect(parseDuration(text)).toBe(expected));

  test.each([0, 1, 999, 30_000, 5_400_000, 2_592_000_001])("%d ms comes back from its text", (duration) => {
    expect(parseDuration(durationToText(duration))).toBe(duration);
  });
});

describe("sizes", () => {
  test.each([
    ["4096B", 4096],
    ["1kB", 1000],
    ["64MiB", 67_108_864],
    ["1 GiB", 1_073_741_824],
    ["64", undefined],
    ["1.5MiB", undefined],
    ["1mib", undefined],
    ["99999999999GiB", undefined],
  ])("%j", (text, expected) => expect(parseSize(text)).toBe(expected));

  test("people read them rounded", () => {
    expect([0, 1023, 1536, 67_108_864, 200 * 1024 * 1024].map(sizeToText)).toEqual([
      "0 B",
      "1023 B",
      "1.5 KiB",
      "64.0 MiB",
      "200 MiB",
    ]);
  });
});

describe("socket addresses", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1:53"],
    ["192.0.2.1:5300", "192.0.2.1:5300"],
    ["2001:DB8::0:1", "[2001:db8::1]:53"],
    ["[2001:db8::1]", "[2001:db8::1]:53"],
    ["[2001:db8::1]:0", "[2001:db8::1]:0"],
    ["[fe80::1%eth0]:53", "[fe80::1%eth0]:53"],
  ])("%s is %s", (text, expected) => {
    const read = parseSocketAddress(text, 53);
    expect(typeof read === "string" ? read : socketAddressToText(read)).toBe(expected);
  });

  test.each([
    "",
    "localhost",
    "192.0.2.1:",
    "192.0.2.1:a",
    "192.0.2.256",
    "[192.0.2.1]",
    "[::1]53",
    ":53",
    "1.2.3.4:-1",
  ])("%j is none", (text) => expect(parseSocketAddress(text, 53)).toBeTypeOf("string"));
});

test("suggestions are near, or there are none", () => {
  const words = ["listen", "data", "threads", "zone"];
  expect(nearest("lsiten", words)).toBe("listen");
  expect(nearest("Thread", words)).toBe("threads");
  expect(nearest("dat", words)).toBe("data");
  expect(nearest("principal", words)).toBeUndefined();
  expect(nearest("x".repeat(10_000), words)).toBeUndefined();
});
