/** The benchmark's command line. */
import { parseArgs } from "node:util";

export const USAGE = `usage: npm run bench -- [options]

  --quick        two short rounds: to see that it works, not to quote
  --rounds N     rounds, 1 to 50 (5; with --quick 2)
  --only NAME    only this server beside rollcall: named, knotd or nsd; may be given again
  --only rollcall measures rollcall alone
  --json         the result as JSON on standard output instead of the table
  --keep         leave the folders with configurations and logs, and say where they are
`;

export interface BenchOptions {
  readonly rounds: number;
  /** Peers to measure; undefined: all that are installed. */
  readonly only: readonly string[] | undefined;
  readonly json: boolean;
  readonly keep: boolean;
  readonly durations: Durations;
}

/** How long each part of a round takes, in seconds. */
export interface Durations {
  readonly warmUp: number;
  readonly queries: number;
  readonly updates: number;
  /** Bound of the delay measurement; at least two updates are measured all the same. */
  readonly delays: number;
  /** Quiet before the update that is measured alone; 0: it is not. */
  readonly quiet: number;
}

const FULL: Durations = { warmUp: 2, queries: 4, updates: 4, delays: 10, quiet: 7 };
const QUICK: Durations = { warmUp: 1, queries: 1, updates: 1, delays: 3, quiet: 0 };

export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws UsageError */
export function parseOptions(args: readonly string[], servers: readonly string[]): BenchOptions | "help" {
  const { quick, help, json, keep, rounds: roundsText, only } = read(args);
  if (help) return "help";
  const rounds = roundsText === undefined ? (quick ? 2 : 5) : Number(roundsText);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) {
    throw new UsageError(`--rounds takes a number from 1 to 50, not ${roundsText}`);
  }
  const unknown = only?.find((name) => !servers.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--only takes one of ${servers.join(", ")}, not ${unknown}`);
  return { rounds, only, json, keep, durations: quick ? QUICK : FULL };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
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
