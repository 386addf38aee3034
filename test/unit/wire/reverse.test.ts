import { expect, test } from "vitest";
import { parseIpv4, parseIpv6 } from "../../../src/wire/rdata/address.ts";
import { Name } from "../../../src/wire/name.ts";
import { isReverseApex, reverseName } from "../../../src/wire/reverse.ts";

test.each([
  // RFC 1035 §3.5
  ["10.2.0.52", "52.0.2.10.in-addr.arpa."],
  ["0.255.9.100", "100.9.255.0.in-addr.arpa."],
  // RFC 3596 §2.5
  ["4321:0:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa."],
])("the reverse name of %s", (address, name) => {
  const reverse = reverseName(parseIpv4(address) ?? parseIpv6(address)!);
  expect(reverse.toString()).toBe(name);
  expect(reverse.equals(Name.parse(name))).toBe(true);
});

test.each([
  ["2.0.192.in-addr.arpa.", true],
  ["8.b.d.0.1.0.0.2.IP6.arpa.", true],
  ["in-addr.arpa.", true],
  ["arpa.", false],
  [".", false],
  ["smb.example.", false],
  ["in-addr.arpa.smb.example.", false],
])("%s holds reverse names: %s", (apex, holds) => {
  expect(isReverseApex(Name.parse(apex))).toBe(holds);
});
