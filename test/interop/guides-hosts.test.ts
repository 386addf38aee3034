/**
 * The rules that docs/guides gives hosts without credentials, as they stand there: what Windows hosts send, by nsupdate over
 * UDP, from addresses of a network of their own.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocks } from "../support/docs.ts";
import { NetworkNamespace } from "../support/netns.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer } from "../support/rollcall.ts";
import { keyFile } from "../support/update-server.ts";

const GUIDES = resolve(import.meta.dirname, "../../docs/guides");

const zone = (server: string): string => `$TTL 1200
@    IN SOA ns1.smb.example. hostmaster.smb.example. 1 900 60 1209600 30
@    IN NS  ns1.smb.example.
${server}`;

const KEYS = {
  "keys.conf": ["node1", "cluster1"].map((name) => keyFile("hmac-sha256", `${name}.smb.example`)).join(""),
  "node1.conf": keyFile("hmac-sha256", "node1.smb.example"),
};

/** A page's configuration on a server at an address of a network that also has the hosts' addresses. */
class Site {
  readonly network: NetworkNamespace;
  readonly server: RollcallServer;
  readonly #at: string;

  private constructor(network: NetworkNamespace, server: RollcallServer, at: string) {
    this.network = network;
    this.server = server;
    this.#at = at;
  }

  static async start(page: string, nth: number, at: string, hosts: readonly string[]): Promise<Site> {
    const config = blocks(readFileSync(join(GUIDES, page), "utf8"), "toml")[nth]!.text;
    const network = new NetworkNamespace([at, ...hosts].map((address) => `${address}/32`));
    try {
      const server = await RollcallServer.start({
        listen: [at],
        // RollcallServer writes the first two lines itself.
        config: config.replaceAll(/^(?:listen|data) .*$/gm, "").replaceAll("/etc/rollcall/", ""),
        files: {
          "smb.example.zone": zone(`ns1 IN A ${at}\nfs1 IN A ${at}\n`),
          "2.0.192.in-addr.arpa.zone": zone(""),
          "10.in-addr.arpa.zone": zone(""),
          ...KEYS,
        },
        prefix: network.prefix,
      });
      return new Site(network, server, at);
    } catch (error) {
      network[Symbol.dispose]();
      throw error;
    }
  }

  /** Sends an update from an address. @returns the RCODE where it is refused, else nothing */
  async send(from: string, zoneName: string, ...commands: string[]): Promise<string> {
    const lines = [`server ${this.#at}`, `local ${from}`, `zone ${zoneName}`, ...commands, "send", ""];
    const { stdout, stderr } = await this.network.run("nsupdate", [], lines.join("\n"));
    return /update failed: (\S+)/.exec(stdout + stderr)?.[1] ?? stdout + stderr;
  }

  /** What Windows sends for its own name: all its addresses in the place of those there are. */
  register(from: string, name: string, ...addresses: string[]): Promise<string> {
    const fqdn = `${name}.smb.example`;
    return this.send(
      from,
      "smb.example",
      `prereq nxrrset ${fqdn} CNAME`,
      `update delete ${fqdn} A`,
      `update delete ${fqdn} AAAA`,
      ...addresses.map((address) => `update add ${fqdn} 1200 A ${address}`),
    );
  }

  async addresses(name: string): Promise<string[]> {
    const records = await this.server.records("smb.example");
    return records
      .filter((line) => line.startsWith(`${name}.smb.example. `))
      .map((line) => line.split(" ").at(-1)!);
  }

  async remove(): Promise<void> {
    await this.server.remove();
    this.network[Symbol.dispose]();
  }
}

describeWith(["nsupdate", "ip"], "hosts without credentials", () => {
  const obstacle = NetworkNamespace.obstacle();
  const why = obstacle === undefined ? "" : ` [${obstacle}]`;

  describe.skipIf(obstacle !== undefined)(`workgroup-clusters.md${why}`, () => {
    const [node1, node2, laptop, other, stranger] = [
      "10.1.0.2",
      "10.1.0.3",
      "10.1.4.9",
      "10.1.4.10",
      "10.9.0.9",
    ] as const;
    let site: Site;
    beforeAll(async () => {
      site = await Site.start("workgroup-clusters.md", 0, "10.1.0.53", [
        node1,
        node2,
        laptop,
        other,
        stranger,
      ]);
    });
    afterAll(() => site?.remove());

    test("a node registers itself, and its PTR comes along", async () => {
      expect(await site.register(node1, "node1", node1)).toBe("");
      expect(await site.addresses("node1")).toEqual([node1]);
      expect(await site.server.records("10.in-addr.arpa")).toContain(
        "2.0.1.10.in-addr.arpa. 1200 PTR node1.smb.example.",
      );
    });

    test("a node that sets its PTR itself is told that all is well", async () => {
      const before = await site.server.records("10.in-addr.arpa");
      const owner = "2.0.1.10.in-addr.arpa";
      const pointer = `update add ${owner} 1200 PTR node1.smb.example.`;
      expect(await site.send(node1, "10.in-addr.arpa", `update delete ${owner} PTR`, pointer)).toBe("");
      expect(await site.server.records("10.in-addr.arpa")).toEqual(before);
    });

    test("the cluster's name goes from node to node", async () => {
      expect(await site.register(node1, "files", "10.1.0.20")).toBe("");
      expect(await site.register(node2, "files", "10.1.0.21")).toBe("");
      expect(await site.addresses("files")).toEqual(["10.1.0.21"]);
    });

    test("other hosts: first come, first served", async () => {
      expect(await site.register(laptop, "laptop", laptop)).toBe("");
      expect(await site.send(other, "smb.example", `update add laptop.smb.example 1200 A ${other}`)).toBe(
        "REFUSED",
      );
      expect(await site.addresses("laptop")).toEqual([laptop]);
    });

    test.each([
      ["a node for another", node1, "node2", node1],
      ["a host with several addresses at once", laptop, "printer", laptop, other],
      ["a host for the cluster", laptop, "files", laptop],
      ["a host for a node", laptop, "node2", laptop],
      ["a host for a name of the zone file", laptop, "fs1", laptop],
      ["a host for a guarded name", laptop, "wpad", laptop],
      ["a host with another's address", laptop, "printer", other],
      ["a stranger", stranger, "stranger", stranger],
    ])("%s is refused", async (_, from, name, ...addresses) => {
      const before = await site.server.records("smb.example");
      const adds = addresses.map((address) => `update add ${name}.smb.example 1200 A ${address}`);
      expect(await site.send(from, "smb.example", ...adds)).toBe("REFUSED");
      expect(await site.server.records("smb.example")).toEqual(before);
    });
  });

  describe.skipIf(obstacle !== undefined)(`workgroup-clusters.md, with keys${why}`, () => {
    let site: Site;
    beforeAll(async () => {
      site = await Site.start("workgroup-clusters.md", 1, "10.1.0.53", []);
    });
    afterAll(() => site?.remove());

    test("the command of the page registers a host", async () => {
      const page = readFileSync(join(GUIDES, "workgroup-clusters.md"), "utf8");
      const command = blocks(page, "sh").find(({ text }) => text.includes("nsupdate -k"))!.text;
      const key = join(site.server.directory, "node1.conf");
      const { stdout, stderr } = await site.network.run("bash", ["-c", command.replace("node1.conf", key)]);
      expect(stdout + stderr).toBe("");
      expect(await site.addresses("node1")).toEqual(["10.1.0.2"]);
    });
  });

  describe.skipIf(obstacle !== undefined)(`windows-clients.md${why}`, () => {
    const [host, other] = ["192.0.2.21", "192.0.2.22"];
    let site: Site;
    beforeAll(async () => {
      site = await Site.start("windows-clients.md", 0, "192.0.2.53", [host, other]);
    });
    afterAll(() => site?.remove());

    test("a host registers itself, and what it asks before the next time is answered", async () => {
      expect(await site.register(host, "node1", host)).toBe("");
      const probe = [`prereq nxrrset node1.smb.example CNAME`, `prereq yxrrset node1.smb.example A ${host}`];
      expect(await site.send(host, "smb.example", ...probe)).toBe("");
    });

    test.each([
      [
        "registers several addresses",
        host,
        ["update add two.smb.example 1200 A 192.0.2.21", "update add two.smb.example 1200 A 192.0.2.99"],
        "set its own address only",
      ],
      [
        "had another address before",
        other,
        ["update delete node1.smb.example A", "update add node1.smb.example 1200 A 192.0.2.22"],
        "take away its own address only",
      ],
    ])("a host that %s is refused in the words of the page", async (_, from, commands, words) => {
      expect(readFileSync(join(GUIDES, "windows-clients.md"), "utf8")).toContain(words);
      expect(await site.send(from, "smb.example", ...commands)).toBe("REFUSED");
      await site.server.logged(
        ({ msg, reason }) => msg === "update refused" && String(reason).includes(words),
      );
    });
  });
});
