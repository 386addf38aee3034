/** Answers as clients get them: TTLs that count down, turns, what does not fit, what is made up. */
import { describe, expect, test } from "vitest";
import type { ClientQuery } from "../../../src/forward/asked.ts";
import { askedOf, keyOf, nameKeyOf } from "../../../src/forward/asked.ts";
import { Routes } from "../../../src/forward/routes.ts";
import {
  madeUpNegative,
  storeAnswer,
  writeAnswer,
  writeError,
  writeRefusal,
} from "../../../src/forward/stored-answer.ts";
import { readEde } from "../../../src/wire/edns.ts";
import { Rcode } from "../../../src/wire/iana/code.ts";
import { RrType, typeFromText } from "../../../src/wire/iana/type.ts";
import { decodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { rr } from "../../support/rr.ts";
import { answerText, queryOctets } from "../../support/zones.ts";
import type { AskOptions } from "../../support/zones.ts";

function client(text: string, room = 65_535, options: AskOptions = {}): ClientQuery {
  const [name, type] = text.split(" ");
  const message = queryOctets(Name.parse(name!), typeFromText(type!)!, options);
  const questionEnd = 12 + Name.parse(name!).wire.length + 4;
  return {
    message,
    questionEnd,
    edns: options.edns !== undefined,
    dnssecOk: options.edns?.dnssecOk ?? false,
    room,
  };
}

const stored = (ttl: number, ...answers: string[]) =>
  storeAnswer(Name.parse("www.corp.example."), RrType.A, {
    rcode: 0,
    answers: answers.map(rr),
    authorities: [],
    additionals: [],
    ttl,
  });

const WWW = stored(300, "www.corp.example. 300 A 192.0.2.1", "www.corp.example. 60 A 192.0.2.2");

const told = (age: number) =>
  answerText(decodeMessage(writeAnswer(WWW, client("WWW.Corp.example. A"), { age }))).answer;

test("TTLs count down, each from its own, never below 0; the question keeps the client's case", () => {
  expect(told(0)).toEqual(["WWW.Corp.example. 300 A 192.0.2.1", "WWW.Corp.example. 60 A 192.0.2.2"]);
  expect(told(59)).toEqual(["WWW.Corp.example. 1 A 192.0.2.2", "WWW.Corp.example. 241 A 192.0.2.1"]);
  expect(told(500)).toEqual(["WWW.Corp.example. 0 A 192.0.2.1", "WWW.Corp.example. 0 A 192.0.2.2"]);
});

test("past its time all TTLs are the same, and the reason is told to who speaks EDNS", () => {
  const telling = { age: 900, staleTtl: 30, ede: { code: 3, text: "stale" } };
  const message = decodeMessage(writeAnswer(WWW, client("www.corp.example. A", 512, { edns: {} }), telling));
  expect(message.answers.map(({ ttl }) => ttl)).toEqual([30, 30]);
  expect(readEde(message.edns!.options[0]!.data)).toEqual({ code: 3, text: "stale" });
});

test("flags: QR and RA, RD and CD as asked, never AA or AD", () => {
  const query = client("www.corp.example. A", 512, { flags: Flag.RD | Flag.CD | Flag.AD });
  expect(decodeMessage(writeAnswer(WWW, query, { age: 0 })).header.flags).toBe(
    Flag.QR | Flag.RA | Flag.RD | Flag.CD,
  );
  expect(decodeMessage(writeRefusal(query, { code: 18, text: "no" })).header.flags).toBe(
    Flag.QR | Flag.RD | Flag.CD | Rcode.REFUSED,
  );
});

test("what does not fit is cut to the question with TC; the reason goes before the answer does", () => {
  const query = client("www.corp.example. A", 40, {});
  const cut = decodeMessage(writeAnswer(WWW, query, { age: 0 }));
  expect([cut.header.flags & Flag.TC, cut.answers.length, cut.questions.length]).toEqual([Flag.TC, 0, 1]);
  const tight = client("www.corp.example. A", 50, { edns: {} });
  const error = writeError(tight, Rcode.SERVFAIL, { code: 22, text: "nobody answers" });
  expect(error.length).toBeLessThanOrEqual(50);
  expect(decodeMessage(error)).toMatchObject({ header: { rcode: Rcode.SERVFAIL }, edns: { options: [] } });
});

const first = (answer: ReturnType<typeof stored>, turn: number): string => {
  const bytes = writeAnswer(answer, client("www.corp.example. A"), { age: 0, turn });
  return decodeMessage(bytes)
    .answers.map(({ type, rdata }) => (type === RrType.A ? rdata[3] : "-"))
    .join(" ");
};

describe("RFC 1794: several addresses take turns", () => {
  test("in their order, from another one each time", () => {
    const three = stored(60, ...[1, 2, 3].map((i) => `www.corp.example. 60 A 192.0.2.${i}`));
    expect([0, 1, 2, 3].map((turn) => first(three, turn))).toEqual(["1 2 3", "2 3 1", "3 1 2", "1 2 3"]);
  });

  test("behind an alias too, which stays first", () => {
    const alias = stored(
      60,
      "www.corp.example. 60 CNAME a.corp.example.",
      "a.corp.example. 60 A 192.0.2.1",
      "a.corp.example. 60 A 192.0.2.2",
    );
    expect(first(alias, 0)).toBe("- 1 2");
    expect(first(alias, 1)).toBe("- 2 1");
    const names = decodeMessage(writeAnswer(alias, client("www.corp.example. A"), { age: 0, turn: 1 }));
    expect(names.answers.map(({ name }) => name.toString())).toEqual([
      "www.corp.example.",
      "a.corp.example.",
      "a.corp.example.",
    ]);
  });
});

test("a made-up answer can be kept, and names no zone that a host could register in", () => {
  const query = client("fileserver. A", 512, { edns: {} });
  expect(answerText(decodeMessage(writeAnswer(madeUpNegative(Rcode.NXDOMAIN), query, { age: 0 })))).toEqual({
    rcode: "NXDOMAIN",
    flags: "ra",
    answer: [],
    authority: [". 60 SOA . nobody.invalid. 1 3600 1200 604800 60"],
    additional: [],
  });
});

test("questions are the same but for case, and differ in type, DO and CD", () => {
  const key = (text: string, options?: AskOptions): string => keyOf(client(text, 512, options));
  expect(key("WWW.Corp.example. A")).toBe(key("www.corp.example. A"));
  const others = [
    key("www.corp.example. A"),
    key("www.corp.example. AAAA"),
    key("www.corp.example. A", { edns: { dnssecOk: true } }),
    key("www.corp.example. A", { flags: Flag.CD }),
    key("ww.corp.example. A"),
  ];
  expect(new Set(others).size).toBe(others.length);
  const { name, type, checkingDisabled } = askedOf(client("WWW.Corp.example. A", 512, { flags: Flag.CD }));
  expect([name.toString(), type, checkingDisabled]).toEqual(["WWW.Corp.example.", RrType.A, true]);
  expect(nameKeyOf(key("WWW.Corp.example. A"))).toBe(name.key);
});

test("the longest suffix is the route", () => {
  const routes = new Routes<string>();
  for (const [suffix, target] of [
    ["corp.example.", "corp"],
    ["lab.corp.example.", "lab"],
    [".", "all"],
  ]) {
    routes.add(Name.parse(suffix!), target!);
  }
  const found = ["www.corp.example.", "corp.example.", "x.lab.corp.example.", "xcorp.example.", "."].map(
    (text) => routes.find(Name.parse(text).key)?.target,
  );
  expect(found).toEqual(["corp", "corp", "lab", "all", "all"]);
  expect(new Routes<string>().find(Name.parse("a.").key)).toBeUndefined();
});
