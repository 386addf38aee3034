/** The commands that need no zone: their exit codes, what they print, and how they fail. */
import { readFileSync, statSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createSocket } from "node:dgram";
import { Packet } from "dns2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseKeyFile } from "../../../src/auth/keyfile.ts";
import { ROLLCALL_VERSION } from "../../../src/config/version.ts";
import type { ServerStatus } from "../../../src/control/verbs.ts";
import { AdminHouse, START } from "../../support/admin.ts";

let house: AdminHouse;

beforeAll(async () => {
  house = await AdminHouse.open(`[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`, {
    "smb.zone": "@ 300 IN SOA ns1 hostmaster 1 900 60 1209600 30\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.53\n",
  });
  await house.json("zone", "import", "smb.example", "smb.zone");
});

afterAll(() => house.close());

describe("usage", () => {
  test.each([
    ["an unknown command", ["stauts"], "Did you mean status?"],
    ["an unknown verb", ["zone", "lst"], "Did you mean list?"],
    ["an unknown option", ["zone", "list", "--jsn"], "Did you mean --json?"],
    ["a missing argument", ["zone", "show"], "missing required argument 'zone'"],
    ["an argument too many", ["status", "now"], "too many arguments"],
    ["a bad zone", ["zone", "show", "a..b"], "empty label"],
    ["a bad type", ["zone", "show", "smb.example", "--type", "Q"], "not a record type"],
    [
      "a name of another zone",
      ["zone", "show", "smb.example", "--name", "other.example."],
      "is not in the zone",
    ],
    ["a bad count", ["zone", "history", "smb.example", "--limit", "0"], "not a count"],
    ["a bad time", ["zone", "history", "smb.example", "--since", "yesterday"], "not a time"],
    ["a rollback to nowhere", ["zone", "rollback", "smb.example"], "required option '--to <serial|time>'"],
    ["a weak algorithm", ["key", "generate", "a", "-a", "hmac-md5"], "weak"],
    ["an unknown algorithm", ["key", "generate", "a", "-a", "sha255"], "Did you mean"],
    ["nothing to do", ["zone"], "Usage: rollcall zone"],
  ])("%s exits with 2", async (_name, args, says) => {
    const { code, stdout, stderr } = await house.cli(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
  });

  test("help and version exit with 0", async () => {
    const help = await house.cli("zone", "import", "--help");
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("Examples:\n  $ rollcall zone import");
    expect(await house.cli("--version")).toMatchObject({ code: 0, stdout: `${ROLLCALL_VERSION}\n` });
  });
});

describe("without a server", () => {
  test("commands exit with 3 and say what to do", async () => {
    const { code, stderr } = await house.cli("status", "--socket", "nowhere.sock");
    expect(code).toBe(3);
    expect(stderr).toContain("[CONTROL_UNREACHABLE]");
    expect(stderr).toContain("rollcall serve");
  });

  test("with --json the error is JSON", async () => {
    const { code, stdout } = await house.cli("zone", "list", "--socket", "nowhere.sock", "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "CONTROL_UNREACHABLE" } });
  });

  test("a configuration that is not there is told", async () => {
    const { code, stderr } = await house.cli("status", "--config", "none.toml");
    expect(code).toBe(1);
    expect(stderr).toContain("[CONFIG_READ]");
  });

  test("a server of another version is told", async () => {
    const path = join(house.folder, "other.sock");
    const other = createServer((socket) => socket.end(`{"control":7,"version":"7.0.0"}\n`)).listen(path);
    await once(other, "listening");
    const { code, stderr } = await house.cli("status", "--socket", "other.sock");
    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain("7.0.0");
  });
});

describe("status, reload and stop", () => {
  test("status shows the server, its zones and its secondaries", async () => {
    const { code, stdout } = await house.cli("status");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Listening: +127\.0\.0\.1:5300$/m);
    expect(stdout).toMatch(/^queries: +12,345$/m);
    expect(stdout).toMatch(/^smb\.example\. +1 +3 +read-only/m);
    expect(stdout).toMatch(/^smb\.example\. +192\.0\.2\.54:53 +1 +current/m);
    const status = (await house.json("status")) as ServerStatus;
    expect(status.zones).toMatchObject([
      { name: "smb.example.", serial: 1, records: 3, served: true, dynamic: false, changedAt: START },
    ]);
  });

  test("a reload that succeeds exits with 0, one that is refused with 1 and every mistake", async () => {
    house.reloadReport = { ok: true, at: START, problems: [], changes: ["zone other.example. added"] };
    expect(await house.cli("reload")).toMatchObject({
      code: 0,
      stdout: "zone other.example. added\nReloaded.\n",
    });
    const problem = {
      severity: "error",
      code: "CONFIG_TYPE",
      file: "rollcall.toml",
      line: 3,
      column: 5,
      message: "no",
    } as const;
    house.reloadReport = { ok: false, at: START, problems: [problem], changes: [] };
    const { code, stderr } = await house.cli("reload");
    expect(code).toBe(1);
    expect(stderr).toContain("rollcall.toml:3:5: error: no [CONFIG_TYPE]");
    expect((await house.cli("reload", "--json")).code).toBe(1);
  });

  test("stop is answered before the server stops", async () => {
    expect(await house.json("stop")).toEqual({ pid: process.pid });
    expect(house.stops).toBe(1);
  });
});

describe("config check", () => {
  test("a good configuration exits with 0", async () => {
    const { code, stdout } = await house.cli("config", "check");
    expect([code, stdout]).toEqual([0, "OK: rollcall.toml: 1 zone, no keys\n"]);
  });

  test("mistakes of the configuration and of zone files come together", async () => {
    house.write("bad.zone", "@ 300 IN SOA ns1 hostmaster 1 900 60 1209600 30\nfs1 300 IN A 1.2.3\n");
    house.write("bad.toml", `listen = []\ndata = "d"\n[[zone]]\nname = "smb.example"\nfile = "bad.zone"\n`);
    const { code, stdout } = await house.cli("config", "check", "--config", "bad.toml", "--json");
    expect(code).toBe(1);
    const { ok, problems } = JSON.parse(stdout) as {
      ok: boolean;
      problems: { code: string; line: number }[];
    };
    expect(ok).toBe(false);
    expect(problems.map((problem) => [problem.code, problem.line])).toEqual([
      ["CONFIG_VALUE", 1],
      ["ZONEFILE_RDATA", 2],
    ]);
  });
});

describe("zone check", () => {
  test("needs no server and no configuration", async () => {
    const { code, stdout } = await house.cli("zone", "check", "smb.example", "smb.zone");
    expect([code, stdout]).toEqual([0, "OK: smb.zone: 3 records for smb.example.\n"]);
  });

  test("tells what is wrong with the zone as a whole, with the line", async () => {
    house.write(
      "two.zone",
      "@ 300 IN SOA a b 1 2 3 4 5\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.1\nx 300 IN CNAME y\nx 300 IN A 192.0.2.1\n",
    );
    const { code, stderr } = await house.cli("zone", "check", "smb.example", "two.zone");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^two\.zone:\d: error: x\.smb\.example\..*\[ZONE_CNAME_AND_OTHER\]$/m);
  });

  test("of a file that is not there says so", async () => {
    const { code, stderr } = await house.cli("zone", "check", "smb.example", "no.zone");
    expect(code).toBe(1);
    expect(stderr).toContain("no such file");
  });
});

describe("key generate", () => {
  test("prints a key file that can be read back", async () => {
    const { code, stdout } = await house.cli("key", "generate", "dhcp.smb.example", "-a", "SHA512");
    expect(code).toBe(0);
    const { keys, problems } = parseKeyFile(stdout, "printed");
    expect(problems).toEqual([]);
    expect(keys).toHaveLength(1);
    expect([keys[0]!.name.toString(), keys[0]!.algorithm.text, keys[0]!.secret.length]).toEqual([
      "dhcp.smb.example.",
      "hmac-sha512",
      64,
    ]);
  });

  test("is another each time", async () => {
    const secrets = await Promise.all(
      [1, 2].map(async () => (await house.cli("key", "generate", "a")).stdout),
    );
    expect(secrets[0]).not.toBe(secrets[1]);
  });

  test("writes a new file only its owner can read, and never over another", async () => {
    expect((await house.cli("key", "generate", "a", "--out", "a.conf")).code).toBe(0);
    const file = join(house.folder, "a.conf");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const first = readFileSync(file, "utf8");
    const again = await house.cli("key", "generate", "a", "--out", "a.conf");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("exists already");
    expect(readFileSync(file, "utf8")).toBe(first);
  });
});

/** A server that gives every question the same answer. */
async function answering(fill: (packet: Packet) => void): Promise<{ server: string; close: () => void }> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    const response = Packet.createResponseFromRequest(Packet.parse(message));
    response.header.aa = 1;
    fill(response);
    socket.send(response.toBuffer(), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { server: `127.0.0.1:${socket.address().port}`, close: () => socket.close() };
}

describe("query", () => {
  test("prints answers as records", async () => {
    const { server, close } = await answering((packet) => {
      const { IN } = Packet.CLASS;
      const name = "fs1.smb.example";
      packet.answers.push(
        new Packet.Resource({ name, type: Packet.TYPE.A, class: IN, ttl: 30, address: "192.0.2.1" }),
        new Packet.Resource({
          name,
          type: Packet.TYPE.SRV,
          class: IN,
          ttl: 30,
          priority: 1,
          weight: 2,
          port: 445,
          target: name,
        }),
        new Packet.Resource({ name, type: 65280, class: IN, ttl: 30, data: Buffer.from([1, 2]) }),
      );
    });
    const { code, stdout } = await house.cli("query", "fs1.smb.example", "any", "--server", server);
    expect(code).toBe(0);
    expect(stdout).toContain("NOERROR, authoritative");
    expect(stdout).toMatch(/^fs1\.smb\.example\. +30 A +192\.0\.2\.1$/m);
    expect(stdout).toMatch(/ SRV +1 2 445 fs1\.smb\.example\.$/m);
    expect(stdout).toMatch(/ TYPE65280 \\# 2 0102$/m);
    const result = await house.json("query", "fs1.smb.example", "A", "--server", server);
    expect(result).toMatchObject({
      rcode: "NOERROR",
      transport: "udp",
      answers: [{ type: "A", data: "192.0.2.1" }, { type: "SRV" }, { type: "TYPE65280" }],
    });
    close();
  });

  test("an error exits with 1 and shows the server's reason", async () => {
    const { server, close } = await answering((packet) => {
      packet.header.rcode = Packet.RCODE.REFUSED;
      packet.additionals.push(
        Packet.Resource.EDNS([Packet.Resource.EDNS.EDE(Packet.EDE.NOT_AUTHORITATIVE, "not a zone of ours")]),
      );
    });
    const { code, stdout } = await house.cli("query", "example.org", "--server", server);
    expect(code).toBe(1);
    expect(stdout).toContain("REFUSED");
    expect(stdout).toContain("Reason: not authoritative: not a zone of ours");
    close();
  });

  test("no answer exits with 3", async () => {
    const { server, close } = await answering((packet) => void (packet.header.id ^= 1));
    const { code, stderr } = await house.cli("query", "a.example", "--server", server, "--timeout", "100");
    expect(code).toBe(3);
    expect(stderr).toContain("no answer over UDP within 100 ms");
    close();
  });
});
