/**
 * Blocks that are in no slot any more, until nobody can be in them: neither a reader of the epoch in which they went,
 * nor a snapshot taken before.
 */
import type { Epochs } from "./epochs.ts";

/** What went in one epoch. */
interface ClosedEpoch {
  readonly tag: number;
  /** Count of closed epochs, this one among them. */
  readonly order: number;
  /** Reference and units, alternating. */
  readonly blocks: readonly number[];
  readonly units: number;
}

/** Keeps everything that goes from now on, until it is let go. */
export class Pin {
  /** Epochs that were closed when it was set: what went in them it does not keep. */
  readonly order: number;
  #isHeld = true;
  readonly #letGo: (pin: Pin) => void;

  constructor(order: number, letGo: (pin: Pin) => void) {
    this.order = order;
    this.#letGo = letGo;
  }

  /** False once it was let go, by whoever set it or because it kept too much. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  letGo(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#letGo(this);
  }
}

export class RetiredBlocks {
  readonly #epochs: Epochs;
  /** Gone in the current epoch: reference, units, alternating. */
  #current: number[] = [];
  #currentUnits = 0;
  /** Oldest first, from {@link #first} on. */
  #closed: ClosedEpoch[] = [];
  #first = 0;
  #order = 0;
  /** Oldest first. */
  readonly #pins = new Set<Pin>();
  #units = 0;

  constructor(epochs: Epochs) {
    this.#epochs = epochs;
  }

  /** Units of all blocks that wait here. */
  get units(): number {
    return this.#units;
  }

  add(reference: number, units: number): void {
    this.#current.push(reference, units);
    this.#currentUnits += units;
    this.#units += units;
  }

  /** Keeps whatever goes from now on. To be asked for between two publications. */
  pin(): Pin {
    const pin = new Pin(this.#order, (gone) => this.#pins.delete(gone));
    this.#pins.add(pin);
    return pin;
  }

  /** Closes the epoch, after a publication. */
  close(): void {
    if (this.#current.length === 0) return;
    this.#closed.push({
      tag: this.#epochs.advance(),
      order: ++this.#order,
      blocks: this.#current,
      units: this.#currentUnits,
    });
    this.#current = [];
    this.#currentUnits = 0;
  }

  /** Hands back every block that nobody can be in any more. */
  takeBack(release: (reference: number, units: number) => void): void {
    const closed = this.#closed;
    const [oldest] = this.#pins;
    const last = oldest === undefined ? Infinity : oldest.order;
    for (; this.#first < closed.length; this.#first++) {
      const { tag, order, blocks, units } = closed[this.#first]!;
      if (order > last || !this.#epochs.isOver(tag)) break;
      for (let i = 0; i < blocks.length; i += 2) release(blocks[i]!, blocks[i + 1]!);
      this.#units -= units;
    }
    // Not moved up at every step: there may be very many behind a pin.
    if (this.#first * 2 < closed.length) return;
    this.#closed = closed.slice(this.#first);
    this.#first = 0;
  }

  /** Lets the oldest pin go, whatever it is for. @returns whether there was one */
  dropOldestPin(): boolean {
    const [oldest] = this.#pins;
    oldest?.letGo();
    return oldest !== undefined;
  }
}
