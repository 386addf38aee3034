/** Instants on the command line and in listings. */
import { durationToText, parseDuration } from "../config/quantity.ts";

/**
 * Reads an instant: `2026-03-01`, `2026-03-01 14:30`, `2026-03-01T14:30:00Z` (local time where no zone is given), or how
 * long ago it was: `90s`, `2h ago`, `7d`.
 * @param now milliseconds since 1970 UTC
 * @returns milliseconds since 1970 UTC; undefined where the text is neither
 */
export function parseInstant(text: string, now: number): number | undefined {
  const ago = parseDuration(text.replace(/\s*ago$/, ""));
  if (ago !== undefined) return now - ago;
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?\s*(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (match === null) return undefined;
  const [, date, time = "00:00", zone = ""] = match;
  const at = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(at) ? undefined : at;
}

/** `2026-03-01 14:30:05` in local time. */
export function instantToText(at: number): string {
  const date = new Date(at);
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  );
}

/** How long ago, in its two largest units: `3d2h ago`. */
export function agoToText(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  if (passed < 1000) return "just now";
  const units = durationToText(Math.floor(passed / 1000) * 1000).match(/[0-9]+[a-z]+/g) ?? [];
  return `${units.slice(0, 2).join("")} ago`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
