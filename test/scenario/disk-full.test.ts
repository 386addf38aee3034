/**
 * A disk that is full: updates are answered SERVFAIL, the log says why, nothing is half applied, answers go on; and once
 * there is room again, updates work again. Once with a limit on file sizes, which needs no rights, and once with a small
 * file system of its own, where the user may mount one.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { add, askText, QueryStream } from "../support/exchange.ts";
import { describeWith } from "../support/peers.ts";
import { findProgram } from "../support/process.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";

const CONFIG = `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n[[zone.update]]\nnet = "127.0.0.0/8"\n`;
/** A record large enough to need a page or two of its own. */
const LARGE = Array.from({ length: 20 }, (_, i) => `"${String(i).padStart(200, "x")}"`).join(" ");

let server: RollcallServer;
afterEach(() => server.remove());

/** Adds names until one is not acknowledged. @returns how many were, and what the last was told */
async function fill(prefix: string): Promise<{ count: number; rcode: string }> {
  for (let count = 0; count < 5000; count++) {
    const rcode = await add(server, `${prefix}${count} 60 TXT ${LARGE}`);
    if (rcode !== "NOERROR") return { count, rcode };
  }
  throw new Error("the disk is never full");
}

/** What must hold while the disk is full, and after `free` gave room. */
async function live(prefix: string, free: () => void): Promise<void> {
  const queries = await QueryStream.start(
    server,
    "fs1.smb.example. A",
    ({ answers }) => answers.length === 1,
  );
  const { count, rcode } = await fill(prefix);
  expect(rcode).toBe("SERVFAIL");
  const failed = `${prefix}${count}.smb.example.`;
  const { serial } = (await server.status()).zones[0]!;

  // Nothing of it is seen, neither by clients nor in the store; and the next fails the same.
  expect((await askText(server, `${failed} TXT`)).rcode).toBe("NXDOMAIN");
  expect((await server.records("smb.example")).filter((record) => record.startsWith(failed))).toEqual([]);
  expect(await add(server, `${prefix}again 60 TXT ${LARGE}`)).toBe("SERVFAIL");
  expect((await server.status()).zones[0]!.serial).toBe(serial);
  expect(await soaSerial()).toBe(serial);
  const line = await server.logged(({ msg }) => msg === "changes could not be committed");
  expect(line).toMatchObject({ level: 50, jobs: 1, err: { type: "StoreError" } });
  const { code } = line["err"] as { code: string };
  expect(["STORE_FULL", "STORE_IO"]).toContain(code);

  await queries.more(20);
  free();
  expect(await add(server, `${prefix}free 60 TXT ${LARGE}`)).toBe("NOERROR");
  expect(await soaSerial()).toBe(serial + 1);
  await queries.more(20);
  await queries.stop();
  expect(queries.faults).toEqual([]);

  const { counters } = await server.status();
  expect(counters["bugs"]).toBe(0);
  expect(counters["updatesFailed"]).toBe(2);
  const before = await server.records("smb.example");
  expect(before.filter((record) => record.startsWith(prefix))).toHaveLength(count + 1);
  expect(await server.down()).toBe(0);
  await server.up();
  expect(await server.records("smb.example")).toEqual(before);
  expect(await soaSerial()).toBe(serial + 1);
}

async function soaSerial(): Promise<number> {
  return Number((await askText(server, "smb.example. SOA")).answer[0]!.split(" ")[5]);
}

/** Lets the server make no file larger than this. */
function limit(bytes: string): void {
  const { status, stderr } = spawnSync("prlimit", ["--pid", String(server.daemon.pid), `--fsize=${bytes}:`], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

describeWith(["prlimit"], "a limit on the size of files", () => {
  test("updates fail while it holds, and work when it is lifted", async () => {
    server = await RollcallServer.start({ config: CONFIG, files: { "smb.zone": SMALL_ZONE } });
    expect(await add(server, "first 60 A 192.0.2.9")).toBe("NOERROR");
    limit(String(statSync(join(server.directory, "data", "rollcall.db-wal")).size + 100_000));
    await live("full", () => limit("unlimited"));
  });
});

/** Whether a file system can be mounted here: by root, where the machine lets root. */
function mayMount(): boolean {
  if (process.getuid?.() !== 0 || findProgram("mount") === undefined) return false;
  return spawnSync("unshare", ["-m", "true"]).status === 0;
}

describe.skipIf(!mayMount())("a file system without room", () => {
  test("updates fail while it is full, and work when room is made", async () => {
    server = RollcallServer.prepare({ config: CONFIG, files: { "smb.zone": SMALL_ZONE } });
    const data = join(server.directory, "data");
    mkdirSync(data, { mode: 0o700 });
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", data], {
      encoding: "utf8",
    });
    expect(mounted).toMatchObject({ status: 0 });
    try {
      await server.up();
      // Something else takes room, and gives it back.
      const ballast = join(data, "ballast");
      writeFileSync(ballast, Buffer.alloc(300_000));
      await live("full", () => rmSync(ballast));
      expect(existsSync(ballast)).toBe(false);
    } finally {
      await server.down();
      spawnSync("umount", [data]);
    }
  });

  test("a start without room is refused, and says so", async () => {
    server = RollcallServer.prepare({ config: CONFIG, files: { "smb.zone": SMALL_ZONE } });
    const data = join(server.directory, "data");
    mkdirSync(data, { mode: 0o700 });
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", data]);
    try {
      writeFileSync(join(data, "ballast"), Buffer.alloc(40_000));
      const { code, stderr } = await server.cli("serve");
      expect(code).toBe(1);
      expect(stderr).toMatch(/STORE_(FULL|IO)/);
      expect(stderr).toContain("rollcall: not started: ");
      rmSync(join(data, "ballast"));
    } finally {
      spawnSync("umount", [data]);
    }
  });
});
