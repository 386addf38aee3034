/**
 * Answers by place as clients see them: two subnets of clients in a network of its own, asking by UDP and TCP, over both
 * families and both ways of doing UDP, and through a reload.
 */
import { afterEach, describe, expect, test } from "vitest";
import { NetworkNamespace } from "../support/netns.ts";
import { findProgram } from "../support/process.ts";
import { RollcallServer } from "../support/rollcall.ts";

const ZONE = `$TTL 300
@    IN SOA ns1 hostmaster 1 900 60 1209600 30
@    IN NS  ns1
ns1  IN A   10.1.1.53
cap  IN A   10.1.1.11
     IN A   10.1.2.12
     IN A   10.2.1.21
     IN A   10.2.2.22
     IN AAAA fd00:1::11
     IN AAAA fd00:2::21
_smb._tcp IN SRV 0 0 445 cap
`;
const config = (near: string): string => `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n${near}\n`;
const SITES = `near = ["10.1.0.0/16", "10.2.0.0/16", "fd00:1::/32", "fd00:2::/32"]`;
const ADDRESSES = ["10.1.1.53/32", "10.1.1.99/32", "10.2.2.99/32", "fd00:1::53/128", "fd00:2::99/128"];
/** So many that it is not by chance which came first. */
const QUESTIONS = 60;
const obstacle =
  NetworkNamespace.obstacle() ?? (findProgram("dig") === undefined ? "dig is not installed" : undefined);

describe.skipIf(obstacle !== undefined)(
  `answers by place${obstacle === undefined ? "" : ` [${obstacle}]`}`,
  () => {
    let network: NetworkNamespace;
    let server: RollcallServer;
    afterEach(async () => {
      await server.remove();
      network[Symbol.dispose]();
    });

    async function start(near: string, portable: string): Promise<void> {
      network = new NetworkNamespace(ADDRESSES);
      server = await RollcallServer.start({
        config: config(near),
        files: { "smb.zone": ZONE },
        listen: ["10.1.1.53:53", "[fd00:1::53]:53"],
        prefix: network.prefix,
        env: { ROLLCALL_PORTABLE_UDP: portable },
      });
    }

    /** The first `count` records of many answers, each set of them once, sorted. */
    async function firsts(client: string, count: number, ...question: string[]): Promise<string[]> {
      const at = client.includes(":") ? "fd00:1::53" : "10.1.1.53";
      const names = Array.from({ length: QUESTIONS }, () => [...question, "+short"]).flat();
      const { stdout } = await network.run("dig", ["-b", client, `@${at}`, "+noall", "+answer", ...names]);
      const lines = stdout.trim().split("\n");
      const size = lines.length / QUESTIONS;
      const seen = new Set<string>();
      for (let i = 0; i < lines.length; i += size)
        seen.add(
          lines
            .slice(i, i + count)
            .toSorted()
            .join(" "),
        );
      return [...seen].toSorted();
    }

    async function reload(near: string): Promise<readonly string[]> {
      server.configure({ config: config(near), listen: ["10.1.1.53:53", "[fd00:1::53]:53"] });
      return (await server.control("reload", {})).changes;
    }

    const cap = ["cap.smb.example", "A"];

    test.each([
      ["answer threads", ""],
      ["the portable transport", "1"],
    ])("by %s", async (_, portable) => {
      await start(SITES, portable);
      for (const transport of ["+notcp", "+tcp"]) {
        expect(await firsts("10.1.1.99", 2, ...cap, transport)).toEqual(["10.1.1.11 10.1.2.12"]);
        expect(await firsts("10.2.2.99", 2, ...cap, transport)).toEqual(["10.2.1.21 10.2.2.22"]);
        expect(await firsts("fd00:2::99", 1, "cap.smb.example", "AAAA", transport)).toEqual(["fd00:2::21"]);
        // Within the site they take turns, and the others are there.
        expect(await firsts("10.2.2.99", 1, ...cap, transport)).toEqual(["10.2.1.21", "10.2.2.22"]);
        expect(await firsts("10.2.2.99", 4, ...cap, transport)).toEqual([
          "10.1.1.11 10.1.2.12 10.2.1.21 10.2.2.22",
        ]);
      }
    });

    test("a reload changes it at once, and takes it away", async () => {
      await start(SITES, "");
      expect(await reload(`near = "subnet"`)).toEqual(["smb.example. puts other addresses first"]);
      for (const transport of ["+notcp", "+tcp"]) {
        expect(await firsts("10.2.2.99", 1, ...cap, transport)).toEqual(["10.2.2.22"]);
      }
      expect(await reload(`near = "subnet"\nnear_ipv4 = 16`)).toHaveLength(1);
      expect(await firsts("10.2.2.99", 1, ...cap)).toEqual(["10.2.1.21", "10.2.2.22"]);
      expect(await reload("")).toHaveLength(1);
      expect(await firsts("10.2.2.99", 1, ...cap)).toHaveLength(4);
      expect(await reload("")).toEqual([]);
    });
  },
);
