/**
 * Gives back the memory that a load, or reading a large zone, has left behind, once it is over. Neither V8 nor the C library's allocator does
 * so by itself: they keep what was in use at the worst time, for the next one.
 */

/** Milliseconds between two looks at how much there is to do. */
const INTERVAL = 10_000;
/** Work within an interval that leaves enough behind to be worth it. */
const MUCH = 1_000;
/** Work within an interval that a pause of some tens of milliseconds does not hurt. */
const LITTLE = 100;

/** Records that are worth it when they are done with, and the milliseconds after which they are. */
const MANY_RECORDS = 50_000;
const RELEASE_DELAY = 1_000;

/** A transfer of a whole zone, as work. */
export const TRANSFER_WORK = MUCH;

export interface MemoryKeeperDeps {
  /** Messages worked on since the start. */
  readonly work: () => number;
  readonly giveBack: () => void;
}

export class MemoryKeeper {
  readonly #deps: MemoryKeeperDeps;
  readonly #timer: NodeJS.Timeout;
  #soon: NodeJS.Timeout | undefined;
  #before = 0;
  /** Whether there was a load since memory was given back last. */
  #owed = false;

  constructor(deps: MemoryKeeperDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#look(), INTERVAL).unref();
  }

  /** So many records were read or loaded as objects, and are done with. */
  released(records: number): void {
    if (records < MANY_RECORDS) return;
    // Later: whoever had them still has them, until what is under way now has come to its end.
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#deps.giveBack(), RELEASE_DELAY).unref();
  }

  close(): void {
    clearTimeout(this.#soon);
    clearInterval(this.#timer);
  }

  #look(): void {
    const work = this.#deps.work();
    const done = work - this.#before;
    this.#before = work;
    if (done >= MUCH) this.#owed = true;
    if (!this.#owed || done >= LITTLE) return;
    this.#owed = false;
    this.#deps.giveBack();
  }
}
