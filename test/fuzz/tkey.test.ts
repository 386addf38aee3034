/** Mutants of TKEY queries, tokens and signed messages: each has an answer, and no context is lost or given back twice. */
import { expect, test } from "vitest";
import { decodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { FakeInitiator, fakeGss, fakeToken, OID, spnegoToken, tkeyQuery } from "../support/gss.ts";
import { NOW, send, updateMessage } from "../support/gss-dispatch.ts";
import { fuzz, fuzzSettings } from "../support/mutate.ts";

const client = new FakeInitiator("1234.sig-ns1.smb.example.");
const sign = (bytes: Uint8Array): Uint8Array => client.sign(bytes, NOW).bytes;
const nothing = new Uint8Array(0);

const corpus = [
  tkeyQuery(),
  tkeyQuery({ section: "answer", algorithm: Name.parse("gss.microsoft.com.") }),
  tkeyQuery({
    keyName: Name.parse("2."),
    key: spnegoToken([OID.msKerberos, OID.ntlm], fakeToken("B$@SMB.EXAMPLE")),
  }),
  tkeyQuery({ keyName: Name.parse("3."), key: Uint8Array.from(Buffer.from("NTLMSSP\0\x01\0\0\0")) }),
  tkeyQuery({ mode: 5, key: nothing }),
  sign(tkeyQuery({ mode: 5, key: nothing })),
  sign(updateMessage()),
  sign(tkeyQuery({ keyName: Name.parse("4."), key: fakeToken("C$@SMB.EXAMPLE") })),
];

test("mutants of negotiations and of what contexts sign", () => {
  const { gss, acceptor } = fakeGss({
    contexts: 20,
    contextsPerAddress: 5,
    negotiationsPerSecond: 20,
    negotiationsPerAddress: 20,
  });
  let answered = 0;
  let now = NOW;
  fuzz(corpus, fuzzSettings(20_000), (mutant, random) => {
    now += random.below(3);
    const address = `192.0.2.${random.below(10)}`;
    const transport = random.below(2) === 0 ? "udp" : "tcp";
    const outcome = send(gss, mutant, { address, transport, now });
    const bytes =
      outcome.kind === "reply"
        ? outcome.bytes
        : outcome.kind === "update"
          ? outcome.reply({ rcode: 0 }, now)
          : undefined;
    if (bytes !== undefined) {
      answered++;
      decodeMessage(bytes);
    }
    expect(bytes?.length ?? 0).toBeLessThanOrEqual(transport === "udp" ? 1232 : 0xffff);
    expect(gss.contexts.size).toBeLessThanOrEqual(20);
    expect(acceptor.open).toBe(gss.contexts.held);
  });
  expect(answered).toBeGreaterThan(0);
  gss.close();
  expect(acceptor.open).toBe(0);
});

test("the corpus itself does what it is for", () => {
  const { gss, acceptor } = fakeGss();
  const kinds = [0, 2, 3, 6, 7, 5].map((index) => send(gss, corpus[index]!).kind);
  expect(kinds).toEqual(["reply", "reply", "reply", "update", "reply", "reply"]);
  expect([acceptor.accepted, gss.counters.deleted, gss.contexts.size]).toEqual([3, 1, 2]);
});
