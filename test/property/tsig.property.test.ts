/** Whatever is signed is verified, and nothing that was changed on its way is. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ClientSequence, ClientTransaction } from "../../src/auth/tsig/client.ts";
import type { TsigKey } from "../../src/auth/tsig/key.ts";
import { keyRing, leastMacLength, TSIG_ALGORITHMS } from "../../src/auth/tsig/key.ts";
import { verifyRequest } from "../../src/auth/tsig/server.ts";
import { WireError } from "../../src/wire/error.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import type { Message } from "../../src/wire/message.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { record } from "../../src/wire/record.ts";

const NOW = 1_800_000_000;

const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
const name = fc
  .array(label, { minLength: 1, maxLength: 5 })
  .map((labels) => Name.parse(`${labels.join(".")}.`));

const key: fc.Arbitrary<TsigKey> = fc
  .record({
    name,
    algorithm: fc.constantFrom(...TSIG_ALGORITHMS),
    secret: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    cut: fc.boolean(),
  })
  .map(({ cut, ...key }) => (cut ? { ...key, macLength: leastMacLength(key.algorithm) } : key));

const message = fc
  .record({
    id: fc.nat(0xffff),
    name,
    texts: fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 4 }),
  })
  .map(({ id, name, texts }) =>
    encodeMessage({
      id,
      flags: 0x2800,
      rcode: 0,
      questions: [{ name, type: RrType.SOA, class: 1 }],
      authorities: texts.map((text) => record(name, RrType.TXT, 300, Uint8Array.of(text.length, ...text))),
    }),
  );

test("a request, its reply, and both sides agree", () => {
  fc.assert(
    fc.property(key, message, message, fc.integer({ min: -300, max: 300 }), (key, request, reply, skew) => {
      const sent = ClientTransaction.start(key, request, NOW);
      const verdict = verifyRequest(
        sent.message,
        decodeMessage(sent.message).tsig!,
        keyRing([key]),
        NOW + skew,
      );
      if (!verdict.ok) throw new Error(verdict.reason);
      expect(verdict.transaction.key.equals(key.name)).toBe(true);

      const signed = verdict.transaction.sign(reply, NOW + skew);
      expect(signed.length - reply.length).toBe(verdict.transaction.overhead);
      expect(sent.transaction.verify(signed, decodeMessage(signed).tsig, NOW)).toEqual({ ok: true });
    }),
    { numRuns: 300 },
  );
});

test("a stream, and both sides agree", () => {
  fc.assert(
    fc.property(key, message, fc.array(message, { minLength: 1, maxLength: 12 }), (key, request, stream) => {
      const sent = ClientSequence.start(key, request, NOW);
      const verdict = verifyRequest(sent.message, decodeMessage(sent.message).tsig!, keyRing([key]), NOW);
      if (!verdict.ok) throw new Error(verdict.reason);
      const sequence = verdict.transaction.sequence();
      for (const one of stream) {
        const signed = sequence.sign(one, NOW);
        expect(sent.sequence.verify(signed, decodeMessage(signed).tsig, NOW)).toEqual({
          ok: true,
          pending: 0,
        });
      }
      expect(sent.sequence.finish()).toEqual({ ok: true });
    }),
    { numRuns: 100 },
  );
});

/**
 * What RFC 8945 leaves unprotected: the header's ID (§4.3.2 puts the original one back), and the case of letters in
 * the TSIG's own names (§4.3.3 digests them in lower case).
 */
function isUnprotected(bytes: Uint8Array, tsigStart: number, key: TsigKey, bit: number): boolean {
  const at = bit >> 3;
  if (at < 2) return true;
  const nameEnd = tsigStart + key.name.wire.length;
  const algorithmStart = nameEnd + 10;
  const inNames =
    (at >= tsigStart && at < nameEnd) ||
    (at >= algorithmStart && at < algorithmStart + key.algorithm.name.wire.length);
  return inNames && bit % 8 === 5 && /[a-z]/i.test(String.fromCharCode(bytes[at]!));
}

test("any single bit changed is noticed", () => {
  fc.assert(
    fc.property(key, message, fc.nat(), (key, request, where) => {
      const { message: bytes } = ClientTransaction.start(key, request, NOW);
      const bit = where % (bytes.length * 8);
      fc.pre(!isUnprotected(bytes, request.length, key, bit));
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      let decoded: Message;
      try {
        decoded = decodeMessage(bytes);
      } catch (error) {
        if (error instanceof WireError) return;
        throw error;
      }
      // Without its TSIG the request is unsigned, and has an unsigned one's rights.
      if (decoded.tsig === undefined) return;
      expect(verifyRequest(bytes, decoded.tsig, keyRing([key]), NOW).ok).toBe(false);
    }),
    { numRuns: 3000 },
  );
});

test("the bits that RFC 8945 does not protect change nothing", () => {
  fc.assert(
    fc.property(key, message, fc.nat(), (key, request, where) => {
      const { message: bytes } = ClientTransaction.start(key, request, NOW);
      const bits = Array.from({ length: bytes.length * 8 }, (_, bit) => bit);
      const free = bits.filter((bit) => isUnprotected(bytes, request.length, key, bit));
      const bit = free[where % free.length]!;
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(verifyRequest(bytes, decodeMessage(bytes).tsig!, keyRing([key]), NOW).ok).toBe(true);
    }),
    { numRuns: 300 },
  );
});
