/** RFC 3645 §4 and RFC 2930: what the server answers to each TKEY query, and what then holds of the key. */
import { describe, expect, test } from "vitest";
import { GssSchema } from "../../../src/config/schema.ts";
import type { Outcome } from "../../../src/protocol/dispatch.ts";
import type { Gss } from "../../../src/auth/gss/gss.ts";
import { Rcode, rcodeToText, TsigError, tsigErrorToText } from "../../../src/wire/iana/code.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { decodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { readTkey } from "../../../src/wire/tkey.ts";
import {
  FakeInitiator,
  fakeGss,
  fakeToken,
  kerberosToken,
  OID,
  spnegoToken,
  tkeyQuery,
} from "../../support/gss.ts";
import type { TkeyQuery } from "../../support/gss.ts";
import { HMAC_KEY, NOW, send, updateMessage } from "../../support/gss-dispatch.ts";

const KEY = Name.parse("1234.sig-ns1.smb.example.");
/** The reply's octets, and what it says in short: `NOERROR BADKEY`, `REFUSED`. */
function reply(outcome: Outcome): {
  bytes: Uint8Array;
  text: string;
  message: ReturnType<typeof decodeMessage>;
} {
  if (outcome.kind !== "reply") throw new Error(`no reply but ${outcome.kind}`);
  const message = decodeMessage(outcome.bytes);
  const [record] = message.answers;
  const error = record === undefined ? "" : ` ${tsigErrorToText(readTkey(record).error)}`;
  return { bytes: outcome.bytes, text: `${rcodeToText(message.header.rcode)}${error}`, message };
}

function established(query: TkeyQuery = {}): { gss: Gss; client: FakeInitiator } {
  const { gss } = fakeGss();
  expect(reply(send(gss, tkeyQuery(query))).text).toBe("NOERROR NOERROR");
  const algorithm = (query.algorithm ?? Name.parse("gss-tsig.")).toString();
  return { gss, client: new FakeInitiator((query.keyName ?? KEY).toString(), "s", algorithm) };
}

/** A negotiation of its own for each number. */
function numbered(n: number): Uint8Array {
  return tkeyQuery({ keyName: Name.parse(`${n}.`), key: fakeToken("A", `${n}`) });
}

function raise(message: string): never {
  throw new Error(message);
}

function deletion(keyName = KEY): Uint8Array {
  return tkeyQuery({ keyName, mode: 5, key: new Uint8Array(0) });
}

/** The reply's RCODE and the error of its TSIG: `NOTAUTH BADKEY`. */
function tsigError(outcome: Outcome): string {
  const { message } = reply(outcome);
  return `${rcodeToText(message.header.rcode)} ${tsigErrorToText(message.tsig!.error)}`;
}

describe("RFC 3645 §4.1: a negotiation that succeeds in one step", () => {
  test.each<[string, TkeyQuery]>([
    ["TKEY in the additional section, QCLASS ANY", {}],
    ["QCLASS IN, as Samba asks", { qclass: RrClass.IN }],
    ["TKEY in the answer section, as Windows 2000", { section: "answer" }],
    ["gss.microsoft.com", { algorithm: Name.parse("gss.microsoft.com.") }],
    ["an algorithm in another case", { algorithm: Name.parse("GSS-TSIG.") }],
    [
      "SPNEGO, the Microsoft OID first",
      { key: spnegoToken([OID.msKerberos, OID.kerberos, OID.ntlm], fakeToken("NODE1$@SMB.EXAMPLE")) },
    ],
    ["a name of Windows", { keyName: Name.parse("1260-ms-7.1-d299.0595EADF-9091-11e2-368c-00216a5974e4.") }],
  ])("%s", (_, query) => {
    const { gss, acceptor } = fakeGss();
    const { bytes, message } = reply(send(gss, tkeyQuery(query)));
    const keyName = query.keyName ?? KEY;
    expect(message.header).toMatchObject({ id: 0x1234, rcode: 0, answerCount: 1, additionalCount: 1 });
    expect(message.header.flags & Flag.QR).toBe(Flag.QR);
    expect(message.answers[0]).toMatchObject({ name: keyName, class: RrClass.ANY, ttl: 0 });
    expect(readTkey(message.answers[0]!)).toMatchObject({
      mode: 3,
      error: 0,
      inception: NOW,
      expiration: NOW + 3600,
      key: Uint8Array.from(Buffer.from("reply to NODE1$@SMB.EXAMPLE")),
    });
    const client = new FakeInitiator(keyName.toString());
    expect(client.verifies(bytes)).toBe(true);
    expect(gss.contexts.size).toBe(1);
    expect(acceptor.open).toBe(1);
  });

  test("owner names are not compressed: Windows cannot read pointers there", () => {
    const { bytes } = reply(send(fakeGss().gss, tkeyQuery()));
    expect(
      Buffer.from(bytes).toString("latin1").split(Buffer.from(KEY.wire).toString("latin1")),
    ).toHaveLength(4);
  });

  test("a key lives as long as the ticket where that is shorter", () => {
    const { gss, acceptor } = fakeGss();
    acceptor.lifetime = 90;
    const { message } = reply(send(gss, tkeyQuery()));
    expect(readTkey(message.answers[0]!).expiration).toBe(NOW + 90);
  });
});

describe("RFC 3645 §4.1, RFC 2930 §2.6: a negotiation that fails", () => {
  test.each<[string, string, Uint8Array]>([
    ["no TKEY record", "FORMERR", tkeyQuery({ times: 0 })],
    ["a TKEY record of another name", "FORMERR", tkeyQuery({ qname: Name.parse("other.") })],
    ["two TKEY records", "FORMERR", tkeyQuery({ times: 2 })],
    ["Diffie-Hellman, mode 2", "NOERROR BADMODE", tkeyQuery({ mode: 2 })],
    ["mode 0", "NOERROR BADMODE", tkeyQuery({ mode: 0 })],
    ["HMAC", "NOERROR BADALG", tkeyQuery({ algorithm: Name.parse("hmac-sha256.") })],
    ["the root as its name", "NOERROR BADNAME", tkeyQuery({ keyName: Name.root })],
    ["the name of a configured key", "NOERROR BADNAME", tkeyQuery({ keyName: HMAC_KEY.name })],
    ["no token", "NOERROR BADKEY", tkeyQuery({ key: new Uint8Array(0) })],
    ["NTLM", "NOERROR BADKEY", tkeyQuery({ key: Uint8Array.from(Buffer.from("NTLMSSP\0\x01\0\0\0")) })],
    [
      "NTLM in SPNEGO",
      "NOERROR BADKEY",
      tkeyQuery({ key: spnegoToken([OID.ntlm], Buffer.from("NTLMSSP\0")) }),
    ],
    ["a token that Kerberos refuses", "NOERROR BADKEY", tkeyQuery({ key: kerberosToken("nonsense") })],
  ])("%s: %s", (_, text, bytes) => {
    const { gss, acceptor } = fakeGss();
    const outcome = send(gss, bytes);
    expect(reply(outcome).text).toBe(text);
    expect(reply(outcome).message.tsig).toBeUndefined();
    expect(outcome).toMatchObject({ refusal: { exchange: "tkey" } });
    expect([gss.contexts.held, acceptor.open, gss.counters.refused]).toEqual([0, 0, 1]);
  });

  test("a name in use is BADNAME, in whatever case, and the key there stays", () => {
    const { gss, client } = established();
    const again = tkeyQuery({
      keyName: Name.parse("1234.SIG-ns1.smb.example."),
      key: fakeToken("EVIL$@X", "e"),
    });
    expect(reply(send(gss, again)).text).toBe("NOERROR BADNAME");
    expect(send(gss, client.sign(updateMessage(), NOW).bytes)).toMatchObject({
      kind: "update",
      requester: { principal: "NODE1$@SMB.EXAMPLE" },
    });
  });

  test("a token is good once", () => {
    const { gss } = established();
    expect(reply(send(gss, tkeyQuery({ keyName: Name.parse("2.") }))).text).toBe("NOERROR BADKEY");
  });

  test("without [gss] every TKEY query is REFUSED", () => {
    expect(reply(send(undefined, tkeyQuery())).text).toBe("REFUSED");
  });

  test("beyond the rate it is REFUSED over TCP and sent there from UDP, and no token is looked at", () => {
    const { gss, acceptor } = fakeGss({ negotiationsPerAddress: 1 });
    expect(reply(send(gss, numbered(1))).text).toBe("NOERROR NOERROR");
    expect(reply(send(gss, numbered(2))).text).toBe("REFUSED");
    expect(reply(send(gss, numbered(3), { transport: "udp" })).text).toBe("NOERROR NOERROR");
    const { message } = reply(send(gss, numbered(4), { transport: "udp" }));
    expect(message.header.flags & Flag.TC).toBe(Flag.TC);
    expect([acceptor.asked, gss.counters.limited]).toEqual([2, 2]);
    expect(reply(send(gss, numbered(5), { now: NOW + 1 })).text).toBe("NOERROR NOERROR");
  });

  test("by default one host may negotiate for each of many names at once, and a whole site at once", () => {
    const defaults = GssSchema.parse({ keytab: "dns.keytab" });
    const { gss } = fakeGss({
      contexts: defaults.contexts,
      contextsPerAddress: defaults.contexts_per_address,
      negotiationsPerSecond: defaults.negotiations_per_second,
      negotiationsPerAddress: defaults.negotiations_per_address,
    });
    // Samba's domain controller: nsupdate once for each name, of its own and of sites without one.
    for (let n = 0; n < 150; n++) {
      expect(reply(send(gss, numbered(n))).text).toBe("NOERROR NOERROR");
      const { bytes } = new FakeInitiator(`${n}.`, `${n}`).sign(updateMessage(), NOW);
      expect(send(gss, bytes)).toMatchObject({ kind: "update", requester: { principal: "A" } });
    }
    const site = Array.from({ length: 500 }, (_, n) => {
      const query = tkeyQuery({ keyName: Name.parse(`${n}.host.`), key: fakeToken(`HOST${n}$`, "s") });
      return reply(send(gss, query, { address: `192.0.${n >> 8}.${n & 255}` })).text;
    });
    expect(new Set(site)).toEqual(new Set(["NOERROR NOERROR"]));
    expect(gss.counters.limited).toBe(0);
  });

  test("over UDP, where the answer would not fit, the token is left for TCP", () => {
    const { gss, acceptor } = fakeGss();
    const keyName = Name.parse(`${"long".repeat(15)}.${"long".repeat(15)}.`);
    const query = tkeyQuery({ keyName });
    const { message } = reply(send(gss, query, { transport: "udp" }));
    expect(message.header.flags & Flag.TC).toBe(Flag.TC);
    expect(acceptor.asked).toBe(0);
    expect(reply(send(gss, query)).text).toBe("NOERROR NOERROR");
  });

  test("over UDP, a reason too long for the client is left for TCP", () => {
    const { gss } = fakeGss();
    const label = "long".repeat(15);
    const keyName = Name.parse(`${label}.${label}.${label}.`);
    const query = tkeyQuery({ keyName, mode: 2, algorithm: keyName });
    const { bytes, message } = reply(send(gss, query, { transport: "udp" }));
    expect(bytes.length).toBeLessThanOrEqual(512);
    expect(message.header.flags & Flag.TC).toBe(Flag.TC);
    expect(reply(send(gss, query)).text).toBe("NOERROR BADMODE");
  });

  test("where its answer cannot be signed, nobody can use the key, and the context is given back", () => {
    const { gss, acceptor } = fakeGss();
    const accept = acceptor.accept.bind(acceptor);
    acceptor.accept = (token) => {
      const accepted = accept(token);
      if (accepted.ok) accepted.session.getMic = () => raise("Kerberos cannot sign");
      return accepted;
    };
    expect(() => send(gss, tkeyQuery())).toThrow("Kerberos cannot sign");
    expect([gss.contexts.held, acceptor.open]).toEqual([0, 0]);
  });

  test("with no room for another context it is REFUSED, and the context given back", () => {
    const { gss, acceptor } = fakeGss({ contexts: 1 });
    expect(reply(send(gss, tkeyQuery())).text).toBe("NOERROR NOERROR");
    const other = tkeyQuery({ keyName: Name.parse("2."), key: fakeToken("OTHER$@SMB.EXAMPLE") });
    expect(reply(send(gss, other, { address: "192.0.2.12" })).text).toBe("REFUSED");
    expect([gss.contexts.size, acceptor.open]).toEqual([1, 1]);
  });
});

describe("RFC 3645 §2.2: messages signed by the key", () => {
  test.each(["gss-tsig.", "gss.microsoft.com."])(
    "%s: an update is its principal's, and its answer signed",
    (text) => {
      const { gss, client } = established({ algorithm: Name.parse(text) });
      const { bytes, mac } = client.sign(updateMessage(), NOW);
      const outcome = send(gss, bytes, { transport: "udp" });
      if (outcome.kind !== "update") throw new Error("no update");
      // The name of the key is its client's choice and stands for nobody.
      expect(outcome.requester).toEqual({
        address: "192.0.2.11",
        transport: "udp",
        principal: "NODE1$@SMB.EXAMPLE",
      });
      expect(client.verifies(outcome.reply({ rcode: Rcode.NOERROR }, NOW), mac)).toBe(true);
    },
  );

  test("the key's name and algorithm in another case are the same", () => {
    const { gss } = established();
    const client = new FakeInitiator("1234.SIG-NS1.smb.example.", "s", "GSS-tsig");
    expect(send(gss, client.sign(updateMessage(), NOW).bytes)).toMatchObject({ kind: "update" });
  });

  test("an unknown key, another algorithm and an expired key are BADKEY", () => {
    const { gss, client } = established();
    const ask = (signer: FakeInitiator, now = NOW): string =>
      tsigError(send(gss, signer.sign(updateMessage(), now).bytes, { now }));
    expect(ask(new FakeInitiator("5678.sig-ns1.smb.example."))).toBe("NOTAUTH BADKEY");
    expect(ask(new FakeInitiator(client.keyName, "s", "gss.microsoft.com"))).toBe("NOTAUTH BADKEY");
    expect(ask(client, NOW + 3600)).toBe("NOTAUTH BADKEY");
  });

  test("a wrong MIC is BADSIG", () => {
    const { gss, client } = established();
    const { bytes } = new FakeInitiator(client.keyName, "another secret").sign(updateMessage(), NOW);
    expect(tsigError(send(gss, bytes))).toBe("NOTAUTH BADSIG");
  });

  test("a MIC longer than any of Kerberos is FORMERR", () => {
    const { gss, client } = established();
    const { bytes } = client.sign(updateMessage(), NOW);
    const tsig = decodeMessage(bytes).tsig!;
    const at = tsig.start + KEY.wire.length + 10 + tsig.algorithm.wire.length + 8;
    const long = Uint8Array.from([
      ...bytes.slice(0, at),
      0,
      128,
      ...new Uint8Array(128),
      ...bytes.slice(at + 30),
    ]);
    const lengthAt = tsig.start + KEY.wire.length + 8;
    new DataView(long.buffer).setUint16(lengthAt, long.length - lengthAt - 2);
    const { message } = reply(send(gss, long));
    expect(rcodeToText(message.header.rcode)).toBe("FORMERR");
  });

  test("a request signed long ago is BADTIME, in a signed answer", () => {
    const { gss, client } = established();
    const { bytes, mac } = client.sign(updateMessage(), NOW - 301);
    const outcome = send(gss, bytes);
    expect(tsigError(outcome)).toBe("NOTAUTH BADTIME");
    expect(client.verifies(reply(outcome).bytes, mac)).toBe(true);
  });

  test("the last message sent again is answered again, an older one is a replay", () => {
    const { gss, client } = established();
    const first = client.sign(updateMessage(1), NOW).bytes;
    const second = client.sign(updateMessage(2), NOW).bytes;
    expect(send(gss, first)).toMatchObject({ kind: "update" });
    expect(send(gss, first)).toMatchObject({ kind: "update" });
    expect(send(gss, second)).toMatchObject({ kind: "update" });
    expect(tsigError(send(gss, first))).toBe("NOTAUTH BADSIG");
  });

  test("messages may come in another order than they were signed", () => {
    const { gss, client } = established();
    const first = client.sign(updateMessage(1), NOW).bytes;
    expect(send(gss, client.sign(updateMessage(2), NOW).bytes)).toMatchObject({ kind: "update" });
    expect(send(gss, first)).toMatchObject({ kind: "update" });
  });

  test("a context put out while its update waits can still sign the answer", () => {
    const { gss, client } = established();
    const { bytes, mac } = client.sign(updateMessage(), NOW);
    const outcome = send(gss, bytes);
    if (outcome.kind !== "update") throw new Error("no update");
    gss.contexts.delete(KEY, NOW);
    gss.contexts.sweep(NOW + 10);
    expect(client.verifies(outcome.reply({ rcode: Rcode.NOERROR }, NOW + 10), mac)).toBe(true);
  });
});

describe("RFC 2930 §4.2: deletion", () => {
  test("signed by the key itself: done, and the answer is the last that the key signs", () => {
    const { gss, client } = established();
    const { bytes, mac } = client.sign(deletion(), NOW);
    const outcome = reply(send(gss, bytes));
    expect(outcome.text).toBe("NOERROR NOERROR");
    expect(client.verifies(outcome.bytes, mac)).toBe(true);
    const after = reply(send(gss, client.sign(updateMessage(), NOW).bytes));
    expect(after.message.tsig?.error).toBe(TsigError.BADKEY);
    expect([gss.contexts.size, gss.counters.deleted]).toEqual([0, 1]);
  });

  test("unsigned, or by another principal: REFUSED, and the key stays", () => {
    const { gss } = established();
    expect(reply(send(gss, deletion())).text).toBe("REFUSED");
    const other = Name.parse("other.");
    send(gss, tkeyQuery({ keyName: other, key: fakeToken("NODE2$@SMB.EXAMPLE", "2") }));
    const stranger = new FakeInitiator("other.", "2");
    expect(reply(send(gss, stranger.sign(deletion(), NOW).bytes)).text).toBe("REFUSED");
    expect(gss.contexts.size).toBe(2);
  });

  test("a key that is not there: BADNAME", () => {
    const { gss, client } = established();
    const { bytes } = client.sign(deletion(Name.parse("nobody.")), NOW);
    expect(reply(send(gss, bytes)).text).toBe("NOERROR BADNAME");
  });
});
