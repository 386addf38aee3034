/**
 * One zone at one secondary: tells it of changes by NOTIFY (RFC 1996) until it acknowledges.
 *
 * One NOTIFY is under way at a time. What changes meanwhile is one mark, and the newest serial goes out as soon as the
 * answer is there; so a thousand changes a second cost a secondary no more than it can take.
 *
 *     told                     sent at once, or MIN_INTERVAL after the last
 *     no answer                again after 250 ms, 500 ms, 1 s … 60 s, each a little early or late, for ever
 *     NOERROR                  acknowledged; the next one if there was a change meanwhile
 *     any other answer         again after 15 s, 30 s … 15 min, or at a change when the last try was a while ago
 */
import { randomInt } from "node:crypto";
import { ClientTransaction } from "../auth/tsig/client.ts";
import type { TsigKey } from "../auth/tsig/key.ts";
import { encodeNotify, readNotifyResponse } from "../protocol/notify.ts";
import { WireError } from "../wire/error.ts";
import { rcodeToText } from "../wire/iana/code.ts";
import { decodeMessage } from "../wire/message.ts";
import type { Name } from "../wire/name.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { ResourceRecord } from "../wire/record.ts";

/** Milliseconds from one NOTIFY to the next fresh one: what a busy zone costs a secondary. */
export const MIN_INTERVAL = 10;
/** Milliseconds to the first retransmission: a lost datagram is to cost little. RFC 1996 §3.6 leaves the interval open. */
export const FIRST_TIMEOUT = 250;
export const MAX_TIMEOUT = 60_000;
/** Milliseconds to the next try after an answer that was not NOERROR. */
export const FIRST_REFUSED_WAIT = 15_000;
const MAX_REFUSED_WAIT = 15 * 60_000;
/** Tries without an answer after which a secondary counts as unreachable: 3.75 s. */
const UNREACHABLE_AFTER = 4;
/** A secondary that has been silent is told of a change at once when the last try was this many milliseconds ago. */
const FRESH_AFTER_SILENCE = 1000;
const FRESH_AFTER_REFUSAL = 10_000;
/** A signed message is repeated as it is for this many milliseconds, so that a late answer to it still verifies. */
const SIGNATURE_LIFE = 60_000;
/** Milliseconds from the acknowledgement until a secondary that has not fetched the zone counts as behind. */
const FETCH_GRACE = 10_000;

/**
 * - `current`: it has fetched the current serial
 * - `notified`: it has acknowledged the current serial
 * - `behind`: it has acknowledged the current serial a while ago, and fetched only an older one
 * - `notifying`: a NOTIFY is under way
 * - `refusing`: it answered with an error
 * - `unreachable`: it does not answer
 * - `waiting`: nothing is known of the zone that it could be told
 */
export type SecondaryStanding =
  | "current"
  | "notified"
  | "behind"
  | "notifying"
  | "refusing"
  | "unreachable"
  | "waiting";

export interface NotifyCounters {
  sent: number;
  acknowledged: number;
  /** Answers other than NOERROR. */
  refused: number;
  /** Tries that ran into their time-out. */
  unanswered: number;
  /** Datagrams that answered nothing, or whose signature did not hold. */
  ignored: number;
}

export interface NotifyLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What a secondary needs of its surroundings. */
export interface SecondarySurroundings {
  /** The zone's newest SOA; undefined while the zone is not in the store. */
  readonly soa: () => ResourceRecord | undefined;
  readonly send: (message: Uint8Array, failed: (error: Error) => void) => void;
  /** Claims an ID for answers to come from this secondary's address, until {@link release}. */
  readonly claim: (id: number) => boolean;
  readonly release: (id: number) => void;
  /** Called when the secondary acknowledged or fetched a serial. `at`: milliseconds since 1970 UTC. */
  readonly reached: (serial: number, at: number) => void;
  readonly counters: NotifyCounters;
  readonly log: NotifyLog;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number;
}

/** A serial and when it was learnt, in milliseconds since 1970 UTC. */
interface Reached {
  readonly serial: number;
  readonly at: number;
}

interface Outstanding {
  readonly id: number;
  readonly soa: ResourceRecord;
  readonly message: Uint8Array;
  readonly transaction: ClientTransaction | undefined;
  readonly madeAt: number;
}

export class NotifySecondary {
  readonly apex: Name;
  /** `192.0.2.1:53` or `[2001:db8::1]:53`. */
  readonly address: string;
  /** Replaced by a reload. */
  key: TsigKey | undefined;
  readonly #around: SecondarySurroundings;
  #outstanding: Outstanding | undefined;
  /** Whether there is something to tell that the NOTIFY under way, if any, does not say. */
  #dirty = false;
  #timer: NodeJS.Timeout | undefined;
  #sentAt = -Infinity;
  /** Tries in a row without an answer, and answers in a row that were errors. */
  #silences = 0;
  #refusals = 0;
  #acknowledged: Reached | undefined;
  #fetched: Reached | undefined;
  #lastError: string | undefined;
  /** Whether the log has been told that something is wrong. */
  #troubled = false;
  #closed = false;

  constructor(apex: Name, address: string, key: TsigKey | undefined, around: SecondarySurroundings) {
    this.apex = apex;
    this.address = address;
    this.key = key;
    this.#around = around;
  }

  get acknowledged(): Reached | undefined {
    return this.#acknowledged;
  }

  get fetched(): Reached | undefined {
    return this.#fetched;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Tries in a row without an answer. */
  get unanswered(): number {
    return this.#silences;
  }

  get standing(): SecondaryStanding {
    const soa = this.#around.soa();
    if (this.#silences >= UNREACHABLE_AFTER) return "unreachable";
    if (this.#refusals > 0) return "refusing";
    if (soa === undefined) return "waiting";
    const serial = soaSerial(soa.rdata);
    if (this.#fetched?.serial === serial) return "current";
    if (this.#outstanding !== undefined || this.#dirty) return "notifying";
    if (this.#acknowledged?.serial !== serial) return "waiting";
    const isLate = this.#since(this.#acknowledged.at) >= FETCH_GRACE;
    return isLate && this.#fetched !== undefined ? "behind" : "notified";
  }

  /** Takes up what an earlier run learnt. */
  restore(reached: Reached): void {
    this.#acknowledged ??= reached;
  }

  /** There is a change. @param delay milliseconds to wait first, for the start of many at once */
  tell(delay = 0): void {
    if (this.#closed) return;
    this.#dirty = true;
    const since = this.#since(this.#sentAt);
    if (this.#refusals > 0) {
      if (since >= FRESH_AFTER_REFUSAL) this.#sendFresh();
    } else if (this.#outstanding !== undefined) {
      // Before that a time-out is near, and an answer may be.
      if (this.#silences >= UNREACHABLE_AFTER && since >= FRESH_AFTER_SILENCE) this.#sendFresh();
    } else if (delay > 0 || since < MIN_INTERVAL) {
      if (this.#timer === undefined)
        this.#wait(Math.max(delay, MIN_INTERVAL - since), () => this.#sendFresh());
    } else {
      this.#sendFresh();
    }
  }

  /** The secondary has this serial: it was transferred to it, or it asked with it. */
  observe(serial: number): void {
    this.#fetched = { serial, at: this.#around.now() };
    this.#around.reached(serial, this.#fetched.at);
  }

  /** Takes a datagram that came from the secondary's address with the ID of the NOTIFY under way. */
  receive(bytes: Uint8Array): void {
    const { counters, now } = this.#around;
    const outstanding = this.#outstanding;
    if (outstanding === undefined) {
      counters.ignored++;
      return;
    }
    try {
      const message = decodeMessage(bytes);
      const response = readNotifyResponse(message, outstanding.id, this.apex);
      const verdict = outstanding.transaction?.verify(bytes, message.tsig, Math.floor(now() / 1000));
      if (response === undefined || verdict?.ok === false) {
        counters.ignored++;
        // RFC 8945 §5.4: wait for an answer that can be believed. An honest one is worth a word in the log, though.
        if (verdict?.ok === false) this.#trouble(`the answer to NOTIFY is not believed: ${verdict.reason}`);
      } else if (response.rcode === 0) {
        this.#acknowledge(outstanding, response.serial);
      } else {
        this.#refuse(response.rcode);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      counters.ignored++;
    }
  }

  close(): void {
    this.#closed = true;
    this.#settle();
  }

  #acknowledge(outstanding: Outstanding, says: number | undefined): void {
    const { counters, now, log, reached } = this.#around;
    counters.acknowledged++;
    this.#settle();
    const serial = soaSerial(outstanding.soa.rdata);
    this.#acknowledged = { serial, at: now() };
    // Most secondaries repeat the hint or give none; one that gives another serial gives its own.
    if (says !== undefined && says !== serial) this.#fetched = { serial: says, at: now() };
    this.#silences = 0;
    this.#refusals = 0;
    this.#lastError = undefined;
    if (this.#troubled) {
      this.#troubled = false;
      log.info(this.#fields(), "the secondary acknowledges NOTIFY again");
    }
    reached(serial, this.#acknowledged.at);
    if (this.#dirty) this.tell();
  }

  #refuse(rcode: number): void {
    this.#around.counters.refused++;
    this.#settle();
    this.#silences = 0;
    this.#refusals++;
    this.#dirty = true;
    this.#trouble(`the secondary answers NOTIFY with ${rcodeToText(rcode)}`);
    this.#wait(this.#backOff(FIRST_REFUSED_WAIT, this.#refusals, MAX_REFUSED_WAIT), () => this.#sendFresh());
  }

  /** Makes a NOTIFY of the newest serial and sends it, in place of the one under way. */
  #sendFresh(): void {
    this.#settle();
    const soa = this.#around.soa();
    if (soa === undefined) return; // nothing to tell until the zone is in the store
    const id = this.#newId();
    const madeAt = this.#around.now();
    const plain = encodeNotify(id, this.apex, soa);
    if (this.key === undefined) {
      this.#outstanding = { id, soa, message: plain, transaction: undefined, madeAt };
    } else {
      const signed = ClientTransaction.start(this.key, plain, Math.floor(madeAt / 1000));
      this.#outstanding = { id, soa, madeAt, ...signed };
    }
    this.#dirty = false;
    this.#transmit(this.#outstanding);
  }

  #transmit({ message }: Outstanding): void {
    const { send, counters, now } = this.#around;
    this.#sentAt = now();
    counters.sent++;
    this.#wait(this.#backOff(FIRST_TIMEOUT, this.#silences + 1, MAX_TIMEOUT), () => this.#unanswered());
    send(message, (error) => {
      if (!this.#closed) this.#trouble(`NOTIFY could not be sent: ${error.message}`);
    });
  }

  #unanswered(): void {
    this.#around.counters.unanswered++;
    this.#silences++;
    if (this.#silences === UNREACHABLE_AFTER) this.#trouble("the secondary does not answer NOTIFY");
    const outstanding = this.#outstanding;
    const isStale = outstanding === undefined || this.#since(outstanding.madeAt) >= SIGNATURE_LIFE;
    if (isStale || this.#dirty) this.#sendFresh();
    else this.#transmit(outstanding);
  }

  /** Milliseconds since then; a time still to come, because the clock was set back, counts as long ago. */
  #since(at: number): number {
    const elapsed = this.#around.now() - at;
    return elapsed < 0 ? Infinity : elapsed;
  }

  /** Nothing is under way any more, and nothing is waited for. */
  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#outstanding !== undefined) this.#around.release(this.#outstanding.id);
    this.#outstanding = undefined;
  }

  /** An ID that no other zone's NOTIFY to the same secondary has, unguessable. */
  #newId(): number {
    for (let tries = 0; ; tries++) {
      const id = randomInt(0x1_0000);
      // More than 65,536 zones under way to one secondary: let one of them run into its time-out.
      if (this.#around.claim(id) || tries === 100) return id;
    }
  }

  /** Doubles from `first` to `most`, and 10 % either way, so that many zones of one secondary do not go in step. */
  #backOff(first: number, attempt: number, most: number): number {
    const wait = Math.min(first * 2 ** Math.min(attempt - 1, 30), most);
    return wait * (0.9 + 0.2 * this.#around.random());
  }

  #wait(milliseconds: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      then();
    }, milliseconds).unref();
  }

  /** Logged once until the secondary acknowledges again. */
  #trouble(what: string): void {
    this.#lastError = what;
    if (this.#troubled) return;
    this.#troubled = true;
    this.#around.log.warn(this.#fields(), what);
  }

  #fields(): object {
    const soa = this.#around.soa();
    return {
      zone: this.apex.toString(),
      secondary: this.address,
      ...(soa === undefined ? {} : { serial: soaSerial(soa.rdata) }),
      ...(this.key === undefined ? {} : { key: this.key.name.toString() }),
    };
  }
}
