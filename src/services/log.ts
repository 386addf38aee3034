/** The log: JSON lines on standard output, or, on a terminal that has pino-pretty, lines for people. */
import type { Logger } from "pino";
import pino from "pino";
import type { LogLevel } from "../config/config.ts";

/** Characters gathered before a write: a line for each of thousands of updates a second must not cost a system call each. */
const GATHERED = 16_384;
/** Milliseconds after which gathered lines are written all the same. */
const FLUSH_INTERVAL = 200;

/** Octets that wait at most for a reader who does not read, a pager say; lines beyond them are dropped. */
const MOST_WAITING = 8 * 1024 * 1024;
/** Milliseconds that the last lines wait for such a reader when the server ends. */
const LAST_PATIENCE = 1_000;

/** A log and the way to have all of it written. */
export interface Log {
  readonly logger: Logger;
  /** Writes what is gathered, at once, as the last thing the process does: lines that nobody reads are given up. */
  readonly flush: () => void;
}

export async function createLog(level: LogLevel): Promise<Log> {
  if (process.stdout.isTTY) {
    const pretty = await import("pino-pretty").catch(() => undefined);
    if (pretty !== undefined) {
      const stream = pretty.default({
        sync: true,
        singleLine: true,
        ignore: "pid,hostname",
        translateTime: "SYS:HH:MM:ss.l",
      });
      return { logger: pino({ level }, stream), flush: () => undefined };
    }
  }
  let giveUpAt = Infinity;
  const destination = pino.destination({
    fd: 1,
    sync: false,
    maxLength: MOST_WAITING,
    // Asked when the reader's pipe is full. Writing at once waits for it here, and nothing else goes on meanwhile.
    retryEAGAIN: () => performance.now() < giveUpAt,
  });
  // Standard output that is closed (a pager that was left) must not take the server down.
  destination.on("error", () => undefined);
  // Here and not by the destination, which measures all that it has anew with every line.
  let lines = "";
  const passOn = (): void => {
    const gathered = lines;
    lines = "";
    if (gathered !== "") destination.write(gathered);
  };
  const gather = (line: string): void => {
    lines += line;
    if (lines.length >= GATHERED) passOn();
  };
  const timer = setInterval(passOn, FLUSH_INTERVAL).unref();
  return {
    logger: pino({ level }, { write: gather }),
    flush: () => {
      clearInterval(timer);
      giveUpAt = performance.now() + LAST_PATIENCE;
      try {
        passOn();
        destination.flushSync();
      } catch {
        // Nowhere to write to, nobody to tell: the end of the process must not try again.
        destination.destroy();
      }
    },
  };
}
