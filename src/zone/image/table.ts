/**
 * The table of an image as its writer sees it: which node is at which slot. Readers go through it at the same time, so a
 * slot changes by one atomic store, and a table that is too full is replaced by another as a whole.
 */
import { ImageError } from "./error.ts";
import { ImageHeap } from "./heap.ts";
import { EMPTY, GONE, Header, REFERENCE_MASK, UNIT } from "./layout.ts";
import { slotOf } from "./node.ts";

/** Slots of a fresh table; always a power of two, at most half of it in use. */
const INITIAL_SLOTS = 64;

export class SlotTable {
  readonly #heap: ImageHeap;
  /** Slots that are not EMPTY: nodes and graves. */
  #occupied = 0;

  constructor(heap: ImageHeap) {
    this.#heap = heap;
  }

  /** Makes the first table, which is empty. */
  create(): void {
    const reference = this.#allocate(INITIAL_SLOTS);
    const { u32 } = this.#heap.memory; // after allocate: it may have made new views
    u32[Header.TABLE] = reference;
    u32[Header.TABLES] = 1;
  }

  /** Goes on with a table that is filled already. @param occupied its slots in use */
  adopt(occupied: number): void {
    this.#occupied = occupied;
  }

  /** Puts a new node into a slot that has none. */
  insert(hash: number, reference: number): void {
    const capacity = this.#heap.memory.i32[this.#start()]!;
    if ((this.#occupied + 1) * 2 > capacity) this.#rebuild();
    const { i32 } = this.#heap.memory;
    const slots = this.#start() + 1;
    const mask = i32[slots - 1]! - 1;
    let index = hash & mask;
    while (i32[slots + index] !== EMPTY && i32[slots + index] !== GONE) index = (index + 1) & mask;
    if (i32[slots + index] === EMPTY) this.#occupied++;
    Atomics.store(i32, slots + index, slotOf(hash, reference));
  }

  /**
   * Swaps the slot of one node to another of the same name, or to GONE.
   * @throws ImageError where the old one is in no slot
   */
  replace(hash: number, oldReference: number, reference: number): void {
    const { i32 } = this.#heap.memory;
    const slots = this.#start() + 1;
    const mask = i32[slots - 1]! - 1;
    const oldSlot = slotOf(hash, oldReference);
    let index = hash & mask;
    while (i32[slots + index] !== oldSlot) {
      if (i32[slots + index] === EMPTY) throw new ImageError("a node is not where its hash says");
      index = (index + 1) & mask;
    }
    Atomics.store(i32, slots + index, reference === GONE ? GONE : slotOf(hash, reference));
  }

  /** Word index of the table block. */
  #start(): number {
    return (this.#heap.memory.u32[Header.TABLE]! * UNIT) / 4;
  }

  /** Takes the block of an empty table. @returns its reference */
  #allocate(capacity: number): number {
    const reference = this.#heap.allocate(unitsOf(capacity));
    const { i32 } = this.#heap.memory;
    const start = (reference * UNIT) / 4;
    i32.fill(EMPTY, start, start + 1 + capacity);
    i32[start] = capacity;
    return reference;
  }

  /** Makes a table without graves, larger where nodes fill a quarter of it, and swaps it in. */
  #rebuild(): void {
    const { memory } = this.#heap;
    const oldReference = memory.u32[Header.TABLE]!;
    const oldCapacity = memory.i32[this.#start()]!;
    const capacity = memory.u32[Header.NODES]! * 4 > oldCapacity ? oldCapacity * 2 : oldCapacity;
    const reference = this.#allocate(capacity);
    const { i32 } = memory;
    const from = (oldReference * UNIT) / 4 + 1;
    const to = (reference * UNIT) / 4 + 1;
    const mask = capacity - 1;
    this.#occupied = 0;
    for (let i = 0; i < oldCapacity; i++) {
      const slot = i32[from + i]!;
      if (slot === EMPTY || slot === GONE) continue;
      let index = i32[((slot & REFERENCE_MASK) * UNIT) / 4]! & mask;
      while (i32[to + index] !== EMPTY) index = (index + 1) & mask;
      i32[to + index] = slot;
      this.#occupied++;
    }
    Atomics.store(i32, Header.TABLE, reference);
    Atomics.add(i32, Header.TABLES, 1);
    this.#heap.retire(oldReference, unitsOf(oldCapacity));
  }
}

/** Heap units of a table of so many slots, its capacity before them. */
function unitsOf(capacity: number): number {
  return ImageHeap.unitsFor(4 + capacity * 4);
}
