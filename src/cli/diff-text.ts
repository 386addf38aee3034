/** Differences of a zone, as lines: what goes in red after `-`, what comes in green after `+`. */
import type { DiffJson, RecordJson } from "../control/verbs.ts";
import { harmless, paint } from "./output.ts";
import { recordLine } from "./verbs/zone-show.ts";

/** The lines of a difference, by owner as far as both lists are sorted, each ending in a line break. */
export function diffText(diff: DiffJson, indent = ""): string {
  const line = (sign: "-" | "+", colour: "red" | "green", record: RecordJson): string =>
    `${indent}${paint(colour, `${sign} ${harmless(recordLine(record))}`)}\n`;
  let text = "";
  for (const each of diff.removed) text += line("-", "red", each);
  for (const each of diff.added) text += line("+", "green", each);
  // Of a zone's creation there are only the counts.
  if (text === "") return "";
  const hidden = diff.removedCount + diff.addedCount - diff.removed.length - diff.added.length;
  if (hidden > 0) text += `${indent}… and ${hidden.toLocaleString("en-GB")} more\n`;
  return text;
}

/** `3 removed, 5 added` */
export function diffSummary({ removedCount, addedCount }: DiffJson): string {
  return `${removedCount.toLocaleString("en-GB")} removed, ${addedCount.toLocaleString("en-GB")} added`;
}
