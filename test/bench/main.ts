/**
 * `npm run bench`: Rollcall beside the name servers that are installed, on one core each, in throw-away folders on
 * loopback. docs/benchmarks.md says how it measures and what came out.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "../../src/auth/keyfile.ts";
import { algorithmFromText } from "../../src/auth/tsig/key.ts";
import { Name } from "../../src/wire/name.ts";
import { Random } from "../support/mutate.ts";
import { INSTALL_COMMAND, missingPrograms } from "../support/peers.ts";
import { CLIENT_CORE } from "./dnsperf.ts";
import { measuresOf } from "./measures.ts";
import { parseOptions, USAGE, UsageError } from "./options.ts";
import type { BenchOptions } from "./options.ts";
import { pinMyself, SERVER_CORE } from "./pinned.ts";
import { measureDelay, measureLoads, writeWorkload } from "./round.ts";
import type { Bench, Turn } from "./round.ts";
import { SERVERS } from "./servers.ts";
import type { ServerProgram } from "./servers.ts";
import { resultTable } from "./table.ts";

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
  const lacking = missingPrograms(["dnsperf", "taskset"]);
  if (lacking.length > 0 || cpus().length < 2) {
    say(
      lacking.length > 0
        ? `not installed: ${lacking.join(", ")}; run: ${INSTALL_COMMAND}`
        : "two cores are needed",
    );
    return 1;
  }
  return bench(options);
}

async function bench(options: BenchOptions): Promise<number> {
  const wanted = SERVERS.filter(({ name }) => name === "rollcall" || (options.only?.includes(name) ?? true));
  const missing = missingPrograms(wanted.flatMap(({ binary }) => binary ?? []));
  const servers = wanted.filter(({ binary }) => binary === undefined || !missing.includes(binary));
  const machine = await describeMachine(servers);
  await pinMyself(CLIENT_CORE);
  const directory = mkdtempSync(join(tmpdir(), "rollcall-bench-"));
  const turns = new Map<string, Turn[]>(servers.map(({ name }) => [name, []]));
  const failures: string[] = [];
  const started = Date.now();
  try {
    writeWorkload(directory);
    const key = generateKey(Name.parse("bench.smb.example."), algorithmFromText("hmac-sha256")!);
    const hasSecondary = missingPrograms(["knotd"]).length === 0;
    const common = {
      directory,
      durations: options.durations,
      key,
      random: new Random(3),
      keep: options.keep,
    };
    for (let round = 0; round < options.rounds; round++) {
      // Another one first in every round.
      const order = servers.map((_, at) => servers[(at + round) % servers.length]!);
      for (const server of order) {
        const turn: Turn = { updates: {} };
        turns.get(server.name)!.push(turn);
        const attempt = async (what: string, measurement: () => Promise<void>): Promise<void> => {
          const where = `round ${round + 1} of ${options.rounds}, ${server.name}: ${what}`;
          say(where);
          await measurement().catch((error: unknown) => {
            failures.push(`${where}: ${(error as Error).message}`);
            say(failures.at(-1)!);
          });
        };
        const bench: Bench = { ...common, turn: `${server.name}-${round}`, attempt };
        await attempt("start", () => measureLoads(bench, server, turn));
        if (server.takesUpdates && hasSecondary) {
          await attempt("delay to a secondary", () => measureDelay(bench, server, turn));
        }
      }
    }
  } finally {
    if (options.keep) say(`left in ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  }
  const seconds = Math.round((Date.now() - started) / 1000);
  const names = servers.map(({ name }) => name);
  const measures = measuresOf(turns);
  if (options.json) {
    const plain = measures.map((each) => ({ ...each, figures: Object.fromEntries(each.figures) }));
    const result = {
      machine,
      options,
      seconds,
      missing,
      failures,
      measures: plain,
      turns: Object.fromEntries(turns),
    };
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  } else {
    process.stdout.write(
      `${machine.join("\n")}\n${options.rounds} rounds in ${seconds} s\n\n${resultTable(names, measures)}`,
    );
    if (missing.length > 0)
      process.stdout.write(`\nNot installed: ${missing.join(", ")}. To have them: ${INSTALL_COMMAND}\n`);
    if (failures.length > 0) process.stdout.write(`\nFailed:\n${failures.join("\n")}\n`);
  }
  return failures.length === 0 ? 0 : 1;
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

process.exitCode = await main(process.argv.slice(2));
