/**
 * Reads the configuration: TOML text to names, networks and keys. Every mistake of the file, and of the key files it
 * names, is reported at once; a configuration with an error is not returned at all.
 */
import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, resolve } from "node:path";
import { TomlError, parse } from "smol-toml";
import type { z } from "zod";
import type { TransferRule } from "../auth/acl.ts";
import type { UpdateRule } from "../auth/update-rule.ts";
import { takesUdp } from "../auth/update-rule.ts";
import { Name } from "../wire/name.ts";
import { nearNetworks } from "../zone/near.ts";
import type { NearNetwork, NearNetworks } from "../zone/near.ts";
import type { JournalLimits } from "../zone/ports.ts";
import type { AgeingRules } from "../zone/registration.ts";
import type {
  Config,
  GssConfig,
  ListenAddress,
  NetbiosConfig,
  NotifyTarget,
  RecordLimits,
  ZoneConfig,
} from "./config.ts";
import { emptyZoneApexes, readForwards } from "./forward.ts";
import { loadGss } from "./keytab.ts";
import { loadKeyFiles } from "./keys.ts";
import { listenText, OWN_SUBNET, zoneNameText } from "./leaf.ts";
import { Mistake, ProblemCollector } from "./mistake.ts";
import { MAX_SOCKET_PATH, controlSocketPath } from "./paths.ts";
import { hasErrors } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import { parseDuration, parseSize, socketAddressToText } from "./quantity.ts";
import type { SocketAddressText } from "./quantity.ts";
import {
  AgeingSchema,
  CacheSchema,
  JOURNAL_DEFAULTS,
  JournalSchema,
  GssSchema,
  LimitsSchema,
  LogSchema,
  NetbiosDomainSchema,
  NetbiosSchema,
  ServerSchema,
  TopSchema,
  TsigSchema,
  ZoneSchema,
  notifySchema,
  transferSchema,
  updateSchema,
} from "./schema.ts";
import type { SchemaContext } from "./schema.ts";
import { ptrMistake } from "./ptr-mistake.ts";
import { ruleMistakes } from "./rule-mistakes.ts";
import { locateToml } from "./toml-position.ts";
import type { TomlPath } from "./toml-position.ts";
import { ROLLCALL_VERSION } from "./version.ts";

/** Prefix lengths of a client's own network, as Windows DNS has the first and subnets have the second (RFC 4291 §2.5.1). */
const OWN_IPV4_PREFIX = 24;
const OWN_IPV6_PREFIX = 64;

/** How often Windows hosts refresh their records, in milliseconds. */
const HOST_REFRESH = 24 * 3_600_000;

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

/**
 * The data directory of a configuration, read without judging the rest of it: commands must reach a running server even
 * when the file has mistakes or the key files are not the caller's to read.
 * @returns its absolute path, or why it cannot be told
 */
export function dataDirectoryOf(path: string): string | Mistake {
  const read = readToml(path);
  if ("problem" in read) {
    const { code, message, advice, line } = read.problem;
    return new Mistake(
      code as Mistake["code"],
      line === undefined ? message : `${path}:${line}: ${message}`,
      advice,
    );
  }
  const data = read.table["data"];
  if (typeof data === "string" && data !== "") return resolve(dirname(resolve(path)), data);
  return new Mistake(
    "CONFIG_MISSING",
    `${path} does not say which directory holds the data`,
    `Add: data = "data"`,
  );
}

/**
 * The first address that the configuration listens on, as one on the same machine reaches it; read without judging the
 * rest of the file.
 */
export function listenAddressOf(path: string): SocketAddressText | Mistake {
  const read = readToml(path);
  if ("problem" in read) return new Mistake(read.problem.code as Mistake["code"], read.problem.message);
  const [first] = listAt(read.table, "listen");
  const listen = typeof first === "string" ? listenText(first) : undefined;
  if (listen === undefined)
    return new Mistake("CONFIG_MISSING", `${path} does not say where the server listens`);
  if (listen instanceof Mistake) return listen;
  const loopback: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return { address: loopback[listen.address] ?? listen.address, port: listen.port };
}

/** The texts and values of a TOML file, or what keeps it from being one. */
function readToml(
  path: string,
): { text: string; table: Record<string, unknown> } | { problem: ConfigProblem } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const notText = code === "ERR_ENCODING_INVALID_ENCODED_DATA";
    const why = notText ? "it is not UTF-8 text" : code === "ENOENT" ? "there is no such file" : message;
    const advice = "Name the configuration file with --config FILE.";
    return {
      problem: {
        severity: "error",
        code: "CONFIG_READ",
        file: path,
        message: `the configuration cannot be read: ${why}`,
        advice: notText ? "Save it as UTF-8." : advice,
      },
    };
  }
  try {
    return { text, table: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    return {
      problem: {
        severity: "error",
        code: "CONFIG_SYNTAX",
        file: path,
        line: error.line,
        column: error.column,
        message: `not valid TOML: ${reason}`,
        advice:
          "Text stands in quotes, lists in brackets; see https://toml.io. Nothing after this place was looked at.",
      },
    };
  }
}

class Loader {
  readonly #path: string;
  readonly #folder: string;
  readonly #table: Record<string, unknown>;
  readonly #problems: ProblemCollector;
  readonly #zoneFiles: { file: string; apex: Name }[] = [];

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
    const journal = this.#journal(["journal"], this.#table["journal"], {
      maxAge: parseDuration(JOURNAL_DEFAULTS.max_age)!,
      maxBytes: parseSize(JOURNAL_DEFAULTS.max_size)!,
    });
    if (top !== undefined) this.#checkListen(["listen"], top.listen);
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
    const zones = this.#zones(
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

    const netbios = this.#netbios(zones);
    const sorted = problems.sorted();
    const failed =
      hasErrors(sorted) || !top || !log || !server || !limits || !tsig || !cache || data === undefined;
    if (failed) return { problems: sorted, zoneFiles: this.#zoneFiles };
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
      zoneFiles: this.#zoneFiles,
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

  #journal(path: TomlPath, value: unknown, otherwise: JournalLimits): JournalLimits {
    const read = this.#problems.read(JournalSchema, value ?? {}, path);
    return { maxAge: read?.max_age ?? otherwise.maxAge, maxBytes: read?.max_size ?? otherwise.maxBytes };
  }

  #checkListen(path: TomlPath, listen: readonly ListenAddress[]): void {
    const seen = new Map<string, number>();
    listen.forEach((entry, index) => {
      // Port 0 takes another port each time.
      if (entry.port === 0) return;
      const text = socketAddressToText(entry);
      const first = seen.get(text);
      if (first === undefined) seen.set(text, index);
      else this.#duplicate([...path, index], `${text} is listed twice`, [...path, first]);
    });
  }

  /** `[netbios]`; undefined where there is none, or it has a mistake. */
  #netbios(zones: readonly ZoneConfig[]): NetbiosConfig | undefined {
    const value = this.#table["netbios"];
    if (value === undefined) return undefined;
    const path = ["netbios"];
    const read = this.#problems.read(NetbiosSchema, value, path);
    const domains = listAt(asTable(value), "domains").flatMap((entry, index) => {
      const domain = this.#problems.read(NetbiosDomainSchema, entry, [...path, "domains", index]);
      return domain === undefined ? [] : [{ label: domain.name, dns: domain.dns }];
    });
    if (read === undefined) return undefined;
    this.#checkListen([...path, "listen"], read.listen);
    // A zone with a mistake of its own may be the one that is meant.
    if (zones.length === listAt(this.#table, "zone").length) {
      const check = (name: Name, at: TomlPath): void => {
        if (zones.some(({ apex }) => name.isWithin(apex))) return;
        const advice = "Name a zone of the configuration, or a name within one.";
        this.#problems.add(at, new Mistake("CONFIG_NETBIOS", `${shown(name)} is in no zone here`, advice));
      };
      read.suffixes.forEach((name, index) => check(name, [...path, "suffixes", index]));
      domains.forEach(({ dns }, index) => check(dns, [...path, "domains", index, "dns"]));
      this.#checkFeed(zones, read.feed ? read.suffixes[0] : undefined);
    }
    return {
      listen: read.listen,
      clients: read.clients,
      suffixes: read.suffixes,
      domains,
      feed: read.feed,
      maxTtl: read.max_ttl,
      registrations: read.registrations,
      registrationsPerClient: read.registrations_per_client,
    };
  }

  #checkFeed(zones: readonly ZoneConfig[], suffix: Name | undefined): void {
    if (suffix === undefined) return;
    const fed = zones
      .filter(({ apex }) => suffix.isWithin(apex))
      .toSorted((a, b) => b.apex.labelCount - a.apex.labelCount)[0];
    if (fed === undefined || fed.update.some(takesUnsignedUdp)) return;
    const message = `no rule of ${shown(fed.apex)} takes unsigned updates by UDP, which is what registrations are fed as`;
    const advice = `Add [[zone.update]] with net = "…" for the clients and udp = true to that zone, or leave feed out.`;
    this.#problems.add(
      ["netbios", "feed"],
      new Mistake("CONFIG_NETBIOS", message, advice),
      "value",
      "warning",
    );
  }

  #duplicate(path: TomlPath, message: string, first: TomlPath): void {
    const { line } = this.#problems.positionOf(first);
    this.#problems.add(
      path,
      new Mistake("CONFIG_DUPLICATE", message, `Remove one; the first is on line ${line}.`),
    );
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

  #zones(context: SchemaContext, journal: JournalLimits, limits: RecordLimits): ZoneConfig[] {
    const zones: ZoneConfig[] = [];
    const seen = new Map<string, number>();
    const withPtr: { index: number; apex: Name }[] = [];
    const raw = listAt(this.#table, "zone");
    const others = ["forward", "unknown", "private_suffixes"].some((key) => key in this.#table);
    if (raw.length === 0 && this.#table["zone"] === undefined && !others) {
      const advice = `Add a zone: [[zone]] with name = "…" and file = "…".`;
      this.#problems.add(
        [],
        new Mistake("CONFIG_NO_ZONES", "no zones: every query will be refused", advice),
        "key",
        "warning",
      );
    }
    raw.forEach((value, index) => {
      const zone = this.#zone(["zone", index], value, context, journal, limits);
      if (zone === undefined) return;
      const first = seen.get(zone.apex.key);
      if (first === undefined) seen.set(zone.apex.key, index);
      else
        this.#duplicate(["zone", index, "name"], `the zone ${shown(zone.apex)} is there twice`, [
          "zone",
          first,
          "name",
        ]);
      zones.push(zone);
      if (zone.ptr) withPtr.push({ index, apex: zone.apex });
    });
    for (const { index, apex } of withPtr) {
      const wrong = ptrMistake(apex, zones);
      if (wrong !== undefined) {
        this.#problems.add(["zone", index, "ptr"], wrong.mistake, "value", wrong.severity);
      }
    }
    return zones;
  }

  /** One zone; undefined where its own table has a mistake. Its rules are looked at all the same. */
  #zone(
    path: TomlPath,
    value: unknown,
    context: SchemaContext,
    journal: JournalLimits,
    limits: RecordLimits,
  ): ZoneConfig | undefined {
    const read = this.#problems.read(ZoneSchema, value, path);
    const table = asTable(value);
    const apex = typeof table["name"] === "string" ? zoneNameText(table["name"]) : undefined;
    const inZone = { ...context, apex: apex instanceof Name ? apex : Name.root };
    const zoneJournal = this.#journal([...path, "journal"], table["journal"], journal);
    const notify = this.#notify([...path, "notify"], listAt(table, "notify"), inZone);
    const transfer = this.#transfer([...path, "transfer"], listAt(table, "transfer"), inZone);
    const update = this.#update([...path, "update"], listAt(table, "update"), inZone);
    const ageing = this.#ageing([...path, "ageing"], table["ageing"]);
    const file = this.#zoneFile([...path, "file"], table["file"], inZone.apex);
    if (read === undefined) return undefined;
    const near = this.#near(path, read);
    return {
      apex: read.name,
      ...(file === undefined ? {} : { file }),
      ...(near === undefined ? {} : { near }),
      notify,
      transfer,
      update,
      ptr: read.ptr,
      journal: zoneJournal,
      limits,
      ...(ageing === undefined ? {} : { ageing }),
    };
  }

  /** How a zone ages: not at all where it does not say. */
  #ageing(path: TomlPath, value: unknown): AgeingRules | undefined {
    const read = value === undefined ? undefined : this.#problems.read(AgeingSchema, value, path);
    if (read === undefined) return undefined;
    for (const most of ["max_lease", "max_key_lease"] as const) {
      if (read.min_lease <= read[most]) continue;
      const advice = "Make it min_lease at least.";
      this.#problems.add([...path, most], new Mistake("CONFIG_VALUE", "is shorter than min_lease", advice));
    }
    if (read.refresh < HOST_REFRESH) {
      const message = "a Windows host refreshes its records once in 24 hours: some that are alive will go";
      const mistake = new Mistake("CONFIG_VALUE", message, "Make refresh 24h at least, or several days.");
      this.#problems.add([...path, "refresh"], mistake, "value", "warning");
    }
    return {
      noRefresh: read.no_refresh,
      refresh: read.refresh,
      at: read.at,
      minLease: read.min_lease,
      maxLease: read.max_lease,
      maxKeyLease: read.max_key_lease,
    };
  }

  #near(path: TomlPath, read: z.output<typeof ZoneSchema>): NearNetworks | undefined {
    const entries = read.near ?? [];
    const own = entries.includes(OWN_SUBNET);
    for (const key of ["near_ipv4", "near_ipv6"] as const) {
      if (own || read[key] === undefined) continue;
      const message = `"${key}" is the prefix length of "${OWN_SUBNET}", which near does not name`;
      const advice = `Write near = "${OWN_SUBNET}", or leave ${key} out.`;
      this.#problems.add([...path, key], new Mistake("CONFIG_VALUE", message, advice), "key");
    }
    if (entries.length === 0) return undefined;
    const networks = entries.filter((entry) => entry !== OWN_SUBNET);
    const ofFamily = (words: number, ownLength: number): NearNetwork[] => [
      ...networks.filter(({ base }) => base.length === words).map(({ base, length }) => ({ base, length })),
      ...(own ? [{ base: undefined, length: ownLength }] : []),
    ];
    return nearNetworks(
      ofFamily(1, read.near_ipv4 ?? OWN_IPV4_PREFIX),
      ofFamily(4, read.near_ipv6 ?? OWN_IPV6_PREFIX),
    );
  }

  #zoneFile(path: TomlPath, value: unknown, apex: Name): string | undefined {
    if (typeof value !== "string" || value === "") return undefined;
    const file = resolve(this.#folder, value);
    if (isThere(file) && statSync(file).isFile()) {
      this.#zoneFiles.push({ file, apex });
      return file;
    }
    const why = isThere(file) ? "is not a file" : "does not exist";
    const advice =
      "Paths are relative to the configuration file; a zone that is in the store already does without.";
    // No error: a zone of the store must not stay away because its first file was cleaned up. One that needs it is refused.
    const mistake = new Mistake("CONFIG_ZONE_FILE", `the zone file ${file} ${why}`, advice);
    this.#problems.add(path, mistake, "value", "warning");
    return file;
  }

  #notify(path: TomlPath, entries: readonly unknown[], context: SchemaContext): NotifyTarget[] {
    const targets: NotifyTarget[] = [];
    const seen = new Map<string, number>();
    entries.forEach((entry, index) => {
      const isShort = typeof entry === "string";
      const read = this.#problems.read(notifySchema(context), isShort ? { address: entry } : entry, [
        ...path,
        index,
      ]);
      if (read === undefined) return;
      const text = socketAddressToText(read.address);
      const first = seen.get(text);
      if (first === undefined) seen.set(text, index);
      else this.#duplicate([...path, index], `the secondary ${text} is listed twice`, [...path, first]);
      const key = read.key === undefined ? undefined : context.keys.get(read.key.key);
      targets.push({ ...read.address, ...(key === undefined ? {} : { key }) });
    });
    return targets;
  }

  #transfer(path: TomlPath, entries: readonly unknown[], context: SchemaContext): TransferRule[] {
    return entries.flatMap((entry, index) => {
      const at = [...path, index];
      const read = this.#problems.read(transferSchema(context), entry, at);
      if (isTable(entry) && !("net" in entry) && !("key" in entry)) {
        const advice = `Write { net = "192.0.2.0/24" }, { key = "…" }, or both in one entry where both must hold.`;
        this.#problems.add(
          at,
          new Mistake("CONFIG_RULE", "this entry names nobody who may transfer the zone", advice),
        );
      }
      return read === undefined ? [] : [defined<TransferRule>(read)];
    });
  }

  #update(path: TomlPath, entries: readonly unknown[], context: SchemaContext): UpdateRule[] {
    return entries.flatMap((entry, index) => {
      const at = [...path, index];
      const read = this.#problems.read(updateSchema(context), entry, at);
      if (read === undefined) return [];
      const rule = defined<UpdateRule>({ index: index + 1, ...read });
      for (const { key, mistake, severity } of ruleMistakes(rule, context.apex)) {
        this.#problems.add(key === undefined ? at : [...at, key], mistake, "value", severity);
      }
      return [rule];
    });
  }
}

/** Whether a rule could allow what is fed from registrations. */
function takesUnsignedUdp(rule: UpdateRule): boolean {
  const signed = rule.key !== undefined || rule.principal !== undefined;
  return rule.allow && !signed && rule.net !== undefined && takesUdp(rule);
}

/** The same without its undefined properties. */
function defined<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asTable(value: unknown): Record<string, unknown> {
  return isTable(value) ? value : {};
}

/** The list at a key; empty where there is none, which the schema has then complained of. */
function listAt(table: Record<string, unknown>, key: string): readonly unknown[] {
  const value = table[key];
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function shown(name: Name): string {
  return name.isRoot ? "." : name.toString().slice(0, -1);
}
