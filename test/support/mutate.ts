/** A seeded mutator of octets: the same seed gives the same mutants on every machine. */

/** Random numbers from a 32-bit state (the mulberry32 step: an add, two multiplies). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to `bound` - 1. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** Octets at which decoders turn off: label limits, pointers, type and class numbers, counts. */
const TELLING = [0, 1, 2, 0x0c, 0x10, 0x20, 0x29, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfa, 0xfe, 0xff];

/** A mutant of `seed`, one to four changes away from it; `others` lends it pieces. */
export function mutate(random: Random, seed: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  let octets = Array.from(seed);
  for (let changes = 1 + random.below(4); changes > 0; changes--) octets = change(random, octets, others);
  return Uint8Array.from(octets.slice(0, 0xffff));
}

function change(random: Random, octets: number[], others: readonly Uint8Array[]): number[] {
  if (octets.length === 0) return [random.below(256)];
  const at = random.below(octets.length);
  const length = 1 + random.below(Math.min(32, octets.length - at));
  switch (random.below(9)) {
    case 0: // a bit turned
      return octets.with(at, octets[at]! ^ (1 << random.below(8)));
    case 1:
      return octets.with(at, random.pick(TELLING));
    case 2: // a little more or less: lengths and counts
      return octets.with(at, (octets[at]! + random.pick([1, 2, 254, 255])) & 0xff);
    case 3: // a pointer, mostly into the message
      return octets.toSpliced(
        at,
        2,
        0xc0 | (random.below(4) === 0 ? random.below(64) : 0),
        random.below(octets.length) & 0xff,
      );
    case 4:
      return octets.slice(0, at);
    case 5:
      return octets.toSpliced(at, length);
    case 6: // a piece twice
      return octets.toSpliced(at, 0, ...octets.slice(at, at + length));
    case 7: {
      const other = random.pick(others);
      const from = random.below(other.length);
      return octets.toSpliced(at, length, ...other.subarray(from, from + 1 + random.below(64)));
    }
    default: // a name as long as it gets
      return octets.toSpliced(at, 0, 63, ...Array.from({ length: 63 }, () => 0x61));
  }
}

/** Settings of a fuzz run, from the environment: `FUZZ_SEED` and `FUZZ_RUNS`. A failure prints the seed. */
export function fuzzSettings(runs: number): { seed: number; runs: number } {
  const seed = process.env["FUZZ_SEED"];
  return {
    seed: seed === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(seed),
    runs: Number(process.env["FUZZ_RUNS"] ?? runs),
  };
}

/**
 * Calls `check` with each of `runs` mutants; what it throws is reported with the seed and the mutant.
 */
export function fuzz(
  corpus: readonly Uint8Array[],
  { seed, runs }: { seed: number; runs: number },
  check: (mutant: Uint8Array, random: Random) => void,
): void {
  const random = new Random(seed);
  for (let run = 0; run < runs; run++) {
    const mutant = mutate(random, random.pick(corpus), corpus);
    try {
      check(mutant, random);
    } catch (error) {
      const hex = Buffer.from(mutant).toString("hex");
      throw new Error(`FUZZ_SEED=${seed}, run ${run}, octets ${hex}`, { cause: error });
    }
  }
}
