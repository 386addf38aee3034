/** TSIG between Rollcall and the programs of BIND and Knot: every algorithm, every way to fail (RFC 8945). */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ClientTransaction } from "../../src/auth/tsig/client.ts";
import { algorithmFromText } from "../../src/auth/tsig/key.ts";
import type { TsigKey } from "../../src/auth/tsig/key.ts";
import { Opcode, Rcode, TsigError } from "../../src/wire/iana/code.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { axfr, dig, kdig, knsupdate, nsupdate, serialOf } from "../support/clients.ts";
import type { Updated } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer } from "../support/rollcall.ts";
import { rr } from "../support/rr.ts";
import { askUdp } from "../support/sockets.ts";
import {
  ALGORITHMS,
  FORWARD_ZONE,
  inlineKey,
  keyFile,
  keyNameOf,
  keyPath,
  MASTER,
  secretOf,
  startUpdateServer,
} from "../support/update-server.ts";

/** All went well, and the program had no word of doubt about a signature. */
function succeeded(updated: Updated): void {
  expect(updated).toMatchObject({ code: 0, failures: [] });
  expect(updated.text).not.toMatch(/TSIG|verif|error/i);
}

describeWith(["dig", "nsupdate", "kdig", "knsupdate"], "TSIG with nsupdate, knsupdate, dig and kdig", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer();
  });
  afterAll(() => server.remove());

  const address = async (name: string): Promise<readonly string[]> =>
    (await dig(server, name, "A", "+norec")).answer;

  describe.each(ALGORITHMS)("%s", (algorithm) => {
    const ways: [string, string[]][] = [
      ["-y over UDP", ["-y", inlineKey(algorithm)]],
      ["-y over TCP", ["-v", "-y", inlineKey(algorithm)]],
    ];
    test.each(ways)("nsupdate %s", async (way, args) => {
      const name = `${algorithm}${way.length % 7}-ns.smb.example`;
      succeeded(await nsupdate(server, [`update add ${name} 60 A 192.0.2.77`], ...args));
      expect(await address(name)).toEqual([`${name}. 60 IN A 192.0.2.77`]);
      succeeded(await nsupdate(server, [`update delete ${name}`], ...args));
      expect(await address(name)).toEqual([]);
    });

    test("nsupdate with a key file, over UDP and TCP", async () => {
      const name = `${algorithm}-file.smb.example`;
      const file = keyPath(server, algorithm);
      succeeded(await nsupdate(server, [`update add ${name} 60 A 192.0.2.78`], "-k", file));
      succeeded(await nsupdate(server, [`update add ${name} 60 A 192.0.2.79`], "-v", "-k", file));
      expect((await address(name)).toSorted()).toEqual([
        `${name}. 60 IN A 192.0.2.78`,
        `${name}. 60 IN A 192.0.2.79`,
      ]);
    });

    test("knsupdate over UDP and TCP", async () => {
      const name = `${algorithm}-kn.smb.example.`;
      const zone = "zone smb.example.";
      const key = inlineKey(algorithm);
      succeeded(await knsupdate(server, [zone, `add ${name} 60 A 192.0.2.80`], "-y", key));
      succeeded(await knsupdate(server, [zone, `add ${name} 60 A 192.0.2.81`], "-v", "-y", key));
      expect((await address(name)).toSorted()).toEqual([
        `${name} 60 IN A 192.0.2.80`,
        `${name} 60 IN A 192.0.2.81`,
      ]);
    });

    test.each(["+notcp", "+tcp"])(
      "dig and kdig believe the answer to a signed query, %s",
      async (transport) => {
        for (const program of [dig, kdig]) {
          const { status, answer, text } = await program(
            server,
            "fs1.smb.example",
            "TXT",
            transport,
            "-y",
            inlineKey(algorithm),
          );
          expect({ status, answer }).toEqual({
            status: "NOERROR",
            answer: [`fs1.smb.example. 300 IN TXT "first file server"`],
          });
          expect(text).toContain("TSIG PSEUDOSECTION");
          expect(text).not.toMatch(/validated|verif/i);
        }
      },
    );

    test("dig and kdig believe a signed transfer", async () => {
      const plain = await axfr(server, "smb.example");
      const records = await axfr(server, "smb.example", "-y", inlineKey(algorithm));
      expect(records.filter((line) => !line.includes(" TSIG "))).toEqual(plain);
      const { text, code } = await kdig(server, "smb.example", "AXFR", "-y", inlineKey(algorithm));
      expect(text).toMatch(/fs1\.smb\.example\.\s+300\s+IN\s+A\s+192\.0\.2\.1/);
      expect(text).not.toMatch(/verif|WARNING|\bERROR/);
      expect(code).toBe(0);
    });
  });

  test("key names and algorithm names compare without their case", async () => {
    const key = inlineKey("hmac-sha256").replace(
      keyNameOf("hmac-sha256"),
      keyNameOf("hmac-sha256").toUpperCase(),
    );
    const updated = await nsupdate(server, ["update add upper.smb.example 60 A 192.0.2.1"], "-y", key);
    expect(updated).toMatchObject({ code: 0, failures: [] });
  });

  describe("what is not believed changes nothing", () => {
    const wrong = Buffer.alloc(64, 7).toString("base64");
    const cases: [string, string, string][] = [
      ["a wrong secret is BADSIG", inlineKey("hmac-sha256", undefined, wrong), "NOTAUTH(BADSIG)"],
      ["an unknown key is BADKEY", inlineKey("hmac-sha256", "nobody.key.example"), "NOTAUTH(BADKEY)"],
      [
        "a key with another algorithm is BADKEY",
        inlineKey("hmac-sha512", keyNameOf("hmac-sha256")),
        "NOTAUTH(BADKEY)",
      ],
      ["hmac-md5 is BADKEY where no such key is configured", inlineKey("hmac-md5"), "NOTAUTH(BADKEY)"],
    ];
    test.each(cases)("%s", async (_, key, expected) => {
      const before = await serialOf(server, "smb.example");
      for (const transport of [[], ["-v"]]) {
        const updated = await nsupdate(
          server,
          ["update add bad.smb.example 60 A 192.0.2.1"],
          ...transport,
          "-y",
          key,
        );
        expect(updated).toMatchObject({ code: 2, failures: [expected] });
      }
      expect(await serialOf(server, "smb.example")).toBe(before);
      expect(await address("bad.smb.example")).toEqual([]);
      const line = await server.logged(
        ({ exchange, key: name }) => exchange === "tsig" && String(name) === `${key.split(":")[1]}.`,
      );
      expect(line["msg"]).toBe("tsig refused");
    });

    test("knsupdate and kdig see BADSIG too", async () => {
      const key = inlineKey("hmac-sha256", undefined, wrong);
      const updated = await knsupdate(
        server,
        ["zone smb.example.", "add bad.smb.example. 60 A 192.0.2.1"],
        "-y",
        key,
      );
      expect(updated.code).toBe(1);
      expect(updated.text).toContain("BADSIG");
      expect((await kdig(server, "fs1.smb.example", "-y", key)).status).toBe("BADSIG");
      expect((await dig(server, "fs1.smb.example", "-y", key)).status).toBe("NOTAUTH");
    });

    test.each([
      ["an hour slow", -3600],
      ["an hour fast", 3600],
    ])("a clock %s is BADTIME, signed, with the server's time", async (_, skew) => {
      const now = Math.floor(Date.now() / 1000);
      const request = encodeMessage({
        id: 0x4b1d,
        flags: Opcode.UPDATE << 11,
        rcode: 0,
        questions: [{ name: Name.parse("smb.example."), type: RrType.SOA, class: RrClass.IN }],
        authorities: [rr("skewed 60 A 192.0.2.1")],
      });
      const key: TsigKey = {
        name: Name.parse(keyNameOf("hmac-sha256")),
        algorithm: algorithmFromText("hmac-sha256")!,
        secret: Buffer.from(secretOf(keyNameOf("hmac-sha256")), "base64"),
      };
      const { message, transaction } = ClientTransaction.start(key, request, now + skew);
      const bytes = await askUdp(server, message);
      const reply = decodeMessage(bytes);
      expect(reply.header.rcode).toBe(Rcode.NOTAUTH);
      // RFC 8945 §5.2.3: the answer repeats the client's time, so that the client can check it.
      const verdict = transaction.verify(bytes, reply.tsig, now + skew);
      expect(verdict).toMatchObject({
        ok: false,
        fault: "peer-error",
        error: TsigError.BADTIME,
        authentic: true,
      });
      const { serverTime } = verdict as { serverTime: number };
      expect(Math.abs(serverTime - now)).toBeLessThan(60);
      expect(await address("skewed.smb.example")).toEqual([]);
    });
  });

  test("knsupdate and nsupdate leave one zone, as dig and kdig see it", async () => {
    await nsupdate(server, ["update add last.smb.example 60 A 192.0.2.99"], "-y", MASTER);
    const records = await axfr(server, "smb.example");
    expect(records).toContain("last.smb.example. 60 IN A 192.0.2.99");
    const { text } = await kdig(server, "smb.example", "AXFR");
    const seen = text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith(";"))
      .map((line) => line.replaceAll(/\s+/g, " "));
    expect(seen.slice(0, -1).toSorted()).toEqual(records); // kdig prints both SOAs
  });
});

describeWith(["nsupdate", "dig"], "hmac-md5", () => {
  test("is served where the configuration allows it", async () => {
    const server = await startUpdateServer({
      algorithms: ["hmac-md5"],
      tables: "[tsig]\nallow_md5 = true\n",
    });
    try {
      const updated = await nsupdate(
        server,
        ["update add old.smb.example 60 A 192.0.2.5"],
        "-y",
        inlineKey("hmac-md5"),
      );
      expect(updated).toMatchObject({ code: 0, failures: [] });
      const byFile = await nsupdate(
        server,
        ["update add old.smb.example 60 A 192.0.2.6"],
        "-k",
        keyPath(server, "hmac-md5"),
      );
      expect(byFile).toMatchObject({ code: 0, failures: [] });
      expect((await dig(server, "old.smb.example")).answer).toHaveLength(2);
    } finally {
      await server.remove();
    }
  });

  test("keeps the server from starting where it is not allowed, and the message says how to allow it", async () => {
    const server = RollcallServer.prepare({
      config: `keys = ["md5.conf"]\n[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`,
      files: { "md5.conf": keyFile("hmac-md5"), "smb.zone": FORWARD_ZONE },
    });
    try {
      const { code, stderr } = await server.cli("serve");
      expect(code).toBe(1);
      expect(stderr).toContain("KEYFILE_MD5");
      expect(stderr).toContain("md5.conf:2");
      expect(stderr).toContain("allow_md5");
    } finally {
      await server.remove();
    }
  });
});
