/** RFC 8945 §5.2 and §5.3.2: each way a request can fail, and what the reply to it carries. */
import { describe, expect, test } from "vitest";
import { keyRing } from "../../../src/auth/tsig/key.ts";
import { Rcode, TsigError } from "../../../src/wire/iana/code.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import { WireError } from "../../../src/wire/error.ts";
import { accept, fields, ID, KEYS, makeKey, NOW, reject, SECRET, signedUpdate, tsigOf } from "./fixture.ts";
import { hmac, join, sized, u48, update, updateReply, variables, withId, withTsig } from "./by-hand.ts";

const NOT_AUTH_REPLY = updateReply(ID, Rcode.NOTAUTH);

describe("RFC 8945 §5.1: where a TSIG may stand", () => {
  const tsig = fields();
  const mac = hmac("sha256", SECRET, update(ID), variables(tsig));

  test("two of them are malformed", () => {
    const bytes = withTsig(withTsig(update(ID), { ...tsig, mac }), { ...tsig, mac });
    expect(() => decodeMessage(bytes)).toThrow(WireError);
  });

  test("one that is not the last record is malformed", () => {
    const bytes = join(withTsig(update(ID), { ...tsig, mac }), [0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
    bytes[11] = 2;
    expect(() => decodeMessage(bytes)).toThrow(WireError);
  });

  test.each([
    ["class IN", 2, [0, 1]],
    ["a TTL", 4, [0, 0, 0, 1]],
    ["a TTL with the top bit", 4, [0x80, 0, 0, 0]],
  ])("%s is malformed", (_, offset, octets) => {
    const bytes = withTsig(update(ID), { ...tsig, mac });
    bytes.set(octets, update(ID).length + 18 + offset);
    expect(() => decodeMessage(bytes)).toThrow(WireError);
  });
});

describe("RFC 8945 §5.2.1: BADKEY, unsigned", () => {
  test.each([
    ["an unknown key", { key: "other.smb.example" }, "sha256"],
    ["a known key with another algorithm", { algorithm: "hmac-sha512" }, "sha512"],
    ["an algorithm nobody knows", { algorithm: "hmac-sha999" }, "sha256"],
  ])("%s", (_, change, digest) => {
    const { bytes } = signedUpdate(change, { digest });
    const rejected = reject(bytes);
    expect(rejected).toMatchObject({ rcode: Rcode.NOTAUTH, error: TsigError.BADKEY });
    const reply = rejected.reply(NOT_AUTH_REPLY);
    expect(reply).toEqual(withTsig(NOT_AUTH_REPLY, fields({ ...change, error: 17 })));
    expect(rejected.overhead).toBe(reply.length - NOT_AUTH_REPLY.length);
  });

  test("comes before every other check", () => {
    const { bytes } = signedUpdate({ key: "other.smb.example", time: NOW - 9999 }, { cut: 5 });
    expect(reject(bytes).error).toBe(TsigError.BADKEY);
  });

  test("no keys at all", () => {
    expect(reject(signedUpdate().bytes, new Map()).error).toBe(TsigError.BADKEY);
  });
});

describe("RFC 8945 §5.2.2: BADSIG, unsigned", () => {
  test("a MAC that does not match", () => {
    const { bytes } = signedUpdate({}, { digest: "sha256" });
    bytes[20]! ^= 1;
    const rejected = reject(bytes);
    expect(rejected).toMatchObject({ rcode: Rcode.NOTAUTH, error: TsigError.BADSIG });
    const reply = rejected.reply(NOT_AUTH_REPLY);
    expect(reply).toEqual(withTsig(NOT_AUTH_REPLY, fields({ error: 16 })));
    expect(rejected.overhead).toBe(reply.length - NOT_AUTH_REPLY.length);
  });

  test("another secret under the key's name", () => {
    const keys = keyRing([{ ...makeKey(), secret: new Uint8Array(32) }]);
    expect(reject(signedUpdate().bytes, keys).error).toBe(TsigError.BADSIG);
  });

  test("comes before the time", () => {
    const { bytes } = signedUpdate({ time: NOW - 9999 });
    bytes[20]! ^= 1;
    expect(reject(bytes).error).toBe(TsigError.BADSIG);
  });

  test("comes before the truncation policy", () => {
    const { bytes } = signedUpdate({}, { cut: 16 });
    bytes[20]! ^= 1;
    expect(reject(bytes).error).toBe(TsigError.BADSIG);
  });

  test("the reply keeps the request's spelling and original ID", () => {
    const { bytes } = signedUpdate({ key: "DHCP.smb.example" });
    bytes[20]! ^= 1;
    const reply = tsigOf(reject(withId(bytes, 0x4444)).reply(updateReply(0x4444, Rcode.NOTAUTH)));
    expect(reply.keyName.toString()).toBe("DHCP.smb.example.");
    expect(reply.originalId).toBe(ID);
  });
});

describe("RFC 8945 §5.2.2.1: the length of a MAC", () => {
  const cases = [
    { algorithm: "hmac-md5.sig-alg.reg.int", text: "hmac-md5", digest: "md5", whole: 16, least: 10 },
    { algorithm: "hmac-sha1", text: "hmac-sha1", digest: "sha1", whole: 20, least: 10 },
    { algorithm: "hmac-sha224", text: "hmac-sha224", digest: "sha224", whole: 28, least: 14 },
    { algorithm: "hmac-sha256", text: "hmac-sha256", digest: "sha256", whole: 32, least: 16 },
    { algorithm: "hmac-sha384", text: "hmac-sha384", digest: "sha384", whole: 48, least: 24 },
    { algorithm: "hmac-sha512", text: "hmac-sha512", digest: "sha512", whole: 64, least: 32 },
  ];

  test.each(cases)("$text takes $least to $whole octets", ({ algorithm, text, digest, whole, least }) => {
    const strict = keyRing([makeKey(text)]);
    const lenient = keyRing([makeKey(text, undefined, least)]);
    const sent = (cut: number): Uint8Array => signedUpdate({ algorithm }, { digest, cut }).bytes;
    for (const cut of [0, 1, 9, least - 1, whole + 1, whole + 20]) {
      // Malformed whatever the policy: FORMERR, and no TSIG in the reply.
      for (const keys of [strict, lenient]) {
        const rejected = reject(sent(cut), keys);
        expect(rejected).toMatchObject({ rcode: Rcode.FORMERR, error: TsigError.NOERROR, overhead: 0 });
        const reply = updateReply(ID, Rcode.FORMERR);
        expect(rejected.reply(reply)).toEqual(reply);
      }
    }
    for (const cut of [least, least + 1, whole - 1]) {
      expect(reject(sent(cut), strict).error).toBe(TsigError.BADTRUNC);
      expect(() => accept(sent(cut), lenient)).not.toThrow();
    }
    expect(() => accept(sent(whole), strict)).not.toThrow();
    expect(() => accept(sent(whole), lenient)).not.toThrow();
  });

  test.each([
    { sent: 16, signed: 16 },
    { sent: 20, signed: 20 },
    { sent: 32, signed: 32 },
  ])("a request with $sent octets has a reply with $signed", ({ sent, signed }) => {
    const { bytes, mac } = signedUpdate({}, { cut: sent });
    const transaction = accept(bytes, keyRing([makeKey("hmac-sha256", "dhcp.smb.example", 16)]));
    const unsigned = updateReply(ID, 0);
    const reply = transaction.sign(unsigned, NOW);
    const expected = hmac("sha256", SECRET, sized(mac), unsigned, variables(fields()));
    expect(reply).toEqual(withTsig(unsigned, fields({ mac: expected.subarray(0, signed) })));
    expect(transaction.overhead).toBe(reply.length - unsigned.length);
  });
});

describe("RFC 8945 §5.2.3: BADTIME, signed", () => {
  test.each([
    ["300 s late", NOW + 300, 300],
    ["300 s early", NOW - 300, 300],
    ["at once with no fudge", NOW, 0],
    ["an hour late with a fudge of an hour", NOW + 3600, 3600],
  ])("%s is in time", (_, now, fudge) => {
    expect(() => accept(signedUpdate({ fudge }).bytes, KEYS, now)).not.toThrow();
  });

  test.each([
    ["301 s late", NOW + 301, 300],
    ["301 s early", NOW - 301, 300],
    ["1 s late with no fudge", NOW + 1, 0],
  ])("%s is not", (_, now, fudge) => {
    const { bytes } = signedUpdate({ fudge });
    expect(reject(bytes, KEYS, now)).toMatchObject({ rcode: Rcode.NOTAUTH, error: TsigError.BADTIME });
  });

  test("the reply echoes time and fudge, has the server's time in Other Data, and digests the request's MAC", () => {
    const { bytes, mac } = signedUpdate({ fudge: 77 });
    const now = NOW + 1000;
    const rejected = reject(bytes, KEYS, now);
    const tsig = fields({ fudge: 77, error: 18, other: u48(now) });
    const replyMac = hmac("sha256", SECRET, sized(mac), NOT_AUTH_REPLY, variables(tsig));
    const reply = rejected.reply(NOT_AUTH_REPLY);
    expect(reply).toEqual(withTsig(NOT_AUTH_REPLY, { ...tsig, mac: replyMac }));
    expect(rejected.overhead).toBe(reply.length - NOT_AUTH_REPLY.length);
    expect(rejected.reason).toBe("signed 1000 s ago, and 77 s are allowed");
  });

  test("comes before the truncation policy", () => {
    const { bytes } = signedUpdate({ time: NOW - 9999 }, { cut: 16 });
    expect(reject(bytes).error).toBe(TsigError.BADTIME);
  });
});

describe("RFC 8945 §5.2.4: BADTRUNC, signed", () => {
  test("the reply has a MAC of the length that the key asks for", () => {
    const { bytes, mac } = signedUpdate({}, { cut: 20 });
    const rejected = reject(bytes, keyRing([makeKey("hmac-sha256", "dhcp.smb.example", 24)]));
    expect(rejected).toMatchObject({ rcode: Rcode.NOTAUTH, error: TsigError.BADTRUNC });
    const tsig = fields({ error: 22 });
    const whole = hmac("sha256", SECRET, sized(mac), NOT_AUTH_REPLY, variables(tsig));
    const reply = rejected.reply(NOT_AUTH_REPLY);
    expect(reply).toEqual(withTsig(NOT_AUTH_REPLY, { ...tsig, mac: whole.subarray(0, 24) }));
    expect(rejected.overhead).toBe(reply.length - NOT_AUTH_REPLY.length);
  });
});

describe("a verified request", () => {
  test("outlives the buffer it came in", () => {
    const { bytes, mac } = signedUpdate();
    const transaction = accept(bytes);
    const late = reject(signedUpdate({ time: NOW - 9999 }).bytes);
    bytes.fill(0);
    const reply = updateReply(ID, 0);
    const expected = hmac("sha256", SECRET, sized(mac), reply, variables(fields()));
    expect(transaction.sign(reply, NOW)).toEqual(withTsig(reply, fields({ mac: expected })));
    expect(tsigOf(late.reply(NOT_AUTH_REPLY)).timeSigned).toBe(NOW - 9999);
  });

  test("names the key as it is configured, whatever the request's spelling", () => {
    expect(accept(signedUpdate({ key: "Dhcp.SMB.example" }).bytes).key.toString()).toBe("dhcp.smb.example.");
  });

  test("does not sign what would pass 65,535 octets", () => {
    const transaction = accept(signedUpdate().bytes);
    const most = 65_535 - transaction.overhead;
    expect(transaction.sign(new Uint8Array(most), NOW)).toHaveLength(65_535);
    expect(() => transaction.sign(new Uint8Array(most + 1), NOW)).toThrow(WireError);
  });
});
