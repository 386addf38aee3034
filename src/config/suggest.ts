/** "Did you mean …?": the known word nearest to one that is not known. */

/** Longest word worth comparing; beyond it nothing is suggested. */
const MAX_WORD = 64;

/**
 * The candidate nearest to `word`, where it is near enough to be a slip of the fingers:
 * at most a third of its letters changed, added, lost or swapped with their neighbour. Case does not count.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    if (candidate.length > MAX_WORD) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? sharingStart(word.toLowerCase(), candidates);
}

/** `warn` for `warning`, `transfer` for `transf`. */
function sharingStart(word: string, candidates: Iterable<string>): string | undefined {
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    const [shorter, longer] = known.length < word.length ? [known, word] : [word, known];
    if (shorter.length >= 3 && longer.startsWith(shorter)) return candidate;
  }
  return undefined;
}

/** `Did you mean "x"?`, or a list of what is known, for an error's advice. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  if (near !== undefined) return `Did you mean "${near}"?`;
  return candidates.length === 0 ? "There are none." : `Known: ${candidates.join(", ")}.`;
}

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours cost 1. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
