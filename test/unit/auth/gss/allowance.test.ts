/** How many negotiations a source may try in a second. */
import { expect, test } from "vitest";
import { NegotiationAllowance } from "../../../../src/auth/gss/allowance.ts";

function tries(allowance: NegotiationAllowance, address: string, now: number, times: number): number {
  let taken = 0;
  for (let i = 0; i < times; i++) if (allowance.take(address, now) === undefined) taken++;
  return taken;
}

test("one source has its share, and all together theirs", () => {
  const allowance = new NegotiationAllowance({ perSecond: 25, perAddressPerSecond: 10 });
  expect(
    ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((address) => tries(allowance, address, 100, 50)),
  ).toEqual([10, 10, 5]);
  expect(allowance.take("192.0.2.1", 100)).toBe("more than 10 negotiations a second from 192.0.2.1");
  expect(allowance.take("192.0.2.9", 100)).toBe("more than 25 negotiations a second in all");
  expect(tries(allowance, "192.0.2.1", 101, 50)).toBe(10);
});

test("the addresses of an IPv6 /64 are one source", () => {
  const allowance = new NegotiationAllowance({ perSecond: 100, perAddressPerSecond: 3 });
  const same = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:0:1:2:3:4"];
  expect(same.map((address) => tries(allowance, address, 1, 1))).toEqual([1, 1, 1]);
  expect(allowance.take("2001:db8::9", 1)).toMatch(/from 2001:db8::\/64/);
  expect(tries(allowance, "2001:db8:0:1::1", 1, 5)).toBe(3);
  expect(tries(allowance, "::1", 1, 5)).toBe(3);
});
