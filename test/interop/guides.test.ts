/** The configurations of other programs on the pages of docs/guides, read by those programs, and the secondaries run. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocks } from "../support/docs.ts";
import { NetworkNamespace } from "../support/netns.ts";
import { describeWith } from "../support/peers.ts";
import { Daemon, eventually, findProgram, run } from "../support/process.ts";
import { RollcallServer } from "../support/rollcall.ts";
import { unconfined, writeIn } from "../support/secondary.ts";
import { keyFile, secretOf } from "../support/update-server.ts";

const GUIDES = resolve(import.meta.dirname, "../../docs/guides");
const KEY = "xfr.smb.example";

/** The first block of a page with this fence, its secret filled in. */
function block(page: string, fence: string): string {
  const found = blocks(readFileSync(join(GUIDES, page), "utf8"), fence)[0];
  if (found === undefined) throw new Error(`${page} has no block ${fence}`);
  return found.text.replaceAll("PUT-THE-SECRET-HERE", secretOf(KEY));
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rollcall-guides-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a program that checks a file says of it. */
async function checked(program: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, KEA_PIDFILE_DIR: folder, KEA_LOCKFILE_DIR: folder };
  const { code, stdout, stderr } = await run(unconfined(findProgram(program)!, folder), args, { env });
  return code === 0 ? "good" : `${code}: ${stdout}${stderr}`;
}

describeWith(["dhcpd"], "docs/guides/dhcp.md for ISC DHCP", () => {
  test("is read by dhcpd", async () => {
    const file = writeIn(folder, "dhcpd.conf", block("dhcp.md", "dhcpd.conf"));
    expect(await checked("dhcpd", ["-t", "-cf", file, "-lf", writeIn(folder, "leases", "")])).toBe("good");
  });
});

describeWith(["kea-dhcp-ddns", "kea-dhcp4"], "docs/guides/dhcp.md for Kea", () => {
  test("is read by kea-dhcp-ddns", async () => {
    const file = writeIn(folder, "kea-dhcp-ddns.conf", block("dhcp.md", "kea-dhcp-ddns.conf"));
    expect(await checked("kea-dhcp-ddns", ["-t", file])).toBe("good");
  });

  test("is read by kea-dhcp4", async () => {
    const text = `{ "Dhcp4": { "lease-database": { "type": "memfile", "persist": false },\n${block("dhcp.md", "kea-dhcp4.conf")} } }`;
    expect(await checked("kea-dhcp4", ["-t", writeIn(folder, "kea-dhcp4.conf", text)])).toBe("good");
  });
});

describeWith(["named-checkzone"], "docs/guides/windows-clients.md", () => {
  test("has a zone file", async () => {
    const file = writeIn(folder, "smb.zone", block("windows-clients.md", "zone"));
    expect(await checked("named-checkzone", ["smb.example", file])).toBe("good");
  });
});

/** A secondary of the page: where it listens, and what must lie elsewhere in a test than on a machine of its own. */
interface Example {
  readonly program: "named" | "knotd" | "nsd";
  readonly address: string;
  readonly fence: string;
  readonly elsewhere: (text: string, directory: string, keys: string) => string;
  readonly args: readonly string[];
}
const EXAMPLES: readonly Example[] = [
  {
    program: "named",
    address: "192.0.2.61",
    fence: "named.conf",
    elsewhere: (text, directory, keys) =>
      text
        .replace("/var/cache/bind", directory)
        .replace("/etc/bind/keys.conf", keys)
        .replace("options {", "options { pid-file none; lock-file none; session-keyfile none;")
        .concat("controls { };\n"),
    args: ["-g", "-c"],
  },
  {
    program: "knotd",
    address: "192.0.2.62",
    fence: "knot.conf",
    elsewhere: (text, directory) =>
      text
        .replace("/var/lib/knot", directory)
        .replace("server:\n", `server:\n    rundir: "${directory}"\n`)
        .concat(`database:\n    storage: "${directory}"\n    journal-db-max-size: 64M\n`),
    args: ["-c"],
  },
  {
    program: "nsd",
    address: "192.0.2.63",
    fence: "nsd.conf",
    elsewhere: (text, directory) => {
      const files = ["pidfile", "xfrdfile", "zonelistfile"].map(
        (what) => `    ${what}: "${directory}/${what}"\n`,
      );
      const more = `    username: ""\n    database: ""\n    xfrdir: "${directory}"\n${files.join("")}`;
      return `${text.replace("/var/lib/nsd", directory).replace("server:\n", `server:\n${more}`)}remote-control:\n    control-enable: no\n`;
    },
    args: ["-d", "-c"],
  },
];

const zoneFile = (serial: number, address: string): string => `$TTL 300
@    IN SOA ns1 hostmaster ${serial} 900 60 1209600 30
@    IN NS  ns1
ns1  IN A   192.0.2.53
fs1  IN A   ${address}
`;

describeWith(["named", "knotd", "nsd", "dig", "ip"], "docs/guides/secondaries.md", () => {
  const obstacle = NetworkNamespace.obstacle();
  describe.skipIf(obstacle !== undefined)(
    `as it stands${obstacle === undefined ? "" : ` [${obstacle}]`}`,
    () => {
      const daemons: Daemon[] = [];
      let network: NetworkNamespace;
      let server: RollcallServer;
      beforeAll(async () => {
        network = new NetworkNamespace(["53", "61", "62", "63"].map((last) => `192.0.2.${last}/32`));
        server = await RollcallServer.start({
          listen: ["192.0.2.53"],
          // RollcallServer writes the first two lines itself.
          config: block("secondaries.md", "toml")
            .replace(/^(?:listen|data) .*$/gm, "")
            .replace("/etc/rollcall/", ""),
          files: { "keys.conf": keyFile("hmac-sha256", KEY), "smb.example.zone": zoneFile(1, "192.0.2.1") },
          prefix: network.prefix,
        });
        for (const { program, fence, elsewhere, args } of EXAMPLES) {
          const directory = join(folder, program);
          mkdirSync(directory);
          const keys = join(server.directory, "keys.conf");
          const file = writeIn(directory, fence, elsewhere(block("secondaries.md", fence), directory, keys));
          const [first, ...prefix] = network.prefix;
          const path = unconfined(findProgram(program)!, directory);
          daemons.push(new Daemon(program, first!, [...prefix, path, ...args, file], { cwd: directory }));
        }
      });
      afterAll(async () => {
        await Promise.all(daemons.map((daemon) => daemon.stop()));
        await server?.remove();
        network?.[Symbol.dispose]();
      });

      const ask = async (at: string): Promise<string> => {
        const { stdout } = await network.run("dig", [
          `@${at}`,
          "fs1.smb.example",
          "A",
          "+short",
          "+tries=1",
          "+time=1",
        ]);
        return stdout.trim();
      };

      const reaches = (address: string, wanted: string): Promise<string> =>
        eventually(
          `${address} answers ${wanted}`,
          () => ask(address),
          (answer) => answer === wanted,
        );

      test.each(EXAMPLES)("$program fetches the zone", async ({ address }) => {
        expect(await reaches(address, "192.0.2.1")).toBe("192.0.2.1");
      });

      test("a change reaches all of them, and status says so", async () => {
        const file = writeIn(folder, "changed.zone", zoneFile(2, "192.0.2.2"));
        expect((await server.cli("zone", "import", "smb.example", file)).code).toBe(0);
        for (const { address } of EXAMPLES) {
          // The zone's refresh interval is a quarter of an hour: what comes now comes by NOTIFY.
          await reaches(address, "192.0.2.2");
        }
        await eventually(
          "all are current",
          async () =>
            (await server.status()).zones.flatMap(({ secondaries }) => secondaries.map(({ state }) => state)),
          (states) => states.join(" ") === "current current current",
        );
      });
    },
  );
});
