/** Socket addresses as octets: what the kernel is told, and what it tells. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isWildcard,
  sockaddrAddress,
  sockaddrLength,
  sockaddrPort,
  writeSockaddr,
} from "../../../src/server/native/sockaddr.ts";
import { canonicalAddress } from "../../../src/config/quantity.ts";

function written(address: string, port: number, scope?: number): Uint8Array {
  const bytes = new Uint8Array(40).fill(0xaa);
  const length = writeSockaddr(bytes, 4, address, port, scope);
  expect(sockaddrLength(bytes, 4)).toBe(length);
  return bytes.slice(4, 4 + length);
}

describe("the octets", () => {
  test("of struct sockaddr_in: family in host order, port and address in network order", () => {
    expect([...written("192.0.2.7", 0x1234)]).toEqual([
      2, 0, 0x12, 0x34, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });

  test("of struct sockaddr_in6: no flow label, the scope in host order", () => {
    const octets = written("fe80::1:2", 53, 0x0102);
    expect(octets.length).toBe(28);
    expect([...octets.subarray(0, 8)]).toEqual([10, 0, 0, 53, 0, 0, 0, 0]);
    expect([...octets.subarray(8, 24)]).toEqual([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2]);
    expect([...octets.subarray(24)]).toEqual([2, 1, 0, 0]);
  });

  test("nothing of an earlier address stays", () => {
    const bytes = new Uint8Array(28).fill(0xff);
    writeSockaddr(bytes, 0, "0.0.0.0", 0);
    expect([...bytes]).toEqual([2, ...Array.from({ length: 27 }, () => 0)]);
  });
});

test("every address and port is read back as it was written", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65_535 }), (text, port) => {
      const octets = written(text, port);
      expect(canonicalAddress(sockaddrAddress(octets, 0))).toBe(canonicalAddress(text));
      expect(sockaddrPort(octets, 0)).toBe(port);
    }),
  );
});

test.each([
  ["0.0.0.0", true],
  ["::", true],
  ["0:0:0:0:0:0:0:0", true],
  ["127.0.0.1", false],
  ["0.0.0.1", false],
  ["::1", false],
  ["1::", false],
])("%s is a wildcard address: %s", (address, expected) => {
  expect(isWildcard(written(address, 53), 0)).toBe(expected);
});

test.each(["192.0.2", "192.0.2.256", "example.", "", "fe80::1%eth0", ":", "1::2::3"])(
  "%j is no address",
  (text) => {
    expect(() => written(text, 53)).toThrow(TypeError);
  },
);
