/** TOML files as tables, and what is looked up in them before a schema has judged them. */
import { readFileSync } from "node:fs";
import { TomlError, parse } from "smol-toml";
import type { ConfigProblem } from "./problem.ts";

/** The texts and values of a TOML file, or what keeps it from being one. */
export function readToml(
  path: string,
): { text: string; table: Record<string, unknown> } | { problem: ConfigProblem } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const notText = code === "ERR_ENCODING_INVALID_ENCODED_DATA";
    const why = notText ? "it is not UTF-8 text" : code === "ENOENT" ? "there is no such file" : message;
    const advice = "Name the configuration file with --config FILE.";
    return {
      problem: {
        severity: "error",
        code: "CONFIG_READ",
        file: path,
        message: `the configuration cannot be read: ${why}`,
        advice: notText ? "Save it as UTF-8." : advice,
      },
    };
  }
  try {
    return { text, table: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    return {
      problem: {
        severity: "error",
        code: "CONFIG_SYNTAX",
        file: path,
        line: error.line,
        column: error.column,
        message: `not valid TOML: ${reason}`,
        advice:
          "Text stands in quotes, lists in brackets; see https://toml.io. Nothing after this place was looked at.",
      },
    };
  }
}

/** Whether a value of a TOML file is a table. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A table; an empty one where it is none, which the schema has then complained of. */
export function asTable(value: unknown): Record<string, unknown> {
  return isTable(value) ? value : {};
}

/** The list at a key; empty where there is none, which the schema has then complained of. */
export function listAt(table: Record<string, unknown>, key: string): readonly unknown[] {
  const value = table[key];
  return Array.isArray(value) ? (value as unknown[]) : [];
}
