/**
 * How the targets of a zone's records resolve within it, found in two passes over the records without keeping a model of
 * the zone: first the targets are told, then every record's owner, then questions are answered (RFC 1034 §4.3.2,
 * RFC 4592 for wildcards).
 */
import { RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";

/** What is known of a name that some target depends on. */
const EXISTS = 1;
const HAS_ADDRESS = 2;
const IS_ALIAS = 4;

/** How a name in the zone resolves. */
export type Resolution = "address" | "alias" | "nothing" | "delegated" | "outside";

export class TargetResolution {
  readonly #apex: Name;
  /** EXISTS, HAS_ADDRESS, IS_ALIAS of the names whose state matters, by key. */
  readonly #states = new Map<string, number>();
  /** Keys of delegated names, and of names with a DNAME. */
  readonly #cuts: { has(key: string): boolean };
  readonly #dnames: { has(key: string): boolean };

  constructor(apex: Name, cuts: { has(key: string): boolean }, dnames: { has(key: string): boolean }) {
    this.#apex = apex;
    this.#cuts = cuts;
    this.#dnames = dnames;
  }

  /** Makes the second pass note all that decides how `target` resolves: itself, what is above it, the wildcards there. */
  watch(target: Name): void {
    if (!target.isWithin(this.#apex)) return;
    const { key } = target;
    const end = key.length - this.#apex.wire.length;
    for (let at = 0; at <= end; at += key.charCodeAt(at) + 1) {
      const ancestor = key.slice(at);
      if (!this.#states.has(ancestor)) this.#states.set(ancestor, 0);
      const wildcard = `\u0001*${ancestor}`;
      if (!this.#states.has(wildcard)) this.#states.set(wildcard, 0);
    }
  }

  /** Records what the name is, where somebody will ask; every name above it exists then too (RFC 4592 §2.2.2). */
  note(key: string, type: number): void {
    let state = EXISTS;
    if (type === RrType.A || type === RrType.AAAA) state |= HAS_ADDRESS;
    else if (type === RrType.CNAME) state |= IS_ALIAS;
    const end = key.length - this.#apex.wire.length;
    for (let at = 0; at <= end; at += key.charCodeAt(at) + 1) {
      const watched = at === 0 ? key : key.slice(at);
      const known = this.#states.get(watched);
      if (known !== undefined && (known | state) !== known) this.#states.set(watched, known | state);
      state = EXISTS;
    }
  }

  /** Whether the name itself has an A or AAAA, wherever it stands. */
  hasAddress(target: Name): boolean {
    return ((this.#states.get(target.key) ?? 0) & HAS_ADDRESS) !== 0;
  }

  /** How a name resolves by the zone alone (RFC 1034 §4.3.2). */
  resolve(target: Name): Resolution {
    if (!target.isWithin(this.#apex)) return "outside";
    const { key } = target;
    const end = key.length - this.#apex.wire.length;
    const starts: number[] = [];
    for (let at = 0; at <= end; at += key.charCodeAt(at) + 1) starts.push(at);
    // From the apex down, as a lookup goes: a cut or a DNAME above the name decides.
    for (const at of starts.toReversed()) {
      const ancestor = key.slice(at);
      if (at < end && this.#cuts.has(ancestor)) return "delegated";
      if (at > 0 && this.#dnames.has(ancestor)) return "alias";
    }
    for (const at of starts) {
      const ancestor = key.slice(at);
      const state = this.#states.get(ancestor) ?? 0;
      if ((state & EXISTS) === 0) continue;
      // The closest encloser: the name itself, or what its wildcard makes of it (RFC 4592 §3.3.1).
      return meaning(at === 0 ? state : (this.#states.get(`\u0001*${ancestor}`) ?? 0));
    }
    return "nothing";
  }
}

function meaning(state: number): Resolution {
  if ((state & HAS_ADDRESS) !== 0) return "address";
  return (state & IS_ALIAS) === 0 ? "nothing" : "alias";
}
