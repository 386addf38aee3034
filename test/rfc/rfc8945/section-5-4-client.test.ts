/** RFC 8945 §5.4: what a client makes of an answer. */
import { describe, expect, test } from "vitest";
import type { AnswerVerdict } from "../../../src/auth/tsig/client.ts";
import { ClientTransaction } from "../../../src/auth/tsig/client.ts";
import { TsigError } from "../../../src/wire/iana/code.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import type { Tsig } from "./by-hand.ts";
import { hmac, sized, u48, update, updateReply, variables, withId, withTsig } from "./by-hand.ts";
import { fields, ID, makeKey, NOW, SECRET } from "./fixture.ts";

const REQUEST_MAC = hmac("sha256", SECRET, update(ID), variables(fields()));

/** An answer signed by hand. */
function answer(change: Partial<Tsig> = {}, { rcode = 0, prior = REQUEST_MAC, cut = 32 } = {}): Uint8Array {
  const tsig = fields(change);
  const reply = updateReply(ID, rcode);
  const mac = hmac("sha256", SECRET, sized(prior), reply, variables(tsig)).subarray(0, cut);
  return withTsig(reply, { ...tsig, mac, ...(change.mac === undefined ? {} : { mac: change.mac }) });
}

function verify(
  bytes: Uint8Array,
  { now = NOW, macLength = undefined as number | undefined } = {},
): AnswerVerdict {
  const key = makeKey("hmac-sha256", "dhcp.smb.example", macLength);
  const { transaction } = ClientTransaction.start(key, update(ID), NOW);
  return transaction.verify(bytes, decodeMessage(bytes).tsig, now);
}

describe("RFC 8945 §5.4: an answer", () => {
  test("signed over the request's MAC is accepted", () => {
    expect(verify(answer())).toEqual({ ok: true });
  });

  test("with an RCODE is as good", () => {
    expect(verify(answer({}, { rcode: 5 }))).toEqual({ ok: true });
  });

  test("whose ID a forwarder changed is accepted", () => {
    expect(verify(withId(answer(), 0x7777))).toEqual({ ok: true });
  });

  test.each([
    ["without a signature", updateReply(ID, 0), "unsigned"],
    ["signed with another key", answer({ key: "other" }), "wrong-key"],
    ["signed with another algorithm", answer({ algorithm: "hmac-sha512" }), "wrong-key"],
    ["to another request", answer({}, { prior: new Uint8Array(32) }), "bad-mac"],
    ["signed too late", answer({ time: NOW + 301 }), "bad-time"],
    ["signed too early", answer({ time: NOW - 301 }), "bad-time"],
    ["with a MAC cut below what the key allows", answer({}, { cut: 16 }), "bad-truncation"],
    ["with a MAC too short for any", answer({}, { cut: 15 }), "bad-mac"],
    ["without a MAC", answer({ mac: [] }), "bad-mac"],
  ])("%s is refused", (_, bytes, fault) => {
    expect(verify(bytes)).toMatchObject({ ok: false, fault, error: TsigError.NOERROR, authentic: false });
  });

  test("cut to what the key allows is accepted", () => {
    const cutMac = REQUEST_MAC.subarray(0, 16);
    expect(verify(answer({}, { prior: cutMac, cut: 16 }), { macLength: 16 })).toEqual({ ok: true });
  });
});

describe("RFC 8945 §5.4.1 to §5.4.3: an answer that rejects the request", () => {
  test.each([
    ["BADKEY", TsigError.BADKEY],
    ["BADSIG", TsigError.BADSIG],
  ])("%s without a MAC is told, and told to be unproven", (name, error) => {
    const verdict = verify(answer({ error, mac: [] }, { rcode: 9 }));
    expect(verdict).toMatchObject({ ok: false, fault: "peer-error", error, authentic: false });
    expect(verdict).toHaveProperty("reason", `the server rejected the request's signature: ${name}`);
  });

  test("BADTIME gives the server's clock", () => {
    const verdict = verify(answer({ error: TsigError.BADTIME, other: u48(NOW + 86_400) }, { rcode: 9 }));
    expect(verdict).toMatchObject({
      fault: "peer-error",
      error: 18,
      authentic: true,
      serverTime: NOW + 86_400,
    });
  });

  test("BADTIME without a MAC is not believed", () => {
    const bytes = answer({ error: TsigError.BADTIME, other: u48(NOW + 86_400), mac: [] }, { rcode: 9 });
    expect(verify(bytes)).toMatchObject({ fault: "bad-mac", authentic: false });
  });

  test("BADTRUNC", () => {
    const verdict = verify(answer({ error: TsigError.BADTRUNC }, { rcode: 9 }));
    expect(verdict).toMatchObject({ fault: "peer-error", error: 22, authentic: true });
  });
});
