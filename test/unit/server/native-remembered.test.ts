/** What answer threads give by themselves of other servers' answers: to whom, for how long, and none of another time. */
import { beforeEach, describe, expect, test } from "vitest";
import { keyOf } from "../../../src/forward/asked.ts";
import { storeAnswer } from "../../../src/forward/stored-answer.ts";
import { QuestionReader } from "../../../src/protocol/question.ts";
import { RememberedAnswers } from "../../../src/server/native/remembered.ts";
import { SOCKADDR_BYTES, writeSockaddr } from "../../../src/server/native/sockaddr.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { rr } from "../../support/rr.ts";
import { answerText, queryOctets } from "../../support/zones.ts";

const NAME = Name.parse("www.corp.example.");
const ANSWER = storeAnswer(NAME, RrType.A, {
  rcode: 0,
  answers: [rr("www.corp.example. 10 A 192.0.2.1")],
  authorities: [],
  additionals: [],
  ttl: 10,
});
const QUERY = queryOctets(NAME, RrType.A, { edns: {} });

function questionOf(message: Uint8Array): QuestionReader {
  const question = new QuestionReader();
  question.read(message, message.length);
  return question;
}

const KEY = keyOf({
  message: QUERY,
  questionEnd: 12 + NAME.wire.length + 4,
  edns: true,
  dnssecOk: false,
  room: 512,
});

let remembered: RememberedAnswers;
const out = new Uint8Array(1232);

/** What the client of an address is told at a time; undefined where it has to be asked elsewhere. */
function told(address: string, now: number): readonly string[] | "refused" | undefined {
  const bytes = new Uint8Array(4 + SOCKADDR_BYTES);
  writeSockaddr(bytes, 4, address, 1024 + now);
  if (!remembered.admits(bytes, 4)) return "refused";
  const length = remembered.answer(QUERY, questionOf(QUERY), out, now);
  return length === 0 ? undefined : answerText(decodeMessage(out.slice(0, length))).answer;
}

beforeEach(() => {
  remembered = new RememberedAnswers();
  remembered.configure([["10.0.0.0/8", "2001:db8::/32"], ["192.0.2.0/24"]], 1);
  remembered.put({ key: KEY, answer: ANSWER, age: 3000, group: 0, generation: 1 }, 100_000);
});

test("counts down from when it was given, and is gone with its time", () => {
  expect(told("10.1.2.3", 100_000)).toEqual(["www.corp.example. 7 A 192.0.2.1"]);
  expect(told("10.1.2.3", 105_500)).toEqual(["www.corp.example. 2 A 192.0.2.1"]);
  expect(told("10.1.2.3", 107_000)).toBeUndefined();
});

describe("for whom", () => {
  test("the clients of its forward; those of another one have to ask, and strangers may not", () => {
    const addresses = ["10.1.2.3", "2001:db8::7", "192.0.2.7", "198.51.100.1", "::ffff:10.1.2.3", "10.9.9.9"];
    const mine = ["www.corp.example. 7 A 192.0.2.1"];
    const all = [mine, mine, undefined, "refused", mine, mine];
    expect(addresses.map((address) => told(address, 100_000))).toEqual(all);
    // In any order, and several times: who asked last does not matter.
    expect(addresses.toReversed().map((address) => told(address, 100_001))).toEqual(all.toReversed());
  });

  test("other networks take effect at once", () => {
    expect(told("10.1.2.3", 100_000)).toBeInstanceOf(Array);
    remembered.configure([["192.0.2.0/24"]], 1);
    expect(told("10.1.2.3", 100_000)).toBe("refused");
    expect(told("192.0.2.1", 100_000)).toBeInstanceOf(Array);
  });
});

test("what was answered for other forwards is neither kept nor given", () => {
  remembered.configure([["10.0.0.0/8"]], 2);
  expect(told("10.1.2.3", 100_000)).toBeUndefined();
  remembered.put({ key: KEY, answer: ANSWER, age: 0, group: 0, generation: 1 }, 100_000);
  expect(told("10.1.2.3", 100_000)).toBeUndefined();
  remembered.put({ key: KEY, answer: ANSWER, age: 0, group: 0, generation: 2 }, 100_000);
  expect(told("10.1.2.3", 100_000)).toBeInstanceOf(Array);
});
