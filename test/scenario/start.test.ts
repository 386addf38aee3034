/** What keeps a server from starting: each with a message that names the place and the way out, and exit code 1. */
import { createSocket } from "node:dgram";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Problem } from "../../src/config/problem.ts";
import { DATABASE_FILE } from "../../src/store/open.ts";
import { askText } from "../support/exchange.ts";
import { keytabFile } from "../support/keytab.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";

const ZONE = `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`;
const FILES = { "smb.zone": SMALL_ZONE };

let server: RollcallServer;
beforeEach(() => {
  server = RollcallServer.prepare({ config: ZONE, files: FILES });
});
afterEach(() => server.remove());

/** Tries to start it. @returns what it says on standard error */
async function refused(on: RollcallServer = server): Promise<string> {
  const { code, stderr } = await on.cli("serve");
  expect(code).toBe(1);
  // A stack is for faults of the program, never for the operator's.
  expect(stderr).not.toMatch(/^\s+at /m);
  return stderr;
}

function write(name: string, text: string): void {
  writeFileSync(join(server.directory, name), text, { mode: 0o600 });
}

function databaseFile(): string {
  return join(server.directory, "data", DATABASE_FILE);
}

describe("another server", () => {
  test("on the same data directory: the second says who has it; the first goes on", async () => {
    await server.up();
    const said = await refused();
    expect(said).toContain("STORE_LOCKED");
    expect(said).toContain(`in use by process ${server.daemon.pid}`);
    expect(said).toContain("rollcall stop");
    expect(said).toContain("`data` directory of its own");
    expect(await askText(server, "fs1.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
    expect((await server.cli("status")).code).toBe(0); // its control socket was left alone
  });

  test.each(["udp", "tcp"])("on the same port, %s", async (transport) => {
    let port: number;
    let free: () => void;
    if (transport === "udp") {
      const socket = createSocket("udp4");
      socket.bind(0, "127.0.0.1");
      await once(socket, "listening");
      ({ port } = socket.address());
      free = () => socket.close();
    } else {
      const listener = createServer().listen(0, "127.0.0.1");
      await once(listener, "listening");
      ({ port } = listener.address() as AddressInfo);
      free = () => listener.close();
    }
    server.configure({ config: ZONE, listen: [`127.0.0.1:${port}`] });
    const said = await refused();
    free();
    expect(said).toContain(`cannot listen on 127.0.0.1:${port}: another program holds this address and port`);
    expect(said).toContain("ss -lntup");
    // Nothing of the failed start is in the way of the next.
    await server.up();
    expect(await askText(server, "fs1.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
  });

  test("an address that is not this machine's", async () => {
    server.configure({ config: ZONE, listen: ["203.0.113.77:0"] });
    const said = await refused();
    expect(said).toContain("cannot listen on 203.0.113.77:0: this machine has no such address");
    expect(said).toContain("ip address");
  });
});

describe("mistakes in files: all of them are told, and nothing is written", () => {
  test("in the configuration", async () => {
    server.configure({
      config: `threads = "many"\n${ZONE.replace("file", "fil")}transfer = [{ net = "10.0.0.0/33" }]\n[log]\nlevel = "loud"\n`,
    });
    const said = await refused();
    for (const part of [
      ":3:11: error: ",
      `:6:1: error: unknown key "fil"`,
      `Did you mean "file"?`,
      `:7:21: error: `,
      ":9:9: error: ",
      "rollcall: not started: the configuration has mistakes",
    ]) {
      expect(said).toContain(part);
    }
    expect(existsSync(join(server.directory, "data"))).toBe(false);
  });

  test("as JSON for programs", async () => {
    server.configure({ config: `${ZONE}colour = 3\n` });
    const { code, stderr } = await server.cli("serve", "--json");
    expect(code).toBe(1);
    const report = JSON.parse(stderr) as { ok: boolean; message: string; problems: Problem[] };
    expect(report).toMatchObject({
      ok: false,
      message: "the configuration has mistakes",
      problems: [{ severity: "error", code: "CONFIG_UNKNOWN_KEY", line: 6, column: 1 }],
    });
  });

  test("in two zone files", async () => {
    write(
      "smb.zone",
      `$TTL 300\n@ IN SOA ns1 hostmaster 1 900 60 1209600\n@ IN NS ns1\nns1 IN A 192.0.2.530\nfs1 IN AA 192.0.2.1\n`,
    );
    write(
      "other.zone",
      `$TTL 300\n@ IN SOA ns1 hostmaster 1 900 60 1209600 30\nns1 IN A 192.0.2.53\nfs1 IN CNAME ns1\nfs1 IN A 192.0.2.1\n`,
    );
    server.configure({ config: `${ZONE}[[zone]]\nname = "other.example"\nfile = "other.zone"\n` });
    const said = await refused();
    for (const part of [
      "smb.zone:2:",
      "smb.zone:4:10: error: A: an IPv4 address was expected",
      "smb.zone:5:8: error: ",
      "other.zone:5: error: fs1.other.example. A: the name has a CNAME",
      "other.zone: error: other.example.: a zone has an NS at its apex, and this has none",
      "rollcall: not started: a zone file has mistakes",
    ]) {
      expect(said).toContain(part);
    }
    // Mended, both start from their files.
    for (const name of ["smb.zone", "other.zone"]) write(name, SMALL_ZONE);
    await server.up();
    expect(await askText(server, "fs1.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
    expect(await askText(server, "fs1.other.example. A")).toMatchObject({ rcode: "NOERROR" });
  });

  test("a zone file that is not there", async () => {
    server.configure({ config: ZONE.replace("smb.zone", "smb.zon") });
    const said = await refused();
    expect(said).toMatch(/rollcall\.toml:5:8: warning: the zone file \S+smb\.zon does not exist/);
    expect(said).toMatch(/smb\.zon: error: cannot be read: there is no such file/);
  });

  test("in a key file", async () => {
    write(
      "keys.conf",
      `key "a" {\n\talgorithm hmac-sha7;\n\tsecret "%%%";\n};\nkey "b" { algorithm hmac-sha256 };\n`,
    );
    server.configure({ config: `keys = ["keys.conf", "more.conf"]\n${ZONE}` });
    const said = await refused();
    for (const part of [
      "keys.conf:2:12: error: ",
      "keys.conf:3:9: error: ",
      "keys.conf:5:",
      "more.conf",
      "KEYFILE_ALGORITHM",
      "KEYFILE_SECRET",
      "KEYFILE_INCOMPLETE",
    ]) {
      expect(said).toContain(part);
    }
    expect(said).not.toContain("%%%"); // no message quotes a secret
  });

  test("a key file that others may read", async () => {
    write("keys.conf", `key "a" { algorithm hmac-sha256; secret "c2VjcmV0"; };\n`);
    chmodSync(join(server.directory, "keys.conf"), 0o644);
    server.configure({ config: `keys = ["keys.conf"]\n${ZONE}` });
    const said = await refused();
    expect(said).toContain("keys.conf");
    expect(said).toMatch(/chmod (600|go=|0600)/);
  });

  test("no configuration at all", async () => {
    rmSync(server.configFile);
    const said = await refused();
    expect(said).toContain("rollcall.toml: error: the configuration cannot be read: there is no such file");
    expect(said).toContain("--config FILE");
  });
});

test("a zone of the store is served without the file it came from", async () => {
  await server.up();
  await server.down();
  rmSync(join(server.directory, "smb.zone"));
  await server.up();
  expect(await askText(server, "fs1.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
  await server.down();
});

test("a data directory where none can be made, and where trying would go on for ever", async () => {
  writeFileSync(server.configFile, `listen = ["127.0.0.1:0"]\ndata = "/proc/rollcall/data"\n${ZONE}`);
  expect(await refused()).toContain("STORE_ACCESS");
});

test("a data directory that cannot be made", async () => {
  write("a-file", "");
  writeFileSync(server.configFile, `listen = ["127.0.0.1:0"]\ndata = "a-file/data"\n${ZONE}`);
  const said = await refused();
  expect(said).toContain("STORE_ACCESS");
  expect(said).toContain("a-file/data cannot be used");
  expect(said).toContain("set `data` to a directory where it may");
});

describe("a database that cannot be trusted", () => {
  beforeEach(async () => {
    await server.up();
    await server.down();
  });

  test("of a newer schema: refused with advice, and not touched", async () => {
    const db = new Database(databaseFile());
    db.pragma("user_version = 99");
    db.pragma("journal_mode = DELETE"); // all of it in the one file, to be compared
    db.close();
    const before = readFileSync(databaseFile());
    const said = await refused();
    expect(said).toContain("STORE_NEWER");
    expect(said).toContain("has schema version 99");
    expect(said).toContain("Start the newer Rollcall");
    expect(readFileSync(databaseFile()).equals(before)).toBe(true);
  });

  test("of another program", async () => {
    const db = new Database(databaseFile());
    db.pragma("application_id = 1234");
    db.close();
    expect(await refused()).toContain("STORE_FOREIGN");
  });

  test("no database", async () => {
    writeFileSync(
      databaseFile(),
      "This is not a database, but it is long enough to be looked at as if it were one.\n".repeat(20),
    );
    const said = await refused();
    expect(said).toContain("STORE_CORRUPT");
    expect(said).toContain("restore rollcall.db from a backup");
  });

  test("damaged in the middle", async () => {
    const octets = readFileSync(databaseFile());
    octets.fill(0x5a, 4096 * 3, 4096 * 3 + 2048);
    writeFileSync(databaseFile(), octets);
    expect(await refused()).toContain("STORE_CORRUPT");
  });
});

test("[gss] on a machine where the Kerberos library cannot be called", async () => {
  const key = { components: ["DNS", "ns1.smb.example"], realm: "SMB.EXAMPLE", version: 1, encryption: 18 };
  writeFileSync(join(server.directory, "dns.keytab"), keytabFile(key), { mode: 0o600 });
  write(
    "hide-koffi.cjs",
    `const Module = require("node:module");
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (name === "koffi") throw Object.assign(new Error("Cannot find module 'koffi'"), { code: "MODULE_NOT_FOUND" });
  return resolve.call(this, name, ...rest);
};`,
  );
  server.configure({ config: `[gss]\nkeytab = "dns.keytab"\n${ZONE}` });
  vi.stubEnv("NODE_OPTIONS", `--require ${join(server.directory, "hide-koffi.cjs")}`);
  const said = await refused();
  vi.unstubAllEnvs();
  expect(said).toContain("GSS_LIBRARY");
  expect(said).toContain("koffi is not installed");
  expect(said).toContain("libgssapi-krb5-2");
});
