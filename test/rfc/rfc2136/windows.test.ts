/** The sequences that Windows hosts and their imitators send. */
import { describe, expect, test } from "vitest";
import { update, ZONE } from "./support.ts";

/** What a host sends at every refresh: no CNAME may be there, then its addresses are replaced. */
const register = (...adds: string[]): { prerequisites: string[]; updates: string[] } => ({
  prerequisites: ["node1 0 NONE CNAME"],
  updates: ["node1 0 ANY A", "node1 0 ANY AAAA", ...adds],
});
const none = { policy: () => ({ allow: false, reason: "no rule allows it" }) };

/** What a host asks first: whether its addresses are these already. */
const probe = (...addresses: string[]): string =>
  update({ prerequisites: ["files 0 NONE CNAME", ...addresses.map((one) => `files 0 IN A ${one}`)] }).rcode;

describe("the probe: prerequisites, and an empty update section", () => {
  test("all addresses right: NOERROR, nothing to do", () => {
    expect(probe("192.0.2.21", "192.0.2.22")).toBe("NOERROR");
  });
  test("an address missing, one too many, or none: NXRRSET, so the host goes on to update", () => {
    expect(probe("192.0.2.21")).toBe("NXRRSET");
    expect(probe("192.0.2.21", "192.0.2.22", "192.0.2.23")).toBe("NXRRSET");
  });
});

describe("the registration", () => {
  test("replaces the addresses by the new ones", () => {
    expect(update(register("node1 1200 IN A 192.0.2.12"))).toMatchObject({
      rcode: "NOERROR",
      serial: 101,
      removed: ["Node1 1200 A 192.0.2.11", "Node1 1200 AAAA 2001:db8::11"],
      added: ["Node1 1200 A 192.0.2.12"],
    });
  });

  test("registers a host that is new", () => {
    const parts = {
      prerequisites: ["NODE7 0 NONE CNAME"],
      updates: ["NODE7 0 ANY A", "NODE7 0 ANY AAAA", "NODE7 1200 IN A 192.0.2.17"],
    };
    expect(update(parts)).toMatchObject({ serial: 101, removed: [], added: ["NODE7 1200 A 192.0.2.17"] });
  });

  test("does not move the serial where the addresses are what they were", () => {
    const same = register("node1 1200 IN A 192.0.2.11", "node1 1200 IN AAAA 2001:db8::11");
    expect(update(same).verdict).toEqual({ kind: "unchanged" });
  });

  test("is YXRRSET where the name is an alias", () => {
    const zone = [...ZONE.filter((one) => !one.startsWith("Node1")), "Node1 60 CNAME files"];
    expect(update(register("node1 1200 IN A 192.0.2.12"), { zone }).rcode).toBe("YXRRSET");
  });

  test("with identical data needs no right, with other data it does", () => {
    const same = register("node1 1200 IN A 192.0.2.11", "node1 1200 IN AAAA 2001:db8::11");
    expect(update(same, { context: none }).rcode).toBe("NOERROR");
    expect(update(register("node1 1200 IN A 192.0.2.12"), { context: none }).rcode).toBe("REFUSED");
    expect(update({ updates: ["node1 0 ANY A"] }, { context: none }).rcode).toBe("REFUSED");
  });
});

test("a bare PTR, and the two lines of a DHCP server", () => {
  const ptr = "11.2.0.192 3600 IN PTR node1";
  expect(update({ updates: [ptr] })).toMatchObject({ serial: 101, added: ["11.2.0.192 3600 PTR node1"] });
  expect(update({ updates: ["11.2.0.192 0 ANY PTR", ptr] })).toMatchObject({ serial: 101, removed: [] });
});
