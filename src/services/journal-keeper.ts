/** Keeps every journal within its limits: in the background, a bounded piece at a time, beside the serving of queries. */
import type { Name } from "../wire/name.ts";
import type { JournalLimits, ZoneStore } from "../zone/ports.ts";

/** How often journals are looked at, in milliseconds. */
const ROUND_INTERVAL = 60_000;
/** Milliseconds until the first time: a server that is started again and again must keep within its limits too. */
const FIRST_ROUND = 1_000;

export interface JournalKeeperDeps {
  readonly store: Pick<ZoneStore, "trimJournal">;
  /** The zones as configured now. */
  readonly zones: () => readonly { readonly apex: Name; readonly journal: JournalLimits }[];
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void };
}

export class JournalKeeper {
  readonly #deps: JournalKeeperDeps;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: JournalKeeperDeps) {
    this.#deps = deps;
    this.#schedule(FIRST_ROUND);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Goes over all journals once. Resolves when each is within its limits. */
  async round(): Promise<void> {
    for (const { apex, journal } of this.#deps.zones()) {
      let removed = 0;
      for (let more = true; more && !this.#closed;) {
        try {
          const step = this.#deps.store.trimJournal(apex, journal, this.#deps.now());
          removed += step.removed;
          more = step.more;
        } catch (error) {
          this.#deps.log.error({ zone: apex.toString(), err: error }, "the journal could not be trimmed");
          break;
        }
        await new Promise((resolve) => setImmediate(resolve)); // queries and updates first
      }
      if (removed > 0) this.#deps.log.info({ zone: apex.toString(), changesets: removed }, "journal trimmed");
    }
  }

  #schedule(wait: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.round().finally(() => this.#schedule(ROUND_INTERVAL)), wait);
    this.#timer.unref();
  }
}
