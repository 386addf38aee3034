/** The benchmark's command line. */
import { parseArgs } from "node:util";

/** What can be measured, and what each is. */
const MEASURES = {
  udp: "queries over UDP",
  tcp: "queries over TCP",
  updates: "signed updates",
  latency: "time to the answer, alone and while updates come in",
  delay: "update to secondary",
  million: "a zone of a million names",
} as const;

export type MeasureName = keyof typeof MEASURES;

/** Measured after the rounds, by programs of their own: their peers are others. What they find is printed. */
export const APART = {
  forward: "an answer of another server from the cache, beside unbound",
  gss: "updates signed by Kerberos, beside named",
} as const;

export type ApartName = keyof typeof APART;

const MEASURE_NAMES = Object.keys(MEASURES) as MeasureName[];
const APART_NAMES = Object.keys(APART) as ApartName[];
/** Measured where nothing else is said. */
const USUAL = MEASURE_NAMES.filter((name) => name !== "million");

export const USAGE = `usage: npm run bench -- [options]

  --million       also a zone of a million names: some minutes more
  --measure NAME  only this; may be given again. One of:
${Object.entries({ ...MEASURES, ...APART })
  .map(([name, what]) => `                    ${name.padEnd(8)} ${what}`)
  .join("\n")}
  --quick         two short rounds: to see that it works, not to quote; nothing is written
  --rounds N      rounds, 1 to 50 (3; with --quick 2)
  --only NAME     only this server beside rollcall: named, knotd, nsd or pdns; may be given again
  --only rollcall measures rollcall alone
  --write         write docs/benchmarks.md and its chart: the default, but for --quick, --only and --measure
  --no-write      do not
  --json          the result as JSON on standard output instead of the table
  --keep          leave the folders with configurations and logs, and say where they are
`;

export interface BenchOptions {
  readonly rounds: number;
  /** Peers to measure; undefined: all that are installed. */
  readonly only: readonly string[] | undefined;
  readonly measures: ReadonlySet<MeasureName>;
  readonly apart: readonly ApartName[];
  /** Whether the result goes into the documentation. */
  readonly write: boolean;
  readonly json: boolean;
  readonly keep: boolean;
  readonly durations: Durations;
}

/** How long each part of a round takes, in seconds. */
export interface Durations {
  readonly warmUp: number;
  readonly queries: number;
  readonly updates: number;
  /** Of questions at a steady rate, alone and while updates come in. */
  readonly latency: number;
  /** Bound of the delay measurement; at least two updates are measured all the same. */
  readonly delays: number;
  /** Quiet before the update that is measured alone; 0: it is not. */
  readonly quiet: number;
}

const FULL: Durations = { warmUp: 2, queries: 3, updates: 3, latency: 4, delays: 8, quiet: 7 };
const QUICK: Durations = { warmUp: 1, queries: 1, updates: 1, latency: 2, delays: 3, quiet: 0 };

export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws UsageError */
export function parseOptions(args: readonly string[], servers: readonly string[]): BenchOptions | "help" {
  const given = read(args);
  const { quick, help, json, keep, only, measure } = given;
  if (help) return "help";
  const rounds = given.rounds === undefined ? (quick ? 2 : 3) : Number(given.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) {
    throw new UsageError(`--rounds takes a number from 1 to 50, not ${given.rounds}`);
  }
  const unknown = only?.find((name) => !servers.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--only takes one of ${servers.join(", ")}, not ${unknown}`);
  const isPartial = quick || only !== undefined || measure !== undefined;
  return {
    rounds,
    only,
    measures: new Set([...measuresFrom(measure), ...(given.million ? (["million"] as const) : [])]),
    apart: only !== undefined ? [] : APART_NAMES.filter((name) => measure?.includes(name) ?? true),
    write: given.write ?? !isPartial,
    json,
    keep,
    durations: quick ? QUICK : FULL,
  };
}

function measuresFrom(names: readonly string[] | undefined): readonly MeasureName[] {
  if (names === undefined) return USUAL;
  return names.flatMap((name) => {
    const known = MEASURE_NAMES.find((candidate) => candidate === name);
    if (known === undefined && !APART_NAMES.some((candidate) => candidate === name)) {
      const all = [...MEASURE_NAMES, ...APART_NAMES].join(", ");
      throw new UsageError(`--measure takes one of ${all}, not ${name}`);
    }
    return known ?? [];
  });
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        quick: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        million: { type: "boolean", default: false },
        measure: { type: "string", multiple: true },
        write: { type: "boolean" },
        json: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        rounds: { type: "string" },
        only: { type: "string", multiple: true },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
