/** Leases of ISC's dhcpd, asked for by its dhclient: registered with a DHCID as RFC 4703 has it, and taken out again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dhcidOf } from "../support/kea.ts";
import { NetworkNamespace } from "../support/netns.ts";
import { describeWith } from "../support/peers.ts";
import { Daemon, findProgram } from "../support/process.ts";
import { RollcallServer } from "../support/rollcall.ts";
import { unconfined, writeIn } from "../support/secondary.ts";
import { keyFile, secretOf } from "../support/update-server.ts";

const KEY = "dhcp.smb.example";
const REVERSE = "0.9.10.in-addr.arpa";
const RULES = `keys = ["key.conf"]
[[zone]]
name = "smb.example"
file = "smb.zone"
[[zone.update]]
key   = "${KEY}"
names = ["*"]
types = ["A", "AAAA", "DHCID"]
[[zone]]
name = "${REVERSE}"
file = "reverse.zone"
[[zone.update]]
key   = "${KEY}"
names = ["*"]
types = ["PTR"]
`;
const ZONE = `$TTL 300
@       IN SOA ns1 hostmaster 1 900 60 1209600 30
@       IN NS  ns1
ns1     IN A   10.9.0.1
fs1     IN A   10.9.0.2
`;
const REVERSE_ZONE = `$TTL 300
@ IN SOA ns1.smb.example. hostmaster.smb.example. 1 900 60 1209600 30
@ IN NS  ns1.smb.example.
`;
/** As docs/guides/dhcp.md has it. */
const DHCPD = `authoritative;
default-lease-time 600;
max-lease-time 600;
ddns-update-style standard;
ignore client-updates;
ddns-domainname "smb.example.";
ddns-rev-domainname "in-addr.arpa.";
key ${KEY} { algorithm hmac-sha256; secret "${secretOf(KEY)}"; };
zone smb.example. { primary 10.9.0.1; key ${KEY}; }
zone ${REVERSE}. { primary 10.9.0.1; key ${KEY}; }
subnet 10.9.0.0 netmask 255.255.255.0 { range 10.9.0.100 10.9.0.120; }
`;

describeWith(["dhcpd", "dhclient", "ip"], "ISC DHCP", () => {
  const obstacle = NetworkNamespace.cableObstacle();
  describe.skipIf(obstacle !== undefined)(
    `on a network of its own${obstacle ? ` [${obstacle}]` : ""}`,
    () => {
      const directory = mkdtempSync(join(tmpdir(), "rollcall-dhcp-"));
      let here: NetworkNamespace;
      let there: NetworkNamespace;
      let server: RollcallServer;
      let dhcpd: Daemon;

      const inside = (network: NetworkNamespace, name: string, ...args: string[]): Daemon => {
        const path = unconfined(findProgram(name)!, directory);
        const [program, ...prefix] = network.prefix;
        return new Daemon(name, program!, [...prefix, path, ...args], { cwd: directory });
      };
      /** dhclient as a host. It only asks: its script, which would give the host its address, does nothing. */
      const dhclient = (host: string, client: number, ...args: string[]): Daemon => {
        const id = `01:02:00:00:00:00:0${client}`;
        const text = `send host-name "${host}";\nsend dhcp-client-identifier ${id};\n`;
        const config = writeIn(directory, `client${client}.conf`, text);
        const files = ["-cf", config, "-lf", join(directory, `client${client}.leases`)];
        const pid = ["-pf", join(directory, `client${client}.pid`)];
        return inside(there, "dhclient", "-4", "-d", ...files, ...pid, "-sf", "/bin/true", ...args);
      };
      /** Asks for a lease. @returns the address */
      const lease = async (host: string, client: number): Promise<string> => {
        const daemon = dhclient(host, client);
        try {
          return /^bound to (\S+)/.exec(await daemon.line((line) => / -- renewal in /.test(line)))![1]!;
        } finally {
          await daemon.stop();
        }
      };
      const at = async (zone: string, name: string): Promise<string[]> =>
        (await server.records(zone)).filter((line) => line.startsWith(`${name}.`));

      beforeAll(async () => {
        here = new NetworkNamespace([]);
        there = new NetworkNamespace([]);
        here.connect(there, "10.9.0.1/24", "10.9.0.50/24");
        server = await RollcallServer.start({
          listen: ["10.9.0.1"],
          config: RULES,
          files: { "smb.zone": ZONE, "reverse.zone": REVERSE_ZONE, "key.conf": keyFile("hmac-sha256", KEY) },
          prefix: here.prefix,
        });
        const files = [
          "-cf",
          writeIn(directory, "dhcpd.conf", DHCPD),
          "-lf",
          writeIn(directory, "leases", ""),
        ];
        dhcpd = inside(here, "dhcpd", "-4", "-f", "-d", ...files, "-pf", join(directory, "dhcpd.pid"));
        await dhcpd.line((line) => line.includes("Server starting service"));
      });
      afterAll(async () => {
        await dhcpd?.stop();
        await server?.remove();
        there?.[Symbol.dispose]();
        here?.[Symbol.dispose]();
        rmSync(directory, { recursive: true, force: true });
      });

      let address = "";
      test("a lease is registered with its owner, both ways", async () => {
        address = await lease("laptop", 1);
        await dhcpd.line((line) => line.startsWith("Added reverse map"));
        const { base64 } = dhcidOf(Buffer.from("01020000000001", "hex"), "laptop.smb.example.");
        expect(await at("smb.example", "laptop")).toEqual([
          `laptop.smb.example. 300 A ${address}`,
          `laptop.smb.example. 300 DHCID ${base64}`,
        ]);
        expect(await at(REVERSE, address.split(".")[3]!)).toEqual([
          `${address.split(".")[3]}.${REVERSE}. 300 PTR laptop.smb.example.`,
        ]);
      });

      test.each([
        ["another client", "laptop", 2],
        ["a host that was set by hand", "fs1", 3],
      ])("the name of %s is left alone", async (_, host, client) => {
        const before = await server.records("smb.example");
        const other = await lease(host, client);
        await dhcpd.line((line) =>
          line.startsWith(`Forward map from ${host}.smb.example. to ${other} FAILED`),
        );
        expect(await server.records("smb.example")).toEqual(before);
      });

      test("a lease that is given back takes its records along", async () => {
        const daemon = dhclient("laptop", 1, "-r");
        expect(await daemon.ended).toBe(0);
        await dhcpd.line((line) => line.startsWith("Removed reverse map"));
        expect(await at("smb.example", "laptop")).toEqual([]);
        expect(await at(REVERSE, address.split(".")[3]!)).toEqual([]);
      });
    },
  );
});
