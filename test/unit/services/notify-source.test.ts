/** Which of the server's addresses a NOTIFY leaves from. */
import { expect, test } from "vitest";
import { notifySource } from "../../../src/services/notify-source.ts";

test.each<[target: string, listen: string[], source: string | undefined]>([
  ["192.0.2.61", ["192.0.2.53"], "192.0.2.53"],
  ["198.51.100.7", ["192.0.2.53"], "192.0.2.53"],
  // The same network, as near as can be seen without asking for routes.
  ["10.2.0.9", ["10.1.0.53", "10.2.0.53"], "10.2.0.53"],
  ["10.2.0.9", ["10.2.0.53", "10.1.0.53"], "10.2.0.53"],
  ["10.2.0.9", ["2001:db8::53", "10.1.0.53"], "10.1.0.53"],
  ["2001:db8:2::9", ["2001:db8:1::53", "2001:db8:2::53", "10.1.0.53"], "2001:db8:2::53"],
  // Loopback addresses and others do not reach each other.
  ["192.0.2.61", ["127.0.0.1"], undefined],
  ["192.0.2.61", ["127.0.0.1", "192.0.2.53"], "192.0.2.53"],
  ["127.0.0.2", ["127.0.0.1", "192.0.2.53"], "127.0.0.1"],
  ["127.0.0.2", ["192.0.2.53"], undefined],
  ["::1", ["2001:db8::53", "::1"], "::1"],
  // All addresses, none of the family, a link's own.
  ["192.0.2.61", ["0.0.0.0"], undefined],
  ["192.0.2.61", ["192.0.2.53", "0.0.0.0"], undefined],
  ["2001:db8::9", ["::"], undefined],
  ["2001:db8::9", ["192.0.2.53"], undefined],
  ["fe80::9%eth0", ["2001:db8::53"], undefined],
  ["2001:db8::9", ["fe80::53%eth0"], undefined],
])("to %s of %j: %s", (target, listen, source) => {
  expect(notifySource(target, listen)).toBe(source);
});
