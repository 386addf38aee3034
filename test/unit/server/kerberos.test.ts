/** A machine without the Kerberos library, or without koffi: what is said, and that it can be told by its code. */
import { afterEach, expect, test, vi } from "vitest";
import { openAcceptor } from "../../../src/server/kerberos/acceptor.ts";
import type { loadGssapi } from "../../../src/server/kerberos/gssapi.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** A module that has loaded nothing yet. */
async function fresh(): Promise<typeof loadGssapi> {
  vi.resetModules();
  return (await import("../../../src/server/kerberos/gssapi.ts")).loadGssapi;
}

const throwing = (error: Error) => (): never => {
  throw error;
};

test("koffi is an optional dependency", async () => {
  const load = await fresh();
  const missing = Object.assign(new Error("Cannot find module 'koffi'"), { code: "MODULE_NOT_FOUND" });
  expect(load(throwing(missing))).toBe("koffi is not installed");
  expect(load(throwing(new Error("wrong ELF class")))).toContain("wrong ELF class");
});

test("a library that is not there is named", async () => {
  const load = await fresh();
  const koffi = {
    load: throwing(new Error("Failed to load shared library: libgssapi_krb5.so.2: no such file")),
  };
  expect(load(() => koffi as never)).toContain("libgssapi_krb5.so.2: no such file");
});

test("other systems are told apart", async () => {
  const load = await fresh();
  vi.stubGlobal("process", { ...process, platform: "darwin", arch: "arm64" });
  expect(load()).toBe("not done on darwin arm64");
});

test("the problem says what to install", () => {
  const options = { keytab: "/none", replayCache: "/none" };
  expect(openAcceptor(options, () => "koffi is not installed")).toEqual({
    code: "GSS_LIBRARY",
    message: expect.stringContaining("koffi is not installed") as string,
    advice: expect.stringContaining("libgssapi-krb5-2") as string,
  });
});
