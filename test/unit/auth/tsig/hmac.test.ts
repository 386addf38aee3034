import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hmacContext } from "../../../../src/auth/tsig/hmac.ts";
import { TSIG_ALGORITHMS } from "../../../../src/auth/tsig/key.ts";
import { Name } from "../../../../src/wire/name.ts";

/** Around the blocks of the digests, and beyond what is hashed in place. */
const LENGTHS = [0, 1, 63, 64, 65, 127, 128, 129, 4032, 4033, 65_535];

/** Octets that differ from their neighbours. */
function octets(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

describe.each(TSIG_ALGORITHMS)("$text", (algorithm) => {
  const expected = (secret: Uint8Array, message: Uint8Array): Uint8Array =>
    new Uint8Array(createHmac(algorithm.digest, secret).update(message).digest());

  test.each(LENGTHS)("is OpenSSL's HMAC, whatever the lengths of secret and message: %i", (length) => {
    for (const [secretLength, messageLength] of [
      [length, 100],
      [32, length],
      [length, length],
    ] as const) {
      const [secret, message] = [octets(secretLength), octets(messageLength)];
      const context = hmacContext({ name: Name.parse("k."), algorithm, secret });
      const mac = expected(secret, message);
      const middle = messageLength >> 1;
      const parts = [message.subarray(0, middle), new Uint8Array(0), message.subarray(middle)];
      expect(context.mac(parts)).toEqual(mac);
      expect(context.verify(parts, mac)).toBe(true);
      expect(context.verify(parts, mac.with(mac.length - 1, mac.at(-1)! ^ 1))).toBe(false);
    }
  });

  test("a shorter MAC after a longer one is compared over its own octets", () => {
    const context = hmacContext({ name: Name.parse("k."), algorithm, secret: octets(20) });
    const [first, second] = [octets(10), octets(11)];
    expect(context.verify([first], context.mac([first]))).toBe(true);
    const short = context.mac([second], algorithm.macLength - 2);
    expect(context.verify([second], short)).toBe(true);
    expect(context.verify([second], short.with(0, short[0]! ^ 0x80))).toBe(false);
    expect(context.verify([first], short)).toBe(false);
  });
});
