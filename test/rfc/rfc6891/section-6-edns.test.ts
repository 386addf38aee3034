/** RFC 6891: EDNS(0), and how much may go over UDP. */
import { describe, expect, test } from "vitest";
import { Reading } from "../../../src/protocol/question.ts";
import { SILENCE, NOT_A_QUERY } from "../../../src/protocol/query.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { answerText, nsid, queryOctets, serve } from "../../support/zones.ts";

let zone = "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\n";
// RRsets of n records of 100 octets: TXT of 88 octets of RDATA.
for (const count of [4, 5, 10, 11, 12, 40]) {
  for (let i = 0; i < count; i++) zone += `t${count} TXT "${String(i).padStart(87, ".")}"\n`;
}
const served = serve(["example.", zone]);

const question = Name.parse("t4.example.");
const withOpt = (opt: readonly number[], count = 1): Uint8Array => {
  const plain = queryOctets(question, 16);
  const octets = Uint8Array.from([...plain, ...opt]);
  octets[11] = count;
  return octets;
};
/** OPT: root, type 41, payload 1232, no flags, then RDLENGTH and what is given. */
const opt = (...rdata: readonly number[]): number[] => [
  0,
  0,
  41,
  4,
  208,
  0,
  0,
  0,
  0,
  rdata.length >> 8,
  rdata.length & 0xff,
  ...rdata,
];

describe("RFC 6891 §6.2.3 to §6.2.5: payload sizes, held between 512 and 1232", () => {
  // Header and question take 28 octets, OPT 11.
  test.each([
    ["no EDNS: 512", undefined, 4, 5],
    ["0 counts as 512", 0, 4, 5],
    ["511 counts as 512", 511, 4, 5],
    ["512", 512, 4, 5],
    ["1200", 1200, 11, 12],
    ["1232", 1232, 11, 12],
    ["4096 counts as 1232", 4096, 11, 12],
    ["65535 counts as 1232", 65535, 11, 12],
  ])("%s", (_what, payload, fits, tooMany) => {
    const options = payload === undefined ? {} : { edns: { payload } };
    expect(served.ask(`t${fits}.example. TXT`, options).answers).toHaveLength(fits);
    const truncated = served.askText(`t${tooMany}.example. TXT`, options);
    expect(truncated).toMatchObject({ rcode: "NOERROR", flags: "aa tc", answer: [] });
    // TCP has no such limit, whatever the payload says.
    expect(served.ask(`t${tooMany}.example. TXT`, { ...options, tcp: true }).answers).toHaveLength(tooMany);
  });

  test("no answer is longer than its limit, to the octet", () => {
    for (let payload = 512; payload <= 1232; payload++) {
      for (const count of [4, 5, 10, 11]) {
        const options = { edns: { payload }, options: [nsid] };
        const request = queryOctets(Name.parse(`t${count}.example.`), 16, options);
        expect((served.exchange(request, options) as Uint8Array).length).toBeLessThanOrEqual(payload);
      }
    }
  });
});

describe("RFC 6891 §6.1", () => {
  test("§6.1.1 an answer to a request with OPT has one, version 0, our own payload size; another has none", () => {
    expect(served.ask("example. SOA", { edns: {} }).edns).toMatchObject({
      version: 0,
      udpPayload: 1232,
      options: [],
    });
    expect(served.ask("example. SOA").edns).toBeUndefined();
  });

  test("§6.1.3 a version above 0: BADVERS, no answer, the version spoken here", () => {
    for (const version of [1, 2, 255]) {
      const message = served.ask("example. SOA", { edns: { version } });
      expect(answerText(message)).toEqual({
        rcode: "BADVERS",
        flags: "",
        answer: [],
        authority: [],
        additional: [],
      });
      expect(message.edns?.version).toBe(0);
      expect(message.questions).toHaveLength(1);
    }
  });

  test("§6.1.2 unknown options are ignored, and not repeated", () => {
    const options = [
      { code: 10, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
      { code: 8, data: Uint8Array.of(0, 1, 24, 0, 192, 0, 2) },
      { code: 65_001, data: new Uint8Array(0) },
    ];
    const message = served.ask("example. NS", { edns: {}, options });
    expect(message.answers).toHaveLength(1);
    expect(message.edns?.options).toEqual([]);
  });

  test("§6.1.4 DO is copied (RFC 3225 §3), and unknown flags are not", () => {
    expect(served.ask("example. NS", { edns: { dnssecOk: true } }).edns?.dnssecOk).toBe(true);
    expect(served.ask("example. NS", { edns: { dnssecOk: false } }).edns?.dnssecOk).toBe(false);
    const reply = served.exchange(withOpt([0, 0, 41, 4, 208, 0, 0, 0x7f, 0xff, 0, 0])) as Uint8Array;
    expect(reply.slice(-11)).toEqual(Uint8Array.of(0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0));
  });

  test.each([
    ["cut short in its head", [0, 0, 41, 4]],
    ["RDLENGTH beyond the message", [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4]],
    ["an option's head cut short", opt(0, 3, 0)],
    ["an option longer than the RDATA", opt(0, 3, 0, 1)],
    ["a second option longer than the RDATA", opt(0, 10, 0, 1, 9, 0, 3, 0, 200)],
  ])("malformed: %s: FORMERR", (_what, octets) => {
    const message = decodeMessage(served.exchange(withOpt(octets)) as Uint8Array);
    expect(answerText(message).rcode).toBe("FORMERR");
    expect(message.header.id).toBe(0x2b1d);
    expect(message.answers).toEqual([]);
  });

  test("what the fast path does not read is left to the whole decoder: an owner that is not the root, two OPTs", () => {
    expect(served.exchange(withOpt([1, 0x61, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]))).toBe(NOT_A_QUERY);
    expect(served.exchange(withOpt([...opt(), ...opt()], 2))).toBe(NOT_A_QUERY);
  });

  test("octets after the OPT are ignored", () => {
    const reply = decodeMessage(served.exchange(withOpt([...opt(), 1, 2])) as Uint8Array);
    expect(reply.answers).toHaveLength(4);
  });

  test("nothing is said to an answer, or to what is no message", () => {
    const answer = queryOctets(question, 16, { flags: 0x8000 });
    expect(served.exchange(answer)).toBe(SILENCE);
    expect(served.exchange(answer.subarray(0, 11))).toBe(SILENCE);
    expect(served.answerer.question.read(new Uint8Array(0), 0)).toBe(Reading.SILENCE);
  });
});
