/** Whatever an upstream server sends: it is judged without throwing, and what is passed on can be read and is asked for. */
import { expect, test } from "vitest";
import type { Asked } from "../../src/forward/asked.ts";
import { encodeQuery } from "../../src/forward/outgoing.ts";
import { judgeReply } from "../../src/forward/reply.ts";
import { writeAnswer } from "../../src/forward/stored-answer.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage, Flag } from "../../src/wire/message.ts";
import type { MessageParts } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { fuzz, fuzzSettings } from "../support/mutate.ts";
import { rr } from "../support/rr.ts";
import { queryOctets } from "../support/zones.ts";

const SOA = "corp.example. 600 SOA ns.corp.example. h.corp.example. 1 900 300 86400 60";
const LIMITS = { maxTtl: 86_400, maxNegativeTtl: 900 };

function asking(type: number, dnssecOk: boolean): Asked {
  return { name: Name.parse("WWW.corp.example."), type, dnssecOk, checkingDisabled: false };
}

const wishes = [RrType.A, RrType.SRV, RrType.ANY, RrType.CNAME].flatMap((type) => [
  asking(type, false),
  asking(type, true),
]);

/** The lower octet of the type in every message of the corpus. */
const TYPE_AT = 12 + wishes[0]!.name.wire.length + 1;

const parts: Partial<MessageParts>[] = [
  { answers: ["WWW.corp.example. 60 A 192.0.2.1", "www.corp.example. 60 A 192.0.2.2"].map(rr) },
  {
    answers: ["www.corp.example. 60 CNAME a.corp.example.", "a.corp.example. 60 A 192.0.2.1"].map(rr),
    authorities: [rr(SOA)],
  },
  { answers: ["corp.example. 60 DNAME new.example.", "www.new.example. 60 A 192.0.2.1"].map(rr) },
  { rcode: 3, authorities: [rr(SOA), rr("a.corp.example. 60 TYPE47 \\# 3 000000")] },
  {
    answers: [rr("www.corp.example. 60 SRV 0 0 445 fs.corp.example.")],
    additionals: [rr("fs.corp.example. 60 A 192.0.2.1"), rr("fs.corp.example. 60 AAAA 2001:db8::1")],
  },
  { rcode: 2 },
  { flags: Flag.QR | Flag.TC },
];

const corpus = wishes.flatMap((wish) => {
  const { message, name } = encodeQuery(wish, { id: 0x1234, edns: true });
  return [
    message,
    ...parts.map((part) =>
      encodeMessage({
        id: 0x1234,
        flags: Flag.QR | Flag.RA,
        rcode: 0,
        questions: [{ name, type: wish.type, class: RrClass.IN }],
        edns: { udpPayload: 1232, version: 0, extendedRcode: 0, dnssecOk: true, options: [] },
        ...part,
      }),
    ),
  ];
});

test("60,000 mutants of replies", () => {
  const kinds = new Map<string, number>();
  fuzz(corpus, fuzzSettings(60_000), (mutant, random) => {
    // Of the questions one of the same type, so that only mutants of header and question are foreign.
    const wish = random.pick(wishes.filter(({ type }) => type === mutant[TYPE_AT]!)) ?? wishes[0]!;
    const sent = encodeQuery(wish, { id: 0x1234, edns: random.below(2) === 0 });
    const bailiwick = random.pick([undefined, Name.parse("corp.example.")]);
    const verdict = judgeReply(mutant, sent, wish, bailiwick, LIMITS);
    kinds.set(verdict.kind, (kinds.get(verdict.kind) ?? 0) + 1);
    if (verdict.kind !== "answer") return;
    const { answer } = verdict;
    expect(answer.ttl).toBeLessThanOrEqual(LIMITS.maxTtl);
    const query = queryOctets(wish.name, wish.type);
    const room = random.pick([512, 1232, 65_535]);
    const client = { message: query, questionEnd: query.length, edns: false, dnssecOk: false, room };
    const written = writeAnswer(answer, client, { age: random.below(100), turn: random.below(9) });
    expect(written.length).toBeLessThanOrEqual(room);
    const { questions, answers, additionals, header } = decodeMessage(written);
    expect(questions[0]!.name.wire).toEqual(wish.name.wire);
    if ((header.flags & Flag.TC) !== 0) return;
    // Every record of the answer belongs to the question's name or to one that an alias before it names.
    const named = new Set([wish.name.key]);
    for (const { type, rdata } of answers) {
      if (type === RrType.CNAME) named.add(Name.fromWire(rdata).key);
    }
    for (const { name, type } of answers) {
      expect(type === RrType.DNAME || type === RrType.RRSIG || named.has(name.key)).toBe(true);
    }
    for (const { name } of additionals) expect(name.isWithin(bailiwick!)).toBe(true);
  });
  expect([...kinds.keys()].toSorted()).toEqual(["answer", "failed", "foreign", "truncated"]);
  expect(kinds.get("answer")).toBeGreaterThan(1000);
}, 120_000);
