/**
 * The names that nodes have registered: in memory, bounded in all and for each client, forgotten when their time is up
 * (RFC 1001 §15.1, RFC 1002 §5.1.4). A unique name has the addresses of one host, a group those of its members.
 */
import type { NetbiosName } from "./name.ts";
import type { NbAddress } from "./packet.ts";
import { NB_GROUP } from "./packet.ts";

/** Addresses kept of one name: as many as an answer for a group of controllers may have (RFC 1001 §15.1.1: 25). */
export const MAX_HELD = 25;

/** How many addresses of names may be held. */
export interface RegistrationLimits {
  readonly inAll: number;
  readonly perClient: number;
}

/** One address that a name is registered with. Instants are milliseconds since 1970 UTC. */
export interface Held {
  readonly flags: number;
  /** The client that registered it. */
  readonly source: string;
  readonly expires: number;
}

/** A name as it is registered now. */
export interface Registration {
  readonly name: NetbiosName;
  readonly group: boolean;
  /** By address, the one registered last at the end. Never empty. */
  readonly held: ReadonlyMap<string, Held>;
}

/** An address that a name lost. */
export interface Lost {
  readonly name: NetbiosName;
  readonly group: boolean;
  readonly address: string;
  readonly source: string;
}

/** What became of adding an address: it is new, it was there, or a limit (named) keeps it out. */
export type Added = "new" | "renewed" | "inAll" | "perClient" | "perName";

interface Entry {
  readonly name: NetbiosName;
  readonly group: boolean;
  readonly held: Map<string, Held>;
}

export class Registrations {
  limits: RegistrationLimits;
  readonly #names = new Map<string, Entry>();
  readonly #perClient = new Map<string, number>();
  /** Too old and replaced since the last {@link Registrations.expire}, which is to tell of them. */
  #replaced: Lost[] = [];
  #count = 0;

  constructor(limits: RegistrationLimits) {
    this.limits = limits;
  }

  /** Addresses held, of all names. */
  get size(): number {
    return this.#count;
  }

  /** Names held. */
  get names(): number {
    return this.#names.size;
  }

  /** The name with the addresses that are not too old; undefined where there is none. */
  find(name: NetbiosName, now: number): Registration | undefined {
    const entry = this.#names.get(name.key);
    if (entry === undefined) return undefined;
    const held = new Map([...entry.held].filter(([, { expires }]) => expires > now));
    return held.size === 0 ? undefined : { name: entry.name, group: entry.group, held };
  }

  /**
   * Registers an address, or renews it. The caller has seen to it that a unique name and a group do not meet, and that
   * the addresses of a unique name are one host's.
   */
  add(name: NetbiosName, { flags, address }: NbAddress, source: string, expires: number): Added {
    const group = (flags & NB_GROUP) !== 0;
    const before = this.#names.get(name.key);
    if (before !== undefined && before.group !== group) this.#dropAll(before); // what is left of it is too old
    const entry = this.#names.get(name.key) ?? { name, group, held: new Map<string, Held>() };
    const known = entry.held.get(address);
    const limit = this.#limitFor(entry, known, source);
    if (limit !== undefined) return limit;
    if (known !== undefined) this.#drop(entry, address);
    else if (entry.held.size >= MAX_HELD) this.#drop(entry, entry.held.keys().next().value!);
    this.#names.set(name.key, entry);
    entry.held.set(address, { flags, source, expires });
    this.#count++;
    this.#perClient.set(source, (this.#perClient.get(source) ?? 0) + 1);
    return known === undefined ? "new" : "renewed";
  }

  /** The limit that keeps an address out, where one does. Renewing what is one's own needs no room. */
  #limitFor(
    { group, held }: Entry,
    known: Held | undefined,
    source: string,
  ): Exclude<Added, "new" | "renewed"> | undefined {
    if (known?.source === source) return undefined;
    if ((this.#perClient.get(source) ?? 0) >= this.limits.perClient) return "perClient";
    if (known !== undefined) return undefined;
    // In a group, who registered longest ago makes room; a unique name has no business with so many.
    if (held.size >= MAX_HELD) return group ? undefined : "perName";
    return this.#count >= this.limits.inAll ? "inAll" : undefined;
  }

  /** Takes an address of a name away. @returns what it was; undefined where it was not there */
  remove(name: NetbiosName, address: string): Lost | undefined {
    const entry = this.#names.get(name.key);
    const held = entry?.held.get(address);
    if (entry === undefined || held === undefined) return undefined;
    this.#drop(entry, address);
    return { name: entry.name, group: entry.group, address, source: held.source };
  }

  clear(): void {
    this.#names.clear();
    this.#perClient.clear();
    this.#replaced = [];
    this.#count = 0;
  }

  /** Forgets everything whose time is up. @returns what it was */
  expire(now: number): Lost[] {
    const lost = this.#replaced;
    this.#replaced = [];
    for (const entry of this.#names.values()) {
      for (const [address, { source, expires }] of entry.held) {
        if (expires > now) continue;
        lost.push({ name: entry.name, group: entry.group, address, source });
        this.#drop(entry, address);
      }
    }
    return lost;
  }

  #dropAll(entry: Entry): void {
    for (const [address, { source }] of entry.held) {
      this.#replaced.push({ name: entry.name, group: entry.group, address, source });
      this.#drop(entry, address);
    }
  }

  #drop(entry: Entry, address: string): void {
    const { source } = entry.held.get(address)!;
    entry.held.delete(address);
    if (entry.held.size === 0) this.#names.delete(entry.name.key);
    this.#count--;
    const left = this.#perClient.get(source)! - 1;
    if (left === 0) this.#perClient.delete(source);
    else this.#perClient.set(source, left);
  }
}
