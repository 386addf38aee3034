/** The zones being served: for each its configuration of today, and its image built from the store. */
import type { TransferRule } from "../auth/acl.ts";
import type { UpdateRule } from "../auth/update-rule.ts";
import type { ZoneConfig } from "../config/config.ts";
import type { ZoneAccess } from "../protocol/dispatch.ts";
import type { Name } from "../wire/name.ts";
import type { Changeset } from "../zone/changeset.ts";
import { Epochs } from "../zone/image/epochs.ts";
import type { HashSeed } from "../zone/image/hash.ts";
import { ZoneImage } from "../zone/image/image.ts";
import type { ImageReader } from "../zone/image/reader.ts";
import type { ImageSnapshot } from "../zone/image/snapshot.ts";
import type { NearNetworks } from "../zone/near.ts";
import type { ZoneStore } from "../zone/ports.ts";
import type { ZoneView } from "../zone/view.ts";
import { ZoneSet } from "../zone/zone-set.ts";
import type { PublishedZone } from "./change-queue.ts";
import { EmptyZones } from "./empty-zones.ts";
import { atOnce, inTurns } from "./turns.ts";

/** One zone: what the exchanges, the change queue and the administrator see of it. */
export class ServedZone implements PublishedZone, ZoneAccess {
  /** Replaced by a reload. */
  config: ZoneConfig;
  readonly image: ZoneImage;

  constructor(config: ZoneConfig, image: ZoneImage) {
    this.config = config;
    this.image = image;
  }

  get apex(): Name {
    return this.config.apex;
  }

  get transfer(): readonly TransferRule[] {
    return this.config.transfer;
  }

  get update(): readonly UpdateRule[] {
    return this.config.update;
  }

  get view(): ZoneView {
    return this.image;
  }

  snapshot(): ImageSnapshot {
    return this.image.snapshot();
  }

  publish(changesets: readonly Changeset[]): void {
    this.image.publish(changesets);
  }
}

/** A zone's image for readers in other threads. */
interface SharedZone {
  readonly apex: Name;
  readonly reader: ImageReader;
  readonly buffer: SharedArrayBuffer;
  readonly near?: NearNetworks | undefined;
}

export class ServedZones {
  readonly #store: Pick<ZoneStore, "snapshot">;
  readonly #seed: HashSeed;
  /** Shared by all images: who reads them announces itself here. */
  readonly epochs: Epochs = new Epochs();
  readonly #zones = new Map<string, ServedZone>();
  readonly #empty: EmptyZones;
  #forwarded: readonly Name[] = [];
  /** Undefined where zones came or went since. */
  #set: ZoneSet | undefined;

  constructor(store: Pick<ZoneStore, "snapshot">, seed: HashSeed) {
    this.#store = store;
    this.#seed = seed;
    this.#empty = new EmptyZones(seed, this.epochs);
  }

  /** For lookups by name. A new one after every {@link put}, {@link remove} and {@link surround}. */
  get set(): ZoneSet {
    return (this.#set ??= new ZoneSet(this.#seed, this.shared, this.#forwarded));
  }

  /** The images, for readers in other threads. */
  get shared(): SharedZone[] {
    const zones = this.all().map(({ apex, image, config }) => ({
      apex,
      reader: image.reader,
      buffer: image.buffer,
      near: config.near,
    }));
    this.#empty.renew(
      zones.map(({ apex }) => apex),
      this.#forwarded,
    );
    return [...zones, ...this.#empty.all];
  }

  /** Automatic zones served beside the operator's. */
  get emptyCount(): number {
    return this.#empty.all.length;
  }

  /** Suffixes that other servers are asked about. */
  get forwarded(): readonly Name[] {
    return this.#forwarded;
  }

  /**
   * What is answered beside the zones.
   * @param empty apexes of automatic zones, served where nothing else is
   * @param forwarded suffixes that other servers are asked about
   */
  surround(empty: readonly Name[], forwarded: readonly Name[]): void {
    this.#empty.plan(empty);
    this.#forwarded = forwarded;
    this.#set = undefined;
  }

  /** Who may do what in the zone at an apex, automatic ones among them: there nobody may do anything. */
  access(apex: Name): ZoneAccess | undefined {
    const zone = this.get(apex);
    if (zone !== undefined || !this.#empty.has(apex)) return zone;
    return { apex, transfer: [], update: [] };
  }

  get size(): number {
    return this.#zones.size;
  }

  all(): readonly ServedZone[] {
    return [...this.#zones.values()];
  }

  get(apex: Name): ServedZone | undefined {
    return this.#zones.get(apex.key);
  }

  /** The apex of the zone with the longest one that a name is within (RFC 1034 §4.3.2 step 2). */
  enclosing(name: Name): Name | undefined {
    const { key } = name;
    for (let at = 0; ; at += key.charCodeAt(at) + 1) {
      const zone = this.#zones.get(key.slice(at));
      if (zone !== undefined) return zone.apex;
      if (key.charCodeAt(at) === 0) return undefined;
    }
  }

  /**
   * Begins to serve a zone of the store, or serves it anew from there.
   * @throws where the store has no such zone, or what it has cannot be served
   */
  put(config: ZoneConfig): ServedZone {
    return this.#serve(config, atOnce(this.#load(config.apex)));
  }

  /**
   * Begins to serve a zone of the store that is not served yet, however large, with others' turns in between.
   * @returns the zone; the one that is served already, where there is one by then
   * @throws where the store has no such zone, or what it has cannot be served
   */
  async open(config: ZoneConfig): Promise<ServedZone> {
    const image = await inTurns(this.#load(config.apex));
    // One that was served meanwhile may have changed already, and this image would not show it.
    return this.get(config.apex) ?? this.#serve(config, image);
  }

  *#load(apex: Name): Generator<void, ZoneImage, undefined> {
    const snapshot = this.#store.snapshot(apex);
    try {
      return yield* ZoneImage.buildInSteps(apex, snapshot.soa, snapshot.cursor(), this.#seed, this.epochs);
    } finally {
      snapshot.close();
    }
  }

  #serve(config: ZoneConfig, image: ZoneImage): ServedZone {
    const zone = new ServedZone(config, image);
    this.#zones.set(config.apex.key, zone);
    this.#set = undefined;
    return zone;
  }

  /** Gives a zone that is served the configuration of a reload. */
  configure(config: ZoneConfig): void {
    const zone = this.get(config.apex);
    if (zone === undefined) return;
    zone.config = config;
    this.#set = undefined;
  }

  remove(apex: Name): void {
    if (this.#zones.delete(apex.key)) this.#set = undefined;
  }
}
