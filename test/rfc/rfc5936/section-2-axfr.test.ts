/** AXFR: what is refused and how, what the messages of a transfer look like (RFC 5936 §2). */
import { describe, expect, test } from "vitest";
import { parseNetwork } from "../../../src/auth/acl.ts";
import { algorithmFromText } from "../../../src/auth/tsig/key.ts";
import { packRecords } from "../../../src/protocol/transfer-packing.ts";
import { WireError } from "../../../src/wire/error.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { Ede, EdnsOption, Rcode } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { readEde } from "../../../src/wire/edns.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import { record } from "../../../src/wire/record.ts";
import { aRecord, recordsToLines, recordToLine, soaRecord } from "../../support/model.ts";
import { rr } from "../../support/rr.ts";
import type { Asked } from "../../support/transfer.ts";
import { NOW, TransferHouse } from "../../support/transfer.ts";

const apex = Name.parse("smb.example.");
const soa = soaRecord(apex, 7);
const key = {
  name: Name.parse("xfr.smb.example."),
  algorithm: algorithmFromText("hmac-sha256")!,
  secret: new Uint8Array(32).fill(7),
};
const edns = { udpPayload: 4096, version: 0, extendedRcode: 0, dnssecOk: false, options: [] };

function hosts(count: number): ResourceRecord[] {
  return Array.from({ length: count }, (_, i) => aRecord(apex, `host-${i}`, `192.0.2.${i % 256}`));
}

function house(count = 3): TransferHouse {
  return new TransferHouse(soa, hosts(count));
}

describe("RFC 5936 §2.1, §5: requests", () => {
  const refusals: [what: string, asked: Asked, rcode: number, ede: number][] = [
    ["no question", { questions: 0 }, Rcode.FORMERR, Ede.OTHER],
    ["two questions", { questions: 2 }, Rcode.FORMERR, Ede.OTHER],
    ["AXFR over UDP (§4.2)", { transport: "udp" }, Rcode.NOTIMP, Ede.NOT_SUPPORTED],
    ["a zone that is not served", { zone: Name.parse("example.") }, Rcode.NOTAUTH, Ede.NOT_AUTHORITATIVE],
    ["a name below a zone", { zone: Name.parse("host-1", apex) }, Rcode.NOTAUTH, Ede.NOT_AUTHORITATIVE],
    ["a class other than IN", { class: RrClass.ANY }, Rcode.NOTAUTH, Ede.NOT_AUTHORITATIVE],
    ["an address that no rule lets in", { from: "192.0.2.66" }, Rcode.REFUSED, Ede.PROHIBITED],
    ["a key that no rule lets in", { from: "192.0.2.66", key }, Rcode.REFUSED, Ede.PROHIBITED],
  ];
  test.each(refusals)("%s is refused with a reason", (_, asked, rcode, ede) => {
    const zone = house();
    const start = zone.start({ ...asked, edns });
    if (start.kind !== "refused") throw new Error("not refused");
    const reply = decodeMessage(start.bytes);
    expect(reply.header).toMatchObject({ id: 0x4242, rcode, answerCount: 0 });
    expect(reply.header.flags & (Flag.QR | Flag.AA)).toBe(Flag.QR);
    expect(start.refusal).toMatchObject({ exchange: "transfer", rcode });
    const option = reply.edns?.options.find(({ code }) => code === EdnsOption.EDE);
    expect(option && readEde(option.data)).toEqual({ code: ede, text: start.refusal.reason });
    expect(start.client === undefined || start.client.verify(start.bytes, reply.tsig, NOW).ok).toBe(true);
    expect([zone.openSnapshots, zone.slots.taken]).toEqual([0, 0]);
  });

  test("a key within its network is let in, and no less than the rule asks", () => {
    const zone = house();
    zone.rules = [{ key: key.name, net: parseNetwork("192.0.2.0/24")! }];
    expect(zone.transfer({ key, from: "192.0.2.1" }).records).toHaveLength(5);
    expect(zone.start({ from: "192.0.2.1" }).kind).toBe("refused");
    expect(zone.start({ key, from: "198.51.100.1" }).kind).toBe("refused");
  });

  test("two octets behind the request, as some Windows servers send, do no harm", () => {
    expect(house().transfer({ trailing: [0, 0] }).records).toHaveLength(5);
  });

  test("the zone's name counts in any letter case, and comes back as it was asked", () => {
    const { messages } = house().transfer({ zone: Name.parse("SMB.Example.") });
    expect(messages[0]!.questions[0]!.name.toString()).toBe("SMB.Example.");
    expect(messages[0]!.answers[0]!.name.toString()).toBe("smb.example.");
  });
});

describe("RFC 5936 §2.2: the messages", () => {
  test("the records are the SOA, everything else, the SOA", () => {
    const { records, report } = house(2000).transfer();
    expect(recordToLine(records[0]!)).toBe(recordToLine(soa));
    expect(recordToLine(records[records.length - 1]!)).toBe(recordToLine(soa));
    expect(recordsToLines(records.slice(1, -1))).toEqual(recordsToLines(hosts(2000)));
    expect(report).toMatchObject({ kind: "axfr", from: undefined, to: 7 });
  });

  test("a zone of nothing but its SOA is the SOA twice", () => {
    expect(new TransferHouse(soa).transfer().records.map(recordToLine)).toEqual([
      recordToLine(soa),
      recordToLine(soa),
    ]);
  });

  test("§2.2.1: every header has the request's ID and RD, QR and AA, and NOERROR", () => {
    const { messages, report } = house(5000).transfer({ flags: Flag.RD });
    expect(messages.length).toBeGreaterThan(3);
    for (const { header } of messages) {
      expect(header).toMatchObject({
        id: 0x4242,
        flags: Flag.QR | Flag.AA | Flag.RD,
        authorityCount: 0,
        additionalCount: 0,
      });
    }
    expect(report.messages).toBe(messages.length);
    expect(house().transfer().messages[0]!.header.flags).toBe(Flag.QR | Flag.AA);
  });

  test("§2.2.2: the question stands in the first message alone", () => {
    const { messages } = house(5000).transfer();
    expect(messages.map(({ questions }) => questions.length)).toEqual([1, ...messages.slice(1).map(() => 0)]);
    expect(messages[0]!.questions[0]).toMatchObject({ type: RrType.AXFR, class: RrClass.IN });
  });

  test("§2.2.5: OPT stands in the first message where the request had one, and nowhere else", () => {
    const { messages } = house(5000).transfer({ edns });
    expect(messages.map((message) => message.edns !== undefined)).toEqual([
      true,
      ...messages.slice(1).map(() => false),
    ]);
    expect(house().transfer().messages[0]!.edns).toBeUndefined();
  });

  test("messages are full to where compression pointers reach", () => {
    const { bytes } = house(5000).transfer();
    for (const message of bytes.slice(0, -1)) {
      expect(message.length).toBeGreaterThan(0x3fff);
      expect(message.length).toBeLessThan(0x3fff + 300);
    }
  });

  test("§3.4: names keep their case, whatever stands before them", () => {
    const mixed = [
      rr("Host.SMB.example 300 A 192.0.2.1"),
      rr("alias 300 CNAME HOST.smb.EXAMPLE."),
      rr("@ 300 NS ns.SMB.Example."),
    ];
    const { records } = new TransferHouse(soa, mixed).transfer();
    expect(recordsToLines(records.slice(1, -1))).toEqual(recordsToLines(mixed));
  });

  test("RFC 3597 §4: names in the RDATA of newer types are not compressed", () => {
    const srv = rr("_smb._tcp 300 SRV 0 0 445 node1.smb.example.");
    const { bytes, records } = new TransferHouse(soa, [srv]).transfer();
    expect(Buffer.from(bytes[0]!).includes(Buffer.from(srv.rdata))).toBe(true);
    expect(recordToLine(records[1]!)).toBe(recordToLine(srv));
  });
});

describe("RFC 8945 §5.3.1: signed transfers", () => {
  test("each message is signed, and none outgrows its limit with the signature", () => {
    const big = Array.from({ length: 40 }, (_, i) =>
      record(Name.parse(`big-${i}`, apex), RrType.NULL, 300, new Uint8Array(16_000 + i)),
    );
    const zone = new TransferHouse(soa, [...hosts(3000), ...big]);
    const { messages, records } = zone.transfer({ key });
    expect(messages.length).toBeGreaterThan(20);
    expect(messages.every(({ tsig }) => tsig !== undefined)).toBe(true);
    expect(records).toHaveLength(3042);
  });
});

function decode(messages: Iterable<Uint8Array>): string[] {
  return [...messages].flatMap((message) => decodeMessage(message).answers.map(recordToLine));
}

describe("packing", () => {
  const question = { name: apex, type: RrType.AXFR, class: RrClass.IN };
  const options = { id: 1, flags: Flag.QR | Flag.AA, question };

  test.each([
    ["512 octets", { limit: 512 }],
    ["512 octets with 90 for a signature", { limit: 512, reserve: 90 }],
    ["512 octets with OPT", { limit: 512, edns }],
    ["64 KiB", { fullAt: 65_535 }],
    ["64 KiB with 100 for a signature", { fullAt: 65_535, reserve: 100 }],
  ])("%s: no message is longer, and none could take the next record", (_, limits) => {
    const rows = hosts(9000);
    const messages = [...packRecords(rows, { ...options, ...limits })];
    const room = ("limit" in limits ? limits.limit : 65_535) - ("reserve" in limits ? limits.reserve : 0);
    const lengths = messages.map(({ length }) => length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(room);
    // A record of this zone takes 27 octets at most.
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThan(room - 27);
    expect(decode(messages)).toEqual(rows.map(recordToLine));
  });

  test("one answer a message for those that ask for it", () => {
    const messages = [...packRecords(hosts(5), { ...options, oneAnswer: true })];
    expect(messages.map((message) => decodeMessage(message).header.answerCount)).toEqual([1, 1, 1, 1, 1]);
  });

  test("the longest record that a message can hold is sent, and one octet more is an error", () => {
    const name = Name.parse("x", apex);
    const room = 65_535 - 12 - name.wire.length - 10;
    const fits = [...hosts(2), record(name, RrType.NULL, 300, new Uint8Array(room)), ...hosts(2)];
    const messages = [...packRecords(fits, options)];
    expect(messages.map(({ length }) => length)).toContain(65_535);
    expect(decode(messages)).toHaveLength(5);
    const tooLong = [...hosts(2), record(name, RrType.NULL, 300, new Uint8Array(room + 1))];
    expect(() => [...packRecords(tooLong, options)]).toThrow(WireError);
    expect(() => [...packRecords(fits, { ...options, reserve: 1 })]).toThrow(
      /does not fit a message of 65534 octets/,
    );
  });

  test("nothing is drawn before it is needed", () => {
    let drawn = 0;
    function* counted(): Generator<ResourceRecord> {
      for (const one of hosts(20_000)) {
        drawn++;
        yield one;
      }
    }
    const messages = packRecords(counted(), options);
    messages.next();
    expect(drawn).toBeLessThan(1500);
    messages.return();
  });

  test("names of many labels, more of them than are remembered, come out whole", () => {
    const deep = Array.from({ length: 300 }, (_, i) => {
      const labels = Array.from({ length: 100 }, (_, j) =>
        String.fromCharCode(0x61 + ((i * 7 + j * 3) % 26)),
      );
      return record(Name.parse(`${labels.join(".")}.`), RrType.A, 300, Uint8Array.of(192, 0, 2, i % 256));
    });
    expect(decode(packRecords(deep, options))).toEqual(deep.map(recordToLine));
  });
});

describe("what a transfer holds", () => {
  test("the snapshot and the place are given back at the end", () => {
    const zone = house(3000);
    const start = zone.start();
    if (start.kind === "refused") throw new Error(start.refusal.reason);
    expect([zone.openSnapshots, zone.slots.taken]).toEqual([1, 1]);
    expect([...start.stream].length).toBeGreaterThan(1);
    expect([zone.openSnapshots, zone.slots.taken]).toEqual([0, 0]);
    start.stream.close();
    expect([zone.openSnapshots, zone.slots.taken]).toEqual([0, 0]);
  });

  test.each([
    ["before the first message", 0],
    ["between two messages", 1],
  ])("… and when it is abandoned %s", (_, drawn) => {
    const zone = house(3000);
    const start = zone.start();
    if (start.kind === "refused") throw new Error(start.refusal.reason);
    for (let i = 0; i < drawn; i++) start.stream.next();
    start.stream.return();
    expect([zone.openSnapshots, zone.slots.taken]).toEqual([0, 0]);
    expect(start.stream.next().done).toBe(true);
  });

  test("… and when a record can not be sent", () => {
    const zone = new TransferHouse(soa, [
      record(Name.parse("x", apex), RrType.NULL, 300, new Uint8Array(65_535)),
    ]);
    const start = zone.start();
    if (start.kind === "refused") throw new Error(start.refusal.reason);
    const { stream } = start;
    expect(() => [...stream]).toThrow(WireError);
    expect([zone.openSnapshots, zone.slots.taken]).toEqual([0, 0]);
  });

  test("the snapshot is the zone of the moment the transfer began", () => {
    const zone = house(3000);
    const start = zone.start();
    if (start.kind === "refused") throw new Error(start.refusal.reason);
    const first = start.stream.next().value!;
    zone.change([hosts(3000)[2999]!], [aRecord(apex, "late", "192.0.2.9")]);
    const records = [first, ...start.stream].flatMap((message) => decodeMessage(message).answers);
    expect(recordsToLines(records.slice(1, -1))).toEqual(recordsToLines(hosts(3000)));
  });

  test("beyond the transfers at once a peer is refused as not ready, and let in when one has ended", () => {
    const zone = house(3000);
    zone.maxAtOnce = 1;
    const first = zone.start();
    const second = zone.start({ edns });
    if (second.kind !== "refused") throw new Error("not refused");
    expect(second).toMatchObject({ busy: true, refusal: { rcode: Rcode.REFUSED } });
    expect(readEde(decodeMessage(second.bytes).edns!.options[0]!.data)?.code).toBe(Ede.NOT_READY);
    if (first.kind === "stream") first.stream.close();
    expect(zone.start().kind).toBe("stream");
  });

  test("a snapshot that cannot be had gives the place back", () => {
    const zone = house();
    zone.snapshotFails = true;
    expect(() => zone.start()).toThrow("no snapshot");
    expect(zone.slots.taken).toBe(0);
  });
});
