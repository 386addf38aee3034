/** RFC 1035 §2.3.4 and §4.1: names at their limits, headers, and questions that break them. */
import { describe, expect, test } from "vitest";
import { NOT_A_QUERY, SILENCE } from "../../../src/protocol/query.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { answerText, queryOctets, serve } from "../../support/zones.ts";

const l63 = "l".repeat(63);
/** 255 octets with the root: 3 × 64 + 62 + 1. */
const longest = `${l63}.${l63}.${l63}.${"m".repeat(53)}.example.`;
/** 127 labels: 125 of one octet below `t.`, and `e.`. */
const deepest = `${"a.".repeat(126)}e.`;
const served = serve(
  [
    "example.",
    `$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\n${longest} A 192.0.2.2\n*.wild A 192.0.2.3\n`,
  ],
  ["e.", `$TTL 60\n@ SOA ns.example. h 1 900 300 86400 60\n NS ns.example.\n${deepest} A 192.0.2.4\n`],
);

/** Header of one question, then these octets. */
const question = (...octets: readonly number[]): Uint8Array =>
  Uint8Array.of(0x2b, 0x1d, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...octets);

describe("RFC 1035 §2.3.4", () => {
  test("a name of 255 octets is served, and the names above it exist", () => {
    expect(Name.parse(longest).wire).toHaveLength(255);
    expect(served.askText(`${longest} A`).answer).toEqual([`${longest} 60 A 192.0.2.2`]);
    expect(served.askText(`${longest} TXT`)).toMatchObject({ rcode: "NOERROR", answer: [] });
    expect(served.askText(`${l63}.${l63}.${"m".repeat(53)}.example. A`)).toMatchObject({
      rcode: "NOERROR",
      answer: [],
    });
    expect(served.askText(`${l63}.${l63}.${l63}.${"n".repeat(53)}.example. A`).rcode).toBe("NXDOMAIN");
  });

  test("a name of 127 labels is served, and each of the names above it exists", () => {
    expect(Name.parse(deepest).labelCount).toBe(127);
    expect(served.askText(`${deepest} A`).answer).toEqual([`${deepest} 60 A 192.0.2.4`]);
    for (let labels = 125; labels > 0; labels--) {
      expect(served.askText(`${"a.".repeat(labels)}e. A`)).toMatchObject({ rcode: "NOERROR", answer: [] });
    }
    expect(served.askText(`${"a.".repeat(125)}b.e. A`).rcode).toBe("NXDOMAIN");
  });

  test("a wildcard covers the longest name there can be below it", () => {
    const name = `${l63}.${l63}.${l63}.${"m".repeat(48)}.wild.example.`;
    expect(Name.parse(name).wire).toHaveLength(255);
    expect(served.askText(`${name} A`).answer).toEqual([`${name} 60 A 192.0.2.3`]);
  });

  test("the longest name is refused, with the error option where it fits", () => {
    const name = `${l63}.${l63}.${l63}.${"m".repeat(61)}.`;
    expect(Name.parse(name).wire).toHaveLength(255);
    expect(served.askText(`${name} A`, { edns: { payload: 512 } }).rcode).toBe("REFUSED");
  });
});

describe("RFC 1035 §4.1: messages that break the form", () => {
  const base = queryOctets(Name.parse("ns.example."), 1);
  const typeAndClass = [0, 1, 0, 1];
  const tooLong = [
    ...[1, 2, 3].flatMap(() => [63, ...Array.from({ length: 63 }, () => 97)]),
    62,
    ...Array.from({ length: 62 }, () => 97),
    0,
  ];

  test.each([
    ["no question at all", question()],
    ["a name that does not end", question(3, 97, 98)],
    ["a name without its root", question(1, 97)],
    ["no type", question(1, 97, 0)],
    ["half a class", question(1, 97, 0, 0, 1, 0)],
    ["a name of 256 octets", question(...tooLong, ...typeAndClass)],
    ["a pointer", question(0xc0, 0, ...typeAndClass)],
    ["a pointer to itself", question(0xc0, 12, ...typeAndClass)],
    ["a pointer after a label", question(1, 97, 0xc0, 4, ...typeAndClass)],
    ["an unknown label type", question(0x41, 97, 0, ...typeAndClass)],
    ["QTYPE 0", question(1, 97, 0, 0, 0, 0, 1)],
    ["QTYPE OPT", question(1, 97, 0, 0, 41, 0, 1)],
    ["QTYPE TSIG", question(1, 97, 0, 0, 250, 0, 1)],
  ])("%s: FORMERR, a header with the same ID", (_what, octets) => {
    const message = decodeMessage(served.exchange(octets) as Uint8Array);
    expect(answerText(message)).toEqual({
      rcode: "FORMERR",
      flags: "rd",
      answer: [],
      authority: [],
      additional: [],
    });
    expect(message.header.id).toBe(0x2b1d);
    expect(message.questions).toEqual([]);
  });

  test.each([
    ["QDCOUNT 0", 5, 0],
    ["QDCOUNT 2", 5, 2],
    ["QDCOUNT 257", 4, 1],
    ["ANCOUNT 1", 7, 1],
    ["NSCOUNT 1", 9, 1],
    ["ARCOUNT 2", 11, 2],
    ["ARCOUNT 256", 10, 1],
    ["OPCODE STATUS", 2, 2 << 3],
    ["OPCODE NOTIFY", 2, 4 << 3],
    ["OPCODE UPDATE", 2, 5 << 3],
  ])("%s is left to the dispatcher", (_what, at, octet) => {
    const octets = Uint8Array.from(base);
    octets[at] = octet;
    expect(served.exchange(octets)).toBe(NOT_A_QUERY);
  });

  test("classes other than IN, and types that are exchanges of their own, are left to the dispatcher", () => {
    for (const rrClass of [0, 2, 3, 4, 254, 256, 511]) {
      expect(served.exchange(queryOctets(Name.parse("ns.example."), 1, { class: rrClass }))).toBe(
        NOT_A_QUERY,
      );
    }
    for (const type of [249, 251, 252]) {
      expect(served.exchange(queryOctets(Name.parse("example."), type))).toBe(NOT_A_QUERY);
    }
  });

  test("§4.1.1 ID and RD come back; QR is set; RA, AD and CD never are", () => {
    const { header } = served.ask("ns.example. A", { flags: 0x0130 });
    expect(header).toMatchObject({ id: 0x2b1d, flags: 0x8500, questionCount: 1, answerCount: 1 });
    expect(served.ask("ns.example. A", { flags: 0x06b0 }).header.flags).toBe(0x8400);
  });

  test("a response and a short datagram stay unanswered", () => {
    expect(served.exchange(queryOctets(Name.parse("ns.example."), 1, { flags: 0x8000 }))).toBe(SILENCE);
    for (let length = 0; length < 12; length++)
      expect(served.exchange(base.subarray(0, length))).toBe(SILENCE);
  });

  test("a question that fast reading did not see, pointing into the header, is FORMERR", () => {
    // The dispatcher hands over messages that it decoded whole; the octets must still be a plain name.
    const octets = question(0xc0, 4, ...typeAndClass);
    const { answerer } = served;
    answerer.question.begin(0, 1, octets.length);
    const out = new Uint8Array(512);
    const length = answerer.respond(0, octets, out, 512, true);
    expect(out[3]! & 0xf).toBe(1);
    expect(length).toBe(12);
  });
});

describe("§3.1 the root zone", () => {
  const root = serve([
    ".",
    "$TTL 60\n@ SOA ns.test. h.test. 1 900 300 86400 60\n NS ns.test.\nns.test. A 192.0.2.1\ntop NS ns.test.\n*.wild A 192.0.2.2\n",
  ]);
  const soa = ". 60 SOA ns.test. h.test. 1 900 300 86400 60";

  test.each([
    [". SOA", "NOERROR", "aa", [soa], []],
    [". A", "NOERROR", "aa", [], [soa]],
    [". DS", "NOERROR", "aa", [], [soa]],
    ["ns.test. A", "NOERROR", "aa", ["ns.test. 60 A 192.0.2.1"], []],
    ["test. A", "NOERROR", "aa", [], [soa]],
    ["gone. A", "NXDOMAIN", "aa", [], [soa]],
    ["a.b.wild. A", "NOERROR", "aa", ["a.b.wild. 60 A 192.0.2.2"], []],
    ["a.b.top. A", "NOERROR", "", [], ["top. 60 NS ns.test."]],
  ])("%s", (question, rcode, flags, answer, authority) => {
    expect(root.askText(question)).toMatchObject({ rcode, flags, answer, authority });
  });
});
