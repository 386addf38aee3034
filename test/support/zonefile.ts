/** Zone files in tests: parsing text, the zones that RFCs give as examples, records and problems as short lines. */
import { readFileSync } from "node:fs";
import { Name } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { parseZone } from "../../src/zonefile/parser.ts";
import type { ParseZoneOptions, ParsedZone } from "../../src/zonefile/parser.ts";
import type { ZoneFileProblem } from "../../src/zonefile/problem.ts";
import { recordToText } from "../../src/zonefile/printer.ts";

/** The text of a file in `test/support/zones`. */
export function zoneText(file: string): string {
  return readFileSync(new URL(`zones/${file}`, import.meta.url), "utf8");
}

/** Parses text under `origin`, as a file named `zone`. */
export function parse(
  text: string | Uint8Array,
  origin = "smb.example.",
  options: Partial<ParseZoneOptions> = {},
): ParsedZone {
  return parseZone(text, { file: "zone", origin: Name.parse(origin), ...options });
}

/** The records of text that must have no error. */
export function recordsOf(text: string, origin = "smb.example."): ResourceRecord[] {
  const { records, problems, hasErrors } = parse(text, origin);
  if (hasErrors) throw new Error(problems.map(({ line, message }) => `${line}: ${message}`).join("\n"));
  return records;
}

/** One line a record, absolute names. */
export function lines(records: Iterable<ResourceRecord>): string[] {
  return Array.from(records, (record) => recordToText(record));
}

/** `line:column CODE` of each problem. */
export function places(problems: readonly ZoneFileProblem[]): string[] {
  return problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}
