/** Runs dnsperf on a core of its own, and reads what it says. */
import { readFileSync, rmSync } from "node:fs";
import type { KeyText } from "../../support/secondary.ts";
import { CLIENT_CORE, runTo } from "./pinned.ts";

/** What one run of dnsperf found. */
export interface DnsperfResult {
  readonly sent: number;
  readonly completed: number;
  readonly lost: number;
  /** Answers by RCODE. */
  readonly rcodes: Readonly<Record<string, number>>;
  /** Octets of an answer, on average. */
  readonly answerSize: number;
  /** Seconds from the first question to the last answer; the opening of connections not counted. */
  readonly time: number;
  readonly perSecond: number;
  /** Milliseconds from question to answer, on average. */
  readonly latency: number;
}

/** @throws Error where the text is not dnsperf's report */
export function parseDnsperf(text: string): DnsperfResult {
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`dnsperf's report was expected:\n${text}`);
    return Number(found);
  };
  // Over TCP it asks once all connections are open, and a server may take a second for that (a full listen queue).
  const connecting = Number(
    /Connection Statistics:[^]*?Average Latency.*max ([\d.]+)\)/.exec(text)?.[1] ?? 0,
  );
  const time = number(/Run time \(s\): *([\d.]+)/) - connecting;
  const completed = number(/(?:Queries|Updates) completed: *(\d+)/);
  const rcodes: Record<string, number> = {};
  for (const [, name, count] of (/Response codes: *(.*)/.exec(text)?.[1] ?? "").matchAll(
    /([A-Z0-9]+) (\d+)/g,
  )) {
    rcodes[name!] = Number(count);
  }
  return {
    sent: number(/(?:Queries|Updates) sent: *(\d+)/),
    completed,
    lost: number(/(?:Queries|Updates) lost: *(\d+)/),
    rcodes,
    answerSize: number(/Average packet size: *request \d+, response (\d+)/),
    time,
    perSecond: completed / time,
    latency: number(/Average Latency \(s\): *([\d.]+)/) * 1000,
  };
}

/** What became of each question: what `dnsperf -v` says line by line. */
export interface Answered {
  /** Milliseconds from question to answer, of each one answered. */
  readonly latencies: readonly number[];
  readonly unanswered: number;
}

/** Reads the lines `> RCODE NAME TYPE SECONDS`, and `> T NAME TYPE` of what was not answered in time. */
export function parseAnswers(text: string): Answered {
  const latencies: number[] = [];
  let unanswered = 0;
  for (const line of text.split("\n")) {
    const words = line.split(" ");
    if (words[0] !== ">") continue;
    if (words[1] === "T") unanswered++;
    // `I`: the end came before the answer.
    else if (words[1] !== "I") latencies.push(Number(words.at(-1)) * 1000);
  }
  if (latencies.some((value) => !Number.isFinite(value))) throw new Error("dnsperf -v was expected");
  return { latencies, unanswered };
}

/** How dnsperf is told to send signed updates. @param patience seconds until one counts as unanswered */
export function updateArguments(key: KeyText, outstanding: number, patience: number): string[] {
  const { name, algorithm, secret } = key;
  const signature = `${algorithm}:${name}:${secret}`;
  return ["-u", "-y", signature, "-q", String(outstanding), "-t", String(patience)];
}

/** One run of dnsperf against a server on 127.0.0.1. */
export interface DnsperfRun {
  readonly port: number;
  readonly dataFile: string;
  /** How long it asks. */
  readonly seconds: number;
  readonly args: readonly string[];
  /** Where its output goes: to a file, so that nobody wakes up to read it while it measures. */
  readonly output: string;
  /** What it is run by, besides `taskset`. */
  readonly wrapper?: readonly string[];
}

/** @returns what it found, and all it said */
export async function dnsperf(what: DnsperfRun): Promise<{ result: DnsperfResult; text: string }> {
  const { port, dataFile, seconds, args, output, wrapper = [] } = what;
  const common = ["-s", "127.0.0.1", "-p", String(port), "-d", dataFile, "-l", String(seconds)];
  const command = ["taskset", "-c", String(CLIENT_CORE), ...wrapper, "dnsperf", ...common, ...args];
  try {
    await runTo(output, command, (seconds + 30) * 1000);
    const text = readFileSync(output, "utf8");
    return { result: parseDnsperf(text), text };
  } finally {
    rmSync(output, { force: true });
  }
}
