/** What hosts may do for themselves, as nsupdate sends it: their own names by key, their own addresses by where they are. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axfr, nsupdate } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import type { RollcallServer } from "../support/rollcall.ts";
import { inlineKey, startUpdateServer } from "../support/update-server.ts";

const NODE1 = ["-y", inlineKey("hmac-sha256", "node1.smb.example")];
const CLUSTER = ["-y", inlineKey("hmac-sha256", "cluster1.smb.example")];

const RULES = `
[[zone.update]]
key = "cluster1.smb.example"
names = ["cluster1", "files"]
types = ["A", "AAAA"]

[[zone.update]]
scope = "self-sub"

[[zone.update]]
net = "127.0.0.0/8"
scope = "source"
names = ["*.lan"]

[[zone.update]]
net = "127.0.0.0/8"
scope = "source"
names = ["*.wlan"]
udp = true
replace = true
`;

/** What a host sends when it has another address. */
const register = (address: string): string[] => [
  `local ${address}`,
  "prereq nxrrset c.wlan.smb.example CNAME",
  "update delete c.wlan.smb.example A",
  "update delete c.wlan.smb.example AAAA",
  `update add c.wlan.smb.example 1200 A ${address}`,
];

describeWith(["nsupdate", "dig"], "hosts", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer({
      algorithms: [],
      keys: ["node1.smb.example", "cluster1.smb.example"],
      rules: RULES,
    });
  });
  afterAll(() => server.remove());

  const send = async (commands: readonly string[], ...args: readonly string[]): Promise<readonly string[]> =>
    (await nsupdate(server, ["zone smb.example", ...commands], ...args)).failures;
  /** Expects that an update is refused, and the log to say why. */
  const refused = async (commands: readonly string[], reason: string, ...args: readonly string[]) => {
    expect(await send(commands, ...args)).toEqual(["REFUSED"]);
    await server.logged((line) => line["msg"] === "update refused" && line["reason"] === reason);
  };
  const addressesOf = async (name: string): Promise<string[]> =>
    (await axfr(server, "smb.example"))
      .filter((line) => line.startsWith(`${name}.smb.example.`))
      .map((line) => line.split(" ").slice(3).join(" "));

  describe("with keys named like them", () => {
    test("change what is theirs", async () => {
      const commands = [
        "update add node1.smb.example 60 A 192.0.2.1",
        "update add x.node1.smb.example 60 TXT y",
      ];
      expect(await send(commands, ...NODE1)).toEqual([]);
      expect(await addressesOf("node1")).toEqual(["A 192.0.2.1"]);
    });

    const only = "rule 2 lets key node1.smb.example change node1.smb.example and what is below it only";
    test.each([
      ["node2.smb.example", only],
      ["files.smb.example", only],
      [
        "*.node1.smb.example",
        "rule 2 does not list *.node1.smb.example among its names, as a wildcard must be",
      ],
    ])("and not %s", async (name, reason) => {
      await refused([`update add ${name} 60 A 192.0.2.2`], `${name}. A: ${reason}`, ...NODE1);
      expect((await addressesOf(name.replace(".smb.example", ""))).includes("A 192.0.2.2")).toBe(false);
    });
  });

  test("a cluster registers its names with the addresses of several nodes, and moves them", async () => {
    const files = ["192.0.2.21", "192.0.2.22"].map((one) => `update add files.smb.example 60 A ${one}`);
    const all = [...files, "update add cluster1.smb.example 60 A 192.0.2.20"];
    expect(await send(all, ...CLUSTER)).toEqual([]);
    expect(await send(["update delete files.smb.example A 192.0.2.21"], ...CLUSTER)).toEqual([]);
    expect(await addressesOf("files")).toEqual(["A 192.0.2.22"]);
    const reason = "fs1.smb.example. A: rule 2 lets key cluster1.smb.example change cluster1.smb.example";
    await refused(
      ["update add fs1.smb.example 60 A 192.0.2.20"],
      `${reason} and what is below it only`,
      ...CLUSTER,
    );
  });

  describe("without credentials, over TCP, from their own address", () => {
    test("set and take away that address", async () => {
      const at = "local 127.0.0.5";
      expect(await send([at, "update add a.lan.smb.example 60 A 127.0.0.5"], "-v")).toEqual([]);
      expect(await addressesOf("a.lan")).toEqual(["A 127.0.0.5"]);
      expect(await send([at, "update delete a.lan.smb.example A"], "-v")).toEqual([]);
      expect(await addressesOf("a.lan")).toEqual([]);
    });

    test("share a name, each with its own address", async () => {
      for (const host of ["127.0.0.6", "127.0.0.7"]) {
        expect(await send([`local ${host}`, `update add both.lan.smb.example 60 A ${host}`], "-v")).toEqual(
          [],
        );
      }
      expect(await addressesOf("both.lan")).toEqual(["A 127.0.0.6", "A 127.0.0.7"]);
      await refused(
        ["local 127.0.0.6", "update delete both.lan.smb.example A"],
        "both.lan.smb.example. A: rule 3 lets 127.0.0.6 take away its own address only, not 127.0.0.7",
        "-v",
      );
      const own = ["local 127.0.0.6", "update delete both.lan.smb.example A 127.0.0.6"];
      expect(await send(own, "-v")).toEqual([]);
      expect(await addressesOf("both.lan")).toEqual(["A 127.0.0.7"]);
    });

    test("and no other address, nor over UDP", async () => {
      await refused(
        ["local 127.0.0.5", "update add b.lan.smb.example 60 A 127.0.0.6"],
        "b.lan.smb.example. A: rule 3 lets 127.0.0.5 set its own address only, not 127.0.0.6",
        "-v",
      );
      await refused(
        ["local 127.0.0.5", "update add b.lan.smb.example 60 A 127.0.0.5"],
        "b.lan.smb.example. A: no update rule lets unsigned updates from 127.0.0.5 change b.lan.smb.example",
      );
      expect(await addressesOf("b.lan")).toEqual([]);
    });

    test("where replace allows it, a host whose address changed replaces the old one as Windows does", async () => {
      expect(await send(register("127.0.0.8"))).toEqual([]);
      expect(await send(register("127.0.0.9"))).toEqual([]);
      expect(await addressesOf("c.wlan")).toEqual(["A 127.0.0.9"]);
    });
  });
});
