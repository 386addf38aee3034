/** Zones that are created in many steps: all of it or nothing, in order, and nobody waits for it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DATABASE_FILE, openStore, type StoreOptions } from "../../../src/store/open.ts";
import type { SqliteStore } from "../../../src/store/store.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { record, type ResourceRecord } from "../../../src/wire/record.ts";
import { aRecord, soaRecord, someOrigin, ZoneModel } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
const origin = { ...someOrigin, cause: "create" } as const;
const soa = soaRecord(apex, 1);

let directory: string;
let store: SqliteStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rollcall-creation-"));
  store = openStore(directory);
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

function reopen(options?: StoreOptions): void {
  store.close();
  store = openStore(directory, options);
}

/** Hosts of a zone that takes several steps, in an order that is not theirs. */
function hosts(count = 30_000): ResourceRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const mixed = (i * 7919) % count;
    return aRecord(
      apex,
      `h${mixed}.rack${mixed % 7}`,
      `10.${mixed >> 16}.${(mixed >> 8) & 255}.${mixed & 255}`,
    );
  });
}

function stored(): string[] {
  const snapshot = store.snapshot(apex);
  try {
    expect(snapshot.recordCount).toBe(store.zones().find((zone) => zone.apex.equals(apex))!.recordCount);
    return new ZoneModel(snapshot.soa, snapshot.records()).lines();
  } finally {
    snapshot.close();
  }
}

/** Takes so many steps that some of the zone is written and some is not. */
function halfway(creating: Generator<number, unknown>): void {
  let written = 0;
  while (written === 0) {
    const step = creating.next();
    if (step.done === true) throw new Error("the zone was created too fast for this test");
    written = step.value;
  }
}

function rowsLeft(): number {
  const db = new Database(join(directory, DATABASE_FILE), { readonly: true });
  try {
    return Number(
      db.prepare("SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM zone)").pluck().get(),
    );
  } finally {
    db.close();
  }
}

test("a zone is there when the last step is done, whatever the order of its records", () => {
  const records = hosts();
  const creating = store.createInSteps(apex, [...records.slice(0, 9), soa, ...records.slice(9)], origin);
  const told: number[] = [];
  let step = creating.next();
  for (; step.done !== true; step = creating.next()) told.push(step.value);
  expect(step.value).toEqual({ apex, serial: 1, recordCount: 30_001 });
  expect(told.length).toBeGreaterThan(4);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(stored()).toEqual(new ZoneModel(soa, records).lines());
  expect(store.history(apex, { limit: 9 })).toMatchObject([{ serialAfter: 1, addedCount: 30_001 }]);
  reopen();
  expect(stored()).toHaveLength(30_001);
});

test("other zones change between the steps, and nobody sees the zone before its last", async () => {
  const other = new ZoneModel(soaRecord(Name.parse("other.example."), 1));
  store.create(other.apex, [other.soa], origin);
  const creating = store.createInSteps(apex, [soa, ...hosts()], origin);
  halfway(creating);

  const change = other.change([], [aRecord(other.apex, "h", "192.0.2.1")]);
  await store.commit([change]);
  expect(store.zones()).toEqual([{ apex: other.apex, serial: 2, recordCount: 2 }]);
  const absent = expect.objectContaining({ code: "STORE_NO_ZONE" });
  expect(() => store.snapshot(apex)).toThrow(absent);
  await expect(store.commit([new ZoneModel(soa).change([], [])])).rejects.toEqual(absent);
  expect(() => store.create(Name.parse("SMB.example."), [soa], origin)).toThrow(
    expect.objectContaining({ code: "STORE_EXISTS" }),
  );

  let step = creating.next();
  while (step.done !== true) step = creating.next();
  expect(store.zones().map(({ recordCount }) => recordCount)).toEqual([2, 30_001]);
});

test("given up halfway it leaves nothing, and can be created anew", () => {
  const creating = store.createInSteps(apex, [soa, ...hosts()], origin);
  halfway(creating);
  expect(rowsLeft()).toBeGreaterThan(0);
  creating.return(undefined as never);
  expect(rowsLeft()).toBe(0);
  expect(store.zones()).toEqual([]);
  expect(store.create(apex, [soa], origin).recordCount).toBe(1);
});

test("what a crash left of it is gone when the database is opened", () => {
  halfway(store.createInSteps(apex, [soa, ...hosts()], origin));
  // Nothing but the process ends: what is on the disk is what is on the disk.
  reopen();
  expect(store.zones()).toEqual([]);
  expect(rowsLeft()).toBe(0);
  store.create(apex, [soa, ...hosts(100)], origin);
  expect(stored()).toHaveLength(101);
});

test("a disk that fills on the way leaves nothing, and a smaller zone still fits", () => {
  reopen({ maxBytes: 512 * 1024 });
  expect(() => store.create(apex, [soa, ...hosts()], origin)).toThrow(
    expect.objectContaining({ code: "STORE_FULL" }),
  );
  expect(store.zones()).toEqual([]);
  expect(store.create(apex, [soa, ...hosts(1000)], origin).recordCount).toBe(1001);
});

test("a store that is closed meanwhile ends it", () => {
  const creating = store.createInSteps(apex, [soa, ...hosts()], origin);
  halfway(creating);
  store.close();
  expect(() => creating.next()).toThrow(expect.objectContaining({ code: "STORE_CLOSED" }));
  store = openStore(directory);
  expect(rowsLeft()).toBe(0);
});

test("a record that comes again far behind counts once, as it came first", () => {
  const between = hosts(20_000);
  const ptr = (owner: string, target: string, ttl: number): ResourceRecord =>
    record(Name.parse(owner, apex), RrType.PTR, ttl, Name.parse(target).wire);
  const text = (octet: number): ResourceRecord =>
    record(Name.parse("t", apex), RrType.TXT, 60, Uint8Array.of(1, octet));
  const records = [
    ptr("p", "Host.example.", 1),
    aRecord(apex, "a", "192.0.2.1", 1),
    text(0x41),
    ...between,
    ptr("P", "hOST.example.", 2),
    ptr("p", "other.example.", 1),
    aRecord(apex, "A", "192.0.2.1", 2),
    text(0x61), // letter case counts in text
    text(0x41),
  ];
  store.create(apex, [soa, ...records], origin);
  const expected = [
    ptr("p", "Host.example.", 1),
    ptr("p", "other.example.", 1),
    records[1]!,
    text(0x41),
    text(0x61),
  ];
  expect(stored()).toEqual(new ZoneModel(soa, [...expected, ...between]).lines());
});
