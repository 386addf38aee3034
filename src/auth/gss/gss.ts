/** All that the exchanges need of GSS-TSIG: the acceptor, the contexts that were established, and their bounds. */
import type { GssAcceptor } from "./acceptor.ts";
import { NegotiationAllowance } from "./allowance.ts";
import type { GssContext } from "./context.ts";
import { GssContexts } from "./contexts.ts";

export interface GssSettings {
  readonly contexts: number;
  readonly contextsPerAddress: number;
  readonly negotiationsPerSecond: number;
  readonly negotiationsPerAddress: number;
  /** The longest that a context lives, in seconds. */
  readonly lifetime: number;
}

export interface GssCounters {
  /** Contexts established. */
  accepted: number;
  /** Negotiations that failed: a malformed request, a token that was not taken, no room. */
  refused: number;
  /** Negotiations that were not tried, there being too many in that second. */
  limited: number;
  /** Contexts that their clients deleted. */
  deleted: number;
}

export class Gss {
  readonly counters: GssCounters = { accepted: 0, refused: 0, limited: 0, deleted: 0 };
  readonly contexts: GssContexts;
  /** Negotiations over TCP and over UDP are counted apart: whoever forges sources cannot use up what TCP may take. */
  readonly allowance: { readonly tcp: NegotiationAllowance; readonly udp: NegotiationAllowance };
  /** Told of each context as it is established. */
  readonly onEstablished: (context: GssContext, transport: "udp" | "tcp") => void;
  #acceptor: GssAcceptor;
  #settings: GssSettings;

  constructor(
    acceptor: GssAcceptor,
    settings: GssSettings,
    onEstablished: Gss["onEstablished"] = () => undefined,
  ) {
    this.#acceptor = acceptor;
    this.#settings = settings;
    this.onEstablished = onEstablished;
    this.contexts = new GssContexts(settings);
    this.allowance = {
      tcp: new NegotiationAllowance(ratesOf(settings)),
      udp: new NegotiationAllowance(ratesOf(settings)),
    };
  }

  get acceptor(): GssAcceptor {
    return this.#acceptor;
  }

  /** Seconds. */
  get lifetime(): number {
    return this.#settings.lifetime;
  }

  /** Goes on with other keys and bounds; established contexts stay. */
  reconfigure(acceptor: GssAcceptor, settings: GssSettings): void {
    this.#acceptor.close();
    this.#acceptor = acceptor;
    this.#settings = settings;
    this.contexts.limits = settings;
    this.allowance.tcp.rates = ratesOf(settings);
    this.allowance.udp.rates = ratesOf(settings);
  }

  /** Gives everything back. */
  close(): void {
    this.contexts.clear();
    this.#acceptor.close();
  }
}

function ratesOf(settings: GssSettings): { perSecond: number; perAddressPerSecond: number } {
  return {
    perSecond: settings.negotiationsPerSecond,
    perAddressPerSecond: settings.negotiationsPerAddress,
  };
}
