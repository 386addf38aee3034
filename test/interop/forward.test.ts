/** unbound and named as upstream servers: what clients get through Rollcall is what these say, also when one dies. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeMessage, Flag } from "../../src/wire/message.ts";
import { dig } from "../support/clients.ts";
import type { Printed } from "../support/clients.ts";
import { question } from "../support/exchange.ts";
import { describeWith } from "../support/peers.ts";
import { eventually } from "../support/process.ts";
import { recursiveNamed, Resolver, unbound } from "../support/resolvers.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { UdpClient } from "../support/sockets.ts";

const ZONE = `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`;

const timeless = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/ \d+ IN /, " in ").toLowerCase()).toSorted();

/** What an answer says. TTLs are left out, which are counting down, and case: named gives a zone's, others the question's. */
function said({ status, answer, authority }: Printed) {
  const soa = timeless(authority).filter((line) => line.includes(" soa "));
  return { status, answer: timeless(answer), soa };
}

function forward(resolvers: readonly Resolver[]): string {
  const addresses = JSON.stringify(resolvers.map(({ text }) => text));
  return `${ZONE}[[forward]]\nupstreams = ${addresses}\nclients = ["127.0.0.0/8"]\nrandomize_case = true\n`;
}

describeWith(["dig", "unbound", "named"], "upstream servers", () => {
  describe.each([unbound, recursiveNamed])("$name", (program) => {
    let upstream: Resolver;
    let server: RollcallServer;
    beforeAll(async () => {
      upstream = await Resolver.start(program);
      server = await RollcallServer.start({ config: forward([upstream]), files: { "smb.zone": SMALL_ZONE } });
    });
    afterAll(async () => {
      await server.remove();
      await upstream.remove();
    });

    test.each([
      ["www.corp.example", "A"],
      ["www.corp.example", "AAAA"],
      ["WWW.Corp.Example", "A"],
      ["_ldap._tcp.corp.example", "SRV"],
      ["corp.example", "SOA"],
      ["corp.example", "NS"],
      ["gone.corp.example", "A"],
      ["www.corp.example", "MX"],
      ["big.corp.example", "TXT"],
    ])(
      "%s %s: the same as asked directly, from it and from the cache, by UDP and TCP",
      async (name, type) => {
        const direct = said(await dig(upstream, name, type));
        for (const transport of ["+notcp", "+tcp", "+notcp"]) {
          const through = await dig(server, name, type, transport);
          expect(said(through)).toEqual(direct);
          expect(through.flags).toEqual(expect.arrayContaining(["qr", "rd", "ra"]));
          expect(through.flags).not.toContain("aa");
        }
      },
    );

    test("an alias and what it leads to", async () => {
      const { answer } = await dig(server, "alias.corp.example", "A");
      expect(answer[0]).toMatch(/^alias\.corp\.example\. \d+ IN CNAME www\.corp\.example\.$/);
      // unbound gives local aliases as they stand.
      expect([1, 3]).toContain(answer.length);
    });

    test("a negative answer is kept for as long as its SOA says, and no longer", async () => {
      const { authority } = await dig(server, "never.corp.example", "A");
      expect(Number(authority[0]!.split(" ")[1])).toBeLessThanOrEqual(45);
    });
  });

  test("one dies under load: every query is answered; both die: what was asked before is told past its time", async () => {
    const upstreams = [await Resolver.start(unbound), await Resolver.start(recursiveNamed)];
    const server = await RollcallServer.start({
      config: forward(upstreams),
      files: { "smb.zone": SMALL_ZONE },
    });
    try {
      const client = await UdpClient.open(server);
      const ask = async (name: string, id: number) =>
        decodeMessage(await client.ask(question(`${name}.corp.example. A`, id, { flags: Flag.RD })));
      let id = 0;
      const load = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) {
          id++;
          // Names that are not there: each has to be asked.
          expect((await ask(`n${id}`, id & 0xffff)).header.rcode).toBe(3);
        }
      };
      await Promise.all([load(100), load(100)]);
      const asked = (await server.status()).forward!.upstreams;
      const preferred = asked[0]!.sent >= asked[1]!.sent ? 0 : 1;
      const [, , gone] = await Promise.all([load(150), load(150), upstreams[preferred]!.down("SIGKILL")]);
      expect(gone).toBeUndefined();
      await load(50);
      expect((await ask("short", 1)).answers).toHaveLength(1);
      await upstreams[1 - preferred]!.down("SIGKILL");
      const stale = await eventually(
        "an answer past its time",
        () => dig(server, "short.corp.example", "A"),
        ({ ede }) => ede.length > 0,
      );
      expect(stale).toMatchObject({ status: "NOERROR", answer: ["short.corp.example. 30 IN A 192.0.2.9"] });
      expect(stale.ede[0]).toMatch(/^3 \(Stale Answer\)/);
      const failed = await dig(server, "fresh.corp.example", "A");
      expect(failed.status).toBe("SERVFAIL");
      expect(failed.ede[0]).toMatch(/^22 \(No Reachable Authority\)/);
      await upstreams[preferred]!.up();
      await eventually(
        "fresh answers again",
        () => dig(server, `again${Math.random()}.corp.example`, "A"),
        ({ status }) => status === "NXDOMAIN",
        60_000,
      );
      client.close();
    } finally {
      await server.remove();
      for (const upstream of upstreams) await upstream.remove();
    }
  }, 120_000);
});
