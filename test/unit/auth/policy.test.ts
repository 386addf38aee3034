/** Update rules: what each matches, and, as much, what it does not. */
import { describe, expect, test } from "vitest";
import type { Requester } from "../../../src/auth/acl.ts";
import type { Decision } from "../../../src/auth/policy.ts";
import { decideUpdate, knowsRequester } from "../../../src/auth/policy.ts";
import type { UpdateRule } from "../../../src/auth/update-rule.ts";
import { matchesName, parseNamePattern } from "../../../src/auth/update-rule.ts";
import { typeFromText } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { POLICY_ZONE, rules } from "../../support/policy.ts";
import type { RuleText } from "../../support/policy.ts";

const APEX = POLICY_ZONE.apex;

const unsigned: Requester = { address: "192.0.2.10", transport: "udp" };
const byDhcp: Requester = { ...unsigned, key: Name.parse("dhcp.smb.example") };
const byOther: Requester = { ...unsigned, key: Name.parse("other.smb.example") };
const byNode: Requester = { ...unsigned, principal: "NODE1$@SMB.EXAMPLE" };

function decide(list: UpdateRule[], who: Requester, owner = "x.smb.example", type = "A"): Decision {
  const change = { name: Name.parse(owner), type: typeFromText(type)!, removed: [], added: [] };
  return decideUpdate(list, who, POLICY_ZONE, change);
}

describe("a name pattern", () => {
  test.each([
    ["*.smb.example", "x.smb.example", true],
    ["*.smb.example", "a.b.smb.example", true],
    ["*.smb.example", "X.SMB.EXAMPLE", true],
    ["*.smb.example", "smb.example", false],
    ["*.smb.example", "xsmb.example", false],
    ["*.smb.example.", "x.smb.example", true],
    ["smb.example", "smb.example", true],
    ["smb.example", "x.smb.example", false],
    ["@", "smb.example", true],
    ["@", "x.smb.example", false],
    ["*", "x.smb.example", true],
    ["*", "smb.example", false],
    ["*.@", "x.smb.example", true],
    ["node1", "node1.smb.example", true],
    ["node1", "node10.smb.example", false],
    ["node1", "a.node1.smb.example", false],
    ["*.node1", "a.node1.smb.example", true],
    ["*.node1", "node1.smb.example", false],
    ["*.node1", "a.xnode1.smb.example", false],
    ["_tcp.dc", "_tcp.dc.smb.example", true],
    ["node1.smb.example.", "node1.smb.example", true],
    ["*.smb.example", "*.smb.example", true],
    [String.raw`\*.smb.example`, "*.smb.example", true],
    [String.raw`\*.smb.example`, "x.smb.example", false],
    [String.raw`\*`, "*.smb.example", true],
  ])("%s and %s: %s", (text, owner, matches) => {
    expect(matchesName(parseNamePattern(text, APEX), Name.parse(owner))).toBe(matches);
  });

  test.each(["", "*.", "a..b", "other.example.", "*.example.", ".", "é"])(
    "%j is none for smb.example",
    (text) => {
      expect(() => parseNamePattern(text, APEX)).toThrow(
        expect.objectContaining({ name: "NameSyntaxError" }),
      );
    },
  );
});

describe("who a rule is for", () => {
  const inside = "192.0.2.0/24";
  const outside = "198.51.100.0/24";
  test.each([
    ["a key, and its request", { key: "DHCP.smb.example" }, byDhcp, true],
    ["a key, and another's request", { key: "dhcp.smb.example" }, byOther, false],
    ["a key, and an unsigned request", { key: "dhcp.smb.example" }, unsigned, false],
    ["a key, and a principal", { key: "dhcp.smb.example" }, byNode, false],
    ["a key with its net", { key: "dhcp.smb.example", net: inside }, byDhcp, true],
    ["a key from another net", { key: "dhcp.smb.example", net: outside }, byDhcp, false],
    ["a net with another key", { key: "dhcp.smb.example", net: inside }, byOther, false],
    ["a net without the key", { key: "dhcp.smb.example", net: inside }, unsigned, false],
    ["a principal, and its request", { principal: "node1$@SMB.EXAMPLE" }, byNode, true],
    ["all machines, and one of them", { principal: "*$@SMB.EXAMPLE" }, byNode, true],
    ["a principal, and another's request", { principal: "node2$@SMB.EXAMPLE" }, byNode, false],
    ["a principal, and an unsigned request", { principal: "*$@SMB.EXAMPLE" }, unsigned, false],
    ["a principal, and a key", { principal: "*$@SMB.EXAMPLE" }, byDhcp, false],
    ["a principal from another net", { principal: "*$@SMB.EXAMPLE", net: outside }, byNode, false],
    ["a net, and an unsigned request", { net: inside, udp: true }, unsigned, true],
    ["a net, and an unsigned request from elsewhere", { net: outside }, unsigned, false],
    ["a net, and a key from there", { net: inside }, byDhcp, false],
    ["a net, and a principal from there", { net: inside }, byNode, false],
    ["nobody at all", {}, unsigned, false],
    ["nobody at all, and a key", {}, byDhcp, false],
  ])("%s: %s", (_, rule, requester, allowed) => {
    expect(decide(rules(rule), requester).allow).toBe(allowed);
    expect(knowsRequester(rules(rule), requester)).toBe(allowed);
  });

  const everybody = ["192.0.2.0/24", "0.0.0.0/0"];
  test.each([
    ["a net forbids the unsigned", { net: inside }, unsigned, true],
    ["a net forbids a key from there", { net: inside }, byDhcp, true],
    ["a net forbids a principal from there", { net: inside }, byNode, true],
    ["a net forbids nobody elsewhere", { net: outside }, byDhcp, false],
    ["a key forbids its own", { key: "dhcp.smb.example" }, byDhcp, true],
    ["a key forbids no other", { key: "dhcp.smb.example" }, byOther, false],
    ["no who forbids everybody", {}, byDhcp, true],
  ])("a prohibition: %s", (_, rule, requester, denied) => {
    const rest = [
      { key: "dhcp.smb.example" },
      { key: "other.smb.example" },
      { principal: "*$@SMB.EXAMPLE" },
      ...everybody.map((net) => ({ net })),
    ];
    const decision = decide(rules({ ...rule, allow: false }, ...rest), requester);
    expect(decision.allow).toBe(!denied);
    expect(decision.rule?.index === 1).toBe(denied);
  });

  test("a prohibition alone makes nobody known", () => {
    expect(knowsRequester(rules({ net: inside, allow: false }), unsigned)).toBe(false);
  });
});

describe("names and types of a rule", () => {
  const list = rules({
    key: "dhcp.smb.example",
    names: ["*.smb.example"],
    types: ["A", "AAAA", "SRV", "TXT"],
  });

  test.each([
    ["x.smb.example", "A", true],
    ["x.smb.example", "TXT", true],
    ["x.smb.example", "PTR", false],
    ["x.smb.example", "ANY", false],
    ["x.smb.example", "TYPE65280", false],
    ["smb.example", "A", false],
    ["smb.example", "SOA", false],
  ])("%s %s: %s", (owner, type, allowed) => {
    expect(decide(list, byDhcp, owner, type).allow).toBe(allowed);
  });

  test.each([[undefined], [["ANY"]], [["A", "ANY"]]])("types %j are all of them", (types) => {
    const all = rules({ key: "dhcp.smb.example", ...(types === undefined ? {} : { types }) });
    expect(decide(all, byDhcp, "x.smb.example", "TYPE65280").allow).toBe(true);
    expect(decide(all, byDhcp, "x.smb.example", "ANY").allow).toBe(true);
  });

  test("a prohibition of one type holds for a delete of all", () => {
    const guarded = rules({ types: ["NS"], allow: false }, { key: "dhcp.smb.example" });
    expect(decide(guarded, byDhcp, "x.smb.example", "ANY")).toMatchObject({
      allow: false,
      rule: { index: 1 },
    });
    expect(decide(guarded, byDhcp, "x.smb.example", "A").allow).toBe(true);
  });
});

describe("the order of rules", () => {
  test("the first that matches decides", () => {
    const list = rules(
      { key: "dhcp.smb.example", names: ["node1"], allow: false },
      { key: "dhcp.smb.example" },
      { key: "dhcp.smb.example", names: ["node2"], allow: false },
    );
    expect(decide(list, byDhcp, "node1.smb.example")).toMatchObject({ allow: false, rule: { index: 1 } });
    expect(decide(list, byDhcp, "node2.smb.example")).toMatchObject({ allow: true, rule: { index: 2 } });
  });

  test("where none matches, it is refused, and no rule is named as having decided", () => {
    const decision = decide(rules({ key: "dhcp.smb.example" }), unsigned);
    expect(decision.allow).toBe(false);
    expect(decision.rule).toBeUndefined();
  });
});

describe("the reason given", () => {
  const who = { key: "dhcp.smb.example" };
  test.each<[string, RuleText[], Requester, string, string, string]>([
    [
      "a rule that denies",
      [{ ...who, types: ["TXT"], allow: false }, who],
      byDhcp,
      "x.smb.example",
      "TXT",
      "rule 1 denies TXT at x.smb.example",
    ],
    ["no rules", [], byDhcp, "x.smb.example", "A", "the zone takes no updates"],
    [
      "no rule for the key",
      [who],
      byOther,
      "x.smb.example",
      "A",
      "no update rule matches key other.smb.example",
    ],
    [
      "no rule for the unsigned",
      [who],
      unsigned,
      "x.smb.example",
      "A",
      "no update rule matches unsigned updates from 192.0.2.10",
    ],
    [
      "no rule for the principal",
      [who],
      byNode,
      "x.smb.example",
      "A",
      "no update rule matches principal NODE1$@SMB.EXAMPLE",
    ],
    [
      "the key from the wrong place",
      [{ ...who, net: "10.0.0.0/8" }],
      byDhcp,
      "x.smb.example",
      "A",
      "rule 1 takes key dhcp.smb.example from 10.0.0.0/8, not from 192.0.2.10",
    ],
    [
      "signed where unsigned would do",
      [{ net: "192.0.2.0/24" }],
      byDhcp,
      "x.smb.example",
      "A",
      "no update rule matches key dhcp.smb.example; rule 1 is for unsigned updates",
    ],
    [
      "a type not listed",
      [{ ...who, types: ["A", "AAAA"] }],
      byDhcp,
      "x.smb.example",
      "TXT",
      "key dhcp.smb.example may change only A, AAAA by rule 1, not TXT",
    ],
    [
      "all types at once",
      [{ ...who, types: ["A"] }],
      byDhcp,
      "x.smb.example",
      "ANY",
      "key dhcp.smb.example may change only A by rule 1, not all types",
    ],
    [
      "types of two rules",
      [
        { ...who, types: ["A"] },
        { ...who, types: ["SRV"] },
      ],
      byDhcp,
      "x.smb.example",
      "TXT",
      "key dhcp.smb.example may change only A, SRV by rules 1, 2, not TXT",
    ],
    [
      "many types",
      [{ ...who, types: ["A", "AAAA", "SRV", "PTR", "NS", "MX", "CNAME"] }],
      byDhcp,
      "x.smb.example",
      "TXT",
      "key dhcp.smb.example may change only the 7 types of rule 1, not TXT",
    ],
    [
      "the apex, and a rule for all below",
      [{ ...who, names: ["*.smb.example"] }],
      byDhcp,
      "smb.example",
      "A",
      'rule 1 covers names below smb.example, not smb.example itself: add "smb.example"',
    ],
    [
      "a host, and a rule for the apex alone",
      [{ ...who, names: ["smb.example"] }],
      byDhcp,
      "x.smb.example",
      "A",
      'rule 1 covers smb.example alone: write "*.smb.example" for the names below it',
    ],
    [
      "another name",
      [{ ...who, names: ["node1"] }],
      byDhcp,
      "x.smb.example",
      "A",
      "no update rule lets key dhcp.smb.example change x.smb.example",
    ],
    [
      "another name, and a near miss that is not the requester's",
      [
        { ...who, names: ["node1"] },
        { key: "k", names: ["smb.example"] },
      ],
      byDhcp,
      "x.smb.example",
      "A",
      "no update rule lets key dhcp.smb.example change x.smb.example",
    ],
  ])("%s", (_, texts, requester, owner, type, reason) => {
    expect(decide(rules(...texts), requester, owner, type).reason).toBe(reason);
  });
});
