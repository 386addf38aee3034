/**
 * The table of established contexts: bounded in all, for each address and for each principal (whoever has a network of IPv6
 * has addresses without number), by name, the least recently used first.
 *
 * A context gets here only after its client proved who it is, and takes nobody's place but that of its own principal
 * or of one that has been idle. Whatever leaves the table is given back a little later, since a message that it
 * verified may be waiting for its signed answer.
 */
import type { Name } from "../../wire/name.ts";
import type { GssContext } from "./context.ts";

/** Seconds after its last use during which a context's place is its own. */
const IDLE = 60;
/** Seconds after leaving the table until the context is given back. */
const LINGER = 60;

export interface GssContextLimits {
  readonly contexts: number;
  /** Of one address, and of one principal. */
  readonly contextsPerAddress: number;
}

interface Place {
  readonly context: GssContext;
  /** Seconds since 1970 UTC. */
  usedAt: number;
}

export class GssContexts {
  limits: GssContextLimits;
  /** How many were put out before their time to make room. */
  evicted = 0;
  /** By `Name.key`, the least recently used first. */
  readonly #places = new Map<string, Place>();
  readonly #byAddress = new Map<string, Set<string>>();
  readonly #byPrincipal = new Map<string, Set<string>>();
  /** Out of the table, not given back yet; the oldest first. */
  readonly #leaving: { readonly context: GssContext; readonly at: number }[] = [];

  /** When what has expired was last taken out. */
  #sweptAt = -Infinity;

  constructor(limits: GssContextLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Contexts that the library holds memory for: those of the table, and those about to be given back. */
  get held(): number {
    return this.#places.size + this.#leaving.length;
  }

  /**
   * The context for a key and algorithm named in a TSIG; undefined is BADKEY (RFC 8945 §5.2.1).
   * @param now seconds since 1970 UTC, as everywhere here
   */
  find(keyName: Name, algorithm: Name, now: number): GssContext | undefined {
    const place = this.#live(keyName.key, now);
    return place?.context.algorithmName.equals(algorithm) === true ? place.context : undefined;
  }

  /** Notes that a context has signed something that holds. */
  touch({ keyName }: GssContext, now: number): void {
    const place = this.#places.get(keyName.key);
    if (place === undefined) return;
    place.usedAt = now;
    this.#places.delete(keyName.key);
    this.#places.set(keyName.key, place);
  }

  /** Whom the context of a name is of; undefined where there is none. */
  principalOf(keyName: Name, now: number): string | undefined {
    return this.#live(keyName.key, now)?.context.principal;
  }

  /**
   * Takes in a context whose name is free.
   * @returns false where there is no room for it: it is the caller's still
   */
  add(context: GssContext, now: number): boolean {
    // Once a second at most: it goes through all of them.
    if (now !== this.#sweptAt) this.sweep(now);
    else this.#giveBack(now);
    const { address, principal } = context;
    const here = this.#byAddress.get(address);
    const own = this.#byPrincipal.get(principal);
    const most = this.limits.contextsPerAddress;
    if (here !== undefined && here.size >= most) {
      if (!this.#evict(this.#ownOf(context, here) ?? this.#idle(here, now), now)) return false;
    }
    if (own !== undefined && own.size >= most) this.#evict(this.#oldest(own), now);
    if (this.#places.size >= this.limits.contexts) {
      if (!this.#evict(this.#oldest(own) ?? this.#idle(undefined, now), now)) return false;
    }
    const { key } = context.keyName;
    this.#places.set(key, { context, usedAt: now });
    note(this.#byAddress, address, key);
    note(this.#byPrincipal, principal, key);
    return true;
  }

  /** Takes a context out. */
  delete(keyName: Name, now: number): void {
    if (this.#places.has(keyName.key)) this.#remove(keyName.key, now);
  }

  /** Takes out what has expired, and gives back what left long enough ago. */
  sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, { context, usedAt }] of this.#places) {
      // One that was used in the future is of a clock that was set back since: its end is no end.
      if (context.expires <= now || usedAt > now + IDLE) this.#remove(key, now);
    }
    this.#giveBack(now);
  }

  /** Gives everything back at once: when nothing is to be signed any more. */
  clear(): void {
    for (const { context } of this.#leaving) context.release();
    for (const { context } of this.#places.values()) context.release();
    this.#leaving.length = 0;
    this.#places.clear();
    this.#byAddress.clear();
    this.#byPrincipal.clear();
  }

  #live(key: string, now: number): Place | undefined {
    const place = this.#places.get(key);
    if (place === undefined || place.context.expires > now) return place;
    this.#remove(key, now);
    return undefined;
  }

  /** @returns whether there was one to be put out */
  #evict(victim: string | undefined, now: number): boolean {
    if (victim === undefined) return false;
    this.evicted++;
    this.#remove(victim, now);
    return true;
  }

  /** The least recently used context of the same principal at the same address. */
  #ownOf({ principal }: GssContext, here: ReadonlySet<string>): string | undefined {
    return this.#oldest(here, (place) => place.context.principal === principal);
  }

  /** The least recently used context that has been idle, of some names or of all. */
  #idle(names: ReadonlySet<string> | undefined, now: number): string | undefined {
    if (names !== undefined) return this.#oldest(names, (place) => now - place.usedAt >= IDLE);
    const [first] = this.#places;
    return first !== undefined && now - first[1].usedAt >= IDLE ? first[0] : undefined;
  }

  #oldest(names: Iterable<string> = [], fits: (place: Place) => boolean = () => true): string | undefined {
    let oldest: string | undefined;
    let usedAt = Infinity;
    for (const key of names) {
      const place = this.#places.get(key)!;
      if (place.usedAt >= usedAt || !fits(place)) continue;
      oldest = key;
      usedAt = place.usedAt;
    }
    return oldest;
  }

  #remove(key: string, now: number): void {
    const { context } = this.#places.get(key)!;
    this.#places.delete(key);
    forget(this.#byAddress, context.address, key);
    forget(this.#byPrincipal, context.principal, key);
    this.#leaving.push({ context, at: now });
  }

  /** What left long enough ago; and of more than the table has places, the oldest. */
  #giveBack(now: number): void {
    const most = this.limits.contexts;
    while (this.#leaving.length > 0) {
      // A clock that was set back must not keep them for ever.
      const age = Math.abs(now - this.#leaving[0]!.at);
      if (age < LINGER && this.#leaving.length <= most) break;
      this.#leaving.shift()!.context.release();
    }
  }
}

function note(sets: Map<string, Set<string>>, whose: string, key: string): void {
  const keys = sets.get(whose);
  if (keys === undefined) sets.set(whose, new Set([key]));
  else keys.add(key);
}

function forget(sets: Map<string, Set<string>>, whose: string, key: string): void {
  const keys = sets.get(whose)!;
  keys.delete(key);
  if (keys.size === 0) sets.delete(whose);
}
