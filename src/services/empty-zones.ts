/**
 * The automatic zones being served: those of the plan that no zone and no forward of the operator's takes the place of.
 * A zone of the same name or around one does; one below it stays visible, for the longest name decides.
 */
import type { Name } from "../wire/name.ts";
import { Name as DomainName } from "../wire/name.ts";
import type { Epochs } from "../zone/image/epochs.ts";
import type { HashSeed } from "../zone/image/hash.ts";
import { ZoneImage } from "../zone/image/image.ts";
import type { ImageReader } from "../zone/image/reader.ts";
import { emptyZoneRecords } from "../zone/locally-served.ts";

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
    const others = [...zones, ...forwarded];
    const wanted = this.#plan.filter((apex, i) => {
      const isTaken =
        zones.some((zone) => apex.isWithin(zone)) || forwarded.some((name) => holds(name, apex));
      return !isTaken && this.#plan.findIndex((other) => other.equals(apex)) === i;
    });
    const built = new Map<string, EmptyZone>();
    for (const apex of wanted) {
      const below = topmost([...others, ...wanted].filter((name) => name.isBelow(apex)));
      const key = [apex, ...below].map((name) => name.key).join("|");
      built.set(key, this.#built.get(key) ?? this.#build(apex, below));
    }
    this.#built = built;
  }

  #build(apex: Name, below: readonly Name[]): EmptyZone {
    const image = ZoneImage.build(apex, emptyZoneRecords(apex, below), this.#seed, this.#epochs);
    return { apex, reader: image.reader, buffer: image.buffer };
  }
}

/** A forward for everything takes the place of no zone but the root's. */
function holds(forwarded: Name, apex: Name): boolean {
  return forwarded.isRoot ? apex.equals(DomainName.root) : apex.isWithin(forwarded);
}

/** Those that are within none of the others: what is below a delegation is not the zone's. */
function topmost(names: readonly Name[]): Name[] {
  return names.filter((name) => !names.some((other) => name.isBelow(other)));
}
