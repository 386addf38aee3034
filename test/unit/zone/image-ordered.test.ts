/** Building an image from records in canonical order: zones of some size, and records that are not in order. */
import { describe, expect, test } from "vitest";
import { ObjectCursor } from "../../../src/wire/cursor.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import { record } from "../../../src/wire/record.ts";
import { ImageError, ZoneImage } from "../../../src/zone/image/image.ts";
import { aRecord, soaRecord, ZoneModel } from "../../support/model.ts";
import { SEED } from "../../support/zones.ts";

const APEX = Name.parse("smb.example.");
const SOA = soaRecord(APEX, 1);
const a = (owner: string, address = "192.0.2.1"): ResourceRecord => aRecord(APEX, owner, address);

/** Builds at one go, and tells in how many steps. */
function build(records: Iterable<ResourceRecord>, soa = SOA): { image: ZoneImage; steps: number } {
  const building = ZoneImage.buildInSteps(APEX, soa, new ObjectCursor(records), SEED);
  for (let steps = 1; ; steps++) {
    const step = building.next();
    if (step.done === true) return { image: step.value, steps };
  }
}

describe("a zone in order", () => {
  test("of many names is built in steps, and each name is found and can be changed", () => {
    const hosts = Array.from({ length: 70_000 }, (_, i) =>
      a(`h${String(i).padStart(5, "0")}.rack${i % 2}`, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
    ).toSorted((x, y) => x.name.compare(y.name));
    const { image, steps } = build(hosts);
    expect(steps).toBeGreaterThan(10);
    expect(image.nodeCount).toBe(70_000 + 3);
    expect(image.recordCount).toBe(70_001);
    expect(hosts.filter(({ name }) => image.rrset(name, RrType.A) === undefined)).toEqual([]);

    const model = new ZoneModel(SOA, hosts.slice(0, 1));
    const change = model.change([hosts[0]!], [a("new.rack0")]);
    image.publish([change]);
    expect(image.rrset(hosts[0]!.name, RrType.A)).toBeUndefined();
    expect(image.rrset(Name.parse("new.rack0", APEX), RrType.A)?.rdatas).toHaveLength(1);
    expect(image.nodeCount).toBe(70_000 + 3);
  });

  test("of nothing but its SOA has one node", () => {
    const { image } = build([]);
    expect(image.nodeCount).toBe(1);
    expect(image.soa).toEqual(SOA);
  });

  test("holds an RRset of hundreds of kilobytes", () => {
    const texts = Array.from({ length: 5000 }, (_, i) =>
      record(Name.parse("big", APEX), RrType.TXT, 60, Uint8Array.of(102, ...new Uint8Array(100), i >> 8, i)),
    );
    const { image } = build([a("after"), ...texts, a("c.big")].toSorted((x, y) => x.name.compare(y.name)));
    expect(image.rrset(Name.parse("big", APEX), RrType.TXT)?.rdatas).toEqual(texts.map(({ rdata }) => rdata));
    expect(image.rrset(Name.parse("c.big", APEX), RrType.A)?.rdatas).toHaveLength(1);
  });

  test("takes the letter case of an owner's first record", () => {
    const { image } = build([a("Host"), a("HOST", "192.0.2.2"), a("x.hOSt")]);
    const host = Name.parse("host", APEX);
    expect(image.storedName(host).toString()).toBe("Host.smb.example.");
    expect(image.rrset(host, RrType.A)?.rdatas).toHaveLength(2);
    expect(image.nodeCount).toBe(3);
  });
});

describe("what is not in order is refused", () => {
  const txt = record(Name.parse("b", APEX), RrType.TXT, 60, Uint8Array.of(0));
  test.each<[string, ResourceRecord[]]>([
    ["siblings", [a("b"), a("a")]],
    ["a longer label before its beginning", [a("ab"), a("a")]],
    ["a child before its parent", [a("a.b"), a("b")]],
    ["an owner that comes again", [a("b"), a("c"), a("b", "192.0.2.2")]],
    ["types", [txt, a("b")]],
    ["a type that comes again", [a("b"), txt, a("b", "192.0.2.2")]],
    ["a second SOA", [SOA]],
    ["a second SOA elsewhere", [a("b"), record(Name.parse("b", APEX), RrType.SOA, 60, SOA.rdata)]],
    ["a name above the zone", [record(Name.parse("example."), RrType.A, 60, Uint8Array.of(1, 2, 3, 4))]],
    [
      "a name beside the zone",
      [record(Name.parse("a.smc.example."), RrType.A, 60, Uint8Array.of(1, 2, 3, 4))],
    ],
  ])("%s", (_what, records) => {
    expect(() => build(records)).toThrow(ImageError);
  });

  test("an SOA of another zone, and what is none", () => {
    expect(() => build([], soaRecord(Name.parse("a.smb.example."), 1))).toThrow(ImageError);
    expect(() => build([], a("@"))).toThrow(ImageError);
  });
});
