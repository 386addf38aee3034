import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreError, type StoreErrorCode } from "../../../src/store/error.ts";
import { openStore } from "../../../src/store/open.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "../../../src/store/schema.ts";
import { Name } from "../../../src/wire/name.ts";
import { aRecord, soaRecord, someOrigin, ZoneModel } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
let parent: string;
let directory: string;
let file: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "rollcall-open-"));
  directory = join(parent, "data");
  file = join(directory, "rollcall.db");
});

afterEach(() => {
  rmSync(parent, { recursive: true });
});

/** The failure of opening. */
function refusal(): StoreError {
  try {
    openStore(directory).close();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("the store opened");
}

/** A refusal with this code, with the advice that every one carries, and saying this. */
function refused(code: StoreErrorCode, saying = ""): unknown {
  return expect.objectContaining({
    code,
    advice: expect.stringMatching(/\.$/) as string,
    message: expect.stringContaining(saying) as string,
  });
}

/** A store with a zone of two records and one change. */
async function populate(): Promise<void> {
  const store = openStore(directory);
  const model = new ZoneModel(soaRecord(apex, 1), [aRecord(apex, "a", "192.0.2.1")]);
  store.create(apex, [model.soa, ...model.records.values()], someOrigin);
  await store.commit([model.change([], [aRecord(apex, "b", "192.0.2.2")])]);
  store.close();
}

/** A process that has the directory open. */
async function holder(): Promise<ChildProcess> {
  const store = new URL("../../../src/store/open.ts", import.meta.url).href;
  const program = `
    const { openStore } = await import(${JSON.stringify(store)});
    openStore(${JSON.stringify(directory)});
    console.log("open");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

function tamper(sql: string): void {
  const db = new Database(file);
  db.pragma("foreign_keys = OFF");
  db.exec(sql);
  db.close();
}

describe("a data directory", () => {
  test("is made where it is missing, for the owner alone", () => {
    openStore(directory).close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  test("keeps what was committed", async () => {
    await populate();
    const store = openStore(directory);
    expect(store.zones()).toEqual([{ apex, serial: 2, recordCount: 3 }]);
    store.close();
  });

  test("is left without a write-ahead log by a close", async () => {
    await populate();
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  test("that cannot be made is refused", () => {
    writeFileSync(join(parent, "data"), "a file");
    expect(refusal()).toEqual(refused("STORE_ACCESS", directory));
  });

  test("whose database is a directory is refused", () => {
    mkdirSync(file, { recursive: true });
    expect(refusal()).toEqual(refused("STORE_ACCESS"));
  });
});

describe("the database is refused", () => {
  test("when its schema is newer, and left as it is", () => {
    openStore(directory).close();
    tamper(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    const before = readFileSync(file);
    const { message } = refusal();
    expect(refusal()).toEqual(refused("STORE_NEWER", `version ${SCHEMA_VERSION + 1}`));
    expect(message).toContain(`up to ${SCHEMA_VERSION}`);
    expect(readFileSync(file)).toEqual(before);
  });

  test("when another program made it", () => {
    mkdirSync(directory);
    tamper("CREATE TABLE song (title TEXT); PRAGMA user_version = 1");
    expect(refusal()).toEqual(refused("STORE_FOREIGN"));
    tamper("PRAGMA application_id = 42");
    expect(refusal()).toEqual(refused("STORE_FOREIGN"));
  });

  test("when it is no database at all", () => {
    mkdirSync(directory);
    writeFileSync(file, "This is a text that somebody put there. ".repeat(200));
    expect(refusal()).toEqual(refused("STORE_CORRUPT"));
  });

  test("when a page of it is damaged", async () => {
    await populate();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4096 * 3, 4096 * 3 + 2000);
    writeFileSync(file, bytes);
    expect(refusal()).toEqual(refused("STORE_CORRUPT"));
  });

  test("when its end is missing", async () => {
    await populate();
    writeFileSync(file, readFileSync(file).subarray(0, 4096 * 2));
    expect(refusal()).toEqual(refused("STORE_CORRUPT"));
  });

  test("when it says it is Rollcall's and has no schema", () => {
    mkdirSync(directory);
    tamper(`CREATE TABLE zone (id INTEGER); PRAGMA application_id = ${APPLICATION_ID}`);
    expect(refusal()).toEqual(refused("STORE_CORRUPT"));
  });

  test.each([
    ["a record is gone", "DELETE FROM record WHERE rdata = x'c0000201'", "2 records where 3 were counted"],
    ["an SOA is among the records", "UPDATE record SET type = 6 WHERE rdata = x'c0000201'", "second SOA"],
    ["a serial is not its SOA's", "UPDATE zone SET serial = 7", "not that of serial 7"],
    ["an SOA is another name's", "UPDATE zone SET apex = x'0178077375627365747300'", "not that of serial 2"],
    [
      "the journal ends elsewhere",
      "DELETE FROM journal WHERE serial_after = 2",
      "ends at serial 1, the zone is at 2",
    ],
    ["the journal has a gap", "UPDATE journal SET serial_before = 9 WHERE serial_after = 2", "has gaps"],
    ["the journal's size is wrong", "UPDATE zone SET journal_bytes = 1", "octets where 1 were counted"],
  ])("when %s", async (_, sql, saying) => {
    await populate();
    tamper(sql);
    expect(refusal()).toEqual(refused("STORE_CORRUPT", saying));
  });
});

describe("one process at a time", () => {
  test("a second store in the same process is refused, naming it, and the first goes on", async () => {
    await populate();
    const first = openStore(directory);
    try {
      expect(refusal()).toEqual(refused("STORE_LOCKED", `process ${process.pid}`));
      const model = new ZoneModel(first.snapshot(apex).soa);
      await first.commit([model.change([], [aRecord(apex, "c", "192.0.2.3")])]);
      expect(refusal()).toEqual(refused("STORE_LOCKED", `process ${process.pid}`));
    } finally {
      first.close();
    }
    openStore(directory).close();
  });

  test("another process is named, and its death by SIGKILL frees the directory", async () => {
    const child = await holder();
    try {
      expect(refusal()).toEqual(refused("STORE_LOCKED", `process ${child.pid}`));
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    openStore(directory).close();
  });

  test("a failure to open leaves the directory free", () => {
    openStore(directory).close();
    tamper("PRAGMA user_version = 99");
    expect(refusal()).toEqual(refused("STORE_NEWER"));
    expect(refusal()).toEqual(refused("STORE_NEWER"));
  });

  test("a damaged lock file is refused, saying that it may go", () => {
    mkdirSync(directory);
    writeFileSync(join(directory, "rollcall.lock"), "Not a lock. ".repeat(1000));
    expect(refusal()).toEqual(refused("STORE_CORRUPT", "lock file"));
    expect(refusal().advice).toContain("Delete it");
  });
});
