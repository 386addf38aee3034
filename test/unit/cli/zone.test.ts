/** The zone commands against a real store: import as a difference, export, history, rollback. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HistoryJson, ImportResult, RollbackResult } from "../../../src/control/verbs.ts";
import { AdminHouse, START } from "../../support/admin.ts";

const ZONE = `$TTL 300
@    IN SOA ns1 hostmaster 10 900 60 1209600 30
@    IN NS  ns1
ns1  IN A   192.0.2.53
fs1  IN A   192.0.2.1
fs2  IN A   192.0.2.2
     IN TXT "second file server"
`;

let house: AdminHouse;

beforeEach(async () => {
  house = await AdminHouse.open(`
    [[zone]]
    name = "smb.example"
    [[zone.update]]
    net = "127.0.0.1"
    [limits]
    records_per_rrset = 5
  `);
  house.write("zone", ZONE);
});

afterEach(() => house.close());

/** Makes the zone, and changes fs1 three times: serials 11, 12 and 13, a minute apart; fs2 goes with the second. */
async function withHistory(): Promise<void> {
  await house.json("zone", "import", "smb.example", "zone");
  await house.update("smb.example", "fs1 A 192.0.2.1", "fs1 A 198.51.100.1");
  await house.update("smb.example", `fs2 A 192.0.2.2\nfs2 TXT "second file server"`, "");
  await house.update("smb.example", "fs1 A 198.51.100.1", "fs1 A 203.0.113.1\nnew AAAA 2001:db8::1");
}

async function exported(): Promise<string> {
  const { code, stdout } = await house.cli("zone", "export", "smb.example");
  expect(code).toBe(0);
  return stdout;
}

describe("zone import", () => {
  test("creates a zone, says who and from what, and serves it", async () => {
    const result = (await house.json("zone", "import", "smb.example", "zone")) as ImportResult;
    expect(result).toMatchObject({
      outcome: "created",
      serialAfter: 10,
      records: 6,
      served: true,
      dryRun: false,
    });
    expect(house.zones.size).toBe(1);
    const [entry] = house.store.history(house.store.zones()[0]!.apex, { limit: 1 });
    expect(entry).toMatchObject({
      origin: { cause: "create", note: "zone", at: house.now, actor: { kind: "operator" } },
    });
    expect(house.log.map(({ message }) => message)).toEqual(["zone imported"]);
  });

  test("commits the difference as one change with the next serial", async () => {
    await house.json("zone", "import", "smb.example", "zone");
    house.write("zone", ZONE.replace("192.0.2.1\n", "192.0.2.111\nfs3 A 192.0.2.3\n"));
    const { code, stdout } = await house.cli("zone", "import", "smb.example", "zone");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^- fs1\.smb\.example\. +300 A +192\.0\.2\.1\n\+ fs1\S+ +300 A +192\.0\.2\.111\n\+ fs3/m,
    );
    expect(stdout).toContain("1 removed, 2 added, serial 10 to 11");
    expect(stdout).toContain("not ahead of 10, so the next one was taken");
    expect(house.store.history(house.store.zones()[0]!.apex, { limit: 5 })).toHaveLength(2);
  });

  test("compares again where the zone changed meanwhile", async () => {
    await house.json("zone", "import", "smb.example", "zone");
    house.write("zone", ZONE.replace("192.0.2.1\n", "192.0.2.111\n"));
    house.beforeChange = async () => {
      house.beforeChange = () => Promise.resolve();
      await house.update("smb.example", "", "late A 192.0.2.9");
    };
    const { diff, serialBefore } = (await house.json(
      "zone",
      "import",
      "smb.example",
      "zone",
    )) as ImportResult;
    expect(serialBefore).toBe(11);
    expect(diff).toMatchObject({ removedCount: 2, addedCount: 1 });
    expect(await exported()).not.toContain("late");
  });

  test("comes to an end in a zone that changes all the time", async () => {
    await house.json("zone", "import", "smb.example", "zone");
    let changes = 0;
    house.beforeChange = () => house.update("smb.example", "", `late${++changes} A 192.0.2.9`);
    const { outcome, diff } = (await house.json("zone", "import", "smb.example", "zone")) as ImportResult;
    expect(outcome).toBe("changed");
    expect(diff).toMatchObject({ removedCount: changes, addedCount: 0 });
    expect(await exported()).not.toContain("late");
  });

  test("takes the file's serial where that is ahead, even if it is all that changed", async () => {
    await house.json("zone", "import", "smb.example", "zone");
    house.write("zone", ZONE.replace(" 10 ", " 2026030100 "));
    const result = (await house.json("zone", "import", "smb.example", "zone")) as ImportResult;
    expect(result).toMatchObject({ outcome: "changed", serialBefore: 10, serialAfter: 2026030100 });
    expect(result.diff).toMatchObject({ removedCount: 0, addedCount: 0 });
  });

  test("shows a changed SOA and TTL in the difference", async () => {
    await house.json("zone", "import", "smb.example", "zone");
    house.write("zone", ZONE.replace(" 900 ", " 901 ").replace("fs1  IN", "fs1 60 IN"));
    const { diff } = (await house.json("zone", "import", "smb.example", "zone")) as ImportResult;
    expect(diff.removed.map(({ type, ttl }) => [type, ttl])).toEqual([
      ["SOA", 300],
      ["A", 300],
    ]);
    expect(diff.added.map(({ type, ttl }) => [type, ttl])).toEqual([
      ["SOA", 300],
      ["A", 60],
    ]);
  });

  test("says where nothing differs, and leaves the serial", async () => {
    await house.json("zone", "import", "smb.example", "zone");
    const { code, stdout } = await house.cli("zone", "import", "smb.example", "zone");
    expect(code).toBe(0);
    expect(stdout).toContain("nothing changed, serial 10");
  });

  test("changes nothing with --dry-run", async () => {
    expect(await house.json("zone", "import", "smb.example", "zone", "--dry-run")).toMatchObject({
      outcome: "created",
      dryRun: true,
    });
    expect(house.store.zones()).toEqual([]);
    await house.json("zone", "import", "smb.example", "zone");
    house.write("zone", `${ZONE}fs3 A 192.0.2.3\n`);
    expect(await house.json("zone", "import", "smb.example", "zone", "--dry-run")).toMatchObject({
      outcome: "changed",
      serialAfter: 11,
    });
    expect(house.store.zones()[0]!.serial).toBe(10);
  });

  test("refuses a file with mistakes, every one told, without asking the server", async () => {
    house.write("zone", `${ZONE}fs3 A 300.0.0.1\nfs4 AAA 1\n`);
    const { code, stdout, stderr } = await house.cli("zone", "import", "smb.example", "zone");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^zone:8:\d+: error: .*\[ZONEFILE_RDATA\]\nzone:9:\d+: error: .*\[ZONEFILE_TYPE\]$/m,
    );
  });

  test("tells each doubt about a file once, with its line", async () => {
    house.write("zone", `${ZONE}sub DS 1 8 2 ${"00".repeat(32)}\n`);
    const { code, stderr } = await house.cli("zone", "import", "smb.example", "zone");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^zone:\d+: warning: sub\.smb\.example\. DS: [^\n]*\[ZONE_DS_WITHOUT_NS\]\n$/);
  });

  test("refuses what exceeds a limit", async () => {
    house.write("zone", ZONE + Array.from({ length: 6 }, (_, i) => `many A 10.0.0.${i}\n`).join(""));
    const { code, stderr } = await house.cli("zone", "import", "smb.example", "zone");
    expect(code).toBe(1);
    expect(stderr).toContain("records_per_rrset");
    expect(house.store.zones()).toEqual([]);
  });

  test("keeps a zone that the configuration does not name, and says it is not served", async () => {
    const { code, stderr } = await house.cli("zone", "import", "other.example", "zone");
    expect(code).toBe(0);
    expect(stderr).toContain("not served");
    const { stdout } = await house.cli("zone", "list");
    expect(stdout).toMatch(/^other\.example\. +10 +6 +not served/m);
    const again = await house.cli("zone", "import", "other.example", "zone");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("ZONE_NOT_SERVED");
  });

  test("follows $INCLUDE beside the file, and not out of its folder", async () => {
    house.write("more", "fs3 A 192.0.2.3\n");
    house.write("zone", `${ZONE}$INCLUDE more\n`);
    expect(await house.json("zone", "import", "smb.example", "zone")).toMatchObject({ records: 7 });
    house.write("zone", `${ZONE}$INCLUDE /etc/passwd\n`);
    const { code, stderr } = await house.cli("zone", "import", "smb.example", "zone");
    expect(code).toBe(1);
    expect(stderr).toContain("[ZONEFILE_INCLUDE]");
  });
});

describe("zone show and export", () => {
  beforeEach(withHistory);

  test("an export read back is the same zone", async () => {
    const text = await exported();
    house.write("copy", text);
    expect(await house.json("zone", "import", "smb.example", "copy")).toMatchObject({ outcome: "unchanged" });
  });

  test("an export to a file appears whole or not at all", async () => {
    const { code } = await house.cli("zone", "export", "smb.example", "--out", "out.zone");
    expect(code).toBe(0);
    expect(readFileSync(join(house.folder, "out.zone"), "utf8")).toBe(await exported());
    const failed = await house.cli("zone", "export", "smb.example", "--out", "missing/out.zone");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("no such directory");
  });

  test("records are shown by name and type", async () => {
    expect((await house.cli("zone", "show", "smb.example", "--name", "fs1")).stdout).toMatch(
      /^fs1\.smb\.example\. +300 A +203\.0\.113\.1\n$/,
    );
    const result = await house.json("zone", "show", "smb.example", "--type", "aaaa");
    expect(result).toEqual({
      zone: "smb.example.",
      serial: 13,
      shown: 1,
      records: [{ name: "new.smb.example.", ttl: 300, type: "AAAA", data: "2001:db8::1" }],
    });
    const none = await house.cli("zone", "show", "smb.example", "--name", "fs9");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("no such records");
  });
});

describe("zone history", () => {
  beforeEach(withHistory);

  test("tells who changed what, when and why, newest first", async () => {
    const { code, stdout } = await house.cli("zone", "history", "smb.example");
    expect(code).toBe(0);
    const heads = stdout.split("\n").filter((line) => line !== "" && !line.startsWith(" "));
    expect(heads).toHaveLength(4);
    expect(heads[0]).toMatch(
      /^12 → 13 {2}2026-03-01 12:03:00 \(.*\) {2}key dhcp\.smb\.example\. from 192\.0\.2\.7 {2}update$/,
    );
    expect(heads[3]).toMatch(/^serial 10 .* operator .* create: zone$/);
    expect(stdout).toMatch(/^ {4}- fs1\.smb\.example\. +300 A +198\.51\.100\.1$/m);
    expect(stdout).toMatch(/^ {4}\+ new\.smb\.example\. +300 AAAA +2001:db8::1$/m);
  });

  test("is whole where the store gives short pages, as it does when changes are large", async () => {
    const history = house.store.history.bind(house.store);
    house.store.history = (apex, options) => history(apex, { ...options, limit: 1 });
    const { entries } = (await house.json("zone", "history", "smb.example")) as { entries: HistoryJson[] };
    expect(entries.map(({ serialAfter }) => serialAfter)).toEqual([13, 12, 11, 10]);
    const plan = await house.json("zone", "rollback", "smb.example", "--to", "10", "--dry-run");
    expect(plan).toMatchObject({ toSerial: 10, toAt: START });
  });

  test("of one name, since a time, and not more than asked for", async () => {
    const serials = async (...args: string[]): Promise<number[]> => {
      const { entries } = (await house.json("zone", "history", "smb.example", ...args)) as {
        entries: HistoryJson[];
      };
      return entries.map(({ serialAfter }) => serialAfter);
    };
    expect(await serials()).toEqual([13, 12, 11, 10]);
    expect(await serials("--owner", "fs1")).toEqual([13, 11]);
    expect(await serials("--owner", "fs2.smb.example")).toEqual([12]);
    expect(await serials("--since", "2026-03-01 12:02")).toEqual([13, 12]);
    expect(await serials("--limit", "1")).toEqual([13]);
    const { stderr } = await house.cli("zone", "history", "smb.example", "--limit", "1");
    expect(stderr).toContain("Older changes are there too");
  });
});

describe("zone rollback", () => {
  let before: string;

  beforeEach(async () => {
    await house.json("zone", "import", "smb.example", "zone");
    before = await exported();
    await house.update("smb.example", "fs1 A 192.0.2.1", "fs1 A 198.51.100.1");
    await house.update("smb.example", `fs2 A 192.0.2.2\nfs2 TXT "second file server"`, "");
    await house.update("smb.example", "fs1 A 198.51.100.1", "fs1 A 203.0.113.1\nnew AAAA 2001:db8::1");
  });

  test("brings the zone back to a serial as a new change, and the history says so", async () => {
    const { code, stdout } = await house.cli("zone", "rollback", "smb.example", "--to", "10", "--yes");
    expect(code).toBe(0);
    expect(stdout).toContain(
      "back to serial 10 of 2026-03-01 12:00:00: 2 removed, 3 added, undoing 3 changes",
    );
    expect(stdout).toContain("serial 13 to 14");
    expect(await exported()).toBe(before.replace("10         ; serial", "14         ; serial"));
    const { entries } = (await house.json("zone", "history", "smb.example", "--limit", "1")) as {
      entries: HistoryJson[];
    };
    expect(entries[0]).toMatchObject({
      cause: "rollback",
      note: "back to serial 10, undoing 3 changes (11 to 13)",
    });
  });

  test("goes back to the state at a time", async () => {
    const result = (await house.json(
      "zone",
      "rollback",
      "smb.example",
      "--to",
      "2026-03-01T12:01:30Z",
      "--dry-run",
    )) as RollbackResult;
    expect(result).toMatchObject({ toSerial: 11, undone: 2, dryRun: true, serialAfter: 14 });
    expect(house.store.zones()[0]!.serial).toBe(13);
  });

  test("of one name leaves the others", async () => {
    const args = ["zone", "rollback", "smb.example", "--to", "10", "--owner", "fs2", "--yes"];
    expect(await house.json(...args)).toMatchObject({ outcome: "changed", undone: 1 });
    const text = await exported();
    expect(text).toContain("second file server");
    expect(text).toContain("203.0.113.1");
    expect(text).toContain("2001:db8::1");
  });

  test("to where the zone is says so", async () => {
    const { code, stdout } = await house.cli("zone", "rollback", "smb.example", "--to", "13", "--yes");
    expect([code, stdout]).toEqual([0, expect.stringContaining("nothing to do")]);
  });

  test("asks, and does nothing where nobody answers", async () => {
    const asked = await house.cli("zone", "rollback", "smb.example", "--to", "10");
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain("--yes");
    expect((await house.cli("zone", "rollback", "smb.example", "--to", "10", "--json")).code).toBe(2);
    expect(house.store.zones()[0]!.serial).toBe(13);
  });

  test.each([
    ["9", "does not reach back to serial 9"],
    ["2026-03-01T11:00:00Z", "does not reach back to 2026-03-01T11:00:00.000Z"],
  ])("to %s, which the journal does not know, is refused", async (to, says) => {
    const { code, stderr } = await house.cli("zone", "rollback", "smb.example", "--to", to, "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(stderr).toContain("[HISTORY_UNREACHABLE]");
  });
});

test("an unknown zone is told with those there are", async () => {
  await house.json("zone", "import", "smb.example", "zone");
  for (const args of [
    ["zone", "show", "smb.exampel"],
    ["zone", "export", "smb.exampel"],
    ["zone", "history", "smb.exampel"],
    ["zone", "rollback", "smb.exampel", "--to", "1", "--yes"],
  ]) {
    const { code, stderr } = await house.cli(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(`Did you mean "smb.example."?`);
  }
});
