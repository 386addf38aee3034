/**
 * The automatic zones being served: those of the plan that no zone and no forward of the operator's takes the place of.
 * A zone of the same name or around one does; one below it stays visible, for the longest name decides.
 */
import type { Name } from "../wire/name.ts";
import type { Epochs } from "../zone/image/epochs.ts";
import type { HashSeed } from "../zone/image/hash.ts";
import { ZoneImage } from "../zone/image/image.ts";
import type { ImageReader } from "../zone/image/reader.ts";
import { emptyZoneRecords } from "../zone/locally-served.ts";

/** They never change: of the address space that a zone could grow in a little is enough, for as many delegations as there are zones. */
const MOST_OCTETS = 64 * 1024 * 1024;

export interface EmptyZone {
  readonly apex: Name;
  readonly reader: ImageReader;
  readonly buffer: SharedArrayBuffer;
}

export class EmptyZones {
  readonly #seed: HashSeed;
  readonly #epochs: Epochs;
  #plan: readonly Name[] = [];
  /** By apex and what is below it. */
  #built = new Map<string, EmptyZone>();

  constructor(seed: HashSeed, epochs: Epochs) {
    this.#seed = seed;
    this.#epochs = epochs;
  }

  /** @param apexes to be served wherever nothing else is; the root is one that is around nothing */
  plan(apexes: readonly Name[]): void {
    this.#plan = apexes;
  }

  get all(): readonly EmptyZone[] {
    return [...this.#built.values()];
  }

  /** Whether a zone of exactly this name is served here. */
  has(apex: Name): boolean {
    return this.all.some((zone) => zone.apex.equals(apex));
  }

  /** Builds what is to be there beside the operator's zones and forwarded suffixes. Those that stay as they are stay. */
  renew(zones: readonly Name[], forwarded: readonly Name[]): void {
    const taken = new Set(zones.map(({ key }) => key));
    const elsewhere = new Set(forwarded.map(({ key }) => key));
    const wanted = new Map<string, { readonly apex: Name; readonly below: Name[] }>();
    for (const apex of this.#plan) {
      const isTaken = lineage(apex).some(
        // A forward for everything takes the place of no zone but the root's.
        (name) => taken.has(name.key) || (elsewhere.has(name.key) && (!name.isRoot || apex.isRoot)),
      );
      if (!isTaken && !wanted.has(apex.key)) wanted.set(apex.key, { apex, below: [] });
    }
    const others = [...zones, ...forwarded, ...[...wanted.values()].map(({ apex }) => apex)];
    for (const name of others) {
      // What is below a delegation is not the zone's: only the nearest above counts.
      const above = lineage(name)
        .slice(1)
        .find(({ key }) => wanted.has(key) || taken.has(key) || elsewhere.has(key));
      if (above !== undefined) wanted.get(above.key)?.below.push(name);
    }
    const built = new Map<string, EmptyZone>();
    for (const { apex, below } of wanted.values()) {
      const key = [apex, ...below].map((name) => name.key).join("|");
      built.set(key, this.#built.get(key) ?? this.#build(apex, below));
    }
    this.#built = built;
  }

  #build(apex: Name, below: readonly Name[]): EmptyZone {
    const records = emptyZoneRecords(apex, below);
    const image = ZoneImage.build(apex, records, this.#seed, this.#epochs, MOST_OCTETS);
    return { apex, reader: image.reader, buffer: image.buffer };
  }
}

/** The name and all above it, the nearest first. */
function lineage(name: Name): Name[] {
  const names: Name[] = [];
  for (let at: Name | undefined = name; at !== undefined; at = at.parent) names.push(at);
  return names;
}
