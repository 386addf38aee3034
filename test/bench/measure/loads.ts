/** Queries and updates as fast as a server takes them. */
import { join } from "node:path";
import { dnsperf, updateArguments } from "../load/dnsperf.ts";
import { NXDOMAIN_SHARE } from "../load/workload.ts";
import type { ServerProgram } from "../servers/server.ts";
import type { Started } from "./started.ts";
import { serialOf, withServer } from "./started.ts";
import type { Bench, LoadFigures, Turn } from "./turn.ts";
import { keyText } from "./turn.ts";

/** Questions outstanding over UDP and over TCP, and connections over TCP. */
const OUTSTANDING = 100;
const CONNECTIONS = 20;
/** Updates outstanding. */
export const UPDATES_OUTSTANDING = [50, 400] as const;
/** Files of updates that {@link measureLoads} uses: to warm up and to measure, each number outstanding. */
export const UPDATE_FILES = 2 * UPDATES_OUTSTANDING.length;

/** Answers that a measurement needs at least. */
const FEWEST_ANSWERS = 200;
const FEWEST_UPDATES = 20;

const UDP = ["-q", String(OUTSTANDING), "-t", "5"];
const TCP = [...UDP, "-m", "tcp", "-c", String(CONNECTIONS)];

/**
 * Loads a server with queries and updates.
 * @throws where it does not start
 */
export async function measureLoads(bench: Bench, server: ServerProgram, turn: Turn): Promise<void> {
  const { measures, durations, cluster } = bench;
  await withServer(bench, server, { name: "loads", zone: cluster.zone }, async (started) => {
    turn.start = started.start;
    if (measures.has("udp")) {
      await bench.attempt("UDP", async () => {
        turn.udp = await queryLoad(bench, started, cluster.questions, "udp");
      });
    }
    if (measures.has("tcp")) {
      await bench.attempt("TCP", async () => {
        turn.tcp = await queryLoad(bench, started, cluster.questions, "tcp");
      });
    }
    const files = [...cluster.updates];
    if (measures.has("updates") && server.takesUpdates) {
      for (const outstanding of UPDATES_OUTSTANDING) {
        const [warmUp, measured] = files.splice(0, 2);
        await bench.attempt(`updates, ${outstanding} outstanding`, async () => {
          const seconds = durations.updates;
          turn.updates[outstanding] = await updateLoad(
            bench,
            server,
            started,
            { warmUp: warmUp!, measured: measured! },
            { outstanding, seconds },
          );
        });
      }
    }
  });
}

/** Queries, after a warm-up of the same kind. @throws where the answers are wrong */
export async function queryLoad(
  bench: Bench,
  started: Started,
  questions: string,
  transport: "udp" | "tcp",
): Promise<LoadFigures> {
  const args = transport === "udp" ? UDP : TCP;
  const { warmUp, queries } = bench.durations;
  await load(bench, started, questions, warmUp, args);
  return checkedAnswers(await load(bench, started, questions, queries, args));
}

/** Updates, after a warm-up of the same kind. @throws where they are refused, or change nothing */
export async function updateLoad(
  bench: Bench,
  server: ServerProgram,
  started: Started,
  files: { readonly warmUp: string; readonly measured: string },
  { outstanding, seconds }: { readonly outstanding: number; readonly seconds: number },
): Promise<LoadFigures> {
  const args = updateArguments(keyText(bench.key), outstanding, server.updatePatience);
  const before = await serialOf(started.port);
  await load(bench, started, files.warmUp, bench.durations.warmUp, args);
  const figures = await load(bench, started, files.measured, seconds, args);
  if ((await serialOf(started.port)) === before) throw new Error("the updates changed nothing");
  return checkedUpdates(figures);
}

async function load(
  bench: Bench,
  { port, program }: Started,
  dataFile: string,
  seconds: number,
  args: readonly string[],
): Promise<LoadFigures> {
  const output = join(bench.directory, `${bench.turn}-dnsperf`);
  const before = program.processorTime;
  const { result } = await dnsperf({ port, dataFile, seconds, args, output });
  const used = program.processorTime - before;
  return { ...result, processorMicroseconds: (used / result.completed) * 1e6, busy: used / result.time };
}

/** A server that answers wrongly must not count as fast. @throws */
function checkedAnswers(figures: LoadFigures): LoadFigures {
  const { completed, lost, rcodes } = figures;
  const { NOERROR = 0, NXDOMAIN = 0 } = rcodes;
  const isWrong = NOERROR + NXDOMAIN < completed || Math.abs(NXDOMAIN / completed - NXDOMAIN_SHARE) > 0.02;
  if (completed < FEWEST_ANSWERS || isWrong || lost > completed / 1000) throw badAnswers(figures);
  return figures;
}

/**
 * Updates beyond a server's quota or its socket's buffer go unanswered, and are counted as such.
 * @throws where updates were refused
 */
function checkedUpdates(figures: LoadFigures): LoadFigures {
  const { completed, rcodes } = figures;
  if (completed < FEWEST_UPDATES || rcodes["NOERROR"] !== completed) throw badAnswers(figures);
  return figures;
}

function badAnswers({ sent, completed, lost, rcodes }: LoadFigures): Error {
  return new Error(`of ${sent} sent ${completed} were answered and ${lost} lost: ${JSON.stringify(rcodes)}`);
}
