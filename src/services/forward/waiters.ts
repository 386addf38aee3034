/** Clients that wait for a question under way: no more than there is room for, and of one client no more than it may. */
import type { SourceLimits } from "../../auth/source-counts.ts";
import { SourceCounts } from "../../auth/source-counts.ts";
import type { ClientQuery } from "../../forward/asked.ts";

export interface WaiterLimits {
  /** Of all clients together, for all questions. */
  readonly all: number;
  readonly ofEach: SourceLimits;
}

export type Send = (answer: Uint8Array) => void;

interface Waiter {
  readonly client: ClientQuery;
  readonly address: string;
  readonly send: Send;
}

/** Those who wait for one question; only {@link Waiters} looks into it. */
export interface Queue {
  waiters: Waiter[];
}

export class Waiters {
  readonly #limits: () => WaiterLimits;
  readonly #fault: (error: unknown) => void;
  readonly #sources = new SourceCounts();
  #count = 0;

  /**
   * @param limits asked each time: a reload may change them
   * @param fault told what answering somebody threw
   */
  constructor(limits: () => WaiterLimits, fault: (error: unknown) => void) {
    this.#limits = limits;
    this.#fault = fault;
  }

  /** How many wait now. */
  get count(): number {
    return this.#count;
  }

  /** Whether there is room for one more query of this client to wait. */
  mayWait(address: string): boolean {
    const { all, ofEach } = this.#limits();
    return this.#count < all && this.#sources.hasRoom(address, ofEach);
  }

  /** False where too many wait already. */
  join(queue: Queue, client: ClientQuery, address: string, send: Send): boolean {
    if (!this.mayWait(address)) return false;
    this.#count++;
    this.#sources.add(address);
    queue.waiters.push({ client, address, send });
    return true;
  }

  /** Answers everybody who waits for a question. */
  release(queue: Queue, answer: (client: ClientQuery) => Uint8Array): void {
    const { waiters } = queue;
    queue.waiters = [];
    for (const { client, address, send } of waiters) {
      this.#count--;
      this.#sources.remove(address);
      try {
        send(answer(client));
      } catch (error) {
        // The others who wait are to get theirs all the same.
        this.#fault(error);
      }
    }
  }
}
