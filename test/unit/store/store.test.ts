import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore, type StoreOptions } from "../../../src/store/open.ts";
import { MAX_SECONDARIES } from "../../../src/store/secondaries.ts";
import { MAX_SNAPSHOTS } from "../../../src/store/snapshot.ts";
import type { SqliteStore } from "../../../src/store/store.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { soaSerial } from "../../../src/wire/rdata/soa.ts";
import { Name } from "../../../src/wire/name.ts";
import { record, type ResourceRecord } from "../../../src/wire/record.ts";
import { changesetSize } from "../../../src/zone/algebra.ts";
import type { Changeset } from "../../../src/zone/changeset.ts";
import { aRecord, recordToLine, soaRecord, someOrigin, ZoneModel } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
const absent = Name.parse("absent.example.");
const a = (owner: string, address: string, ttl?: number): ResourceRecord =>
  aRecord(apex, owner, address, ttl);
const ptr = (owner: string, target: string): ResourceRecord =>
  record(Name.parse(owner, apex), RrType.PTR, 300, Name.parse(target).wire);

let directory: string;
let store: SqliteStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rollcall-store-"));
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

/** Creates the zone, and gives the model of it. */
function created(...records: ResourceRecord[]): ZoneModel {
  const model = new ZoneModel(soaRecord(apex, 1), records);
  store.create(apex, [model.soa, ...records], { ...someOrigin, cause: "create" });
  return model;
}

/** Commits a change and applies it to the model. */
async function commit(
  model: ZoneModel,
  removed: ResourceRecord[],
  added: ResourceRecord[],
): Promise<Changeset> {
  const changeset = model.change(removed, added);
  await store.commit([changeset]);
  model.apply(changeset);
  return changeset;
}

/** The model's lines sort by text, which for these is canonical order but for the SOA's place. */
function canonical(x: string, y: string): number {
  return Number(y.includes(" SOA ")) - Number(x.includes(" SOA ")) || (x < y ? -1 : 1);
}

/** A record of some size. */
function longText(owner: string): ResourceRecord {
  return record(Name.parse(owner, apex), RrType.TXT, 300, new Uint8Array(256).fill(255));
}

/** A source that breaks off. */
function* failing(): Generator<ResourceRecord> {
  yield soaRecord(apex, 1);
  throw new Error("line 2");
}

/** Creates the zone and commits changes to it, a second apart. */
/** A zone that was changed so many times, with so many changes a commit. */
async function withChanges(count: number, together = 1): Promise<Changeset[]> {
  const model = created();
  const chain: Changeset[] = [];
  for (let i = 0; i < count; i++) {
    const origin = { ...someOrigin, at: someOrigin.at + i * 1000 };
    const changeset = model.change([], [a(`h${i}`, "192.0.2.1")], model.soa, origin);
    chain.push(changeset);
    model.apply(changeset);
  }
  for (let at = 0; at < count; at += together) await store.commit(chain.slice(at, at + together));
  return chain;
}

function stored(name: Name = apex): string[] {
  const snapshot = store.snapshot(name);
  const lines = [snapshot.soa, ...snapshot.records()].map(recordToLine);
  snapshot.close();
  return lines;
}

describe("create", () => {
  test("keeps every record as written, in canonical order, the apex first", () => {
    const zone = Name.parse("SMB.Example.");
    const records = [
      record(Name.parse("z.SMB.Example."), RrType.A, 1, Uint8Array.of(192, 0, 2, 1)),
      record(Name.parse("Mixed.smb.EXAMPLE."), RrType.A, 2, Uint8Array.of(192, 0, 2, 2)),
      soaRecord(zone, 1),
      record(Name.parse("below.z.SMB.Example."), 65280, 0x7fffffff, new Uint8Array(0)),
      record(zone, RrType.NS, 3, Name.parse("NS1.smb.example.").wire),
    ];
    expect(store.create(zone, records, someOrigin)).toEqual({ apex: zone, serial: 1, recordCount: 5 });
    reopen();
    const [, ...lines] = stored(apex);
    expect(lines).toEqual([
      "SMB.Example. 3 NS NS1.smb.example.",
      "Mixed.smb.EXAMPLE. 2 A 192.0.2.2",
      "z.SMB.Example. 1 A 192.0.2.1",
      String.raw`below.z.SMB.Example. 2147483647 TYPE65280 \# 0`,
    ]);
    expect(store.zones()[0]!.apex.toString()).toBe("SMB.Example.");
  });

  test("RFC 2181 §5: keeps one of records that are equal, letter case in RDATA aside", () => {
    const records = [
      a("h", "192.0.2.1", 1),
      a("H", "192.0.2.1", 2),
      ptr("p", "x.example."),
      ptr("p", "X.example."),
    ];
    const zone = store.create(apex, [soaRecord(apex, 1), ...records], someOrigin);
    expect(zone.recordCount).toBe(3);
    expect(stored()).toHaveLength(3);
  });

  test("is in the history, counted", () => {
    created(a("h", "192.0.2.1"));
    const origin = { ...someOrigin, cause: "create" };
    expect(store.history(apex, { limit: 10 })).toEqual([
      {
        id: 1,
        origin,
        serialBefore: undefined,
        serialAfter: 1,
        changeset: undefined,
        removedCount: 0,
        addedCount: 2,
      },
    ]);
  });

  test.each<[string, ResourceRecord[], string]>([
    ["without an SOA", [a("h", "192.0.2.1")], "no SOA"],
    ["with two SOAs", [soaRecord(apex, 1), soaRecord(apex, 2)], "second SOA"],
    ["with the SOA of another zone", [soaRecord(absent, 1)], "another zone"],
    ["with a record outside it", [soaRecord(apex, 1), aRecord(absent, "h", "192.0.2.1")], "not within zone"],
    [
      "with a record of class CH",
      [soaRecord(apex, 1), { ...a("h", "192.0.2.1"), class: RrClass.CH }],
      "not IN",
    ],
    ["with a TTL of 32 bits", [soaRecord(apex, 1), a("h", "192.0.2.1", 0x8000_0000)], "TTL"],
    ["with a cut SOA", [{ ...soaRecord(apex, 1), rdata: new Uint8Array(8) }], "not an SOA"],
  ])("refuses a zone %s, and keeps nothing of it", (_, records, saying) => {
    expect(() => store.create(apex, records, someOrigin)).toThrow(
      expect.objectContaining({ code: "STORE_INVALID", message: expect.stringContaining(saying) as string }),
    );
    expect(store.zones()).toEqual([]);
    expect(created(a("h", "192.0.2.1")).lines()).toEqual(stored());
  });

  test("refuses a zone that exists, in whatever case", () => {
    created();
    expect(() => store.create(Name.parse("SMB.example."), [soaRecord(apex, 1)], someOrigin)).toThrow(
      expect.objectContaining({ code: "STORE_EXISTS" }),
    );
  });

  test("passes on what the source of the records throws, and keeps nothing", () => {
    expect(() => store.create(apex, failing(), someOrigin)).toThrow("line 2");
    expect(store.zones()).toEqual([]);
  });
});

describe("commit", () => {
  test("changes records, SOA, serial and count, and survives reopening", async () => {
    const model = created(a("h", "192.0.2.1"), a("k", "192.0.2.2"));
    await commit(model, [a("h", "192.0.2.1")], [a("h", "192.0.2.9"), a("new", "192.0.2.3")]);
    reopen();
    expect(stored()).toEqual(model.lines());
    expect(store.zones()).toEqual([{ apex, serial: 2, recordCount: 4 }]);
  });

  test("takes several changesets of several zones, each on what those before it leave", async () => {
    const model = created();
    const other = new ZoneModel(soaRecord(absent, 7));
    store.create(absent, [other.soa], someOrigin);
    const batch = [model.change([], [a("h", "192.0.2.1")])];
    model.apply(batch[0]!);
    batch.push(
      other.change([], [aRecord(absent, "x", "192.0.2.8")]),
      model.change([a("h", "192.0.2.1")], []),
    );
    model.apply(batch[2]!);
    other.apply(batch[1]!);
    await store.commit(batch);
    expect(stored()).toEqual(model.lines());
    expect(stored(absent)).toEqual(other.lines());
  });

  test("of nothing does nothing", async () => {
    created();
    await store.commit([]);
    expect(store.history(apex, { limit: 10 })).toHaveLength(1);
  });

  test("matches removed records without regard to the owner's case and the TTL", async () => {
    const model = created(a("Host", "192.0.2.1", 300));
    await store.commit([model.change([a("hOST", "192.0.2.1", 60)], [])]);
    expect(stored()).toHaveLength(1);
  });

  test("may change the letter case of RDATA", async () => {
    const model = created(ptr("p", "host.example."));
    await commit(model, [ptr("p", "host.example.")], [ptr("p", "HOST.example.")]);
    expect(stored()).toEqual(model.lines());
  });

  const h = a("h", "192.0.2.1");
  const model = new ZoneModel(soaRecord(apex, 1), [h, ptr("p", "host.example.")]);
  const good = model.change([], [a("good", "192.0.2.7")]);
  const next = model.clone().apply(good);

  test.each<[string, string, Changeset]>([
    ["STORE_CONFLICT", "an old serial", good],
    ["STORE_CONFLICT", "a serial ahead", new ZoneModel(soaRecord(apex, 9)).change([], [])],
    ["STORE_CONFLICT", "a record to remove that is not there", next.change([a("gone", "192.0.2.1")], [])],
    ["STORE_CONFLICT", "a record removed twice", next.change([h, h], [])],
    ["STORE_CONFLICT", "a record to add that is there", next.change([], [h])],
    ["STORE_CONFLICT", "the same with another TTL", next.change([], [{ ...h, ttl: 7 }])],
    ["STORE_CONFLICT", "the same with RDATA in another case", next.change([], [ptr("p", "HOST.example.")])],
    ["STORE_NO_ZONE", "a zone that does not exist", new ZoneModel(soaRecord(absent, 1)).change([], [])],
    ["STORE_INVALID", "a serial that stays", { ...next.change([], []), soaAfter: next.soa }],
    ["STORE_INVALID", "an SOA among the added", next.change([], [soaRecord(apex, 3)])],
    ["STORE_INVALID", "a record out of the zone", next.change([], [aRecord(absent, "h", "192.0.2.1")])],
    ["STORE_INVALID", "another zone's SOA", { ...next.change([], []), soaAfter: soaRecord(absent, 3) }],
  ])("rejects a whole batch with %s for %s", async (code, _, bad) => {
    created(...model.records.values());
    await expect(store.commit([good, bad])).rejects.toMatchObject({ name: "StoreError", code });
    expect(stored()).toEqual(model.lines().toSorted(canonical));
    expect(store.zones()).toEqual([{ apex, serial: 1, recordCount: 3 }]);
    expect(store.changesSince(apex, 1)).toEqual([]);
    // And is as good as new.
    await store.commit([good]);
    expect(store.zones()).toEqual([{ apex, serial: 2, recordCount: 4 }]);
  });

  test("that fills the disk is rejected whole, and a smaller one still goes", async () => {
    const zone = created(h);
    reopen({ maxBytes: 256 * 1024 });
    const many = Array.from({ length: 2000 }, (_, i) => longText(`t${i}`));
    await expect(store.commit([zone.change([], many)])).rejects.toMatchObject({ code: "STORE_FULL" });
    expect(stored()).toEqual(zone.lines());
    await commit(zone, [h], [a("h", "192.0.2.2")]);
    reopen();
    expect(stored()).toEqual(zone.lines());
    await commit(zone, [], many);
    expect(stored()).toHaveLength(2002);
  });
});

describe("snapshot", () => {
  test("stays as it was while commits go on", async () => {
    const model = created(a("h", "192.0.2.1"));
    const before = model.lines();
    const snapshot = store.snapshot(apex);
    await commit(model, [a("h", "192.0.2.1")], [a("h", "192.0.2.2"), a("i", "192.0.2.3")]);
    expect([snapshot.soa, ...snapshot.records()].map(recordToLine)).toEqual(before);
    expect(snapshot.recordCount).toBe(2);
    snapshot.close();
    expect(stored()).toEqual(model.lines());
  });

  test("reads a zone of many pages whole, RRsets across pages too", () => {
    const records = Array.from({ length: 2000 }, (_, i) =>
      record(Name.parse(i < 1500 ? "one" : `h${i}`, apex), RrType.A, 1, Uint8Array.of(10, 0, i >> 8, i)),
    );
    const model = created(...records);
    const snapshot = store.snapshot(apex);
    const read = [...snapshot.records()];
    snapshot.close();
    expect(new ZoneModel(snapshot.soa, read).lines()).toEqual(model.lines());
    expect(read).toHaveLength(2000);
  });

  test("may be left half read, and closed twice", () => {
    const records = Array.from({ length: 1000 }, (_, i) => a(`h${i}`, "192.0.2.1"));
    created(...records);
    const snapshot = store.snapshot(apex);
    const reading = snapshot.records()[Symbol.iterator]();
    expect(reading.next().done).toBe(false);
    snapshot.close();
    snapshot.close();
    expect(() => reading.next()).toThrow(expect.objectContaining({ code: "STORE_CLOSED" }));
    expect(stored()).toHaveLength(1001);
  });

  test("of a zone that does not exist is refused", () => {
    expect(() => store.snapshot(absent)).toThrow(expect.objectContaining({ code: "STORE_NO_ZONE" }));
  });

  test("open at once are bounded, and a close makes room", () => {
    created();
    const open = Array.from({ length: MAX_SNAPSHOTS }, () => store.snapshot(apex));
    expect(() => store.snapshot(apex)).toThrow(expect.objectContaining({ code: "STORE_BUSY" }));
    open[0]!.close();
    expect(store.snapshot(apex).recordCount).toBe(1);
  });

  test("still open does not keep the store from closing", () => {
    created(a("h", "192.0.2.1"));
    const reading = store.snapshot(apex).records()[Symbol.iterator]();
    reading.next();
    reopen();
    expect(stored()).toHaveLength(2);
  });
});

describe("changesSince", () => {
  test("gives the chain from a serial to the present one", async () => {
    const model = created();
    const first = await commit(model, [], [a("h", "192.0.2.1")]);
    const second = await commit(model, [a("h", "192.0.2.1")], [ptr("P", "Host.example.")]);
    expect(store.changesSince(apex, 1)).toEqual([first, second]);
    expect(store.changesSince(apex, 2)).toEqual([second]);
    expect(store.changesSince(apex, 3)).toEqual([]);
  });

  test.each([0, 4, 0xffff_ffff])("knows no chain from serial %i", async (serial) => {
    const model = created();
    await commit(model, [], [a("h", "192.0.2.1")]);
    await commit(model, [], [a("i", "192.0.2.1")]);
    expect(store.changesSince(apex, serial)).toBeUndefined();
  });

  test.each([1, 2, 3, 5, 10])("gives it from every serial, %i changes a commit", async (together) => {
    const chain = await withChanges(10, together);
    for (let serial = 1; serial <= 11; serial++) {
      expect(store.changesSince(apex, serial)).toEqual(chain.slice(serial - 1));
    }
    expect(store.changesSince(apex, 12)).toBeUndefined();
    expect(store.changesSince(apex, 0)).toBeUndefined();
  });

  test("counts only what is behind the serial towards the octets allowed", async () => {
    const chain = await withChanges(10, 10);
    const size = changesetSize(chain[8]!) + changesetSize(chain[9]!);
    expect(store.changesSince(apex, 9, size)).toEqual(chain.slice(8));
    expect(store.changesSince(apex, 8, size)).toBeUndefined();
  });

  test("RFC 1982: finds a serial in the middle of a commit across the wrap", async () => {
    const model = new ZoneModel(soaRecord(apex, 0xffff_fffe));
    store.create(apex, [model.soa], someOrigin);
    const chain: Changeset[] = [];
    for (let i = 0; i < 6; i++) {
      const changeset = model.change([], [a(`h${i}`, "192.0.2.1")]);
      model.apply(changeset);
      chain.push(changeset);
    }
    await store.commit(chain);
    for (const [at, { soaBefore }] of chain.entries()) {
      expect(store.changesSince(apex, soaSerial(soaBefore.rdata))).toEqual(chain.slice(at));
    }
  });

  test("gives up beyond the octets allowed", async () => {
    const model = created();
    const first = await commit(model, [], [a("h", "192.0.2.1")]);
    const size = changesetSize(first);
    expect(store.changesSince(apex, 1, size)).toEqual([first]);
    expect(store.changesSince(apex, 1, size - 1)).toBeUndefined();
  });

  test("RFC 1982: goes on across the wrap of serials", async () => {
    const model = new ZoneModel(soaRecord(apex, 0xffff_ffff));
    store.create(apex, [model.soa], someOrigin);
    const first = await commit(model, [], [a("h", "192.0.2.1")]);
    const second = await commit(model, [], [a("i", "192.0.2.1")]);
    expect(model.serial).toBe(2);
    expect(store.changesSince(apex, 0xffff_ffff)).toEqual([first, second]);
  });

  test("of a serial used twice takes the later", async () => {
    const model = created();
    await commit(model, [], [a("h", "192.0.2.1")]);
    const back = { ...model.change([a("h", "192.0.2.1")], []), soaAfter: soaRecord(apex, 1) };
    await store.commit([back]);
    model.apply(back);
    const again = await commit(model, [], [a("i", "192.0.2.1")]);
    expect(store.changesSince(apex, 1)).toEqual([again]);
  });

  test("of a zone that does not exist is refused", () => {
    expect(() => store.changesSince(absent, 1)).toThrow(expect.objectContaining({ code: "STORE_NO_ZONE" }));
  });
});

describe("history", () => {
  test("says who, when and why, newest first, page by page", async () => {
    const model = created();
    const origins = [
      someOrigin,
      {
        actor: { kind: "operator", name: "root" },
        at: someOrigin.at + 5,
        cause: "import",
        note: "smb.example.zone",
      },
    ] as const;
    for (const [i, origin] of origins.entries()) {
      const changeset = model.change([], [a(`h${i}`, "192.0.2.1")], model.soa, origin);
      await store.commit([changeset]);
      model.apply(changeset);
    }
    const [newest, ...rest] = store.history(apex, { limit: 1 });
    expect(rest).toEqual([]);
    expect(newest).toMatchObject({
      origin: origins[1],
      serialBefore: 2,
      serialAfter: 3,
      removedCount: 0,
      addedCount: 1,
    });
    expect(newest!.changeset!.added.map(recordToLine)).toEqual(["h1.smb.example. 300 A 192.0.2.1"]);
    const older = store.history(apex, { limit: 10, before: newest!.id });
    expect(older.map((entry) => entry.serialAfter)).toEqual([2, 1]);
    expect(older[0]!.origin).toEqual(origins[0]);
    const since = store.history(apex, { limit: 10, since: someOrigin.at + 1 });
    expect(since.map((entry) => entry.serialAfter)).toEqual([3]);
  });

  test.each([1, 3, 7, 10])("goes page by page through commits of %i changes", async (together) => {
    await withChanges(10, together);
    const all = store.history(apex, { limit: 100 });
    expect(all.map((entry) => entry.serialAfter)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(11);
    for (const limit of [1, 2, 4]) {
      const pages: number[] = [];
      for (let page = store.history(apex, { limit }); page.length > 0;) {
        pages.push(...page.map((entry) => entry.serialAfter));
        page = store.history(apex, { limit, before: page.at(-1)!.id });
      }
      expect(pages).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    }
    const since = store.history(apex, { limit: 100, since: someOrigin.at + 5000 });
    expect(since.map((entry) => entry.serialAfter)).toEqual([11, 10, 9, 8, 7]);
  });

  test("keeps what a commit says of each of its changes", async () => {
    const model = created();
    const key = { actor: { kind: "key", name: "k\u00e9y.", from: "2001:db8::1" }, cause: "update" } as const;
    const address = { actor: { kind: "address", name: "192.0.2.1", from: "192.0.2.1" } } as const;
    const origins = [
      { ...key, at: 1 },
      { ...key, at: 2 },
      { actor: { kind: "operator", name: "" }, at: 3, cause: "import", note: "a \u{1f600} file" },
      { ...address, at: 4, cause: "update", note: "" },
      { ...address, at: 5, cause: "update" },
      { ...address, at: 6, cause: "ptr" },
      { ...address, at: 7, cause: "ptr" },
      { ...key, at: 8 },
    ] as const;
    const chain: Changeset[] = [];
    for (const [i, origin] of origins.entries()) {
      const changeset = model.change([], [a(`h${i}`, "192.0.2.1")], model.soa, origin);
      model.apply(changeset);
      chain.push(changeset);
    }
    await store.commit(chain);
    const entries = store.history(apex, { limit: origins.length }).toReversed();
    expect(entries.map(({ origin }) => origin)).toEqual(origins);
    expect(entries.map(({ changeset }) => changeset)).toEqual(chain);
  });

  test("of one zone has nothing of another", async () => {
    const model = created();
    store.create(absent, [soaRecord(absent, 1)], someOrigin);
    await commit(model, [], [a("h", "192.0.2.1")]);
    expect(store.history(absent, { limit: 10 })).toHaveLength(1);
  });
});

describe("trimJournal", () => {
  const forever = { maxAge: Infinity, maxBytes: Infinity };

  test("within the limits does nothing", async () => {
    const chain = await withChanges(3);
    expect(store.trimJournal(apex, forever, someOrigin.at)).toEqual({ removed: 0, more: false });
    expect(store.changesSince(apex, 1)).toEqual(chain);
  });

  test("by age deletes what is older, and what stays is a chain", async () => {
    const chain = await withChanges(4);
    const limits = { ...forever, maxAge: 1000 };
    // The creation and the first two changes are more than a second old at the fourth.
    expect(store.trimJournal(apex, limits, someOrigin.at + 3000)).toEqual({ removed: 3, more: false });
    expect(store.changesSince(apex, 1)).toBeUndefined();
    expect(store.changesSince(apex, 3)).toEqual(chain.slice(2));
    reopen();
    expect(store.changesSince(apex, 3)).toEqual(chain.slice(2));
  });

  test("deletes a commit whole, when the last of its changes is old enough", async () => {
    const chain = await withChanges(6, 3);
    const limits = { ...forever, maxAge: 1000 };
    expect(store.trimJournal(apex, limits, someOrigin.at + 3000)).toEqual({ removed: 1, more: false });
    expect(store.changesSince(apex, 2)).toEqual(chain.slice(1));
    expect(store.trimJournal(apex, limits, someOrigin.at + 3001)).toEqual({ removed: 3, more: false });
    expect(store.changesSince(apex, 3)).toBeUndefined();
    expect(store.changesSince(apex, 4)).toEqual(chain.slice(3));
    reopen();
    expect(store.changesSince(apex, 4)).toEqual(chain.slice(3));
  });

  test("by size keeps the newest that fit", async () => {
    const chain = await withChanges(4);
    // An entry takes some more than its records: who, when and why.
    const maxBytes = 3.5 * changesetSize(chain[3]!);
    expect(store.trimJournal(apex, { ...forever, maxBytes }, someOrigin.at)).toEqual({
      removed: 3,
      more: false,
    });
    expect(store.changesSince(apex, 3)).toEqual(chain.slice(2));
  });

  test("never deletes the newest entry", async () => {
    await withChanges(2);
    const limits = { maxAge: 0, maxBytes: 0 };
    expect(store.trimJournal(apex, limits, someOrigin.at + 1e9)).toEqual({ removed: 2, more: false });
    expect(store.history(apex, { limit: 10 }).map((entry) => entry.serialAfter)).toEqual([3]);
    expect(store.trimJournal(apex, limits, someOrigin.at + 1e9)).toEqual({ removed: 0, more: false });
  });

  test("deletes a bounded number at a time, and says that there is more", async () => {
    await withChanges(2400, 2);
    const limits = { maxAge: 0, maxBytes: 0 };
    const first = store.trimJournal(apex, limits, someOrigin.at + 1e9);
    expect(first.more).toBe(true);
    let removed = first.removed;
    for (let step = first; step.more;) {
      step = store.trimJournal(apex, limits, someOrigin.at + 1e9);
      expect(step.removed).toBeGreaterThan(0);
      removed += step.removed;
    }
    expect(removed).toBe(2399); // the creation among them; the last commit stays
  });

  test("does not give an id to a second change", async () => {
    await withChanges(2);
    const id = store.history(apex, { limit: 1 })[0]!.id;
    store.drop(apex);
    created();
    expect(store.history(apex, { limit: 1 })[0]!.id).toBeGreaterThan(id);
  });
});

describe("secondaries", () => {
  const state = { address: "192.0.2.53:53", serial: 4, at: someOrigin.at };

  test("are remembered, replaced and kept over a close", () => {
    created();
    store.rememberSecondary(apex, { ...state, serial: 1 });
    store.rememberSecondary(apex, { ...state, address: "[2001:db8::53]:53" });
    store.rememberSecondary(apex, state);
    const both = [state, { ...state, address: "[2001:db8::53]:53" }];
    expect(store.secondaries(apex)).toEqual(both);
    reopen();
    expect(store.secondaries(apex)).toEqual(both);
  });

  test("beyond the bound forget the one silent longest", () => {
    created();
    const remember = (i: number): void =>
      store.rememberSecondary(apex, { ...state, address: `192.0.2.1:${1000 + i}` });
    for (let i = 0; i < MAX_SECONDARIES; i++) remember(i);
    remember(0);
    remember(MAX_SECONDARIES);
    const addresses = store.secondaries(apex).map((secondary) => secondary.address);
    expect(addresses).toHaveLength(MAX_SECONDARIES);
    expect(addresses).toContain("192.0.2.1:1000");
    expect(addresses).not.toContain("192.0.2.1:1001");
  });

  test("of a zone that does not exist are refused", () => {
    expect(() => store.rememberSecondary(absent, state)).toThrow(
      expect.objectContaining({ code: "STORE_NO_ZONE" }),
    );
  });
});

describe("drop", () => {
  test("removes a zone with all that belongs to it, and no other", async () => {
    const model = created(a("h", "192.0.2.1"));
    await commit(model, [], [a("i", "192.0.2.1")]);
    store.rememberSecondary(apex, { address: "192.0.2.53:53", serial: 1, at: 1 });
    store.create(absent, [soaRecord(absent, 1)], someOrigin);
    store.drop(apex);
    expect(store.zones()).toEqual([{ apex: absent, serial: 1, recordCount: 1 }]);
    reopen();
    expect(store.zones()).toEqual([{ apex: absent, serial: 1, recordCount: 1 }]);
    created();
    expect(store.history(apex, { limit: 10 })).toHaveLength(1);
    expect(store.secondaries(apex)).toEqual([]);
  });

  test("of a zone that does not exist is refused", () => {
    expect(() => store.drop(absent)).toThrow(expect.objectContaining({ code: "STORE_NO_ZONE" }));
  });
});

test("a closed store refuses everything, and closes again", async () => {
  const model = created();
  store.close();
  store.close();
  const closed = expect.objectContaining({ code: "STORE_CLOSED" }) as Error;
  await expect(store.commit([model.change([], [])])).rejects.toMatchObject({ code: "STORE_CLOSED" });
  expect(() => store.snapshot(apex)).toThrow(closed);
  expect(() => store.history(apex, { limit: 1 })).toThrow(closed);
  expect(() => store.create(absent, [soaRecord(absent, 1)], someOrigin)).toThrow(closed);
});
