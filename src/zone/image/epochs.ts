/**
 * When may a block that readers might still be in be used again? Each reader announces the epoch in which its batch
 * began; the writer opens a new epoch with every publication, and takes back what it retired in epochs that every
 * reader has left.
 *
 * Why no reader is ever in memory that is being written: every step below, and every load and store of a slot, is one of
 * `Atomics`, all of which happen in one order that all threads agree on and which the plain accesses around them keep to.
 * - The writer takes a block out of its slot, then closes the epoch, then looks where the readers are. A reader
 *   announces an epoch, then makes sure that it still is the current one, then loads slots. So either the writer sees
 *   the announcement and waits, or the reader sees the new epoch, announces that, and finds the block in no slot.
 * - A reader leaves after its last read of a block. The writer that sees it gone writes there after that.
 * - What the writer put into a block before it stored the slot is there for whoever loads that slot.
 */

/** Readers that can be registered at once. */
export const MAX_READERS = 64;
/** Word of the current epoch; reader i announces in word 1 + i, 0 meaning outside any batch. */
const CURRENT = 0;

export class Epochs {
  /** To be handed to reader threads. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param first the first epoch, not 0; only where the buffer is a new one */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * (1 + MAX_READERS)), first = 1) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    Atomics.compareExchange(this.#words, CURRENT, 0, first);
  }

  /** Reader: a batch begins. */
  enter(reader: number): void {
    // Announced, then read again: had the writer opened an epoch in between, it may not have seen the announcement.
    for (;;) {
      const epoch = Atomics.load(this.#words, CURRENT);
      Atomics.store(this.#words, 1 + reader, epoch);
      if (Atomics.load(this.#words, CURRENT) === epoch) return;
    }
  }

  /** Reader: the batch is over; also said by the control thread of a reader that died. */
  leave(reader: number): void {
    Atomics.store(this.#words, 1 + reader, 0);
  }

  /** Writer: closes the current epoch and returns its number, the tag of what was retired in it. */
  advance(): number {
    const closed = Atomics.load(this.#words, CURRENT);
    // Serial arithmetic on 32 bits, as isOver compares; 0 is left out, for it means "outside".
    Atomics.store(this.#words, CURRENT, closed === -1 ? 1 : (closed + 1) | 0);
    return closed;
  }

  /** Writer: whether no reader is inside the epoch of this tag or an earlier one. */
  isOver(tag: number): boolean {
    for (let i = 1; i <= MAX_READERS; i++) {
      const epoch = Atomics.load(this.#words, i);
      if (epoch !== 0 && ((epoch - tag) | 0) <= 0) return false;
    }
    return true;
  }
}
