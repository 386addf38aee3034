/** Reverse records that follow addresses: what comes, what goes, and what is left as it is. */
import { describe, expect, test } from "vitest";
import type { Name } from "../../../src/wire/name.ts";
import { rdataToText } from "../../../src/wire/rdata/rdata.ts";
import { soaSerial } from "../../../src/wire/rdata/soa.ts";
import { typeToText } from "../../../src/wire/iana/type.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import type { ChangeOrigin } from "../../../src/zone/changeset.ts";
import { pointerChangesets } from "../../../src/zone/pointers.ts";
import { rr } from "../../support/rr.ts";
import { ZoneFake } from "../../support/zone-fake.ts";

const origin: ChangeOrigin = { actor: { kind: "operator", name: "test" }, at: 0, cause: "ptr" };
const V4 = "2.0.192.in-addr.arpa.";
const V6 = "8.b.d.0.1.0.0.2.ip6.arpa.";
const SIX = `1.${"0.".repeat(23)}${V6}`;

function zone(apex: string, lines: readonly string[]): ZoneFake {
  const soa = `${apex} 60 SOA ns1 hostmaster 7 900 300 86400 30`;
  return new ZoneFake([soa, `${apex} 60 NS ns1`, ...lines].map(rr));
}

function text({ name, ttl, type, rdata }: ResourceRecord): string {
  return `${name.toString()} ${ttl} ${typeToText(type)} ${rdataToText(type, rdata)}`;
}

/** Changes of both reverse zones, `- ` or `+ ` and the record; the zones' serials afterwards. */
function follow(
  lines: { readonly v4?: readonly string[]; readonly v6?: readonly string[] },
  gone: readonly string[],
  held: readonly string[],
): { diff: string[]; serials: string[] } {
  const zones = [zone(V4, lines.v4 ?? []), zone(V6, lines.v6 ?? [])];
  const reverseZone = (name: Name): ZoneFake | undefined => zones.find(({ apex }) => name.isWithin(apex));
  const changesets = pointerChangesets({ gone: gone.map(rr), held: held.map(rr) }, reverseZone, origin);
  // They fit the zones they are for, whatever is in them.
  for (const changeset of changesets)
    zones.find(({ apex }) => apex.equals(changeset.zone))!.publish([changeset]);
  return {
    diff: changesets.flatMap(({ removed, added }) => [
      ...removed.map((one) => `- ${text(one)}`),
      ...added.map((one) => `+ ${text(one)}`),
    ]),
    serials: changesets.map(({ zone: { key }, soaAfter }) => `${key.length} ${soaSerial(soaAfter.rdata)}`),
  };
}

describe("addresses that come", () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ["get a PTR with their TTL", [], ["Node1 1200 A 192.0.2.1"], [`+ 1.${V4} 1200 PTR Node1.smb.example.`]],
    ["of a subnet without a reverse zone here: nothing", [], ["node1 60 A 198.51.100.1"], []],
    ["whose PTR is there: nothing", [`1.${V4} 60 PTR NODE1`], ["node1 1200 A 192.0.2.1"], []],
    [
      "whose reverse name somebody else has: it stays",
      [`1.${V4} 60 PTR other`],
      ["node1 60 A 192.0.2.1"],
      [],
    ],
    [
      "of two names: the first has it",
      [],
      ["a 60 A 192.0.2.1", "b 60 A 192.0.2.1"],
      [`+ 1.${V4} 60 PTR a.smb.example.`],
    ],
    ["of a wildcard: nothing", [], ["* 60 A 192.0.2.1"], []],
    [
      "where the reverse name is an alias (RFC 2317)",
      [`1.${V4} 60 CNAME 1.0/25.${V4}`],
      ["a 60 A 192.0.2.1"],
      [],
    ],
    [
      "where the reverse name has records of other types",
      [`1.${V4} 60 TXT x`],
      ["a 60 A 192.0.2.1"],
      [`+ 1.${V4} 60 PTR a.smb.example.`],
    ],
    ["where the reverse name is delegated", [`1.${V4} 60 NS ns9.example.`], ["a 60 A 192.0.2.1"], []],
    ["where a DNAME covers the reverse name", [`${V4} 60 DNAME x.example.`], ["a 60 A 192.0.2.1"], []],
  ])("%s", (_, lines, held, diff) => {
    expect(follow({ v4: lines }, [], held).diff).toEqual(diff);
  });

  test("in IPv6, where a delegation half way up leads elsewhere", () => {
    const held = ["node1 60 AAAA 2001:db8::1"];
    expect(follow({}, [], held).diff).toEqual([`+ ${SIX} 60 PTR node1.smb.example.`]);
    const cut = `${"0.".repeat(5)}${V6} 60 NS ns9.example.`;
    expect(follow({ v6: [cut] }, [], held).diff).toEqual([]);
  });
});

describe("addresses that go", () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    [
      "take their PTR along",
      [`1.${V4} 90 PTR NODE1`],
      ["node1 60 A 192.0.2.1"],
      [`- 1.${V4} 90 PTR NODE1.smb.example.`],
    ],
    ["and leave one to another name", [`1.${V4} 60 PTR other`], ["node1 60 A 192.0.2.1"], []],
    [
      "of several take only theirs",
      [`1.${V4} 60 PTR other`, `1.${V4} 60 PTR node1`],
      ["node1 60 A 192.0.2.1"],
      [`- 1.${V4} 60 PTR node1.smb.example.`],
    ],
    ["without one: nothing", [], ["node1 60 A 192.0.2.1"], []],
  ])("%s", (_, lines, gone, diff) => {
    expect(follow({ v4: lines }, gone, []).diff).toEqual(diff);
  });
});

test("an address that goes from one name to another in one update takes its PTR over", () => {
  const { diff } = follow({ v4: [`1.${V4} 60 PTR a`] }, ["a 60 A 192.0.2.1"], ["b 30 A 192.0.2.1"]);
  expect(diff).toEqual([`- 1.${V4} 60 PTR a.smb.example.`, `+ 1.${V4} 30 PTR b.smb.example.`]);
});

test("one changeset for each zone, with its next serial; none for a zone that stays as it is", () => {
  const held = ["a 60 A 192.0.2.1", "a 60 A 192.0.2.2", "a 60 AAAA 2001:db8::1"];
  expect(follow({}, [], held).serials).toEqual([`${V4.length + 1} 8`, `${V6.length + 1} 8`]);
  expect(follow({ v4: [`1.${V4} 60 PTR a`, `2.${V4} 60 PTR a`] }, [], held).serials).toEqual([
    `${V6.length + 1} 8`,
  ]);
});
