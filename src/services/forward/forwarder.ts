/**
 * Names of others, for clients that may have them: from the cache, or from the upstream servers of the forward they
 * belong to. Whoever asks what is being asked already waits with the others. What is learnt stays here: it never gets
 * into a zone or an answer from one.
 *
 *     fresh in the cache      at once
 *     past its time           asked again; after 1.8 s, or where nobody answers, as it was (RFC 8767)
 *     not there               asked; where nobody answers SERVFAIL, and for a while not again (RFC 9520)
 *     one label, no suffix    NXDOMAIN at once: no server knows hosts by one label, and who waits asks the whole link
 */
import { sourceLimits } from "../../auth/source-counts.ts";
import type { CacheConfig, ForwardConfig } from "../../config/config.ts";
import type { ForwardStatus } from "../../control/verbs.ts";
import { askedOf, keyOf, nameKeyOf } from "../../forward/asked.ts";
import type { ClientQuery } from "../../forward/asked.ts";
import { AnswerCache, FailureMemory } from "../../forward/cache.ts";
import type { CacheEntry } from "../../forward/cache.ts";
import { madeUpNegative, writeAnswer, writeError, writeRefusal } from "../../forward/stored-answer.ts";
import type { StoredAnswer } from "../../forward/stored-answer.ts";
import type { Peer } from "../../protocol/context.ts";
import { NOT_FOR_YOU } from "../../protocol/query.ts";
import type { QuestionReader } from "../../protocol/question.ts";
import type { ExtendedError } from "../../wire/edns.ts";
import { Ede, Rcode } from "../../wire/iana/code.ts";
import { RrType } from "../../wire/iana/type.ts";
import { nameOfKey } from "../../wire/name.ts";
import type { Name } from "../../wire/name.ts";
import type { Forward } from "./forwards.ts";
import { allows, Forwards } from "./forwards.ts";
import { resolve } from "./resolution.ts";
import type { ResolutionDeps, Resolved, Upstream } from "./resolution.ts";
import type { Exchange, ForwardTransport } from "./transport.ts";
import type { Queue, Send, WaiterLimits } from "./waiters.ts";
import { Waiters } from "./waiters.ts";

/** Milliseconds a client waits before it gets what is past its time (RFC 8767 §5, client response timer). */
export const STALE_AFTER = 1_800;
/** What TTLs of such an answer become, in seconds (RFC 8767 §5.2). */
const STALE_TTL = 30;
/** Milliseconds for which a question that failed is not asked again: with an answer past its time at hand, and without. */
const RECHECK_STALE = 30_000;
const RECHECK = 5_000;
/** Answers from the cache after which it is told that an answer is asked for often: the first, and each so many. */
const REMEMBER_EVERY = 64;
/** Failed questions that are remembered. */
const MOST_FAILURES = 10_000;
/** Queries to upstream servers, and clients that wait, for each question that may be under way. */
const ATTEMPTS_OF_EACH = 3;
const WAITERS_OF_EACH = 4;

export interface ForwardCounters {
  /** Queries for names of others. */
  queries: number;
  /** Answered from the cache in time, and past its time. */
  hits: number;
  stale: number;
  /** Waited for a question that was under way already. */
  shared: number;
  /** SERVFAIL because no server answered; because too many were waiting. */
  failed: number;
  overload: number;
  /** Clients that may not. */
  refused: number;
  sent: number;
  sentTcp: number;
  foreign: number;
}

export interface ForwarderDeps {
  readonly transport: ForwardTransport;
  /** Milliseconds, never going back. */
  readonly now: () => number;
  readonly random: (octets: number) => Uint8Array;
  /** Takes an answer that is asked for often, and may give it to others who ask, while it holds. */
  readonly remember: (popular: PopularAnswer) => void;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** An answer in the cache that is asked for often. */
export interface PopularAnswer {
  /** Of the question, see `forward/asked`. */
  readonly key: string;
  readonly answer: StoredAnswer;
  /** Milliseconds since it was given. */
  readonly age: number;
  /** Index of the forward whose clients it is for. */
  readonly group: number;
  /** Of the forwards, see {@link Forwarder.generation}. */
  readonly generation: number;
}

/** What the configuration says. */
export interface ForwarderSettings {
  readonly forwards: readonly ForwardConfig[];
  readonly cache: CacheConfig;
  /** Questions that may be under way, and queries of clients that may wait for them. */
  readonly queries: number;
  readonly queriesPerClient: number;
}

/** A question under way. */
interface Pending extends Queue {
  readonly forward: Forward;
  /** Runs until those who wait get what is past its time. */
  patience: NodeJS.Timeout | undefined;
  /** They got it; so does whoever comes now. */
  isLate: boolean;
  readonly abandon: () => void;
}

const STOPPING = "the server is stopping";
const NO_SUCH_NAME = madeUpNegative(Rcode.NXDOMAIN);
const NO_DATA = madeUpNegative(Rcode.NOERROR);

export class Forwarder {
  readonly counters: ForwardCounters = {
    queries: 0,
    hits: 0,
    stale: 0,
    shared: 0,
    failed: 0,
    overload: 0,
    refused: 0,
    sent: 0,
    sentTcp: 0,
    foreign: 0,
  };
  readonly #deps: ForwarderDeps;
  readonly #cache = new AnswerCache<Forward>({ size: 0, maxStale: 0 });
  readonly #failures = new FailureMemory(MOST_FAILURES);
  /** Questions under way, and of them those that others may join: not those of forwards that are no more. */
  readonly #underWay = new Set<Pending>();
  readonly #pending = new Map<string, Pending>();
  readonly #attempts = new Set<Exchange>();
  readonly #forwards = new Forwards();
  readonly #waiters: Waiters;
  #turn = 0;
  #isClosed = false;
  #settings: ForwarderSettings | undefined;

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
    const limits = (): WaiterLimits => {
      const { queries = 0, queriesPerClient = 0 } = this.#settings ?? {};
      return { all: queries * WAITERS_OF_EACH, ofEach: sourceLimits(queriesPerClient, queries) };
    };
    this.#waiters = new Waiters(limits, (error) => this.#fault(error));
  }

  /** Counts up where forwards change: what was answered before holds no more. */
  get generation(): number {
    return this.#forwards.generation;
  }

  /** Takes the settings. Servers that stay keep what is known of them; the cache begins anew where forwards change. */
  configure(settings: ForwarderSettings): void {
    this.#settings = settings;
    const { size, maxStale } = settings.cache;
    this.#cache.limit({ size, maxStale });
    if (!this.#forwards.configure(settings.forwards)) return;
    this.#cache.clear();
    this.#failures.clear();
    this.#pending.clear();
  }

  /** Takes the zones that are served beside: the names above them exist. */
  besides(zones: readonly Name[]): void {
    this.#forwards.besides(zones);
  }

  /** Answers one query, now or later. */
  handle(
    query: {
      readonly message: Uint8Array;
      readonly question: QuestionReader;
      readonly peer: Peer;
      readonly room: number;
    },
    sink: { send(answer: Uint8Array): void },
  ): void {
    const { message, question, peer, room } = query;
    this.counters.queries++;
    const { questionEnd, edns, dnssecOk } = question;
    const client: ClientQuery = { message, questionEnd, edns, dnssecOk, room };
    const key = keyOf(client);
    const now = this.#deps.now();
    const entry = this.#cache.get(key, now);
    if (entry === undefined || now >= entry.expiresAt) {
      this.#ask(key, client, peer.address, entry, (answer) => sink.send(answer));
      return;
    }
    if (!allows(entry.source.config.clients, peer.address)) {
      sink.send(this.#refuse(client));
      return;
    }
    this.counters.hits++;
    if (entry.hits++ % REMEMBER_EVERY === 0) {
      const { answer, source, storedAt } = entry;
      const { group } = source;
      this.#deps.remember({ key, answer, age: now - storedAt, group, generation: this.generation });
    }
    const age = Math.floor((now - entry.storedAt) / 1000);
    sink.send(writeAnswer(entry.answer, client, { age, turn: this.#turn++ }));
  }

  /** @param entry an answer past its time */
  #ask(
    key: string,
    client: ClientQuery,
    address: string,
    entry: CacheEntry<Forward> | undefined,
    send: Send,
  ): void {
    const now = this.#deps.now();
    const name = nameKeyOf(key);
    const route = this.#forwards.find(name);
    const isForAll = route === undefined || route.suffix.length === 1;
    if (isForAll && isHostOfOneLabel(client, name)) {
      const made = this.#forwards.isAbove(name) ? NO_DATA : NO_SUCH_NAME;
      send(this.#forwards.mayAsk(address) ? writeAnswer(made, client, { age: 0 }) : this.#refuse(client));
      return;
    }
    if (route === undefined || !allows(route.target.config.clients, address)) {
      send(this.#refuse(client));
      return;
    }
    const forward = route.target;
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      if (entry !== undefined && pending.isLate) send(this.#tellStale(entry, client));
      else if (this.#waiters.join(pending, client, address, send)) this.counters.shared++;
      else this.#turnAway(client, entry, send);
      return;
    }
    const allDown = forward.upstreams.every(({ health }) => health.isDown);
    const nobodyToTry = forward.upstreams.every(({ health }) => health.isGivenUp(now));
    const failure = this.#isClosed
      ? STOPPING
      : (this.#failures.get(key, now) ?? (nobodyToTry ? describeDown(forward.upstreams) : undefined));
    if (failure !== undefined) {
      send(this.#tellFailure(entry, client, failure));
      return;
    }
    const { queries = 0 } = this.#settings ?? {};
    // Who has too many waiting starts no more: they would take the place of others' questions.
    if (this.#underWay.size >= queries || !this.#waiters.mayWait(address)) {
      this.#turnAway(client, entry, send);
      return;
    }
    const started = this.#start(key, client, forward, nameOfKey(route.suffix));
    if (entry !== undefined && allDown) {
      started.isLate = true;
      send(this.#tellStale(entry, client));
      return;
    }
    this.#waiters.join(started, client, address, send);
    if (entry !== undefined) started.patience = setTimeout(() => this.#late(started, entry), STALE_AFTER);
  }

  #start(key: string, client: ClientQuery, forward: Forward, suffix: Name): Pending {
    const { config, upstreams } = forward;
    const wish = {
      asked: askedOf(client),
      upstreams,
      bailiwick: suffix.isRoot ? undefined : suffix,
      randomizeCase: config.randomizeCase,
    };
    const pending: Pending = {
      forward,
      waiters: [],
      patience: undefined,
      isLate: false,
      abandon: resolve(wish, this.#resolutionDeps(), (outcome) => this.#resolved(key, pending, outcome)),
    };
    this.#pending.set(key, pending);
    this.#underWay.add(pending);
    return pending;
  }

  #resolutionDeps(): ResolutionDeps {
    const { transport, now, random, log } = this.#deps;
    const { cache, queries } = this.#settings!;
    return {
      transport,
      now,
      random,
      limits: {
        maxTtl: Math.floor(cache.maxTtl / 1000),
        maxNegativeTtl: Math.floor(cache.maxNegativeTtl / 1000),
      },
      counters: this.counters,
      mostAttempts: queries * ATTEMPTS_OF_EACH,
      attempts: this.#attempts,
      wentDown: (upstream) =>
        log.warn(
          { upstream: upstream.text, reason: upstream.health.lastFailure },
          "an upstream server does not answer: it is asked only now and then",
        ),
      fault: (error) => this.#fault(error),
      cameUp: (upstream) => {
        // What failed for want of it may be asked again.
        this.#failures.clear();
        log.info({ upstream: upstream.text }, "an upstream server answers again");
      },
    };
  }

  #fault(error: unknown): void {
    const what = "an answer of another server could not be handled: this is a fault in the server";
    this.#deps.log.error({ err: error }, what);
  }

  /** RFC 8767 §5: it takes long, so those who wait get the old answer; the new one will be for those who come later. */
  #late(pending: Pending, entry: CacheEntry<Forward>): void {
    pending.isLate = true;
    this.#waiters.release(pending, (client) => this.#tellStale(entry, client));
  }

  #resolved(key: string, pending: Pending, outcome: Resolved): void {
    clearTimeout(pending.patience);
    this.#underWay.delete(pending);
    if (this.#pending.get(key) === pending) this.#pending.delete(key);
    const now = this.#deps.now();
    const isCurrent = this.#forwards.find(nameKeyOf(key))?.target === pending.forward;
    if (outcome.kind === "answer") {
      if (isCurrent) this.#cache.put(key, outcome.answer, pending.forward, now);
      const turn = (): number => this.#turn++;
      this.#waiters.release(pending, (client) =>
        writeAnswer(outcome.answer, client, { age: 0, turn: turn() }),
      );
      return;
    }
    const entry = isCurrent ? this.#cache.get(key, now) : undefined;
    this.#failures.put(key, outcome.reason, now + (entry === undefined ? RECHECK : RECHECK_STALE));
    this.#waiters.release(pending, (client) => this.#tellFailure(entry, client, outcome.reason));
  }

  #tellFailure(entry: CacheEntry<Forward> | undefined, client: ClientQuery, reason: string): Uint8Array {
    if (entry !== undefined) return this.#tellStale(entry, client);
    this.counters.failed++;
    return writeError(client, Rcode.SERVFAIL, { code: Ede.NO_REACHABLE_AUTHORITY, text: reason });
  }

  #tellStale({ answer }: CacheEntry<Forward>, client: ClientQuery): Uint8Array {
    this.counters.stale++;
    return writeAnswer(answer, client, {
      age: 0,
      staleTtl: STALE_TTL,
      turn: this.#turn++,
      ede: staleError(answer),
    });
  }

  #turnAway(client: ClientQuery, entry: CacheEntry<Forward> | undefined, send: Send): void {
    this.counters.overload++;
    if (entry !== undefined) {
      send(this.#tellStale(entry, client));
      return;
    }
    const text = "too many queries wait for other servers: see forward_queries in [limits]";
    send(writeError(client, Rcode.SERVFAIL, { code: Ede.OTHER, text }));
  }

  #refuse(client: ClientQuery): Uint8Array {
    this.counters.refused++;
    return writeRefusal(client, NOT_FOR_YOU);
  }

  /** Undefined where nothing is forwarded. */
  report(): ForwardStatus | undefined {
    const upstreams = this.#forwards.report();
    const { cache } = this.#settings ?? {};
    if (upstreams === undefined || cache === undefined) return undefined;
    return {
      upstreams,
      cache: { entries: this.#cache.count, size: this.#cache.size, limit: cache.size },
      waiting: this.#waiters.count,
    };
  }

  /** Gives up what is under way: who waits, and whoever comes yet, gets SERVFAIL at once and can ask another server. */
  close(): void {
    this.#isClosed = true;
    for (const pending of this.#underWay) {
      clearTimeout(pending.patience);
      pending.abandon();
      this.#waiters.release(pending, (client) => this.#tellFailure(undefined, client, STOPPING));
    }
    this.#underWay.clear();
    this.#pending.clear();
    for (const attempt of this.#attempts) attempt.close();
  }
}

/** Types that are asked of a zone, not of a host: those of one label are delegations of the root. */
const OF_ZONES: ReadonlySet<number> = new Set([RrType.NS, RrType.SOA, RrType.DS, RrType.DNSKEY]);

function isHostOfOneLabel({ message, questionEnd }: ClientQuery, nameKey: string): boolean {
  const first = nameKey.charCodeAt(0);
  if (first === 0 || nameKey.length !== first + 2) return false;
  return !OF_ZONES.has((message[questionEnd - 4]! << 8) | message[questionEnd - 3]!);
}

/** RFC 8914 §4.4, §4.20. */
function staleError({ rcode }: StoredAnswer): ExtendedError {
  const code = rcode === Rcode.NXDOMAIN ? Ede.STALE_NXDOMAIN_ANSWER : Ede.STALE_ANSWER;
  return { code, text: "no upstream server answers: this is past its time" };
}

function describeDown(upstreams: readonly Upstream[]): string {
  const each = upstreams.map(({ text, health }) => `${text}: ${health.lastFailure ?? "no answer"}`);
  return each.join("; ");
}
