/**
 * The shape of the configuration, as zod schemas of one table each. A value is turned into what it means where it is
 * read (a name, a network, a duration), so that every mistake of a table is found at once and at its own place.
 * docs/configuration.md describes every key; a test holds the two together.
 */
import { z } from "zod";
import type { KeyRing } from "../auth/tsig/key.ts";
import { Name } from "../wire/name.ts";
import {
  durationText,
  levelText,
  listenText,
  nameText,
  nearText,
  netbiosClientText,
  netbiosLabelText,
  netbiosListenText,
  networkText,
  ownerPatternText,
  principalNameText,
  principalPatternText,
  recordTypeText,
  scopeText,
  secondaryText,
  sizeText,
  timeOfDayText,
  unknownText,
  upstreamText,
  zoneNameText,
} from "./leaf.ts";
export type { Unknown } from "./leaf.ts";
import { Mistake, leaf } from "./mistake.ts";
import { didYouMean } from "./suggest.ts";

/** What leaves need to know beyond their own text. */
export interface SchemaContext {
  /** Keys of all key files. */
  readonly keys: KeyRing;
  /** Whether every key file could be read: else a key that is not found says nothing. */
  readonly keysComplete: boolean;
  /** The zone that owner patterns are relative to; the root where its name is not usable. */
  readonly apex: Name;
  /** Whether `[gss]` is there, so that principals can be told. */
  readonly gss: boolean;
}

const count = (least: number, most: number, otherwise: number) =>
  z.number().int().min(least).max(most).default(otherwise);

/** The top level; its sections are read on their own. */
export const TopSchema = z.strictObject({
  listen: z.array(leaf(listenText)).min(1),
  data: z.string().min(1),
  threads: count(0, 64, 0),
  keys: z.array(z.string().min(1)).default([]),
  log: z.unknown().optional(),
  server: z.unknown().optional(),
  limits: z.unknown().optional(),
  journal: z.unknown().optional(),
  tsig: z.unknown().optional(),
  netbios: z.unknown().optional(),
  unknown: leaf(unknownText).prefault("refuse"),
  empty_zones: z.boolean().optional(),
  private_suffixes: z.array(leaf(zoneNameText)).default([]),
  forward: z.array(z.unknown()).default([]),
  cache: z.unknown().optional(),
  gss: z.unknown().optional(),
  zone: z.array(z.unknown()).default([]),
});

export const LogSchema = z.strictObject({ level: leaf(levelText).prefault("info") });

const shortText = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= 255, "at most 255 octets were expected");

/** Absent values are the host's name and Rollcall's version, which the loader does not know. */
export const ServerSchema = z.strictObject({
  identity: shortText.optional(),
  version: shortText.optional(),
});

export const LimitsSchema = z.strictObject({
  tcp_connections: count(1, 100_000, 1000),
  tcp_connections_per_address: count(1, 100_000, 100),
  tcp_idle: leaf(durationText(1000, 3_600_000)).prefault("30s"),
  tcp_queries_in_flight: count(1, 10_000, 64),
  tcp_write_buffer: leaf(sizeText(65_536, 1024 ** 3)).prefault("1MiB"),
  transfers: count(1, 1000, 8),
  updates_queued: count(1, 1_000_000, 10_000),
  records_per_rrset: count(1, 65_535, 1000),
  types_per_name: count(1, 65_535, 100),
  records_per_zone: count(1, 100_000_000, 5_000_000),
  forward_queries: count(1, 20_000, 1000),
  forward_queries_per_client: count(1, 20_000, 200),
});

export const JournalSchema = z.strictObject({
  max_age: leaf(durationText(60_000, Infinity)).optional(),
  max_size: leaf(sizeText(4096, Infinity)).optional(),
});

/** What a journal is bounded by where neither `[journal]` nor the zone says. */
export const JOURNAL_DEFAULTS = { max_age: "30d", max_size: "64MiB" } as const;

export const TsigSchema = z.strictObject({ allow_md5: z.boolean().default(false) });

/** `domains` is read on its own. */
export const NetbiosSchema = z.strictObject({
  listen: z.array(leaf(netbiosListenText)).min(1),
  clients: z.array(leaf(netbiosClientText)).min(1),
  suffixes: z.array(leaf(zoneNameText)).min(1),
  domains: z.array(z.unknown()).default([]),
  feed: z.boolean().default(false),
  max_ttl: leaf(durationText(600_000, 604_800_000)).prefault("1h"),
  registrations: count(1, 1_000_000, 10_000),
  registrations_per_client: count(1, 1_000_000, 100),
});

/** One entry of `domains` in `[netbios]`. */
export const NetbiosDomainSchema = z.strictObject({
  name: leaf(netbiosLabelText),
  dns: leaf(zoneNameText),
});

/** One `[[forward]]`. */
export const ForwardSchema = z.strictObject({
  names: z.array(leaf(zoneNameText)).min(1).optional(),
  upstreams: z.array(leaf(upstreamText)).min(1),
  clients: z.array(leaf(networkText)).min(1),
  randomize_case: z.boolean().default(false),
});

export const CacheSchema = z.strictObject({
  size: leaf(sizeText(65_536, 4 * 1024 ** 3)).prefault("32MiB"),
  max_ttl: leaf(durationText(1000, 7 * 86_400_000)).prefault("1d"),
  max_negative_ttl: leaf(durationText(1000, 86_400_000)).prefault("15m"),
  max_stale: leaf(durationText(0, 30 * 86_400_000)).prefault("1d"),
});

export const GssSchema = z.strictObject({
  keytab: z.string().min(1),
  principal: leaf(principalNameText).optional(),
  contexts: count(1, 1_000_000, 10_000),
  contexts_per_address: count(1, 100_000, 100),
  // A ticket takes 0.1 ms: a tenth of the control thread. Who negotiates for every name, one right after the other, as
  // domain controllers of Samba's do, must not come near the bound of an address: what is beyond it fails for good.
  negotiations_per_second: count(1, 100_000, 1000),
  negotiations_per_address: count(1, 100_000, 200),
});

/** A zone; `notify`, `transfer`, `journal`, `ageing` and `update` are read on their own. */
export const ZoneSchema = z.strictObject({
  name: leaf(zoneNameText),
  file: z.string().min(1).optional(),
  notify: z.array(z.unknown()).default([]),
  transfer: z.array(z.unknown()).default([]),
  ptr: z.boolean().default(false),
  near: z.preprocess(
    (value) => (typeof value === "string" ? [value] : value),
    z.array(leaf(nearText)).min(1).max(64).optional(),
  ),
  near_ipv4: z.number().int().min(1).max(32).optional(),
  near_ipv6: z.number().int().min(1).max(128).optional(),
  journal: z.unknown().optional(),
  ageing: z.unknown().optional(),
  update: z.array(z.unknown()).default([]),
});

/** A zone's `ageing`. The bounds of leases are those that RFC 9664 §7 recommends. */
export const AgeingSchema = z.strictObject({
  no_refresh: leaf(durationText(0, Infinity)).prefault("7d"),
  refresh: leaf(durationText(1000, Infinity)).prefault("7d"),
  at: leaf(timeOfDayText).prefault("03:00"),
  min_lease: leaf(durationText(1000, Infinity)).prefault("30s"),
  max_lease: leaf(durationText(1000, Infinity)).prefault("24h"),
  max_key_lease: leaf(durationText(1000, Infinity)).prefault("7d"),
});

/** One entry of `notify` in its long form; the short form is the address alone. */
export function notifySchema(context: SchemaContext) {
  return z.strictObject({ address: leaf(secondaryText), key: leaf(keyText(context)).optional() });
}

/** One entry of `transfer`. */
export function transferSchema(context: SchemaContext) {
  return z.strictObject({ net: leaf(networkText).optional(), key: leaf(keyText(context)).optional() });
}

/** One `[[zone.update]]`. */
export function updateSchema(context: SchemaContext) {
  return z.strictObject({
    key: leaf(keyText(context)).optional(),
    principal: leaf(principalPatternText(context.gss)).optional(),
    net: leaf(networkText).optional(),
    names: z
      .array(leaf(ownerPatternText(context.apex)))
      .min(1)
      .optional(),
    types: z.array(leaf(recordTypeText)).min(1).optional(),
    scope: leaf(scopeText).optional(),
    udp: z.boolean().optional(),
    replace: z.boolean().optional(),
    allow: z.boolean().default(true),
    own: z.boolean().optional(),
    static: z.boolean().optional(),
  });
}

/** Every key of the configuration by its section, for the documentation's test. */
export function configKeys(): ReadonlyMap<string, readonly string[]> {
  const context: SchemaContext = { keys: new Map(), keysComplete: true, apex: Name.root, gss: true };
  const tables = {
    "": TopSchema,
    "[log]": LogSchema,
    "[server]": ServerSchema,
    "[limits]": LimitsSchema,
    "[journal]": JournalSchema,
    "[tsig]": TsigSchema,
    "[netbios]": NetbiosSchema,
    domains: NetbiosDomainSchema,
    "[[forward]]": ForwardSchema,
    "[cache]": CacheSchema,
    "[gss]": GssSchema,
    "[[zone]]": ZoneSchema,
    notify: notifySchema(context),
    transfer: transferSchema(context),
    "[[zone.update]]": updateSchema(context),
    "[zone.ageing]": AgeingSchema,
  };
  return new Map(Object.entries(tables).map(([name, schema]) => [name, Object.keys(schema.shape)]));
}

/** The name of a key that some key file holds. */
function keyText(context: SchemaContext): (text: string) => Name | Mistake {
  return (text) => {
    const name = nameText(text);
    if (name instanceof Mistake || !context.keysComplete || context.keys.has(name.key)) return name;
    const known = [...context.keys.values()].map((key) => key.name.toString().replace(/\.$/, ""));
    return new Mistake(
      "CONFIG_KEY_UNKNOWN",
      `no key file holds a key named "${text}"`,
      known.length === 0
        ? `Name a key file in keys; this makes one: rollcall key generate ${text} --out FILE`
        : didYouMean(text, known),
    );
  };
}
