/** What is made of an upstream server's message: what it must repeat, what of it is an answer, how long that is kept. */
import { describe, expect, test } from "vitest";
import type { Asked } from "../../../src/forward/asked.ts";
import { encodeQuery } from "../../../src/forward/outgoing.ts";
import { judgeReply } from "../../../src/forward/reply.ts";
import type { ReplyVerdict } from "../../../src/forward/reply.ts";
import { writeAnswer } from "../../../src/forward/stored-answer.ts";
import { Rcode } from "../../../src/wire/iana/code.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { typeFromText } from "../../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { rr } from "../../support/rr.ts";
import { answerText, queryOctets } from "../../support/zones.ts";

const LIMITS = { maxTtl: 86_400, maxNegativeTtl: 900 };
const SOA = "ns.corp.example. h.corp.example. 1 900 300 86400 60";

interface Reply {
  readonly asked: string;
  readonly answer?: readonly string[];
  readonly authority?: readonly string[];
  readonly additional?: readonly string[];
  readonly rcode?: number;
  readonly flags?: number;
  readonly dnssecOk?: boolean;
  readonly bailiwick?: string;
  /** The bits that the case of the name is mixed by. */
  readonly caseBits?: Uint8Array;
}

function asked({ asked: text, dnssecOk = false }: Pick<Reply, "asked" | "dnssecOk">): Asked {
  const [name, type] = text.split(" ");
  return { name: Name.parse(name!), type: typeFromText(type!)!, dnssecOk, checkingDisabled: false };
}

function judge(reply: Reply): ReplyVerdict {
  const wish = asked(reply);
  const sent = encodeQuery(wish, { id: 0x1234, edns: true, caseBits: reply.caseBits });
  const bytes = encodeMessage({
    id: 0x1234,
    flags: reply.flags ?? Flag.QR | Flag.RA,
    rcode: reply.rcode ?? 0,
    questions: [{ name: sent.name, type: wish.type, class: RrClass.IN }],
    answers: (reply.answer ?? []).map(rr),
    authorities: (reply.authority ?? []).map(rr),
    additionals: (reply.additional ?? []).map(rr),
  });
  const bailiwick = reply.bailiwick === undefined ? undefined : Name.parse(reply.bailiwick);
  return judgeReply(bytes, sent, wish, bailiwick, LIMITS);
}

/** What a client is told, and for how many seconds it is kept; or why nothing. */
function told(reply: Reply) {
  const verdict = judge(reply);
  if (verdict.kind !== "answer") return verdict.kind === "failed" ? verdict.reason : verdict.kind;
  const wish = asked(reply);
  const message = queryOctets(wish.name, wish.type);
  const client = { message, questionEnd: message.length, edns: false, dnssecOk: false, room: 65_535 };
  const { rcode, answer, authority, additional } = answerText(
    decodeMessage(writeAnswer(verdict.answer, client, { age: 0 })),
  );
  return { rcode, answer, authority, additional, ttl: verdict.answer.ttl };
}

const NOTHING = { authority: [], additional: [] };

describe("RFC 1034 §3.6.2, RFC 6672 §3.2: the chain from the question's name, and nothing beside it", () => {
  test.each<[string, Reply, unknown]>([
    [
      "addresses",
      {
        asked: "www.corp.example. A",
        answer: ["www.corp.example. 300 A 192.0.2.1", "www.corp.example. 300 A 192.0.2.2"],
      },
      {
        rcode: "NOERROR",
        answer: ["www.corp.example. 300 A 192.0.2.1", "www.corp.example. 300 A 192.0.2.2"],
        ...NOTHING,
        ttl: 300,
      },
    ],
    [
      "records of others, of other types and in other sections are left out",
      {
        asked: "www.corp.example. A",
        answer: [
          "www.corp.example. 300 A 192.0.2.1",
          "www.corp.example. 300 AAAA 2001:db8::1",
          "bank.example. 300 A 203.0.113.66",
        ],
        authority: ["example. 300 NS ns.evil.example."],
        additional: ["ns.evil.example. 300 A 203.0.113.66"],
        bailiwick: "corp.example.",
      },
      { rcode: "NOERROR", answer: ["www.corp.example. 300 A 192.0.2.1"], ...NOTHING, ttl: 300 },
    ],
    [
      "aliases, whatever their order; the shortest TTL counts",
      {
        asked: "www.corp.example. A",
        answer: [
          "c.corp.example. 300 A 192.0.2.1",
          "b.corp.example. 60 CNAME c.corp.example.",
          "www.corp.example. 600 CNAME b.corp.example.",
        ],
      },
      {
        rcode: "NOERROR",
        answer: [
          "b.corp.example. 60 CNAME c.corp.example.",
          "c.corp.example. 300 A 192.0.2.1",
          "www.corp.example. 600 CNAME b.corp.example.",
        ],
        ...NOTHING,
        ttl: 60,
      },
    ],
    [
      "an alias that is asked for is the answer",
      {
        asked: "www.corp.example. CNAME",
        answer: ["www.corp.example. 600 CNAME b.corp.example.", "b.corp.example. 300 A 192.0.2.1"],
      },
      { rcode: "NOERROR", answer: ["www.corp.example. 600 CNAME b.corp.example."], ...NOTHING, ttl: 600 },
    ],
    [
      "aliases in a ring end",
      {
        asked: "a.corp.example. A",
        answer: ["a.corp.example. 60 CNAME b.corp.example.", "b.corp.example. 60 CNAME a.corp.example."],
      },
      {
        rcode: "NOERROR",
        answer: ["a.corp.example. 60 CNAME b.corp.example.", "b.corp.example. 60 CNAME a.corp.example."],
        ...NOTHING,
        ttl: 60,
      },
    ],
    [
      "a DNAME without its CNAME gets one",
      {
        asked: "a.old.example. A",
        answer: ["old.example. 60 DNAME new.example.", "a.new.example. 30 A 192.0.2.1"],
      },
      {
        rcode: "NOERROR",
        answer: [
          "a.new.example. 30 A 192.0.2.1",
          "a.old.example. 60 CNAME a.new.example.",
          "old.example. 60 DNAME new.example.",
        ],
        ...NOTHING,
        ttl: 30,
      },
    ],
    [
      "addresses of a host that an SRV names, where the forward is for it",
      {
        asked: "_ldap._tcp.corp.example. SRV",
        answer: [
          "_ldap._tcp.corp.example. 600 SRV 0 0 389 dc1.corp.example.",
          "_ldap._tcp.corp.example. 600 SRV 0 0 389 dc.other.example.",
        ],
        additional: [
          "dc1.corp.example. 100 A 192.0.2.10",
          "dc2.corp.example. 100 A 203.0.113.66",
          "dc.other.example. 100 A 203.0.113.66",
        ],
        bailiwick: "corp.example.",
      },
      {
        rcode: "NOERROR",
        answer: [
          "_ldap._tcp.corp.example. 600 SRV 0 0 389 dc.other.example.",
          "_ldap._tcp.corp.example. 600 SRV 0 0 389 dc1.corp.example.",
        ],
        authority: [],
        additional: ["dc1.corp.example. 100 A 192.0.2.10"],
        ttl: 100,
      },
    ],
    [
      "a TTL is capped",
      { asked: "www.corp.example. A", answer: ["www.corp.example. 999999 A 192.0.2.1"] },
      { rcode: "NOERROR", answer: ["www.corp.example. 86400 A 192.0.2.1"], ...NOTHING, ttl: 86_400 },
    ],
    [
      "a TTL of 0 is passed on and not kept",
      { asked: "www.corp.example. A", answer: ["www.corp.example. 0 A 192.0.2.1"] },
      { rcode: "NOERROR", answer: ["www.corp.example. 0 A 192.0.2.1"], ...NOTHING, ttl: 0 },
    ],
  ])("%s", (_what, reply, expected) => {
    expect(told(reply)).toEqual(expected);
  });
});

describe("RFC 2308: that there is nothing, and for how long", () => {
  const soa = (ttl: number): string[] => [`corp.example. ${ttl} SOA ${SOA}`];
  test.each<[string, Reply, unknown]>([
    [
      "NXDOMAIN: the least of the SOA's TTL and MINIMUM",
      { asked: "gone.corp.example. A", rcode: Rcode.NXDOMAIN, authority: soa(3600) },
      { rcode: "NXDOMAIN", answer: [], authority: soa(60), additional: [], ttl: 60 },
    ],
    [
      "NODATA",
      { asked: "www.corp.example. AAAA", authority: soa(30) },
      { rcode: "NOERROR", answer: [], authority: soa(30), additional: [], ttl: 30 },
    ],
    [
      "and no longer than the cap",
      {
        asked: "gone.corp.example. A",
        rcode: Rcode.NXDOMAIN,
        authority: ["corp.example. 9000 SOA ns.corp.example. h.corp.example. 1 900 300 86400 9000"],
      },
      {
        rcode: "NXDOMAIN",
        answer: [],
        authority: ["corp.example. 900 SOA ns.corp.example. h.corp.example. 1 900 300 86400 9000"],
        additional: [],
        ttl: 900,
      },
    ],
    [
      "at the end of an alias",
      {
        asked: "www.corp.example. A",
        rcode: Rcode.NXDOMAIN,
        answer: ["www.corp.example. 20 CNAME gone.corp.example."],
        authority: soa(3600),
      },
      {
        rcode: "NXDOMAIN",
        answer: ["www.corp.example. 20 CNAME gone.corp.example."],
        authority: soa(60),
        additional: [],
        ttl: 20,
      },
    ],
    [
      "without an SOA it is not kept (§5)",
      { asked: "gone.corp.example. A", rcode: Rcode.NXDOMAIN },
      { rcode: "NXDOMAIN", answer: [], ...NOTHING, ttl: 0 },
    ],
    [
      "the SOA of a zone that the name is not in is none",
      { asked: "gone.corp.example. A", rcode: Rcode.NXDOMAIN, authority: [`other.example. 60 SOA ${SOA}`] },
      { rcode: "NXDOMAIN", answer: [], ...NOTHING, ttl: 0 },
    ],
    [
      "a referral is no answer (§2.2)",
      { asked: "www.corp.example. A", authority: ["corp.example. 60 NS ns.corp.example."] },
      "a referral: it does not recurse",
    ],
    [
      "records of the name beside NXDOMAIN are a contradiction",
      {
        asked: "www.corp.example. A",
        rcode: Rcode.NXDOMAIN,
        answer: ["www.corp.example. 20 A 192.0.2.1"],
      },
      "NXDOMAIN with an answer in it",
    ],
    ["SERVFAIL", { asked: "www.corp.example. A", rcode: Rcode.SERVFAIL }, "SERVFAIL"],
    ["TC", { asked: "www.corp.example. A", flags: Flag.QR | Flag.TC }, "truncated"],
    ["no response", { asked: "www.corp.example. A", flags: 0 }, "foreign"],
  ])("%s", (_what, reply, expected) => {
    expect(told(reply)).toEqual(expected);
  });
});

test("which failures tell against the server, and which may be EDNS's fault", () => {
  const kinds = [Rcode.FORMERR, Rcode.NOTIMP, Rcode.SERVFAIL, Rcode.REFUSED].map((rcode) =>
    judge({ asked: "www.corp.example. A", rcode }),
  );
  expect(kinds).toMatchObject([
    { tryPlain: true, unwilling: true },
    { tryPlain: true, unwilling: true },
    { tryPlain: false, unwilling: false },
    { tryPlain: false, unwilling: true },
  ]);
});

const sig = (name: string, covered: string): string =>
  `${name} 300 TYPE46 \\# 24 ${typeFromText(covered)!.toString(16).padStart(4, "0")}0d02000000000000000000000000000000000000aabb`;

describe("DNSSEC, for clients that validate", () => {
  const answer = ["www.corp.example. 300 A 192.0.2.1"];

  test("signatures come with DO, those of what is answered", () => {
    const reply = {
      asked: "www.corp.example. A",
      answer: [...answer, sig("www.corp.example.", "A"), sig("www.corp.example.", "TXT")],
    };
    expect(told(reply)).toMatchObject({ answer });
    const withDo = told({ ...reply, dnssecOk: true });
    expect(withDo).toMatchObject({ answer: [answer[0], expect.stringContaining("RRSIG")] });
  });

  test("so do proofs that there is nothing", () => {
    const reply = {
      asked: "gone.corp.example. A",
      rcode: Rcode.NXDOMAIN,
      authority: [
        `corp.example. 60 SOA ${SOA}`,
        "a.corp.example. 60 TYPE47 \\# 3 000000",
        "x.corp.example. 60 NS a.",
      ],
    };
    expect(told(reply)).toMatchObject({ authority: [expect.stringContaining("SOA")] });
    expect(told({ ...reply, dnssecOk: true })).toMatchObject({
      authority: [expect.stringContaining("NSEC"), expect.stringContaining("SOA")],
    });
  });
});

test("the case that was mixed for the query is taken back, in owners and where names end with the question's", () => {
  const caseBits = Uint8Array.from({ length: 32 }, () => 0xff);
  const reply = {
    asked: "www.Corp.example. A",
    answer: ["WWW.CORP.EXAMPLE. 60 CNAME cdn.CORP.EXAMPLE.", "cdn.CORP.EXAMPLE. 60 CNAME Else.net."],
    authority: ["EXAMPLE. 60 SOA ns.CORP.EXAMPLE. h.EXAMPLE. 1 2 3 4 5"],
    caseBits,
  };
  expect(judge({ ...reply, asked: "www.Corp.example. A" })).toMatchObject({ kind: "answer" });
  expect(told(reply)).toMatchObject({
    answer: ["cdn.Corp.example. 60 CNAME Else.net.", "www.Corp.example. 60 CNAME cdn.Corp.example."],
  });
  const negative = { asked: "www.Corp.example. AAAA", authority: reply.authority, caseBits };
  expect(told(negative)).toMatchObject({
    authority: ["example. 5 SOA ns.Corp.example. h.example. 1 2 3 4 5"],
  });
});
