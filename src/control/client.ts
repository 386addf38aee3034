/** The control socket's client: what every command that needs a running server talks through. */
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { LineStream } from "./lines.ts";
import { MAX_SOCKET_PATH } from "../config/paths.ts";
import { CONTROL_PROTOCOL, ControlError, MAX_REPLY_LINE, errorFromJson, parseLine } from "./protocol.ts";
import type { VerbArgs, VerbName, VerbResult } from "./verbs.ts";

/** Milliseconds the server may take to greet. */
const GREETING_TIMEOUT = 5000;

/** What a request may bring along and listen to. */
export interface RequestOptions {
  /** Text to upload, in pieces. */
  readonly upload?: Iterable<string> | AsyncIterable<string>;
  readonly onProgress?: (value: unknown) => void;
  /** Receives the parts of a long result in order; the next is read when its promise resolves. */
  readonly onData?: (value: unknown) => void | Promise<void>;
}

/**
 * Sends one request to the server that listens on `path` and returns its result.
 * @throws ControlError: the server's own refusal, or `CONTROL_UNREACHABLE` where no server answers
 */
export async function control<V extends VerbName>(
  path: string,
  verb: V,
  args: VerbArgs<V>,
  options: RequestOptions = {},
): Promise<VerbResult<V>> {
  const socket = await connect(path);
  try {
    // The server may take its time over a request, so there is no idle limit beyond the greeting.
    const lines = new LineStream(socket, MAX_REPLY_LINE, 0);
    await greeting(lines, path);
    await lines.write({ verb, args });
    const reply = readReply(lines, path, options);
    if (options.upload !== undefined) await upload(lines, options.upload, reply);
    return (await reply) as VerbResult<V>;
  } finally {
    socket.destroy();
  }
}

async function greeting(lines: LineStream, path: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), GREETING_TIMEOUT);
  });
  const line = await Promise.race([lines.next(), late]);
  clearTimeout(timer);
  if (line === undefined) throw unreachable(path, "it does not answer");
  const { control: protocol, version } = parseLine(line);
  if (protocol !== CONTROL_PROTOCOL) {
    const theirs = typeof version === "string" ? version : "of an unknown version";
    throw new ControlError(
      "CONTROL_PROTOCOL",
      `the server (Rollcall ${theirs}) speaks control protocol ${String(protocol)}, this program ${CONTROL_PROTOCOL}`,
      { advice: "Use the rollcall program of the server's version." },
    );
  }
}

async function readReply(lines: LineStream, path: string, options: RequestOptions): Promise<unknown> {
  for (;;) {
    const line = await lines.next();
    if (line === undefined) throw unreachable(path, "it closed the connection before it answered");
    const message = parseLine(line);
    if ("progress" in message) options.onProgress?.(message["progress"]);
    else if ("data" in message) await options.onData?.(message["data"]);
    else if (message["ok"] === true) return message["result"];
    else throw errorFromJson(message["error"]);
  }
}

/** Uploads until done, or until the server has answered already. */
async function upload(
  lines: LineStream,
  pieces: Iterable<string> | AsyncIterable<string>,
  reply: Promise<unknown>,
): Promise<void> {
  let answered = false;
  const settled = reply.then(
    () => (answered = true),
    () => (answered = true),
  );
  for await (const piece of pieces) {
    await Promise.race([lines.write({ upload: piece }), settled]);
    if (answered) return;
  }
  await Promise.race([lines.write({ end: true }), settled]);
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
      reject(unreachable(path, "its path is too long for a socket"));
      return;
    }
    const socket = createConnection(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error: NodeJS.ErrnoException) => reject(unreachable(path, reason(error))));
  });
}

function reason(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "there is no such socket";
  if (error.code === "ECONNREFUSED") return "nobody listens there";
  if (error.code === "EACCES") return "you may not open it";
  return error.message;
}

function unreachable(path: string, why: string): ControlError {
  return new ControlError("CONTROL_UNREACHABLE", `no server reached over ${path}: ${why}`, {
    advice:
      why === "you may not open it"
        ? "Run this as the user that the server runs as."
        : "Is the server running, and with this configuration? Start it with: rollcall serve",
  });
}
