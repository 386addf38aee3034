/**
 * Samba at the NetBIOS name service: nmblookup asks, and nmbd registers at it as at its WINS server. Both know port 137
 * alone, so each program has a network of its own.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NetworkNamespace } from "../support/netns.ts";
import { describeWith } from "../support/peers.ts";
import { Daemon, eventually, findProgram } from "../support/process.ts";
import { RollcallServer } from "../support/rollcall.ts";

const ZONE = `$TTL 300
@       IN SOA ns1 hostmaster 1 900 60 1209600 30
@       IN NS  ns1
ns1     IN A   192.0.2.53
fs1     IN A   192.0.2.1
cap     IN A   192.0.2.2
cap     IN A   192.0.2.3
files   IN CNAME fs1
wpad    IN A   192.0.2.66
dc1     IN A   192.0.2.10
dc2     IN A   192.0.2.11
_ldap._tcp.dc._msdcs  IN SRV 0 0 389 dc1
_ldap._tcp.dc._msdcs  IN SRV 0 0 389 dc2
_ldap._tcp.pdc._msdcs IN SRV 0 0 389 dc1
`;
const CONFIG = `[netbios]
listen   = ["127.0.0.1", "10.77.1.1", "10.77.2.1"]
clients  = ["127.0.0.0/8", "10.77.0.0/16"]
suffixes = ["smb.example"]
domains  = [{ name = "SMB", dns = "smb.example" }]
feed     = true
[[zone]]
name = "smb.example"
file = "smb.zone"
[[zone.update]]
net   = "10.77.0.0/16"
udp   = true
names = ["*"]
types = ["A"]
`;

/** Samba's name server daemon as a node of a network. */
class Nmbd {
  readonly #directory = mkdtempSync(join(tmpdir(), "rollcall-nmbd-"));
  readonly daemon: Daemon;

  constructor(network: NetworkNamespace, name: string, address: string, wins: string) {
    const folders = [
      "private dir",
      "lock directory",
      "state directory",
      "cache directory",
      "pid directory",
      "ncalrpc dir",
    ];
    const paths = folders.map((what) => {
      const path = join(this.#directory, what.replaceAll(" ", "-"));
      mkdirSync(path, { mode: 0o755 });
      return `${what} = ${path}`;
    });
    const file = join(this.#directory, "smb.conf");
    writeFileSync(
      file,
      `[global]
netbios name = ${name}
workgroup = LAB
interfaces = ${address}
bind interfaces only = yes
wins server = ${wins}
log file = ${join(this.#directory, "log")}
${paths.join("\n")}
`,
    );
    const [program, ...args] = [
      ...network.prefix,
      findProgram("nmbd")!,
      "--foreground",
      "--no-process-group",
    ];
    this.daemon = new Daemon("nmbd", program, [...args, "-s", file, "--debug-stdout", "-d3"]);
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    await this.daemon.stop(signal);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

describeWith(["nmblookup", "nmbd", "ip", "dig"], "Samba and the NetBIOS name service", () => {
  const obstacle = NetworkNamespace.cableObstacle();
  describe.skipIf(obstacle !== undefined)(
    `in networks of their own${obstacle ? ` [${obstacle}]` : ""}`,
    () => {
      let home: NetworkNamespace;
      let first: NetworkNamespace;
      let second: NetworkNamespace;
      let server: RollcallServer;
      beforeAll(async () => {
        home = new NetworkNamespace([]);
        first = new NetworkNamespace([]);
        second = new NetworkNamespace([]);
        home.connect(first, "10.77.1.1/24", "10.77.1.2/24");
        home.connect(second, "10.77.2.1/24", "10.77.2.2/24");
        server = await RollcallServer.start({
          config: CONFIG,
          files: { "smb.zone": ZONE },
          listen: ["127.0.0.1:5300"],
          prefix: home.prefix,
        });
      });
      afterAll(async () => {
        await server?.remove();
        for (const network of [home, first, second]) network?.[Symbol.dispose]();
      });

      /** Addresses that nmblookup finds, sorted. */
      async function lookup(name: string, network = home, at = "127.0.0.1"): Promise<string[]> {
        const { stdout } = await network.run("nmblookup", ["-s", "/dev/null", "-U", at, "--recursion", name]);
        return [...stdout.matchAll(/^([0-9.]+) \S+<[0-9a-f]{2}>$/gm)]
          .map(([, address]) => address!)
          .toSorted();
      }

      async function dig(name: string): Promise<string> {
        const { stdout } = await home.run("dig", [
          "@127.0.0.1",
          "-p",
          "5300",
          "+short",
          `${name}.smb.example`,
          "A",
        ]);
        return stdout.trim();
      }

      test.each([
        ["fs1", ["192.0.2.1"]],
        ["FS1#20", ["192.0.2.1"]],
        ["fs1#03", []],
        ["cap", ["192.0.2.2", "192.0.2.3"]],
        ["files", ["192.0.2.1"]],
        ["SMB#1c", ["192.0.2.10", "192.0.2.11"]],
        ["SMB#1b", ["192.0.2.10"]],
        ["wpad", []],
        ["gone", []],
      ])("nmblookup %s", async (name, addresses) => {
        expect(await lookup(name)).toEqual(addresses);
      });

      test("a node is found while nmbd runs, by DNS too; a second of its name is refused until it is gone", async () => {
        const node = new Nmbd(first, "node7", "10.77.1.2/24", "10.77.1.1");
        let other: Nmbd | undefined;
        try {
          await eventually(
            "registered",
            () => dig("node7"),
            (answer) => answer === "10.77.1.2",
          );
          await eventually(
            "all its names",
            () => lookup("LAB#1e"),
            (found) => found.length > 0,
          );
          expect(await lookup("node7#20", second, "10.77.2.1")).toEqual(["10.77.1.2"]);
          expect(await lookup("LAB#00")).toEqual(["255.255.255.255"]);

          other = new Nmbd(second, "node7", "10.77.2.2/24", "10.77.2.1");
          await server.logged(({ netbios, rcode }) => netbios === "NODE7<20>" && rcode === "ACT_ERR");
          expect(await lookup("node7")).toEqual(["10.77.1.2"]);
          await other.stop("SIGTERM");
          expect(await lookup("node7")).toEqual(["10.77.1.2"]);

          await node.stop("SIGKILL"); // it releases nothing, and defends nothing any more
          other = new Nmbd(second, "node7", "10.77.2.2/24", "10.77.2.1");
          await eventually(
            "taken over",
            () => dig("node7"),
            (answer) => answer === "10.77.2.2",
          );
          expect(await lookup("node7")).toEqual(["10.77.2.2"]);

          await other.stop("SIGTERM");
          await eventually(
            "released",
            () => dig("node7"),
            (answer) => answer === "",
          );
          expect(await lookup("node7")).toEqual([]);
        } finally {
          await node.stop("SIGKILL");
          await other?.stop("SIGKILL");
        }
        expect((await server.status()).counters["bugs"]).toBe(0);
      }, 120_000);
    },
  );
});
