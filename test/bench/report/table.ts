/** The result as a table of plain text, which is Markdown too. */
import type { Spread } from "./statistics.ts";
import { ratio, spread } from "./statistics.ts";

/** One thing measured, of every server and round. */
export interface Measure {
  /** By which the chart finds it. */
  readonly id: string;
  /** What and in which unit. */
  readonly title: string;
  readonly better: "more" | "less";
  /** Digits behind the point. */
  readonly digits: number;
  /** By server: a figure for each round, undefined where it could not be measured. */
  readonly figures: ReadonlyMap<string, readonly (number | undefined)[]>;
}

/** What stands where a server was not measured. */
const NOTHING = "–";

/**
 * A row for each measure: each server's median with the least and the greatest round, then how many times each peer's
 * figure that of the first server is.
 * @param servers the first is held against the others
 */
export function resultTable(servers: readonly string[], measures: readonly Measure[]): string {
  const [ours, ...peers] = servers;
  const head = ["measure", ...servers, ...peers.map((peer) => `${ours} ÷ ${peer}`)];
  const rows = measures.map(({ title, better, digits, figures }) => [
    `${title}; ${better} is better`,
    ...servers.map((server) => figureText(present(figures.get(server)), digits)),
    ...peers.map((peer) => ratioText(ratio(figures.get(ours!) ?? [], figures.get(peer) ?? []))),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return `${[line(head), rule, ...rows.map(line)].join("\n")}\n`;
}

/** The spread of the rounds that have a figure; undefined where none has. */
export function present(figures: readonly (number | undefined)[] | undefined): Spread | undefined {
  const known = (figures ?? []).filter((figure) => figure !== undefined);
  return known.length === 0 ? undefined : spread(known);
}

function figureText(figure: Spread | undefined, digits: number): string {
  if (figure === undefined) return NOTHING;
  const { median, low, high } = figure;
  const text = (value: number): string => numberText(value, digits);
  return low === high ? text(median) : `${text(median)} (${text(low)}–${text(high)})`;
}

function ratioText(figure: Spread | undefined): string {
  return figure === undefined ? NOTHING : numberText(figure.median, figure.median < 0.1 ? 4 : 2);
}

/** `12,345` or `3.14`. */
export function numberText(value: number, digits: number): string {
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
