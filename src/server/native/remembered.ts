/**
 * Answers of other servers that an answer thread gives by itself: copies of what the control thread's cache holds and is
 * asked for often. They only ever save the way there: what is not here, or past its time, goes to the control thread.
 */
import type { Network } from "../../auth/acl.ts";
import { parseNetwork } from "../../auth/acl.ts";
import { keyOf } from "../../forward/asked.ts";
import { AnswerCache } from "../../forward/cache.ts";
import { writeAnswerInto } from "../../forward/stored-answer.ts";
import type { QuestionReader } from "../../protocol/question.ts";
import { plainAddress } from "../handler.ts";
import type { RememberedAnswer } from "../transport.ts";
import { SOCKADDR_BYTES, sockaddrAddress } from "./sockaddr.ts";

/** Octets of answers that a thread keeps. */
const SIZE = 8 * 1024 * 1024;
/** Where in a socket address its port stands, which does not matter here. */
const PORT_AT = 2;
const PORT_LENGTH = 2;

export class RememberedAnswers {
  readonly #cache = new AnswerCache<number>({ size: SIZE, maxStale: 0 });
  /** Of each forward. */
  #clients: readonly (readonly Network[])[] = [];
  #generation = 0;
  #turn = 0;
  /** Whom {@link admits} looked at last, and the forwards that are for it. */
  readonly #last = new Uint8Array(SOCKADDR_BYTES);
  #isKnown = false;
  #groups: readonly boolean[] = [];
  #anyGroup = false;

  /**
   * Takes the forwards as they are from now on.
   * @param generation answers of another one are not to be given any more
   */
  configure(clients: readonly (readonly string[])[], generation: number): void {
    this.#clients = clients.map((texts) => texts.flatMap((text) => parseNetwork(text) ?? []));
    this.#isKnown = false;
    if (generation !== this.#generation) this.#cache.clear();
    this.#generation = generation;
  }

  /** Keeps an answer, in place of an older one. `now`: milliseconds */
  put({ key, answer, age, group, generation }: RememberedAnswer, now: number): void {
    if (generation === this.#generation) this.#cache.put(key, answer, group, now - age);
  }

  /** Whether anything elsewhere is asked for the client of this socket address. */
  admits(bytes: Uint8Array, addressAt: number): boolean {
    if (!this.#isLast(bytes, addressAt)) {
      const address = plainAddress(sockaddrAddress(bytes, addressAt));
      this.#groups = this.#clients.map((networks) => networks.some((network) => network.contains(address)));
      this.#anyGroup = this.#groups.includes(true);
      this.#last.set(bytes.subarray(addressAt, addressAt + SOCKADDR_BYTES));
      this.#isKnown = true;
    }
    return this.#anyGroup;
  }

  /**
   * Answers the client that {@link admits} has just let in. `now`: milliseconds
   * @returns octets written; 0 where it is not known here, or not for this client
   */
  answer(message: Uint8Array, question: QuestionReader, out: Uint8Array, now: number): number {
    const { questionEnd, edns, dnssecOk, udpLimit } = question;
    const query = { message, questionEnd, edns, dnssecOk, room: udpLimit };
    const entry = this.#cache.get(keyOf(query), now);
    if (entry === undefined || this.#groups[entry.source] !== true) return 0;
    const age = Math.floor((now - entry.storedAt) / 1000);
    return writeAnswerInto(out, entry.answer, query, { age, turn: this.#turn++ });
  }

  #isLast(bytes: Uint8Array, at: number): boolean {
    if (!this.#isKnown) return false;
    for (let i = 0; i < SOCKADDR_BYTES; i++) {
      if (bytes[at + i] !== this.#last[i] && (i < PORT_AT || i >= PORT_AT + PORT_LENGTH)) return false;
    }
    return true;
  }
}
