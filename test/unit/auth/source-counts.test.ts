/** How many of something each source may have: an address, and the /64 that it is in. */
import { expect, test } from "vitest";
import { sourceNetwork } from "../../../src/auth/acl.ts";
import { SourceCounts, sourceLimits } from "../../../src/auth/source-counts.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8::1", "2001:db8::/64"],
  ["2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"],
  ["::1", "::/64"],
  ["fe80::1%eth0", "fe80::/64"],
  ["", ""],
])("%s counts as %s", (address, network) => {
  expect(sourceNetwork(address)).toBe(network);
});

const limits = sourceLimits(2, 10);

function addAll(counts: SourceCounts, addresses: readonly string[]): string[] {
  return addresses.filter((address) => {
    if (!counts.hasRoom(address, limits)) return false;
    counts.add(address);
    return true;
  });
}

test("an address has its share, and a /64 of IPv6 half of all", () => {
  const counts = new SourceCounts();
  expect(addAll(counts, ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"])).toEqual([
    "192.0.2.1",
    "192.0.2.1",
    "192.0.2.2",
  ]);
  const link = Array.from({ length: 8 }, (_, i) => `2001:db8::${i + 1}`);
  expect(addAll(counts, ["2001:db8::1", "2001:db8::1", "2001:db8::1"])).toHaveLength(2);
  expect(addAll(counts, link)).toEqual(["2001:db8::2", "2001:db8::3", "2001:db8::4"]);
  expect(addAll(counts, ["2001:db8:0:1::1"])).toHaveLength(1);
  counts.remove("2001:db8::3");
  expect(addAll(counts, ["2001:db8::9", "2001:db8::a"])).toEqual(["2001:db8::9"]);
});

test("a /64 has no less than an address", () => {
  expect(sourceLimits(200, 10).perNetwork).toBe(200);
});
