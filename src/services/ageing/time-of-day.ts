/** When a time of day comes next, by the machine's local time. */

/**
 * The first instant after `after` at which the clock on the wall shows so many minutes after midnight. Where the clock is
 * put forward over that time, it is the time it is put forward to, by as much; where it is put back and shows it twice,
 * the first.
 * @param minutes 0 to 1439
 * @param after milliseconds since 1970 UTC
 */
export function nextTimeOfDay(minutes: number, after: number): number {
  const day = new Date(after);
  for (let days = 0; ; days++) {
    const at = new Date(
      day.getFullYear(),
      day.getMonth(),
      day.getDate() + days,
      Math.floor(minutes / 60),
      minutes % 60,
    ).getTime();
    if (at > after) return at;
  }
}
