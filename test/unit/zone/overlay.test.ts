import { describe, expect, test } from "vitest";
import { withSerial } from "../../../src/wire/rdata/soa.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import type { Changeset } from "../../../src/zone/changeset.ts";
import { ChangesetMismatch, OverlayView } from "../../../src/zone/overlay.ts";
import type { ZoneView } from "../../../src/zone/view.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { name, ORIGIN, rr } from "../../support/rr.ts";
import { dump, ZoneFake } from "../../support/zone-fake.ts";

const zone = (): ZoneFake =>
  new ZoneFake(
    [
      "@ 3600 SOA ns1 hostmaster 100 900 300 86400 30",
      "@ 3600 NS ns1",
      "ns1 3600 A 192.0.2.1",
      "Node1 60 A 192.0.2.11",
      "Node1 60 A 192.0.2.12",
    ].map(rr),
  );

function changeset(view: ZoneView, serial: number, removed: string[], added: string[]): Changeset {
  const soaAfter: ResourceRecord = { ...view.soa, rdata: withSerial(view.soa.rdata, serial) };
  return {
    zone: view.apex,
    soaBefore: view.soa,
    soaAfter,
    removed: removed.map(rr),
    added: added.map(rr),
    origin: { actor: { kind: "operator", name: "test" }, at: 0, cause: "update" },
  };
}

const names = ["@", "ns1", "node1", "node2", "nobody"].map(name);

describe("an overlay", () => {
  test("without changes is the view underneath", () => {
    const base = zone();
    const overlay = new OverlayView(base);
    expect(dump(overlay, names)).toEqual(dump(base, names));
    expect(overlay.apex).toBe(base.apex);
    expect(overlay.soa).toBe(base.soa);
    expect(overlay.recordCount).toBe(5);
    expect(overlay.storedName(name("NODE1")).toString()).toBe("Node1.smb.example.");
  });

  test("shows changesets applied one after another, and leaves the view underneath alone", () => {
    const base = zone();
    const before = dump(base, names);
    const overlay = new OverlayView(base);
    overlay.apply(changeset(overlay, 101, ["Node1 60 A 192.0.2.11"], ["NODE2 60 A 192.0.2.21"]));
    overlay.apply(changeset(overlay, 102, ["Node1 60 A 192.0.2.12"], ["NODE2 60 A 192.0.2.22"]));

    expect(overlay.rrset(name("node2"), RrType.A)?.rdatas).toHaveLength(2);
    expect(overlay.storedName(name("node2")).toString()).toBe("NODE2.smb.example.");
    expect(overlay.rrsets(name("node1"))).toEqual([]);
    expect(overlay.storedName(name("node1")).toString()).toBe("node1.smb.example.");
    expect(overlay.recordCount).toBe(5);
    expect(overlay.rrset(ORIGIN, RrType.SOA)?.rdatas).toEqual([overlay.soa.rdata]);
    expect(overlay.rrset(ORIGIN, RrType.NS)?.rdatas).toHaveLength(1);
    expect(dump(base, names)).toEqual(before);
  });

  test("gives an RRset another TTL where all of it goes and comes", () => {
    const overlay = new OverlayView(zone());
    const before = ["Node1 60 A 192.0.2.11", "Node1 60 A 192.0.2.12"];
    const after = ["Node1 90 A 192.0.2.11", "Node1 90 A 192.0.2.12"];
    overlay.apply(changeset(overlay, 101, before, after));
    expect(overlay.rrset(name("node1"), RrType.A)).toMatchObject({ ttl: 90 });
    expect(overlay.rrset(name("node1"), RrType.A)?.rdatas).toHaveLength(2);
  });

  test.each([
    ["removes what is not there", ["Node1 60 A 192.0.2.99"], []],
    ["removes with another TTL", ["Node1 61 A 192.0.2.11"], []],
    ["removes from a name that is not there", ["nobody 60 A 192.0.2.11"], []],
    ["removes the same twice", ["Node1 60 A 192.0.2.11", "Node1 60 A 192.0.2.11"], []],
    ["adds what is there", [], ["Node1 60 A 192.0.2.11"]],
    ["adds the same twice", [], ["Node2 60 A 192.0.2.11", "Node2 60 A 192.0.2.11"]],
    ["gives an RRset two TTLs", [], ["Node1 61 A 192.0.2.13"]],
  ])("refuses a changeset that %s, and stays as it was", (_, removed, added) => {
    const overlay = new OverlayView(zone());
    const before = dump(overlay, names);
    const bad = changeset(
      overlay,
      101,
      ["ns1 3600 A 192.0.2.1", ...removed],
      ["ns1 1 A 192.0.2.1", ...added],
    );
    expect(() => overlay.apply(bad)).toThrow(ChangesetMismatch);
    expect(dump(overlay, names)).toEqual(before);
    expect(overlay.recordCount).toBe(5);
    expect(overlay.soa).toEqual(zone().soa);
  });

  test("refuses a changeset of another state or another zone", () => {
    const overlay = new OverlayView(zone());
    const first = changeset(overlay, 101, [], ["node2 60 A 192.0.2.21"]);
    overlay.apply(first);
    expect(() => overlay.apply(first)).toThrow(ChangesetMismatch);
    const elsewhere = { ...changeset(overlay, 102, [], []), zone: Name.parse("other.example.") };
    expect(() => overlay.apply(elsewhere)).toThrow(ChangesetMismatch);
  });
});
