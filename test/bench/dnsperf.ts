/** Runs dnsperf on a core of its own, and reads what it says. */
import { run } from "../support/process.ts";

/** The core the load comes from; the server has core 0 to itself. */
export const CLIENT_CORE = 1;

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

/**
 * Runs dnsperf against a server on 127.0.0.1.
 * @param seconds how long it asks
 */
export async function dnsperf(
  port: number,
  dataFile: string,
  seconds: number,
  args: readonly string[],
): Promise<DnsperfResult> {
  const common = ["-s", "127.0.0.1", "-p", String(port), "-d", dataFile, "-l", String(seconds)];
  const { code, stdout, stderr } = await run(
    "taskset",
    ["-c", String(CLIENT_CORE), "dnsperf", ...common, ...args],
    { timeout: (seconds + 30) * 1000 },
  );
  if (code !== 0) throw new Error(`dnsperf ended with ${code}:\n${stdout}\n${stderr}`);
  return parseDnsperf(stdout);
}
