/** RFC 5952 §4: one text for each IPv6 address; RFC 4291 §2.2: every text that is read. */
import { describe, expect, test } from "vitest";
import { ipv6ToText, parseIpv6 } from "../../../src/wire/rdata/address.ts";

test.each([
  ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"], // §4.2.3: the first of equal runs
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"], // §4.2.2: one group is not shortened
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"], // §4.2.3: the longest run
  ["2001:DB8::A", "2001:db8::a"], // §4.3
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1"], // §5
  ["::ffff:c000:201", "::ffff:192.0.2.1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
])("%s is %s", (text, canonical) => {
  const octets = parseIpv6(text)!;
  expect(octets).toHaveLength(16);
  expect(ipv6ToText(octets)).toBe(canonical);
  expect(parseIpv6(canonical)).toEqual(octets);
});

describe("refused", () => {
  test.each([
    "",
    ":",
    ":::",
    "1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "12345::",
    "g::",
    "::1.2.3",
    "::1.2.3.256",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1/64",
    "::1%0",
  ])("%j", (text) => {
    expect(parseIpv6(text)).toBeUndefined();
  });
});
