/** The server with its answer threads: every address, every source, through reloads and without koffi. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { Rcode } from "../../src/wire/iana/code.ts";
import { add, askText, QueryStream } from "../support/exchange.ts";
import { native } from "../support/native.ts";
import { NetworkNamespace } from "../support/netns.ts";
import { findProgram } from "../support/process.ts";
import { RollcallServer, type RollcallOptions, SMALL_ZONE } from "../support/rollcall.ts";

const ZONE = `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`;
const OPEN = `[[zone.update]]\nnet = "0.0.0.0/0"\nudp = true\n[[zone.update]]\nnet = "::/0"\nudp = true\n`;
const FILES = { "smb.zone": SMALL_ZONE };
const FS1 = { rcode: "NOERROR", flags: "aa", answer: ["fs1.smb.example. 300 A 192.0.2.1"] };

let server: RollcallServer | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
});

async function start(options: RollcallOptions): Promise<RollcallServer> {
  const env = { ROLLCALL_PORTABLE_UDP: "" }; // whichever transport the other suites are run on
  server = await RollcallServer.start({ config: ZONE + OPEN, files: FILES, env, ...options });
  return server;
}

/** Port of the n-th address that the server answers on. */
function portOf(of: RollcallServer, index: number): number {
  return Number(of.addresses[index]!.split(":").at(-1));
}

describe.runIf(native)("answer threads", () => {
  test("three answer every source port, queries and updates, and status counts them", async () => {
    const rollcall = await start({ config: `threads = 3\n${ZONE}${OPEN}` });
    for (let i = 0; i < 40; i++) {
      expect(await askText(rollcall, "fs1.smb.example. A")).toMatchObject(FS1); // a socket each
    }
    for (let i = 0; i < 10; i++) expect(await add(rollcall, `new${i} 60 A 192.0.2.9`)).toBe("NOERROR");
    expect(await askText(rollcall, "new9.smb.example. A")).toMatchObject({
      answer: ["new9.smb.example. 60 A 192.0.2.9"],
    });
    const { udp, counters } = await rollcall.status();
    expect(udp).toBe("3 answer threads (recvmmsg)");
    expect(counters).toMatchObject({ queries: 41, updatesReceived: 10, udpReceived: 51, bugs: 0 });
    expect(await rollcall.down()).toBe(0);
  });

  test("both families on the same thread, and by TCP", async () => {
    const rollcall = await start({
      config: `threads = 1\n${ZONE}${OPEN}`,
      listen: ["127.0.0.1:0", "[::1]:0", "127.0.0.2:0"],
    });
    for (const [i, address] of ["127.0.0.1", "::1", "127.0.0.2"].entries()) {
      const where = { address, port: portOf(rollcall, i) };
      expect(await askText(where, "fs1.smb.example. A")).toMatchObject(FS1);
      expect(await add(where, `at${i} 60 A 192.0.2.9`)).toBe("NOERROR");
    }
  });

  test("addresses come and go in reloads, and no query is lost on the one that stays", async () => {
    const rollcall = await start({ config: `threads = 2\n${ZONE}${OPEN}` });
    const queries = await QueryStream.start(rollcall, "fs1.smb.example. A", ({ header, answers }) => {
      return header.rcode === Rcode.NOERROR && answers.length === 1;
    });
    for (let round = 0; round < 3; round++) {
      rollcall.configure({ config: `threads = 2\n${ZONE}${OPEN}`, listen: ["127.0.0.1:0", "127.0.0.2:0"] });
      expect(await rollcall.control("reload", {})).toMatchObject({ ok: true });
      await queries.more(200);
      const second = (await rollcall.status()).listen[1]!;
      const where = { address: "127.0.0.2", port: Number(second.split(":")[1]) };
      expect(await askText(where, "fs1.smb.example. A")).toMatchObject(FS1);
      rollcall.configure({ config: `threads = 2\n${ZONE}${OPEN}` });
      expect(await rollcall.control("reload", {})).toMatchObject({ ok: true });
      await queries.more(200);
      expect((await rollcall.status()).listen).toEqual(rollcall.addresses);
    }
    await queries.stop();
    expect(queries.faults).toEqual([]);
    expect(queries.stray).toEqual([]);
  });

  test("two that take any port of one address both stay through a reload", async () => {
    const config = `threads = 1\n${ZONE}`;
    const listen = ["127.0.0.1:0", "127.0.0.1:0"];
    const rollcall = await start({ config, listen });
    rollcall.configure({ config: config + OPEN, listen });
    expect(await rollcall.control("reload", {})).toMatchObject({ ok: true });
    expect((await rollcall.status()).listen).toEqual(rollcall.addresses);
    for (const i of [0, 1]) {
      expect(await askText({ port: portOf(rollcall, i) }, "fs1.smb.example. A")).toMatchObject(FS1);
    }
  });

  test.runIf(process.platform === "linux")(
    "a zone that goes takes its memory with it, in every thread",
    async () => {
      const rollcall = await start({ config: `threads = 2\n${ZONE}` });
      const other = `[[zone]]\nname = "other.example"\nfile = "smb.zone"\n`;
      const addressSpace = (): number => {
        const status = readFileSync(`/proc/${rollcall.daemon.pid}/status`, "utf8");
        return Number(/^VmSize:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
      };
      const image = 4 * 1024 ** 3; // what a zone's image may grow to
      const before = addressSpace();
      rollcall.configure({ config: `threads = 2\n${ZONE}${other}` });
      expect(await rollcall.control("reload", {})).toMatchObject({ ok: true });
      expect(await askText(rollcall, "fs1.other.example. A")).toMatchObject({ rcode: "NOERROR" });
      expect(addressSpace() - before).toBeGreaterThan(image * 0.9);
      rollcall.configure({ config: `threads = 2\n${ZONE}` });
      expect(await rollcall.control("reload", {})).toMatchObject({ ok: true });
      await expect.poll(() => addressSpace() - before, { timeout: 10_000 }).toBeLessThan(image * 0.1);
      expect(await askText(rollcall, "fs1.smb.example. A")).toMatchObject(FS1);
    },
  );
});

describe("an address that cannot be had", () => {
  test.each(["", "1"])("a UDP port that another shares is not shared (portable: %j)", async (portable) => {
    const holder = createSocket({ type: "udp4", reusePort: process.platform === "linux" }).bind(
      0,
      "127.0.0.1",
    );
    await once(holder, "listening");
    const { port } = holder.address();
    server = RollcallServer.prepare({
      config: ZONE,
      files: FILES,
      listen: [`127.0.0.1:${port}`],
      env: { ROLLCALL_PORTABLE_UDP: portable },
    });
    await expect(server.up()).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: another program holds this address and port`,
    );
    expect(await server.daemon.ended).toBe(1);
    holder.close();
  });

  test("one that the server itself stands in the way of is told as such, and nothing changes", async () => {
    const rollcall = await start({});
    await rollcall.down();
    // The port is known now, and the same as before is what stays.
    const { port } = rollcall;
    rollcall.configure({ config: ZONE, listen: [`127.0.0.1:${port}`] });
    await rollcall.up();
    rollcall.configure({ config: ZONE, listen: [`0.0.0.0:${port}`] });
    const { ok, problems } = await rollcall.control("reload", {});
    expect(ok).toBe(false);
    expect(problems.map(({ message }) => message)).toEqual([
      `cannot listen on 0.0.0.0:${port}: this server itself answers on 127.0.0.1:${port}`,
    ]);
    expect(await askText(rollcall, "fs1.smb.example. A")).toMatchObject(FS1);
  });
});

/** Hides a module from a process, as if it were not installed. */
const hide = (name: string): string => {
  const code = `import { registerHooks } from "node:module";
    registerHooks({ resolve(specifier, context, next) {
      if (specifier !== ${JSON.stringify(name)}) return next(specifier, context);
      throw Object.assign(new Error("hidden"), { code: "MODULE_NOT_FOUND" });
    } });`;
  return `--import=data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
};

describe("without koffi", () => {
  test("the control thread answers by dgram, and status says why", async () => {
    const rollcall = await start({
      env: { NODE_OPTIONS: hide("koffi"), ROLLCALL_PORTABLE_UDP: "" },
      listen: ["127.0.0.1:0", "[::1]:0"],
    });
    const reason = native ? "koffi is not installed" : "";
    expect((await rollcall.status()).udp).toContain(`the control thread (dgram: ${reason}`);
    expect(await askText(rollcall, "fs1.smb.example. A")).toMatchObject(FS1);
    const six = { address: "::1", port: portOf(rollcall, 1) };
    expect(await askText(six, "fs1.smb.example. A")).toMatchObject(FS1);
    expect(await add(six, "new 60 A 192.0.2.9")).toBe("NOERROR");
    expect((await rollcall.status()).counters).toMatchObject({ queries: 2, udpReceived: 3, udpSent: 3 });
  });
});

const programs = ["dig", "nsupdate"].filter((program) => findProgram(program) === undefined);
const obstacle =
  programs.length > 0
    ? `${programs.join(", ")} not installed`
    : native
      ? NetworkNamespace.obstacle()
      : "no koffi";
if (obstacle !== undefined) process.stderr.write(`LEFT OUT: wildcard addresses (${obstacle})\n`);

describe.skipIf(obstacle !== undefined)("wildcard addresses", () => {
  const ADDRESSES = ["192.0.2.10", "192.0.2.11", "198.51.100.7", "2001:db8::10", "2001:db8::11"];
  const KEY = "hmac-sha256:host.:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";
  const KEYS = `key "host." { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U="; };\n`;

  test.each([1, 2])(
    "with %i threads: what is asked at an address is answered from there, whoever answers",
    async (threads) => {
      using namespace = new NetworkNamespace(
        ADDRESSES.map((address) => `${address}/${address.includes(":") ? 64 : 24}`),
      );
      const rollcall = await start({
        config: `threads = ${threads}\nkeys = ["keys.conf"]\n${ZONE}[[zone.update]]\nkey = "host"\n`,
        files: { ...FILES, "keys.conf": KEYS },
        listen: ["0.0.0.0:5300", "[::]:5300"],
        prefix: namespace.prefix,
      });
      try {
        const dig = async (address: string, ...args: string[]): Promise<string> => {
          const from = ADDRESSES.find(
            (other) => other !== address && other.includes(":") === address.includes(":"),
          );
          const options = ["+short", "+retry=0", "+timeout=5", "-b", from!, "-p", "5300"];
          const { stdout } = await namespace.run("dig", [
            `@${address}`,
            ...options,
            "fs1.smb.example",
            "A",
            ...args,
          ]);
          return stdout.trim();
        };
        for (const [i, address] of ADDRESSES.entries()) {
          // dig and nsupdate take an answer from nowhere but where they asked.
          expect(await dig(address)).toBe("192.0.2.1"); // an answer thread
          expect(await dig(address, "-y", KEY)).toBe("192.0.2.1"); // the control thread
          expect(await dig(address, "+tcp")).toBe("192.0.2.1");
          expect(await dig(address, "+tcp", "-y", KEY)).toBe("192.0.2.1");
          const script = `server ${address} 5300\nupdate add u${i}.smb.example. 60 A 192.0.2.9\nsend\nquit\n`;
          expect(await namespace.run("nsupdate", ["-t", "5", "-r", "0", "-y", KEY], script)).toMatchObject({
            code: 0,
            stderr: "",
          });
          expect(
            await namespace.run("nsupdate", ["-v", "-y", KEY], script.replace(`add u${i}`, `add v${i}`)),
          ).toMatchObject({
            code: 0,
          });
        }
        const { counters } = await rollcall.status();
        expect(counters).toMatchObject({ udpSendErrors: 0, udpReceiveErrors: 0 });
      } finally {
        await rollcall.down();
      }
    },
  );
});
