/** RFC 2136 §2.5, §3.4, §3.6: the update section. */
import { describe, expect, test } from "vitest";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { name } from "../../support/rr.ts";
import { SOA, update, ZONE } from "./support.ts";

const UNCHANGED = { rcode: "NOERROR", serial: undefined, removed: [], added: [] };

function change(removed: string[], added: string[], serial = 101): object {
  return { rcode: "NOERROR", serial, removed, added };
}

function soa(serial: number, owner = "@"): string {
  return `${owner} 7200 IN SOA ns2 hostmaster ${serial} 900 300 86400 60`;
}

describe("§3.4.1 prescan", () => {
  test.each([
    ["class CH", "node1 60 CH A 192.0.2.5", "FORMERR"],
    ["class HS", "node1 60 HS A 192.0.2.5", "FORMERR"],
    ["a name outside the zone", "host.other.example. 60 IN A 192.0.2.5", "NOTZONE"],
    ["a name outside the zone before a wrong class", "host.other.example. 60 CH A 192.0.2.5", "NOTZONE"],
    ["a deletion outside the zone", "host.other.example. 0 ANY A", "NOTZONE"],
    ["deleting an RRset with a TTL", "node1 60 ANY A", "FORMERR"],
    ["deleting an RRset with RDATA", "node1 0 ANY A 192.0.2.11", "FORMERR"],
    ["deleting a name with a TTL", "node1 60 ANY ANY", "FORMERR"],
    ["deleting a record with a TTL", "node1 60 NONE A 192.0.2.11", "FORMERR"],
    ["deleting a record that is not given", "node1 0 NONE A", "FORMERR"],
    ["deleting a record of type ANY", "node1 0 NONE ANY", "FORMERR"],
    ["deleting AXFR", "node1 0 ANY AXFR", "FORMERR"],
    ["deleting MAILA", "node1 0 ANY MAILA", "FORMERR"],
    ["deleting MAILB", "node1 0 ANY MAILB", "FORMERR"],
    ["deleting type 0", "node1 0 ANY TYPE0", "FORMERR"],
  ])("%s", (_, line, rcode) => {
    // §3.4.1: all are checked before any change, so a good one before a bad one does nothing either.
    const outcome = update({ updates: ["new 60 IN A 192.0.2.5", line] });
    expect(outcome.rcode).toBe(rcode);
    expect(outcome.serial).toBeUndefined();
  });

  test.each([0, RrType.TKEY, RrType.IXFR, RrType.AXFR, RrType.MAILA, RrType.MAILB, RrType.ANY])(
    "adding meta type %i",
    (type) => {
      // TKEY has fields that the decoder checks, so it gets a valid form.
      const rdata = type === RrType.TKEY ? new Uint8Array(17) : new Uint8Array(0);
      const bad = { name: name("node1"), type, class: RrClass.IN, ttl: 60, rdata };
      expect(update({ updates: [bad] }).rcode).toBe("FORMERR");
    },
  );

  test("an unknown type is opaque data (RFC 3597 §5)", () => {
    expect(update({ updates: ["node1 60 IN TYPE65400 \\# 2 abcd"] })).toMatchObject(
      change([], ["Node1 60 TYPE65400 \\# 2 ABCD"]),
    );
  });
});

describe("§2.5.1, §3.4.2.2 add to an RRset", () => {
  test.each([
    ["a new name keeps its case", ["HOST9 60 IN A 192.0.2.9"], change([], ["HOST9 60 A 192.0.2.9"])],
    ["a stored name keeps its own", ["NODE1 60 IN TXT x"], change([], ['Node1 60 TXT "x"'])],
    ["one more with the same TTL", ["files 60 IN A 192.0.2.23"], change([], ["files 60 A 192.0.2.23"])],
    ["a duplicate", ["files 60 IN A 192.0.2.21"], UNCHANGED],
    ["a duplicate but for the case of a name", ["_smb._tcp.files 60 IN SRV 0 0 445 FILES"], UNCHANGED],
    ["the same twice", ["h 60 IN A 192.0.2.9", "H 60 IN A 192.0.2.9"], change([], ["h 60 A 192.0.2.9"])],
    [
      "a duplicate with another TTL sets that of the whole RRset (RFC 2181 §5.2)",
      ["files 90 IN A 192.0.2.21"],
      change(
        ["files 60 A 192.0.2.21", "files 60 A 192.0.2.22"],
        ["files 90 A 192.0.2.21", "files 90 A 192.0.2.22"],
      ),
    ],
    [
      "one more with another TTL does so too",
      ["files 0 IN A 192.0.2.23"],
      change(
        ["files 60 A 192.0.2.21", "files 60 A 192.0.2.22"],
        ["files 0 A 192.0.2.21", "files 0 A 192.0.2.22", "files 0 A 192.0.2.23"],
      ),
    ],
    [
      "the last TTL wins",
      ["files 90 IN A 192.0.2.23", "files 60 IN A 192.0.2.23"],
      change([], ["files 60 A 192.0.2.23"]),
    ],
    ["at a wildcard", ["* 300 IN A 192.0.2.201"], change([], ["* 300 A 192.0.2.201"])],
    ["an NS at the apex", ["@ 3600 IN NS ns3"], change([], ["@ 3600 NS ns3"])],
    ["a delegation", ["sub2 300 IN NS ns.sub"], change([], ["sub2 300 NS ns.sub"])],
  ])("%s", (_, updates, expected) => expect(update({ updates })).toMatchObject(expected));

  test("WKS replaces where address and protocol match (§1.1.5)", () => {
    const zone = [...ZONE, "old 60 WKS \\# 6 c00002010680"];
    const replaced = update({ updates: ["old 60 IN WKS \\# 6 c000020106c0"] }, { zone });
    expect([replaced.removed.length, replaced.added.length]).toEqual([1, 1]);
    expect(update({ updates: ["old 60 IN WKS \\# 6 c00002010680"] }, { zone })).toMatchObject(UNCHANGED);
    const appended = update({ updates: ["old 60 IN WKS \\# 6 c00002011180"] }, { zone });
    expect([appended.removed.length, appended.added.length]).toEqual([0, 1]);
    // §1.1.1: a deletion compares all of it.
    expect(update({ updates: ["old 0 NONE WKS \\# 6 c000020106c0"] }, { zone })).toMatchObject(UNCHANGED);
    expect(update({ updates: ["old 0 NONE WKS \\# 6 c00002010680"] }, { zone }).removed).toHaveLength(1);
  });
});

describe("§3.4.2.2 CNAME stands alone", () => {
  test.each([
    ["CNAME where other data are", ["node1 60 IN CNAME files"], UNCHANGED],
    ["other data where a CNAME is", ["alias 60 IN A 192.0.2.5"], UNCHANGED],
    ["CNAME at the apex", ["@ 60 IN CNAME files"], UNCHANGED],
    ["CNAME where a DNAME is (RFC 6672 §5.2)", ["moved 60 IN CNAME files"], UNCHANGED],
    ["DNAME where a CNAME is (RFC 6672 §5.2)", ["alias 60 IN DNAME other.example."], UNCHANGED],
    [
      "CNAME replaces CNAME",
      ["alias 60 IN CNAME node1"],
      change(["alias 300 CNAME files"], ["alias 60 CNAME node1"]),
    ],
    ["the same CNAME", ["alias 300 IN CNAME FILES"], UNCHANGED],
    [
      "the same CNAME with another TTL",
      ["alias 60 IN CNAME FILES"],
      change(["alias 300 CNAME files"], ["alias 60 CNAME files"]),
    ],
    [
      "DNAME replaces DNAME",
      ["moved 300 IN DNAME new.example."],
      change(["moved 300 DNAME other.example."], ["moved 300 DNAME new.example."]),
    ],
    ["DNAME at the apex", ["@ 300 IN DNAME other.example."], change([], ["@ 300 DNAME other.example."])],
    [
      "data make way for a CNAME in one update",
      ["node1 0 ANY ANY", "node1 60 IN CNAME files"],
      change(["Node1 1200 A 192.0.2.11", "Node1 1200 AAAA 2001:db8::11"], ["Node1 60 CNAME files"]),
    ],
    [
      "a CNAME makes way for data",
      ["alias 0 ANY CNAME", "alias 60 IN A 192.0.2.5"],
      change(["alias 300 CNAME files"], ["alias 60 A 192.0.2.5"]),
    ],
    [
      "of two that exclude each other the first wins",
      ["h 60 IN CNAME files", "h 60 IN A 192.0.2.5"],
      change([], ["h 60 CNAME files"]),
    ],
    ["the order counts", ["h 60 IN A 192.0.2.5", "h 60 IN CNAME files"], change([], ["h 60 A 192.0.2.5"])],
    [
      "the second CNAME of one update",
      ["h 60 IN CNAME files", "h 60 IN CNAME node1"],
      change([], ["h 60 CNAME node1"]),
    ],
  ])("%s", (_, updates, expected) => expect(update({ updates })).toMatchObject(expected));
});

describe("§3.4.2.2, §3.6 SOA and serial", () => {
  test.each([
    ["ahead, changing nothing else", [soa(200)], 200],
    ["ahead, with other changes", [soa(200), "h 60 IN A 192.0.2.5"], 200],
    ["equal", [soa(100)], undefined],
    ["behind", [soa(99)], undefined],
    ["behind, with other changes", [soa(99), "h 60 IN A 192.0.2.5"], 101],
    ["ahead as RFC 1982 counts", [soa(100 + 0x7fff_ffff)], 0x8000_0063],
    ["2^31 ahead, for which there is no order", [soa(100 + 0x8000_0000)], undefined],
    ["more than 2^31 ahead is behind", [soa(100 + 0x8000_0001)], undefined],
    ["two, the second ahead of the first", [soa(200), soa(300)], 300],
    ["two, the second behind the first", [soa(300), soa(200)], 300],
    ["below the apex, where there is none", [soa(200, "node1")], undefined],
    ["below the apex, at a name not in use", [soa(200, "nobody")], undefined],
  ])("%s", (_, updates, serial) => {
    const outcome = update({ updates });
    expect(outcome).toMatchObject({ rcode: "NOERROR", serial });
  });

  test("one that is taken brings all its fields and its TTL", () => {
    const { zone } = update({ updates: [soa(200)] });
    expect(zone.soa).toMatchObject({ ttl: 7200, name: zone.apex });
    expect(zone.soa.rdata).toEqual(zone.rrset(zone.apex, RrType.SOA)!.rdatas[0]);
    expect(zone.recordCount).toBe(ZONE.length);
  });

  test("one update moves the serial by one, however much it changes", () => {
    const updates = ["h 60 IN A 192.0.2.5", "h2 60 IN A 192.0.2.6", "node1 0 ANY ANY"];
    expect(update({ updates }).serial).toBe(101);
  });

  test("the serial after 2^32-1 is 1 and not 0 (§4.2)", () => {
    const zone = [SOA.replace("100", "4294967295"), ...ZONE.slice(1)];
    expect(update({ updates: ["h 60 IN A 192.0.2.5"] }, { zone }).serial).toBe(1);
  });

  test.each([
    ["deleting the SOA record", "@ 0 NONE SOA ns1 hostmaster 100 900 300 86400 30"],
    ["deleting the SOA RRset", "@ 0 ANY SOA"],
  ])("%s is ignored (§3.4.2.3, §3.4.2.4)", (_, line) =>
    expect(update({ updates: [line] })).toMatchObject(UNCHANGED),
  );

  test("§5.7: a read-modify-write cycle guarded by the SOA", () => {
    const old = "@ 0 NONE SOA ns1 hostmaster 100 900 300 86400 30";
    const fresh = "@ 3600 IN SOA ns1 hostmaster 150 900 300 86400 30";
    const prerequisites = ["@ 0 IN SOA ns1 hostmaster 100 900 300 86400 30"];
    const outcome = update({ prerequisites, updates: [old, fresh, "h 60 IN A 192.0.2.5"] });
    expect(outcome).toMatchObject(change([], ["h 60 A 192.0.2.5"], 150));
  });
});

describe("§2.5.2, §3.4.2.3 delete an RRset", () => {
  test.each([
    ["one that is there", ["files 0 ANY A"], change(["files 60 A 192.0.2.21", "files 60 A 192.0.2.22"], [])],
    ["one that is not", ["files 0 ANY AAAA"], UNCHANGED],
    ["at a name that is not", ["nobody 0 ANY A"], UNCHANGED],
    ["NS at the apex", ["@ 0 ANY NS"], UNCHANGED],
    ["TXT at the apex", ["@ 0 ANY TXT"], change(['@ 300 TXT "the cluster"'], [])],
    ["NS below the apex", ["sub 0 ANY NS"], change(["sub 300 NS ns.sub"], [])],
  ])("%s", (_, updates, expected) => expect(update({ updates })).toMatchObject(expected));
});

describe("§2.5.3, §3.4.2.3 delete all RRsets from a name", () => {
  test.each([
    [
      "a name in use",
      ["node1 0 ANY ANY"],
      change(["Node1 1200 A 192.0.2.11", "Node1 1200 AAAA 2001:db8::11"], []),
    ],
    ["a name not in use", ["nobody 0 ANY ANY"], UNCHANGED],
    ["an empty non-terminal keeps what is below", ["_tcp.files 0 ANY ANY"], UNCHANGED],
    ["the apex keeps SOA and NS", ["@ 0 ANY ANY"], change(['@ 300 TXT "the cluster"'], [])],
    ["what was added before in the same update", ["h 60 IN A 192.0.2.5", "h 0 ANY ANY"], UNCHANGED],
  ])("%s", (_, updates, expected) => expect(update({ updates })).toMatchObject(expected));
});

describe("§2.5.4, §3.4.2.4 delete an RR from an RRset", () => {
  test.each([
    ["one of two", ["FILES 0 NONE A 192.0.2.21"], change(["files 60 A 192.0.2.21"], [])],
    ["the last of a name", ["alias 0 NONE CNAME FILES"], change(["alias 300 CNAME files"], [])],
    ["one that is not there", ["files 0 NONE A 192.0.2.29"], UNCHANGED],
    ["at a name that is not", ["nobody 0 NONE A 192.0.2.29"], UNCHANGED],
    ["one of two NS at the apex", ["@ 0 NONE NS ns1"], change(["@ 3600 NS ns1"], [])],
    [
      "both NS at the apex: the last stays",
      ["@ 0 NONE NS ns1", "@ 0 NONE NS ns2"],
      change(["@ 3600 NS ns1"], []),
    ],
    ["an NS that is not there does not count", ["@ 0 NONE NS ns9"], UNCHANGED],
    ["the last NS below the apex", ["sub 0 NONE NS ns.sub"], change(["sub 300 NS ns.sub"], [])],
    [
      "NS of the apex, exchanged",
      ["@ 3600 IN NS ns3", "@ 0 NONE NS ns1", "@ 0 NONE NS ns2"],
      change(["@ 3600 NS ns1", "@ 3600 NS ns2"], ["@ 3600 NS ns3"]),
    ],
  ])("%s", (_, updates, expected) => expect(update({ updates })).toMatchObject(expected));
});

describe("§3.4.2, §3.6 only what differs in the end is a change", () => {
  test.each([
    ["no update section", []],
    ["deleted and added again", ["node1 0 ANY A", "node1 1200 IN A 192.0.2.11"]],
    ["added and deleted again", ["h 60 IN A 192.0.2.5", "h 0 NONE A 192.0.2.5"]],
    ["TTL there and back", ["node1 60 IN A 192.0.2.11", "node1 1200 IN A 192.0.2.11"]],
  ])("%s: NOERROR, the serial stays", (_, updates) => expect(update({ updates })).toMatchObject(UNCHANGED));

  test("an RRset that is replaced gives up only what is gone", () => {
    const updates = ["files 0 ANY A", "files 60 IN A 192.0.2.22", "files 60 IN A 192.0.2.23"];
    expect(update({ updates })).toMatchObject(change(["files 60 A 192.0.2.21"], ["files 60 A 192.0.2.23"]));
  });
});
