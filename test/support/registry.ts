/**
 * A server without its sockets: a real store, change queue, images, updater and ageing, a zone smb.example whose rules the
 * test gives, and a clock that is the test's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Requester } from "../../src/auth/acl.ts";
import type { UpdateRule } from "../../src/auth/update-rule.ts";
import type { ZoneConfig } from "../../src/config/config.ts";
import type { UpdateOutcome } from "../../src/protocol/update.ts";
import { readUpdate } from "../../src/protocol/update.ts";
import { Ageing } from "../../src/services/ageing.ts";
import { ChangeQueue } from "../../src/services/change-queue.ts";
import { RefusalLog } from "../../src/services/refusal-log.ts";
import { Updater } from "../../src/services/updater.ts";
import { ServedZones } from "../../src/services/zones.ts";
import { openStore } from "../../src/store/open.ts";
import type { SqliteStore } from "../../src/store/store.ts";
import { rcodeToText } from "../../src/wire/iana/code.ts";
import { Name } from "../../src/wire/name.ts";
import type { UpdateLease } from "../../src/wire/update-lease.ts";
import { updateLeaseOption } from "../../src/wire/update-lease.ts";
import { soaSerial } from "../../src/wire/rdata/soa.ts";
import { hashSeed } from "../../src/zone/image/hash.ts";
import type { AgeingRules } from "../../src/zone/registration.ts";
import { recordsToLines } from "./model.ts";
import { ORIGIN, rr, updateMessage, type UpdateParts } from "./rr.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Noon of a Sunday: fifteen hours before the first 03:00 of UTC. */
export const START: number = Date.UTC(2026, 2, 1, 12);

export const RULES: AgeingRules = {
  noRefresh: 7 * DAY,
  refresh: 7 * DAY,
  at: 180,
  minLease: 30_000,
  maxLease: DAY,
  maxKeyLease: 7 * DAY,
};

/** Who asks: `key fs1`, `principal FS1$@SMB.EXAMPLE` or `address 192.0.2.1`. */
export function requester(who: string): Requester {
  const [kind, name] = who.split(" ") as [string, string];
  const base = { address: kind === "address" ? name : "192.0.2.250", transport: "tcp" } as const;
  if (kind === "key") return { ...base, key: Name.parse(name) };
  return kind === "principal" ? { ...base, principal: name } : base;
}

/** What came of an update. */
export interface Answered {
  readonly rcode: string;
  readonly ede: string | undefined;
  readonly lease: UpdateLease | undefined;
}

export interface RegistryOptions {
  readonly ageing?: AgeingRules | undefined;
  readonly rules: readonly UpdateRule[];
  /** Records of the zone beside its SOA. */
  readonly records?: readonly string[];
  /** Serves the reverse zone too, and has `ptr = true`. */
  readonly reverse?: { readonly ageing?: AgeingRules; readonly recordsPerZone?: number };
}

/** The reverse zone of 192.0.2.0/24. */
export const REVERSE: Name = Name.parse("2.0.192.in-addr.arpa.");

export class Registry {
  readonly directory: string = mkdtempSync(join(tmpdir(), "rollcall-registry-"));
  readonly log: Record<string, unknown>[] = [];
  readonly errors: unknown[] = [];
  /** What the clock says. */
  now: number = START;
  /** How far the clock was set, all in all. */
  #set = 0;
  /** After how many milliseconds ageing asked last to be woken; it never is but by {@link pass}. */
  wakesIn: number | undefined;
  config: ZoneConfig;
  readonly #reverse: ZoneConfig | undefined;
  store!: SqliteStore;
  zones!: ServedZones;
  queue!: ChangeQueue;
  ageing!: Ageing;
  #updater!: Updater;

  constructor({ ageing, rules, records = [], reverse }: RegistryOptions) {
    this.config = { ...zoneConfig(rules, ageing), ptr: reverse !== undefined };
    if (reverse !== undefined) {
      const { limits, ...config } = zoneConfig([], reverse.ageing);
      const recordsPerZone = reverse.recordsPerZone ?? limits.recordsPerZone;
      this.#reverse = { ...config, apex: REVERSE, limits: { ...limits, recordsPerZone } };
    }
    const store = openStore(this.directory);
    const lines = ["@ 300 SOA ns1 hostmaster 1 900 60 1209600 30", "@ 300 NS ns1", ...records];
    const actor = { kind: "operator", name: "test" } as const;
    store.create(ORIGIN, lines.map(rr), { actor, at: this.now, cause: "create" });
    if (reverse !== undefined) {
      const apex = REVERSE.toString();
      const empty = [`${apex} 300 SOA ns1 hostmaster 1 900 60 1209600 30`, `${apex} 300 NS ns1`];
      store.create(REVERSE, empty.map(rr), { actor, at: this.now, cause: "create" });
    }
    store.close();
    this.#open();
  }

  get serial(): number {
    return soaSerial(this.zones.get(ORIGIN)!.image.soa.rdata);
  }

  /** The records of the zone but those of the apex, `OWNER TTL TYPE RDATA`, sorted. */
  get records(): string[] {
    return this.#recordsOf(ORIGIN);
  }

  /** The same of the reverse zone. */
  get pointers(): string[] {
    return this.#recordsOf(REVERSE);
  }

  #recordsOf(apex: Name): string[] {
    const snapshot = this.store.snapshot(apex);
    const records = [...snapshot.records()].filter(({ name }) => !name.equals(apex));
    snapshot.close();
    return recordsToLines(records);
  }

  /** Sends an update, as `key host` by default. */
  async update(parts: UpdateParts & { lease?: UpdateLease }, who = "key host"): Promise<Answered> {
    const { lease } = parts;
    const options = lease === undefined ? [] : [updateLeaseOption(lease)];
    const edns = { udpPayload: 1232, version: 0, extendedRcode: 0, dnssecOk: false, options };
    const read = readUpdate(updateMessage({ ...parts, edns }));
    if (!read.ok) throw new Error(read.reason);
    let answer: UpdateOutcome | undefined;
    const reply = (outcome: UpdateOutcome): Uint8Array => {
      answer = outcome;
      return new Uint8Array(0);
    };
    const asks = requester(who);
    await this.#updater.handle(
      { kind: "update", request: read.request, zone: this.zones.get(ORIGIN)!, requester: asks, reply },
      { address: asks.address, port: 1, transport: "tcp" },
    );
    const { rcode, ede, lease: granted } = answer!;
    return { rcode: rcodeToText(rcode), ede: ede?.text, lease: granted };
  }

  /** Adds records, `OWNER TTL IN TYPE RDATA`, or names them again. */
  add(lines: readonly string[], who?: string, lease?: UpdateLease): Promise<Answered> {
    return this.update({ updates: lines, ...(lease === undefined ? {} : { lease }) }, who);
  }

  /** Lets time pass and everything happen that is due then. */
  async pass(milliseconds: number): Promise<void> {
    this.now += milliseconds;
    await this.ageing.round();
  }

  /** Sets the clock, as somebody or NTP does, or as it jumps where a suspended machine goes on. */
  setClock(milliseconds: number): void {
    this.now += milliseconds;
    this.#set += milliseconds;
  }

  /** Stops, and starts again after a while. */
  async restart(milliseconds: number): Promise<void> {
    await this.#close();
    this.now += milliseconds;
    this.#open();
  }

  /** Ends without any farewell, as kill -9 does, and starts again after a while. */
  async crash(milliseconds: number): Promise<void> {
    await this.ageing.stop();
    await this.queue.close();
    this.store.close();
    this.now += milliseconds;
    this.#open();
  }

  /** Takes another configuration, as a reload does. */
  configure(rules: readonly UpdateRule[], ageing: AgeingRules | undefined): void {
    this.config = zoneConfig(rules, ageing);
    this.zones.get(ORIGIN)!.config = this.config;
    this.ageing.configure();
  }

  async remove(): Promise<void> {
    await this.#close();
    rmSync(this.directory, { recursive: true });
    if (this.errors.length > 0) throw new AggregateError(this.errors, "something was logged as an error");
  }

  #open(): void {
    const now = (): number => this.now;
    const log = {
      info: (fields: object, msg: string): void => void this.log.push({ ...fields, msg }),
      warn: (fields: object, msg: string): void => void this.log.push({ ...fields, msg }),
      error: (fields: object): void => void this.errors.push(fields),
    };
    this.store = openStore(this.directory);
    this.zones = new ServedZones(this.store, hashSeed(Uint8Array.of(2, 3, 5, 7, 11, 13, 17, 19)));
    this.queue = new ChangeQueue({
      store: this.store,
      zone: (apex) => this.zones.get(apex),
      maxQueued: 10_000,
      maxBatch: 512,
    });
    this.ageing = new Ageing({
      wake: (_, milliseconds) => {
        this.wakesIn = milliseconds;
        return () => undefined;
      },
      store: this.store,
      changes: this.queue,
      zones: this.zones,
      now,
      uptime: () => this.now - this.#set,
      log,
    });
    this.#updater = new Updater({
      queue: this.queue,
      zones: this.zones,
      store: this.store,
      ageing: this.ageing,
      refusals: new RefusalLog(log, now),
      log,
      now,
    });
    this.zones.put(this.config);
    if (this.#reverse !== undefined) this.zones.put(this.#reverse);
    this.ageing.configure();
  }

  async #close(): Promise<void> {
    await this.ageing.stop();
    await this.queue.close();
    this.ageing.close();
    this.store.close();
  }
}

function zoneConfig(rules: readonly UpdateRule[], ageing: AgeingRules | undefined): ZoneConfig {
  return {
    apex: ORIGIN,
    notify: [],
    transfer: [],
    ptr: false,
    update: rules,
    journal: { maxAge: 365 * DAY, maxBytes: 1024 ** 3 },
    limits: { recordsPerRrset: 1000, typesPerName: 100, recordsPerZone: 1_000_000 },
    ...(ageing === undefined ? {} : { ageing }),
  };
}
