/** Zones that come from files: progress where they take long, every mistake told, and served as they are by then. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { createZones, readNewZones } from "../../../src/services/zone-files.ts";
import { ServedZones } from "../../../src/services/zones.ts";
import { openStore } from "../../../src/store/open.ts";
import type { SqliteStore } from "../../../src/store/store.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { aRecord, ZoneModel } from "../../support/model.ts";
import { SMALL_ZONE } from "../../support/rollcall.ts";
import { SEED } from "../../support/zones.ts";

const apex = Name.parse("smb.example.");
const HOSTS = 20_000;

let folder: string;
let store: SqliteStore;
let config: Config;
let lines: { message: string; fields: Record<string, unknown> }[];
const log = {
  info: (fields: object, message: string) =>
    void lines.push({ message, fields: fields as Record<string, unknown> }),
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollcall-files-"));
  let text = SMALL_ZONE;
  for (let i = 0; i < HOSTS; i++) text += `h${i} A 10.0.${i >> 8}.${i & 255}\n`;
  writeFileSync(join(folder, "smb.zone"), text);
  writeFileSync(join(folder, "bad.zone"), `${SMALL_ZONE}h A 192.0.2.300\nh AAAA nothing\n`);
  config = configure("smb");
  store = openStore(config.data);
  lines = [];
});

afterEach(() => {
  vi.restoreAllMocks();
  store.close();
  rmSync(folder, { recursive: true });
});

/** A configuration of zones NAME.example, each with the file NAME.zone. */
function configure(...names: string[]): Config {
  const zones = names.map((name) => `[[zone]]\nname = "${name}.example"\nfile = "${name}.zone"\n`);
  const file = join(folder, "rollcall.toml");
  writeFileSync(file, `listen = ["127.0.0.1:0"]\ndata = "data"\n${zones.join("")}`);
  return loadConfig(file).config!;
}

async function load(): Promise<void> {
  const { zones } = await readNewZones(config, store, log);
  await createZones(zones, store, log, 1_800_000_000_000);
}

test("one that takes no time is told of once", async () => {
  vi.spyOn(performance, "now").mockReturnValue(0);
  await load();
  expect(lines.map(({ message }) => message)).toEqual(["zone created from its file"]);
  expect(lines[0]!.fields).toMatchObject({ zone: "smb.example.", serial: 1, records: HOSTS + 6 });
});

test("one that takes long is told of on the way", async () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 1000));
  await load();
  const told = new Set(lines.map(({ message }) => message));
  expect([...told]).toEqual([
    "reading a zone file",
    "checking a zone file",
    "creating a zone from its file",
    "zone created from its file",
  ]);
  for (const { fields } of lines) {
    expect(fields).toMatchObject({ zone: "smb.example.", file: join(folder, "smb.zone") });
  }
});

test("what the store has is not read again", async () => {
  await load();
  expect((await readNewZones(config, store, log)).zones).toEqual([]);
});

test("every mistake of every file is told, the good ones read", async () => {
  const { zones, problems } = await readNewZones(configure("bad", "smb"), store, log);
  expect(problems.map(({ severity, line }) => [severity, line])).toEqual([
    ["error", 8],
    ["error", 9],
  ]);
  expect(zones.map(({ records }) => records.length)[1]).toBe(HOSTS + 6);
});

test("a zone that is served and changed while it is opened a second time stays as changed", async () => {
  await load();
  const zones = new ServedZones(store, SEED);
  const [zone] = config.zones;
  const opening = zones.open(zone!);
  const served = zones.put(zone!);
  const added = aRecord(apex, "late", "192.0.2.77");
  const change = new ZoneModel(served.image.soa).change([], [added]);
  await store.commit([change]);
  served.publish([change]);
  expect(await opening).toBe(served);
  expect(zones.get(apex)!.view.rrset(added.name, RrType.A)).toBeDefined();
});
