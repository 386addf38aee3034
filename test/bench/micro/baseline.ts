/** Figures kept in a file, and later ones held against them. */
import { z } from "zod";
import { numberText } from "../report/table.ts";
import type { Figures } from "./steps.ts";

/** What a file of figures holds. */
export interface Baseline {
  /** Node and the processor: figures of two machines say nothing of the program. */
  readonly machine: string;
  readonly figures: Figures;
}

const SCHEMA = z.object({ machine: z.string(), nanoseconds: z.record(z.string(), z.number().positive()) });

export function baselineText({ machine, figures }: Baseline): string {
  return `${JSON.stringify({ machine, nanoseconds: Object.fromEntries(figures) }, undefined, 2)}\n`;
}

/** @throws Error where the text is not what {@link baselineText} writes */
export function parseBaseline(text: string): Baseline {
  const { machine, nanoseconds } = SCHEMA.parse(JSON.parse(text));
  return { machine, figures: new Map(Object.entries(nanoseconds)) };
}

/** One step's figure beside the one before. */
export interface Comparison {
  readonly name: string;
  /** Processor nanoseconds an operation. */
  readonly now: number;
  readonly before: number | undefined;
  readonly isRegression: boolean;
}

/** @param tolerance share by which a figure may grow */
export function compare(now: Figures, before: Figures | undefined, tolerance: number): Comparison[] {
  return [...now].map(([name, figure]) => {
    const old = before?.get(name);
    return {
      name,
      now: figure,
      before: old,
      isRegression: old !== undefined && figure > old * (1 + tolerance),
    };
  });
}

/** The figures as lines of text; beside those before, where there are any. */
export function comparisonTable(rows: readonly Comparison[], isCompared: boolean): string {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const lines = rows.map(({ name, now, before, isRegression }) => {
    const figure = `${name.padEnd(width)}  ${numberText(now, 0).padStart(9)} ns`;
    if (!isCompared) return figure;
    if (before === undefined) return `${figure}  ${"new".padStart(9)}`;
    const growth = (now / before - 1) * 100;
    const change = `${growth > 0 ? "+" : ""}${numberText(growth, 0)} %`;
    return `${figure}  ${numberText(before, 0).padStart(9)} ns before  ${change.padStart(7)}${isRegression ? "  SLOWER" : ""}`;
  });
  return `${lines.join("\n")}\n`;
}
