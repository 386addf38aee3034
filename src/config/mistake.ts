/** How a leaf of the configuration says what is wrong with it, and how that becomes a problem with its place. */
import { z } from "zod";
import type { ConfigCode, ConfigProblem } from "./problem.ts";
import { nearest } from "./suggest.ts";
import type { TomlPath, TomlPositions } from "./toml-position.ts";

/** What a leaf's reader returns instead of a value. */
export class Mistake {
  readonly code: ConfigCode;
  readonly message: string;
  readonly advice: string | undefined;
  constructor(code: ConfigCode, message: string, advice?: string) {
    this.code = code;
    this.message = message;
    this.advice = advice;
  }
}

/** A text leaf that `read` turns into what it means. */
export function leaf<T>(read: (text: string) => T | Mistake) {
  return z.string().transform((text, context): T => {
    const value = read(text);
    if (!(value instanceof Mistake)) return value;
    context.addIssue({
      code: "custom",
      message: value.message,
      params: { mistake: value },
    });
    return z.NEVER;
  });
}

/** Collects the problems of one configuration file, each with its line and column. */
export class ProblemCollector {
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;
  readonly #positions: TomlPositions;

  constructor(file: string, positions: TomlPositions) {
    this.#file = file;
    this.#positions = positions;
  }

  /** Notes a mistake at the value of `path`, or at its key. */
  add(
    path: TomlPath,
    mistake: Mistake,
    at: "value" | "key" = "value",
    severity: ConfigProblem["severity"] = "error",
  ): void {
    const { line, column } = at === "key" ? this.#positions.key(path) : this.#positions.value(path);
    const { code, message, advice } = mistake;
    this.problems.push({ severity, code, file: this.#file, line, column, message, advice });
  }

  /** Where a value stands, for messages that point to it from elsewhere. */
  positionOf(path: TomlPath): { readonly line: number; readonly column: number } {
    return this.#positions.value(path);
  }

  /** Notes that something is there a second time. @param first where it is the first time */
  duplicate(path: TomlPath, message: string, first: TomlPath): void {
    const { line } = this.positionOf(first);
    this.add(path, new Mistake("CONFIG_DUPLICATE", message, `Remove one; the first is on line ${line}.`));
  }

  /** Notes a problem of another file. */
  addForeign(problem: ConfigProblem): void {
    this.problems.push(problem);
  }

  /** Everything found, this file's in the order of its lines, then the others' as they came. */
  sorted(): ConfigProblem[] {
    const own = this.problems.filter((problem) => problem.file === this.#file);
    const others = this.problems.filter((problem) => problem.file !== this.#file);
    own.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
    return [...own, ...others];
  }

  /**
   * Reads one table by its schema and notes every mistake in it.
   * @returns its values, or undefined where there was a mistake
   */
  read<S extends z.ZodObject>(schema: S, value: unknown, path: TomlPath): z.output<S> | undefined {
    const result = schema.safeParse(value, { reportInput: true });
    if (result.success) return result.data;
    for (const issue of result.error.issues) this.#addIssue(issue, path, Object.keys(schema.shape));
    return undefined;
  }

  #addIssue(issue: z.core.$ZodIssue, base: TomlPath, known: readonly string[]): void {
    const path = [...base, ...(issue.path as (string | number)[])];
    const what = nameOfPath(path);
    switch (issue.code) {
      case "unrecognized_keys":
        for (const key of issue.keys) {
          const near = nearest(key, known);
          const advice = near === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean "${near}"?`;
          this.add([...path, key], new Mistake("CONFIG_UNKNOWN_KEY", `unknown key "${key}"`, advice), "key");
        }
        return;
      case "invalid_type":
        if (issue.input === undefined && issue.path.length > 0) {
          this.add(
            path,
            new Mistake("CONFIG_MISSING", `${what} is missing: ${expectedText(issue.expected)} was expected`),
          );
        } else {
          const found = issue.expected === "int" ? "a fraction" : foundText(issue.input);
          const message = `${what} is ${found}, and ${expectedText(issue.expected)} was expected`;
          this.add(path, new Mistake("CONFIG_TYPE", message));
        }
        return;
      case "too_small":
        if (issue.origin === "array" || issue.origin === "string") {
          const wanted = issue.origin === "array" ? "at least one entry" : "some text";
          this.add(path, new Mistake("CONFIG_VALUE", `${what} is empty, and ${wanted} was expected`));
        } else {
          this.add(
            path,
            new Mistake("CONFIG_VALUE", `${what} is too small: ${String(issue.minimum)} is the least`),
          );
        }
        return;
      case "too_big":
        this.add(
          path,
          new Mistake("CONFIG_VALUE", `${what} is too large: ${String(issue.maximum)} is the most`),
        );
        return;
      case "custom": {
        const mistake: unknown = issue.params?.["mistake"];
        this.add(
          path,
          mistake instanceof Mistake ? mistake : new Mistake("CONFIG_VALUE", `${what}: ${issue.message}`),
        );
        return;
      }
      default:
        this.add(path, new Mistake("CONFIG_VALUE", `${what}: ${issue.message}`));
    }
  }
}

/** The last key of a path, with its index where it is an array's element. */
function nameOfPath(path: TomlPath): string {
  const last = path.at(-1);
  if (typeof last === "number") return `entry ${last + 1} of "${String(path.at(-2) ?? "")}"`;
  return last === undefined ? "the configuration" : `"${last}"`;
}

function expectedText(expected: string): string {
  const words: Record<string, string> = {
    string: "text in quotes",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list in brackets",
    object: "a table",
  };
  return words[expected] ?? expected;
}

function foundText(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  if (input === null || input === undefined) return "nothing";
  if (input instanceof Date) return "a date";
  if (typeof input === "string") return "text";
  if (typeof input === "boolean") return String(input);
  if (typeof input === "number" || typeof input === "bigint") return "a number";
  return "a table";
}
