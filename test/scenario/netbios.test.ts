/** The NetBIOS name service of a running server: beside DNS, into the zone and out of it, and through reloads. */
import { afterEach, describe, expect, test } from "vitest";
import type { ReloadReport } from "../../src/control/verbs.ts";
import { askText } from "../support/exchange.ts";
import { query, registration, replyText } from "../support/netbios.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { askUdp, UdpClient } from "../support/sockets.ts";

const FILES = { "smb.zone": SMALL_ZONE };
const ZONE = `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`;
const RULE = `[[zone.update]]\nnet = "127.0.0.0/8"\nnames = ["*"]\ntypes = ["A"]\n`;
const DENY = `[[zone.update]]\nnames = ["blocked"]\nallow = false\n`;

const section = (more = "", listen = "127.0.0.1:0"): string =>
  `[netbios]\nlisten = ["${listen}"]\nclients = ["127.0.0.0/8"]\nsuffixes = ["smb.example"]\n${more}`;

let server: RollcallServer;
afterEach(() => server.remove());

async function start(netbios: string, rules = DENY + RULE): Promise<void> {
  server = await RollcallServer.start({ config: netbios + ZONE + rules, files: FILES });
}

async function reload(netbios: string): Promise<ReloadReport> {
  server.configure({ config: netbios + ZONE + DENY + RULE });
  return server.control("reload", {});
}

async function nb(packet: Uint8Array): Promise<string> {
  const [first] = (await server.status()).netbios!;
  const { flags, addresses } = replyText(await askUdp({ port: Number(first!.split(":")[1]) }, packet));
  return [flags, ...addresses].join(", ");
}

const dns = async (name: string): Promise<readonly string[]> =>
  (await askText(server, `${name}.smb.example. A`)).answer;

test("names of the zone are answered as the zone has them now", async () => {
  await start(section());
  expect(await nb(query("FS1"))).toBe("8580, 6000 192.0.2.1");
  expect(await nb(query("GONE"))).toBe("8583");
  const { counters } = await server.status();
  expect(counters).toMatchObject({ netbiosReceived: 2, netbiosFound: 1, netbiosNotFound: 1, bugs: 0 });
});

test("without the section there is none", async () => {
  await start("");
  const status = await server.status();
  expect(status.netbios).toBeUndefined();
  expect(Object.keys(status.counters).filter((name) => name.startsWith("netbios"))).toEqual([]);
});

describe("feed", () => {
  const node1 = { suffix: 0 };

  test("a host that registers is in the zone when it hears of it, and gone when it goes", async () => {
    await start(section("feed = true\n"));
    expect(await nb(registration("NODE1", "127.0.0.1", node1))).toBe("ad80, 6000 127.0.0.1");
    expect(await dns("node1")).toEqual(["node1.smb.example. 1200 A 127.0.0.1"]);
    // Its other names, and a refresh, change nothing.
    const { counters: before } = await server.status();
    await nb(registration("NODE1", "127.0.0.1", { suffix: 0x20 }));
    await nb(registration("WORK", "127.0.0.1", { ...node1, nbFlags: "e000" }));
    await nb(registration("NODE1", "127.0.0.1", { ...node1, flags: "4000" }));
    const { counters } = await server.status();
    expect(counters["updatesReceived"]! - before["updatesReceived"]!).toBe(1);
    expect(counters["updatesUnchanged"]! - before["updatesUnchanged"]!).toBe(1);

    expect(await nb(registration("NODE1", "127.0.0.1", { ...node1, flags: "3000" }))).toBe(
      "b400, 6000 127.0.0.1",
    );
    expect(await dns("node1")).toEqual([]);
    const history = await server.cli("zone", "history", "smb.example", "--json");
    expect(history.stdout).toContain(`"kind":"address","name":"127.0.0.1","from":"127.0.0.1"`);
  });

  test("a release does not overtake the registration before it", async () => {
    await start(section("feed = true\n"));
    const [address] = (await server.status()).netbios!;
    const client = await UdpClient.open({ port: Number(address!.split(":")[1]) });
    try {
      const answers = Array.from({ length: 20 }, (_, i) => {
        const flags = i % 2 === 0 ? "2900" : "3000";
        return client.ask(registration("NODE1", "127.0.0.1", { ...node1, flags, id: `10${10 + i}` }));
      });
      await Promise.all(answers);
    } finally {
      client.close();
    }
    expect(await dns("node1")).toEqual([]);
  });

  test("the zone's rules decide, and the registration holds nevertheless", async () => {
    await start(section("feed = true\n"));
    expect(await nb(registration("BLOCKED", "127.0.0.1", node1))).toBe("ad80, 6000 127.0.0.1");
    expect(await dns("blocked")).toEqual([]);
    expect(await nb(query("BLOCKED", node1))).toBe("8580, 6000 127.0.0.1");
    await server.logged(({ msg, reason }) => msg === "update refused" && String(reason).includes("rule 1"));
  });

  test("by a rule for each host's own address, no other's comes in", async () => {
    const scope = `[[zone.update]]\nnet = "127.0.0.0/8"\nscope = "source"\nudp = true\n`;
    await start(section("feed = true\n"), scope);
    await nb(registration("NODE1", "127.0.0.1", node1));
    await nb(registration("NODE2", "127.0.0.2", node1));
    expect(await dns("node1")).toEqual(["node1.smb.example. 1200 A 127.0.0.1"]);
    expect(await dns("node2")).toEqual([]);
    await nb(registration("NODE1", "127.0.0.1", { ...node1, flags: "3000" }));
    expect(await dns("node1")).toEqual([]);
  });

  test("no host gets a share of what is meant for a server of the zone file", async () => {
    const scope = `[[zone.update]]\nnet = "127.0.0.0/8"\nscope = "source"\nudp = true\n`;
    await start(section("feed = true\n"), scope);
    expect(await nb(registration("FS1", "127.0.0.1", node1))).toBe("ad80, 6000 127.0.0.1");
    await server.logged(({ msg, reason }) => msg === "update refused" && String(reason).includes("list fs1"));
    expect(await dns("fs1")).toEqual(["fs1.smb.example. 300 A 192.0.2.1"]);
    expect(await nb(query("FS1"))).toBe("8580, 6000 192.0.2.1");
  });

  test("what no host is called stays out of the zone", async () => {
    await start(section("feed = true\n"));
    for (const label of ["WPAD.", "A.B", "@", "A B", "*", "_TCP"])
      await nb(registration(label, "127.0.0.1", node1));
    await nb(registration("NODE_1", "127.0.0.1", node1));
    const { stdout } = await server.cli("zone", "export", "smb.example");
    const fed = stdout.split("\n").filter((line) => line.includes("127.0.0.1"));
    expect(fed.map((line) => line.split(/\s/)[0])).toEqual(["node_1"]);
  });

  test("what the zone had already stays when its host goes", async () => {
    await start(section("feed = true\n"));
    await nb(registration("NODE1", "127.0.0.1", node1));
    expect(await server.down()).toBe(0);
    await server.up();
    expect(await nb(registration("NODE1", "127.0.0.1", node1))).toBe("ad80, 6000 127.0.0.1");
    await nb(registration("NODE1", "127.0.0.1", { ...node1, flags: "3000" }));
    expect(await dns("node1")).toEqual(["node1.smb.example. 1200 A 127.0.0.1"]);
  });
});

describe("reload", () => {
  test("adds the section, changes it, takes it away; what is registered lasts through a change", async () => {
    await start("");
    expect(await reload(section())).toMatchObject({
      ok: true,
      changes: ["NetBIOS names are answered from now on"],
    });
    const { netbios } = await server.status();
    await nb(registration("NODE1", "127.0.0.1"));
    expect(await reload(section(`max_ttl = "2h"\n`))).toMatchObject({
      ok: true,
      changes: ["NetBIOS names are answered by other settings"],
    });
    expect((await server.status()).netbios).toEqual(netbios);
    expect(await nb(query("NODE1"))).toBe("8580, 6000 127.0.0.1");
    expect(await reload("")).toMatchObject({
      ok: true,
      changes: ["NetBIOS names are not answered any more"],
    });
    expect((await server.status()).netbios).toBeUndefined();
  });

  test("one whose address cannot be had is refused, and the old one goes on", async () => {
    await start(section());
    const [taken] = server.addresses;
    expect(await reload(section("", taken))).toMatchObject({
      ok: false,
      problems: [{ code: "LISTEN_NETBIOS" }],
    });
    expect(await nb(query("FS1"))).toBe("8580, 6000 192.0.2.1");
  });
});

test("a start whose port is another program's says so, with the code and what to do", async () => {
  await start("");
  const [taken] = server.addresses;
  const second = RollcallServer.prepare({ config: section("", taken) + ZONE, files: FILES });
  try {
    second.launch();
    await second.daemon.line((line) => line.includes("[LISTEN_NETBIOS]"));
    expect(await second.daemon.ended).toBe(1);
    expect(second.daemon.output).toContain(`cannot answer NetBIOS names on ${taken}: another program holds`);
    expect(second.daemon.output).toContain("often Samba's nmbd");
  } finally {
    await second.remove();
  }
});
