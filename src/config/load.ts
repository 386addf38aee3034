/**
 * Reads the configuration: TOML text to names, networks and keys. Every mistake of the file, and of the key files it
 * names, is reported at once; a configuration with an error is not returned at all.
 */
import { statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, resolve } from "node:path";
import { Name } from "../wire/name.ts";
import type { Config, GssConfig, RecordLimits } from "./config.ts";
import { emptyZoneApexes, readForwards } from "./forward.ts";
import { readJournal } from "./journal.ts";
import { loadGss } from "./keytab.ts";
import { loadKeyFiles } from "./keys.ts";
import { checkListen } from "./listen.ts";
import { Mistake, ProblemCollector } from "./mistake.ts";
import { readNetbios } from "./netbios.ts";
import { MAX_SOCKET_PATH, controlSocketPath, isThere } from "./paths.ts";
import { hasErrors } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import { parseDuration, parseSize } from "./quantity.ts";
import {
  CacheSchema,
  GssSchema,
  JOURNAL_DEFAULTS,
  LimitsSchema,
  LogSchema,
  ServerSchema,
  TopSchema,
  TsigSchema,
} from "./schema.ts";
import { locateToml } from "./toml-position.ts";
import { listAt, readToml } from "./toml.ts";
import { ROLLCALL_VERSION } from "./version.ts";
import { ZoneReader } from "./zones.ts";

export interface LoadedConfig {
  /** Undefined where any problem is an error. */
  readonly config?: Config;
  readonly problems: ConfigProblem[];
  /** The zone files that the configuration names and that exist, whether or not it has mistakes. */
  readonly zoneFiles: readonly { readonly file: string; readonly apex: Name }[];
}

/** Reads the configuration file at `path`, its key files, and looks whether its zone files are there. */
export function loadConfig(path: string): LoadedConfig {
  const file = resolve(path);
  const read = readToml(path);
  if ("problem" in read) return { problems: [read.problem], zoneFiles: [] };
  return new Loader(path, file, read.text, read.table).load();
}

class Loader {
  readonly #path: string;
  readonly #folder: string;
  readonly #table: Record<string, unknown>;
  readonly #problems: ProblemCollector;

  constructor(shownPath: string, path: string, text: string, table: Record<string, unknown>) {
    this.#path = path;
    this.#folder = dirname(path);
    this.#table = table;
    this.#problems = new ProblemCollector(shownPath, locateToml(text));
  }

  load(): LoadedConfig {
    const problems = this.#problems;
    const top = problems.read(TopSchema, this.#table, []);
    const log = this.#section("log", LogSchema);
    const server = this.#section("server", ServerSchema);
    const limits = this.#section("limits", LimitsSchema);
    const tsig = this.#section("tsig", TsigSchema);
    const cache = this.#section("cache", CacheSchema);
    const gss = this.#gss();
    const journal = readJournal(problems, ["journal"], this.#table["journal"], {
      maxAge: parseDuration(JOURNAL_DEFAULTS.max_age)!,
      maxBytes: parseSize(JOURNAL_DEFAULTS.max_size)!,
    });
    if (top !== undefined) checkListen(problems, ["listen"], top.listen);
    const data = this.#dataDirectory();
    const { keys, complete } = loadKeyFiles(
      this.#folder,
      listAt(this.#table, "keys"),
      tsig?.allow_md5 ?? false,
      problems,
    );
    const records: RecordLimits = {
      recordsPerRrset: limits?.records_per_rrset ?? 0,
      typesPerName: limits?.types_per_name ?? 0,
      recordsPerZone: limits?.records_per_zone ?? 0,
    };
    const zoneReader = new ZoneReader(this.#folder, this.#table, problems);
    const zones = zoneReader.read(
      { keys, keysComplete: complete, apex: Name.root, gss: "gss" in this.#table },
      journal,
      records,
    );
    const unknown = top?.unknown ?? "refuse";
    const forwards = readForwards(listAt(this.#table, "forward"), problems, {
      listen: top?.listen ?? [],
      zones,
      unknown,
    });

    const netbios = readNetbios(this.#table, zones, problems);
    const sorted = problems.sorted();
    const failed =
      hasErrors(sorted) || !top || !log || !server || !limits || !tsig || !cache || data === undefined;
    if (failed) return { problems: sorted, zoneFiles: zoneReader.files };
    return {
      config: {
        path: this.#path,
        listen: top.listen,
        data,
        threads: top.threads,
        keys,
        log,
        server: {
          identity: server.identity ?? hostname(),
          version: server.version ?? `Rollcall ${ROLLCALL_VERSION}`,
        },
        limits: {
          tcpConnections: limits.tcp_connections,
          tcpConnectionsPerAddress: limits.tcp_connections_per_address,
          tcpIdle: limits.tcp_idle,
          tcpQueriesInFlight: limits.tcp_queries_in_flight,
          tcpWriteBuffer: limits.tcp_write_buffer,
          transfers: limits.transfers,
          updatesQueued: limits.updates_queued,
          records,
          forwardQueries: limits.forward_queries,
          forwardQueriesPerClient: limits.forward_queries_per_client,
        },
        journal,
        tsig: { allowMd5: tsig.allow_md5 },
        ...(netbios === undefined ? {} : { netbios }),
        gss,
        zones,
        forwards,
        cache: {
          size: cache.size,
          maxTtl: cache.max_ttl,
          maxNegativeTtl: cache.max_negative_ttl,
          maxStale: cache.max_stale,
        },
        emptyZones: emptyZoneApexes(top.empty_zones, top.private_suffixes, unknown, forwards),
      },
      problems: sorted,
      zoneFiles: zoneReader.files,
    };
  }

  #section<S extends Parameters<ProblemCollector["read"]>[0]>(name: string, schema: S) {
    return this.#problems.read(schema, this.#table[name] ?? {}, [name]);
  }

  /** Undefined where there is no `[gss]`, or one with a mistake. */
  #gss(): GssConfig | undefined {
    const value = this.#table["gss"];
    if (value === undefined) return undefined;
    const read = this.#problems.read(GssSchema, value, ["gss"]);
    return read && loadGss(this.#folder, read, this.#problems);
  }

  #dataDirectory(): string | undefined {
    const text = this.#table["data"];
    if (typeof text !== "string" || text === "") return undefined;
    const data = resolve(this.#folder, text);
    const socket = controlSocketPath(data);
    if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
      const advice = `Choose a shorter path: ${socket} has over ${MAX_SOCKET_PATH} octets.`;
      this.#problems.add(
        ["data"],
        new Mistake("CONFIG_DATA", "no control socket fits in a path as long as this", advice),
      );
    } else if (isThere(data) && !statSync(data).isDirectory()) {
      this.#problems.add(
        ["data"],
        new Mistake(
          "CONFIG_DATA",
          `${data} is not a directory`,
          "Name a directory; it is made where it is missing.",
        ),
      );
    }
    return data;
  }
}
