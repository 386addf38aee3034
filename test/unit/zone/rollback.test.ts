import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { record } from "../../../src/wire/record.ts";
import { planRollback } from "../../../src/zone/rollback.ts";
import { aRecord, soaRecord, ZoneModel } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
const a = (owner: string, address: string, ttl?: number) => aRecord(apex, owner, address, ttl);

describe("planRollback", () => {
  test("without changes plans nothing", () => {
    const zone = new ZoneModel(soaRecord(apex, 1));
    expect(planRollback([], zone.view())).toEqual({ removed: [], added: [], soa: undefined });
  });

  test("of an owner leaves all others alone, those below it too", () => {
    const before = new ZoneModel(soaRecord(apex, 1), [a("host", "192.0.2.1"), a("below.host", "192.0.2.2")]);
    const changeset = before.change(
      [...before.records.values()],
      [a("host", "192.0.2.9"), a("other", "192.0.2.3")],
    );
    const plan = planRollback([changeset], before.clone().apply(changeset).view(), Name.parse("HOST", apex));
    expect(plan).toEqual({
      removed: [a("host", "192.0.2.9")],
      added: [a("host", "192.0.2.1")],
      soa: undefined,
    });
  });

  test("skips what no longer applies to the view", () => {
    const zone = new ZoneModel(soaRecord(apex, 1), [a("back", "192.0.2.1")]);
    const changeset = zone.change([a("back", "192.0.2.1")], [a("gone", "192.0.2.2")]);
    // The view still is the state before: the record to come back is there, the one to go is not.
    expect(planRollback([changeset], zone.view())).toEqual({ removed: [], added: [], soa: undefined });
  });

  test("never adds a record that is there in another letter case", () => {
    const ptr = (target: string) => record(Name.parse("p", apex), RrType.PTR, 300, Name.parse(target).wire);
    const zone = new ZoneModel(soaRecord(apex, 1), [ptr("host.example.")]);
    const changeset = zone.change([ptr("host.example.")], []);
    const now = new ZoneModel(soaRecord(apex, 2), [ptr("HOST.example.")]);
    const plan = planRollback([changeset], now.view());
    expect(plan).toMatchObject({ removed: [ptr("HOST.example.")], added: [ptr("host.example.")] });
  });

  test("RFC 2181 §5.2: what comes back takes the TTL of the records that stay", () => {
    const zone = new ZoneModel(soaRecord(apex, 1), [a("host", "192.0.2.1", 600)]);
    const changeset = zone.change([a("host", "192.0.2.1", 600)], []);
    const now = new ZoneModel(soaRecord(apex, 2), [a("host", "192.0.2.7", 60)]);
    expect(planRollback([changeset], now.view()).added).toEqual([a("host", "192.0.2.1", 60)]);
  });

  test("restores a TTL that was changed", () => {
    const zone = new ZoneModel(soaRecord(apex, 1), [a("host", "192.0.2.1", 600)]);
    const changeset = zone.change([a("host", "192.0.2.1", 600)], [a("host", "192.0.2.1", 60)]);
    const plan = planRollback([changeset], zone.clone().apply(changeset).view());
    expect(plan).toMatchObject({
      removed: [a("host", "192.0.2.1", 60)],
      added: [a("host", "192.0.2.1", 600)],
    });
  });

  describe("of the SOA", () => {
    const zone = new ZoneModel(soaRecord(apex, 1, 3600));
    const changeset = zone.change([], [], soaRecord(apex, 1, 7200));
    const now = zone.clone().apply(changeset);

    test.each([
      ["a whole zone", undefined],
      ["the apex", apex],
    ])("of %s brings its fields back, with the present serial", (_, owner) => {
      expect(planRollback([changeset], now.view(), owner).soa).toEqual(soaRecord(apex, 2, 3600));
    });

    test("is not part of another owner's", () => {
      expect(planRollback([changeset], now.view(), Name.parse("host", apex)).soa).toBeUndefined();
    });
  });
});
