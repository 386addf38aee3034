/** The zones a thread answers for, found by the longest suffix of a name (RFC 1034 §4.3.2 step 2). */
import type { Name } from "../wire/name.ts";
import type { HashSeed, NameScratch } from "./image/hash.ts";
import { NameScratch as Scratch } from "./image/hash.ts";
import type { ImageReader } from "./image/reader.ts";
import type { NearNetworks } from "./near.ts";

/** One zone of the set. */
export interface ServedImage {
  readonly apex: Name;
  readonly reader: ImageReader;
  /** Which addresses come first for which clients; undefined: all take turns. */
  readonly near?: NearNetworks | undefined;
}

/** A zone of a set, as a lookup finds it. */
export interface FoundZone extends ServedImage {
  /** Labels of the apex. */
  readonly labels: number;
}

interface Entry extends FoundZone {
  readonly hash: number;
  readonly lower: Uint8Array;
  /** Names from here on down are others' to answer for: there is no image. */
  readonly elsewhere: boolean;
}

/** In place of the reader of what has no image; never looked at. */
const NO_READER = undefined as unknown as ImageReader;

/** A small hash table of apexes. Replaced whole when zones come or go, so lookups never see it change. */
export class ZoneSet {
  readonly #mask: number;
  readonly #slots: (Entry | undefined)[];
  readonly #seed: HashSeed;
  /** Whether names of one label that no zone holds are for elsewhere too. */
  readonly #singleLabels: boolean;
  readonly size: number;

  /**
   * @param elsewhere suffixes that another server is asked about, none of them the apex of a zone here; of zones and
   * suffixes the longest decides. Where there are any, names of one label that no zone holds go there as well.
   */
  constructor(seed: HashSeed, zones: readonly ServedImage[], elsewhere: readonly Name[] = []) {
    this.#seed = seed;
    this.#singleLabels = elsewhere.length > 0;
    this.size = zones.length;
    let capacity = 8;
    while (capacity < (zones.length + elsewhere.length) * 4) capacity *= 2;
    this.#mask = capacity - 1;
    this.#slots = Array.from({ length: capacity }, () => undefined);
    const scratch = this.newScratch();
    for (const zone of zones) this.#add(scratch, zone, false);
    for (const apex of elsewhere) this.#add(scratch, { apex, reader: NO_READER }, true);
  }

  /** A scratch whose hashes fit this set's images. */
  newScratch(): NameScratch {
    return new Scratch(this.#seed);
  }

  /**
   * The zone with the longest apex that the name's suffix from label `from` on is within.
   * @returns undefined where none of the zones holds the name
   */
  find(name: NameScratch, from = 0): FoundZone | undefined {
    for (let label = from; label <= name.labels; label++) {
      const entry = this.#at(name, label);
      if (entry !== undefined) return entry.elsewhere ? undefined : entry;
    }
    return undefined;
  }

  /** Whether a name that {@link find} finds no zone for is one that another server is asked about. */
  isElsewhere(name: NameScratch): boolean {
    for (let label = 0; label <= name.labels; label++) {
      const entry = this.#at(name, label);
      if (entry !== undefined) return entry.elsewhere;
    }
    return this.#singleLabels && name.labels === 1;
  }

  #add(scratch: NameScratch, { apex, reader, near }: ServedImage, elsewhere: boolean): void {
    scratch.load(apex.wire, 0, apex.wire.length);
    const entry = {
      apex,
      reader,
      near,
      labels: scratch.labels,
      hash: scratch.hashes[0]!,
      lower: scratch.lower.slice(0, scratch.length),
      elsewhere,
    };
    let index = entry.hash & this.#mask;
    while (this.#slots[index] !== undefined) index = (index + 1) & this.#mask;
    this.#slots[index] = entry;
  }

  #at(name: NameScratch, label: number): Entry | undefined {
    const hash = name.hashes[label]!;
    for (let index = hash & this.#mask; ; index = (index + 1) & this.#mask) {
      const entry = this.#slots[index];
      if (entry === undefined) return undefined;
      if (entry.hash === hash && sameSuffix(entry.lower, name, label)) return entry;
    }
  }
}

function sameSuffix(lower: Uint8Array, name: NameScratch, label: number): boolean {
  const start = name.offsets[label]!;
  if (name.length - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) if (lower[i] !== name.lower[start + i]) return false;
  return true;
}
