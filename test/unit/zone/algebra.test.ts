import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { record } from "../../../src/wire/record.ts";
import { changesetSize, condense, diffRecords, recordKey } from "../../../src/zone/algebra.ts";
import { aRecord, recordsToLines, soaRecord, ZoneModel } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
const a = (owner: string, address: string, ttl?: number) => aRecord(apex, owner, address, ttl);
const ptr = (owner: string, target: string) =>
  record(Name.parse(owner, apex), RrType.PTR, 300, Name.parse(target).wire);

describe("recordKey", () => {
  test.each([
    ["owner case", a("Host", "192.0.2.1"), a("hOST", "192.0.2.1")],
    ["case of a name in RDATA", ptr("p", "Host.example."), ptr("p", "host.EXAMPLE.")],
    ["TTL", a("h", "192.0.2.1", 1), a("h", "192.0.2.1", 2)],
  ])("RFC 2136 §1.1.1: %s does not count", (_, one, other) => {
    expect(recordKey(one)).toBe(recordKey(other));
  });

  test.each([
    ["owner", a("h", "192.0.2.1"), a("i", "192.0.2.1")],
    ["RDATA", a("h", "192.0.2.1"), a("h", "192.0.2.2")],
    ["type", a("h", "192.0.2.1"), { ...a("h", "192.0.2.1"), type: RrType.TXT }],
  ])("%s counts", (_, one, other) => {
    expect(recordKey(one)).not.toBe(recordKey(other));
  });
});

describe("diffRecords", () => {
  test("tells what went and what came, and leaves out SOAs", () => {
    const difference = diffRecords(
      [soaRecord(apex, 1), a("stays", "192.0.2.1"), a("goes", "192.0.2.2")],
      [soaRecord(apex, 9), a("stays", "192.0.2.1"), a("comes", "192.0.2.3")],
    );
    expect(recordsToLines(difference.removed)).toEqual(["goes.smb.example. 300 A 192.0.2.2"]);
    expect(recordsToLines(difference.added)).toEqual(["comes.smb.example. 300 A 192.0.2.3"]);
  });

  test.each([
    ["TTL", a("h", "192.0.2.1", 300), a("h", "192.0.2.1", 60)],
    ["the owner's case", a("h", "192.0.2.1"), a("H", "192.0.2.1")],
    ["the case of RDATA", ptr("p", "h.example."), ptr("p", "H.example.")],
  ])("a change of %s is a removal and an addition", (_, before, after) => {
    expect(diffRecords([before], [after])).toEqual({ removed: [before], added: [after] });
  });

  test("RFC 2181 §5: of equal records on one side the first counts", () => {
    const before = [ptr("p", "h.example."), ptr("p", "H.example.")];
    expect(diffRecords(before, [...before])).toEqual({ removed: [], added: [] });
    expect(diffRecords([], before)).toEqual({ removed: [], added: [before[0]] });
    expect(diffRecords(before, [])).toEqual({ removed: [before[0]], added: [] });
  });
});

describe("condense", () => {
  const zone = new ZoneModel(soaRecord(apex, 1), [a("h", "192.0.2.1", 300)]);
  const chainOf = (...steps: [ReturnType<typeof a>[], ReturnType<typeof a>[]][]) => {
    const model = zone.clone();
    return steps.map(([removed, added]) => {
      const changeset = model.change(removed, added);
      model.apply(changeset);
      return changeset;
    });
  };
  const old = a("h", "192.0.2.1", 300);
  const fresh = a("h", "192.0.2.1", 60);
  const other = a("i", "192.0.2.2");

  test("what was added and removed again does not appear", () => {
    expect(condense(chainOf([[], [other]], [[other], []]))).toMatchObject({ removed: [], added: [] });
  });

  test("what was removed and came back the same does not appear", () => {
    expect(condense(chainOf([[old], []], [[], [old]]))).toMatchObject({ removed: [], added: [] });
  });

  test("what came back with another TTL appears as both", () => {
    expect(condense(chainOf([[old], []], [[], [fresh]]))).toMatchObject({ removed: [old], added: [fresh] });
  });

  test("a TTL changed and changed back does not appear", () => {
    expect(condense(chainOf([[old], [fresh]], [[fresh], [old]]))).toMatchObject({ removed: [], added: [] });
  });

  test("a TTL changed before the record went is removed as it was at first", () => {
    expect(condense(chainOf([[old], [fresh]], [[fresh], []]))).toMatchObject({ removed: [old], added: [] });
  });

  test("takes the SOAs of both ends", () => {
    const { soaBefore, soaAfter } = condense(chainOf([[], [other]], [[other], []]));
    expect([soaBefore, soaAfter]).toEqual([soaRecord(apex, 1), soaRecord(apex, 3)]);
  });

  test("of nothing is a mistake", () => {
    expect(() => condense([])).toThrow(RangeError);
  });
});

test("changesetSize counts the octets of all records in uncompressed wire form", () => {
  const changeset = new ZoneModel(soaRecord(apex, 1)).change([a("h", "192.0.2.1")], [a("hh", "192.0.2.2")]);
  const soa = 13 + 10 + changeset.soaBefore.rdata.length;
  expect(changesetSize(changeset)).toBe(2 * soa + (15 + 10 + 4) + (16 + 10 + 4));
});
