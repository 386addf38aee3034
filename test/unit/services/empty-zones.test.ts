/** Which automatic zones are there, beside which zones and forwards of the operator's. */
import { expect, test } from "vitest";
import { EmptyZones } from "../../../src/services/empty-zones.ts";
import { checkZone } from "../../../src/zone/check.ts";
import { Name } from "../../../src/wire/name.ts";
import { Epochs } from "../../../src/zone/image/epochs.ts";
import { emptyZoneRecords, LOCALLY_SERVED } from "../../../src/zone/locally-served.ts";
import { NOT_FOUND } from "../../../src/zone/image/reader.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { ZoneSet } from "../../../src/zone/zone-set.ts";
import { SEED } from "../../support/zones.ts";

const names = (...texts: string[]): Name[] => texts.map((text) => Name.parse(text));

function served(
  plan: readonly string[],
  zones: readonly string[],
  forwarded: readonly string[] = [],
): string[] {
  const empty = new EmptyZones(SEED, new Epochs());
  empty.plan(names(...plan));
  empty.renew(names(...zones), names(...forwarded));
  return empty.all.map(({ apex }) => apex.toString()).toSorted();
}

test.each<[what: string, plan: string[], zones: string[], forwarded: string[], served: string[]]>([
  [
    "nothing in the way",
    ["10.in-addr.arpa.", "local."],
    ["smb.example."],
    [],
    ["10.in-addr.arpa.", "local."],
  ],
  ["a zone of the same name", ["10.in-addr.arpa.", "local."], ["LOCAL."], [], ["10.in-addr.arpa."]],
  ["a zone around", ["16.172.in-addr.arpa."], ["172.in-addr.arpa."], [], []],
  ["the root as a zone", ["10.in-addr.arpa.", "local."], ["."], [], []],
  ["a zone within", ["local."], ["corp.local."], [], ["local."]],
  ["a forward of the same name", ["10.in-addr.arpa."], [], ["10.in-addr.arpa."], []],
  ["a forward around", ["16.172.in-addr.arpa."], [], ["in-addr.arpa."], []],
  ["a forward within", ["local."], [], ["corp.local."], ["local."]],
  ["a forward for everything", ["10.in-addr.arpa.", "local."], [], ["."], ["10.in-addr.arpa.", "local."]],
  ["twice in the plan", ["lan.", "LAN."], [], [], ["lan."]],
])("%s", (_what, plan, zones, forwarded, expected) => {
  expect(served(plan, zones, forwarded)).toEqual(expected);
});

test("what is answered otherwise below one is a delegation in it, the topmost of each (RFC 8020)", () => {
  const empty = new EmptyZones(SEED, new Epochs());
  empty.plan(names(".", "10.in-addr.arpa.", "local."));
  empty.renew(names("smb.example.", "sub.smb.example.", "corp.local."), names("lab.corp.local.", "org."));
  const delegated = empty.all.map((zone) => {
    const image = new ZoneSet(SEED, [zone]);
    const at = (text: string): boolean => {
      const name = Name.parse(text);
      const scratch = image.newScratch();
      scratch.load(name.wire, 0, name.wire.length);
      const node = zone.reader.find(scratch, 0);
      return node !== NOT_FOUND && zone.reader.findRrset(node, RrType.NS) !== NOT_FOUND;
    };
    const below = [
      "smb.example.",
      "sub.smb.example.",
      "org.",
      "local.",
      "10.in-addr.arpa.",
      "corp.local.",
      "lab.corp.local.",
    ];
    return [zone.apex.toString(), ...below.filter((name) => !zone.apex.equals(Name.parse(name)) && at(name))];
  });
  expect(delegated).toEqual([
    [".", "smb.example.", "org.", "local.", "10.in-addr.arpa."],
    ["10.in-addr.arpa."],
    ["local.", "corp.local."],
  ]);
});

test("images stay while nothing about them changes", () => {
  const empty = new EmptyZones(SEED, new Epochs());
  empty.plan(names("local.", "lan."));
  empty.renew([], []);
  const [local, lan] = empty.all;
  empty.renew(names("smb.example."), []);
  expect(empty.all).toEqual([local, lan]);
  expect(empty.all[0]).toBe(local);
  empty.renew(names("corp.local."), []);
  expect(empty.all[0]).not.toBe(local);
  expect(empty.all[1]).toBe(lan);
  expect([empty.has(Name.parse("LAN.")), empty.has(Name.parse("corp.local."))]).toEqual([true, false]);
});

test("each is a zone without mistakes", () => {
  for (const apex of LOCALLY_SERVED) {
    const below = [apex.child("x"), apex.child("y").child("z")];
    const errors = checkZone(apex, emptyZoneRecords(apex, below)).filter(
      ({ severity }) => severity === "error",
    );
    // A delegation to itself has no address: nobody ever sees it, for what it delegates is served.
    expect(errors.filter(({ code }) => code !== "ZONE_NS_NO_GLUE" && code !== "ZONE_NS_NO_ADDRESS")).toEqual(
      [],
    );
  }
  expect(LOCALLY_SERVED.length).toBe(new Set(LOCALLY_SERVED.map(({ key }) => key)).size);
});
