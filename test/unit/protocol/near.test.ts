/** Answers by place: whose addresses come first, and that nothing else changes. */
import { describe, expect, test } from "vitest";
import { parseNetwork } from "../../../src/auth/acl.ts";
import { Client } from "../../../src/protocol/near-first.ts";
import type { NearNetwork } from "../../../src/zone/near.ts";
import { nearNetworks } from "../../../src/zone/near.ts";
import { rdataToText } from "../../../src/wire/rdata/rdata.ts";
import { ZoneSet } from "../../../src/zone/zone-set.ts";
import { imageOf, SEED, Served } from "../../support/zones.ts";
import type { AskOptions } from "../../support/zones.ts";

const ZONE = `$TTL 60
@    SOA ns h 1 900 300 86400 60
     NS ns
     MX 10 cap
ns   A 192.0.2.53
cap  A 10.1.1.1
     A 10.1.2.1
     A 10.2.1.1
     A 10.9.9.9
     A 192.0.2.7
     AAAA 2001:db8:1:1::1
     AAAA 2001:db8:1:2::1
     AAAA 2001:db8:2:1::1
files CNAME cap
*.any A 10.1.1.1
*.any A 10.2.1.1
two  A 10.1.1.1
     A 10.2.1.1
txt  TXT "sixteen octets.."
     TXT "another sixteen."
_smb._tcp SRV 0 0 445 cap
sub  NS ns.sub
ns.sub A 10.1.1.53
ns.sub A 10.2.1.53
`;

/** Networks as the configuration has them; a number is the prefix length of the client's own. */
function near(...entries: readonly (string | number)[]): ReturnType<typeof nearNetworks> {
  const family = (words: number): NearNetwork[] =>
    entries.flatMap((entry): NearNetwork[] => {
      if (typeof entry === "number") return [{ base: undefined, length: entry }];
      const { base, length } = parseNetwork(entry)!;
      return base.length === words ? [{ base, length }] : [];
    });
  return nearNetworks(family(1), family(4));
}

/** The answer's records in their order. */
function addresses(served: Served, question: string, options: AskOptions): string[] {
  return served.ask(question, options).answers.map(({ type, rdata }) => rdataToText(type, rdata));
}

const image = imageOf("example.", ZONE);
const serve = (...entries: readonly (string | number)[]): Served =>
  new Served([image], "test", near(...entries));
/** Every order of a name's addresses seen in many answers, each cut after `count`, sorted. */
function heads(served: Served, question: string, client: string, count: number): string[] {
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) seen.add(addresses(served, question, { client }).slice(0, count).join(" "));
  return [...seen].toSorted();
}

describe("what comes first", () => {
  const site = ["10.1.0.0/16", "10.2.0.0/16"];
  test.each([
    ["the one of the client's site", site, "10.2.7.7", 1, ["10.2.1.1"]],
    [
      "the two of the client's site, in turns",
      site,
      "10.1.7.7",
      2,
      ["10.1.1.1 10.1.2.1", "10.1.2.1 10.1.1.1"],
    ],
    ["the client's own subnet", [24], "10.1.2.99", 1, ["10.1.2.1"]],
    ["the subnet before the site", [24, ...site], "10.1.2.99", 2, ["10.1.2.1 10.1.1.1"]],
    [
      "the narrower network before the wider",
      ["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24"],
      "10.1.1.9",
      2,
      ["10.1.1.1 10.1.2.1"],
    ],
    ["one host for itself", [32], "10.9.9.9", 1, ["10.9.9.9"]],
    ["an IPv4-mapped client counts as IPv4", site, "::ffff:10.2.7.7", 1, ["10.2.1.1"]],
  ])("%s", (_, entries, client, count, expected) => {
    expect(heads(serve(...entries), "cap.example. A", client, count)).toEqual(expected);
  });

  test("a wider subnet, where it is set", () => {
    const found = heads(serve(8), "cap.example. A", "10.77.0.1", 4);
    expect(found.every((order) => order.split(" ").every((each) => each.startsWith("10.")))).toBe(true);
  });

  test.each([
    [[64], "2001:db8:1:2::99", 1, ["2001:db8:1:2::1"]],
    [["2001:db8:2::/48"], "2001:db8:2:9::1", 1, ["2001:db8:2:1::1"]],
    [["2001:db8:1::/48", 64], "2001:db8:1:1::9", 2, ["2001:db8:1:1::1 2001:db8:1:2::1"]],
  ])("IPv6: %j for %s", (entries, client, count, expected) => {
    expect(heads(serve(...entries), "cap.example. AAAA", client, count)).toEqual(expected);
  });

  test.each([
    ["a client outside all networks", ["10.1.0.0/16"], "10.3.0.1", "cap.example. A", 5],
    ["a client whose subnet holds none", [24], "203.0.113.1", "cap.example. A", 5],
    ["a client of the other family", ["10.1.0.0/16", 24], "2001:db8::1", "cap.example. A", 5],
    ["an IPv4 client that asks for AAAA", ["2001:db8:1::/48", 24], "10.1.1.1", "cap.example. AAAA", 3],
    ["records that are no addresses", [8], "115.105.120.116", "txt.example. TXT", 2],
    ["a client that is not known", [24], "", "cap.example. A", 5],
  ])("%s: all take turns", (_, entries, client, question, count) => {
    expect(heads(serve(...entries), question, client, 1)).toHaveLength(count);
  });

  test("of those equally near each comes first about as often", () => {
    const served = serve("10.1.0.0/16");
    const counts = new Map<string, number>();
    for (let i = 0; i < 1000; i++) {
      const order = addresses(served, "cap.example. A", { client: "10.1.7.7" });
      for (const each of [order[0]!, order[2]!]) counts.set(each, (counts.get(each) ?? 0) + 1);
    }
    expect([counts.get("10.1.1.1")! > 400, counts.get("10.1.2.1")! > 400]).toEqual([true, true]);
    for (const other of ["10.2.1.1", "10.9.9.9", "192.0.2.7"]) expect(counts.get(other)).toBeGreaterThan(250);
  });

  test("what is not near takes turns behind what is", () => {
    const rest = heads(serve(24), "cap.example. A", "10.1.2.99", 5).map((order) => order.split(" ")[1]);
    expect(new Set(rest)).toEqual(new Set(["10.1.1.1", "10.2.1.1", "10.9.9.9", "192.0.2.7"]));
  });
});

describe("it holds", () => {
  const served = serve("10.2.0.0/16");
  const client = "10.2.3.4";
  const first = (
    question: string,
    section: "answers" | "additionals",
    name: string,
    options: AskOptions = {},
  ): string[] => {
    const seen = Array.from({ length: 30 }, () => {
      const records = served.ask(question, { client, ...options })[section];
      const owned = records.filter((rr) => rr.name.toString() === name && rr.type === 1);
      return rdataToText(1, owned[0]!.rdata);
    });
    return [...new Set(seen)];
  };

  test.each([
    ["behind an alias", "files.example. A", "answers", "cap.example."],
    ["by a wildcard", "x.any.example. A", "answers", "x.any.example."],
    ["beside an SRV record", "_smb._tcp.example. SRV", "additionals", "cap.example."],
    ["beside an MX record", "example. MX", "additionals", "cap.example."],
  ] as const)("%s", (_, question, section, name) => {
    expect(first(question, section, name)).toEqual(["10.2.1.1"]);
    expect(first(question, section, name, { tcp: true })).toEqual(["10.2.1.1"]);
  });

  test("in glue", () => {
    expect(first("www.sub.example. A", "additionals", "ns.sub.example.")).toEqual(["10.2.1.53"]);
  });

  test("for each zone by its own setting", () => {
    const ordered = { apex: image.apex, reader: image.reader, near: near("10.2.0.0/16") };
    const other = imageOf("other.", ZONE);
    const both = new Served([image, other]);
    both.answerer.zones = new ZoneSet(SEED, [ordered, { apex: other.apex, reader: other.reader }]);
    expect(heads(both, "two.example. A", client, 1)).toEqual(["10.2.1.1"]);
    expect(heads(both, "two.other. A", client, 1)).toEqual(["10.1.1.1", "10.2.1.1"]);
  });
});

test("a client's address is read from octets as from text", () => {
  const client = new Client();
  const bytes = Uint8Array.of(9, 9, 10, 1, 2, 3, 0x20, 0x01, 0x0d, 0xb8, ...new Uint8Array(11), 7);
  const mapped = Uint8Array.of(...new Uint8Array(10), 0xff, 0xff, 10, 1, 2, 3);
  const read = (): readonly number[] => {
    client.read();
    return [client.length, ...client.words.subarray(0, client.length / 4)];
  };
  client.setOctets(bytes, 2, 4);
  expect(read()).toEqual([4, 0x0a010203]);
  client.setOctets(bytes, 6, 16);
  expect(read()).toEqual([16, 0x20010db8, 0, 0, 7]);
  client.setOctets(mapped, 0, 16);
  expect(read()).toEqual([4, 0x0a010203]);
  client.setText("10.1.2.3");
  expect(read()).toEqual([4, 0x0a010203]);
  client.setText("2001:db8::7");
  expect(read()).toEqual([16, 0x20010db8, 0, 0, 7]);
  client.setText("nobody");
  expect(read()).toEqual([0]);
});
