/** Stopping: whatever was acknowledged is there after the next start, however the server was told to stop. */
import { once } from "node:events";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Rollcall } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { add, askText, UpdateStream } from "../support/exchange.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { TcpClient } from "../support/sockets.ts";
import { question } from "../support/exchange.ts";

let server: RollcallServer;
beforeEach(async () => {
  server = await RollcallServer.start({
    config: `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n[[zone.update]]\nnet = "127.0.0.0/8"\n`,
    files: { "smb.zone": SMALL_ZONE },
  });
});
afterEach(() => server.remove());

/** Milliseconds after which an update to a server that stopped counts as unanswered. */
const PATIENCE = 3000;

describe("during a stream of updates", () => {
  const ways: [string, () => Promise<number | null>][] = [
    ["SIGTERM", () => server.down("SIGTERM")],
    ["SIGINT", () => server.down("SIGINT")],
    [
      "rollcall stop",
      async () => {
        const { code, stdout } = await server.cli("stop");
        expect({ code, stdout }).toEqual({ code: 0, stdout: `Process ${server.daemon.pid} is stopping.\n` });
        return server.daemon.ended;
      },
    ],
    [
      "SIGTERM again and again",
      () => {
        for (let i = 0; i < 5; i++) process.kill(server.daemon.pid, "SIGTERM");
        return server.down("SIGTERM");
      },
    ],
  ];
  test.each(ways)(
    "%s: exit code 0, everything acknowledged is kept, and nothing that was not asked for",
    async (_, stop) => {
      const updates = await UpdateStream.start(server, "u", PATIENCE);
      await updates.more(300);
      expect(await stop()).toBe(0);
      await updates.stop();
      // Those that came too late are told so, or hear nothing.
      expect(updates.refused.filter((rcode) => rcode !== "SERVFAIL")).toEqual([]);
      expect(server.log.at(-1)).toMatchObject({ msg: "stopped" });
      expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);

      await server.up();
      const records = await server.records("smb.example");
      const kept = new Set(records);
      const lost = updates.acknowledged.filter((name) => !kept.has(`${name} 60 A 192.0.2.1`));
      expect(lost).toEqual([]);
      // Each added one name and moved the serial by one: none was applied twice or by half.
      const added = records.filter((record) => /^u\d+\.smb\.example\. /.test(record)).length;
      expect(records.length).toBe(6 + added);
      expect((await server.status()).zones[0]).toMatchObject({ serial: 1 + added, records: records.length });
    },
  );
});

test("with a log that nobody reads: the last lines are given up, and nothing else", async () => {
  const { child } = server.daemon;
  child.stdout!.pause();
  const updates = await UpdateStream.start(server, "u", PATIENCE);
  await updates.more(4000); // some 200 octets of log each: more than pipes and buffers hold
  await updates.stop();
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  expect((await ended)[0]).toBe(0);
  child.stdout!.resume();
  await server.up();
  const records = new Set(await server.records("smb.example"));
  for (const name of updates.acknowledged) expect(records).toContain(`${name} 60 A 192.0.2.1`);
});

describe("after a restart", () => {
  test("zone, serial and history are as they were, and the zone file is not read again", async () => {
    await add(server, "host 60 A 192.0.2.9");
    const before = { records: await server.records("smb.example"), history: await history() };
    expect(await server.down()).toBe(0);
    await server.up();
    expect({ records: await server.records("smb.example"), history: await history() }).toEqual(before);
    expect(before.history).toHaveLength(2);
  });

  test("the data directory is free at once, and holds no socket of a server that is gone", async () => {
    await server.down();
    expect((await server.cli("status")).code).toBe(3);
    await server.up();
    expect((await server.cli("status")).code).toBe(0);
  });

  test("a server that was killed starts again, over the socket it left behind", async () => {
    await add(server, "host 60 A 192.0.2.9");
    await server.down("SIGKILL");
    const { code, stderr } = await server.cli("status");
    expect(code).toBe(3);
    expect(stderr).toContain("nobody listens there");
    await server.up();
    expect(await askText(server, "host.smb.example. A")).toMatchObject({
      answer: ["host.smb.example. 60 A 192.0.2.9"],
    });
  });
});

describe("connections", () => {
  test("an idle one is ended, one that waits for its answer gets it, and the server does not wait for either", async () => {
    const idle = await TcpClient.open(server);
    const busy = await TcpClient.open(server);
    busy.send(question("fs1.smb.example. A"));
    const answer = await busy.receive();
    expect(answer).toBeDefined();
    expect(await server.down()).toBe(0);
    await Promise.all([idle.closed(), busy.closed()]);
  });
});

async function history(): Promise<unknown[]> {
  const entries: unknown[] = [];
  await server.control(
    "zone.history",
    { zone: "smb.example.", limit: 100 },
    { onData: (part) => void entries.push(...(part as unknown[])) },
  );
  return entries;
}

test("a reload that comes while it stops is refused: what it would open nobody would close", async () => {
  await server.down();
  vi.stubEnv("ROLLCALL_PORTABLE_UDP", "1");
  const { config } = loadConfig(server.configFile);
  const here = await Rollcall.start(config!, pino({ level: "silent" }), () => undefined);
  vi.unstubAllEnvs();
  server.configure({ listen: ["127.0.0.1:0", "127.0.0.1:0"] });
  const stopping = here.stop();
  expect(await here.reload()).toMatchObject({ ok: false, problems: [{ code: "CONTROL_BUSY" }] });
  await stopping;
  expect(here.addresses).toEqual([]);
});
