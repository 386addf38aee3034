/**
 * `npm run bench`: Rollcall beside the name servers that are installed, on one core each, in throw-away folders on
 * loopback. docs/benchmarks.md says how it measures, and is where it writes what came out.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release } from "node:os";
import { basename, resolve } from "node:path";
import { INSTALL_COMMAND, missingPrograms } from "../support/peers.ts";
import { CLIENT_CORE, pinMyself, SERVER_CORE } from "./load/pinned.ts";
import type { ApartName, BenchOptions } from "./options.ts";
import { APART, parseOptions, USAGE, UsageError } from "./options.ts";
import { resultChart } from "./report/chart.ts";
import { measuresOf } from "./report/measures.ts";
import type { RunReport } from "./report/page.ts";
import { roundsText, runSection, runText, withRun } from "./report/page.ts";
import { runRounds } from "./run.ts";
import { SERVERS } from "./servers/all.ts";
import type { ServerProgram } from "./servers/server.ts";

const PAGE = resolve(import.meta.dirname, "../../docs/benchmarks.md");
const CHART = resolve(import.meta.dirname, "../../docs/benchmarks.svg");

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions | "help";
  try {
    options = parseOptions(
      args,
      SERVERS.map(({ name }) => name),
    );
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}`);
    return 2;
  }
  if (options === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const lacking = missingPrograms(["dnsperf", "taskset", "dig"]);
  if (lacking.length > 0 || cpus().length < 2) {
    say(
      lacking.length > 0
        ? `not installed: ${lacking.join(", ")}; run: ${INSTALL_COMMAND}`
        : "two cores are needed",
    );
    return 1;
  }
  const command = ["npm run bench", ...(args.length > 0 ? ["--", ...args] : [])].join(" ");
  let code = options.measures.size > 0 ? await bench(options, command) : 0;
  for (const name of options.apart) code = Math.max(code, await benchApart(name, options));
  return code;
}

/** Runs a measure that is a program of its own. @returns its exit code */
async function benchApart(name: ApartName, { rounds, json, durations }: BenchOptions): Promise<number> {
  say(`\n${name}: ${APART[name]}`);
  const quick = durations.quiet === 0 ? ["--quick"] : [];
  const args = [resolve(import.meta.dirname, `${name}.ts`), ...quick, "--rounds", String(rounds)];
  // With --json standard output is one document: the others' lines go beside it.
  const child = spawn(process.execPath, args, { stdio: ["ignore", json ? 2 : 1, 2] });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

async function bench(options: BenchOptions, command: string): Promise<number> {
  const wanted = SERVERS.filter(({ name }) => name === "rollcall" || (options.only?.includes(name) ?? true));
  const missing = missingPrograms(wanted.flatMap(({ binaries }) => binaries));
  const servers = wanted.filter(({ binaries }) => !binaries.some((binary) => missing.includes(binary)));
  if (missing.length > 0) say(`not installed: ${missing.join(", ")}. To have them: ${INSTALL_COMMAND}`);
  const machine = await describeMachine(servers);
  await pinMyself(CLIENT_CORE);
  const { turns, failures, seconds } = await runRounds(options, servers, say);
  const report: RunReport = {
    command,
    machine,
    rounds: options.rounds,
    seconds,
    servers: servers.map(({ name }) => name),
    measures: measuresOf(turns),
    missing,
    failures,
  };
  process.stdout.write(options.json ? `${jsonText(report, turns)}\n` : runText(report));
  if (options.write) {
    writeFileSync(CHART, resultChart(report.servers, report.measures, caption(machine, options.rounds)));
    writeFileSync(PAGE, withRun(readFileSync(PAGE, "utf8"), runSection(report, basename(CHART))));
    say(`written: ${PAGE}, ${CHART}`);
  }
  return failures.length === 0 ? 0 : 1;
}

function jsonText(report: RunReport, turns: ReadonlyMap<string, unknown>): string {
  const measures = report.measures.map((each) => ({ ...each, figures: Object.fromEntries(each.figures) }));
  return JSON.stringify({ ...report, measures, turns: Object.fromEntries(turns) }, undefined, 2);
}

function caption(machine: readonly string[], rounds: number): string {
  return `${machine[0]!.replace(/, load at .*/, "")}; ${roundsText(rounds)}`;
}

async function describeMachine(servers: readonly ServerProgram[]): Promise<string[]> {
  const [cpu] = cpus();
  const load = loadavg().map((value) => value.toFixed(2));
  return [
    `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, ${availableParallelism()} × ${cpu?.model ?? "?"}, load at the start ${load.join(" ")}`,
    `servers on core ${SERVER_CORE}, load and secondary on core ${CLIENT_CORE}`,
    ...(await Promise.all(servers.map(async ({ name, version }) => `${name}: ${await version()}`))),
  ];
}

// Given up: what was started and written is taken away when the process ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main(process.argv.slice(2));
