/** One log line for each wish that was not granted, with its reason; and no more than the disk and the reader can bear. */
import type { Peer } from "../protocol/context.ts";
import { peerToText } from "../protocol/context.ts";
import type { Refusal } from "../protocol/dispatch.ts";
import { rcodeToText } from "../wire/iana/code.ts";
import { LineBudget } from "./line-budget.ts";

export interface RefusalLogger {
  info(fields: object, message: string): void;
}

export class RefusalLog {
  /** All refusals, written or not. */
  count = 0;
  readonly #log: RefusalLogger;
  readonly #budget: LineBudget;

  /** @param now milliseconds */
  constructor(log: RefusalLogger, now: () => number) {
    this.#log = log;
    this.#budget = new LineBudget(now);
  }

  /** @param extra further fields, such as the rule that decided */
  write(refusal: Refusal, peer: Peer, extra: object = {}): void {
    this.count++;
    const suppressed = this.#budget.take();
    if (suppressed === undefined) return;
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
