/**
 * How many negotiations may be tried in a second: by one source, and in all. Accepting a token is work for the thread
 * that also owns every update, and costs the sender nothing.
 */
import { sourceNetwork } from "../acl.ts";

export interface NegotiationRates {
  readonly perSecond: number;
  readonly perAddressPerSecond: number;
}

export class NegotiationAllowance {
  rates: NegotiationRates;
  #second = -1;
  #total = 0;
  /** Sources of this second. Only those that were let through are here, so the total bounds it. */
  readonly #sources = new Map<string, number>();

  constructor(rates: NegotiationRates) {
    this.rates = rates;
  }

  /**
   * Counts one negotiation.
   * @param address numeric; an IPv6 source is its /64, since who has one address of it has all
   * @param now seconds, whole
   * @returns why it may not be tried; undefined where it may
   */
  take(address: string, now: number): string | undefined {
    if (now !== this.#second) {
      this.#second = now;
      this.#total = 0;
      this.#sources.clear();
    }
    const source = sourceNetwork(address);
    const taken = this.#sources.get(source) ?? 0;
    const { perSecond, perAddressPerSecond } = this.rates;
    if (taken >= perAddressPerSecond)
      return `more than ${perAddressPerSecond} negotiations a second from ${source}`;
    if (this.#total >= perSecond) return `more than ${perSecond} negotiations a second in all`;
    this.#sources.set(source, taken + 1);
    this.#total++;
    return undefined;
  }
}
