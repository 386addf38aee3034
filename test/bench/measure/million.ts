/** A zone of a million names: start, memory, queries, a transfer to dig, and updates beside those of a small zone. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CLIENT_CORE, runTo } from "../load/pinned.ts";
import { MILLION, ZONE } from "../load/workload.ts";
import type { ServerProgram } from "../servers/server.ts";
import { queryLoad, updateLoad } from "./loads.ts";
import type { Started } from "./started.ts";
import { prepared, withServer } from "./started.ts";
import type { Bench, LoadFigures, MillionFigures } from "./turn.ts";

/** Files of updates that {@link measureMillion} uses of each of its two zones: to warm up and to measure. */
export const MILLION_UPDATE_FILES = 2;
const UPDATES_OUTSTANDING = 400;
/** Transfers, of which the shortest counts. */
const TRANSFERS = 2;
const TRANSFER_PATIENCE = 120_000;

/**
 * The folders in which servers with a store of their own have the million names already.
 * @returns by server; those that read the zone's file at every start have none
 */
export async function prepareMillion(
  bench: Bench,
  servers: readonly ServerProgram[],
): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  for (const server of servers) {
    if (!server.importsAtStart && server.prepare === undefined) continue;
    await bench.attempt("a million names put into its store", async () => {
      const folder = await prepared(bench, server, { name: "million-store", zone: bench.million!.zone });
      folders.set(server.name, folder);
    });
  }
  return folders;
}

/** @param from see {@link prepareMillion} */
export async function measureMillion(
  bench: Bench,
  server: ServerProgram,
  from: string | undefined,
  figures: MillionFigures,
): Promise<void> {
  const million = bench.million!;
  const options = { name: "million", zone: million.zone, ...(from === undefined ? {} : { from }) };
  await withServer(bench, server, options, async (started) => {
    figures.start = started.start;
    figures.memory = started.program.residentMemory;
    await bench.attempt("a million names, UDP", async () => {
      figures.udp = await queryLoad(bench, started, million.questions, "udp");
    });
    await bench.attempt("a million names, transfer", async () => {
      figures.transfer = await shortestTransfer(bench, started);
    });
    if (server.takesUpdatesToMillion) {
      await bench.attempt("a million names, updates", async () => {
        figures.updates = await updates(bench, server, started, million.updates);
      });
    }
    figures.memoryAtEnd = started.program.residentMemory;
  });
  if (!server.takesUpdatesToMillion) return;
  const fewer = bench.fewer!;
  await withServer(bench, server, { name: "fewer", zone: fewer.zone }, async (started) => {
    await bench.attempt("ten thousand names of the same kind, updates", async () => {
      figures.updatesWithFewer = await updates(bench, server, started, fewer.updates);
    });
  });
}

function updates(
  bench: Bench,
  server: ServerProgram,
  started: Started,
  [warmUp, measured]: readonly string[],
): Promise<LoadFigures> {
  const files = { warmUp: warmUp!, measured: measured! };
  const seconds = bench.durations.updates;
  return updateLoad(bench, server, started, files, { outstanding: UPDATES_OUTSTANDING, seconds });
}

/** @returns seconds */
async function shortestTransfer(bench: Bench, { port }: Started): Promise<number> {
  const output = join(bench.directory, `${bench.turn}-dig`);
  // Without the printing of a million records, which would be dig's work and not the server's.
  const dig = ["dig", "@127.0.0.1", "-p", String(port), ZONE, "AXFR", "+noall", "+stats", "+time=60"];
  let shortest = Infinity;
  for (let n = 0; n < TRANSFERS; n++) {
    const begun = performance.now();
    await runTo(output, ["taskset", "-c", String(CLIENT_CORE), ...dig], TRANSFER_PATIENCE);
    const seconds = (performance.now() - begun) / 1000;
    const said = readFileSync(output, "utf8");
    rmSync(output);
    const records = transferredRecords(said);
    // The hosts, NS, its address, and the SOA at either end.
    if (records !== MILLION + 4) throw new Error(`dig received ${records} records:\n${said}`);
    shortest = Math.min(shortest, seconds);
  }
  return shortest;
}

/** Records of a transfer, from what dig says of it; 0 where it was none. */
export function transferredRecords(said: string): number {
  return Number(/XFR size: (\d+) records/.exec(said)?.[1] ?? 0);
}
