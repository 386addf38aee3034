/**
 * How an upstream server has been doing, and which of several is to be asked. Times in milliseconds, from whatever clock
 * the caller has, as long as it never goes back.
 *
 *     answered            smoothed round trip and its variation (RFC 6298 §2) say how long to wait before another is asked
 *     silent for a while  ranks behind the others at once
 *     failed              tried again soon, beside another, by a query that is under way anyway
 *     failed three times  down: tried so only once in a while
 */

/** Waited for an answer before another server is asked: of one not known yet, at least and at most. */
const FIRST_WAIT = 400;
const LEAST_WAIT = 50;
const MOST_WAIT = 1_500;
/** Failures in a row that make a server count as down. */
export const DOWN_AFTER = 3;
/** Until a server that failed is tried again; for one that is down each time twice as long. */
const SOON = 100;
export const FIRST_PAUSE = 1_000;
export const MOST_PAUSE = 30_000;
const GIVEN_UP_PAUSE = 8_000;
/** RFC 6298 §2.3. */
const ALPHA = 1 / 8;
const BETA = 1 / 4;
/** What the rank of those not asked is multiplied by each time, so that a slow one is tried again some day. */
const FORGETTING = 0.98;

export class UpstreamHealth {
  /** Smoothed round trip; undefined before the first answer. */
  roundTrip: number | undefined;
  /** Failures in a row. */
  failures = 0;
  /** What the last failure was; undefined where none came since the last answer. */
  lastFailure: string | undefined;
  #variation = 0;
  #rank = 0;
  #isDown = false;
  #pause = FIRST_PAUSE;
  #nextTry = 0;
  #heardAt = -Infinity;

  get isDown(): boolean {
    return this.#isDown;
  }

  /** What it costs to ask it, less being better. A server never asked costs nothing: so each is tried. */
  get rank(): number {
    return this.#rank;
  }

  /** Milliseconds to wait for it before another is asked. */
  get wait(): number {
    if (this.roundTrip === undefined) return FIRST_WAIT;
    return Math.min(MOST_WAIT, Math.max(LEAST_WAIT, this.roundTrip + 4 * this.#variation));
  }

  /** An answer came. @returns whether it had been down */
  answered(roundTrip: number, now: number): boolean {
    this.#heardAt = now;
    if (this.roundTrip === undefined) {
      this.roundTrip = roundTrip;
      this.#variation = roundTrip / 2;
    } else {
      this.#variation += BETA * (Math.abs(this.roundTrip - roundTrip) - this.#variation);
      this.roundTrip += ALPHA * (roundTrip - this.roundTrip);
    }
    this.#rank = this.roundTrip;
    this.failures = 0;
    this.lastFailure = undefined;
    const wasDown = this.#isDown;
    this.#isDown = false;
    this.#pause = FIRST_PAUSE;
    return wasDown;
  }

  /** Whether an answer came after this instant. */
  hasAnsweredSince(instant: number): boolean {
    return instant < this.#heardAt;
  }

  /** It let a query wait for longer than usual. */
  silent(): void {
    this.#rank = Math.max(this.#rank * 2, this.wait * 2);
  }

  /**
   * It is unreachable, said nothing at all to a query, or will not answer.
   * @param sentAt when it was asked: what it has answered since then tells more than this
   * @returns whether it is down from now on
   */
  failed(why: string, now: number, sentAt: number): boolean {
    if (this.hasAnsweredSince(sentAt)) return false;
    this.silent();
    this.failures++;
    this.lastFailure = why;
    if (this.failures < DOWN_AFTER) {
      this.#nextTry = now + SOON;
      return false;
    }
    // Queries that were under way together fail together: only the tries from now on count.
    if (this.#isDown) return false;
    this.#isDown = true;
    this.#putOff(now);
    return true;
  }

  #putOff(now: number): void {
    this.#nextTry = now + this.#pause;
    this.#pause = Math.min(MOST_PAUSE, this.#pause * 2);
  }

  /** Whether it failed and it is time to try it again; if so, it is not for a while after that. */
  takeTry(now: number): boolean {
    if (!this.isDueForTry(now)) return false;
    if (this.#isDown) this.#putOff(now);
    else this.#nextTry = now + SOON;
    return true;
  }

  isDueForTry(now: number): boolean {
    return this.failures > 0 && now >= this.#nextTry;
  }

  /** Whether it has been down through several tries and is not due for the next: to ask it is to wait for nothing. */
  isGivenUp(now: number): boolean {
    return this.#isDown && this.#pause >= GIVEN_UP_PAUSE && now < this.#nextTry;
  }

  /** Another was chosen. */
  passedOver(): void {
    this.#rank *= FORGETTING;
  }
}

/** Something whose health is known. */
export interface Rated {
  readonly health: UpstreamHealth;
}

/**
 * The server to ask next: of those up the one that ranks best, those tried least for this question first; where all are
 * down the same among them.
 * @param tries how often each was asked this question
 */
export function choose<U extends Rated>(servers: readonly U[], tries: ReadonlyMap<U, number>): U | undefined {
  let best: U | undefined;
  const cost = (server: U): readonly number[] => [
    server.health.isDown ? 1 : 0,
    tries.get(server) ?? 0,
    server.health.rank,
  ];
  for (const server of servers) if (best === undefined || isLess(cost(server), cost(best))) best = server;
  for (const server of servers) if (server !== best) server.health.passedOver();
  return best;
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value < b[i]!;
  return false;
}
