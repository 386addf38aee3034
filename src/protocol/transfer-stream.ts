/** A transfer under way: its messages drawn one at a time, signed and counted, until it ends one way or another. */
import type { Name } from "../wire/name.ts";

/** What a transfer is, and how far it has come. */
export interface TransferReport {
  readonly zone: Name;
  readonly key: Name | undefined;
  /** `current`: the SOA alone. `fallback`: an IXFR answered with the whole zone, or over UDP with a hint to use TCP. */
  readonly kind: "axfr" | "ixfr" | "current" | "fallback";
  /** Why an IXFR was not answered incrementally. */
  readonly reason: string | undefined;
  /** The serial the peer had, where it said so. */
  readonly from: number | undefined;
  /** The serial it has at the end; with `current` and a hint that is no more than it had. */
  readonly to: number | undefined;
  /** Messages and octets drawn so far. */
  readonly messages: number;
  readonly octets: number;
}

/**
 * The messages of a transfer, signed, in order. To be drawn once. Whatever it holds is given back when the last message
 * was drawn, when drawing fails, and when it is closed or abandoned before (`return`), even before the first message.
 */
export class TransferStream implements IterableIterator<Uint8Array> {
  readonly #messages: Iterator<Uint8Array>;
  readonly #sign: ((message: Uint8Array) => Uint8Array) | undefined;
  readonly #release: () => void;
  readonly #about: Omit<TransferReport, "messages" | "octets">;
  #drawn = 0;
  #octets = 0;
  #closed = false;
  #failure: unknown;

  constructor(
    messages: Iterable<Uint8Array>,
    sign: ((message: Uint8Array) => Uint8Array) | undefined,
    release: () => void,
    about: Omit<TransferReport, "messages" | "octets">,
  ) {
    this.#messages = messages[Symbol.iterator]();
    this.#sign = sign;
    this.#release = release;
    this.#about = about;
  }

  get report(): TransferReport {
    return { ...this.#about, messages: this.#drawn, octets: this.#octets };
  }

  /** What drawing a message threw, where it did. */
  get failure(): unknown {
    return this.#failure;
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** @throws what reading the zone throws, or WireError for a record that fits no message: the transfer is to be cut off */
  next(): IteratorResult<Uint8Array, undefined> {
    if (this.#closed) return { done: true, value: undefined };
    try {
      const next = this.#messages.next();
      if (next.done === true) {
        this.close();
        return { done: true, value: undefined };
      }
      const message = this.#sign === undefined ? next.value : this.#sign(next.value);
      this.#drawn++;
      this.#octets += message.length;
      return { done: false, value: message };
    } catch (error) {
      this.#failure = error;
      this.close();
      throw error;
    }
  }

  return(): IteratorResult<Uint8Array, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  /** Ends the transfer, wherever it is. Can be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#messages.return?.();
    } finally {
      this.#release();
    }
  }
}
