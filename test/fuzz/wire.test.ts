/** Mutants of real messages: the decoder refuses or understands them, and never does anything else. */
import { expect, test } from "vitest";
import { RrClass } from "../../src/wire/iana/class.ts";
import { WireError } from "../../src/wire/error.ts";
import type { Message } from "../../src/wire/message.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { rdataFromText, rdataKey, rdataNames, rdataToText } from "../../src/wire/rdata/rdata.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { recordKey } from "../support/arbitrary.ts";
import { fuzz, fuzzSettings } from "../support/mutate.ts";
import { fieldsOf, splitFields } from "../support/rdata.ts";
import { corpus } from "./corpus.ts";

/** The message, or undefined where a WireError refuses it. Every other error is thrown on. */
function decode(bytes: Uint8Array): Message | undefined {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function recordsOf(message: Message): ResourceRecord[] {
  return [...message.answers, ...message.authorities, ...message.additionals];
}

/** Octets that decoding made: names and RDATA. */
function decodedOctets(message: Message): number {
  let sum = 0;
  for (const { name } of message.questions) sum += name.wire.length;
  for (const { name, rdata } of recordsOf(message)) sum += name.wire.length + rdata.length;
  return sum;
}

test("the corpus itself is mostly well formed", () => {
  expect(corpus.filter((bytes) => decode(bytes) !== undefined).length).toBeGreaterThanOrEqual(8);
});

test("mutants are refused by a WireError, or mean the same when encoded again", () => {
  let understood = 0;
  const settings = fuzzSettings(20_000);
  fuzz(corpus, settings, (mutant) => {
    const message = decode(mutant);
    if (message === undefined) return;
    understood++;
    // What a pointer of two octets can grow to bounds the work.
    expect(decodedOctets(message)).toBeLessThanOrEqual(mutant.length * 128);
    const records = recordsOf(message);
    const parts = { id: 1, flags: 0, rcode: 0, questions: message.questions, answers: records };
    let encoded: Uint8Array;
    try {
      encoded = encodeMessage(parts);
    } catch (error) {
      // Names that may not be compressed can make a message grow beyond 64 KiB.
      if (error instanceof WireError && error.code === "WIRE_FULL") return;
      throw error;
    }
    expect(decodeMessage(encoded).answers.map(recordKey)).toEqual(records.map(recordKey));
  });
  // The mutator must not only make noise.
  expect(understood).toBeGreaterThan(settings.runs / 20);
});

test("RDATA that is understood has a text that reads back as the same octets", () => {
  fuzz(corpus, fuzzSettings(5000), (mutant) => {
    for (const { type, class: rrClass, rdata } of decode(mutant)?.answers ?? []) {
      if (rrClass !== RrClass.IN) continue;
      const text = rdataToText(type, rdata);
      expect(rdataFromText(type, fieldsOf(splitFields(text), Name.root))).toEqual(rdata);
      expect(rdataKey(type, rdata)).toHaveLength(rdata.length);
      for (const name of rdataNames(type, rdata)) expect(name.wire.length).toBeLessThanOrEqual(255);
    }
  });
});

test("a message that is all pointers stays cheap", () => {
  // 4,681 NS records of 14 octets, each of two pointers to a name of 255 octets: the most that compression can buy.
  const long = Name.parse("a.".repeat(127)).wire;
  const head = Uint8Array.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...long, 0, 6, 0, 1]);
  const count = Math.floor((0xffff - head.length) / 14);
  const bytes = new Uint8Array(head.length + 14 * count);
  bytes.set(head);
  for (let i = 0; i < count; i++) {
    bytes.set([0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 12], head.length + 14 * i);
  }
  bytes[6] = count >> 8;
  bytes[7] = count & 0xff;
  const message = decodeMessage(bytes);
  expect(message.answers).toHaveLength(count);
  expect(decodedOctets(message)).toBeLessThanOrEqual(bytes.length * 40);
});
