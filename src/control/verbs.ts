/**
 * The verbs of the control socket: what each takes and gives, as plain JSON. The server's handlers and the command line
 * are both typed by this one list.
 *
 * Instants are milliseconds since 1970 UTC; names end in a dot.
 */
import type { Problem } from "../config/problem.ts";

/** A record for people and programs: its data in presentation form. */
export interface RecordJson {
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
  readonly type: string;
  readonly data: string;
}

/** What goes and what comes. The SOA is among them only where more than its serial changes. */
export interface DiffJson {
  readonly removed: readonly RecordJson[];
  readonly added: readonly RecordJson[];
  /** Counts of the whole difference; the lists may be cut short. */
  readonly removedCount: number;
  readonly addedCount: number;
}

export interface ZoneSummary {
  readonly name: string;
  readonly serial: number;
  readonly records: number;
  /** False for a zone that is in the store but not in the configuration. */
  readonly served: boolean;
  /** Whether any rule lets it be updated. */
  readonly dynamic: boolean;
  /** When it last changed; absent where the journal no longer says. */
  readonly changedAt?: number;
  /** Why the store cannot give what it has of the zone; absent where all is well. */
  readonly fault?: string;
}

/** A secondary and where it has got to. */
export interface SecondaryJson {
  /** `192.0.2.1:53` or `[2001:db8::1]:53`. */
  readonly address: string;
  /** The serial it last acknowledged or fetched. */
  readonly serial?: number;
  readonly at?: number;
  /** `current`, `notifying`, `waiting` …: the notifier's word for it. */
  readonly state: string;
}

export interface ZoneStatus extends ZoneSummary {
  readonly secondaries: readonly SecondaryJson[];
}

/** Another server that is asked about names beyond the zones. */
export interface UpstreamStatus {
  /** `192.0.2.1:53` or `[2001:db8::1]:53`. */
  readonly address: string;
  /** Suffixes it is asked about; `.` is everything. */
  readonly names: readonly string[];
  readonly state: "up" | "down" | "not asked yet";
  /** Smoothed, in milliseconds. */
  readonly roundTrip?: number;
  /** Queries to it, and those it answered. */
  readonly sent: number;
  readonly answered: number;
  /** What went wrong since its last answer. */
  readonly lastFailure?: string;
}

export interface ForwardStatus {
  readonly upstreams: readonly UpstreamStatus[];
  /** Sizes in octets. */
  readonly cache: { readonly entries: number; readonly size: number; readonly limit: number };
  /** Clients' queries that wait. */
  readonly waiting: number;
}

export interface ReloadReport {
  /** False: the new configuration has mistakes and the old one runs on. */
  readonly ok: boolean;
  readonly at: number;
  readonly problems: readonly Problem[];
  /** What changed, one sentence each. */
  readonly changes: readonly string[];
}

export interface ServerStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  /** Absolute path of the configuration file. */
  readonly config: string;
  /** Absolute path of the data directory. */
  readonly data: string;
  /** Addresses that are answered on. */
  readonly listen: readonly string[];
  /** Which way UDP is done: by answer threads, or by the control thread. */
  readonly udp: string;
  /** Addresses that NetBIOS names are answered on; absent where they are not. */
  readonly netbios?: readonly string[];
  /** Whose Kerberos keys accept GSS-TSIG, where it is configured. */
  readonly gss?: { readonly principals: readonly string[] };
  readonly zones: readonly ZoneStatus[];
  readonly lastReload?: ReloadReport;
  /** Zones that are served empty beside those of the configuration. */
  readonly emptyZones?: number;
  /** Absent where nothing is forwarded. */
  readonly forward?: ForwardStatus;
  /** Resident memory, in octets. */
  readonly memory: number;
  /** Counters since the start, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface HistoryJson {
  readonly id: number;
  readonly at: number;
  readonly actor: { readonly kind: string; readonly name: string; readonly from?: string };
  readonly cause: string;
  readonly note?: string;
  readonly serialBefore?: number;
  readonly serialAfter: number;
  readonly diff: DiffJson;
}

export interface ImportResult {
  readonly zone: string;
  /** `created`, `changed`, `unchanged`; or with `dryRun` what it would be. */
  readonly outcome: "created" | "changed" | "unchanged";
  readonly dryRun: boolean;
  readonly serialBefore?: number;
  readonly serialAfter: number;
  /** One sentence on which serial was taken, and why. */
  readonly serialNote: string;
  readonly records: number;
  readonly diff: DiffJson;
  /** Whether the configuration names the zone: one that it does not name is kept but not served. */
  readonly served: boolean;
  readonly warnings: readonly Problem[];
}

export interface RollbackResult {
  readonly zone: string;
  readonly outcome: "changed" | "unchanged";
  readonly dryRun: boolean;
  readonly serialBefore: number;
  readonly serialAfter: number;
  /** The serial whose state comes back. */
  readonly toSerial: number;
  /** When that state came to be; absent where the journal does not say. */
  readonly toAt?: number;
  /** How many changesets are undone, wholly or for one owner. */
  readonly undone: number;
  readonly diff: DiffJson;
}

/** A registered record and when it goes unless it is refreshed. */
export interface StaleJson extends RecordJson {
  /** When an update last named it. */
  readonly refreshed: number;
  /** Seconds; absent where the zone's own intervals hold. */
  readonly lease?: number;
  readonly goes: number;
}

/** A name that belongs to somebody. */
export interface OwnerJson {
  readonly name: string;
  readonly owner: { readonly kind: string; readonly name: string };
  readonly since: number;
}

/** Arguments and result of every verb. `data` is what its parts carry where the result comes in parts. */
export interface Verbs {
  status: { args: Record<string, never>; result: ServerStatus };
  reload: { args: Record<string, never>; result: ReloadReport };
  stop: { args: Record<string, never>; result: { pid: number } };
  "zone.list": { args: Record<string, never>; result: { zones: ZoneSummary[] } };
  /** Parts: arrays of RecordJson. */
  "zone.show": {
    args: { zone: string; name?: string | undefined; type?: string | undefined };
    result: { zone: string; serial: number; shown: number };
  };
  /** Parts: zone-file text. */
  "zone.export": { args: { zone: string }; result: { zone: string; serial: number; records: number } };
  /** Upload: whole lines of zone-file text, every record on its own line with an absolute owner, TTL and class. */
  "zone.import": {
    args: { zone: string; file: string; dryRun: boolean; actor: string };
    result: ImportResult;
  };
  /** Newest first. Parts: arrays of HistoryJson. */
  "zone.history": {
    args: { zone: string; limit: number; owner?: string | undefined; since?: number | undefined };
    result: { zone: string; shown: number; more: boolean };
  };
  "zone.rollback": {
    args: {
      zone: string;
      /** One of the two. */
      serial?: number | undefined;
      at?: number | undefined;
      owner?: string | undefined;
      dryRun: boolean;
      /** The serial the difference was shown for: refused where the zone has moved on. */
      expect?: number | undefined;
      actor: string;
    };
    result: RollbackResult;
  };
  /** What goes until then, by default with the next scavenging; in canonical order. Parts: arrays of StaleJson. */
  "zone.stale": {
    args: { zone: string; until?: number | undefined };
    result: { zone: string; until: number; shown: number };
  };
  /** Removes what is stale now. `notBefore` says until when nothing is, where that is yet to come. */
  "zone.scavenge": {
    args: { zone: string; actor: string };
    result: { zone: string; removed: number; notBefore?: number };
  };
  /** The owner of a name, after it was given or released where that is asked; or all. Parts: arrays of OwnerJson. */
  "zone.owner": {
    args: {
      zone: string;
      name?: string | undefined;
      release?: boolean | undefined;
      /** `key`, `principal` or `address`, with `giveName`. */
      giveKind?: string | undefined;
      giveName?: string | undefined;
      actor: string;
    };
    /** `static`: a name was asked for, and it has records that no update made. */
    result: { zone: string; shown: number; static?: boolean };
  };
}

export type VerbName = keyof Verbs;
export type VerbArgs<V extends VerbName> = Verbs[V]["args"];
export type VerbResult<V extends VerbName> = Verbs[V]["result"];
