/** Figures of several rounds made into one, with how far they lie apart. */

/** The middle of a measure's rounds, and the least and greatest of them. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The value below which a share of the values lies, by linear interpolation between the two nearest.
 * @param share 0 to 1
 * @throws RangeError where there are no values
 */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @throws RangeError where there are no values */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/**
 * How many times the other's figure ours is, round by round: what shifts the whole machine during a round falls out.
 * Rounds in which either has no figure above 0 are left out.
 * @returns undefined where no round has both
 */
export function ratio(
  ours: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
): Spread | undefined {
  const ratios: number[] = [];
  for (const [round, value] of ours.entries()) {
    const other = theirs[round];
    if (value !== undefined && other !== undefined && value > 0 && other > 0) ratios.push(value / other);
  }
  return ratios.length === 0 ? undefined : spread(ratios);
}

/** `1.04 (0.98 to 1.10)` */
export function spreadText({ median, low, high }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}
