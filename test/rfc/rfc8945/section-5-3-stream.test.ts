/** RFC 8945 §5.3.1: the messages of a transfer, signed one after another. */
import { describe, expect, test } from "vitest";
import { ClientSequence, MAX_UNSIGNED_MESSAGES } from "../../../src/auth/tsig/client.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import { accept, fields, ID, KEY, NOW, SECRET, signedUpdate } from "./fixture.ts";
import { hmac, sized, timers, update, updateReply, variables, withTsig } from "./by-hand.ts";

/** Any reply does for a message of the stream. */
const message = (n: number): Uint8Array => updateReply(ID, n % 16);

/** A sequence, and its request's MAC. */
function start(): { sequence: ClientSequence; requestMac: Uint8Array } {
  const { sequence } = ClientSequence.start(KEY, update(ID), NOW);
  return { sequence, requestMac: hmac("sha256", SECRET, update(ID), variables(fields())) };
}

/** Signs as a server would that signs only some messages: the unsigned before are digested too. */
function sign(prior: Uint8Array, bytes: Uint8Array, unsigned: Uint8Array[], first: boolean, time = NOW) {
  const tsig = fields({ time });
  const stamp = first ? variables(tsig) : timers(tsig);
  const mac = hmac("sha256", SECRET, sized(prior), ...unsigned, bytes, stamp);
  return { mac, bytes: withTsig(bytes, { ...tsig, mac }) };
}

const check = (sequence: ClientSequence, bytes: Uint8Array, now = NOW) =>
  sequence.verify(bytes, decodeMessage(bytes).tsig, now);

describe("RFC 8945 §5.3.1: the server", () => {
  test("signs every message: the first over request MAC and variables, the others over the prior MAC and timers", () => {
    const { bytes, mac } = signedUpdate();
    const sequence = accept(bytes).sequence();
    let prior = mac;
    for (let n = 0; n < 4; n++) {
      const expected = sign(prior, message(n), [], n === 0, NOW + n);
      const signed = sequence.sign(message(n), NOW + n);
      expect(signed).toEqual(expected.bytes);
      expect(sequence.overhead).toBe(signed.length - message(n).length);
      prior = expected.mac;
    }
  });

  test("and a client that expects a single answer accepts the first", () => {
    const { bytes } = signedUpdate();
    const transaction = accept(bytes);
    expect(transaction.sequence().sign(message(0), NOW)).toEqual(transaction.sign(message(0), NOW));
  });
});

describe("RFC 8945 §5.3.1: the client", () => {
  test("accepts a stream that is signed throughout", () => {
    const { sequence, requestMac } = start();
    let prior = requestMac;
    for (let n = 0; n < 3; n++) {
      const signed = sign(prior, message(n), [], n === 0);
      expect(check(sequence, signed.bytes)).toEqual({ ok: true, pending: 0 });
      prior = signed.mac;
    }
    expect(sequence.finish()).toEqual({ ok: true });
  });

  test.each([1, 2, MAX_UNSIGNED_MESSAGES])("accepts %i unsigned messages before a signed one", (count) => {
    const { sequence, requestMac } = start();
    const first = sign(requestMac, message(0), [], true);
    check(sequence, first.bytes);
    const unsigned = Array.from({ length: count }, (_, n) => message(n));
    for (const [n, bytes] of unsigned.entries()) {
      expect(check(sequence, bytes)).toEqual({ ok: true, pending: n + 1 });
    }
    expect(check(sequence, sign(first.mac, message(7), unsigned, false).bytes)).toEqual({
      ok: true,
      pending: 0,
    });
    expect(sequence.finish()).toEqual({ ok: true });
  });

  test("refuses the hundredth unsigned message, and all after it", () => {
    const { sequence, requestMac } = start();
    const first = sign(requestMac, message(0), [], true);
    check(sequence, first.bytes);
    for (let n = 0; n < MAX_UNSIGNED_MESSAGES; n++) check(sequence, message(n));
    expect(check(sequence, message(0))).toMatchObject({ ok: false, fault: "unsigned" });
    expect(check(sequence, first.bytes)).toMatchObject({ ok: false, fault: "unsigned" });
    expect(sequence.finish()).toMatchObject({ ok: false, fault: "unsigned" });
  });

  test("refuses an unsigned first message", () => {
    const { sequence } = start();
    expect(check(sequence, message(0))).toMatchObject({ ok: false, fault: "unsigned" });
  });

  test("refuses an end without a signature", () => {
    const { sequence, requestMac } = start();
    check(sequence, sign(requestMac, message(0), [], true).bytes);
    check(sequence, message(1));
    expect(sequence.finish()).toMatchObject({ ok: false, fault: "unsigned" });
  });

  test("refuses a stream of no messages", () => {
    expect(start().sequence.finish()).toMatchObject({ ok: false, fault: "unsigned" });
  });

  test("refuses a changed unsigned message once the next signature comes", () => {
    const { sequence, requestMac } = start();
    const first = sign(requestMac, message(0), [], true);
    check(sequence, first.bytes);
    check(sequence, message(1));
    const verdict = check(sequence, sign(first.mac, message(3), [message(2)], false).bytes);
    expect(verdict).toMatchObject({ ok: false, fault: "bad-mac" });
  });

  test.each([
    ["left out", [0, 2]],
    ["doubled", [0, 1, 1]],
    ["out of order", [0, 2, 1]],
  ])("refuses a message %s", (_, order) => {
    const { sequence, requestMac } = start();
    const stream: Uint8Array[] = [];
    let prior = requestMac;
    for (let n = 0; n < 3; n++) {
      const signed = sign(prior, message(n), [], n === 0);
      stream.push(signed.bytes);
      prior = signed.mac;
    }
    const verdicts = order.map((n) => check(sequence, stream[n]!));
    expect(verdicts.at(-1)).toMatchObject({ ok: false, fault: "bad-mac" });
  });

  test("refuses a later message signed with its variables, as if it were a first", () => {
    const { sequence, requestMac } = start();
    const first = sign(requestMac, message(0), [], true);
    check(sequence, first.bytes);
    expect(check(sequence, sign(first.mac, message(1), [], true).bytes)).toMatchObject({ fault: "bad-mac" });
  });

  test("checks the time of every message", () => {
    const { sequence, requestMac } = start();
    const first = sign(requestMac, message(0), [], true);
    check(sequence, first.bytes);
    const late = sign(first.mac, message(1), [], false, NOW + 500);
    expect(check(sequence, late.bytes)).toMatchObject({ ok: false, fault: "bad-time" });
  });

  test("keeps its own copy of unsigned messages", () => {
    const { sequence, requestMac } = start();
    const first = sign(requestMac, message(0), [], true);
    check(sequence, first.bytes);
    const buffer = message(1);
    check(sequence, buffer);
    buffer.fill(0);
    const last = sign(first.mac, message(2), [message(1)], false);
    expect(check(sequence, last.bytes)).toEqual({ ok: true, pending: 0 });
  });
});
