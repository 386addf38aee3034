/**
 * "No acknowledged change is ever lost", tried with `kill -9`: while updates stream in, while a zone is imported, while
 * one is transferred, while the server starts. After every kill the data directory is copied as the kill left it, and
 * the copy must open, pass its checks and be the journal replayed; then the server goes on from it on the original.
 *
 * A kill takes the process and leaves the kernel: that commits outlive a loss of power rests on SQLite's
 * `synchronous=FULL`, which this cannot try.
 *
 * ROLLCALL_CRASH_SEED repeats the sequence of a run, though not the very moments of its kills.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { generateKey, printKeyFile } from "../../src/auth/keyfile.ts";
import { algorithmFromText } from "../../src/auth/tsig/key.ts";
import { controlSocketPath } from "../../src/config/paths.ts";
import { zoneTextPieces } from "../../src/config/zone-source.ts";
import { control } from "../../src/control/client.ts";
import { openStore } from "../../src/store/open.ts";
import { Name } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { soaSerial } from "../../src/wire/rdata/soa.ts";
import { identical, recordKey } from "../../src/zone/algebra.ts";
import type { ZoneStore } from "../../src/zone/ports.ts";
import { isAhead } from "../../src/zone/serial.ts";
import { recordToLine, ZoneModel } from "../support/model.ts";
import { Random } from "../support/mutate.ts";
import { Daemon } from "../support/process.ts";
import { Registrars } from "../support/registrars.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { fetchZone, requestTransfer } from "../support/transfer-client.ts";
import { UpdateClient } from "../support/update-client.ts";
import { recordsOf } from "../support/zones.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");

/** Kills of each kind. */
const STREAM_KILLS = 36;
const IMPORT_KILLS = 6;
const TRANSFER_KILLS = 4;
const FIRST_START_KILLS = 5;
/** Updates outstanding at a time; a datagram each must fit the server's socket buffer. */
const OUTSTANDING = 120;
/** A kill comes this many milliseconds after the first acknowledgement, at most. */
const LONGEST_STREAM = 150;
/** Milliseconds for one test: far more than it takes. */
const LIMIT = 240_000;

const SMB = Name.parse("smb.example.");
const BIG = Name.parse("big.example.");
const HUGE = Name.parse("huge.example.");
const KEY = generateKey(Name.parse("dhcp.smb.example."), algorithmFromText("hmac-sha256")!);

const seed = Number(process.env["ROLLCALL_CRASH_SEED"] ?? Date.now() % 1_000_000_000);
const random = new Random(seed);

const SMB_CONFIG = `keys = ["keys.conf"]
[[zone]]
name = "smb.example"
file = "smb.zone"
transfer = [{ net = "127.0.0.0/8" }]
[zone.ageing]
[[zone.update]]
key = "dhcp.smb.example"
own = true
`;
const BOTH_CONFIG = `${SMB_CONFIG}[[zone]]
name = "big.example"
file = "big-1.zone"
transfer = [{ net = "127.0.0.0/8" }]
`;

const TRANSFER_CONFIG = `${SMB_CONFIG}[[zone]]
name = "huge.example"
file = "huge.zone"
transfer = [{ net = "127.0.0.0/8" }]
`;

/** Every name that an update made has its owner, and no other name has one. */
function expectOwners(store: ZoneStore, { records }: ZoneModel): void {
  const registered = [...records.values()].filter((rr) => store.registrations.of(SMB, rr) !== undefined);
  const names = new Set(registered.map(({ name }) => name.key));
  const owned = store.owners.list(SMB, 1_000_000).map(({ name }) => name.key);
  expect(owned.toSorted()).toEqual([...names].toSorted());
}

/** Names of the big zone, and octets of each of its two character-strings. */
const BIG_NAMES = 4000;
const TEXT_LENGTH = 250;

/** A zone of some megabytes. Two versions have half of their names in common, and of those half of their addresses. */
function bigZone(version: number): string {
  const lines = [SMALL_ZONE];
  const filler = "x".repeat(TEXT_LENGTH);
  for (let host = version * 2000; host < version * 2000 + BIG_NAMES; host++) {
    const address =
      host % 2 === 0 ? `10.0.${host >> 8}.${host & 255}` : `10.${version}.${host >> 8}.${host & 255}`;
    lines.push(`h${host} A ${address}`, ` TXT "${filler}" "${filler}"`);
  }
  return `${lines.join("\n")}\n`;
}

/** A zone of 20 MiB: a sender's buffer grows to 4 MiB, and a receiver's only as far as it reads. */
function hugeZone(): string {
  const filler = `"${"x".repeat(TEXT_LENGTH)}" `.repeat(80);
  const lines = Array.from({ length: 1000 }, (_, host) => `h${host} TXT ${filler}`);
  return `${SMALL_ZONE}\n${lines.join("\n")}\n`;
}

const BIG_ZONE = [bigZone(1), bigZone(2)] as const;
const FILES = {
  "keys.conf": printKeyFile(KEY),
  "smb.zone": SMALL_ZONE,
  "big-1.zone": BIG_ZONE[0],
  "huge.zone": hugeZone(),
};

/** How a zone differs from what it is to be: a line for each record too many, too few or not quite the same. */
function differences(zone: ZoneModel, records: Iterable<ResourceRecord>): string[] {
  const left = new Map([...zone.records.values(), zone.soa].map((rr) => [recordKey(rr), rr]));
  const lines: string[] = [];
  for (const rr of records) {
    const wanted = left.get(recordKey(rr));
    if (wanted === undefined || !identical(wanted, rr)) lines.push(`not to be there: ${recordToLine(rr)}`);
    else left.delete(recordKey(rr));
  }
  return [...lines, ...[...left.values()].map((rr) => `missing: ${recordToLine(rr)}`)];
}

/** A zone as its file says. */
function modelOf(apex: Name, text: string): ZoneModel {
  const [soa, ...rest] = recordsOf(apex.toString(), text);
  return new ZoneModel(soa!, rest);
}

/** Brings a model up to the store's state through the journal, and holds the store's records against it. */
function replay(store: ZoneStore, model: ZoneModel): void {
  const changes = store.changesSince(model.apex, model.serial);
  if (changes === undefined) throw new Error(`the journal does not reach back to serial ${model.serial}`);
  for (const changeset of changes) {
    expect(isAhead(soaSerial(changeset.soaAfter.rdata), soaSerial(changeset.soaBefore.rdata))).toBe(true);
    model.apply(changeset);
  }
  const snapshot = store.snapshot(model.apex);
  try {
    expect(differences(model, [snapshot.soa, ...snapshot.records()])).toEqual([]);
  } finally {
    snapshot.close();
  }
}

describe(`kill -9 (ROLLCALL_CRASH_SEED=${seed})`, () => {
  let server: RollcallServer;
  let registrars: Registrars;
  /** The zones as they were found after the last kill. */
  let smb: ZoneModel;
  let big: ZoneModel | undefined;
  let cacheDirectory: string;
  let startTime: number;
  let kills = 0;
  const total = { acknowledged: 0, unanswered: 0, committedUnanswered: 0 };

  beforeAll(async () => {
    process.stderr.write(`kill -9: ROLLCALL_CRASH_SEED=${seed}\n`);
    // Starting is most of what this test does: let Node keep its compiled code from one start to the next.
    cacheDirectory = mkdtempSync(join(tmpdir(), "rollcall-cache-"));
    process.env["NODE_COMPILE_CACHE"] = cacheDirectory;
    await begin(BOTH_CONFIG);
    await server.down();
    const started = performance.now();
    await server.up();
    startTime = performance.now() - started;
    await server.remove();
  });

  afterEach(async () => {
    total.acknowledged += registrars.acknowledged;
    total.unanswered += registrars.unanswered;
    total.committedUnanswered += registrars.committedUnanswered;
    await server.remove();
  });

  afterAll(() => {
    delete process.env["NODE_COMPILE_CACHE"];
    rmSync(cacheDirectory, { recursive: true, force: true });
    process.stderr.write(
      `kill -9: ${kills} kills, ${total.acknowledged} updates acknowledged; of ${total.unanswered} cut off, ` +
        `${total.committedUnanswered} had been committed\n`,
    );
  });

  async function begin(config: string): Promise<void> {
    server = await RollcallServer.start({ config, files: FILES });
    registrars = new Registrars(random, SMB, 160, 60);
    smb = modelOf(SMB, SMALL_ZONE);
    big = config === BOTH_CONFIG ? modelOf(BIG, BIG_ZONE[0]) : undefined;
  }

  async function kill(): Promise<void> {
    expect(await server.down("SIGKILL"), "it ended by itself before it was killed").toBeNull();
    kills++;
  }

  /** Everything that must hold of what the kill left; then the server is started on it, and must serve the same. */
  async function checkAndRestart(): Promise<void> {
    const copy = mkdtempSync(join(tmpdir(), "rollcall-copy-"));
    try {
      cpSync(join(server.directory, "data"), copy, {
        recursive: true,
        filter: (path) => !path.endsWith(".sock"),
      });
      const store = openStore(copy); // throws where the integrity check fails
      try {
        replay(store, smb);
        expectOwners(store, smb);
        if (big !== undefined) replay(store, big);
      } finally {
        store.close();
      }
    } finally {
      rmSync(copy, { recursive: true });
    }
    expect(registrars.recover(smb.records.values())).toEqual([]);
    await server.up();
    expect(differences(smb, await fetchZone(server.port, SMB))).toEqual([]);
  }

  /** Streams updates until `during` is done and the server is killed. @param during begins at the first acknowledgement */
  async function streamUntilKilled(during: () => Promise<void>): Promise<void> {
    const client = await UpdateClient.open(server.port, SMB, KEY);
    const before = registrars.acknowledged;
    const streaming = registrars.stream(client, OUTSTANDING);
    const flowing = (async () => {
      while (registrars.acknowledged === before) await wait(1);
    })();
    try {
      await Promise.race([flowing, streaming]);
      await Promise.race([during(), streaming]);
      await kill();
    } finally {
      client.close();
    }
    await streaming;
  }

  /** The whole journal from the creation on, read from the store once the server has closed it. */
  async function checkWholeHistory(): Promise<void> {
    expect(await server.down()).toBe(0);
    const store = openStore(join(server.directory, "data"));
    try {
      replay(store, modelOf(SMB, SMALL_ZONE));
      if (big !== undefined) replay(store, modelOf(BIG, BIG_ZONE[0]));
    } finally {
      store.close();
    }
  }

  test(
    "while updates stream in: all acknowledged are there, none is half there",
    { timeout: LIMIT },
    async () => {
      await begin(SMB_CONFIG);
      for (let round = 0; round < STREAM_KILLS; round++) {
        await streamUntilKilled(() => wait(random.below(LONGEST_STREAM)));
        // Now and then also while it starts on what the kill has left.
        if (random.below(3) === 0) await killWhileStarting();
        await checkAndRestart();
      }
      await checkWholeHistory();
      expect(registrars.acknowledged).toBeGreaterThan(STREAM_KILLS);
    },
  );

  /** Makes big.example a version of itself. @returns whether the server said that it is done */
  async function importVersion(version: number): Promise<boolean> {
    const upload = zoneTextPieces(recordsOf("big.example.", BIG_ZONE[version]!));
    const args = { zone: "big.example", file: "big.zone", dryRun: false, actor: "crash test" };
    try {
      await control(controlSocketPath(join(server.directory, "data")), "zone.import", args, { upload });
      return true;
    } catch {
      return false; // the kill cut it off
    }
  }

  test("while a zone file is imported: the zone is the old or the new one", { timeout: LIMIT }, async () => {
    await begin(BOTH_CONFIG);
    const versions = BIG_ZONE.map((text) => modelOf(BIG, text));
    const started = performance.now();
    expect(await importVersion(1)).toBe(true);
    const importTime = performance.now() - started;
    let present = 1;
    for (let round = 0; round < IMPORT_KILLS; round++) {
      const wanted = 1 - present;
      let importing: Promise<boolean> | undefined;
      await streamUntilKilled(async () => {
        importing = importVersion(wanted);
        // Much of it is upload and comparison, and takes longer while updates stream in.
        await wait(importTime * (0.3 + random.below(1700) / 1000));
      });
      const acknowledged = await importing!;
      await checkAndRestart();
      // The SOA apart: its serial moves on with each import.
      const records = [...big!.records.values()];
      const found = versions.findIndex((zone) => differences(zone, [zone.soa, ...records]).length === 0);
      expect(acknowledged ? [wanted] : [present, wanted]).toContain(found);
      present = found;
    }
    await checkWholeHistory();
  });

  test("while a zone is transferred", { timeout: LIMIT }, async () => {
    await begin(TRANSFER_CONFIG);
    const records = await fetchZone(server.port, HUGE);
    const wholeOctets = records.reduce((sum, { rdata }) => sum + rdata.length, 0);
    for (let round = 0; round < TRANSFER_KILLS; round++) {
      const socket = await requestTransfer(server.port, HUGE);
      socket.on("error", () => undefined);
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      let octets = 0;
      let enough = 1 + random.below(300_000);
      await streamUntilKilled(
        () =>
          new Promise((resolve) => {
            socket.on("data", (chunk) => {
              octets += chunk.length;
              if (octets < enough) return;
              // What is not read now keeps the transfer under way; after the kill all that comes is read.
              socket.pause();
              enough = Infinity;
              resolve();
            });
          }),
      );
      socket.resume();
      await closed;
      expect(octets, "the transfer was over before the kill").toBeLessThan(wholeOctets);
      await checkAndRestart();
      expect(await fetchZone(server.port, HUGE)).toHaveLength(records.length);
    }
    await checkWholeHistory();
  });

  test("while it starts for the first time: the next start makes up for it", { timeout: LIMIT }, async () => {
    await begin(BOTH_CONFIG);
    await server.down();
    for (let round = 0; round < FIRST_START_KILLS; round++) {
      rmSync(join(server.directory, "data"), { recursive: true, force: true });
      for (let again = random.below(2); again >= 0; again--) await killWhileStarting();
      await server.up();
      for (const [apex, text] of [
        [SMB, SMALL_ZONE],
        [BIG, BIG_ZONE[0]],
      ] as const) {
        expect(differences(modelOf(apex, text), await fetchZone(server.port, apex))).toEqual([]);
      }
      await server.down();
    }
  });

  async function killWhileStarting(): Promise<void> {
    const args = [MAIN, "serve", "--config", server.configFile];
    const starting = new Daemon("rollcall", process.execPath, args, { cwd: server.directory });
    await wait(startTime * (0.3 + random.below(800) / 1000));
    expect(await starting.stop("SIGKILL"), "it ended by itself before it was killed").toBeNull();
    kills++;
  }
});
