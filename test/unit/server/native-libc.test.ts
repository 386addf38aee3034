/** Whether the C library can be called: where not, the portable transport serves and says why. */
import { createRequire } from "node:module";
import type * as Koffi from "koffi";
import { afterEach, describe, expect, test, vi } from "vitest";
import { AnswerThreads } from "../../../src/server/native/answer-threads.ts";
import type { Libc } from "../../../src/server/native/libc.ts";
import { loadLibc } from "../../../src/server/native/libc.ts";
import { PortableUdp } from "../../../src/server/portable-udp.ts";
import { openUdp } from "../../../src/server/udp-choice.ts";
import { Epochs } from "../../../src/zone/image/epochs.ts";
import { SEED } from "../../support/zones.ts";
import { native, libc } from "../../support/native.ts";
import { Arrivals, silent } from "./transport.ts";

const OPTIONS = { seed: SEED, epochs: new Epochs(), handler: new Arrivals().handler, log: silent };

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** A module that has loaded nothing yet. */
async function fresh(): Promise<typeof loadLibc> {
  vi.resetModules();
  return (await import("../../../src/server/native/libc.ts")).loadLibc;
}

describe("a machine where it cannot be called", () => {
  test("koffi is an optional dependency: without it there is none, and it says so", async () => {
    const missing = Object.assign(new Error("Cannot find module 'koffi'"), { code: "MODULE_NOT_FOUND" });
    const load = await fresh();
    expect(
      load(() => {
        throw missing;
      }),
    ).toBe("koffi is not installed");
  });

  test("a koffi that does not load is told with its own words", async () => {
    const load = await fresh();
    expect(
      load(() => {
        throw new Error("wrong ELF class");
      }),
    ).toBe("koffi cannot be used: Error: wrong ELF class");
  });

  test.each([
    ["darwin", "arm64"],
    ["win32", "x64"],
    ["linux", "ia32"],
  ])("%s on %s is not asked at all", async (platform, arch) => {
    const load = await fresh();
    vi.stubGlobal("process", { ...process, platform, arch });
    expect(load(() => expect.unreachable())).toBe(`not done on ${platform} ${arch}`);
    vi.unstubAllGlobals();
  });
});

describe("the choice", () => {
  test("is the portable transport where it is asked for", async () => {
    vi.stubEnv("ROLLCALL_PORTABLE_UDP", "1");
    const udp = openUdp(2, OPTIONS);
    expect(udp).toBeInstanceOf(PortableUdp);
    expect(udp.description).toBe("the control thread (dgram: ROLLCALL_PORTABLE_UDP is set)");
    await udp.close();
  });
});

describe.runIf(native)("with the C library", () => {
  test("it is loaded once for all", () => {
    expect(loadLibc()).toBe(libc);
  });

  test.each([
    [1, "1 answer thread (recvmmsg)"],
    [3, "3 answer threads (recvmmsg)"],
  ])("%i threads are as many answer threads", async (threads, description) => {
    vi.stubEnv("ROLLCALL_PORTABLE_UDP", "");
    const udp = openUdp(threads, OPTIONS);
    expect(udp).toBeInstanceOf(AnswerThreads);
    expect(udp.description).toBe(description);
    await udp.serve([], "");
    await udp.close();
  });

  test("a C library without malloc_trim serves all the same", async () => {
    const { load, address, errno } = createRequire(import.meta.url)("koffi") as typeof Koffi;
    const library = load(null);
    const without = {
      address,
      errno,
      load: () => ({
        func: (declaration: string) => {
          if (declaration.includes("malloc_trim")) throw new Error("Cannot find function 'malloc_trim'");
          return library.func(declaration);
        },
      }),
    };
    const other = (await fresh())(() => without as unknown as typeof Koffi) as Libc;
    expect(other.trim()).toBeUndefined();
    expect(other.close(-1)).toBe(-1);
  });

  test("errors have the names that Node gives them", () => {
    expect([98, 13, 11, 105].map((errno) => libc.errorName(errno))).toEqual([
      "EADDRINUSE",
      "EACCES",
      "EAGAIN",
      "ENOBUFS",
    ]);
  });
});
