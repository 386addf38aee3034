/** Programs started by tests: bounded in time, ended by id, their output kept for the message of a failure. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Octets of output kept from each program. */
const KEPT_OUTPUT = 1024 * 1024;

/** Whether a program is installed; name servers live in sbin, which is not on everybody's path. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. @throws where it takes longer than `timeout` milliseconds */
export async function run(
  program: string,
  args: readonly string[],
  options: { input?: string; timeout?: number; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const child = spawn(findProgram(program) ?? program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined); // it may end without reading
  child.stdin.end(options.input ?? "");
  const timeout = options.timeout ?? 30_000;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${program} ${args.join(" ")} took over ${timeout} ms\n${stdout}\n${stderr}`));
    }, timeout);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** Those that run now: a test run that is given up must not leave them behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program that goes on until it is ended. */
export class Daemon {
  readonly child: ChildProcess;
  readonly #name: string;
  #output = "";
  readonly #lines: ((line: string) => void)[] = [];
  readonly #ended: Promise<number | null>;

  constructor(
    name: string,
    program: string,
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ) {
    this.#name = name;
    this.child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        for (const line of lines) for (const listener of this.#lines) listener(line);
      });
    }
    running.add(this.child);
    this.#ended = new Promise((resolve) => {
      const end = (code: number | null): void => {
        running.delete(this.child);
        resolve(code);
      };
      this.child.on("exit", end);
      this.child.on("error", () => end(null));
    });
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Resolves with its exit code when it has ended; null where a signal ended it. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** Resolves with the first line of output, past or to come, that matches. @throws where none comes in time */
  async line(match: (line: string) => boolean, timeout = 30_000): Promise<string> {
    const past = this.#output.split("\n").find(match);
    if (past !== undefined) return past;
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        reject(new Error(`${this.#name}: ${why}; its output:\n${this.#output}`));
      };
      const timer = setTimeout(() => fail(`the line waited for did not come within ${timeout} ms`), timeout);
      void this.#ended.then((code) => fail(`ended with ${code} before the line waited for`));
      this.#lines.push((line) => {
        if (!match(line)) return;
        clearTimeout(timer);
        resolve(line);
      });
    });
  }

  /** Asks it to end; kills it where it does not within ten seconds. Resolves with its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal);
      const timer = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
      await this.#ended;
      clearTimeout(timer);
    }
    return this.#ended;
  }
}

/** Asks again and again until the answer is right; each time a question of its own. @throws where it never is */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  timeout = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeout;
  let last: T | undefined;
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 500)) {
    last = await ask();
    if (isRight(last)) return last;
    if (Date.now() > deadline)
      throw new Error(`${what}: not so within ${timeout} ms; last seen: ${JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
