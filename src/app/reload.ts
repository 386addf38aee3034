/** Reloads: another configuration taken whole, or not at all and the report says why. */
import type { Logger } from "pino";
import { describeChanges } from "../config/changes.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { problemToText } from "../config/problem.ts";
import type { ReloadReport } from "../control/verbs.ts";
import type { ListenChange, Listeners } from "../server/listeners.ts";
import { ListenError } from "../server/listeners.ts";
import type { TcpConnections, TcpLimits } from "../server/tcp.ts";
import type { Kerberos, PreparedKeys } from "../services/kerberos.ts";
import type { NetbiosService } from "../services/netbios.ts";
import { NetbiosListenError } from "../services/netbios.ts";
import type { ServedZones } from "../services/zones.ts";
import { StoreError } from "../store/error.ts";
import type { SqliteStore } from "../store/store.ts";
import type { Name } from "../wire/name.ts";
import { prepareKeys, prepareZones, StartError } from "./prepare.ts";
import type { Serving } from "./serving.ts";

export interface ReloadDeps {
  readonly serving: Serving;
  readonly store: SqliteStore;
  readonly zones: ServedZones;
  readonly kerberos: Kerberos;
  readonly netbios: NetbiosService;
  readonly listeners: Listeners;
  readonly connections: TcpConnections;
  readonly log: Logger;
}

/** One reload after another. */
export class Reloads {
  readonly #deps: ReloadDeps;
  #last: ReloadReport | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(deps: ReloadDeps) {
    this.#deps = deps;
  }

  get last(): ReloadReport | undefined {
    return this.#last;
  }

  /** Reads the configuration again. A bad one changes nothing and the report says why. */
  reload(): Promise<ReloadReport> {
    const report = this.#underWay.then(() => this.#reload());
    this.#underWay = report.catch(() => undefined);
    return report;
  }

  /** Takes no configuration any more. Resolves when a reload under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#underWay;
  }

  async #reload(): Promise<ReloadReport> {
    const { serving, store, zones, kerberos, netbios, listeners, connections, log } = this.#deps;
    const before = serving.config;
    if (this.#isClosed) {
      // What it would open nobody would close.
      const message = "the server is stopping and takes no configuration";
      const problem: Problem = { severity: "error", code: "CONTROL_BUSY", file: before.path, message };
      return this.#reloaded(false, [problem], []);
    }
    const { config, problems } = loadConfig(before.path);
    if (config === undefined) return this.#reloaded(false, problems, []);
    if (config.data !== before.data) {
      const message = `the data directory cannot change from ${before.data} while the server runs`;
      const advice = "Restart the server, or put `data` back.";
      const problem: Problem = { severity: "error", code: "CONFIG_DATA", file: config.path, message, advice };
      return this.#reloaded(false, [...problems, problem], []);
    }
    const added: Name[] = [];
    let kerberosKeys: PreparedKeys | undefined;
    let listening: ListenChange | undefined;
    try {
      kerberosKeys = prepareKeys(config, kerberos);
      const read = await prepareZones(config, store, log);
      listening = await listeners.prepare(config.listen);
      await serving.create(read);
      for (const zone of config.zones) {
        if (zones.get(zone.apex) !== undefined) continue;
        added.push(zone.apex);
        await serving.open(zone);
      }
      await netbios.configure(config.netbios);
    } catch (error) {
      if (kerberosKeys !== undefined) kerberos.discard(kerberosKeys);
      for (const apex of added) zones.remove(apex);
      await listening?.abort();
      return this.#reloaded(false, [...problems, ...problemsOf(error, config)], []);
    }
    await listening.commit();
    const changes = describeChanges(before, config);
    kerberos.take(kerberosKeys);
    log.level = config.log.level;
    connections.limits = tcpLimits(config);
    await serving.take(config);
    return this.#reloaded(true, problems, changes);
  }

  #reloaded(ok: boolean, problems: readonly Problem[], changes: readonly string[]): ReloadReport {
    const { log } = this.#deps;
    this.#last = { ok, at: Date.now(), problems, changes };
    if (ok) log.info({ changes }, "configuration reloaded");
    else {
      const mistakes = problems.map(problemToText);
      log.error({ mistakes }, "configuration not reloaded: the old one goes on");
    }
    return this.#last;
  }
}

/** What kept a configuration from being taken, as the operator is told. */
function problemsOf(error: unknown, config: Config): readonly Problem[] {
  if (error instanceof StartError) return error.problems;
  const told =
    error instanceof ListenError || error instanceof NetbiosListenError || error instanceof StoreError
      ? error
      : undefined;
  const { code = "CONFIG_VALUE", advice } = told ?? {};
  const message = error instanceof Error ? error.message : String(error);
  return [{ severity: "error", code, file: config.path, message, advice }];
}

/** What a configuration allows TCP. */
export function tcpLimits({ limits }: Config): TcpLimits {
  return {
    connections: limits.tcpConnections,
    connectionsPerAddress: limits.tcpConnectionsPerAddress,
    idle: limits.tcpIdle,
    inFlight: limits.tcpQueriesInFlight,
    writeBuffer: limits.tcpWriteBuffer,
  };
}
