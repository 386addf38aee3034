import { describe, expect, test } from "vitest";
import type { Requester } from "../../../src/auth/acl.ts";
import { mayTransfer, networkProblem, parseNetwork } from "../../../src/auth/acl.ts";
import { Name } from "../../../src/wire/name.ts";

describe("a network", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["192.0.2.0/24", "192.0.2.0", true],
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["128.0.0.0/1", "127.255.255.255", false],
    ["128.0.0.0/1", "200.0.0.1", true],
    ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", true],
    ["2001:db8::1", "2001:db8::2", false],
    ["2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true],
    ["2001:db8::/32", "2001:db9::", false],
    ["2001:db8:0:8000::/49", "2001:db8:0:8000::1", true],
    ["2001:db8:0:8000::/49", "2001:db8:0:7fff::1", false],
    ["2001:db8::4/126", "2001:db8::7", true],
    ["2001:db8::4/126", "2001:db8::8", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["::1", "::1", true],
    ["::/0", "2001:db8::1", true],
    // Families are apart: a rule for all IPv6 is none for IPv4.
    ["::/0", "192.0.2.1", false],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "::ffff:192.0.2.1", false],
    // IPv4-mapped is IPv4, on either side.
    ["192.0.2.0/24", "::ffff:192.0.2.77", true],
    ["192.0.2.0/24", "::ffff:c000:24d", true],
    ["192.0.2.0/24", "::ffff:192.0.3.77", false],
    ["::ffff:192.0.2.0/120", "192.0.2.77", true],
    ["::ffff:192.0.2.0/120", "192.0.3.77", false],
    ["::ffff:192.0.2.1", "192.0.2.1", true],
    // An address that is none is nowhere.
    ["0.0.0.0/0", "", false],
    ["0.0.0.0/0", "192.0.2", false],
    ["0.0.0.0/0", "192.0.2.1.", false],
    ["0.0.0.0/0", "localhost", false],
  ])("%s and %s: %s", (network, address, inside) => {
    expect(parseNetwork(network)?.contains(address)).toBe(inside);
    expect(networkProblem(network)).toBeUndefined();
  });

  test.each([
    ["", "neither an address nor a network"],
    ["localhost", "neither an address nor a network"],
    ["192.0.2", "neither an address nor a network"],
    ["192.0.2.256", "neither an address nor a network"],
    ["192.0.2.01", "neither an address nor a network"],
    ["fe80::1%eth0", "neither an address nor a network"],
    ["192.0.2.0/33", '"/33" is no prefix length: IPv4 takes /0 to /32'],
    ["192.0.2.0/", '"/" is no prefix length'],
    ["192.0.2.0/024", '"/024" is no prefix length'],
    ["192.0.2.0/-1", '"/-1" is no prefix length'],
    ["192.0.2.0/24/24", "is no prefix length"],
    ["2001:db8::/129", "IPv6 takes /0 to /128"],
    ["192.0.2.77/24", "write 192.0.2.0/24 for the network, or 192.0.2.77 for the one address"],
    ["192.0.2.1/0", "write 0.0.0.0/0 for the network"],
    ["2001:db8::1/32", "write 2001:db8::/32 for the network, or 2001:db8::1 for the one address"],
    ["1:0:0:2:0:0:0:3/64", "write 1:0:0:2::/64 for the network"],
    ["1:2:3:4:5:6:7:8/127", undefined],
    ["1:2:3:4:5:6:7:9/127", "write 1:2:3:4:5:6:7:8/127 for the network"],
  ])("%j: %s", (text, problem) => {
    const found = networkProblem(text);
    expect(found ?? "").toContain(problem ?? "");
    expect(found === undefined).toBe(problem === undefined);
    expect(parseNetwork(text) === undefined).toBe(problem !== undefined);
  });

  test("keeps its text", () => {
    expect(parseNetwork("::ffff:192.0.2.0/120")?.text).toBe("::ffff:192.0.2.0/120");
  });
});

describe("transfer rules", () => {
  const net = parseNetwork("192.0.2.0/24")!;
  const key = Name.parse("xfr.smb.example");
  const inside: Requester = { address: "192.0.2.53", transport: "tcp" };
  const outside: Requester = { address: "198.51.100.1", transport: "tcp" };
  const signed = { key: Name.parse("XFR.smb.example") };
  const other = { key: Name.parse("dhcp.smb.example") };

  test.each([
    ["no rules let nobody in", [], { ...inside, ...signed }, false],
    ["an empty rule lets nobody in", [{}], { ...inside, ...signed }, false],
    ["a net takes who is inside", [{ net }], inside, true],
    ["a net refuses who is outside", [{ net }], outside, false],
    ["a net takes a signed request as well", [{ net }], { ...inside, ...other }, true],
    ["a net refuses a signed request from outside", [{ net }], { ...outside, ...signed }, false],
    ["a key takes its own from anywhere", [{ key }], { ...outside, ...signed }, true],
    ["a key refuses another", [{ key }], { ...outside, ...other }, false],
    ["a key refuses the unsigned", [{ key }], inside, false],
    ["a key refuses a principal", [{ key }], { ...inside, principal: "xfr@SMB.EXAMPLE" }, false],
    ["both must hold: key alone", [{ net, key }], { ...outside, ...signed }, false],
    ["both must hold: net alone", [{ net, key }], inside, false],
    ["both must hold: another key", [{ net, key }], { ...inside, ...other }, false],
    ["both hold", [{ net, key }], { ...inside, ...signed }, true],
    ["one of several is enough", [{ net }, { key }], { ...outside, ...signed }, true],
    ["several, none of which holds", [{ net }, { key }], { ...outside, ...other }, false],
  ])("%s", (_, rules, requester, allowed) => {
    expect(mayTransfer(rules, requester)).toBe(allowed);
  });
});
