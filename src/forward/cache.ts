/**
 * Answers of other servers, each under the very question it was given to, for as long as it may be kept, and past its
 * time for when nobody answers (RFC 8767). Bounded in octets: those not asked for since the hand came round go first.
 */
import type { StoredAnswer } from "./stored-answer.ts";

/** What an entry takes beside its octets: objects, map slots. Measured with 100,000 entries on Node 24. */
const ENTRY_OVERHEAD = 720;
const OCTETS_PER_TTL = 8;

export interface CacheEntry<Source> {
  readonly answer: StoredAnswer;
  /** Whom it is from. */
  readonly source: Source;
  /** Milliseconds. */
  readonly storedAt: number;
  readonly expiresAt: number;
  readonly size: number;
  /** Asked for since it was last looked at for removal. */
  used: boolean;
  /** For whoever counts how often it was given. */
  hits: number;
}

export interface CacheLimits {
  /** Octets. */
  readonly size: number;
  /** Milliseconds that an answer is kept past its time. */
  readonly maxStale: number;
}

export class AnswerCache<Source> {
  limits: CacheLimits;
  /** Octets in use, as far as they can be told. */
  size = 0;
  /** Entries that went to make room. */
  evicted = 0;
  readonly #entries = new Map<string, CacheEntry<Source>>();

  constructor(limits: CacheLimits) {
    this.limits = limits;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** The answer to a question, fresh or stale (see `expiresAt`); undefined where there is none to be used. `now`: milliseconds */
  get(key: string, now: number): CacheEntry<Source> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (now >= entry.expiresAt + this.limits.maxStale) {
      this.delete(key);
      return undefined;
    }
    entry.used = true;
    return entry;
  }

  /** Keeps an answer that may be kept, in place of an older one. `now`: milliseconds */
  put(key: string, answer: StoredAnswer, source: Source, now: number): void {
    this.delete(key);
    if (answer.ttl <= 0) return;
    const size = ENTRY_OVERHEAD + key.length + answer.body.length + answer.ttlsAt.length * OCTETS_PER_TTL;
    if (size > this.limits.size) return;
    const expiresAt = now + answer.ttl * 1000;
    this.#entries.set(key, { answer, source, storedAt: now, expiresAt, size, used: false, hits: 0 });
    this.size += size;
    this.#makeRoom();
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.size -= entry.size;
  }

  clear(): void {
    this.#entries.clear();
    this.size = 0;
  }

  /** Takes new limits, and what is too much out. */
  limit(limits: CacheLimits): void {
    this.limits = limits;
    this.#makeRoom();
  }

  /** Second chance: the oldest entry goes, unless it was used; then it is the youngest again, and not used. */
  #makeRoom(): void {
    while (this.size > this.limits.size) {
      const [key, entry] = this.#entries.entries().next().value!;
      if (entry.used && this.#entries.size > 1) {
        entry.used = false;
        this.#entries.delete(key);
        this.#entries.set(key, entry);
        continue;
      }
      this.delete(key);
      this.evicted++;
    }
  }
}

/** Questions that could not be answered lately, so that they are not asked again at once (RFC 9520 §3.2). Bounded. */
export class FailureMemory {
  readonly #most: number;
  readonly #failures = new Map<string, { readonly until: number; readonly reason: string }>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Why a question is not to be asked now; undefined where it may be. `now`: milliseconds */
  get(key: string, now: number): string | undefined {
    const failure = this.#failures.get(key);
    if (failure === undefined) return undefined;
    if (now < failure.until) return failure.reason;
    this.#failures.delete(key);
    return undefined;
  }

  put(key: string, reason: string, until: number): void {
    this.#failures.delete(key);
    this.#failures.set(key, { until, reason });
    if (this.#failures.size > this.#most) this.#failures.delete(this.#failures.keys().next().value!);
  }

  clear(): void {
    this.#failures.clear();
  }
}
