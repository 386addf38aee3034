/** SIGHUP and `rollcall reload`: a good configuration takes effect, a bad one changes nothing, and no query is lost. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Rcode } from "../../src/wire/iana/code.ts";
import { DATABASE_FILE, LOCK_FILE } from "../../src/store/open.ts";
import { add, askText, QueryStream, UpdateStream } from "../support/exchange.ts";
import { eventually } from "../support/process.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";

const OPEN = `[[zone.update]]\nnet = "127.0.0.0/8"\n`;
const FIRST = `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`;
const SECOND = `[[zone]]\nname = "other.example"\nfile = "other.zone"\n`;

const FS1 = {
  rcode: "NOERROR",
  flags: "aa",
  answer: ["fs1.smb.example. 300 A 192.0.2.1"],
  authority: [],
  additional: [],
};

let server: RollcallServer;
beforeEach(async () => {
  server = await RollcallServer.start({
    config: FIRST + OPEN,
    files: { "smb.zone": SMALL_ZONE, "other.zone": SMALL_ZONE },
  });
});
afterEach(() => server.remove());

const rcode = async (question: string): Promise<string> => (await askText(server, question)).rcode;
const reloaded = (): Promise<unknown> => server.logged(({ msg }) => msg === "configuration reloaded");
const notReloaded = (): Promise<Record<string, unknown>> =>
  server.logged(({ msg }) => String(msg).startsWith("configuration not reloaded"));
const hup = (): void => {
  process.kill(server.daemon.pid, "SIGHUP");
};

const unchanged = async (): Promise<void> => {
  expect(await askText(server, "fs1.smb.example. A")).toEqual(FS1);
  expect(await add(server, `still${Date.now()} 60 A 192.0.2.9`)).toBe("NOERROR");
};

describe("a stream of queries and updates goes on", () => {
  test("through good and bad reloads, by signal and by command: each is answered, and rightly", async () => {
    const queries = await QueryStream.start(server, "fs1.smb.example. A", ({ header, answers }) => {
      return header.rcode === Rcode.NOERROR && answers.length === 1;
    });
    const updates = await UpdateStream.start(server, "during");
    await queries.more(200);
    for (let round = 0; round < 3; round++) {
      server.configure({ config: FIRST + OPEN + SECOND });
      expect(await server.cli("reload")).toMatchObject({ code: 0 });
      await queries.more(100);
      expect(await rcode("fs1.other.example. A")).toBe("NOERROR");

      server.configure({ config: FIRST + OPEN + SECOND.replace("other.example", "two..dots") });
      expect(await server.cli("reload")).toMatchObject({ code: 1 });
      await queries.more(100);
      expect(await rcode("fs1.other.example. A")).toBe("NOERROR");

      server.configure({ config: FIRST + OPEN });
      hup();
      await expect.poll(() => rcode("fs1.other.example. A"), { timeout: 10_000 }).toBe("REFUSED");
      await updates.more(10);
    }
    await queries.stop();
    await updates.stop();
    expect(queries.faults).toEqual([]);
    expect(updates.refused).toEqual([]);
    expect(queries.stray).toEqual([]);
    const records = new Set(await server.records("smb.example"));
    expect(updates.acknowledged.filter((name) => !records.has(`${name} 60 A 192.0.2.1`))).toEqual([]);
  });
});

describe("a good configuration", () => {
  test("serves a new zone, and says what changed", async () => {
    expect(await rcode("fs1.other.example. A")).toBe("REFUSED");
    server.configure({ config: FIRST + OPEN + SECOND });
    const { code, stdout, stderr } = await server.cli("reload");
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "other.example. is served from now on\nReloaded.\n",
      stderr: "",
    });
    expect(await rcode("fs1.other.example. A")).toBe("NOERROR");
    const { lastReload } = await server.status();
    expect(lastReload).toMatchObject({
      ok: true,
      changes: ["other.example. is served from now on"],
      problems: [],
    });
  });

  test("by SIGHUP too, and the log says so", async () => {
    server.configure({ config: FIRST + OPEN + SECOND });
    hup();
    await reloaded();
    expect(await rcode("fs1.other.example. A")).toBe("NOERROR");
  });

  test("takes a zone away and keeps its data: back again it has its updates", async () => {
    expect(await add(server, "kept 60 A 192.0.2.9")).toBe("NOERROR");
    server.configure({ config: SECOND });
    expect((await server.cli("reload")).stdout).toContain(
      "smb.example. is not served any more; its data stay in the store",
    );
    expect(await rcode("kept.smb.example. A")).toBe("REFUSED");
    expect(await add(server, "late 60 A 192.0.2.9")).toBe("NOTAUTH");
    server.configure({ config: FIRST + SECOND });
    await server.cli("reload");
    expect(await askText(server, "kept.smb.example. A")).toMatchObject({
      answer: ["kept.smb.example. 60 A 192.0.2.9"],
    });
  });

  test("changes the rules of a zone that goes on being served", async () => {
    expect(await add(server, "a 60 A 192.0.2.9")).toBe("NOERROR");
    server.configure({ config: FIRST });
    await server.cli("reload");
    expect(await add(server, "b 60 A 192.0.2.9")).toBe("REFUSED");
    server.configure({ config: `${FIRST}[[zone.update]]\nnet = "127.0.0.0/8"\nnames = ["b"]\n` });
    await server.cli("reload");
    expect([await add(server, "a 60 A 192.0.2.10"), await add(server, "b 60 A 192.0.2.9")]).toEqual([
      "REFUSED",
      "NOERROR",
    ]);
  });

  test("adds an address and takes one away; what stays is not interrupted", async () => {
    const queries = await QueryStream.start(
      server,
      "fs1.smb.example. A",
      ({ answers }) => answers.length === 1,
    );
    const listen = ["127.0.0.1:0", "127.0.0.2:0"];
    server.configure({ config: FIRST, listen });
    expect((await server.cli("reload")).code).toBe(0);
    const { listen: now } = await server.status();
    expect(now).toHaveLength(2);
    expect(now[0]).toBe(`127.0.0.1:${server.port}`);
    const added = { address: "127.0.0.2", port: Number(now[1]!.split(":")[1]) };
    expect(await askText(added, "fs1.smb.example. A")).toEqual(FS1);
    server.configure({ config: FIRST });
    expect((await server.cli("reload")).code).toBe(0);
    expect((await server.status()).listen).toEqual([`127.0.0.1:${server.port}`]);
    await queries.more(50);
    await queries.stop();
    expect(queries.faults).toEqual([]);
  });
});

describe("a bad configuration leaves the old one running", () => {
  test("every mistake is named with its line, in the log and to whoever asked", async () => {
    server.configure({
      config: `colour = 3\n${FIRST}${OPEN}[[zone.update]]\nkey = "nobody"\ntypes = ["AAAAA"]\n[[zone]]\nnme = "x"\n`,
    });
    const { code, stdout, stderr } = await server.cli("reload");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    const places = [
      '3:1: error: unknown key "colour"',
      `10:7: error: no key file holds a key named "nobody"`,
      `11:10: error: "AAAAA" is not a record type`,
      `"name" is missing`,
      `13:1: error: unknown key "nme"`,
    ];
    for (const place of places) expect(stderr).toContain(place);
    expect(stderr).toContain(`Did you mean "AAAA"?`);
    expect(stderr).toContain("the old one runs on");

    const { mistakes } = (await notReloaded()) as { mistakes: string[] };
    for (const place of places) expect(mistakes.some((mistake) => mistake.includes(place))).toBe(true);
    const { lastReload } = await server.status();
    expect(lastReload).toMatchObject({ ok: false });
    expect(lastReload!.problems.length).toBe(mistakes.length);
    await unchanged();
  });

  test("by SIGHUP: the same mistakes in the log", async () => {
    writeFileSync(server.configFile, "listen = [\n");
    hup();
    const { mistakes } = (await notReloaded()) as { mistakes: string[] };
    expect(mistakes[0]).toContain("CONFIG_SYNTAX");
    await unchanged();
    // Mended, it is taken.
    server.configure({ config: FIRST + OPEN });
    hup();
    await reloaded();
  });

  test("a new zone whose file has mistakes: all of them, and no zone of the configuration comes half", async () => {
    writeFileSync(
      join(server.directory, "other.zone"),
      SMALL_ZONE.replace("192.0.2.1\n", "192.0.2.256\n").replace("IN NS  ns1", "IN NS"),
    );
    server.configure({ config: `${FIRST}${SECOND}[[zone]]\nname = "third.example"\nfile = "smb.zone"\n` });
    const { code, stderr } = await server.cli("reload");
    expect(code).toBe(1);
    expect(stderr).toMatch(/other\.zone:3:\d+: error: NS/);
    expect(stderr).toMatch(/other\.zone:6:\d+: error: A: an IPv4 address was expected/);
    expect([await rcode("fs1.other.example. A"), await rcode("fs1.third.example. A")]).toEqual([
      "REFUSED",
      "REFUSED",
    ]);
    await unchanged();
  });

  test("an address this machine does not have", async () => {
    server.configure({ config: FIRST, listen: ["127.0.0.1:0", "203.0.113.77:0"] });
    const { code, stderr } = await server.cli("reload");
    expect(code).toBe(1);
    expect(stderr).toContain("cannot listen on 203.0.113.77:0: this machine has no such address");
    expect((await server.status()).listen).toEqual([`127.0.0.1:${server.port}`]);
    await unchanged();
  });

  test("a data directory that moves", async () => {
    writeFileSync(server.configFile, `listen = ["127.0.0.1:0"]\ndata = "elsewhere"\n${FIRST}`);
    hup();
    const { mistakes } = (await notReloaded()) as { mistakes: string[] };
    expect(mistakes.join("\n")).toContain("the data directory cannot change");
    await unchanged();
  });

  test("a zone that the store can no longer give", async () => {
    // Large enough to lie on pages of its own, which nobody has read.
    writeFileSync(join(server.directory, "other.zone"), `${SMALL_ZONE}$GENERATE 1-2000 h$ IN A 192.0.2.1\n`);
    server.configure({ config: FIRST + OPEN + SECOND });
    expect((await server.cli("reload")).code).toBe(0);
    server.configure({ config: FIRST });
    expect((await server.cli("reload")).code).toBe(0);
    await server.down();
    await server.up();
    // Damaged while it runs, where nobody looks until the zone is asked for.
    const file = join(server.directory, "data", DATABASE_FILE);
    writeFileSync(file, readFileSync(file).fill(0x5a, 100));
    server.configure({ config: FIRST + SECOND });
    const { code, stderr } = await server.cli("reload");
    expect(code).toBe(1);
    expect(stderr).toContain("STORE_CORRUPT");
    expect(stderr).toContain("the old one runs on");
    expect(await askText(server, "fs1.smb.example. A")).toEqual(FS1);
    expect(await rcode("fs1.other.example. A")).toBe("REFUSED");
    // And the operator who looks sees it, among all the rest.
    const status = await server.status();
    expect(status.lastReload).toMatchObject({ ok: false });
    const damaged = { name: "smb.example.", fault: expect.stringContaining("malformed") };
    expect(status.zones).toContainEqual(expect.objectContaining(damaged));
    expect((await server.cli("zone", "list")).stdout).toMatch(/^smb\.example\. .* damaged .*malformed/m);
  });

  test("many signals at once are one reload after another", async () => {
    for (let i = 0; i < 20; i++) hup();
    server.configure({ config: FIRST + OPEN + SECOND });
    hup();
    await expect.poll(() => rcode("fs1.other.example. A"), { timeout: 10_000 }).toBe("NOERROR");
    await unchanged();
  });
});

test("a signal that comes before the server is up waits for it", async () => {
  await server.down();
  server.launch();
  // The lock is taken at the very beginning; most of the start is still to come.
  await eventually("the start has begun", holder, (pid) => pid === server.daemon.pid);
  for (let i = 0; i < 3; i++) hup();
  await server.ready();
  expect(await reloaded()).toMatchObject({ changes: [] });
  await unchanged();
});

/** The process that has the data directory, as the lock says. */
function holder(): Promise<number | undefined> {
  try {
    const db = new Database(join(server.directory, "data", LOCK_FILE), { readonly: true });
    const pid = db.prepare<[], number>("SELECT pid FROM holder").pluck().get();
    db.close();
    return Promise.resolve(pid);
  } catch {
    return Promise.resolve(undefined);
  }
}
