/** `npm run bench:micro`: what single steps cost, without sockets, and whether one has grown since before. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { UsageError } from "../options.ts";
import type { Baseline } from "./baseline.ts";
import { baselineText, compare, comparisonTable, parseBaseline } from "./baseline.ts";
import { changeSteps } from "./changes.ts";
import { lookupSteps } from "./lookup.ts";
import { messageSteps } from "./messages.ts";
import type { MicroOptions } from "./options.ts";
import { MICRO_USAGE, parseMicroOptions } from "./options.ts";
import type { Steps } from "./steps.ts";
import { measureSteps } from "./steps.ts";

async function main(args: readonly string[]): Promise<number> {
  let options: MicroOptions | "help";
  let before: Baseline | undefined;
  try {
    options = parseMicroOptions(args);
    if (options !== "help" && options.against !== undefined) before = readBaseline(options.against);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n${MICRO_USAGE}`);
    return 2;
  }
  if (options === "help") {
    process.stdout.write(MICRO_USAGE);
    return 0;
  }
  const figures = await measure(options);
  if (figures.size === 0) {
    process.stderr.write("no step has such a name\n");
    return 2;
  }
  const baseline = { machine: `Node ${process.version}, ${cpus()[0]?.model ?? "?"}`, figures };
  const rows = compare(figures, before?.figures, options.tolerance);
  process.stdout.write(
    options.json
      ? baselineText(baseline)
      : `${baseline.machine}; processor time an operation\n\n${comparisonTable(rows, before !== undefined)}`,
  );
  if (before !== undefined && before.machine !== baseline.machine)
    process.stderr.write(`the figures before are of another machine: ${before.machine}\n`);
  if (options.save !== undefined) writeFileSync(options.save, baselineText(baseline));
  const slower = rows.filter(({ isRegression }) => isRegression);
  if (slower.length > 0) {
    const percent = options.tolerance * 100;
    process.stderr.write(`more than ${percent} % slower: ${slower.map(({ name }) => name).join("; ")}\n`);
  }
  return slower.length > 0 ? 1 : 0;
}

/** @throws UsageError */
function readBaseline(file: string): Baseline {
  try {
    return parseBaseline(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`--against: ${file} cannot be read as figures: ${(error as Error).message}`);
  }
}

async function measure({ only, large }: MicroOptions): Promise<Map<string, number>> {
  const figures = new Map<string, number>();
  const kinds: (() => Steps)[] = [
    messageSteps,
    () => lookupSteps(10_000),
    ...(large ? [() => lookupSteps(1_000_000)] : []),
    changeSteps,
  ];
  for (const kind of kinds) {
    const made = kind();
    try {
      const wanted = made.steps.filter(({ name }) => only?.some((text) => name.includes(text)) ?? true);
      for (const [name, nanoseconds] of await measureSteps(wanted)) figures.set(name, nanoseconds);
    } finally {
      made.close?.();
    }
  }
  return figures;
}

process.exitCode = await main(process.argv.slice(2));
