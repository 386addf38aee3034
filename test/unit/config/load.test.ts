/** What a good configuration means. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { takesUdp } from "../../../src/auth/update-rule.ts";
import { zoneConfigOf } from "../../../src/config/config.ts";
import type { Config } from "../../../src/config/config.ts";
import { dataDirectoryOf, loadConfig } from "../../../src/config/load.ts";
import { Name } from "../../../src/wire/name.ts";
import { RrType } from "../../../src/wire/iana/type.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rollcall-config-"));
  const keys = ["dhcp", "xfr"].map(
    (name) => `key "${name}.smb.example" { algorithm hmac-sha256; secret "c2VjcmV0"; };\n`,
  );
  writeFileSync(join(folder, "keys.conf"), keys.join(""), { mode: 0o600 });
  writeFileSync(join(folder, "smb.example.zone"), "");
});

afterAll(() => rmSync(folder, { recursive: true }));

function good(text: string): Config {
  const path = join(folder, "rollcall.toml");
  writeFileSync(path, text);
  const { config, problems } = loadConfig(path);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return config!;
}

test("the whole contract", () => {
  const config = good(`
    listen  = ["127.0.0.1:5300", "[::1]:5300", "192.0.2.1", "2001:DB8:0::1"]
    data    = "../data"
    threads = 2
    keys    = ["keys.conf"]
    [log]
    level = "debug"
    [[zone]]
    name     = "smb.example"
    file     = "smb.example.zone"
    notify   = ["192.0.2.53", { address = "[2001:db8::53]:5300", key = "xfr.smb.example" }]
    transfer = [{ net = "127.0.0.0/8" }, { key = "XFR.smb.example", net = "192.0.2.0/24" }]
    journal  = { max_size = "1MiB" }
    [[zone.update]]
    key   = "dhcp.smb.example"
    names = ["*.smb.example"]
    types = ["a", "SRV", "TYPE65280"]
    [[zone.update]]
    net = "10.0.0.0/8"
    allow = false
    [[zone]]
    name = "2.0.192.in-addr.arpa"
  `);
  expect(config.path).toBe(join(folder, "rollcall.toml"));
  expect(config.data).toBe(join(folder, "../data"));
  expect(config.threads).toBe(2);
  expect(config.log.level).toBe("debug");
  expect(config.listen.map(({ address, port }) => [address, port])).toEqual([
    ["127.0.0.1", 5300],
    ["::1", 5300],
    ["192.0.2.1", 53],
    ["2001:db8::1", 53],
  ]);
  const zone = zoneConfigOf(config, Name.parse("SMB.EXAMPLE"))!;
  expect(zone.file).toBe(join(folder, "smb.example.zone"));
  expect(zone.notify).toMatchObject([
    { address: "192.0.2.53", port: 53 },
    { address: "2001:db8::53", port: 5300 },
  ]);
  expect(zone.notify[0]!.key).toBeUndefined();
  expect(zone.notify[1]!.key!.name.toString()).toBe("xfr.smb.example.");
  expect(zone.transfer[0]!.key).toBeUndefined();
  expect(zone.transfer[0]!.net!.contains("127.1.2.3")).toBe(true);
  expect(zone.transfer[1]!.key!.equals(Name.parse("xfr.smb.example"))).toBe(true);
  expect(zone.update.map(({ index, allow }) => [index, allow])).toEqual([
    [1, true],
    [2, false],
  ]);
  expect(zone.update[0]!.types).toEqual([RrType.A, RrType.SRV, 65280]);
  expect(zone.update[0]!.names).toMatchObject([{ text: "*.smb.example", below: true }]);
  expect(zone.journal).toEqual({ maxAge: 30 * 86_400_000, maxBytes: 1024 * 1024 });
  const second = config.zones[1]!;
  expect(second.file).toBeUndefined();
  expect([second.notify, second.transfer, second.update]).toEqual([[], [], []]);
});

test("the defaults", () => {
  const config = good(`listen = ["127.0.0.1"]\ndata = "data"\n[[zone]]\nname = "smb.example"\n`);
  expect(config.threads).toBe(0);
  expect(config.log.level).toBe("info");
  expect(config.server.identity).toBe(hostname());
  expect(config.server.version).toMatch(/^Rollcall \d+\.\d+\.\d+/);
  expect(config.tsig.allowMd5).toBe(false);
  expect(config.journal).toEqual({ maxAge: 30 * 86_400_000, maxBytes: 64 * 1024 * 1024 });
  expect(config.limits).toEqual({
    tcpConnections: 1000,
    tcpConnectionsPerAddress: 100,
    tcpIdle: 30_000,
    tcpQueriesInFlight: 64,
    tcpWriteBuffer: 1024 * 1024,
    transfers: 8,
    updatesQueued: 10_000,
    forwardQueries: 1000,
    forwardQueriesPerClient: 200,
    records: { recordsPerRrset: 1000, typesPerName: 100, recordsPerZone: 5_000_000 },
  });
  expect(config.zones[0]!.limits).toEqual(config.limits.records);
});

test("empty texts switch identity and version off", () => {
  const config = good(
    `listen = ["::1"]\ndata = "d"\n[server]\nidentity = ""\nversion = ""\n[[zone]]\nname = "a"\n`,
  );
  expect(config.server).toEqual({ identity: "", version: "" });
});

test("the data directory is found in a configuration with mistakes", () => {
  const path = join(folder, "bad.toml");
  writeFileSync(path, `listen = 3\ndata = "../there"\nbogus = true\n`);
  expect(dataDirectoryOf(path)).toBe(join(folder, "../there"));
  writeFileSync(path, "listen = [\n");
  expect(dataDirectoryOf(path)).toMatchObject({ code: "CONFIG_SYNTAX" });
});

test("rules for hosts: scopes, transports, and nothing to warn of where the operator has decided", () => {
  const path = join(folder, "hosts.toml");
  writeFileSync(
    path,
    `listen = ["127.0.0.1:0"]
data = "data"
[[zone]]
name = "smb.example"
[[zone.update]]
scope = "self"
[[zone.update]]
net = "10.0.0.0/8"
scope = "source"
types = ["A", "PTR"]
[[zone.update]]
net = "10.1.0.0/16"
scope = "source"
udp = true
replace = true
[[zone.update]]
net = "10.2.0.0/16"
udp = false
[[zone.update]]
net = "127.0.0.0/8"
`,
  );
  const { config, problems } = loadConfig(path);
  expect(problems).toEqual([]);
  const rules = config!.zones[0]!.update;
  expect(rules.map(({ scope, replace }) => [scope, replace])).toEqual([
    ["self", undefined],
    ["source", undefined],
    ["source", true],
    [undefined, undefined],
    [undefined, undefined],
  ]);
  expect(rules.map(takesUdp)).toEqual([true, false, true, false, true]);
});
