/** Where a command writes, and how: text for people, JSON for programs, colours only where they can be seen. */
import { once } from "node:events";
import { stripVTControlCharacters, styleText } from "node:util";
import { problemToText } from "../config/problem.ts";
import type { Problem } from "../config/problem.ts";

type Style = Parameters<typeof styleText>[0];

/** Exit codes of every command. */
export const Exit = { DONE: 0, FAILED: 1, USAGE: 2, UNREACHABLE: 3 } as const;

/** A failure that ends a command with its own words: no stack, no "internal error". */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: string;
  readonly advice: string | undefined;
  readonly exit: number;
  readonly problems: readonly Problem[];
  constructor(
    code: string,
    message: string,
    options: { advice?: string | undefined; exit?: number; problems?: readonly Problem[] } = {},
  ) {
    super(message);
    this.code = code;
    this.advice = options.advice;
    this.exit = options.exit ?? Exit.FAILED;
    this.problems = options.problems ?? [];
  }
}

/** Writes text to standard output; resolves when there is room for more. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Writes a line to standard error. */
export function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Writes one JSON value: on one line where a program reads, indented where a person does. */
export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined)}\n`);
}

/** Colours where standard output is a terminal that shows them and NO_COLOR does not forbid it. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true });
}

/** The same for standard error. */
export function paintError(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stderr, validateStream: true });
}

/** Writes problems to standard error, errors red and warnings yellow. */
export function printProblems(problems: readonly Problem[]): void {
  for (const problem of problems) {
    const word = `${problem.severity}:`;
    const colour: Style = problem.severity === "error" ? "red" : "yellow";
    printError(problemToText(problem).replace(word, paintError(colour, word)));
  }
}

/** A line on standard error that is written over again; nothing where that is not a terminal. */
export class ProgressLine {
  #width = 0;

  show(text: string): void {
    if (!process.stderr.isTTY) return;
    const room = (process.stderr.columns ?? 80) - 1;
    const line = text.slice(0, room);
    process.stderr.write(`\r${line.padEnd(this.#width)}`);
    this.#width = line.length;
  }

  clear(): void {
    if (this.#width > 0) process.stderr.write(`\r${" ".repeat(this.#width)}\r`);
    this.#width = 0;
  }
}

/** Removes what could move the cursor or change colours from text that came from elsewhere. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\t\n]/gu, "?");
}
