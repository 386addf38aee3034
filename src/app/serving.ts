/**
 * What is served: the zones that the configuration in force names, opened, created and dropped, and what everybody who
 * answers for them is told.
 */
import type { Logger } from "pino";
import type { Config, ZoneConfig } from "../config/config.ts";
import { zoneConfigOf } from "../config/config.ts";
import type { DispatchContext } from "../protocol/dispatch.ts";
import { QueryAnswerer } from "../protocol/query.ts";
import { collectGarbage } from "../server/collect-garbage.ts";
import type { UdpTransport } from "../server/transport.ts";
import type { Ageing } from "../services/ageing.ts";
import type { Forwarder } from "../services/forward/forwarder.ts";
import type { Kerberos } from "../services/kerberos.ts";
import type { MemoryKeeper } from "../services/memory-keeper.ts";
import type { Notifier } from "../services/notifier.ts";
import { inTurns } from "../services/turns.ts";
import { createZones } from "../services/zone-files.ts";
import type { NewZone } from "../services/zone-files.ts";
import type { ServedZones } from "../services/zones.ts";
import type { SqliteStore } from "../store/store.ts";
import type { Name } from "../wire/name.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { ChangeOrigin } from "../zone/changeset.ts";
import type { StoredZone } from "../zone/ports.ts";

export interface ServingDeps {
  readonly store: SqliteStore;
  readonly zones: ServedZones;
  readonly kerberos: Kerberos;
  readonly forwarder: Forwarder;
  readonly udp: UdpTransport;
  readonly notifier: Notifier;
  readonly ageing: Ageing;
  readonly memory: MemoryKeeper;
  readonly log: Logger;
}

export class Serving {
  readonly #deps: ServingDeps;
  #config: Config;
  #context: DispatchContext;

  /** @param config in force from now on, though nothing is served before {@link open} and {@link renew} */
  constructor(config: Config, deps: ServingDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#context = this.#newContext();
  }

  /** In force now. */
  get config(): Config {
    return this.#config;
  }

  /** By which messages are answered now. */
  get context(): DispatchContext {
    return this.#context;
  }

  /** Creates zones that were read from their files. They are to be opened then. */
  async create(zones: readonly NewZone[]): Promise<void> {
    const { store, memory, log } = this.#deps;
    await createZones(zones, store, log, Date.now());
    memory.released(zones.reduce((sum, { records }) => sum + records.length, 0));
  }

  /** Loads a zone, where it has data. Nobody is told of it before {@link renew}. */
  async open(config: ZoneConfig): Promise<void> {
    const { store, zones, log } = this.#deps;
    if (!store.zones().some(({ apex }) => apex.equals(config.apex))) {
      const zone = config.apex.toString();
      log.warn(
        { zone },
        `zone has no data yet and is not served: give it one with rollcall zone import ${zone} FILE`,
      );
      return;
    }
    const zone = await zones.open(config);
    const serial = soaSerial(zone.image.soa.rdata);
    log.info(
      { zone: config.apex.toString(), serial, records: zone.image.recordCount, bytes: zone.image.usedBytes },
      "zone loaded",
    );
  }

  /** Creates a zone for an import, and serves it where the configuration names it. */
  async createZone(
    apex: Name,
    records: readonly ResourceRecord[],
    origin: ChangeOrigin,
    onWritten: (records: number) => Promise<void>,
  ): Promise<StoredZone> {
    const stored = await inTurns(this.#deps.store.createInSteps(apex, records, origin), onWritten);
    const config = zoneConfigOf(this.#config, apex);
    if (config !== undefined) {
      await this.open(config);
      await this.renew();
    }
    return stored;
  }

  /** Puts another configuration in force, whose new zones are open, and drops the zones that it does not name. */
  async take(config: Config): Promise<void> {
    const { zones } = this.#deps;
    this.#config = config;
    const gone: Name[] = [];
    for (const served of zones.all()) {
      const zone = zoneConfigOf(config, served.apex);
      if (zone === undefined) gone.push(served.apex);
      else zones.configure(zone);
    }
    for (const apex of gone) zones.remove(apex);
    await this.renew();
    if (gone.length > 0) setImmediate(collectGarbage); // when nothing here refers to the images any more
  }

  /** Tells everybody what is served now. Resolves when every thread answers by it. */
  async renew(): Promise<void> {
    const { notifier, ageing } = this.#deps;
    await this.#renewAnswers();
    notifier.configure(this.#config.zones);
    ageing.configure();
  }

  /** A commit or its publication failed: what is shown must be what is stored. */
  commitFailed(error: unknown, jobs: number): void {
    const { store, zones, log } = this.#deps;
    // Without a job it cost, all is stored and shown, and only the secondaries have not been told.
    const what = jobs > 0 ? "changes could not be committed" : "secondaries could not be told of a change";
    log.error({ err: error, jobs }, what);
    for (const stored of store.zones()) {
      const served = zones.get(stored.apex);
      if (served === undefined || soaSerial(served.image.soa.rdata) === stored.serial) continue;
      const zone = stored.apex.toString();
      try {
        zones.put(served.config);
        log.warn({ zone }, "zone loaded again from the store");
      } catch (failure) {
        log.error({ zone, err: failure }, "zone cannot be loaded again: it takes no updates from now on");
        continue;
      }
      void this.#renewAnswers();
    }
  }

  #newContext(): DispatchContext {
    const { zones, kerberos } = this.#deps;
    const { server, keys } = this.#config;
    return {
      answerer: new QueryAnswerer(zones.set, { identity: server.identity }),
      keys,
      gss: kerberos.gss,
      chaos: server,
      zone: (apex) => zones.access(apex),
    };
  }

  /** Resolves when every thread answers by it. */
  #renewAnswers(): Promise<void> {
    const { zones: served, forwarder, udp } = this.#deps;
    const { forwards, emptyZones, cache, limits, server } = this.#config;
    const suffixes = forwards.flatMap((forward) => forward.suffixes);
    served.surround(emptyZones, suffixes);
    this.#context = this.#newContext();
    forwarder.configure({
      forwards,
      cache,
      queries: limits.forwardQueries,
      queriesPerClient: limits.forwardQueriesPerClient,
    });
    const zones = served.shared;
    forwarder.besides(zones.map(({ apex }) => apex));
    const clients = forwards.map((forward) => forward.clients.map(({ text }) => text));
    const { generation } = forwarder;
    return udp.serve(zones, server.identity, { suffixes, clients, generation });
  }
}
