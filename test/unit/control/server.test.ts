/** The control socket: its protocol, its bounds, and what happens to those who do not keep to them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { control } from "../../../src/control/client.ts";
import { ControlError } from "../../../src/control/protocol.ts";
import { ControlServer } from "../../../src/control/server.ts";
import type { ControlHandler, ControlServerOptions } from "../../../src/control/server.ts";

let folder: string;
let path: string;
let server: ControlServer | undefined;
let faults: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollcall-control-"));
  path = join(folder, "control.sock");
  faults = [];
});

afterEach(async () => {
  await server?.close(0);
  server = undefined;
  rmSync(folder, { recursive: true });
});

function keepFault(error: unknown): void {
  faults.push(error);
}

async function listen(handler: ControlHandler, options: Partial<ControlServerOptions> = {}): Promise<void> {
  server = await ControlServer.listen({ path, version: "1.2.3", handler, onFault: keepFault, ...options });
}

/** Everything that comes over a connection, until it is closed by the other end. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

function refusal(promise: Promise<unknown>): Promise<ControlError> {
  return promise.then(
    () => expect.unreachable("a refusal was expected"),
    (error: unknown) => error as ControlError,
  );
}

describe("a request", () => {
  test("gets the result of its verb", async () => {
    await listen(({ verb, args }) => Promise.resolve({ verb, args }));
    expect(await control(path, "zone.export", { zone: "smb.example." })).toEqual({
      verb: "zone.export",
      args: { zone: "smb.example." },
    });
  });

  test("is greeted with the protocol's number, answered on one line, and the connection closed", async () => {
    await listen(() => Promise.resolve({ pid: 1 }));
    const socket = createConnection({ path, allowHalfOpen: true });
    socket.end(`{"verb":"stop"}\n`);
    expect(await readAll(socket)).toBe(`{"control":1,"version":"1.2.3"}\n{"ok":true,"result":{"pid":1}}\n`);
  });

  test("is refused with code, message, advice and problems", async () => {
    const problem = { severity: "error", code: "X", file: "f", line: 3, message: "m" } as const;
    await listen(() =>
      Promise.reject(new ControlError("ZONE_UNKNOWN", "none", { advice: "look", problems: [problem] })),
    );
    const error = await refusal(control(path, "reload", {}));
    expect(error).toBeInstanceOf(ControlError);
    expect(error).toMatchObject({
      code: "ZONE_UNKNOWN",
      message: "none",
      advice: "look",
      problems: [problem],
    });
    expect(faults).toEqual([]);
  });

  test("that finds a bug is told so, and the bug is reported", async () => {
    const bug = new TypeError("oops");
    await listen(() => Promise.reject(bug));
    expect(await refusal(control(path, "reload", {}))).toMatchObject({ code: "CONTROL_INTERNAL" });
    expect(faults).toEqual([bug]);
  });

  test("hears of progress and gets a long result in parts, in order", async () => {
    const parts = Array.from({ length: 300 }, (_, index) => `${index} ${"x".repeat(5000)}`);
    await listen(async (request) => {
      await request.progress({ step: "begun" });
      for (const part of parts) await request.data(part);
      return { shown: parts.length };
    });
    const progress: unknown[] = [];
    const data: unknown[] = [];
    const result = await control(
      path,
      "zone.show",
      { zone: "a." },
      {
        onProgress: (value) => progress.push(value),
        onData: async (value) => {
          await new Promise((resolve) => setImmediate(resolve));
          data.push(value);
        },
      },
    );
    expect(result).toEqual({ shown: 300 });
    expect(progress).toEqual([{ step: "begun" }]);
    expect(data).toEqual(parts);
  });
});

const collect: ControlHandler = async (request) => {
  let size = 0;
  for await (const piece of request.upload()) size += piece.length;
  return { size };
};

describe("an upload", () => {
  const args = { zone: "a.", file: "f", dryRun: true, actor: "me" };

  test("arrives whole", async () => {
    await listen(collect);
    const upload = Array.from({ length: 200 }, () => "é\n".repeat(10_000));
    expect(await control(path, "zone.import", args, { upload })).toEqual({ size: 200 * 20_000 });
  });

  test("beyond the limit is refused", async () => {
    await listen(collect, { maxUpload: 1000 });
    const error = await refusal(
      control(path, "zone.import", args, { upload: ["x".repeat(600), "x".repeat(600)] }),
    );
    expect(error.code).toBe("CONTROL_TOO_LARGE");
  });

  test("is given up by the client when the server has refused", async () => {
    await listen(() => Promise.reject(new ControlError("ZONE_LIMIT", "no")));
    let pieces = 0;
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        pieces++;
        yield "x".repeat(60_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const error = await refusal(control(path, "zone.import", args, { upload: endless() }));
    expect(error.code).toBe("ZONE_LIMIT");
    expect(pieces).toBeGreaterThan(0);
  });
});

describe("a bad client", () => {
  test.each([
    ["no JSON", "hello\n"],
    ["no object", "[1]\n"],
    ["no verb", "{}\n"],
  ])("sends %s and is told", async (_name, line) => {
    await listen(() => Promise.resolve({}));
    const socket = createConnection(path);
    socket.write(line);
    expect(await readAll(socket)).toContain(`"code":"CONTROL_PROTOCOL"`);
    expect(faults).toEqual([]);
  });

  test("sends a line without end and is cut off", async () => {
    await listen(() => Promise.resolve({}));
    const socket = createConnection(path);
    socket.write("x".repeat(3 * 1024 * 1024));
    expect(await readAll(socket)).toContain("over 1048576 octets");
  });

  test("sends nothing and is told to go", async () => {
    await listen(() => Promise.resolve({}), { idle: 20 });
    const socket = createConnection(path);
    expect(await readAll(socket)).toContain("took too long");
  });

  test("is one too many and is told", async () => {
    const held = Promise.withResolvers<unknown>();
    await listen(() => held.promise, { maxConnections: 1 });
    const first = control(path, "reload", {});
    const second = createConnection(path);
    await once(second, "data");
    expect((await refusal(control(path, "reload", {}))).code).toBe("CONTROL_BUSY");
    second.destroy();
    held.resolve({});
    expect(await first).toEqual({});
  });

  test("goes away in the middle of a long result, and the handler stops", async () => {
    const stopped = Promise.withResolvers<unknown>();
    await listen(async (request) => {
      try {
        for (;;) await request.data("x".repeat(10_000));
      } catch (error) {
        stopped.resolve(error);
        throw error;
      }
    });
    const socket = createConnection(path);
    socket.write(`{"verb":"zone.export"}\n`);
    await once(socket, "data");
    socket.destroy();
    expect(await stopped.promise).toMatchObject({ code: "CONTROL_UNREACHABLE" });
    expect(faults).toEqual([]);
  });

  test("does not read a long result and is cut off", async () => {
    const stopped = Promise.withResolvers<unknown>();
    const handler: ControlHandler = async (request) => {
      try {
        for (;;) await request.data("x".repeat(10_000));
      } catch (error) {
        stopped.resolve(error);
        throw error;
      }
    };
    await listen(handler, { idle: 50 });
    const socket = createConnection(path);
    socket.write(`{"verb":"zone.export"}\n`);
    expect(await stopped.promise).toMatchObject({ code: "CONTROL_PROTOCOL" });
    socket.destroy();
  });
});

describe("the socket file", () => {
  test.skipIf(process.platform === "win32")("is its owner's alone", async () => {
    await listen(() => Promise.resolve({}));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("of a killed process is replaced", async () => {
    const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(path)).toBe(true);
    await listen(() => Promise.resolve({ new: true }));
    expect(await control(path, "reload", {})).toEqual({ new: true });
  });

  test("of a live process is left alone", async () => {
    await listen(() => Promise.resolve({ first: true }));
    const second = ControlServer.listen({
      path,
      version: "",
      handler: () => Promise.resolve({}),
      onFault: () => undefined,
    });
    expect(await refusal(second)).toMatchObject({ code: "CONTROL_IN_USE" });
    expect(await control(path, "reload", {})).toEqual({ first: true });
  });

  test("with too long a path is refused", async () => {
    const long = join(folder, "d".repeat(120), "control.sock");
    const listening = ControlServer.listen({
      path: long,
      version: "",
      handler: () => Promise.resolve({}),
      onFault: () => undefined,
    });
    expect(await refusal(listening)).toMatchObject({ code: "CONTROL_ARGUMENT" });
    expect((await refusal(control(long, "reload", {}))).code).toBe("CONTROL_UNREACHABLE");
  });
});

describe("without a server", () => {
  test("the socket's absence is told", async () => {
    expect(await refusal(control(path, "reload", {}))).toMatchObject({ code: "CONTROL_UNREACHABLE" });
  });

  test("another protocol is told", async () => {
    const other = createServer((socket) => socket.end(`{"control":2,"version":"9.0.0"}\n`)).listen(path);
    await once(other, "listening");
    const error = await refusal(control(path, "reload", {}));
    expect(error.code).toBe("CONTROL_PROTOCOL");
    expect(error.message).toContain("9.0.0");
    other.close();
  });

  test("one that closes before it answers is told", async () => {
    const other = createServer((socket) => {
      socket.write(`{"control":1,"version":"0"}\n`);
      socket.once("data", () => socket.destroy());
    }).listen(path);
    await once(other, "listening");
    expect((await refusal(control(path, "reload", {}))).code).toBe("CONTROL_UNREACHABLE");
    other.close();
  });
});
