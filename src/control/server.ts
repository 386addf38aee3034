/**
 * The control socket's server: a Unix socket only its owner can open, one request a connection.
 * Bounded: connections, line length, idle time, octets of an upload. What the verbs do is the handler's business.
 */
import { chmod, unlink } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { LineStream } from "./lines.ts";
import { MAX_SOCKET_PATH } from "../config/paths.ts";
import { CONTROL_PROTOCOL, ControlError, MAX_REQUEST_LINE, parseLine } from "./protocol.ts";

/** One request, as a handler sees it. */
export interface ControlRequest {
  readonly verb: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** What the client uploads, piece by piece; ends where the client says so. One pass. */
  upload(): AsyncIterable<string>;
  /** Tells the client how far things are. */
  progress(value: unknown): Promise<void>;
  /** Sends a part of a long result; resolves when the client has room for more. @throws ControlError where it has gone */
  data(value: unknown): Promise<void>;
}

/** Does what a request asks and returns its result, which must be plain JSON. @throws ControlError to refuse */
export type ControlHandler = (request: ControlRequest) => Promise<unknown>;

export interface ControlServerOptions {
  /** Path of the socket. */
  readonly path: string;
  /** Told to clients. */
  readonly version: string;
  readonly handler: ControlHandler;
  /** Called with what a handler threw that was not a ControlError: a bug. */
  readonly onFault: (error: unknown, verb: string) => void;
  /** Connections at once; default 16. */
  readonly maxConnections?: number;
  /** Milliseconds a client may take to send or read a line; default 30 s. */
  readonly idle?: number;
  /** Octets of one upload; default 1 GiB. */
  readonly maxUpload?: number;
}

export class ControlServer {
  readonly #options: Required<ControlServerOptions>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #busy = new Set<Promise<void>>();

  private constructor(options: ControlServerOptions) {
    this.#options = { maxConnections: 16, idle: 30_000, maxUpload: 1024 ** 3, ...options };
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /**
   * Listens on the socket, mode 0600. A socket file that a killed process left is replaced.
   * @throws ControlError `CONTROL_IN_USE` where a live process answers there, `CONTROL_ARGUMENT` where the path is too long
   */
  static async listen(options: ControlServerOptions): Promise<ControlServer> {
    const { path } = options;
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
      throw new ControlError("CONTROL_ARGUMENT", `the path of the control socket is too long: ${path}`, {
        advice: `Choose a data directory whose path is shorter: a socket's path has ${MAX_SOCKET_PATH} octets at most.`,
      });
    }
    const control = new ControlServer(options);
    try {
      await control.#bind();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      if (await answers(path)) {
        throw new ControlError("CONTROL_IN_USE", `another server already listens on ${path}`, {
          advice: "Stop it first (rollcall stop), or give this one its own data directory.",
        });
      }
      await unlink(path);
      await control.#bind();
    }
    return control;
  }

  /** Stops listening, lets requests under way finish for `grace` milliseconds, then closes their connections. */
  async close(grace = 1000): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.allSettled(this.#busy),
      new Promise((resolve) => {
        timer = setTimeout(resolve, grace);
      }),
    ]);
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #bind(): Promise<void> {
    const { path } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", (error) => this.#options.onFault(error, ""));
    if (process.platform !== "win32") await chmod(path, 0o600);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    const lines = new LineStream(socket, MAX_REQUEST_LINE, this.#options.idle);
    const work = this.#serve(socket, lines).catch(() => void socket.destroy());
    this.#busy.add(work);
    void work.finally(() => this.#busy.delete(work));
  }

  async #serve(socket: Socket, lines: LineStream): Promise<void> {
    let verb = "";
    let reply: Record<string, unknown>;
    await lines.write({ control: CONTROL_PROTOCOL, version: this.#options.version });
    try {
      if (this.#sockets.size > this.#options.maxConnections) {
        throw new ControlError("CONTROL_BUSY", "too many control connections at once", {
          advice: "Try again.",
        });
      }
      const line = await lines.next();
      if (line === undefined) {
        socket.end();
        return;
      }
      const request = parseLine(line);
      if (typeof request["verb"] !== "string") {
        throw new ControlError("CONTROL_PROTOCOL", "a request without a verb came over the control socket");
      }
      verb = request["verb"];
      const result = await this.#options.handler(this.#request(verb, request["args"], socket, lines));
      reply = { ok: true, result: result ?? {} };
    } catch (error) {
      reply = { ok: false, error: this.#refusal(error, verb) };
    }
    await lines.write(reply);
    socket.end();
    // A client may still be uploading what was refused.
    await lines.discard();
    socket.destroy();
  }

  #request(verb: string, args: unknown, socket: Socket, lines: LineStream): ControlRequest {
    const { maxUpload } = this.#options;
    return {
      verb,
      args: typeof args === "object" && args !== null ? (args as Record<string, unknown>) : {},
      upload: () => upload(lines, maxUpload),
      progress: (value) => lines.write({ progress: value }),
      data: (value) => {
        if (socket.destroyed) throw new ControlError("CONTROL_UNREACHABLE", "the client has gone");
        return lines.write({ data: value });
      },
    };
  }

  #refusal(error: unknown, verb: string): ControlError {
    if (error instanceof ControlError) return error;
    if (hasAdvice(error)) return new ControlError(error.code, error.message, { advice: error.advice });
    this.#options.onFault(error, verb);
    const reason = error instanceof Error ? error.message : String(error);
    return new ControlError("CONTROL_INTERNAL", `the server failed: ${reason}`, {
      advice: "The server's log has more. Please report this.",
    });
  }
}

async function* upload(lines: LineStream, maxUpload: number): AsyncGenerator<string> {
  let total = 0;
  for (;;) {
    const line = await lines.next();
    if (line === undefined) throw new ControlError("CONTROL_PROTOCOL", "the upload ended before its end");
    const piece = parseLine(line);
    if (piece["end"] === true) return;
    const text = piece["upload"];
    if (typeof text !== "string") {
      throw new ControlError(
        "CONTROL_PROTOCOL",
        "something else came where a piece of an upload was expected",
      );
    }
    total += Buffer.byteLength(text);
    if (total > maxUpload) {
      throw new ControlError("CONTROL_TOO_LARGE", `the upload is over ${maxUpload} octets`);
    }
    yield text;
  }
}

/** Whether a process listens on the socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      // Only "nobody listens" makes the file stale; a lack of permission, say, does not.
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}

/** Whether an error has a stable code and advice: a fault of the disk, say, that is the operator's to mend. */
function hasAdvice(error: unknown): error is Error & { readonly code: string; readonly advice: string } {
  if (!(error instanceof Error)) return false;
  const { code, advice } = error as { code?: unknown; advice?: unknown };
  return typeof code === "string" && typeof advice === "string";
}
