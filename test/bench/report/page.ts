/** The part of docs/benchmarks.md that a run writes; what people wrote around it stays. */
import type { Measure } from "./table.ts";
import { resultTable } from "./table.ts";

const BEGIN = "<!-- run: written by `npm run bench` -->";
const END = "<!-- end of the run -->";

/** What one run found. */
export interface RunReport {
  /** As it was asked for. */
  readonly command: string;
  /** Where and of what: lines of text. */
  readonly machine: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly servers: readonly string[];
  readonly measures: readonly Measure[];
  /** Programs that were not installed. */
  readonly missing: readonly string[];
  readonly failures: readonly string[];
}

/** The run as text, which is Markdown but for the chart. */
export function runText(report: RunReport): string {
  const { machine, rounds, seconds, servers, measures } = report;
  const head = [...machine, `${roundsText(rounds)} in ${durationText(seconds)}`];
  const after = remarks(report);
  return `${head.join("\n")}\n\n${resultTable(servers, measures)}${after === "" ? "" : `\n${after}`}`;
}

/** The run as it stands in the page. @param chart address of the picture, from the page */
export function runSection(report: RunReport, chart: string): string {
  const { command, machine, rounds, seconds, servers, measures } = report;
  const head = [command, ...machine, `${roundsText(rounds)} in ${durationText(seconds)}`];
  const after = remarks(report);
  return [
    `\`\`\`text\n${head.join("\n")}\n\`\`\``,
    `![Bars of the main measures for ${servers.join(", ")}; the table has all of them](${chart})`,
    resultTable(servers, measures).trimEnd(),
    ...(after === "" ? [] : [after.trimEnd()]),
  ].join("\n\n");
}

/** The page with this run in the place of the one before. @throws Error where the page does not say where that is */
export function withRun(page: string, section: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error(`the page must have the lines ${BEGIN} and ${END}, and the run goes between them`);
  }
  return `${page.slice(0, begin)}${BEGIN}\n\n${section}\n\n${page.slice(end)}`;
}

function remarks({ missing, failures }: RunReport): string {
  const lines: string[] = [];
  if (missing.length > 0) lines.push(`Not installed: ${missing.join(", ")}.\n`);
  if (failures.length > 0) {
    const list = failures.map((failure) => `- ${failure.split("\n")[0]}\n`).join("");
    lines.push(`Failed, and left out:\n\n${list}`);
  }
  return lines.join("\n");
}

/** `1 round`, `3 rounds`. */
export function roundsText(rounds: number): string {
  return rounds === 1 ? "1 round" : `${rounds} rounds`;
}

function durationText(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
