/** Programs pinned to a core, and the processor time they use (Linux). */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { findProgram, run } from "../../support/process.ts";

/** The core that the server under test has to itself. */
export const SERVER_CORE = 0;

/** The core that the load, the secondary and the benchmark itself share. */
export const CLIENT_CORE = 1;

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
    const text = childrenOfThread(`/proc/${pid}/task/${thread}/children`);
    return text === "" ? [] : text.split(" ").map(Number);
  });
}

/** Empty where the thread has ended since it was listed: its children are another thread's now. */
function childrenOfThread(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return "";
    throw error;
  }
}

/**
 * Octets of memory a process holds, with all that it started: what several of them share is counted once (the sum of
 * their proportional set sizes).
 */
export function residentMemory(pid: number): number {
  const own = pssOf(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"));
  return childrenOf(pid).reduce((sum, child) => sum + residentMemory(child), own);
}

/** Octets in the `Pss:` line of /proc/PID/smaps_rollup. @throws where there is none */
export function pssOf(rollup: string): number {
  const kibibytes = /^Pss: +(\d+) kB$/m.exec(rollup)?.[1];
  if (kibibytes === undefined) throw new Error("smaps_rollup was expected");
  return Number(kibibytes) * 1024;
}

/** Pins this process and whatever it starts from now on. */
export async function pinMyself(core: number): Promise<void> {
  const { code, stderr } = await run("taskset", ["-a", "-c", "-p", String(core), String(process.pid)]);
  if (code !== 0) throw new Error(`cannot pin to core ${core}: ${stderr.trim()}`);
}

/** Those that run now: a benchmark that is given up must not leave them behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function track(child: ChildProcess): void {
  running.add(child);
  const forget = (): void => void running.delete(child);
  child.once("exit", forget).once("error", forget);
}

/**
 * Runs a program to its end, its output going to a file.
 * @param timeout milliseconds
 * @throws where it fails or takes longer
 */
export async function runTo(file: string, command: readonly string[], timeout: number): Promise<void> {
  const [program, ...args] = command;
  const output = openSync(file, "w", 0o600);
  const child = spawn(findProgram(program!) ?? program!, args, {
    stdio: ["ignore", output, output],
    timeout,
    killSignal: "SIGKILL",
  });
  track(child);
  closeSync(output);
  const ended = await new Promise<number | string | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });
  if (ended !== 0) {
    const said = readFileSync(file, "utf8").slice(-LAST_WORDS);
    throw new Error(`${command.join(" ")} ended with ${ended}:\n${said}`);
  }
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
    track(this.#child);
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

  /** Octets, see {@link residentMemory}. */
  get residentMemory(): number {
    return residentMemory(this.#child.pid!);
  }

  /** The end of what it said. */
  get lastWords(): string {
    return readFileSync(this.logFile, "utf8").slice(-LAST_WORDS);
  }

  /** Ends it; by force where it has not ended within twenty seconds. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 20_000);
    await this.#ended;
    clearTimeout(timer);
  }
}
