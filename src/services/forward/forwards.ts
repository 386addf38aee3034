/** The forwards of the configuration: which upstream servers are asked about a name, and for whom. */
import type { Network } from "../../auth/acl.ts";
import type { ForwardConfig } from "../../config/config.ts";
import type { ForwardStatus } from "../../control/verbs.ts";
import { Routes } from "../../forward/routes.ts";
import { peerToText } from "../../protocol/context.ts";
import type { Name } from "../../wire/name.ts";
import { Upstream } from "./resolution.ts";

export interface Forward {
  /** Its place in the configuration. */
  readonly group: number;
  readonly config: ForwardConfig;
  readonly upstreams: readonly Upstream[];
}

export class Forwards {
  #configs: readonly ForwardConfig[] | undefined;
  #generation = 0;
  #routes = new Routes<Forward>();
  #upstreams = new Map<string, Upstream>();
  /** Keys of names above a zone or a suffix: they exist. */
  #above: ReadonlySet<string> = new Set();

  /** Counts up where forwards change: what was answered before holds no more. */
  get generation(): number {
    return this.#generation;
  }

  /** Takes the configuration's. Servers that stay keep what is known of them. @returns whether there is a change */
  configure(configs: readonly ForwardConfig[]): boolean {
    const before = this.#configs;
    this.#configs = configs;
    if (JSON.stringify(before) === JSON.stringify(configs)) return false;
    const upstreams = new Map<string, Upstream>();
    this.#routes = new Routes();
    this.#generation++;
    for (const [group, config] of configs.entries()) {
      const own = config.upstreams.map(({ address, port }) => {
        const text = peerToText({ address, port });
        const upstream =
          upstreams.get(text) ?? this.#upstreams.get(text) ?? new Upstream(address, port, text);
        upstreams.set(text, upstream);
        return upstream;
      });
      const forward: Forward = { group, config, upstreams: own };
      for (const suffix of config.suffixes) this.#routes.add(suffix, forward);
    }
    this.#upstreams = upstreams;
    return true;
  }

  /** Takes the zones that are served beside: the names above them exist. */
  besides(zones: readonly Name[]): void {
    const above = new Set<string>();
    for (const name of [...zones, ...this.#routes.suffixes]) {
      for (let parent = name.parent; parent !== undefined; parent = parent.parent) above.add(parent.key);
    }
    this.#above = above;
  }

  /** The forward a name belongs to, and the key of the suffix it was found by. */
  find(nameKey: string): ReturnType<Routes<Forward>["find"]> {
    return this.#routes.find(nameKey);
  }

  /** Whether a name is above a zone or a suffix, and so exists. */
  isAbove(nameKey: string): boolean {
    return this.#above.has(nameKey);
  }

  /** Whether a client may ask about any name at all. */
  mayAsk(address: string): boolean {
    return (this.#configs ?? []).some(({ clients }) => allows(clients, address));
  }

  /** What is known of the upstream servers; undefined where nothing is forwarded. */
  report(): ForwardStatus["upstreams"] | undefined {
    const configs = this.#configs ?? [];
    if (configs.length === 0) return undefined;
    return [...this.#upstreams.values()].map(({ text, health, sent, answered }) => {
      const own = configs.filter(({ upstreams: all }) => all.some((each) => peerToText(each) === text));
      return {
        address: text,
        names: own.flatMap(({ suffixes }) => suffixes.map(String)),
        state: health.isDown ? "down" : health.roundTrip === undefined ? "not asked yet" : "up",
        ...(health.roundTrip === undefined ? {} : { roundTrip: Math.round(health.roundTrip * 10) / 10 }),
        sent,
        answered,
        ...(health.lastFailure === undefined ? {} : { lastFailure: health.lastFailure }),
      } as const;
    });
  }
}

/** Whether an address is in one of these networks. */
export function allows(clients: readonly Network[], address: string): boolean {
  for (const network of clients) if (network.contains(address)) return true;
  return false;
}
