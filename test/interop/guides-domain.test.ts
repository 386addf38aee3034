/** The rules that docs/guides gives members of a domain and their clusters, as they stand there, in a realm of MIT Kerberos. */
import { copyFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocks } from "../support/docs.ts";
import { Kdc, KDC_PROGRAMS } from "../support/kdc.ts";
import { describeWith } from "../support/peers.ts";
import { run } from "../support/process.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";

const GUIDES = resolve(import.meta.dirname, "../../docs/guides");
const REVERSE = "2.0.192.in-addr.arpa";
const REVERSE_ZONE = `$TTL 300
@ IN SOA ns1.smb.example. hostmaster.smb.example. 1 900 60 1209600 30
@ IN NS  ns1.smb.example.
`;

describeWith(KDC_PROGRAMS, "members of a domain", () => {
  let kdc: Kdc;
  let keytab: string;
  const who = new Map<string, NodeJS.ProcessEnv>();
  beforeAll(async () => {
    kdc = await Kdc.start();
    keytab = await kdc.keytab("dns.keytab", "DNS/ns1.smb.example");
    for (const name of ["NODE1$", "NODE2$", "FILES$", "CLUSTER1$", "DC1$"])
      who.set(name, await kdc.login(name));
  });
  afterAll(() => kdc?.remove());

  /** A server that is set up as a guide says. */
  async function serverOf(guide: string): Promise<RollcallServer> {
    const config = blocks(guide, "toml")[0]!.text;
    const server = RollcallServer.prepare({
      // RollcallServer writes the first two lines itself.
      config: config.replaceAll(/^(?:listen|data) .*$/gm, "").replace("/etc/rollcall/", ""),
      files: { "smb.example.zone": SMALL_ZONE, [`${REVERSE}.zone`]: REVERSE_ZONE },
      env: kdc.env,
    });
    copyFileSync(keytab, join(server.directory, "dns.keytab"));
    await server.up();
    return server;
  }

  describe.each(["domain-members.md", "failover-clusters.md"])("%s", (page) => {
    const text = readFileSync(join(GUIDES, page), "utf8");
    let server: RollcallServer;
    beforeAll(async () => {
      server = await serverOf(text);
    });
    afterAll(() => server?.remove());

    const send = async (name: string, zone: string, ...commands: string[]): Promise<string> => {
      const input = [`server 127.0.0.1 ${server.port}`, `zone ${zone}`, ...commands, "send", ""].join("\n");
      const { stdout, stderr } = await run("nsupdate", ["-g"], { input, env: who.get(name)! });
      return /update failed: (\S+)/.exec(stdout + stderr)?.[1] ?? stdout + stderr;
    };
    const register = (name: string, host: string, ...addresses: string[]): Promise<string> =>
      send(
        name,
        "smb.example",
        `prereq nxrrset ${host}.smb.example CNAME`,
        `update delete ${host}.smb.example A`,
        `update delete ${host}.smb.example AAAA`,
        ...addresses.map((address) => `update add ${host}.smb.example 1200 A ${address}`),
      );
    const addresses = async (host: string): Promise<string[]> =>
      (await server.records("smb.example"))
        .filter((line) => line.startsWith(`${host}.smb.example. `))
        .map((line) => line.split(" ").at(-1)!);

    test("a machine registers itself with all its addresses, and the PTRs come along", async () => {
      expect(await register("NODE1$", "node1", "192.0.2.21", "192.0.2.121")).toBe("");
      expect(await addresses("node1")).toEqual(["192.0.2.121", "192.0.2.21"]);
      expect(await server.records(REVERSE)).toContain(`21.${REVERSE}. 1200 PTR node1.smb.example.`);
    });

    test.each([
      ["the cluster's account", "CLUSTER1$", "192.0.2.30"],
      ["the role's own account", "FILES$", "192.0.2.31"],
    ])("a role's name is registered by %s", async (_, account, address) => {
      expect(await register(account, "files", address)).toBe("");
      expect(await addresses("files")).toEqual([address]);
    });

    test.each([
      ["NODE2$", "node1"],
      ["NODE2$", "files"],
      ["CLUSTER1$", "node1"],
      ["NODE1$", "ns1"],
    ])("%s is refused %s", async (account, host) => {
      const before = await server.records("smb.example");
      expect(await register(account, host, "192.0.2.66")).toBe("REFUSED");
      expect(await server.records("smb.example")).toEqual(before);
    });
  });

  describe("the commands of domain-members.md", () => {
    const text = readFileSync(join(GUIDES, "domain-members.md"), "utf8");
    let server: RollcallServer;
    beforeAll(async () => {
      server = await serverOf(text);
    });
    afterAll(() => server?.remove());

    const bash = async (command: string): Promise<string> => {
      const env = { ...who.get("NODE1$")!, KRB5_KTNAME: join(kdc.directory, "NODE1_.keytab") };
      const here = command.replaceAll("server ns1.smb.example", `server 127.0.0.1 ${server.port}`);
      const { stdout, stderr } = await run("bash", ["-euo", "pipefail", "-c", here], { env });
      return stdout + stderr;
    };

    test("the page's commands print nothing, and history names the machine", async () => {
      const commands = blocks(text, "sh").find((block) => block.text.startsWith("kinit"))!.text;
      expect(await bash(commands)).toBe("");
      const { stdout } = await server.cli("zone", "history", "smb.example", "--owner", "node1");
      expect(stdout).toMatch(/principal NODE1\$@SMB\.EXAMPLE/);
      expect(stdout).toMatch(/\+ node1\.smb\.example\. +1200 A +192\.0\.2\.21/);
    });

    test("a machine that sets its PTR itself is told that all is well", async () => {
      const before = await server.records(REVERSE);
      const commands = [
        `update delete 21.${REVERSE} PTR`,
        `update add 21.${REVERSE} 1200 PTR node1.smb.example.`,
      ];
      const lines = ["server ns1.smb.example", `zone ${REVERSE}`, ...commands, "send"].join("\\n");
      expect(await bash(`printf '${lines}\\n' | nsupdate -g`)).toBe("");
      expect(await server.records(REVERSE)).toEqual(before);
    });

    test("a keytab that is out of date is told in the words of the page", async () => {
      await kdc.keytab("newer.keytab", "DNS/ns1.smb.example");
      who.set("NODE1$", await kdc.login("NODE1$"));
      expect(
        await bash(
          "printf 'server ns1.smb.example\\nzone smb.example\\nupdate delete node1.smb.example\\nsend\\n' | nsupdate -g || true",
        ),
      ).toMatch(/TKEY is unacceptable/);
      await server.logged(({ reason }) => /^BADKEY: .*keytab is likely out of date$/.test(String(reason)));
    });
  });
});
