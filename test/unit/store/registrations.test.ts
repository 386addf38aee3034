/** Registrations and owners in the store: what commits make of them, and databases from before there were any. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../../../src/store/open.ts";
import { encodeRecords } from "../../../src/store/rr-blob.ts";
import { migrate, SCHEMA_VERSION } from "../../../src/store/schema.ts";
import type { SqliteStore } from "../../../src/store/store.ts";
import { Name } from "../../../src/wire/name.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import type { Changeset } from "../../../src/zone/changeset.ts";
import { ownerKey } from "../../../src/zone/owner-key.ts";
import type { Refresh } from "../../../src/zone/registration.ts";
import { aRecord, soaRecord, someOrigin, ZoneModel } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
const a = (owner: string, address: string, ttl?: number): ResourceRecord =>
  aRecord(apex, owner, address, ttl);
const NOW = someOrigin.at / 1000;

let directory: string;
let store: SqliteStore;
let model: ZoneModel;
const fixed = a("fixed", "192.0.2.1");

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rollcall-store-"));
  store = openStore(directory);
  model = new ZoneModel(soaRecord(apex, 1), [fixed]);
  store.create(apex, [model.soa, fixed], someOrigin);
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

type Extra = Pick<Changeset, "lifetimes" | "claimed">;

async function commit(removed: ResourceRecord[], added: ResourceRecord[], extra: Extra = {}, seconds = 0) {
  const origin = { ...someOrigin, at: someOrigin.at + seconds * 1000 };
  const changeset = { ...model.change(removed, added, model.soa, origin), ...extra };
  await store.commit([changeset]);
  model.apply(changeset);
}

const of = (rr: ResourceRecord) => store.registrations.of(apex, rr);
const refresh = (rr: ResourceRecord, seconds: number, lease?: number): Refresh => ({
  ...rr,
  refreshed: NOW + seconds,
  lease,
});
const endings = (refreshedBefore: number, leaseEndsBefore?: number): string[] =>
  store.registrations
    .ending(apex, {
      refreshedBefore: NOW + refreshedBefore,
      leaseEndsBefore: leaseEndsBefore === undefined ? 0 : NOW + leaseEndsBefore,
    })
    .records.map(({ record }) => record.name.toString());

describe("a commit", () => {
  test("registers added records as their lifetimes say; without lifetimes they are static", async () => {
    await commit([], [a("x", "192.0.2.1"), a("y", "192.0.2.1"), a("z", "192.0.2.1")], {
      lifetimes: [0, 3600, undefined],
    });
    await commit([], [a("w", "192.0.2.1")]);
    expect(
      [a("x", "192.0.2.1"), a("y", "192.0.2.1"), a("z", "192.0.2.1"), a("w", "192.0.2.1")].map(of),
    ).toEqual([{ refreshed: NOW }, { refreshed: NOW, lease: 3600 }, undefined, undefined]);
  });

  describe.each([
    ["one for one", []],
    ["amid many others", Array.from({ length: 20 }, (_, i) => a(`m${i}`, "192.0.2.1"))],
  ])("of a record that comes back with another TTL, %s", (_, others) => {
    const old = a("x", "192.0.2.1");
    const other = a("x", "192.0.2.1", 60);
    beforeEach(() => commit([], [old, ...others], { lifetimes: [3600] }));

    test.each([
      ["named: registers it anew", 0, { refreshed: NOW + 9 }],
      ["not named: leaves it as it was", undefined, { refreshed: NOW, lease: 3600 }],
    ])("%s", async (__, lifetime, expected) => {
      await commit([old, ...others], [other, ...others], { lifetimes: [lifetime] }, 9);
      expect(of(other)).toEqual(expected);
    });

    test("of a static one: leaves it static, named or not", async () => {
      await commit([fixed, ...others], [a("fixed", "192.0.2.1", 60), ...others], { lifetimes: [0] });
      expect(of(fixed)).toBeUndefined();
    });

    test("by an import: makes it static", async () => {
      await commit([old], [other]);
      expect(of(other)).toBeUndefined();
    });
  });

  test("that fails leaves registrations and owners as they were", async () => {
    const x = a("x", "192.0.2.1");
    await commit([], [x], { lifetimes: [0], claimed: [x.name] });
    const bad = { ...model.change([x, a("nowhere", "192.0.2.1")], []), claimed: [fixed.name] };
    await expect(store.commit([bad])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(of(x)).toEqual({ refreshed: NOW });
    expect(store.owners.of(apex, x.name)).toMatchObject({ name: someOrigin.actor.name });
    expect(store.owners.of(apex, fixed.name)).toBeUndefined();
  });
});

describe("refresh", () => {
  const x = a("x", "192.0.2.1");
  beforeEach(() => commit([], [x], { lifetimes: [0] }));

  test("writes where the interval has passed, and not before", () => {
    expect(store.registrations.refresh(apex, [refresh(x, 99)], 100)).toBe(0);
    expect(store.registrations.refresh(apex, [refresh(x, 100)], 100)).toBe(1);
    expect(of(x)).toEqual({ refreshed: NOW + 100 });
  });

  test("writes at once where the lease begins, changes, goes on or ends", () => {
    const steps: [Refresh, number][] = [
      [refresh(x, 1, 60), 1],
      [refresh(x, 2, 90), 1],
      [refresh(x, 2, 90), 0],
      [refresh(x, 3, 90), 1],
      [refresh(x, 4), 1],
    ];
    for (const [step, written] of steps) expect(store.registrations.refresh(apex, [step], 100)).toBe(written);
    expect(of(x)).toEqual({ refreshed: NOW + 4 });
  });

  test("never goes back, and touches neither static records nor such as are not there", () => {
    store.registrations.refresh(apex, [refresh(x, 10)], 0);
    const refreshes = [refresh(x, 9), refresh(fixed, 20), refresh(a("nowhere", "192.0.2.1"), 20)];
    expect(store.registrations.refresh(apex, refreshes, 0)).toBe(0);
    expect([of(x), of(fixed)]).toEqual([{ refreshed: NOW + 10 }, undefined]);
  });
});

describe("what ends", () => {
  test("is found by its own time: neither static, nor at the apex, nor later", async () => {
    const added = [
      a("@", "192.0.2.1"),
      a("old", "192.0.2.1"),
      a("leased", "192.0.2.1"),
      a("Long", "192.0.2.1"),
    ];
    await commit([], added, { lifetimes: [0, 0, 60, 600] });
    await commit([], [a("new", "192.0.2.1")], { lifetimes: [0] }, 10);
    expect(endings(10)).toEqual(["old.smb.example."]);
    expect(endings(11)).toEqual(["new.smb.example.", "old.smb.example."]);
    expect(endings(10, 61)).toEqual(["leased.smb.example.", "old.smb.example."]);
    expect(endings(10, 601)).toEqual(["leased.smb.example.", "Long.smb.example.", "old.smb.example."]);
    expect(store.registrations.firstLeaseEnd(apex)).toBe(NOW + 60);
    const leases = store.registrations.leasesEnding(apex, NOW + 600, 10);
    expect(leases.map(({ refreshed, lease }) => [refreshed, lease])).toEqual([
      [NOW, 60],
      [NOW, 600],
    ]);
    expect(store.registrations.leasesEnding(apex, NOW + 600, 1)).toHaveLength(1);
  });
});

describe("owners", () => {
  test("come with the claim of a change, and go with a name's last record, whoever removes it", async () => {
    const records = [a("x", "192.0.2.1"), a("x", "192.0.2.2")];
    await commit([], records, { claimed: [records[0]!.name] });
    expect(store.owners.of(apex, Name.parse("X.smb.example."))).toEqual({
      kind: "key",
      name: "dhcp.smb.example.",
      since: someOrigin.at,
    });
    await commit([records[0]!], []);
    expect(store.owners.of(apex, records[0]!.name)).toBeDefined();
    await commit([records[1]!], []);
    expect(store.owners.of(apex, records[0]!.name)).toBeUndefined();
  });

  test("are listed in canonical order, the apex first, page by page", async () => {
    const names = ["@", "b", "a.b", "c"];
    await commit(
      [],
      names.map((name) => a(name, "192.0.2.1")),
      { claimed: names.map((name) => Name.parse(name === "@" ? "smb.example." : name, apex)) },
    );
    const all = store.owners.list(apex, 10).map(({ name }) => name.toString());
    expect(all).toEqual(["smb.example.", "b.smb.example.", "a.b.smb.example.", "c.smb.example."]);
    const [first] = store.owners.list(apex, 1);
    expect(store.owners.list(apex, 10, first!.name).map(({ name }) => name.toString())).toEqual(all.slice(1));
  });
});

test("a zone that is dropped leaves nothing, and comes again without owners", async () => {
  await commit([], [a("x", "192.0.2.1")], { lifetimes: [60], claimed: [Name.parse("x", apex)] });
  store.registrations.keepState(apex, { notBefore: 1, seen: 2 });
  store.drop(apex);
  store.create(apex, [soaRecord(apex, 1), a("x", "192.0.2.1")], someOrigin);
  expect(of(a("x", "192.0.2.1"))).toBeUndefined();
  expect(store.owners.list(apex, 10)).toEqual([]);
  expect(store.registrations.state(apex)).toBeUndefined();
});

test("everything is there after the store was closed and opened", async () => {
  await commit([], [a("x", "192.0.2.1")], { lifetimes: [60], claimed: [Name.parse("x", apex)] });
  store.registrations.keepState(apex, { notBefore: 1, seen: 2 });
  store.close();
  store = openStore(directory);
  expect(of(a("x", "192.0.2.1"))).toEqual({ refreshed: NOW, lease: 60 });
  expect(store.owners.list(apex, 10)).toHaveLength(1);
  expect(store.registrations.state(apex)).toEqual({ notBefore: 1, seen: 2 });
});

test("a database of the first schema opens: its records are static, and it takes registrations", async () => {
  store.close();
  rmSync(directory, { recursive: true });
  directory = mkdtempSync(join(tmpdir(), "rollcall-store-"));
  const file = join(directory, "rollcall.db");
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  migrate(db, 0, 1);
  const old = a("old", "192.0.2.1");
  const soa = encodeRecords([soaRecord(apex, 1)]);
  db.prepare("INSERT INTO zone VALUES (1, ?, ?, 1, ?, 2, 0)").run(
    Buffer.from(apex.key, "latin1"),
    apex.wire,
    soa,
  );
  const key = ownerKey(old.name, apex);
  db.prepare("INSERT INTO record VALUES (1, ?, 1, ?, 300, NULL)").run(key, old.rdata);
  db.prepare(
    "INSERT INTO journal VALUES (1, 1, NULL, 1, 0, 'create', 'operator', 'ada', NULL, NULL, 0, 0, 2, NULL, NULL, NULL, NULL)",
  ).run();
  db.close();

  store = openStore(directory);
  model = new ZoneModel(soaRecord(apex, 1), [old]);
  await commit([], [a("new", "192.0.2.2")], { lifetimes: [60], claimed: [Name.parse("new", apex)] });
  expect([of(old), of(a("new", "192.0.2.2"))]).toEqual([undefined, { refreshed: NOW, lease: 60 }]);
  expect(endings(1000, 1000)).toEqual(["new.smb.example."]);
  expect(store.history(apex, { limit: 9 }).map(({ serialAfter }) => serialAfter)).toEqual([2, 1]);
  store.close();
  const after = new Database(file, { readonly: true });
  expect(after.pragma("user_version", { simple: true })).toBe(SCHEMA_VERSION);
  after.close();
});
