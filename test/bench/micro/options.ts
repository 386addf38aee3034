/** The command line of the single steps' benchmark. */
import { parseArgs } from "node:util";
import { UsageError } from "../options.ts";

export const MICRO_USAGE = `usage: npm run bench:micro -- [options]

  --only TEXT           only steps whose name holds this text; may be given again
  --large               also answers from a zone of a million names
  --save FILE           write the figures to a file
  --against FILE        hold the figures against those of a file; ends with 1 where one has grown
  --tolerance PERCENT   by more than this (25)
  --json                the figures as JSON on standard output instead of the table
`;

export interface MicroOptions {
  readonly only: readonly string[] | undefined;
  readonly large: boolean;
  readonly save: string | undefined;
  readonly against: string | undefined;
  /** Share by which a figure may grow: 0.25 is a quarter. */
  readonly tolerance: number;
  readonly json: boolean;
}

/** @throws UsageError */
export function parseMicroOptions(args: readonly string[]): MicroOptions | "help" {
  const { help, only, large, save, against, tolerance, json } = read(args);
  if (help) return "help";
  const percent = Number(tolerance);
  if (tolerance.trim() === "" || !(percent >= 0 && percent <= 1000)) {
    throw new UsageError(`--tolerance takes a number of per cent from 0 to 1000, not ${tolerance}`);
  }
  return { only, large, save, against, tolerance: percent / 100, json };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        only: { type: "string", multiple: true },
        large: { type: "boolean", default: false },
        save: { type: "string" },
        against: { type: "string" },
        tolerance: { type: "string", default: "25" },
        json: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
