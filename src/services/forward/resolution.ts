/**
 * One question on its way through the upstream servers of a forward: asked of the one that has been doing best, after a
 * while without an answer of the next as well, and whoever answers first, answers. Bounded in tries and in time.
 *
 *     an answer            done; what the others say later still counts for how they are doing
 *     TC                   the same server again, by TCP (RFC 7766 §5)
 *     FORMERR and the like the same server again, without EDNS (RFC 6891 §7)
 *     SERVFAIL, REFUSED    another server at once
 *     answers that are not to this query, too many: somebody is guessing, so by TCP (RFC 5452 §9.3)
 *     another case of the question's letters than was sent: by TCP as well
 *     silence for long     it is the server, or it is the name: the server is asked something that it must know
 */
import type { Asked } from "../../forward/asked.ts";
import { encodeQuery } from "../../forward/outgoing.ts";
import type { SentQuery } from "../../forward/outgoing.ts";
import { judgeReply } from "../../forward/reply.ts";
import type { ReplyLimits } from "../../forward/reply.ts";
import type { StoredAnswer } from "../../forward/stored-answer.ts";
import { choose, UpstreamHealth } from "../../forward/upstream.ts";
import type { Rated } from "../../forward/upstream.ts";
import { RrType } from "../../wire/iana/type.ts";
import { Name } from "../../wire/name.ts";
import type { Exchange, ForwardTransport, UpstreamAddress } from "./transport.ts";

/** Milliseconds after which a question is given up. */
export const DEADLINE = 5_000;
/** Milliseconds after which a server that said nothing has failed, where there is another; else it has until the end. */
export const PATIENCE = 3_000;
/** Milliseconds of silence after which a server is asked something else, to tell it from a name that nobody answers for. */
export const DOUBT = 1_500;
/** Most tries of one question. */
const MOST_TRIES = 8;
const TRIES_OF_EACH = 2;
const LEAST_TRIES = 3;
/** Answers to something else, after which a query is not left to UDP any longer. */
const MOST_FOREIGN = 8;
/** Milliseconds that a server which does not know EDNS is asked without it. */
const PLAIN_TIME = 15 * 60_000;

/** One upstream server, whichever forwards it serves. */
export class Upstream implements Rated, UpstreamAddress {
  readonly health: UpstreamHealth = new UpstreamHealth();
  readonly address: string;
  readonly port: number;
  /** `192.0.2.1:53` or `[2001:db8::1]:53`. */
  readonly text: string;
  sent = 0;
  answered = 0;
  /** Asked without EDNS until then. */
  plainUntil = 0;
  /** Is being asked whether it is there at all. */
  isProbed = false;

  constructor(address: string, port: number, text: string) {
    this.address = address;
    this.port = port;
    this.text = text;
  }
}

export interface ResolutionCounters {
  /** Queries sent to upstream servers, and of them by TCP. */
  sent: number;
  sentTcp: number;
  /** Messages that were no answer to what was asked. */
  foreign: number;
}

export interface ResolutionDeps {
  readonly transport: ForwardTransport;
  /** Milliseconds, never going back. */
  readonly now: () => number;
  /** So many octets that nobody can guess. */
  readonly random: (octets: number) => Uint8Array;
  readonly limits: ReplyLimits;
  readonly counters: ResolutionCounters;
  /** Queries that may be under way to upstream servers. */
  readonly mostAttempts: number;
  /** All that are. */
  readonly attempts: Set<Exchange>;
  readonly wentDown: (upstream: Upstream) => void;
  readonly cameUp: (upstream: Upstream) => void;
  /** Told of a fault in this program that a message brought to light. */
  readonly fault: (error: unknown) => void;
}

export interface Wish {
  readonly asked: Asked;
  readonly upstreams: readonly Upstream[];
  /** What the upstream servers are asked about; undefined where that is everything. */
  readonly bailiwick: Name | undefined;
  readonly randomizeCase: boolean;
}

export type Resolved =
  | { readonly kind: "answer"; readonly answer: StoredAnswer }
  | { readonly kind: "failed"; readonly reason: string };

/** Begins; `done` is called once, never before this has returned. @returns the way to give up without a word */
export function resolve(wish: Wish, deps: ResolutionDeps, done: (outcome: Resolved) => void): () => void {
  const resolution = new Resolution(wish, deps, done);
  const immediate = setImmediate(() => resolution.start());
  return () => {
    clearImmediate(immediate);
    resolution.abandon();
  };
}

class Resolution {
  readonly #wish: Wish;
  readonly #deps: ResolutionDeps;
  readonly #done: (outcome: Resolved) => void;
  readonly #tries = new Map<Upstream, number>();
  /** Servers that have said that they cannot answer. */
  readonly #useless = new Set<Upstream>();
  #triesLeft: number;
  #underWay = 0;
  #isDone = false;
  #reason = "no upstream server has answered";
  #deadline: NodeJS.Timeout | undefined;
  #next: NodeJS.Timeout | undefined;

  constructor(wish: Wish, deps: ResolutionDeps, done: (outcome: Resolved) => void) {
    this.#wish = wish;
    this.#deps = deps;
    this.#done = done;
    this.#triesLeft = Math.min(MOST_TRIES, Math.max(LEAST_TRIES, wish.upstreams.length * TRIES_OF_EACH));
  }

  start(): void {
    this.#deadline = setTimeout(() => this.#finish({ kind: "failed", reason: this.#reason }), DEADLINE);
    this.#try();
    // Those that failed and are due for a try get it beside the one chosen: nobody waits for them.
    for (const upstream of this.#wish.upstreams) {
      if (!this.#isDone && upstream.health.takeTry(this.#deps.now()))
        this.#attempt(upstream, { isProbe: true, counts: true });
    }
  }

  abandon(): void {
    this.#isDone = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#next);
  }

  #finish(outcome: Resolved): void {
    if (this.#isDone) return;
    this.abandon();
    this.#done(outcome);
  }

  /** Asks one more server, if one is left. */
  #try(): void {
    clearTimeout(this.#next);
    if (this.#isDone) return;
    const candidates = this.#wish.upstreams.filter((upstream) => !this.#useless.has(upstream));
    const upstream = this.#triesLeft > 0 ? choose(candidates, this.#tries) : undefined;
    if (upstream === undefined) {
      if (this.#underWay === 0) this.#finish({ kind: "failed", reason: this.#reason });
      return;
    }
    this.#triesLeft--;
    const before = this.#tries.get(upstream) ?? 0;
    this.#tries.set(upstream, before + 1);
    upstream.health.takeTry(this.#deps.now());
    this.#next = setTimeout(
      () => {
        upstream.health.silent();
        this.#try();
      },
      upstream.health.wait * 2 ** before,
    );
    // Whoever says nothing to a question has failed once, however often it was asked.
    this.#attempt(upstream, { isProbe: false, counts: before === 0 });
  }

  #attempt(upstream: Upstream, { isProbe, counts }: { isProbe: boolean; counts: boolean }): void {
    this.#underWay++;
    new Attempt(upstream, counts ? "counts" : "says nothing", this.#wish, this.#deps, (outcome) => {
      this.#underWay--;
      if (outcome.kind === "answer") {
        this.#finish(outcome);
        return;
      }
      this.#reason = `${upstream.text}: ${outcome.reason}`;
      this.#useless.add(upstream);
      if (!isProbe || this.#underWay === 0) this.#try();
    }).start();
  }
}

/** What it tells of a server that it says nothing to a query; to a probe any answer at all will do. */
type Silence = "counts" | "says nothing" | "is a probe's";

/**
 * A question that a server answers from what it has, if it is there: a resolver knows the root's servers, and who is asked
 * about one suffix alone knows that.
 */
function probeOf({ bailiwick }: Wish): Asked {
  const question =
    bailiwick === undefined ? { name: Name.root, type: RrType.NS } : { name: bailiwick, type: RrType.SOA };
  return { ...question, dnssecOk: false, checkingDisabled: false };
}

/** One server asked once: by UDP, and where that is not enough by TCP. */
class Attempt implements Exchange {
  readonly #upstream: Upstream;
  readonly #silence: Silence;
  readonly #wish: Wish;
  readonly #deps: ResolutionDeps;
  readonly #done: (outcome: Resolved) => void;
  #exchange: Exchange | undefined;
  #patience: NodeJS.Timeout | undefined;
  #doubt: NodeJS.Timeout | undefined;
  #foreign = 0;
  #sentAt = 0;
  #isDone = false;

  constructor(
    upstream: Upstream,
    silence: Silence,
    wish: Wish,
    deps: ResolutionDeps,
    done: (outcome: Resolved) => void,
  ) {
    this.#upstream = upstream;
    this.#silence = silence;
    this.#wish = wish;
    this.#deps = deps;
    this.#done = done;
  }

  start(): void {
    const { now, attempts, mostAttempts } = this.#deps;
    if (attempts.size >= mostAttempts) {
      this.#fail("too many queries to upstream servers are under way", false);
      return;
    }
    attempts.add(this);
    const patience = this.#wish.upstreams.length > 1 ? PATIENCE : DEADLINE;
    this.#patience = setTimeout(() => this.#fail("no answer", this.#silence === "counts"), patience);
    if (this.#silence === "counts") this.#doubt = setTimeout(() => this.#probe(), DOUBT);
    this.#send("udp", now() >= this.#upstream.plainUntil);
  }

  /** Otherwise three names whose own servers are dead would make a server that is well count as down. */
  #probe(): void {
    const upstream = this.#upstream;
    if (upstream.isProbed || upstream.health.hasAnsweredSince(this.#sentAt)) return;
    upstream.isProbed = true;
    const wish = { ...this.#wish, asked: probeOf(this.#wish) };
    new Attempt(upstream, "is a probe's", wish, this.#deps, () => undefined).start();
  }

  close(): void {
    this.#isDone = true;
    if (this.#silence === "is a probe's") this.#upstream.isProbed = false;
    clearTimeout(this.#patience);
    clearTimeout(this.#doubt);
    this.#exchange?.close();
    this.#deps.attempts.delete(this);
  }

  #send(by: "udp" | "tcp", edns: boolean): void {
    const { transport, random, counters, now } = this.#deps;
    const { asked, randomizeCase } = this.#wish;
    this.#exchange?.close();
    const chance = random(2);
    const sent = encodeQuery(asked, {
      id: (chance[0]! << 8) | chance[1]!,
      edns,
      // By TCP nobody else can answer, and a server that does not repeat the case is to be heard there.
      caseBits: randomizeCase && by === "udp" ? random((asked.name.wire.length >> 3) + 1) : undefined,
    });
    counters.sent++;
    this.#upstream.sent++;
    if (by === "tcp") counters.sentTcp++;
    this.#sentAt = now();
    this.#exchange = transport[by](this.#upstream, sent.message, {
      received: (bytes) => {
        try {
          this.#received(bytes, sent, by);
        } catch (error) {
          this.#deps.fault(error);
          this.#fail("its answer could not be handled", false);
        }
      },
      failed: (error) => this.#fail(reasonOf(error), !isOwnFault(error)),
    });
  }

  #received(bytes: Uint8Array, sent: SentQuery, by: "udp" | "tcp"): void {
    if (this.#isDone) return;
    const { asked, bailiwick } = this.#wish;
    const { counters, limits, now } = this.#deps;
    const upstream = this.#upstream;
    const verdict = judgeReply(bytes, sent, asked, bailiwick, limits);
    if (verdict.kind === "foreign") {
      counters.foreign++;
      if (by === "tcp") this.#fail("an answer to something else, by TCP", true);
      else if (++this.#foreign === MOST_FOREIGN) this.#send("tcp", sent.edns);
      return;
    }
    if (verdict.kind === "otherCase") {
      counters.foreign++;
      this.#send("tcp", sent.edns);
      return;
    }
    const unwilling = verdict.kind === "failed" && verdict.unwilling && this.#silence !== "is a probe's";
    if (!unwilling) this.#heard(by);
    switch (verdict.kind) {
      case "truncated":
        if (by === "udp") this.#send("tcp", sent.edns);
        else this.#fail("an answer cut short, by TCP", true);
        return;
      case "failed":
        if (verdict.tryPlain) this.#send(by, false);
        else this.#fail(verdict.reason, unwilling);
        return;
      case "answer":
        upstream.answered++;
        if (!sent.edns && now() >= upstream.plainUntil) upstream.plainUntil = now() + PLAIN_TIME;
        this.#end(verdict);
        return;
    }
  }

  /** The server is alive. Only by UDP is the time it took that of one round trip. */
  #heard(by: "udp" | "tcp"): void {
    const { health } = this.#upstream;
    const roundTrip = this.#deps.now() - this.#sentAt;
    const { now, cameUp } = this.#deps;
    const isKnown = by === "tcp" && health.roundTrip !== undefined;
    if (health.answered(isKnown ? health.roundTrip! : roundTrip, now())) cameUp(this.#upstream);
  }

  #fail(reason: string, counts: boolean): void {
    if (this.#isDone) return;
    const { now, wentDown } = this.#deps;
    if (counts && this.#upstream.health.failed(reason, now(), this.#sentAt)) wentDown(this.#upstream);
    this.#end({ kind: "failed", reason });
  }

  #end(outcome: Resolved): void {
    this.close();
    this.#done(outcome);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing answers on its port",
  EHOSTUNREACH: "it cannot be reached",
  ENETUNREACH: "there is no way to its network",
};

/** This machine has no socket or no memory left: that says nothing of the server. */
const OWN_FAULTS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL"]);

function isOwnFault(error: Error): boolean {
  return "code" in error && OWN_FAULTS.has(String(error.code));
}

function reasonOf(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return REASONS[code] ?? error.message;
}
