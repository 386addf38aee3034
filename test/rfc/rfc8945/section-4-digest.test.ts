/** RFC 8945 §4.2, §4.3 and §6: what is digested, for every algorithm, compared with MACs made by hand. */
import { describe, expect, test } from "vitest";
import { ClientTransaction } from "../../../src/auth/tsig/client.ts";
import { keyRing } from "../../../src/auth/tsig/key.ts";
import { accept, fields, ID, KEY, makeKey, NOW, reject, SECRET, signedUpdate } from "./fixture.ts";
import { hmac, join, sized, update, updateReply, variables, wireName, withId, withTsig } from "./by-hand.ts";

const ALGORITHMS = [
  { text: "hmac-md5", wire: "hmac-md5.sig-alg.reg.int", digest: "md5", length: 16 },
  { text: "hmac-sha1", wire: "hmac-sha1", digest: "sha1", length: 20 },
  { text: "hmac-sha224", wire: "hmac-sha224", digest: "sha224", length: 28 },
  { text: "hmac-sha256", wire: "hmac-sha256", digest: "sha256", length: 32 },
  { text: "hmac-sha384", wire: "hmac-sha384", digest: "sha384", length: 48 },
  { text: "hmac-sha512", wire: "hmac-sha512", digest: "sha512", length: 64 },
];

describe("RFC 8945 §6: every algorithm, both ways", () => {
  test.each(ALGORITHMS)("$text", ({ text, wire, digest, length }) => {
    const key = makeKey(text);
    const { bytes, mac } = signedUpdate({ algorithm: wire }, { digest });
    expect(mac).toHaveLength(length);

    // The request as Rollcall signs it, to the octet.
    expect(ClientTransaction.start(key, update(ID), NOW).message).toEqual(bytes);

    // The reply to the request made by hand, to the octet.
    const reply = updateReply(ID, 0);
    const tsig = fields({ algorithm: wire, time: NOW + 1 });
    const replyMac = hmac(digest, SECRET, sized(mac), reply, variables(tsig));
    expect(accept(bytes, keyRing([key])).sign(reply, NOW + 1)).toEqual(
      withTsig(reply, { ...tsig, mac: replyMac }),
    );
  });
});

describe("RFC 8945 §4.2", () => {
  test("names in a TSIG are written without compression, whatever the message holds", () => {
    const { message } = ClientTransaction.start(KEY, update(ID), NOW);
    expect(Buffer.from(message).includes(Buffer.from(wireName("dhcp.smb.example")))).toBe(true);
  });

  test("a reply's Original ID is the request's, though a forwarder changed the header's", () => {
    const { bytes, mac } = signedUpdate();
    const forwarded = withId(bytes, 0x9999);
    const reply = updateReply(0x9999, 0);
    const tsig = fields();
    const replyMac = hmac("sha256", SECRET, sized(mac), withId(reply, ID), variables(tsig));
    expect(accept(forwarded).sign(reply, NOW)).toEqual(withTsig(reply, { ...tsig, mac: replyMac }));
  });

  test("times need more than 32 bits after 2106", () => {
    const late = 0x1_2345_6789;
    const { bytes } = signedUpdate({ time: late });
    expect(() => accept(bytes, undefined, late + 300)).not.toThrow();
    expect(reject(bytes, undefined, NOW).error).toBe(18);
  });
});

describe("RFC 8945 §4.3.2: the message digested", () => {
  test("the original ID is put back where a forwarder changed the header's", () => {
    const { bytes } = signedUpdate();
    expect(() => accept(withId(bytes, 0xffff))).not.toThrow();
  });

  test("an Original ID that is not what was signed fails", () => {
    const tsig = fields();
    const mac = hmac("sha256", SECRET, update(ID), variables(tsig));
    expect(reject(withTsig(update(ID), { ...tsig, mac, originalId: ID + 1 })).error).toBe(16);
  });

  test("the octets received count, in an encoding Rollcall would not have chosen", () => {
    // The owner spelled out in mixed case where a pointer would do, a record after it in the additional section.
    const odd = join(
      [0x12, 0x34, 0x28, 0, 0, 1, 0, 0, 0, 1, 0, 1],
      wireName("SMB.example"),
      [0, 6, 0, 1],
      wireName("Node1.sMb.ExAmPlE"),
      [0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1],
      wireName("x.smb.example"),
      [0, 16, 0, 1, 0, 0, 0, 0, 0, 2, 1, 97],
    );
    const tsig = fields();
    const mac = hmac("sha256", SECRET, odd, variables(tsig));
    expect(() => accept(withTsig(odd, { ...tsig, mac }))).not.toThrow();
  });

  test("octets after the TSIG are no part of it", () => {
    const { bytes } = signedUpdate();
    expect(() => accept(join(bytes, [0, 0]))).not.toThrow();
  });
});

describe("RFC 8945 §4.3.3: the variables digested", () => {
  test("names are digested in lower case, however they are written", () => {
    const { bytes } = signedUpdate({ key: "DHCP.smb.Example", algorithm: "HMAC-SHA256" });
    expect(accept(bytes).key.toString()).toBe("dhcp.smb.example.");
  });

  test.each([
    ["time", { time: NOW + 1 }],
    ["fudge", { fudge: 299 }],
    ["error", { error: 18 }],
    ["other data", { other: [1] }],
  ])("a changed %s fails", (_, change) => {
    const tsig = fields();
    const mac = hmac("sha256", SECRET, update(ID), variables(tsig));
    expect(reject(withTsig(update(ID), { ...tsig, mac, ...change })).error).toBe(16);
  });
});
