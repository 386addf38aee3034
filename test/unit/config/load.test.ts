/** What a good configuration means. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { takesUdp } from "../../../src/auth/update-rule.ts";
import { zoneConfigOf } from "../../../src/config/config.ts";
import type { Config } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { dataDirectoryOf } from "../../../src/config/server-location.ts";
import { Name } from "../../../src/wire/name.ts";
import { LOCALLY_SERVED } from "../../../src/zone/locally-served.ts";
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

/** The `near` of a zone with these settings. */
function near(setting: string) {
  return good(`listen = ["::1"]\ndata = "d"\n[[zone]]\nname = "a"\n${setting}\n`).zones[0]!.near;
}

test("near: networks and the client's own, the narrowest first, by family", () => {
  expect(near(`near = "subnet"`)).toEqual({
    ipv4: [{ base: undefined, length: 24 }],
    ipv6: [{ base: undefined, length: 64 }],
  });
  expect(
    near(`near = ["10.0.0.0/8", "subnet", "2001:db8::/32", "10.1.0.0/16"]\nnear_ipv4 = 12\nnear_ipv6 = 48`),
  ).toEqual({
    ipv4: [
      { base: [0x0a010000], length: 16 },
      { base: undefined, length: 12 },
      { base: [0x0a000000], length: 8 },
    ],
    ipv6: [
      { base: undefined, length: 48 },
      { base: [0x20010db8, 0, 0, 0], length: 32 },
    ],
  });
  expect(near("")).toBeUndefined();
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

test("forwards, the cache, and the zones that are served empty", () => {
  const config = good(`
    listen = ["127.0.0.1"]
    data = "data"
    private_suffixes = ["lan"]
    [cache]
    size = "1MiB"
    max_negative_ttl = "1m"
    [[forward]]
    names = ["corp.example", "10.in-addr.arpa"]
    upstreams = ["192.0.2.1", "[2001:DB8::1]:5300"]
    clients = ["10.0.0.0/8", "2001:db8::/32"]
    randomize_case = true
    [[forward]]
    upstreams = ["127.0.0.1:5300"]
    clients = ["127.0.0.1"]
  `);
  expect(config.forwards).toMatchObject([
    {
      upstreams: [
        { address: "192.0.2.1", port: 53 },
        { address: "2001:db8::1", port: 5300 },
      ],
      clients: [{ text: "10.0.0.0/8" }, { text: "2001:db8::/32" }],
      randomizeCase: true,
    },
    { upstreams: [{ address: "127.0.0.1", port: 5300 }], randomizeCase: false },
  ]);
  expect(config.forwards.map(({ suffixes }) => suffixes.map(String))).toEqual([
    ["corp.example.", "10.in-addr.arpa."],
    ["."],
  ]);
  expect(config.cache).toEqual({
    size: 1024 * 1024,
    maxTtl: 86_400_000,
    maxNegativeTtl: 60_000,
    maxStale: 86_400_000,
  });
  const empty = config.emptyZones.map(String);
  expect(empty).toEqual(expect.arrayContaining(["168.192.in-addr.arpa.", "localhost.", "lan."]));
  expect(empty).not.toContain(".");
});

test.each([
  ["", 0, false],
  [`unknown = "nxdomain"\n`, 1, true],
  [`unknown = "nxdomain"\nempty_zones = false\n`, 1, false],
  [`empty_zones = true\n`, 0, true],
  [`private_suffixes = ["lan"]\n`, 1, false],
])("empty zones by themselves where clients send everything here: %j", (text, others, automatic) => {
  const config = good(`${text}listen = ["127.0.0.1"]\ndata = "data"\n[[zone]]\nname = "a"\n`);
  expect(config.emptyZones.some((apex) => apex.toString() === "10.in-addr.arpa.")).toBe(automatic);
  expect(config.emptyZones.length).toBe(others + (automatic ? LOCALLY_SERVED.length : 0));
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
own = true
types = ["A", "PTR"]
[[zone.update]]
net = "10.1.0.0/16"
scope = "source"
own = false
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
