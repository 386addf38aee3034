/** Rules for hosts: the scopes, the names that are guarded, and how a decision is explained. */
import { describe, expect, test } from "vitest";
import { guardOf } from "../../../src/auth/guarded-name.ts";
import { ownName } from "../../../src/auth/own-name.ts";
import { decideUpdate, explainUpdate, knowsRequester } from "../../../src/auth/policy.ts";
import { Name } from "../../../src/wire/name.ts";
import { change, POLICY_ZONE, requester, rules } from "../../support/policy.ts";
import type { RuleText } from "../../support/policy.ts";

/** The number of the rule that allows, or why it is refused. */
function decide(texts: readonly RuleText[], who: string, what: string): number | string {
  const { allow, rule, reason } = decideUpdate(rules(...texts), requester(who), POLICY_ZONE, change(what));
  return allow ? rule!.index : reason;
}

describe("the own name of a requester in smb.example", () => {
  test.each([
    ["key node1.smb.example", "node1.smb.example."],
    ["key NODE1.smb.example", "NODE1.smb.example."],
    ["key a.b.smb.example", "a.b.smb.example."],
    ["key smb.example", undefined],
    ["key node1", undefined],
    ["key node1.other.example", undefined],
    ["principal NODE1$@SMB.EXAMPLE", "node1.smb.example."],
    ["principal NODE1$@CORP.OTHER", "node1.smb.example."],
    ["principal node_1-x$@SMB.EXAMPLE", "node_1-x.smb.example."],
    ["principal _TCP$@SMB.EXAMPLE", undefined],
    ["principal host/_tcp.smb.example@SMB.EXAMPLE", undefined],
    ["principal host/node1._sites.smb.example@SMB.EXAMPLE", undefined],
    ["principal host/node_1.smb.example@SMB.EXAMPLE", "node_1.smb.example."],
    ["principal NODE1@SMB.EXAMPLE", undefined],
    ["principal $@SMB.EXAMPLE", undefined],
    ["principal NODE1$$@SMB.EXAMPLE", undefined],
    ["principal NODE1.DC$@SMB.EXAMPLE", undefined],
    [String.raw`principal NODE\1$@SMB.EXAMPLE`, undefined],
    ["principal NODE1$", undefined],
    ["principal a/NODE1$@SMB.EXAMPLE", undefined],
    [`principal ${"n".repeat(64)}$@SMB.EXAMPLE`, undefined],
    ["principal host/node1.smb.example@SMB.EXAMPLE", "node1.smb.example."],
    ["principal HOST/Node1.SMB.example@SMB.EXAMPLE", "node1.smb.example."],
    ["principal host/node1.smb.example.@SMB.EXAMPLE", "node1.smb.example."],
    ["principal host/node1@SMB.EXAMPLE", undefined],
    ["principal host/node1.other.example@SMB.EXAMPLE", undefined],
    ["principal host/smb.example@SMB.EXAMPLE", undefined],
    ["principal host/a..smb.example@SMB.EXAMPLE", undefined],
    [`principal host/${"n".repeat(64)}.smb.example@SMB.EXAMPLE`, undefined],
    ["principal cifs/node1.smb.example@SMB.EXAMPLE", undefined],
    ["principal admin@SMB.EXAMPLE", undefined],
    ["from 192.0.2.10", undefined],
  ])("%s: %s", (who, name) => {
    expect(ownName(requester(who), POLICY_ZONE.apex)?.toString()).toBe(name);
  });
});

describe('scope = "self" and "self-sub"', () => {
  const machines: RuleText = { principal: "*$@SMB.EXAMPLE", scope: "self" };
  const hosts: RuleText = { principal: "host/*@SMB.EXAMPLE", scope: "self-sub" };
  const anyKey: RuleText = { scope: "self" };
  const node1: RuleText = { key: "node1.smb.example", scope: "self-sub", types: ["A", "AAAA"] };
  test.each<[RuleText, string, string, number | string]>([
    [machines, "principal NODE1$@SMB.EXAMPLE", "node1 A +192.0.2.1", 1],
    [machines, "principal NODE1$@SMB.EXAMPLE", "NODE1 TXT +x", 1],
    [
      machines,
      "principal NODE1$@SMB.EXAMPLE",
      "node2 A +192.0.2.1",
      "rule 1 lets principal NODE1$@SMB.EXAMPLE change node1.smb.example only",
    ],
    [
      machines,
      "principal NODE1$@SMB.EXAMPLE",
      "a.node1 A +192.0.2.1",
      "rule 1 lets principal NODE1$@SMB.EXAMPLE change node1.smb.example only",
    ],
    [
      machines,
      "principal NODE1$@OTHER.EXAMPLE",
      "node1 A +192.0.2.1",
      "no update rule matches principal NODE1$@OTHER.EXAMPLE",
    ],
    [machines, "key node1.smb.example", "node1 A +192.0.2.1", "no update rule matches key node1.smb.example"],
    [machines, "", "node1 A +192.0.2.1", "no update rule matches unsigned updates from 192.0.2.10"],
    [hosts, "principal host/node1.smb.example@SMB.EXAMPLE", "node1 A +192.0.2.1", 1],
    [hosts, "principal host/node1.smb.example@SMB.EXAMPLE", "_smb._tcp.node1 SRV -0,0,445,node1", 1],
    [
      hosts,
      "principal host/node1.smb.example@SMB.EXAMPLE",
      "xnode1 A +192.0.2.1",
      "rule 1 lets principal host/node1.smb.example@SMB.EXAMPLE change node1.smb.example and what is below it only",
    ],
    [
      hosts,
      "principal host/node1.other.example@SMB.EXAMPLE",
      "node1 A +192.0.2.1",
      "rule 1 lets hosts change their own names, and principal host/node1.other.example@SMB.EXAMPLE is no host of smb.example",
    ],
    [anyKey, "key node1.smb.example", "node1 A +192.0.2.1", 1],
    [
      anyKey,
      "key node1.smb.example",
      "node2 A +192.0.2.1",
      "rule 1 lets key node1.smb.example change node1.smb.example only",
    ],
    [
      anyKey,
      "key xfr.other.example",
      "node1 A +192.0.2.1",
      "rule 1 lets hosts change their own names, and key xfr.other.example is no host of smb.example",
    ],
    [
      anyKey,
      "principal NODE1$@SMB.EXAMPLE",
      "node1 A +192.0.2.1",
      "no update rule matches principal NODE1$@SMB.EXAMPLE",
    ],
    [anyKey, "", "node1 A +192.0.2.1", "no update rule matches unsigned updates from 192.0.2.10"],
    [{ ...anyKey, net: "192.0.2.0/24" }, "key node1.smb.example", "node1 A +192.0.2.1", 1],
    [
      { ...anyKey, net: "10.0.0.0/8" },
      "key node1.smb.example",
      "node1 A +192.0.2.1",
      "no update rule matches key node1.smb.example",
    ],
    [
      { ...anyKey, net: "192.0.2.0/24" },
      "",
      "node1 A +192.0.2.1",
      "no update rule matches unsigned updates from 192.0.2.10",
    ],
    [
      { ...anyKey, net: "192.0.2.0/24" },
      "principal NODE1$@SMB.EXAMPLE",
      "node1 A +192.0.2.1",
      "no update rule matches principal NODE1$@SMB.EXAMPLE; rule 1 is for keys",
    ],
    [node1, "key node1.smb.example", "b.a.node1 AAAA -2001:db8::1", 1],
    [
      node1,
      "key node1.smb.example",
      "node1 TXT +x",
      "key node1.smb.example may change only A, AAAA by rule 1, not TXT",
    ],
    [
      { ...anyKey, names: ["*.nodes"] },
      "key node1.smb.example",
      "node1 A +192.0.2.1",
      "no update rule lets key node1.smb.example change node1.smb.example",
    ],
  ])("%j, %s, %s: %s", (rule, who, what, expected) => {
    expect(decide([rule], who, what)).toBe(expected);
  });
});

describe('scope = "source"', () => {
  const lan: RuleText = { net: "192.0.2.0/24", scope: "source" };
  const lan6: RuleText = { net: "2001:db8::/64", scope: "source" };
  const udp: RuleText = { ...lan, udp: true };
  const keyed: RuleText = { key: "node1.smb.example", scope: "source", names: ["node1"] };
  const own = "node1 A +192.0.2.10";
  test.each<[RuleText, string, string, number | string]>([
    [lan, "over tcp", own, 1],
    [lan, "over tcp", "node1 A -192.0.2.10", 1],
    [lan, "from ::ffff:192.0.2.10 over tcp", own, 1],
    [lan, "over udp", own, "rule 1 takes updates over TCP only"],
    [udp, "over udp", own, 1],
    [
      lan,
      "from 198.51.100.1 over tcp",
      "node1 A +198.51.100.1",
      "no update rule matches unsigned updates from 198.51.100.1",
    ],
    [
      lan,
      "over tcp",
      "node1 A +192.0.2.11",
      "rule 1 lets 192.0.2.10 set its own address only, not 192.0.2.11",
    ],
    [
      lan,
      "over tcp",
      "node1 A +192.0.2.10 +192.0.2.11",
      "rule 1 lets 192.0.2.10 set its own address only, not 192.0.2.11",
    ],
    [
      lan,
      "over tcp",
      "node1 AAAA +2001:db8::1",
      "rule 1 lets 192.0.2.10 set its own address only, not 2001:db8::1",
    ],
    [
      lan,
      "over tcp",
      "node1 A -192.0.2.11",
      "rule 1 lets 192.0.2.10 take away its own address only, not 192.0.2.11",
    ],
    [
      lan,
      "over tcp",
      "node1 A -192.0.2.11 +192.0.2.10",
      "rule 1 lets 192.0.2.10 take away its own address only, not 192.0.2.11",
    ],
    [{ ...lan, replace: true }, "over tcp", "node1 A -192.0.2.11 +192.0.2.10", 1],
    [{ ...lan, replace: true }, "over tcp", "node1 AAAA -2001:db8::1", 1],
    [
      { ...lan, replace: true },
      "over tcp",
      "node1 A -192.0.2.10 +192.0.2.11",
      "rule 1 lets 192.0.2.10 set its own address only, not 192.0.2.11",
    ],
    // The RRset is shared, and has one TTL (RFC 2181 §5.2).
    [lan, "over tcp", "node1 A -192.0.2.11 +192.0.2.11 +192.0.2.10", 1],
    [lan, "over tcp", "node1 A -192.0.2.11 +192.0.2.11 -192.0.2.10 +192.0.2.10", 1],
    [
      lan,
      "over tcp",
      "node1 A -192.0.2.11 +192.0.2.11",
      "rule 1 lets 192.0.2.10 change its own address only, and it is not among those of node1.smb.example.",
    ],
    [lan, "over tcp", "node1 TXT +x", "rule 1 is about A, AAAA and PTR only"],
    [lan, "over tcp", "10.2.0.192.in-addr.arpa PTR +node1", 1],
    [lan, "over tcp", "10.2.0.192.in-addr.arpa PTR -other +node1", 1],
    [
      lan,
      "over tcp",
      "11.2.0.192.in-addr.arpa PTR +node1",
      "rule 1 lets 192.0.2.10 name its own address only, at 10.2.0.192.in-addr.arpa.",
    ],
    [lan6, "from 2001:db8::1 over tcp", "node1 AAAA +2001:db8::1", 1],
    [
      lan6,
      "from 2001:db8::1 over tcp",
      "node1 AAAA +2001:db8::2",
      "rule 1 lets 2001:db8::1 set its own address only, not 2001:db8::2",
    ],
    [
      lan6,
      "from 2001:db8::1 over tcp",
      `1.0.0.0.${"0.0.0.0.".repeat(5)}8.b.d.0.1.0.0.2.ip6.arpa PTR +node1`,
      1,
    ],
    [keyed, "key node1.smb.example over tcp", own, 1],
    [keyed, "key node1.smb.example over udp", own, "rule 1 takes updates over TCP only"],
    [
      keyed,
      "key node1.smb.example over tcp",
      "node2 A +192.0.2.10",
      "no update rule lets key node1.smb.example change node2.smb.example",
    ],
    [
      lan,
      "key node1.smb.example over tcp",
      own,
      "no update rule matches key node1.smb.example; rule 1 is for unsigned updates",
    ],
    [keyed, "over tcp", own, "no update rule matches unsigned updates from 192.0.2.10"],
  ])("%j, %s, %s: %s", (rule, who, what, expected) => {
    const reverse = what.includes("arpa");
    // A reverse zone's rules are judged in that zone.
    const zone = reverse ? { apex: Name.parse("arpa"), nameServers: [] } : POLICY_ZONE;
    const decision = decideUpdate(rules(rule), requester(who), zone, change(what));
    expect(decision.allow ? decision.rule!.index : decision.reason).toBe(expected);
  });

  test("whoever comes over UDP is a stranger to a rule for TCP", () => {
    expect(knowsRequester(rules(lan), requester("over udp"))).toBe(false);
    expect(knowsRequester(rules(lan), requester("over tcp"))).toBe(true);
    expect(knowsRequester(rules(udp), requester("over udp"))).toBe(true);
  });
});

describe("updates over UDP, whose source anyone can forge", () => {
  test.each<[RuleText, string, boolean]>([
    [{ net: "192.0.2.0/24" }, "over udp", false],
    [{ net: "192.0.2.0/24" }, "over tcp", true],
    [{ net: "192.0.2.0/24", udp: true }, "over udp", true],
    [{ net: "192.0.2.0/24", udp: false }, "over udp", false],
    [{ net: "::/0" }, "from 2001:db8::1 over udp", false],
    [{ net: "0.0.0.0/0" }, "from 127.0.0.1 over udp", false],
    [{ net: "126.0.0.0/7" }, "from 127.0.0.1 over udp", false],
    [{ net: "127.0.0.0/8" }, "from 127.0.0.1 over udp", true],
    [{ net: "127.0.0.1", udp: false }, "from 127.0.0.1 over udp", false],
    [{ net: "::1" }, "from ::1 over udp", true],
    [{ net: "::/127" }, "from ::1 over udp", false],
    [{ key: "dhcp.smb.example", net: "192.0.2.0/24" }, "key dhcp.smb.example over udp", true],
    [{ key: "dhcp.smb.example", udp: false }, "key dhcp.smb.example over udp", false],
    [{ scope: "self", net: "192.0.2.0/24" }, "key node1.smb.example over udp", true],
  ])("%j, %s: %s", (rule, who, known) => {
    expect(knowsRequester(rules(rule), requester(who))).toBe(known);
  });

  test("a rule that forbids holds for them too", () => {
    const list = rules({ net: "192.0.2.0/24", allow: false }, { net: "192.0.2.0/24", udp: true });
    expect(decideUpdate(list, requester("over udp"), POLICY_ZONE, change("x A +192.0.2.1")).allow).toBe(
      false,
    );
  });
});

describe('scope = "source" beside what the operator put there', () => {
  const zone = { ...POLICY_ZONE, hasStatic: (name: Name) => name.toString() === "fs1.smb.example." };
  const lan: RuleText = { net: "192.0.2.0/24", scope: "source" };
  const refused =
    "rule 1 does not list fs1.smb.example among its names, as a name with records that no client registered must be";
  test.each<[RuleText, string, string, number | string]>([
    [lan, "over tcp", "fs1 A +192.0.2.10", refused],
    [
      lan,
      "from 2001:db8::1 over tcp",
      "fs1 AAAA +2001:db8::1",
      "no update rule matches unsigned updates from 2001:db8::1",
    ],
    [{ ...lan, names: ["*"] }, "over tcp", "fs1 A +192.0.2.10", refused],
    [{ ...lan, replace: true }, "over tcp", "fs1 A -192.0.2.1", refused],
    [{ ...lan, names: ["fs1"] }, "over tcp", "fs1 A +192.0.2.10", 1],
    [{ ...lan, own: true }, "over tcp", "fs1 A +192.0.2.10", 1], // whose it is decides that
    [{ ...lan, static: true }, "over tcp", "fs1 A +192.0.2.10", 1],
    [lan, "over tcp", "fs2 A +192.0.2.10", 1],
    // What is there already: another TTL, and to take away one's own.
    [lan, "over tcp", "fs1 A -192.0.2.10 +192.0.2.10", 1],
    [lan, "over tcp", "fs1 A -192.0.2.10", 1],
    [{ key: "node1.smb.example" }, "key node1.smb.example", "fs1 A +192.0.2.10", 1],
    [{ net: "192.0.2.0/24", udp: true }, "", "fs1 A +192.0.2.10", 1],
  ])("%j, %s, %s: %s", (rule, who, what, expected) => {
    const decision = decideUpdate(rules(rule), requester(who), zone, change(what));
    expect(decision.allow ? decision.rule!.index : decision.reason).toBe(expected);
  });

  test("PTRs of the operator are not in the way: the address says whose they are", () => {
    const arpa = { apex: Name.parse("arpa"), nameServers: [], hasStatic: () => true };
    const ptr = change("10.2.0.192.in-addr.arpa PTR -other +node1");
    expect(decideUpdate(rules(lan), requester("over tcp"), arpa, ptr).allow).toBe(true);
  });
});

describe("names that only a rule that lists them grants", () => {
  const guarded = [
    "@",
    "ns1",
    "NS1",
    "ns2.dc",
    "dc", // above a name server
    "wpad",
    "WPAD",
    "wpad.sub",
    "isatap",
    "isatap.sub",
    String.raw`\*`,
    String.raw`\*.sub`,
    String.raw`a.\*.sub`, // would make *.sub exist
    "_msdcs",
    "_MSDCS",
    "dc._msdcs",
    "_ldap._tcp.dc._msdcs",
    "_msdcs.child",
  ];
  const free = [
    "wpad2",
    "a.wpad",
    "xns1",
    "a.ns1",
    "msdcs",
    "_ldap._tcp",
    "sub",
    "ns.elsewhere.example",
    "a*",
  ];
  const everything: RuleText[] = [
    { key: "k" },
    { key: "k", names: ["*"] },
    { key: "k", names: ["*.smb.example"] },
  ];

  test.each(guarded)("%s by no pattern for hosts, and by its own name", (owner) => {
    for (const rule of everything)
      expect(decide([rule], "key k", `${owner} A +192.0.2.1`)).toBeTypeOf("string");
    expect(decide([...everything, { key: "k", names: [owner] }], "key k", `${owner} A +192.0.2.1`)).toBe(4);
  });

  test.each(free)("%s is as free as any other", (owner) => {
    expect(decide([{ key: "k" }], "key k", `${owner} A +192.0.2.1`)).toBe(1);
  });

  test.each([
    ["@", "apex"],
    ["ns1", "server"],
    ["dc", "server"],
    ["wpad.sub", "wpad"],
    ["isatap", "isatap"],
    [String.raw`a.\*`, "wildcard"],
    ["_kerberos._udp.dc._msdcs", "_msdcs"],
    ["node1", undefined],
  ])("%s is guarded as %s", (owner, guard) => {
    expect(guardOf(change(`${owner} A`).name, POLICY_ZONE)).toBe(guard);
  });

  test("what is below _msdcs is granted by a pattern that names it, what else is guarded there is not", () => {
    const rule = { key: "k", names: ["_msdcs", "*._msdcs"] };
    expect(decide([rule], "key k", "_msdcs NS +ns1")).toBe(1);
    expect(decide([rule], "key k", "_ldap._tcp.dc._msdcs SRV +0,0,389,dc1")).toBe(1);
    expect(
      decide([{ key: "k", names: ["*.dc._msdcs"] }], "key k", "_ldap._tcp.dc._msdcs SRV +0,0,389,dc1"),
    ).toBe(1);
    expect(decide([{ key: "k", names: ["*.dc._msdcs"] }], "key k", "gc._msdcs A +192.0.2.1")).toBeTypeOf(
      "string",
    );
    expect(decide([rule], "key k", String.raw`\*._msdcs A +192.0.2.1`)).toBeTypeOf("string");
    expect(decide([rule], "key k", "wpad._msdcs A +192.0.2.1")).toBeTypeOf("string");
  });

  test("a zone _msdcs.smb.example holds them without further ado, but for its apex", () => {
    const zone = { apex: Name.parse("_msdcs.smb.example"), nameServers: [] };
    expect(guardOf(Name.parse("_ldap._tcp.dc._msdcs.smb.example"), zone)).toBeUndefined();
    expect(guardOf(zone.apex, zone)).toBe("apex");
  });

  test("a prohibition needs no such listing, and self does not go around it", () => {
    const list = rules({ key: "wpad.smb.example", scope: "self" });
    const decision = decideUpdate(
      list,
      requester("key wpad.smb.example"),
      POLICY_ZONE,
      change("wpad A +192.0.2.1"),
    );
    expect(decision.reason).toBe("rule 1 does not list wpad.smb.example among its names, as wpad must be");
    const forbidding = [
      { names: ["*"], allow: false },
      { key: "k", names: ["wpad"] },
    ];
    expect(decide(forbidding, "key k", "wpad A +192.0.2.1")).toBe("rule 1 denies A at wpad.smb.example");
  });
});

describe("a cluster name object and its names (several addresses, several nodes)", () => {
  const list: RuleText[] = [
    { principal: "CLUSTER1$@SMB.EXAMPLE", names: ["cluster1", "files", "sql"], types: ["A", "AAAA"] },
    { key: "cluster2.smb.example", names: ["cluster2", "home"], types: ["A", "AAAA"] },
    { principal: "*$@SMB.EXAMPLE", scope: "self" },
  ];
  test.each([
    ["principal CLUSTER1$@SMB.EXAMPLE", "files A +192.0.2.21 +192.0.2.22", 1],
    ["principal CLUSTER1$@SMB.EXAMPLE", "files A -192.0.2.21 -192.0.2.22 +198.51.100.21", 1],
    ["principal CLUSTER1$@SMB.EXAMPLE", "cluster1 AAAA +2001:db8::21", 1],
    ["principal CLUSTER1$@SMB.EXAMPLE", "cluster1 TXT +x", 3],
    ["key cluster2.smb.example", "home A +192.0.2.31 +192.0.2.32", 2],
    ["principal NODE1$@SMB.EXAMPLE", "node1 A +192.0.2.1", 3],
  ])("%s: %s by rule %i", (who, what, rule) => {
    expect(decide(list, who, what)).toBe(rule);
  });

  test.each([
    ["principal CLUSTER1$@SMB.EXAMPLE", "node1 A +192.0.2.1"],
    ["principal CLUSTER1$@SMB.EXAMPLE", "home A +192.0.2.1"],
    ["principal NODE1$@SMB.EXAMPLE", "files A +192.0.2.1"],
    ["key cluster2.smb.example", "files A +192.0.2.1"],
    ["key cluster2.smb.example", "home SRV +0,0,445,node1"],
    ["from 192.0.2.1 over tcp", "files A +192.0.2.1"],
  ])("%s: not %s", (who, what) => {
    expect(decide(list, who, what)).toBeTypeOf("string");
  });
});

describe("how a decision is explained", () => {
  const list = rules(
    { names: ["old"], allow: false },
    { key: "dhcp.smb.example", net: "10.0.0.0/8" },
    { principal: "*$@SMB.EXAMPLE" },
    { net: "198.51.100.0/24" },
    { scope: "self" },
    { net: "192.0.2.0/24", scope: "source" },
    { net: "192.0.2.0/24", names: ["*.hosts"], udp: true },
    { net: "192.0.2.0/24", types: ["TXT", "SRV"], udp: true },
    { net: "192.0.2.0/24", names: ["node1"], types: ["A"], udp: true },
    { net: "192.0.2.0/24", udp: true },
  );
  test("every rule up to the one that decides, with what it failed on", () => {
    const { decision, considered } = explainUpdate(
      list,
      requester("over udp"),
      POLICY_ZONE,
      change("node1 A +192.0.2.1"),
    );
    expect(decision).toMatchObject({ allow: true, rule: { index: 9 } });
    expect(considered.map(({ rule, miss }) => `${rule.index} ${miss}`)).toEqual([
      "1 does not cover node1.smb.example",
      "2 is for key dhcp.smb.example",
      "3 is for principal *$@SMB.EXAMPLE",
      "4 is for 198.51.100.0/24",
      "5 is for keys",
      "6 takes updates over TCP only",
      "7 does not cover node1.smb.example",
      "8 covers TXT, SRV only",
      "9 undefined",
    ]);
  });

  test("where none decides, all of them", () => {
    const { decision, considered } = explainUpdate(
      list,
      requester("over tcp"),
      POLICY_ZONE,
      change("wpad A +192.0.2.1"),
    );
    expect(decision.rule).toBeUndefined();
    expect(considered).toHaveLength(list.length);
    expect(considered.at(-1)!.miss).toBe("does not list wpad.smb.example among its names, as wpad must be");
    expect(considered.every(({ miss }) => miss !== undefined)).toBe(true);
  });
});
