/** Times in zone files: seconds, or BIND's units as in `1h30m` (weeks, days, hours, minutes, seconds). */
import { MAX_TTL } from "../record.ts";

const SECONDS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };

/** A TTL in seconds, 0 to 2^31-1 (RFC 2181 §8); undefined where the text is no time or is longer than that. */
export function parseTtl(text: string): number | undefined {
  return parseSeconds(text, MAX_TTL);
}

/** A time in seconds, 0 to `max`; undefined where the text is no time or is longer. */
export function parseSeconds(text: string, max: number): number | undefined {
  let total = 0;
  if (/^[0-9]+$/.test(text)) {
    total = Number(text);
  } else {
    if (!/^(?:[0-9]+[wdhms])+$/i.test(text)) return undefined;
    for (const [, count, unit] of text.matchAll(/([0-9]+)([a-z])/gi)) {
      total += Number(count) * SECONDS[unit!.toLowerCase()]!;
    }
  }
  return total <= max ? total : undefined;
}
