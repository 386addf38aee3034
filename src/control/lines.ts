/** Lines over a stream, with bounds: how long one may be, how many wait, how long the other end may take. */
import type { Duplex } from "node:stream";
import { ControlError } from "./protocol.ts";

/** Lines held before the stream is paused. */
const MAX_WAITING = 8;

export class LineStream {
  readonly #stream: Duplex;
  readonly #maxLine: number;
  readonly #idle: number;
  readonly #lines: string[] = [];
  #partial: Buffer[] = [];
  #partialLength = 0;
  #ended = false;
  #discarding = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /**
   * @param maxLine octets of the longest line accepted
   * @param idle milliseconds the other end may take for its next line, or for reading what was written; 0 for ever
   */
  constructor(stream: Duplex, maxLine: number, idle: number) {
    this.#stream = stream;
    this.#maxLine = maxLine;
    this.#idle = idle;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("end", () => this.#end());
    stream.on("close", () => this.#end());
    stream.on("error", (error) => this.#end(error));
  }

  /**
   * The next line without its end; undefined when the other end has closed.
   * @throws ControlError for a line that is too long or does not come in time
   */
  async next(): Promise<string | undefined> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) {
        if (this.#lines.length < MAX_WAITING) this.#stream.resume();
        return line;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await this.#waitFor((done) => {
        this.#wake = done;
        return () => (this.#wake = undefined);
      });
    }
  }

  /**
   * Reads and forgets what still comes until the other end closes, so that it can read what was said last: closing on
   * unread octets would take that from it. @throws ControlError where it does not close in time
   */
  async discard(): Promise<void> {
    this.#discarding = true;
    this.#lines.length = 0;
    this.#partial = [];
    this.#stream.resume();
    if (this.#stream.readableEnded || this.#stream.destroyed) return;
    await this.#waitFor((done) => {
      this.#stream.once("end", done);
      this.#stream.once("close", done);
      return () => {
        this.#stream.off("end", done);
        this.#stream.off("close", done);
      };
    });
  }

  /** Writes one value as a line; resolves when the stream wants more. @throws ControlError where that takes too long */
  async write(value: unknown): Promise<void> {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    if (this.#stream.write(`${JSON.stringify(value)}\n`)) return;
    await this.#waitFor((done) => {
      this.#stream.once("drain", done);
      this.#stream.once("close", done);
      return () => {
        this.#stream.off("drain", done);
        this.#stream.off("close", done);
      };
    });
  }

  /** Waits for `done` with the idle timer running. */
  #waitFor(arm: (done: () => void) => () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const disarm = arm(() => {
        clearTimeout(timer);
        disarm();
        resolve();
      });
      if (this.#idle > 0) {
        timer = setTimeout(() => {
          disarm();
          reject(new ControlError("CONTROL_PROTOCOL", "the other end of the control socket took too long"));
        }, this.#idle);
      }
    });
  }

  #take(chunk: Buffer): void {
    if (this.#discarding) return;
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      this.#partial.push(chunk.subarray(from, end));
      this.#lines.push(Buffer.concat(this.#partial).toString("utf8"));
      this.#partial = [];
      this.#partialLength = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      this.#partial.push(chunk.subarray(from));
      this.#partialLength += chunk.length - from;
    }
    if (this.#partialLength > this.#maxLine) {
      this.#discarding = true;
      this.#partial = [];
      this.#end(
        new ControlError(
          "CONTROL_PROTOCOL",
          `a line over ${this.#maxLine} octets came over the control socket`,
        ),
      );
      return;
    }
    if (this.#lines.length >= MAX_WAITING) this.#stream.pause();
    this.#wake?.();
  }

  #end(failure?: Error): void {
    this.#ended = true;
    this.#failure ??= failure;
    this.#wake?.();
  }
}
