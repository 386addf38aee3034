/** A database of schema version 1, whose journal had a row for each change, opens with its journal whole. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DATABASE_FILE, openStore } from "../../../src/store/open.ts";
import { encodeRecords } from "../../../src/store/rr-blob.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "../../../src/store/schema.ts";
import { Name } from "../../../src/wire/name.ts";
import { soaSerial } from "../../../src/wire/rdata/soa.ts";
import type { Changeset } from "../../../src/zone/changeset.ts";
import { aRecord, soaRecord, ZoneModel } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
const created = { actor: { kind: "operator", name: "start" }, at: 1000, cause: "create" } as const;
const changed = {
  actor: { kind: "key", name: "dhcp.", from: "192.0.2.9" },
  at: 2000,
  cause: "update",
  note: "why",
} as const;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rollcall-migration-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** The tables of version 1 that matter here, with a zone that was created and changed; ids up to 9 were given. */
function writeVersion1(changesets: readonly Changeset[], soa = changesets.at(-1)!.soaAfter): void {
  const db = new Database(join(directory, DATABASE_FILE));
  db.exec(`
    CREATE TABLE zone (id INTEGER PRIMARY KEY, apex_key BLOB NOT NULL UNIQUE, apex BLOB NOT NULL, serial INTEGER NOT NULL,
      soa BLOB NOT NULL, record_count INTEGER NOT NULL, journal_bytes INTEGER NOT NULL) STRICT;
    CREATE TABLE record (zone INTEGER NOT NULL REFERENCES zone (id), owner BLOB NOT NULL, type INTEGER NOT NULL,
      rdata BLOB NOT NULL, ttl INTEGER NOT NULL, owner_written BLOB, PRIMARY KEY (zone, owner, type, rdata)) WITHOUT ROWID, STRICT;
    CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, zone INTEGER NOT NULL REFERENCES zone (id),
      serial_before INTEGER, serial_after INTEGER NOT NULL, at INTEGER NOT NULL, cause TEXT NOT NULL, actor_kind TEXT NOT NULL,
      actor_name TEXT NOT NULL, actor_from TEXT, note TEXT, size INTEGER NOT NULL, removed_count INTEGER NOT NULL,
      added_count INTEGER NOT NULL, soa_before BLOB, soa_after BLOB, removed BLOB, added BLOB) STRICT;
    CREATE INDEX journal_by_zone ON journal (zone, id);
    CREATE INDEX journal_by_serial ON journal (zone, serial_before);
    CREATE TABLE secondary (zone INTEGER NOT NULL REFERENCES zone (id), address TEXT NOT NULL, serial INTEGER NOT NULL,
      at INTEGER NOT NULL, PRIMARY KEY (zone, address)) WITHOUT ROWID, STRICT;
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = 1;`);
  const serial = soaSerial(soa.rdata);
  db.prepare("INSERT INTO zone VALUES (1, ?, ?, ?, ?, ?, ?)").run(
    Buffer.from(apex.key, "latin1"),
    apex.wire,
    serial,
    encodeRecords([soa]),
    1 + changesets.length,
    100,
  );
  const insert = db.prepare("INSERT INTO journal VALUES (?,1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  insert.run(5, null, 1, 1000, "create", "operator", "start", null, null, 0, 0, 1, null, null, null, null);
  for (const [at, { soaBefore, soaAfter, removed, added }] of changesets.entries()) {
    const { actor, cause, note } = changed;
    insert.run(
      7 + at,
      soaSerial(soaBefore.rdata),
      soaSerial(soaAfter.rdata),
      changed.at,
      cause,
      actor.kind,
      actor.name,
      actor.from,
      note,
      1,
      removed.length,
      added.length,
      encodeRecords([soaBefore]),
      encodeRecords([soaAfter]),
      encodeRecords(removed),
      encodeRecords(added),
    );
    for (const { rdata } of added) {
      const owner = Buffer.from(`h${at}\0`, "latin1");
      db.prepare("INSERT INTO record VALUES (1, ?, 1, ?, 300, NULL)").run(owner, rdata);
    }
  }
  db.prepare("UPDATE sqlite_sequence SET seq = 9").run();
  db.close();
}

test("its zone, history and chain are as they were, and ids go on where they had got to", async () => {
  const model = new ZoneModel(soaRecord(apex, 1));
  const chain: Changeset[] = [];
  for (let i = 0; i < 2; i++) {
    const changeset = model.change([], [aRecord(apex, `h${i}`, "192.0.2.1")], model.soa, changed);
    model.apply(changeset);
    chain.push(changeset);
  }
  writeVersion1(chain);
  let store = openStore(directory);
  expect(store.zones()).toEqual([{ apex, serial: 3, recordCount: 3 }]);
  expect(store.changesSince(apex, 1)).toEqual(chain);
  expect(store.changesSince(apex, 2)).toEqual(chain.slice(1));
  const history = store.history(apex, { limit: 10 });
  expect(history.map(({ id, serialBefore, serialAfter }) => [id, serialBefore, serialAfter])).toEqual([
    [8, 2, 3],
    [7, 1, 2],
    [5, undefined, 1],
  ]);
  expect(history.map(({ origin }) => origin)).toEqual([changed, changed, created]);
  expect(history[2]).toMatchObject({ changeset: undefined, removedCount: 0, addedCount: 1 });
  await store.commit([model.change([], [aRecord(apex, "new", "192.0.2.2")])]);
  expect(store.history(apex, { limit: 1 })[0]!.id).toBe(10);
  store.close();

  store = openStore(directory); // its invariants hold
  expect(store.changesSince(apex, 1)).toHaveLength(3);
  store.close();
  const db = new Database(join(directory, DATABASE_FILE), { readonly: true });
  expect(db.pragma("user_version", { simple: true })).toBe(SCHEMA_VERSION);
  db.close();
});
