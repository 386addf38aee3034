/** IXFR: which answer a secondary gets (RFC 1995 §2, §4, §5), and what is no request (§3). */
import { describe, expect, test, vi } from "vitest";
import { algorithmFromText } from "../../../src/auth/tsig/key.ts";
import { Rcode } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import { aRecord, recordToLine, soaRecord } from "../../support/model.ts";
import type { Asked, Transferred } from "../../support/transfer.ts";
import { receive, TransferHouse } from "../../support/transfer.ts";

const apex = Name.parse("smb.example.");
const edns = { udpPayload: 1232, version: 0, extendedRcode: 0, dnssecOk: false, options: [] };
const host = (i: number, address = `192.0.2.${i % 256}`): ResourceRecord =>
  aRecord(apex, `host-${i}`, address);
const soa = (serial: number): ResourceRecord => soaRecord(apex, serial);

/** Serials 10 to 10 + `changes`, each of them a host more, over `count` hosts. */
function house(count: number, changes: number): TransferHouse {
  const zone = new TransferHouse(
    soa(10),
    Array.from({ length: count }, (_, i) => host(i)),
  );
  for (let i = 0; i < changes; i++) zone.change([], [host(50_000 + i)]);
  return zone;
}

describe("RFC 1995 §3: requests", () => {
  test.each([
    ["no SOA in the authority section", []],
    ["the SOA of another zone", [soaRecord(Name.parse("example."), 1)]],
    ["another record", [host(1)]],
  ])("%s is FORMERR", (_, authorities) => {
    const start = house(3, 0).start({ type: RrType.IXFR, authorities });
    expect(start).toMatchObject({ kind: "refused", refusal: { rcode: Rcode.FORMERR } });
  });

  test("the SOA's owner counts in any letter case, and of its fields only the serial", () => {
    const theirs = { ...soaRecord(Name.parse("SMB.EXAMPLE."), 11, 1), ttl: 0 };
    expect(house(100, 2).ixfr(theirs).report).toMatchObject({ kind: "ixfr", from: 11, to: 12 });
  });

  test("trailing octets do no harm", () => {
    expect(house(100, 2).ixfr(soa(11), { trailing: [0, 0] }).report.kind).toBe("ixfr");
  });
});

describe("RFC 1995 §2, §4: which answer", () => {
  const cases: [what: string, serial: number, kind: string, reason?: string][] = [
    ["has the current serial", 12, "current"],
    ["is one ahead", 13, "current"],
    ["is far ahead", (12 + 0x7fff_ffff) >>> 0, "current"],
    ["is one behind", 11, "ixfr"],
    ["is two behind", 10, "ixfr"],
    ["is behind the journal", 9, "fallback", "no history"],
    ["is far behind, round the corner", (12 + 0x8000_0001) >>> 0, "fallback", "no history"],
    ["is 2^31 away (RFC 1982 §3.2)", (12 + 0x8000_0000) >>> 0, "fallback", "no serial order"],
  ];
  test.each(cases)("a secondary that %s", (_, serial, kind, reason) => {
    const { report, records } = house(100, 2).ixfr(soa(serial));
    expect(report).toMatchObject({ kind, reason, from: serial });
    expect(records.length).toBe({ current: 1, ixfr: 4 + (12 - serial), fallback: 104 }[kind]);
    expect(recordToLine(records[0]!)).toBe(recordToLine(soa(12)));
  });

  test("one difference: new SOA, old SOA, removed, new SOA, added, new SOA", () => {
    const zone = house(100, 0);
    zone.change([host(3)], [host(3, "198.51.100.3")]);
    expect(zone.ixfr(soa(10)).records.map(recordToLine)).toEqual(
      [soa(11), soa(10), host(3), soa(11), host(3, "198.51.100.3"), soa(11)].map(recordToLine),
    );
  });

  test("§5: several changes come as one, without what was added and removed again", () => {
    const zone = house(100, 0);
    zone.change([host(3)], [host(200), host(3, "198.51.100.3")]);
    zone.change([host(200)], []);
    zone.change([host(3, "198.51.100.3")], [host(3, "198.51.100.4")]);
    expect(zone.ixfr(soa(10)).records.map(recordToLine)).toEqual(
      [soa(13), soa(10), host(3), soa(13), host(3, "198.51.100.4"), soa(13)].map(recordToLine),
    );
  });

  test("many changes of one record of a small zone condense to a difference, not to the whole zone", () => {
    const zone = house(2, 0);
    for (let i = 0; i < 3000; i++)
      zone.change([host(0, `192.0.2.${i % 256}`)], [host(0, `192.0.2.${(i + 1) % 256}`)]);
    expect(zone.ixfr(soa(10)).records).toHaveLength(6);
  });

  test("what is larger than the zone comes as the whole zone", () => {
    const zone = house(500, 0);
    zone.change(
      Array.from({ length: 498 }, (_, i) => host(i)),
      [],
    );
    const { report, records } = zone.ixfr(soa(10));
    expect(report).toMatchObject({ kind: "fallback", reason: "larger than the zone" });
    expect(records).toHaveLength(4);
  });

  test("a journal with a gap is not followed", () => {
    const zone = house(100, 4);
    zone.journal.splice(1, 1);
    expect(zone.ixfr(soa(10)).report).toMatchObject({ kind: "fallback", reason: "no history" });
    expect(zone.ixfr(soa(12)).report.kind).toBe("ixfr");
  });

  test("an incremental transfer of many messages is signed throughout and whole", () => {
    const zone = house(5000, 0);
    const before = zone.model.clone();
    zone.change(
      [],
      Array.from({ length: 3000 }, (_, i) => host(10_000 + i)),
    );
    const key = { name: apex, algorithm: algorithmFromText("hmac-sha512")!, secret: new Uint8Array(64) };
    const { messages, records, report } = zone.ixfr(soa(10), { key });
    expect(report.kind).toBe("ixfr");
    expect(messages.length).toBeGreaterThan(3);
    expect(messages[0]!.questions[0]!.type).toBe(RrType.IXFR);
    expect(receive(before, records).lines()).toEqual(zone.model.lines());
  });

  test("small differences take no place among the transfers at once, large ones and whole zones do", () => {
    const zone = house(5000, 0);
    zone.change(
      [],
      Array.from({ length: 3000 }, (_, i) => host(10_000 + i)),
    );
    zone.change([], [host(20_000)]);
    zone.maxAtOnce = 0;
    expect(zone.start({ type: RrType.IXFR, authorities: [soa(11)] }).kind).toBe("stream");
    expect(zone.start({ type: RrType.IXFR, authorities: [soa(12)] }).kind).toBe("stream");
    expect(zone.start({ type: RrType.IXFR, authorities: [soa(10)] })).toMatchObject({
      kind: "refused",
      busy: true,
    });
    expect(zone.start({ type: RrType.IXFR, authorities: [soa(9)] })).toMatchObject({
      kind: "refused",
      busy: true,
    });
  });
});

function ask(zone: TransferHouse, serial: number, more: Asked = {}): Transferred {
  return zone.ixfr(soa(serial), { transport: "udp", ...more });
}

describe("RFC 1995 §2: over UDP", () => {
  test("differences that fit are sent", () => {
    const { messages, report, records } = ask(house(100, 2), 10);
    expect(messages).toHaveLength(1);
    expect(messages[0]!.header.flags & Flag.TC).toBe(0);
    expect(report).toMatchObject({ kind: "ixfr", to: 12 });
    expect(records).toHaveLength(6);
  });

  test.each([
    ["512 octets without EDNS", {}, 10, "ixfr"],
    ["512 octets without EDNS, and more to say", {}, 20, "fallback"],
    ["1232 octets with EDNS", { edns }, 20, "ixfr"],
    ["1232 octets with EDNS, and more to say", { edns }, 60, "fallback"],
    [
      "no more than 1232 octets whatever the client takes",
      { edns: { ...edns, udpPayload: 65_535 } },
      60,
      "fallback",
    ],
  ])("%s", (_, more, changes, kind) => {
    const { bytes, records, report } = ask(house(2000, changes), 10, more);
    expect(report.kind).toBe(kind);
    expect(bytes).toHaveLength(1);
    expect(bytes[0]!.length).toBeLessThanOrEqual("edns" in more ? 1232 : 512);
    // The SOA alone; or four of them, and what was added.
    expect(records).toHaveLength(kind === "fallback" ? 1 : 4 + changes);
    expect(recordToLine(records[0]!)).toBe(recordToLine(soa(10 + changes)));
  });

  test("the signature is within the limit", () => {
    const key = { name: apex, algorithm: algorithmFromText("hmac-sha512")!, secret: new Uint8Array(64) };
    for (let changes = 1; changes < 20; changes++) {
      expect(ask(house(2000, changes), 10, { key }).bytes[0]!.length).toBeLessThanOrEqual(512);
    }
  });

  test("where the whole zone would be due the current SOA says so", () => {
    const { records, report } = ask(house(5, 2), 3);
    expect(records.map(recordToLine)).toEqual([recordToLine(soa(12))]);
    expect(report).toMatchObject({ kind: "fallback", reason: "no history short enough for UDP", to: 3 });
  });

  test("a request that anyone can forge makes no more than 64 KiB of the journal be read", () => {
    const zone = house(2000, 3);
    const read = vi.spyOn(zone.deps.store, "changesSince");
    ask(zone, 10);
    expect(read.mock.calls.map(([, , maxOctets]) => maxOctets)).toEqual([64 * 1024]);
  });
});
