/**
 * GSS-TSIG as the operator sees it: keys are taken from the keytab at the start and at each reload, and given back at the
 * end. A keytab that has become bad leaves the keys before it in place.
 */
import type { GssAcceptor, OpenAcceptor } from "../auth/gss/acceptor.ts";
import { Gss } from "../auth/gss/gss.ts";
import type { GssSettings } from "../auth/gss/gss.ts";
import type { Config, GssConfig } from "../config/config.ts";
import { replayCachePath } from "../config/paths.ts";
import type { Problem } from "../config/problem.ts";

/** The longest that a context lives, in seconds, whatever its ticket says. */
const LIFETIME = 3600;
/** How often what has expired is given back, in milliseconds. */
const SWEEP = 30_000;
/** How long contexts stay after `[gss]` has gone, in milliseconds: for answers under way. */
const FAREWELL = 60_000;

export interface KerberosDeps {
  readonly open: OpenAcceptor;
  readonly log: { info(fields: object, message: string): void };
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
}

/** Keys that have been read and are not used yet. */
export interface PreparedKeys {
  readonly acceptor: GssAcceptor | undefined;
  readonly config: GssConfig | undefined;
}

export class Kerberos {
  readonly #deps: KerberosDeps;
  readonly #sweep: NodeJS.Timeout;
  /** Without `[gss]` any more, and those whose answers may be under way. */
  readonly #leaving = new Set<Gss>();
  #gss: Gss | undefined;
  #config: GssConfig | undefined;

  constructor(deps: KerberosDeps) {
    this.#deps = deps;
    this.#sweep = setInterval(() => this.#gss?.contexts.sweep(this.#seconds()), SWEEP).unref();
  }

  /** For the dispatcher; undefined where `[gss]` is not configured. */
  get gss(): Gss | undefined {
    return this.#gss;
  }

  /**
   * Reads the keys that a configuration names. Nothing changes before {@link take}; what is not taken is to be given to
   * {@link discard}.
   */
  prepare(config: Config): PreparedKeys | Problem {
    const { gss } = config;
    if (gss === undefined) return { acceptor: undefined, config: undefined };
    const { keytab, principal } = gss;
    const opened = this.#deps.open({ keytab, principal, replayCache: replayCachePath(config.data) });
    if ("accept" in opened) return { acceptor: opened, config: gss };
    return { severity: "error", file: config.path, ...opened };
  }

  discard(prepared: PreparedKeys): void {
    prepared.acceptor?.close();
  }

  /** Goes on with the keys. Contexts that were established with others live on. */
  take({ acceptor, config }: PreparedKeys): void {
    this.#config = config;
    if (acceptor === undefined || config === undefined) {
      this.#leave();
      return;
    }
    const settings: GssSettings = { ...config, lifetime: LIFETIME };
    if (this.#gss !== undefined) {
      this.#gss.reconfigure(acceptor, settings);
      return;
    }
    const { log } = this.#deps;
    this.#gss = new Gss(acceptor, settings, ({ keyName, principal, address, expires }, transport) => {
      const until = new Date(expires * 1000).toISOString();
      const fields = { peer: address, transport, principal, key: keyName.toString(), until };
      log.info(fields, "GSS-TSIG context established");
    });
    log.info({ keytab: config.keytab, principals: this.principals() }, "GSS-TSIG keys taken");
  }

  /** Whose keys are in use, each once. */
  principals(): string[] {
    return [...new Set(this.#config?.keys.map(({ principal }) => principal))];
  }

  /** By name, for `status`. */
  counters(): Record<string, number> {
    const gss = this.#gss;
    if (gss === undefined) return {};
    const { accepted, refused, limited, deleted } = gss.counters;
    return {
      gssContexts: gss.contexts.size,
      gssAccepted: accepted,
      gssRefused: refused,
      gssLimited: limited,
      gssDeleted: deleted,
      gssEvicted: gss.contexts.evicted,
    };
  }

  /** Gives everything back. Nothing may be signed afterwards. */
  close(): void {
    clearInterval(this.#sweep);
    this.#gss?.close();
    this.#gss = undefined;
    for (const gss of this.#leaving) gss.close();
    this.#leaving.clear();
  }

  #leave(): void {
    const gss = this.#gss;
    if (gss === undefined) return;
    this.#gss = undefined;
    this.#leaving.add(gss);
    setTimeout(() => {
      if (this.#leaving.delete(gss)) gss.close();
    }, FAREWELL).unref();
  }

  #seconds(): number {
    return Math.floor(this.#deps.now() / 1000);
  }
}
