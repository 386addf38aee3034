/** The composition root: the only file that knows everything. Builds the server from its configuration. */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { StatusSources } from "./app/status.ts";
import { serverStatus } from "./app/status.ts";
import type { Config, ZoneConfig } from "./config/config.ts";
import { zoneConfigOf } from "./config/config.ts";
import { describeChanges } from "./config/changes.ts";
import { loadConfig } from "./config/load.ts";
import { controlSocketPath } from "./config/paths.ts";
import type { Problem } from "./config/problem.ts";
import { hasErrors, problemToText } from "./config/problem.ts";
import { ROLLCALL_VERSION } from "./config/version.ts";
import { dispatchVerbs } from "./control/dispatch.ts";
import { ControlServer } from "./control/server.ts";
import type { ReloadReport } from "./control/verbs.ts";
import type { DispatchContext } from "./protocol/dispatch.ts";
import { QueryAnswerer } from "./protocol/query.ts";
import { collectGarbage, giveMemoryBack } from "./server/collect-garbage.ts";
import { createFront } from "./server/front.ts";
import type { ListenChange } from "./server/listeners.ts";
import { ListenError, Listeners } from "./server/listeners.ts";
import { openAcceptor } from "./server/kerberos/acceptor.ts";
import { openUdp } from "./server/udp-choice.ts";
import type { UdpTransport } from "./server/transport.ts";
import { TcpConnections } from "./server/tcp.ts";
import type { TcpLimits } from "./server/tcp.ts";
import { adminHandlers } from "./services/admin.ts";
import { Ageing } from "./services/ageing.ts";
import { ChangeQueue } from "./services/change-queue.ts";
import { Forwarder } from "./services/forward/forwarder.ts";
import { socketTransport } from "./services/forward/transport.ts";
import { JournalKeeper } from "./services/journal-keeper.ts";
import { NetbiosListenError, NetbiosService } from "./services/netbios.ts";
import { Kerberos } from "./services/kerberos.ts";
import type { PreparedKeys } from "./services/kerberos.ts";
import { Notifier } from "./services/notifier.ts";
import { notifySource } from "./services/notify-source.ts";
import { RefusalLog } from "./services/refusal-log.ts";
import { Transfers } from "./services/transfers.ts";
import { inTurns } from "./services/turns.ts";
import { Updater } from "./services/updater.ts";
import { createZones, readNewZones } from "./services/zone-files.ts";
import type { NewZone } from "./services/zone-files.ts";
import { ServedZones } from "./services/zones.ts";
import { StoreError } from "./store/error.ts";
import { openStore } from "./store/open.ts";
import type { SqliteStore } from "./store/store.ts";
import { soaSerial } from "./wire/rdata/soa.ts";
import type { ResourceRecord } from "./wire/record.ts";
import type { Name } from "./wire/name.ts";
import type { ChangeOrigin } from "./zone/changeset.ts";
import { hashSeed } from "./zone/image/hash.ts";
import type { StoredZone } from "./zone/ports.ts";

export { createLog } from "./services/log.ts";

/** Records that are worth collecting as garbage when they are done with, and the milliseconds after which they are. */
const MANY_RECORDS = 50_000;
const GIVE_BACK_DELAY = 1_000;
/** Most jobs of one commit. */
const MAX_BATCH = 512;
/** How long connections may take to fetch their last answers when the server stops, in milliseconds. */
const STOP_GRACE = 5_000;
/** UDP answers under way get this many milliseconds to leave the socket. */
const UDP_GRACE = 50;

/** A start that failed through the operator's doing: every mistake, ready to be printed. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly problems: readonly Problem[];

  constructor(message: string, problems: readonly Problem[] = []) {
    super(message);
    this.problems = problems;
  }
}

/** A running server. */
export class Rollcall {
  readonly #log: Logger;
  readonly #store: SqliteStore;
  readonly #zones: ServedZones;
  readonly #queue: ChangeQueue;
  readonly #notifier: Notifier;
  readonly #keeper: JournalKeeper;
  readonly #forwarder: Forwarder;
  readonly #kerberos: Kerberos;
  readonly #ageing: Ageing;
  readonly #connections: TcpConnections;
  readonly #udp: UdpTransport;
  readonly #listeners: Listeners;
  readonly #netbios: NetbiosService;
  readonly #statusSources: StatusSources;
  #control: ControlServer | undefined;
  #config: Config;
  #context: DispatchContext;
  #lastReload: ReloadReport | undefined;
  #reloading: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  readonly #onStop: () => void;

  private constructor(config: Config, store: SqliteStore, log: Logger, onStop: () => void) {
    this.#config = config;
    this.#store = store;
    this.#log = log;
    this.#onStop = onStop;
    const now = Date.now;
    const seed = hashSeed(randomBytes(8));
    this.#zones = new ServedZones(store, seed);
    this.#kerberos = new Kerberos({ open: (options) => openAcceptor(options), log, now });
    this.#context = this.#newContext();
    const refusals = new RefusalLog(log, now);
    const limits = (): Config["limits"] => this.#config.limits;
    const sourceFor = (target: string): string | undefined =>
      notifySource(
        target,
        this.#config.listen.map(({ address }) => address),
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
      onFailure: (error, jobs) => this.#commitFailed(error, jobs),
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
      context: () => this.#context,
      update: (outcome, peer) => updater.handle(outcome, peer),
      transfer: (outcome, peer, sink) => transfers.handle(outcome, peer, sink),
      elsewhere: (query, sink) => this.#forwarder.handle(query, sink),
      refused: (refusal, peer) => refusals.write(refusal, peer),
      log,
      now,
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
    this.#statusSources = {
      startedAt: now(),
      config: () => this.#config,
      lastReload: () => this.#lastReload,
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
      server.#kerberos.take(server.#prepareKeys(config));
      await server.#createZones(await server.#readNewZones(config));
      for (const zone of config.zones) await server.#serveZone(zone);
      server.#giveBack(server.#zones.all().reduce((sum, { image }) => sum + image.recordCount, 0));
      await server.#renewContext();
      server.#notifier.configure(config.zones);
      server.#ageing.configure();
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

  /** Reads the configuration again. A bad one changes nothing and the report says why. */
  reload(): Promise<ReloadReport> {
    const report = this.#reloading.then(() => this.#reload());
    this.#reloading = report.catch(() => undefined);
    return report;
  }

  /** Finishes what was acknowledged or is under way, and closes everything. Can be called again. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#listeners.stopAccepting();
    await this.#reloading;
    await this.#ageing.stop();
    await this.#queue.close();
    this.#ageing.close();
    this.#keeper.close();
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
    const handlers = adminHandlers({
      store: this.#store,
      changes: this.#queue,
      ageing: this.#ageing,
      zoneConfig: (apex) => zoneConfigOf(this.#config, apex),
      publishedZone: (apex) => this.#zones.get(apex),
      createZone: (apex, records, origin, onWritten) => this.#createZone(apex, records, origin, onWritten),
      released: (records) => this.#giveBack(records),
      limits: () => this.#config.limits.records,
      secondaries: (apex) => this.#notifier.status(apex),
      status: () => serverStatus(this.#statusSources),
      reload: () => this.reload(),
      stop: this.#onStop,
      now: Date.now,
      log: this.#log,
    });
    this.#control = await ControlServer.listen({
      path: controlSocketPath(this.#config.data),
      version: ROLLCALL_VERSION,
      handler: dispatchVerbs(handlers),
      onFault: (error, verb) =>
        this.#log.error({ err: error, verb }, "a control request failed: a fault in the server"),
    });
  }

  /** Reads the keytab where one is configured. @throws StartError */
  #prepareKeys(config: Config): PreparedKeys {
    const keys = this.#kerberos.prepare(config);
    if ("code" in keys) throw new StartError(keys.message, [keys]);
    return keys;
  }

  /** Reads the files of zones that the store does not have. @throws StartError */
  async #readNewZones(config: Config): Promise<readonly NewZone[]> {
    const { zones, problems } = await readNewZones(config, this.#store, this.#log);
    if (hasErrors(problems)) throw new StartError("a zone file has mistakes", problems);
    for (const problem of problems) this.#log.warn({ code: problem.code }, problemToText(problem));
    return zones;
  }

  async #createZones(zones: readonly NewZone[]): Promise<void> {
    await createZones(zones, this.#store, this.#log, Date.now());
    this.#giveBack(zones.reduce((sum, { records }) => sum + records.length, 0));
  }

  /** Returns the memory that reading or loading so many records took on the way, where they are many. */
  #giveBack(records: number): void {
    // Later: whoever had them still has them, until what is under way now has come to its end.
    if (records >= MANY_RECORDS) setTimeout(giveMemoryBack, GIVE_BACK_DELAY).unref();
  }

  async #serveZone(config: ZoneConfig): Promise<void> {
    if (!this.#store.zones().some(({ apex }) => apex.equals(config.apex))) {
      const zone = config.apex.toString();
      this.#log.warn(
        { zone },
        `zone has no data yet and is not served: give it one with rollcall zone import ${zone} FILE`,
      );
      return;
    }
    const zone = await this.#zones.open(config);
    const serial = soaSerial(zone.image.soa.rdata);
    this.#log.info(
      { zone: config.apex.toString(), serial, records: zone.image.recordCount, bytes: zone.image.usedBytes },
      "zone loaded",
    );
  }

  /** Creates a zone for an import, and serves it where the configuration names it. */
  async #createZone(
    apex: Name,
    records: readonly ResourceRecord[],
    origin: ChangeOrigin,
    onWritten: (records: number) => Promise<void>,
  ): Promise<StoredZone> {
    const stored = await inTurns(this.#store.createInSteps(apex, records, origin), onWritten);
    const config = zoneConfigOf(this.#config, apex);
    if (config !== undefined) {
      await this.#serveZone(config);
      await this.#renewContext();
      this.#notifier.configure(this.#config.zones);
      this.#ageing.configure();
    }
    return stored;
  }

  #newContext(): DispatchContext {
    const { server, keys } = this.#config;
    return {
      answerer: new QueryAnswerer(this.#zones.set, { identity: server.identity }),
      keys,
      gss: this.#kerberos.gss,
      chaos: server,
      zone: (apex) => this.#zones.access(apex),
    };
  }

  /** Resolves when every thread answers by it. */
  #renewContext(): Promise<void> {
    const { forwards, emptyZones, cache, limits, server } = this.#config;
    const suffixes = forwards.flatMap((forward) => forward.suffixes);
    this.#zones.surround(emptyZones, suffixes);
    this.#context = this.#newContext();
    this.#forwarder.configure({
      forwards,
      cache,
      queries: limits.forwardQueries,
      queriesPerClient: limits.forwardQueriesPerClient,
    });
    const zones = this.#zones.shared;
    this.#forwarder.besides(zones.map(({ apex }) => apex));
    const clients = forwards.map((forward) => forward.clients.map(({ text }) => text));
    const { generation } = this.#forwarder;
    return this.#udp.serve(zones, server.identity, { suffixes, clients, generation });
  }

  async #reload(): Promise<ReloadReport> {
    if (this.#stopped !== undefined) {
      // What it would open nobody would close.
      const message = "the server is stopping and takes no configuration";
      const problem: Problem = { severity: "error", code: "CONTROL_BUSY", file: this.#config.path, message };
      return this.#reloaded(false, [problem], []);
    }
    const { config, problems } = loadConfig(this.#config.path);
    if (config === undefined) return this.#reloaded(false, problems, []);
    if (config.data !== this.#config.data) {
      const message = `the data directory cannot change from ${this.#config.data} while the server runs`;
      const advice = "Restart the server, or put `data` back.";
      const problem: Problem = { severity: "error", code: "CONFIG_DATA", file: config.path, message, advice };
      return this.#reloaded(false, [...problems, problem], []);
    }
    const added: Name[] = [];
    let kerberosKeys: PreparedKeys | undefined;
    let listening: ListenChange | undefined;
    try {
      kerberosKeys = this.#prepareKeys(config);
      const read = await this.#readNewZones(config);
      listening = await this.#listeners.prepare(config.listen);
      await this.#createZones(read);
      for (const zone of config.zones) {
        if (this.#zones.get(zone.apex) !== undefined) continue;
        added.push(zone.apex);
        await this.#serveZone(zone);
      }
      await this.#netbios.configure(config.netbios);
    } catch (error) {
      if (kerberosKeys !== undefined) this.#kerberos.discard(kerberosKeys);
      for (const apex of added) this.#zones.remove(apex);
      await listening?.abort();
      if (error instanceof StartError) return this.#reloaded(false, [...problems, ...error.problems], []);
      const told =
        error instanceof ListenError || error instanceof NetbiosListenError || error instanceof StoreError
          ? error
          : undefined;
      const { code = "CONFIG_VALUE", advice } = told ?? {};
      const message = error instanceof Error ? error.message : String(error);
      const problem: Problem = { severity: "error", code, file: config.path, message, advice };
      return this.#reloaded(false, [...problems, problem], []);
    }
    await listening.commit();
    const changes = describeChanges(this.#config, config);
    this.#config = config;
    this.#kerberos.take(kerberosKeys);
    this.#log.level = config.log.level;
    this.#connections.limits = tcpLimits(config);
    const gone: Name[] = [];
    for (const served of this.#zones.all()) {
      const zone = zoneConfigOf(config, served.apex);
      if (zone === undefined) gone.push(served.apex);
      else this.#zones.configure(zone);
    }
    for (const apex of gone) this.#zones.remove(apex);
    await this.#renewContext();
    this.#notifier.configure(config.zones);
    this.#ageing.configure();
    if (gone.length > 0) setImmediate(collectGarbage); // when nothing here refers to the images any more
    return this.#reloaded(true, problems, changes);
  }

  #reloaded(ok: boolean, problems: readonly Problem[], changes: readonly string[]): ReloadReport {
    this.#lastReload = { ok, at: Date.now(), problems, changes };
    if (ok) this.#log.info({ changes }, "configuration reloaded");
    else {
      const mistakes = problems.map(problemToText);
      this.#log.error({ mistakes }, "configuration not reloaded: the old one goes on");
    }
    return this.#lastReload;
  }

  /** A commit or its publication failed: what is shown must be what is stored. */
  #commitFailed(error: unknown, jobs: number): void {
    // Without a job it cost, all is stored and shown, and only the secondaries have not been told.
    const what = jobs > 0 ? "changes could not be committed" : "secondaries could not be told of a change";
    this.#log.error({ err: error, jobs }, what);
    for (const stored of this.#store.zones()) {
      const served = this.#zones.get(stored.apex);
      if (served === undefined || soaSerial(served.image.soa.rdata) === stored.serial) continue;
      const zone = stored.apex.toString();
      try {
        this.#zones.put(served.config);
        this.#log.warn({ zone }, "zone loaded again from the store");
      } catch (failure) {
        this.#log.error(
          { zone, err: failure },
          "zone cannot be loaded again: it takes no updates from now on",
        );
        continue;
      }
      void this.#renewContext();
    }
  }
}

function tcpLimits({ limits }: Config): TcpLimits {
  return {
    connections: limits.tcpConnections,
    connectionsPerAddress: limits.tcpConnectionsPerAddress,
    idle: limits.tcpIdle,
    inFlight: limits.tcpQueriesInFlight,
    writeBuffer: limits.tcpWriteBuffer,
  };
}
