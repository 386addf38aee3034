/**
 * How long an answer takes at a modest, steady rate of questions, and how long while signed updates come in. Questions
 * go out by the clock and not by the answers before them, so that a server that stops for a while is seen to stop.
 */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Answered } from "../load/dnsperf.ts";
import { dnsperf, parseAnswers, updateArguments } from "../load/dnsperf.ts";
import { missingPrograms } from "../../support/peers.ts";
import { run } from "../../support/process.ts";
import { percentile } from "../report/statistics.ts";
import type { ServerProgram } from "../servers/server.ts";
import type { Started } from "./started.ts";
import { withServer } from "./started.ts";
import type { Bench, LatencyFigures, Turn } from "./turn.ts";
import { keyText } from "./turn.ts";

/** Questions a second, and how many may be without an answer before none is sent: a second's worth. */
export const QUESTION_RATE = 5_000;
/** Updates a second that come in meanwhile where the server takes as many, and how many may be without an answer. */
export const UPDATE_RATE = 5_000;
const UPDATES_OUTSTANDING = 400;
/** Seconds after which a question counts as unanswered. */
const PATIENCE = 2;
/** Seconds that the updates come in before questions are asked, and after. */
const LEAD = 1;

/**
 * How the measuring client is run: before everything else on its core where that is allowed, so that what the sender of
 * the updates does there does not count as the server's.
 */
export async function measuringPriority(): Promise<readonly string[]> {
  if (missingPrograms(["chrt"]).length > 0) return [];
  const { code } = await run("chrt", ["-f", "1", "true"]);
  return code === 0 ? ["chrt", "-f", "1"] : [];
}

/** Measures on a server started for it alone: one that still works off what an earlier load left would answer late. */
export async function measureLatency(bench: Bench, server: ServerProgram, turn: Turn): Promise<void> {
  await withServer(bench, server, { name: "latency", zone: bench.cluster.zone }, async (started) => {
    const seconds = bench.durations.latency;
    await warmUp(bench, started);
    turn.latency = latencyFigures(await questions(bench, started, seconds));
    if (!server.takesUpdates) return;
    await bench.attempt(`latency while ${UPDATE_RATE} updates a second come in`, async () => {
      const updates = sendUpdates(bench, server, started, LEAD + seconds + LEAD);
      // Where it fails that is told below, once the questions are through.
      updates.catch(() => undefined);
      await wait(LEAD * 1000);
      const answered = await questions(bench, started, seconds);
      turn.latencyUnderUpdates = { ...latencyFigures(answered), updatesPerSecond: await updates };
    });
  });
}

/** @returns how many were taken a second; @throws where any was refused */
async function sendUpdates(
  bench: Bench,
  server: ServerProgram,
  { port }: Started,
  seconds: number,
): Promise<number> {
  const signed = updateArguments(keyText(bench.key), UPDATES_OUTSTANDING, server.updatePatience);
  const { result } = await dnsperf({
    port,
    dataFile: bench.cluster.updates[0]!,
    seconds,
    args: [...signed, "-Q", String(UPDATE_RATE)],
    output: join(bench.directory, `${bench.turn}-updates`),
  });
  const { completed, perSecond, rcodes } = result;
  if ((rcodes["NOERROR"] ?? 0) !== completed)
    throw new Error(`updates were refused: ${JSON.stringify(rcodes)}`);
  return perSecond;
}

/** As many questions as it takes: its caches hold all of them afterwards. */
async function warmUp({ directory, turn, durations, cluster }: Bench, { port }: Started): Promise<void> {
  const seconds = durations.warmUp;
  const output = join(directory, `${turn}-warm-up`);
  await dnsperf({ port, dataFile: cluster.questions, seconds, args: ["-q", "100"], output });
}

async function questions(bench: Bench, { port }: Started, seconds: number): Promise<Answered> {
  const rate = ["-Q", String(QUESTION_RATE), "-q", String(QUESTION_RATE)];
  const { text } = await dnsperf({
    port,
    dataFile: bench.cluster.questions,
    seconds,
    args: [...rate, "-t", String(PATIENCE), "-v"],
    output: join(bench.directory, `${bench.turn}-questions`),
    wrapper: bench.priority,
  });
  return parseAnswers(text);
}

/** @throws RangeError where nothing was asked */
export function latencyFigures({ latencies, unanswered }: Answered): LatencyFigures {
  const all = [...latencies, ...Array.from({ length: unanswered }, () => PATIENCE * 1000)];
  return { p50: percentile(all, 0.5), p99: percentile(all, 0.99), unanswered };
}
