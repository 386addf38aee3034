/** The composition root: the only file that knows everything. Builds the server from its configuration. */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { prepareKeys, prepareZones } from "./app/prepare.ts";
import { Reloads, tcpLimits } from "./app/reload.ts";
import { Serving } from "./app/serving.ts";
import type { StatusSources } from "./app/status.ts";
import { serverStatus } from "./app/status.ts";
import type { Config } from "./config/config.ts";
import { zoneConfigOf } from "./config/config.ts";
import { controlSocketPath } from "./config/paths.ts";
import { ROLLCALL_VERSION } from "./config/version.ts";
import { dispatchVerbs } from "./control/dispatch.ts";
import { ControlServer } from "./control/server.ts";
import type { ReloadReport } from "./control/verbs.ts";
import { giveMemoryBack } from "./server/collect-garbage.ts";
import { createFront } from "./server/front.ts";
import { Listeners } from "./server/listeners.ts";
import { openAcceptor } from "./server/kerberos/acceptor.ts";
import { openUdp } from "./server/udp-choice.ts";
import type { UdpTransport } from "./server/transport.ts";
import { TcpConnections } from "./server/tcp.ts";
import { adminHandlers } from "./services/admin.ts";
import { Ageing } from "./services/ageing.ts";
import { ChangeQueue } from "./services/change-queue.ts";
import { Forwarder } from "./services/forward/forwarder.ts";
import { socketTransport } from "./services/forward/transport.ts";
import { JournalKeeper } from "./services/journal-keeper.ts";
import { MemoryKeeper, TRANSFER_WORK } from "./services/memory-keeper.ts";
import { NetbiosService } from "./services/netbios.ts";
import { Kerberos } from "./services/kerberos.ts";
import { Notifier } from "./services/notifier.ts";
import { notifySource } from "./services/notify-source.ts";
import { RefusalLog } from "./services/refusal-log.ts";
import { Transfers } from "./services/transfers.ts";
import { Updater } from "./services/updater.ts";
import { ServedZones } from "./services/zones.ts";
import { openStore } from "./store/open.ts";
import type { SqliteStore } from "./store/store.ts";
import { hashSeed } from "./zone/image/hash.ts";

export { StartError } from "./app/prepare.ts";
export { createLog } from "./services/log.ts";

/**
 * Most jobs of one commit, and so answers that leave in one burst: Linux' default receive buffer holds some 256 short ones,
 * and a client that was not reading just then loses the others (seen with 400 updates outstanding).
 */
const MAX_BATCH = 200;
/** How long connections may take to fetch their last answers when the server stops, in milliseconds. */
const STOP_GRACE = 5_000;
/** UDP answers under way get this many milliseconds to leave the socket. */
const UDP_GRACE = 50;

/** A running server. */
export class Rollcall {
  readonly #log: Logger;
  readonly #store: SqliteStore;
  readonly #zones: ServedZones;
  readonly #queue: ChangeQueue;
  readonly #notifier: Notifier;
  readonly #keeper: JournalKeeper;
  readonly #memory: MemoryKeeper;
  readonly #forwarder: Forwarder;
  readonly #kerberos: Kerberos;
  readonly #ageing: Ageing;
  readonly #connections: TcpConnections;
  readonly #udp: UdpTransport;
  readonly #listeners: Listeners;
  readonly #netbios: NetbiosService;
  readonly #serving: Serving;
  readonly #reloads: Reloads;
  readonly #statusSources: StatusSources;
  #control: ControlServer | undefined;
  #stopped: Promise<void> | undefined;
  readonly #onStop: () => void;

  private constructor(config: Config, store: SqliteStore, log: Logger, onStop: () => void) {
    this.#store = store;
    this.#log = log;
    this.#onStop = onStop;
    const now = Date.now;
    const seed = hashSeed(randomBytes(8));
    this.#zones = new ServedZones(store, seed);
    this.#kerberos = new Kerberos({ open: (options) => openAcceptor(options), log, now });
    const refusals = new RefusalLog(log, now);
    const limits = (): Config["limits"] => this.#serving.config.limits;
    const sourceFor = (target: string): string | undefined =>
      notifySource(
        target,
        this.#serving.config.listen.map(({ address }) => address),
      );
    this.#notifier = new Notifier({ store, log, now, sourceFor });
    this.#queue = new ChangeQueue({
      store,
      zone: (apex) => this.#zones.get(apex),
      get maxQueued() {
        return limits().updatesQueued;
      },
      maxBatch: MAX_BATCH,
      onCommitted: (changesets) => this.#notifier.committed(changesets),
      onFailure: (error, jobs) => this.#serving.commitFailed(error, jobs),
    });
    this.#ageing = new Ageing({
      wake: (callback, milliseconds) => {
        const timer = setTimeout(callback, milliseconds).unref();
        return () => clearTimeout(timer);
      },
      store,
      changes: this.#queue,
      zones: this.#zones,
      log,
      now,
      uptime: () => performance.now(),
    });
    const updater = new Updater({
      queue: this.#queue,
      zones: this.#zones,
      store,
      ageing: this.#ageing,
      refusals,
      log,
      now,
    });
    const transfers = new Transfers({
      store,
      zones: this.#zones,
      refusals,
      secondaries: this.#notifier,
      log,
      now,
      maxAtOnce: () => limits().transfers,
    });
    this.#keeper = new JournalKeeper({
      store,
      log,
      now,
      zones: () => this.#zones.all().map(({ config: { apex, journal } }) => ({ apex, journal })),
    });
    this.#forwarder = new Forwarder({
      transport: socketTransport,
      now: () => performance.now(),
      random: randomBytes,
      remember: (answer) => this.#udp.remember(answer),
      log,
    });
    this.#connections = new TcpConnections(tcpLimits(config));
    const front = createFront({
      context: () => this.#serving.context,
      update: (outcome, peer) => updater.handle(outcome, peer),
      transfer: (outcome, peer, sink) => transfers.handle(outcome, peer, sink),
      elsewhere: (query, sink) => this.#forwarder.handle(query, sink),
      refused: (refusal, peer) => refusals.write(refusal, peer),
      log,
      now,
    });
    this.#memory = new MemoryKeeper({
      work: () => front.counters.queries + front.counters.others + TRANSFER_WORK * transfers.counters.axfr,
      giveBack: () => {
        store.releaseMemory();
        giveMemoryBack();
      },
    });
    this.#udp = openUdp(config.threads, { seed, epochs: this.#zones.epochs, handler: front.handler, log });
    this.#listeners = new Listeners(this.#udp, front.handler, this.#connections, log);
    this.#netbios = new NetbiosService({
      zones: this.#zones,
      update: (outcome, peer) => updater.handle(outcome, peer),
      refusals,
      log,
      now,
    });
    this.#serving = new Serving(config, {
      store,
      zones: this.#zones,
      kerberos: this.#kerberos,
      forwarder: this.#forwarder,
      udp: this.#udp,
      notifier: this.#notifier,
      ageing: this.#ageing,
      memory: this.#memory,
      log,
    });
    this.#reloads = new Reloads({
      serving: this.#serving,
      store,
      zones: this.#zones,
      kerberos: this.#kerberos,
      netbios: this.#netbios,
      listeners: this.#listeners,
      connections: this.#connections,
      log,
    });
    this.#statusSources = {
      startedAt: now(),
      config: () => this.#serving.config,
      lastReload: () => this.#reloads.last,
      front,
      udp: this.#udp,
      connections: this.#connections,
      listeners: this.#listeners,
      netbios: this.#netbios,
      zones: this.#zones,
      queue: this.#queue,
      updater,
      refusals,
      ageing: this.#ageing,
      transfers,
      notifier: this.#notifier,
      forwarder: this.#forwarder,
      kerberos: this.#kerberos,
    };
  }

  /**
   * Starts a server: opens the store, loads the zones, listens.
   * @throws StartError, StoreError, ListenError, ControlError: the operator's to mend; nothing is left open
   */
  static async start(config: Config, log: Logger, onStop: () => void): Promise<Rollcall> {
    const store = openStore(config.data);
    const server = new Rollcall(config, store, log, onStop);
    try {
      server.#kerberos.take(prepareKeys(config, server.#kerberos));
      const serving = server.#serving;
      await serving.create(await prepareZones(config, store, log));
      for (const zone of config.zones) await serving.open(zone);
      server.#memory.released(server.#zones.all().reduce((sum, { image }) => sum + image.recordCount, 0));
      await serving.renew();
      await server.#openControl();
      await server.#netbios.configure(config.netbios);
      await server.#listeners.configure(config.listen);
    } catch (error) {
      await server.stop();
      throw error;
    }
    const { addresses } = server.#listeners;
    log.info(
      {
        version: ROLLCALL_VERSION,
        zones: server.#zones.size,
        listen: addresses,
        udp: server.#udp.description,
      },
      "ready",
    );
    return server;
  }

  /** Addresses answered on, with the ports really taken. */
  get addresses(): readonly string[] {
    return this.#listeners.addresses;
  }

  /** Lets questions go before other work on a shared core: for a process that is this server and nothing else. */
  preferAnswers(): void {
    this.#udp.preferAnswers();
  }

  /** Reads the configuration again. A bad one changes nothing and the report says why. */
  reload(): Promise<ReloadReport> {
    return this.#reloads.reload();
  }

  /** Finishes what was acknowledged or is under way, and closes everything. Can be called again. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#listeners.stopAccepting();
    await this.#reloads.close();
    await this.#ageing.stop();
    await this.#queue.close();
    this.#ageing.close();
    this.#keeper.close();
    this.#memory.close();
    this.#forwarder.close();
    await this.#connections.close(STOP_GRACE);
    await new Promise((resolve) => setTimeout(resolve, UDP_GRACE));
    await this.#netbios.close();
    await this.#listeners.close();
    await this.#udp.close();
    await this.#notifier.close();
    await this.#control?.close();
    this.#kerberos.close();
    this.#store.close();
    this.#log.info("stopped");
  }

  async #openControl(): Promise<void> {
    const serving = this.#serving;
    const handlers = adminHandlers({
      store: this.#store,
      changes: this.#queue,
      ageing: this.#ageing,
      zoneConfig: (apex) => zoneConfigOf(serving.config, apex),
      publishedZone: (apex) => this.#zones.get(apex),
      createZone: (apex, records, origin, onWritten) => serving.createZone(apex, records, origin, onWritten),
      released: (records) => this.#memory.released(records),
      limits: () => serving.config.limits.records,
      secondaries: (apex) => this.#notifier.status(apex),
      status: () => serverStatus(this.#statusSources),
      reload: () => this.reload(),
      stop: this.#onStop,
      now: Date.now,
      log: this.#log,
    });
    this.#control = await ControlServer.listen({
      path: controlSocketPath(serving.config.data),
      version: ROLLCALL_VERSION,
      handler: dispatchVerbs(handlers),
      onFault: (error, verb) =>
        this.#log.error({ err: error, verb }, "a control request failed: a fault in the server"),
    });
  }
}
