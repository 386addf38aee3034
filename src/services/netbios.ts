/**
 * The NetBIOS name service (RFC 1001, RFC 1002) for hosts that still ask for short names: answers from the zones' images,
 * takes registrations into memory, and carries them into a zone where the configuration says so. The decisions are
 * `netbios/`; here are the sockets, the clock and the log.
 */
import type { NetbiosConfig } from "../config/config.ts";
import type { NameOutcome } from "../netbios/name-service.ts";
import { NameService } from "../netbios/name-service.ts";
import { netbiosNameToText } from "../netbios/name.ts";
import { nbRcodeToText } from "../netbios/packet.ts";
import { Registrations } from "../netbios/registrations.ts";
import { findInZones } from "../netbios/zone-names.ts";
import type { Peer } from "../protocol/context.ts";
import { peerToText } from "../protocol/context.ts";
import { Rcode } from "../wire/iana/code.ts";
import type { Name } from "../wire/name.ts";
import type { ChallengeTimes } from "./netbios/challenges.ts";
import { Challenges } from "./netbios/challenges.ts";
import type { FeedDeps } from "./netbios/feed.ts";
import { NetbiosFeed } from "./netbios/feed.ts";
import type { NetbiosPort } from "./netbios/sockets.ts";
import { NetbiosSockets } from "./netbios/sockets.ts";
import { LineBudget } from "./line-budget.ts";
import type { RefusalLog } from "./refusal-log.ts";
import type { ServedZone } from "./zones.ts";

export { NetbiosListenError } from "./netbios/sockets.ts";

/** How often registrations whose time is up are looked for, in milliseconds. */
const SWEEP_INTERVAL = 30_000;
/** Registrations that may wait for the zone at once; the records of those beyond come with the next refresh. */
const MAX_FEEDING = 1000;

export interface NetbiosDeps {
  readonly zones: { get(apex: Name): ServedZone | undefined };
  readonly update: FeedDeps["update"];
  readonly refusals: RefusalLog;
  readonly log: {
    debug(fields: object, message: string): void;
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** For tests. */
  readonly challenges?: Partial<ChallengeTimes>;
}

export interface NetbiosCounters {
  received: number;
  /** Of strangers, to everybody, responses, malformed, or of a kind that a name server does not answer. */
  ignored: number;
  /** Names that were found, and that were not. */
  found: number;
  notFound: number;
  /** Registrations and refreshes acknowledged. */
  registered: number;
  released: number;
  refused: number;
  /** Owners that were asked whether they still have a name. */
  challenged: number;
  /** Packets not handled because of a fault in this program. */
  bugs: number;
}

export class NetbiosService {
  readonly counters: NetbiosCounters = {
    received: 0,
    ignored: 0,
    found: 0,
    notFound: 0,
    registered: 0,
    released: 0,
    refused: 0,
    challenged: 0,
    bugs: 0,
  };
  readonly #deps: NetbiosDeps;
  readonly #sockets: NetbiosSockets;
  readonly #challenges: Challenges;
  readonly #registrations = new Registrations({ inAll: 0, perClient: 0 });
  readonly #service: NameService;
  /** Of registrations and releases: a client may do both as fast as it likes. */
  readonly #lines: LineBudget;
  #config: NetbiosConfig | undefined;
  #feed: NetbiosFeed | undefined;
  #feeding = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(deps: NetbiosDeps) {
    this.#deps = deps;
    this.#lines = new LineBudget(deps.now);
    this.#sockets = new NetbiosSockets((message, from, port) => this.#receive(message, from, port), deps.log);
    this.#challenges = new Challenges(deps.challenges);
    this.#service = new NameService({ clients: [], maxTtl: 0 }, this.#registrations, (name) =>
      this.#config === undefined
        ? undefined
        : findInZones(name, this.#config, (owner) => this.#zoneOf(owner)?.view),
    );
  }

  /** Addresses answered on, with the ports really taken. */
  get addresses(): string[] {
    return this.#sockets.addresses;
  }

  /** Counters for `rollcall status`. */
  status(): Record<string, number> {
    const { received, ignored, found, notFound, registered, released, refused, challenged } = this.counters;
    return {
      netbiosReceived: received,
      netbiosIgnored: ignored,
      netbiosFound: found,
      netbiosNotFound: notFound,
      netbiosRegistered: registered,
      netbiosReleased: released,
      netbiosRefused: refused,
      netbiosChallenged: challenged,
      netbiosNames: this.#registrations.names,
    };
  }

  /**
   * Serves by this configuration from now on; without one, not at all. An address that cannot be had leaves everything as
   * it was.
   * @throws NetbiosListenError
   */
  async configure(config: NetbiosConfig | undefined): Promise<void> {
    const before = this.addresses.join();
    await this.#sockets.configure(config?.listen ?? []);
    const feeds = config?.feed === true ? config.suffixes[0] : undefined;
    const feedsStill =
      feeds !== undefined && this.#config?.feed === true && feeds.equals(this.#config.suffixes[0]!);
    if (!feedsStill) {
      const { update } = this.#deps;
      this.#feed = feeds && new NetbiosFeed(feeds, { update, zoneOf: (name) => this.#zoneOf(name) });
    }
    this.#config = config;
    clearInterval(this.#sweeper);
    if (config === undefined) {
      this.#challenges.close();
      this.#registrations.clear();
      this.#service.settings = { clients: [], maxTtl: 0 };
    } else {
      this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL).unref();
      this.#registrations.limits = { inAll: config.registrations, perClient: config.registrationsPerClient };
      this.#service.settings = { clients: config.clients, maxTtl: Math.floor(config.maxTtl / 1000) };
    }
    const { addresses } = this;
    if (addresses.join() === before) return;
    if (config === undefined) this.#deps.log.info({}, "NetBIOS names are not answered any more");
    else this.#deps.log.info({ listen: addresses, feed: config.feed }, "answering NetBIOS names");
    if (config?.listen.some(({ address }) => address === "0.0.0.0") === true) {
      this.#deps.log.warn(
        { address: "0.0.0.0" },
        "NetBIOS replies may leave from another address than was asked, and be refused: list each address in `listen` of [netbios]",
      );
    }
  }

  /** Resolves when nothing more can arrive. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#challenges.close();
    await this.#sockets.configure([]);
  }

  /** The zone with the longest apex that holds a name. */
  #zoneOf(name: Name): ServedZone | undefined {
    for (let at: Name | undefined = name; at !== undefined; at = at.parent) {
      const zone = this.#deps.zones.get(at);
      if (zone !== undefined) return zone;
    }
    return undefined;
  }

  #receive(
    message: Uint8Array,
    from: { readonly address: string; readonly port: number },
    port: NetbiosPort,
  ): void {
    this.counters.received++;
    const peer: Peer = { address: from.address, port: from.port, transport: "udp" };
    try {
      if (from.port === 0) this.counters.ignored++;
      else this.#carryOut(this.#service.handle(message, from.address, this.#deps.now()), message, peer, port);
    } catch (error) {
      this.#failed(error);
    }
  }

  #carryOut(outcome: NameOutcome, message: Uint8Array, peer: Peer, port: NetbiosPort): void {
    const { counters } = this;
    const answer = (bytes: Uint8Array): void => port.send(bytes, peer.address, peer.port);
    switch (outcome.kind) {
      case "silence":
        if (outcome.why !== "response" || !this.#challenges.take(message, peer.address)) counters.ignored++;
        return;
      case "answer":
        counters[outcome.found ? "found" : "notFound"]++;
        answer(outcome.bytes);
        return;
      case "refused":
        counters.refused++;
        answer(outcome.bytes);
        this.#logRefusal(outcome, peer);
        return;
      case "registered":
        counters.registered++;
        this.#logRegistration(outcome, peer);
        this.#feedThen(this.#feedRegistration(outcome, peer), () => answer(outcome.bytes));
        return;
      case "released":
        counters.released++;
        if (outcome.lost !== undefined) this.#logRelease(outcome, peer);
        this.#feedThen(outcome.lost && this.#feed?.remove(outcome.lost), () => answer(outcome.bytes));
        return;
      case "challenge":
        this.#challenge(outcome, message, peer, port);
        return;
    }
  }

  #challenge(
    outcome: Extract<NameOutcome, { kind: "challenge" }>,
    message: Uint8Array,
    peer: Peer,
    port: NetbiosPort,
  ): void {
    const { name, owner, address } = outcome;
    if (this.#challenges.isBusy(name)) {
      this.counters.ignored++;
      return;
    }
    this.counters.challenged++;
    const fields = { name: netbiosNameToText(name), owner, address, peer: peerToText(peer) };
    this.#deps.log.debug(fields, "asking the owner of a NetBIOS name whether it still has it");
    port.send(outcome.bytes, peer.address, peer.port);
    this.#challenges.ask(name, owner, port).then(
      (owned) => {
        if (this.#config === undefined) return;
        this.#carryOut(outcome.settle(owned, this.#deps.now()), message, peer, port);
      },
      (error: unknown) => this.#failed(error),
    );
  }

  //------------ The zone ----------------------------------------------------

  #feedRegistration(
    { name, group, address, kept, lost }: Extract<NameOutcome, { kind: "registered" }>,
    { address: source }: Peer,
  ): Promise<unknown> | undefined {
    const feed = this.#feed;
    if (feed === undefined || kept === undefined || this.#feeding >= MAX_FEEDING) return undefined;
    const steps = [...lost.map((each) => feed.remove(each)), feed.add({ name, group, address, source })];
    return Promise.all(steps);
  }

  /** Acknowledges when the zone has it, so that whoever was told finds it; it is acknowledged if the zone refuses, too. */
  #feedThen(fed: Promise<unknown> | undefined, then: () => void): void {
    if (fed === undefined) {
      then();
      return;
    }
    this.#feeding++;
    fed
      .finally(() => this.#feeding--)
      .then(then)
      .catch((error: unknown) => this.#failed(error));
  }

  /** Forgets what was not refreshed in time, here and in the zone. */
  #sweep(): void {
    const lost = this.#registrations.expire(this.#deps.now());
    if (lost.length === 0) return;
    const names = lost.slice(0, 5).map(({ name }) => netbiosNameToText(name));
    this.#deps.log.info({ count: lost.length, names }, "NetBIOS names were not refreshed and are forgotten");
    const feed = this.#feed;
    if (feed !== undefined)
      this.#feedThen(Promise.all(lost.map((each) => feed.remove(each))), () => undefined);
  }

  //------------ The log -----------------------------------------------------

  #logRegistration(
    { name, group, address, ttl, kept, lost }: Extract<NameOutcome, { kind: "registered" }>,
    peer: Peer,
  ): void {
    const fields = {
      name: netbiosNameToText(name),
      address,
      ...(group ? { group } : {}),
      ttl,
      ...(lost.length === 0 ? {} : { instead: lost.map((each) => each.address) }),
      peer: peerToText(peer),
    };
    if (kept === "new") {
      this.#logChange(fields, "NetBIOS name registered");
    } else {
      const what = kept === undefined ? "acknowledged and not kept" : "refreshed";
      this.#deps.log.debug(fields, `NetBIOS name ${what}`);
    }
  }

  #logRelease({ name, address }: Extract<NameOutcome, { kind: "released" }>, peer: Peer): void {
    this.#logChange(
      { name: netbiosNameToText(name), address, peer: peerToText(peer) },
      "NetBIOS name released",
    );
  }

  #logChange(fields: object, message: string): void {
    const suppressed = this.#lines.take();
    if (suppressed !== undefined) this.#deps.log.info({ ...fields, ...suppressed }, message);
  }

  #logRefusal({ name, rcode, reason }: Extract<NameOutcome, { kind: "refused" }>, peer: Peer): void {
    const extra = { netbios: netbiosNameToText(name), rcode: nbRcodeToText(rcode) };
    this.#deps.refusals.write({ exchange: "netbios", rcode: Rcode.REFUSED, reason }, peer, extra);
  }

  #failed(error: unknown): void {
    this.counters.bugs++;
    this.#deps.log.error(
      { err: error },
      "a NetBIOS packet could not be handled: this is a fault in the server",
    );
  }
}
