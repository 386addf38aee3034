/** The configuration as the rest of the house reads it: names, networks and keys, not their texts. Immutable. */
import type { Network, TransferRule } from "../auth/acl.ts";
import type { KeytabEntry } from "../auth/gss/keytab.ts";
import type { UpdateRule } from "../auth/update-rule.ts";
import type { KeyRing, TsigKey } from "../auth/tsig/key.ts";
import type { Name } from "../wire/name.ts";
import type { NearNetworks } from "../zone/near.ts";
import type { JournalLimits } from "../zone/ports.ts";
import type { AgeingRules } from "../zone/registration.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** An address to listen on, UDP and TCP both. */
export interface ListenAddress {
  /** Numeric, canonical. */
  readonly address: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** As the configuration writes it. */
  readonly text: string;
}

/** A secondary to be told of changes. */
export interface NotifyTarget {
  readonly address: string;
  readonly port: number;
  /** Signs the NOTIFY where it is given. */
  readonly key?: TsigKey;
}

/** Caps on what updates and imports may put into a zone. */
export interface RecordLimits {
  readonly recordsPerRrset: number;
  readonly typesPerName: number;
  readonly recordsPerZone: number;
}

/** Caps of the server as a whole. */
export interface ServerLimits {
  readonly tcpConnections: number;
  readonly tcpConnectionsPerAddress: number;
  /** Milliseconds. */
  readonly tcpIdle: number;
  /** Of one connection. */
  readonly tcpQueriesInFlight: number;
  /** Octets of answers a peer may leave unread. */
  readonly tcpWriteBuffer: number;
  /** Zone transfers at once. */
  readonly transfers: number;
  /** Updates waiting to be judged or committed. */
  readonly updatesQueued: number;
  readonly records: RecordLimits;
  /** Queries that wait for other servers. */
  readonly forwardQueries: number;
  /** Of them, from one address. */
  readonly forwardQueriesPerClient: number;
}

/** Names that other servers are asked about. */
export interface ForwardConfig {
  /** The root stands for everything that has no other forward. */
  readonly suffixes: readonly Name[];
  readonly upstreams: readonly UpstreamAddress[];
  /** Whom it is done for. */
  readonly clients: readonly Network[];
  /** Whether the letters of a name go out in a case of chance, which the answer must repeat. */
  readonly randomizeCase: boolean;
}

export interface UpstreamAddress {
  /** Numeric, canonical. */
  readonly address: string;
  readonly port: number;
}

/** Answers of other servers are kept so long at most. Times in milliseconds. */
export interface CacheConfig {
  /** Octets. */
  readonly size: number;
  readonly maxTtl: number;
  readonly maxNegativeTtl: number;
  /** Past its time, for when no server answers; 0: never. */
  readonly maxStale: number;
}

/** GSS-TSIG: whose keys prove principals, and how much of it there may be. */
export interface GssConfig {
  /** Absolute path of the keytab. */
  readonly keytab: string;
  /** Only this principal's keys. */
  readonly principal?: string;
  /** The keys that may be used, as the keytab had them when it was read. */
  readonly keys: readonly KeytabEntry[];
  readonly contexts: number;
  readonly contextsPerAddress: number;
  readonly negotiationsPerSecond: number;
  readonly negotiationsPerAddress: number;
}

export interface ZoneConfig {
  readonly apex: Name;
  /** Absolute path of the file that the zone starts from. */
  readonly file?: string;
  readonly notify: readonly NotifyTarget[];
  readonly transfer: readonly TransferRule[];
  readonly update: readonly UpdateRule[];
  /** Whether updates of addresses bring the reverse records along. */
  readonly ptr: boolean;
  /** Whose addresses come first; undefined: all take turns. */
  readonly near?: NearNetworks;
  readonly journal: JournalLimits;
  readonly limits: RecordLimits;
  /** Undefined: nothing ages. */
  readonly ageing?: AgeingRules;
}

/** `[netbios]`: the name service for hosts that ask for NetBIOS names. */
export interface NetbiosConfig {
  /** IPv4 alone. */
  readonly listen: readonly ListenAddress[];
  /** Who is answered. */
  readonly clients: readonly Network[];
  /** Below what a host's name is looked for, in order; registrations are fed below the first. Never empty. */
  readonly suffixes: readonly Name[];
  /** Windows domains, their NetBIOS names in upper case, and where their controllers' SRV records are. */
  readonly domains: readonly { readonly label: string; readonly dns: Name }[];
  /** Whether registrations go into the zone of the first suffix as updates. */
  readonly feed: boolean;
  /** Longest time a registration is granted, in milliseconds. */
  readonly maxTtl: number;
  /** Addresses registered, in all and of one client. */
  readonly registrations: number;
  readonly registrationsPerClient: number;
}

export interface Config {
  /** Absolute path of the file it was read from. */
  readonly path: string;
  readonly listen: readonly ListenAddress[];
  /** Absolute path of the data directory. */
  readonly data: string;
  /** Answer threads; 0 is by the machine. */
  readonly threads: number;
  readonly keys: KeyRing;
  readonly log: { readonly level: LogLevel };
  readonly server: {
    /** For `id.server` and NSID; empty: not answered. */
    readonly identity: string;
    /** For `version.bind`; empty: not answered. */
    readonly version: string;
  };
  readonly limits: ServerLimits;
  readonly journal: JournalLimits;
  readonly tsig: { readonly allowMd5: boolean };
  /** Undefined: NetBIOS names are not answered. */
  readonly netbios?: NetbiosConfig;
  /** Where `[gss]` is there. */
  readonly gss?: GssConfig | undefined;
  readonly zones: readonly ZoneConfig[];
  readonly forwards: readonly ForwardConfig[];
  readonly cache: CacheConfig;
  /** Apexes of zones that are served empty, wherever neither a zone nor a forward takes their place. */
  readonly emptyZones: readonly Name[];
}

/** The zone of an apex, by `Name.key`. */
export function zoneConfigOf(config: Config, apex: Name): ZoneConfig | undefined {
  return config.zones.find((zone) => zone.apex.equals(apex));
}
