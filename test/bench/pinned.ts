/** Programs pinned to a core, and the processor time they use (Linux). */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { findProgram, run } from "../support/process.ts";

/** The core that the server under test has to itself. */
export const SERVER_CORE = 0;

/** Characters of a log's end that a failure shows. */
const LAST_WORDS = 600;

/** Clock ticks a second in /proc, on every Linux that Node runs on. */
const TICKS = 100;

/** Seconds of processor time, user and system, that a process has used with all that it started and that still runs. */
export function processorTime(pid: number): number {
  const ticks = ticksOf(readFileSync(`/proc/${pid}/stat`, "latin1"));
  return childrenOf(pid).reduce((sum, child) => sum + processorTime(child), ticks / TICKS);
}

/** The ticks in a line of /proc/PID/stat: fields 14 and 15, counted behind the program's name, which may hold anything. */
export function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  });
}

/** Pins this process and whatever it starts from now on. */
export async function pinMyself(core: number): Promise<void> {
  const { code, stderr } = await run("taskset", ["-a", "-c", "-p", String(core), String(process.pid)]);
  if (code !== 0) throw new Error(`cannot pin to core ${core}: ${stderr.trim()}`);
}

/** A program on a core of its own; what it says goes to a file, as it would go to a log. */
export class PinnedProgram {
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #hasEnded = false;

  constructor(core: number, [program, ...args]: readonly string[], directory: string, logFile: string) {
    this.logFile = logFile;
    const log = openSync(logFile, "w", 0o600);
    const path = findProgram(program!) ?? program!;
    this.#child = spawn("taskset", ["-c", String(core), path, ...args], {
      cwd: directory,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        resolve();
      };
      this.#child.once("exit", end).once("error", end);
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Seconds, see {@link processorTime}. */
  get processorTime(): number {
    return processorTime(this.#child.pid!);
  }

  /** The end of what it said. */
  get lastWords(): string {
    return readFileSync(this.logFile, "utf8").slice(-LAST_WORDS);
  }

  /** Ends it; by force where it has not ended within ten seconds. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await this.#ended;
    clearTimeout(timer);
  }
}
