/** `[[zone]]`: names, files, secondaries, transfers, rules, and how a zone ages and answers. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { z } from "zod";
import type { TransferRule } from "../auth/acl.ts";
import type { UpdateRule } from "../auth/update-rule.ts";
import { Name } from "../wire/name.ts";
import { nearNetworks } from "../zone/near.ts";
import type { NearNetwork, NearNetworks } from "../zone/near.ts";
import type { JournalLimits } from "../zone/ports.ts";
import type { AgeingRules } from "../zone/registration.ts";
import type { NotifyTarget, RecordLimits, ZoneConfig } from "./config.ts";
import { readJournal } from "./journal.ts";
import { OWN_SUBNET, shown, zoneNameText } from "./leaf.ts";
import { Mistake } from "./mistake.ts";
import type { ProblemCollector } from "./mistake.ts";
import { isThere } from "./paths.ts";
import { ptrMistake } from "./ptr-mistake.ts";
import { socketAddressToText } from "./quantity.ts";
import { ruleMistakes } from "./rule-mistakes.ts";
import { AgeingSchema, notifySchema, transferSchema, updateSchema, ZoneSchema } from "./schema.ts";
import type { SchemaContext } from "./schema.ts";
import { asTable, isTable, listAt } from "./toml.ts";
import type { TomlPath } from "./toml-position.ts";

/** Prefix lengths of a client's own network, as Windows DNS has the first and subnets have the second (RFC 4291 §2.5.1). */
const OWN_IPV4_PREFIX = 24;
const OWN_IPV6_PREFIX = 64;

/** How often Windows hosts refresh their records, in milliseconds. */
const HOST_REFRESH = 24 * 3_600_000;

/** Reads the zones of one configuration. */
export class ZoneReader {
  /** The zone files that are named and exist, whether or not their zones have mistakes. */
  readonly files: { file: string; apex: Name }[] = [];
  readonly #folder: string;
  readonly #table: Record<string, unknown>;
  readonly #problems: ProblemCollector;

  /** @param table of the whole configuration; @param folder that its paths are relative to */
  constructor(folder: string, table: Record<string, unknown>, problems: ProblemCollector) {
    this.#folder = folder;
    this.#table = table;
    this.#problems = problems;
  }

  /** @param context its `apex` is each zone's own in turn */
  read(context: SchemaContext, journal: JournalLimits, limits: RecordLimits): ZoneConfig[] {
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
        this.#problems.duplicate(["zone", index, "name"], `the zone ${shown(zone.apex)} is there twice`, [
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
    const zoneJournal = readJournal(this.#problems, [...path, "journal"], table["journal"], journal);
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
      this.files.push({ file, apex });
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
      else
        this.#problems.duplicate([...path, index], `the secondary ${text} is listed twice`, [...path, first]);
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

/** The same without its undefined properties. */
function defined<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
