/** An operator's day: import a changed file, see it go out as one difference, look who did what, undo it, move a zone. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HistoryJson, ImportResult, RollbackResult } from "../../src/control/verbs.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { record } from "../../src/wire/record.ts";
import { nsupdate } from "../support/clients.ts";
import { add, askText } from "../support/exchange.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer } from "../support/rollcall.ts";
import { ORIGIN, rr } from "../support/rr.ts";
import { askTcp } from "../support/sockets.ts";
import { FORWARD_ZONE, MASTER, startUpdateServer } from "../support/update-server.ts";
import { rrText } from "../support/zones.ts";

let server: RollcallServer;
beforeAll(async () => {
  server = await startUpdateServer({
    algorithms: ["hmac-sha256"],
    rules: `[[zone.update]]\nnet = "127.0.0.0/8"\nnames = ["*.dyn.smb.example", "\\\\*.dyn"]\n`,
  });
});
afterAll(() => server.remove());

const zoneFile = (name: string): string => join(server.directory, name);
const serial = async (): Promise<number> =>
  Number((await askText(server, "smb.example. SOA")).answer[0]!.split(" ")[5]);

const soa = (value: number): string =>
  `smb.example. 300 SOA ns1.smb.example. hostmaster.smb.example. ${value} 900 60 1209600 30`;

/** The answer to IXFR over TCP, in order, `OWNER TTL TYPE RDATA`. */
async function ixfr(since: number): Promise<string[]> {
  const known = rr(`smb.example. 0 SOA . . ${since} 0 0 0 0`);
  const request = encodeMessage({
    id: 0x1995,
    flags: 0,
    rcode: 0,
    questions: [{ name: ORIGIN, type: RrType.IXFR, class: RrClass.IN }],
    authorities: [record(ORIGIN, RrType.SOA, 0, known.rdata)],
  });
  return decodeMessage((await askTcp(server, request))!).answers.map(rrText);
}

async function history(zone = "smb.example."): Promise<HistoryJson[]> {
  const entries: HistoryJson[] = [];
  const onData = (part: unknown): void => void entries.push(...(part as HistoryJson[]));
  await server.control("zone.history", { zone, limit: 1000 }, { onData });
  return entries;
}

describe("importing a changed file", () => {
  // Made of what the server has now, so that updates made meanwhile stay.
  const changed =
    FORWARD_ZONE.replace("ns2     IN A   192.0.2.54", "ns2     IN A   192.0.2.55").replace(
      "alias   IN CNAME fs1\n",
      "",
    ) + "fs3 600 IN A 192.0.2.3\n";
  const removed = ["alias.smb.example. 300 CNAME fs1.smb.example.", "ns2.smb.example. 300 A 192.0.2.54"];
  const added = ["fs3.smb.example. 600 A 192.0.2.3", "ns2.smb.example. 300 A 192.0.2.55"];

  test("first as a dry run: the difference is shown, and nothing is changed", async () => {
    writeFileSync(zoneFile("changed.zone"), changed);
    const { code, stdout } = await server.cli("zone", "import", "smb.example", "changed.zone", "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^- alias\.smb\.example\.\s+300 CNAME\s+fs1\.smb\.example\.$/m);
    expect(stdout).toMatch(/^\+ fs3\.smb\.example\.\s+600 A\s+192\.0\.2\.3$/m);
    expect(stdout).toContain("would change: 2 removed, 2 added, serial 100 to 101.");
    expect(await serial()).toBe(100);
  });

  test("then in earnest: served at once, and given to secondaries as one difference", async () => {
    const result = await server.json<ImportResult>("zone", "import", "smb.example", "changed.zone");
    expect(result).toMatchObject({ outcome: "changed", serialBefore: 100, serialAfter: 101, served: true });
    expect(await askText(server, "fs3.smb.example. A")).toMatchObject({ answer: [added[0]] });
    const [first, before, ...rest] = await ixfr(100);
    expect([first, before]).toEqual([soa(101), soa(100)]);
    const middle = rest.indexOf(soa(101));
    expect(rest.slice(0, middle).toSorted()).toEqual(removed);
    expect(rest.slice(middle + 1, -1).toSorted()).toEqual(added);
    expect(rest.at(-1)).toBe(soa(101));
  });

  test("the same file again changes nothing", async () => {
    const result = await server.json<ImportResult>("zone", "import", "smb.example", "changed.zone");
    expect(result).toMatchObject({ outcome: "unchanged", serialAfter: 101 });
    expect(await serial()).toBe(101);
  });

  test("a file with mistakes is refused whole, every mistake told", async () => {
    writeFileSync(
      zoneFile("bad.zone"),
      changed.replace("192.0.2.55", "192.0.2.555").replace("600 IN A", "600 IN AA"),
    );
    const before = await server.records("smb.example");
    const { code, stderr } = await server.cli("zone", "import", "smb.example", "bad.zone");
    expect(code).toBe(1);
    expect(stderr).toMatch(/bad\.zone:6:\d+: error: A: an IPv4 address/);
    expect(stderr).toMatch(/bad\.zone:\d+:\d+: error: .*"AA"/);
    expect(stderr).toContain("Nothing was changed");
    expect(await server.records("smb.example")).toEqual(before);
  });

  test("a file of another zone is refused", async () => {
    writeFileSync(zoneFile("other.zone"), `$ORIGIN other.example.\n${changed}`);
    const before = await serial();
    const { code, stderr } = await server.cli("zone", "import", "smb.example", "other.zone");
    expect(code).toBe(1);
    expect(stderr).toContain("other.zone");
    expect(await serial()).toBe(before);
  });
});

describe("history", () => {
  test("names who changed what, when and why", async () => {
    const since = Date.now();
    expect(await add(server, "host.dyn 60 A 192.0.2.99")).toBe("NOERROR");
    const [update, imported, created] = await history();
    expect(update).toMatchObject({
      actor: { kind: "address", name: "127.0.0.1" },
      cause: "update",
      serialBefore: 101,
      serialAfter: 102,
      diff: {
        addedCount: 1,
        removedCount: 0,
        added: [{ name: "host.dyn.smb.example.", ttl: 60, type: "A", data: "192.0.2.99" }],
      },
    });
    expect(update!.at).toBeGreaterThanOrEqual(since);
    expect(update!.at).toBeLessThanOrEqual(Date.now());
    expect(imported).toMatchObject({
      actor: { kind: "operator", name: userInfo().username },
      cause: "import",
      note: "changed.zone",
    });
    expect(created).toMatchObject({
      actor: { kind: "operator", name: "configuration" },
      cause: "create",
      serialAfter: 100,
    });
    const { stdout } = await server.cli("zone", "history", "smb.example", "--owner", "host.dyn");
    expect(stdout).toContain("101 → 102");
    expect(stdout).toContain("address 127.0.0.1");
    expect(stdout).toMatch(/^ +\+ host\.dyn\.smb\.example\.\s+60 A\s+192\.0\.2\.99$/m);
    expect(stdout).not.toContain("alias");
  });
});

describeWith(["nsupdate"], "history of signed updates", () => {
  test("names the key and where it was used", async () => {
    await nsupdate(server, ["update add signed.smb.example 60 A 192.0.2.98"], "-y", MASTER);
    const [update] = await history();
    expect(update).toMatchObject({
      actor: { kind: "key", name: "hmac-sha256.key.example.", from: "127.0.0.1" },
    });
    await nsupdate(server, ["update delete signed.smb.example"], "-y", MASTER);
  });
});

describe("rollback", () => {
  test("of one host leaves everything else", async () => {
    const before = await serial();
    await add(server, "one.dyn 60 A 192.0.2.1");
    await add(server, "two.dyn 60 A 192.0.2.2");
    const dry = await server.json<RollbackResult>(
      "zone",
      "rollback",
      "smb.example",
      "--to",
      String(before),
      "--owner",
      "one.dyn",
      "--dry-run",
    );
    expect(dry).toMatchObject({
      dryRun: true,
      outcome: "changed",
      undone: 1,
      diff: { removedCount: 1, addedCount: 0 },
    });
    expect(await askText(server, "one.dyn.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
    const done = await server.json<RollbackResult>(
      "zone",
      "rollback",
      "smb.example",
      "--to",
      String(before),
      "--owner",
      "one.dyn",
      "--yes",
    );
    expect(done).toMatchObject({ dryRun: false, serialAfter: before + 3 });
    expect(await askText(server, "one.dyn.smb.example. A")).toMatchObject({ rcode: "NXDOMAIN" });
    expect(await askText(server, "two.dyn.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
  });

  test("of the whole zone brings back the records of then, as a new change that secondaries get", async () => {
    const before = await serial();
    const { code, stdout } = await server.cli("zone", "rollback", "smb.example", "--to", "100", "--yes");
    expect(code).toBe(0);
    expect(stdout).toContain("This brings smb.example. back to serial 100");
    expect(stdout).toContain(`serial ${before} to ${before + 1}.`);
    const delta = await ixfr(before);
    expect([delta[0], delta[1], delta.at(-1)]).toEqual([soa(before + 1), soa(before), soa(before + 1)]);
    // What a secondary of serial 100 gets is no difference but the serial.
    expect(await ixfr(100)).toEqual([soa(before + 1), soa(100), soa(before + 1), soa(before + 1)]);
    expect((await history())[0]).toMatchObject({
      cause: "rollback",
      actor: { kind: "operator", name: userInfo().username },
    });
  });

  test.each([
    ["a serial that never was", ["--to", "4000000000"], 1, "does not reach back to serial 4000000000"],
    ["without --yes, and nobody to ask", ["--to", "101"], 2, "Add --yes, or --dry-run."],
    ["a time that is none", ["--to", "yesterdayish"], 2, "is not a time"],
  ])("%s is refused", async (_, args, exit, message) => {
    const before = await serial();
    const { code, stderr } = await server.cli("zone", "rollback", "smb.example", ...args);
    expect({ code, stderr }).toEqual({ code: exit, stderr: expect.stringContaining(message) });
    expect(await serial()).toBe(before);
  });
});

describe("export", () => {
  /** Everything whose text is not plain. */
  const ODD = [
    String.raw`odd\.label.dyn 60 TXT "semi;colon" "quo\"te" "back\\slash" "\000\255"`,
    String.raw`sp\032ace.dyn 60 A 192.0.2.1`,
    "Upper.DYN 60 CNAME Target.EXAMPLE.",
    String.raw`*.dyn 60 TYPE65281 \# 4 C0000201`,
    "_445._tcp.dyn 60 SRV 0 0 445 fs1.smb.example.",
    String.raw`\@.dyn 60 A 192.0.2.2`,
  ];

  test("into another server gives the same zone", async () => {
    for (const line of ODD.filter((text) => !text.includes("Upper"))) {
      expect(await add(server, line.replace(/ TXT .*/, ` TXT "a;b"`))).toBe("NOERROR");
    }
    writeFileSync(
      zoneFile("odd.zone"),
      `${FORWARD_ZONE}${ODD.map((line) => line.replace(" 60 ", " 60 IN ")).join("\n")}\n`,
    );
    expect((await server.cli("zone", "import", "smb.example", "odd.zone")).code).toBe(0);
    const exported = await server.cli("zone", "export", "smb.example", "--out", "exported.zone");
    expect(exported.code).toBe(0);
    const text = readFileSync(zoneFile("exported.zone"), "utf8");
    expect((await server.cli("zone", "export", "smb.example")).stdout).toBe(text);

    const records = await server.records("smb.example");
    const other = await RollcallServer.start({
      config: `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`,
      files: { "smb.zone": text },
    });
    try {
      expect(await other.records("smb.example")).toEqual(records);
      expect((await other.cli("zone", "export", "smb.example")).stdout).toBe(text);
    } finally {
      await other.remove();
    }
    // And back into the first: nothing changes.
    const again = await server.json<ImportResult>("zone", "import", "smb.example", "exported.zone");
    expect(again.outcome).toBe("unchanged");
  });
});

describe("a zone that the configuration gives no file", () => {
  test("waits for its import, and is served from then on", async () => {
    const waiting = await RollcallServer.start({
      config: `[[zone]]\nname = "smb.example"\n`,
      files: { "smb.zone": FORWARD_ZONE },
    });
    try {
      const { msg } = await waiting.logged(({ level }) => level === 40);
      expect(msg).toContain("rollcall zone import smb.example. FILE");
      expect((await askText(waiting, "fs1.smb.example. A")).rcode).toBe("REFUSED");
      const { code, stdout } = await waiting.cli("zone", "import", "smb.example", "smb.zone");
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: "smb.example. created: 10 records, serial 100.\n",
      });
      expect((await askText(waiting, "fs1.smb.example. A")).rcode).toBe("NOERROR");
    } finally {
      await waiting.remove();
    }
  });
});
