/** Short octets on their way into a statement. */

/** Octets up to which V8 keeps an array within its heap. */
const SHORT = 64;

/**
 * One parameter of statements, its octets in memory of its own. SQLite's driver takes octets by address, and for that V8
 * would move each short array out of its heap, a piece of memory for every one of them: more work than binding it.
 */
export class BlobSlot {
  readonly #octets = Buffer.alloc(SHORT);
  /** By length. */
  readonly #views: Uint8Array[] = Array.from({ length: SHORT + 1 }, (_, length) =>
    this.#octets.subarray(0, length),
  );

  /** The octets, valid until the next call: the driver copies what it binds. */
  put(octets: Uint8Array): Uint8Array {
    const { length } = octets;
    const view = this.#views[length];
    if (view === undefined) return octets;
    for (let i = 0; i < length; i++) this.#octets[i] = octets[i]!;
    return view;
  }
}
