/**
 * The administrator's side of a server without its sockets for DNS: a real store, change queue and zone images behind a
 * real control socket, in a folder of their own. The clock is the test's.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { zoneConfigOf } from "../../src/config/config.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { controlSocketPath } from "../../src/config/paths.ts";
import { problemToText } from "../../src/config/problem.ts";
import { dispatchVerbs } from "../../src/control/dispatch.ts";
import { ControlServer } from "../../src/control/server.ts";
import type { ReloadReport } from "../../src/control/verbs.ts";
import { adminHandlers } from "../../src/services/admin.ts";
import { Ageing } from "../../src/services/ageing.ts";
import { ChangeQueue } from "../../src/services/change-queue.ts";
import { inTurns } from "../../src/services/turns.ts";
import { ServedZones } from "../../src/services/zones.ts";
import { openStore } from "../../src/store/open.ts";
import type { SqliteStore } from "../../src/store/store.ts";
import { Name } from "../../src/wire/name.ts";
import { soaSerial, withSerial } from "../../src/wire/rdata/soa.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { nextSerial } from "../../src/zone/serial.ts";
import { hashSeed } from "../../src/zone/image/hash.ts";
import { parseZone } from "../../src/zonefile/parser.ts";
import { run } from "./process.ts";
import type { Finished } from "./process.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");

/** When the clock of every house begins: 2026-03-01 12:00:00 UTC. */
export const START = Date.UTC(2026, 2, 1, 12);

export class AdminHouse {
  readonly folder: string;
  readonly store: SqliteStore;
  readonly zones: ServedZones;
  readonly queue: ChangeQueue;
  readonly ageing: Ageing;
  readonly log: { fields: object; message: string }[] = [];
  readonly faults: unknown[] = [];
  /** What the clock says. */
  now = START;
  /** What the next reload reports. */
  reloadReport: ReloadReport = { ok: true, at: START, problems: [], changes: [] };
  stops = 0;
  /** Happens between what a verb prepares and the change it asks for. */
  beforeChange: () => Promise<void> = () => Promise.resolve();
  readonly #config: Config;
  #control: ControlServer | undefined;

  private constructor(folder: string, config: Config) {
    this.folder = folder;
    this.#config = config;
    this.store = openStore(config.data);
    this.zones = new ServedZones(this.store, hashSeed(new Uint8Array(8)));
    this.queue = new ChangeQueue({
      store: this.store,
      zone: (apex) => this.zones.get(apex),
      maxQueued: 100,
      maxBatch: 10,
    });
    this.ageing = new Ageing({
      wake: () => () => undefined,
      store: this.store,
      changes: this.queue,
      zones: this.zones,
      now: () => this.now,
      uptime: () => this.now,
      log: {
        info: (fields, message) => this.log.push({ fields, message }),
        warn: (fields, message) => this.log.push({ fields, message }),
        error: (fields) => this.faults.push(fields),
      },
    });
  }

  /**
   * @param config lines beside `listen` and `data`; the zones are served once they have data
   * @param files further files of the folder
   */
  static async open(config: string, files: Readonly<Record<string, string>> = {}): Promise<AdminHouse> {
    const folder = mkdtempSync(join(tmpdir(), "rollcall-admin-"));
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), text, { mode: name.endsWith(".conf") ? 0o600 : 0o644 });
    }
    const file = join(folder, "rollcall.toml");
    writeFileSync(file, `listen = ["127.0.0.1:0"]\ndata = "data"\n${config}`);
    const loaded = loadConfig(file);
    if (loaded.config === undefined) throw new Error(loaded.problems.map(problemToText).join("\n"));
    const house = new AdminHouse(folder, loaded.config);
    await house.#listen();
    return house;
  }

  /** Runs the command line in the house's folder. */
  cli(...args: string[]): Promise<Finished> {
    const env = { ...process.env, NO_COLOR: "1", TZ: "UTC" };
    return run(process.execPath, [MAIN, ...args], { cwd: this.folder, env });
  }

  /** Runs a command with `--json` and returns what it printed. @throws where it did not end well */
  async json(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.cli(...args, "--json");
    if (code !== 0) throw new Error(`exit code ${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  }

  /** Writes a file into the folder. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /**
   * A change as an update would make it, `minutes` after the last.
   * @param lifetimes of the added records, see `Changeset`
   */
  async update(
    zone: string,
    removed: string,
    added: string,
    minutes = 1,
    lifetimes?: readonly (number | undefined)[],
  ): Promise<void> {
    const apex = Name.parse(zone);
    this.now += minutes * 60_000;
    const actor = { kind: "key", name: "dhcp.smb.example.", from: "192.0.2.7" } as const;
    await this.queue.submit({
      apex,
      judge: ({ soa }) => {
        const soaAfter = { ...soa, rdata: withSerial(soa.rdata, nextSerial(soaSerial(soa.rdata))) };
        const origin = { actor, at: this.now, cause: "update" } as const;
        const changes = { removed: records(removed, apex), added: records(added, apex), lifetimes };
        return { changeset: { zone: apex, soaBefore: soa, soaAfter, ...changes, origin }, result: undefined };
      },
    });
  }

  /** Closes and removes everything. @throws AggregateError where a verb found a bug */
  async close(): Promise<void> {
    await this.#control?.close(0);
    await this.ageing.stop();
    await this.queue.close();
    this.ageing.close();
    this.store.close();
    rmSync(this.folder, { recursive: true });
    if (this.faults.length > 0)
      throw new AggregateError(this.faults, "a verb failed through a fault of the server");
  }

  async #listen(): Promise<void> {
    const handlers = adminHandlers({
      store: this.store,
      changes: {
        submit: async (job) => {
          await this.beforeChange();
          return this.queue.submit(job);
        },
      },
      ageing: this.ageing,
      zoneConfig: (apex) => zoneConfigOf(this.#config, apex),
      publishedZone: (apex) => this.zones.get(apex),
      createZone: async (apex, created, origin, onWritten) => {
        const stored = await inTurns(this.store.createInSteps(apex, created, origin), onWritten);
        const config = zoneConfigOf(this.#config, apex);
        if (config !== undefined) this.zones.put(config);
        this.ageing.configure();
        return stored;
      },
      released: () => undefined,
      limits: () => this.#config.limits.records,
      secondaries: () => [{ address: "192.0.2.54:53", serial: 1, at: START, state: "current" }],
      status: () => ({
        version: "0.0.0",
        pid: process.pid,
        startedAt: START,
        config: this.#config.path,
        data: this.#config.data,
        listen: ["127.0.0.1:5300"],
        udp: "the control thread (dgram)",
        memory: 64 * 1024 * 1024,
        counters: { queries: 12_345 },
      }),
      reload: () => Promise.resolve(this.reloadReport),
      stop: () => this.stops++,
      now: () => this.now,
      log: { info: (fields, message) => this.log.push({ fields, message }) },
    });
    this.#control = await ControlServer.listen({
      path: controlSocketPath(this.#config.data),
      version: "0.0.0",
      handler: dispatchVerbs(handlers),
      onFault: (error) => this.faults.push(error),
    });
  }
}

function records(text: string, apex: Name): ResourceRecord[] {
  const parsed = parseZone(text, { file: "test", origin: apex, defaultTtl: 300 });
  if (parsed.hasErrors) throw new Error(JSON.stringify(parsed.problems));
  return parsed.records;
}
