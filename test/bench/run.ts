/** The rounds: every server's turn in each, another one first every time. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "../../src/auth/keyfile.ts";
import { algorithmFromText } from "../../src/auth/tsig/key.ts";
import { Name } from "../../src/wire/name.ts";
import { Random } from "../support/mutate.ts";
import { missingPrograms } from "../support/peers.ts";
import { CLUSTER, HOSTS, MILLION, plainHosts, writeWorkload } from "./load/workload.ts";
import { measureDelay } from "./measure/delay.ts";
import { measureLatency, measuringPriority } from "./measure/latency.ts";
import { measureLoads, UPDATE_FILES } from "./measure/loads.ts";
import { measureMillion, MILLION_UPDATE_FILES, prepareMillion } from "./measure/million.ts";
import type { Bench, Turn } from "./measure/turn.ts";
import type { BenchOptions, MeasureName } from "./options.ts";
import type { ServerProgram } from "./servers/server.ts";

export interface Rounds {
  /** By server, one a round. */
  readonly turns: ReadonlyMap<string, readonly Turn[]>;
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** Measured by one start of the server. */
const LOADS: readonly MeasureName[] = ["udp", "tcp", "updates"];

/** @param say takes lines that tell how far it has got */
export async function runRounds(
  options: BenchOptions,
  servers: readonly ServerProgram[],
  say: (line: string) => void,
): Promise<Rounds> {
  const directory = mkdtempSync(join(tmpdir(), "rollcall-bench-"));
  const memoryDirectory = mkdtempSync(
    join(existsSync("/dev/shm") ? "/dev/shm" : directory, "rollcall-bench-"),
  );
  const remove = (): void => {
    if (options.keep) return;
    for (const folder of [memoryDirectory, directory])
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  // Also where it is given up before its end.
  process.once("exit", remove);
  const turns = new Map<string, Turn[]>(servers.map(({ name }) => [name, []]));
  const failures: string[] = [];
  const started = performance.now();
  const { rounds, measures, durations, keep } = options;
  const attemptAt =
    (where: string): Bench["attempt"] =>
    async (what, measurement) => {
      const seconds = Math.round((performance.now() - started) / 1000);
      say(`${String(seconds).padStart(5)} s  ${where}${what}`);
      await measurement().catch((error: unknown) => {
        failures.push(`${where}${what}: ${(error as Error).message}`);
        say(failures.at(-1)!);
      });
    };
  try {
    const hasMillion = measures.has("million");
    const plain = (hosts: number, name: string) =>
      hasMillion ? writeWorkload(plainHosts(hosts), directory, name, MILLION_UPDATE_FILES) : undefined;
    const common: Omit<Bench, "turn" | "attempt"> = {
      directory,
      memoryDirectory,
      measures,
      durations,
      key: generateKey(Name.parse("bench.smb.example."), algorithmFromText("hmac-sha256")!),
      random: new Random(3),
      cluster: writeWorkload(CLUSTER, directory, "cluster", UPDATE_FILES),
      million: plain(MILLION, "million"),
      fewer: plain(HOSTS, "fewer"),
      priority: await measuringPriority(),
      keep,
    };
    const stores = hasMillion
      ? await prepareMillion({ ...common, turn: "store", attempt: attemptAt("beforehand: ") }, servers)
      : new Map<string, string>();
    const hasSecondary = missingPrograms(["knotd"]).length === 0;
    for (let round = 0; round < rounds; round++) {
      const order = servers.map((_, at) => servers[(at + round) % servers.length]!);
      for (const server of order) {
        const turn: Turn = { updates: {}, million: {} };
        turns.get(server.name)!.push(turn);
        const attempt = attemptAt(`round ${round + 1} of ${rounds}, ${server.name}: `);
        const bench: Bench = { ...common, turn: `${server.name}-${round}`, attempt };
        if (LOADS.some((name) => measures.has(name)))
          await attempt("start", () => measureLoads(bench, server, turn));
        if (measures.has("latency")) await attempt("latency", () => measureLatency(bench, server, turn));
        if (measures.has("delay") && server.takesUpdates && hasSecondary)
          await attempt("delay to a secondary", () => measureDelay(bench, server, turn));
        if (hasMillion) {
          const store = stores.get(server.name);
          await attempt("a million names", () => measureMillion(bench, server, store, turn.million));
        }
      }
    }
  } finally {
    if (keep) say(`left in ${directory} and ${memoryDirectory}`);
    process.off("exit", remove);
    remove();
  }
  return { turns, failures, seconds: Math.round((performance.now() - started) / 1000) };
}
