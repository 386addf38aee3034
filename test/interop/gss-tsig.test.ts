/** GSS-TSIG with real programs: nsupdate as a machine of a realm, MIT's KDC, the system's Kerberos library. */
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GSS_TSIG } from "../../src/auth/gss/algorithm.ts";
import { priorMacParts, receivedParts, signMessage, stampPart } from "../../src/auth/tsig/digest.ts";
import type { HistoryJson } from "../../src/control/verbs.ts";
import { openAcceptor } from "../../src/server/kerberos/acceptor.ts";
import { loadGssapi } from "../../src/server/kerberos/gssapi.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { Opcode, rcodeToText, tsigErrorToText } from "../../src/wire/iana/code.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { readTkey } from "../../src/wire/tkey.ts";
import { dig } from "../support/clients.ts";
import { FakeInitiator, fakeToken, kerberosToken, OID, spnegoToken, tkeyQuery } from "../support/gss.ts";
import type { Mechanism } from "../support/gss-initiator.ts";
import { DCE_STYLE, GssInitiator } from "../support/gss-initiator.ts";
import { Kdc, KDC_PROGRAMS } from "../support/kdc.ts";
import { describeWith } from "../support/peers.ts";
import { run } from "../support/process.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { ORIGIN, rr } from "../support/rr.ts";
import { askTcp, askUdp, TcpClient, UdpClient } from "../support/sockets.ts";

const RULES = `
[[zone]]
name = "smb.example"
file = "smb.example.zone"

[[zone.update]]
principal = "*$@SMB.EXAMPLE"
scope = "self"
types = ["A", "AAAA"]

[[zone.update]]
principal = "*$@SMB.EXAMPLE"
names = ["*.cluster"]
types = ["A"]

[[zone.update]]
principal = "host/*@SMB.EXAMPLE"
scope = "self-sub"
`;
const SERVICE = "DNS/ns1.smb.example";

/** What a TKEY query was told: `NOERROR BADKEY`, `REFUSED`. */
function told(bytes: Uint8Array | undefined): string {
  const { header, answers } = decodeMessage(bytes!);
  const error = answers.map((record) => ` ${tsigErrorToText(readTkey(record).error)}`).join("");
  return `${rcodeToText(header.rcode)}${error}`;
}

let names = 0;
function query(key: Uint8Array): Uint8Array {
  return tkeyQuery({ keyName: Name.parse(`${++names}.sig-ns1.smb.example.`), key });
}

function config(more = ""): string {
  return `[gss]\nkeytab = "dns.keytab"\n${more}${RULES}`;
}

/** First tokens for the server's principal. */
function tokens(
  env: NodeJS.ProcessEnv,
  count: number,
  mechanism: Mechanism = "spnego",
  flags = 0,
): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const initiator = new GssInitiator(env, `${SERVICE}@SMB.EXAMPLE`, mechanism, flags);
    const token = initiator.step();
    initiator.release();
    return token;
  });
}

describeWith([...KDC_PROGRAMS, "dig"], "GSS-TSIG", () => {
  let kdc: Kdc;
  let server: RollcallServer;
  let node1: NodeJS.ProcessEnv;
  let node2: NodeJS.ProcessEnv;
  let user: NodeJS.ProcessEnv;

  /** Runs nsupdate as somebody. @returns what each failed `send` was told, and all that was printed */
  async function nsupdate(
    env: NodeJS.ProcessEnv,
    option: "-g" | "-o",
    ...commands: string[]
  ): Promise<{ failures: string[]; text: string }> {
    const input = [`server 127.0.0.1 ${server.port}`, "zone smb.example", ...commands, "send", ""].join("\n");
    const { stdout, stderr } = await run("nsupdate", [option], { input, env });
    const text = stdout + stderr;
    return { failures: Array.from(text.matchAll(/^update failed: (\S+)$/gm), ([, rcode]) => rcode!), text };
  }

  /** NODE1 registers an address. @returns what nsupdate printed: nothing where all went well */
  async function register(address: string): Promise<string> {
    return (await nsupdate(node1, "-g", `update add node1.smb.example 300 A ${address}`)).text;
  }

  beforeAll(async () => {
    kdc = await Kdc.start();
    const keytab = await kdc.keytab("dns.keytab", SERVICE);
    [node1, node2, user] = [await kdc.login("NODE1$"), await kdc.login("NODE2$"), await kdc.login("alice")];
    server = RollcallServer.prepare({
      config: config(),
      files: { "smb.example.zone": SMALL_ZONE },
      env: kdc.env,
    });
    copyFileSync(keytab, join(server.directory, "dns.keytab"));
    await server.up();
  });
  afterAll(async () => {
    await server?.remove();
    await kdc?.remove();
  });

  describe.each([
    ["-g", "192.0.2.71"],
    ["-o", "192.0.2.72"],
  ] as const)("nsupdate %s", (option, address) => {
    test("a machine updates its own name, and history names it", async () => {
      const updated = await nsupdate(
        node1,
        option,
        "update delete node1.smb.example A",
        `update add node1.smb.example 300 A ${address}`,
      );
      expect(updated).toEqual({ failures: [], text: "" });
      expect((await dig(server, "node1.smb.example", "A")).answer).toEqual([
        `node1.smb.example. 300 IN A ${address}`,
      ]);
      await server.logged((line) => line["msg"] === "update" && line["principal"] === "NODE1$@SMB.EXAMPLE");
      const { entries } = await server.json<{ entries: HistoryJson[] }>("zone", "history", "smb.example");
      expect(entries[0]!.actor).toMatchObject({ kind: "principal", name: "NODE1$@SMB.EXAMPLE" });
    });

    test("a pattern of principals covers every machine", async () => {
      const command = `update add fs${option.slice(1)}.cluster.smb.example 60 A ${address}`;
      expect(await nsupdate(node2, option, command)).toEqual({ failures: [], text: "" });
    });

    test.each([
      ["another machine", () => node2, "NODE2$@SMB.EXAMPLE"],
      ["a user, whose name the pattern does not cover", () => user, "alice@SMB.EXAMPLE"],
    ])("%s is refused, and the log says who", async (_, who, principal) => {
      const { failures } = await nsupdate(who(), option, "update add node1.smb.example 300 A 192.0.2.66");
      expect(failures).toEqual(["REFUSED"]);
      await server.logged((line) => line["msg"] === "update refused" && line["principal"] === principal);
    });
  });

  test("a host's service principal is its name and what is below it, and no other", async () => {
    const node3 = await kdc.login("host/node3.smb.example");
    const own = ["node3", "_smb._tcp.node3"].map((name) => `update add ${name}.smb.example 300 TXT mine`);
    expect(await nsupdate(node3, "-g", ...own)).toEqual({ failures: [], text: "" });
    const { failures } = await nsupdate(node3, "-g", "update add node1.smb.example 300 A 192.0.2.66");
    expect(failures).toEqual(["REFUSED"]);
  });

  test("explain says beforehand what a principal may do", async () => {
    const args = ["explain", "update", "--zone", "smb.example", "--name", "node1.smb.example", "--type", "A"];
    const own = await server.cli(...args, "--principal", "NODE1$@SMB.EXAMPLE", "--tcp");
    expect([own.code, own.stdout]).toEqual([0, expect.stringContaining("rule 1")]);
    const other = await server.cli(...args, "--principal", "NODE2$@SMB.EXAMPLE", "--tcp");
    expect(other.stdout).not.toBe(own.stdout);
  });

  test("status names the keys and counts the contexts", async () => {
    const { gss, counters } = await server.status();
    expect(gss).toEqual({ principals: [`${SERVICE}@SMB.EXAMPLE`] });
    expect(counters["gssContexts"]).toBeGreaterThan(0);
    expect(counters["gssAccepted"]).toBe(counters["gssContexts"]);
    const { stdout } = await server.cli("status");
    expect(stdout).toMatch(/GSS-TSIG: +by the keys of DNS\/ns1\.smb\.example@SMB\.EXAMPLE/);
  });

  describe("tokens", () => {
    test.each(["spnego", "kerberos"] as const)("%s over UDP and TCP, each good once", async (mechanism) => {
      const [first, second] = tokens(node1, 2, mechanism);
      const overUdp = await askUdp(server, query(first!));
      expect(told(overUdp)).toBe("NOERROR NOERROR");
      // AES: 16 octets of header and 12 of HMAC-SHA1-96, or 16 and 16 or 24 of SHA-2.
      expect([28, 32, 40]).toContain(decodeMessage(overUdp).tsig!.mac.length);
      expect(told(await askTcp(server, query(second!)))).toBe("NOERROR NOERROR");
      expect(told(await askTcp(server, query(second!)))).toBe("NOERROR BADKEY");
      await server.logged((line) => String(line["reason"]).includes("BADKEY: Request is a replay"));
    });

    test("SPNEGO as Windows puts it: the Microsoft OID first, and the answer names it", async () => {
      const [inner] = tokens(node1, 1, "kerberos");
      const token = spnegoToken([OID.msKerberos, OID.kerberos, OID.negoex, OID.ntlm], inner);
      const answer = (await askTcp(server, query(token)))!;
      expect(told(answer)).toBe("NOERROR NOERROR");
      const reply = Buffer.from(readTkey(decodeMessage(answer).answers[0]!).key);
      // RFC 4178 §4.2.2: accept-completed, and supportedMech.
      expect(reply.includes(Buffer.from([0xa0, 3, 10, 1, 0, 0xa1, 11, 6, 9, ...OID.msKerberos]))).toBe(true);
    });

    test("SPNEGO whose first choice is NTLM, Kerberos behind it: a second step, so BADKEY", async () => {
      const [inner] = tokens(node1, 1, "kerberos");
      const asked = query(spnegoToken([OID.ntlm, OID.kerberos], inner));
      expect(told(await askTcp(server, asked))).toBe("NOERROR BADKEY");
    });

    test("SPNEGO that wants a third message: BADKEY, and nothing is kept", async () => {
      const [first, second] = tokens(node1, 2, "spnego", DCE_STYLE);
      expect(told(await askTcp(server, query(first!)))).toBe("NOERROR BADKEY");
      await server.logged((line) => String(line["reason"]).includes("asks for a second step"));

      // In this process, where what the library makes and is given back can be counted.
      const api = loadGssapi();
      if (typeof api === "string") throw new Error(api);
      let given = 0;
      const deleteSecContext = (...args: number[]): number => {
        given++;
        return api.gss.deleteSecContext(...args);
      };
      const acceptor = openAcceptor(
        { keytab: join(server.directory, "dns.keytab"), replayCache: join(kdc.directory, "steps") },
        () => ({ ...api, gss: { ...api.gss, deleteSecContext } }),
      );
      if (!("accept" in acceptor)) throw new Error(acceptor.message);
      expect(acceptor.accept(second!)).toMatchObject({
        ok: false,
        reason: expect.stringContaining("step"),
      });
      expect(given).toBe(1);
      acceptor.close();
    });

    test.each([
      ["NTLM", Uint8Array.from(Buffer.from("NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2")), /NTLM/],
      ["NTLM in SPNEGO", spnegoToken([OID.ntlm], Buffer.from("NTLMSSP\0\x01\0\0\0")), /NTLM/],
      ["octets in the shape of Kerberos", kerberosToken("nonsense"), /BADKEY/],
      [
        "octets in the shape of SPNEGO",
        spnegoToken([OID.kerberos], fakeToken("NODE1$@SMB.EXAMPLE")),
        /BADKEY/,
      ],
    ])("%s: BADKEY, and the log says why", async (_, token, reason) => {
      const asked = query(token);
      expect(told(await askTcp(server, asked))).toBe("NOERROR BADKEY");
      const name = decodeMessage(asked).questions[0]!.name.toString();
      const line = await server.logged((entry) => entry["name"] === name);
      expect(line).toMatchObject({ exchange: "tkey", reason: expect.stringMatching(reason) as string });
    });

    test("a message signed with a context that is not there: BADKEY", async () => {
      const asked = tkeyQuery({ mode: 5 });
      const { bytes } = new FakeInitiator("unknown.sig-ns1.smb.example.").sign(
        asked,
        Math.floor(Date.now() / 1000),
      );
      const { header, tsig } = decodeMessage((await askTcp(server, bytes))!);
      expect([rcodeToText(header.rcode), tsigErrorToText(tsig!.error)]).toEqual(["NOTAUTH", "BADKEY"]);
    });
  });

  test("fifty updates under way at once over UDP, answered and signed in whatever order", async () => {
    const initiator = new GssInitiator(node1, `${SERVICE}@SMB.EXAMPLE`);
    const keyName = Name.parse("many.sig-ns1.smb.example.");
    const answer = decodeMessage((await askTcp(server, tkeyQuery({ keyName, key: initiator.step() })))!);
    expect(initiator.step(readTkey(answer.answers[0]!).key)).toHaveLength(0);
    const context = initiator.macContext(keyName, GSS_TSIG);
    const client = await UdpClient.open(server);
    const now = Math.floor(Date.now() / 1000);
    const sent = Array.from({ length: 50 }, (_, id) => {
      const added = rr(`node1 60 AAAA 2001:db8::${id + 1}`);
      const request = encodeMessage({
        id,
        flags: Opcode.UPDATE << 11,
        rcode: 0,
        questions: [{ name: ORIGIN, type: RrType.SOA, class: RrClass.IN }],
        authorities: [added],
      });
      const stamp = {
        keyName,
        algorithm: GSS_TSIG,
        timeSigned: now,
        fudge: 300,
        originalId: id,
        error: 0,
        other: new Uint8Array(0),
      };
      return signMessage(context, request, undefined, stamp, "variables");
    });
    // The last one first: nothing says in which order datagrams come.
    const replies = await Promise.all(sent.toReversed().map(({ message }) => client.ask(message)));
    replies.toReversed().forEach((bytes, id) => {
      const { header, tsig } = decodeMessage(bytes);
      expect(header).toMatchObject({ id, rcode: 0 });
      const parts = [...priorMacParts(sent[id]!.mac), ...receivedParts(bytes, tsig!.start, id)];
      expect(context.verify([...parts, stampPart(tsig!, "variables")], tsig!.mac)).toBe(true);
    });
    // One that was not the last is not taken again.
    const replayed = decodeMessage(await client.ask(sent[25]!.message));
    expect(tsigErrorToText(replayed.tsig!.error)).toBe("BADSIG");
    client.close();
    initiator.release();
    const registered = (await server.records("smb.example")).filter((text) =>
      text.includes(" AAAA 2001:db8::"),
    );
    expect(registered).toHaveLength(51); // ns1 has one
  });

  describe("10,000 bad negotiations", () => {
    let bad: readonly Uint8Array[];
    let used: Uint8Array;
    beforeAll(async () => {
      const [real, second] = tokens(node1, 2);
      used = second!;
      // Broken in the ticket, in the authenticator, in its own lengths, and used before.
      const broken = (at: number): Uint8Array => real!.with(at, real![at]! ^ 0x55);
      bad = [broken(300), broken(real!.length - 20), broken(120), used];
    });

    test("leave the table as it was, and the next good one is taken", async () => {
      server.configure({
        config: config("negotiations_per_second = 100000\nnegotiations_per_address = 100000\n"),
      });
      await server.json("reload");
      await askTcp(server, query(used));
      const before = await server.status();
      const client = await TcpClient.open(server);
      for (let i = 0; i < 10_000; i += 50) {
        for (let j = 0; j < 50; j++) client.send(query(bad[(i + j) % bad.length]!));
        for (let j = 0; j < 50; j++) expect(told(await client.receive())).toBe("NOERROR BADKEY");
      }
      client.close();
      const after = await server.status();
      expect(after.counters["gssRefused"]! - before.counters["gssRefused"]!).toBe(10_000);
      expect(after.counters["gssContexts"]).toBe(before.counters["gssContexts"]);
      expect(told(await askTcp(server, query(tokens(node1, 1)[0]!)))).toBe("NOERROR NOERROR");
    });

    test("leave memory as it was", () => {
      // In this process, where no other work moves it.
      const acceptor = openAcceptor({
        keytab: join(server.directory, "dns.keytab"),
        replayCache: join(kdc.directory, "replays"),
      });
      if (!("accept" in acceptor)) throw new Error(acceptor.message);
      const refuse = (times: number): void => {
        for (let i = 0; i < times; i++) {
          const { ok } = acceptor.accept(bad[i % bad.length]!);
          if (ok && i >= bad.length) throw new Error("a bad token was accepted");
        }
      };
      refuse(5000);
      const before = process.memoryUsage().rss;
      refuse(10_000);
      // A context takes two kilobytes: 10,000 of them would be 20 MB.
      expect(process.memoryUsage().rss - before).toBeLessThan(8 * 1024 * 1024);
      acceptor.close();
    });
  });

  describe("the keytab at a reload", () => {
    test("lost or broken: an error that says so, and the keys before it stay in use", async () => {
      const file = join(server.directory, "dns.keytab");
      rmSync(file);
      const lost = await server.cli("reload");
      expect([lost.code, lost.stderr]).toEqual([
        1,
        expect.stringMatching(/does not exist \[CONFIG_KEYTAB\]/),
      ]);
      expect(await register("192.0.2.81")).toBe("");
      writeFileSync(file, "no keys here", { mode: 0o600 });
      const broken = await server.cli("reload");
      expect([broken.code, broken.stderr]).toEqual([
        1,
        expect.stringMatching(/not a keytab \[CONFIG_KEYTAB\]/),
      ]);
      expect(await register("192.0.2.82")).toBe("");
    });

    test("renewed: taken, and tickets for the new keys accepted", async () => {
      // ktadd gives the service new keys and keeps the old in the file.
      copyFileSync(await kdc.keytab("dns.keytab", SERVICE), join(server.directory, "dns.keytab"));
      node1 = await kdc.login("NODE1$");
      expect(await register("192.0.2.83")).not.toBe("");
      const { code, stdout } = await server.cli("reload");
      expect([code, stdout]).toEqual([0, expect.stringMatching(/Kerberos keys changed: .*version 3/)]);
      expect(await register("192.0.2.84")).toBe("");
    });
  });
});
