/** One log line for each wish that was not granted, with its reason; and no more than the disk and the reader can bear. */
import type { Peer } from "../protocol/context.ts";
import { peerToText } from "../protocol/context.ts";
import type { Refusal } from "../protocol/dispatch.ts";
import { rcodeToText } from "../wire/iana/code.ts";

/** Lines that may follow each other at once, and lines a second in the long run: whoever floods is counted, not listed. */
const BURST = 200;
const PER_SECOND = 20;

export interface RefusalLogger {
  info(fields: object, message: string): void;
}

export class RefusalLog {
  /** All refusals, written or not. */
  count = 0;
  readonly #log: RefusalLogger;
  readonly #now: () => number;
  #tokens = BURST;
  #filledAt: number;
  #suppressed = 0;

  /** @param now milliseconds */
  constructor(log: RefusalLogger, now: () => number) {
    this.#log = log;
    this.#now = now;
    this.#filledAt = now();
  }

  /** @param extra further fields, such as the rule that decided */
  write(refusal: Refusal, peer: Peer, extra: object = {}): void {
    this.count++;
    const now = this.#now();
    // A clock that is set back must not take tokens away.
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(BURST, this.#tokens + (elapsed / 1000) * PER_SECOND);
    this.#filledAt = now;
    if (this.#tokens < 1) {
      this.#suppressed++;
      return;
    }
    this.#tokens--;
    const suppressed = this.#suppressed === 0 ? {} : { suppressed: this.#suppressed };
    this.#suppressed = 0;
    const { exchange, rcode, reason, name, key, principal } = refusal;
    const fields = {
      exchange,
      peer: peerToText(peer),
      transport: peer.transport,
      ...(name === undefined ? {} : { name: name.toString() }),
      ...(key === undefined ? {} : { key: key.toString() }),
      ...(principal === undefined ? {} : { principal }),
      rcode: rcodeToText(rcode),
      reason,
      ...extra,
      ...suppressed,
    };
    this.#log.info(fields, `${exchange} refused`);
  }
}
