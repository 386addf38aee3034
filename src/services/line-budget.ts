/** How many log lines of one kind may be written: whoever floods is counted, not listed. */

/** Lines that may follow each other at once, and lines a second in the long run. */
const BURST = 200;
const PER_SECOND = 20;

export class LineBudget {
  readonly #now: () => number;
  #tokens = BURST;
  #filledAt: number;
  #suppressed = 0;

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#filledAt = now();
  }

  /**
   * Asks for one line.
   * @returns fields to be added to it: how many were kept back since the last; undefined where this is kept back too
   */
  take(): { readonly suppressed?: number } | undefined {
    const now = this.#now();
    // A clock that is set back must not take tokens away.
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(BURST, this.#tokens + (elapsed / 1000) * PER_SECOND);
    this.#filledAt = now;
    if (this.#tokens < 1) {
      this.#suppressed++;
      return undefined;
    }
    this.#tokens--;
    const fields = this.#suppressed === 0 ? {} : { suppressed: this.#suppressed };
    this.#suppressed = 0;
    return fields;
  }
}
