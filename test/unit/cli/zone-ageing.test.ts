/** `zone stale`, `zone scavenge` and `zone owner` against a real store, and a rollback of what aged out. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OwnerJson, RollbackResult, StaleJson } from "../../../src/control/verbs.ts";
import { Name } from "../../../src/wire/name.ts";
import { AdminHouse } from "../../support/admin.ts";

const DAY = 86_400_000;
const apex = Name.parse("smb.example.");
let house: AdminHouse;

beforeEach(async () => {
  house = await AdminHouse.open(`
    [[zone]]
    name = "smb.example"
    [zone.ageing]
    no_refresh = "1d"
    refresh = "1d"
    [[zone.update]]
    net = "127.0.0.1"
    [[zone]]
    name = "still.example"
  `);
  const zone = "@ 300 IN SOA ns1 hostmaster 1 900 60 1209600 30\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.53\n";
  house.write("zone", zone);
  await house.json("zone", "import", "smb.example", "zone");
  await house.json("zone", "import", "still.example", "zone");
});

afterEach(() => house.close());

const register = (added: string): Promise<void> => house.update("smb.example", "", added, 1, [0, 3600]);

interface Stale {
  readonly until: number;
  readonly records: readonly StaleJson[];
}

describe("zone stale", () => {
  test("lists what goes with the next scavenging, with its time, and with --within what goes later", async () => {
    await register("node1 A 192.0.2.11\nnode1 AAAA 2001:db8::11");
    const registered = house.now;
    const next = (await house.json("zone", "stale", "smb.example")) as Stale;
    expect(next.records).toEqual([
      {
        name: "node1.smb.example.",
        ttl: 300,
        type: "AAAA",
        data: "2001:db8::11",
        refreshed: registered,
        lease: 3600,
        goes: registered + 3_600_000,
      },
    ]);
    house.now = Date.now(); // --within counts from the command's now
    const all = (await house.json("zone", "stale", "smb.example", "--within", "3d")) as Stale;
    expect(all.records.map(({ type }) => type)).toEqual(["A", "AAAA"]);
    const { stdout, stderr } = await house.cli("zone", "stale", "smb.example", "--within", "3d");
    expect(stdout).toMatch(/^goes\s+refreshed\s+lease\s+name\s+type\s+data$/m);
    expect(stdout).toMatch(/^now\s.*\s1h\s+node1\.smb\.example\.\s+AAAA\s+2001:db8::11$/m);
    expect(stderr).toMatch(/^2 records until .*, unless they are refreshed\.$/m);
  });

  test("says where nothing goes, and where nothing ever does", async () => {
    expect(await house.cli("zone", "stale", "smb.example")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^No record of smb\.example\. goes until /) as string,
    });
    const { code, stderr } = await house.cli("zone", "stale", "still.example");
    expect(code).toBe(1);
    expect(stderr).toContain("[ZONE_NOT_AGEING]");
    expect(stderr).toContain("[zone.ageing]");
  });
});

describe("zone scavenge", () => {
  test("removes what is stale, and the history says who asked for it", async () => {
    await register("node1 A 192.0.2.11");
    house.now += 2 * DAY;
    expect(await house.json("zone", "scavenge", "smb.example")).toEqual({ zone: "smb.example.", removed: 1 });
    const [entry] = house.store.history(apex, { limit: 1 });
    expect(entry!.origin).toMatchObject({ cause: "ageing", actor: { kind: "operator" } });
    expect((await house.cli("zone", "scavenge", "smb.example")).stdout).toBe(
      "smb.example. has lost 0 records.\n",
    );
  });

  test("says where nothing can be stale yet", async () => {
    await register("node1 A 192.0.2.11");
    const { stderr } = await house.cli("zone", "scavenge", "smb.example");
    expect(stderr).toMatch(/^Nothing is stale before 2026-03-02 12:0/);
  });
});

test("a rollback brings back what aged out, and it ages again; all else that it brings is static", async () => {
  await register("node1 A 192.0.2.11");
  await house.update("smb.example", "ns1 A 192.0.2.53", "");
  house.now += 2 * DAY;
  await house.json("zone", "scavenge", "smb.example");
  const back = (await house.json("zone", "rollback", "smb.example", "--to", "2", "--yes")) as RollbackResult;
  expect(back.diff.addedCount).toBe(2);
  house.now += 3 * DAY;
  expect(await house.json("zone", "scavenge", "smb.example")).toMatchObject({ removed: 1 });
  const left = (await house.cli("zone", "show", "smb.example", "--name", "ns1")).stdout;
  expect(left).toContain("192.0.2.53");
});

const owners = async (...args: string[]) =>
  ((await house.json("zone", "owner", "smb.example", ...args)) as { owners: OwnerJson[] }).owners;

describe("zone owner", () => {
  test("gives, lists and releases, and logs who did", async () => {
    expect(await owners()).toEqual([]);
    const given = [{ name: "ns1.smb.example.", owner: { kind: "key", name: "Ns1.Key." }, since: house.now }];
    expect(await owners("ns1", "--give", "key:Ns1.Key")).toEqual(given);
    expect(await owners()).toEqual(given);
    expect(await owners("ns1", "--give", "principal:NS1$@SMB.EXAMPLE")).toMatchObject([
      { owner: { kind: "principal", name: "NS1$@SMB.EXAMPLE" } },
    ]);
    expect(await owners("ns1", "--release")).toEqual([]);
    expect(house.log.map(({ fields, message }) => ({ message, ...fields }))).toMatchObject([
      {},
      {},
      { message: "name given away", name: "ns1.smb.example.", owner: "key Ns1.Key." },
      { message: "name given away", before: "key Ns1.Key.", owner: "principal NS1$@SMB.EXAMPLE" },
      { message: "name released", before: "principal NS1$@SMB.EXAMPLE" },
    ]);
  });

  test("knows a host by its address, however that is written", async () => {
    expect(await owners("ns1", "--give", "address:2001:DB8:0:0::1")).toMatchObject([
      { owner: { kind: "address", name: "2001:db8::1" } },
    ]);
    expect(await owners("ns1", "--give", "address:::ffff:192.0.2.1")).toMatchObject([
      { owner: { kind: "address", name: "192.0.2.1" } },
    ]);
  });

  test.each([
    ["what is no address", ["ns1", "--give", "address:fs1"], 1, "not a numeric address"],
    ["a principal without a realm", ["ns1", "--give", "principal:FS1$"], 1, "is no principal"],
    ["a pattern of principals", ["ns1", "--give", "principal:*$@SMB.EXAMPLE"], 1, "is no principal"],
    ["a name without records", ["nowhere", "--give", "key:k"], 1, "[ZONE_NO_RECORDS]"],
    ["nobody", ["ns1", "--give", "ns1"], 2, "names nobody"],
    ["a name that is none", ["ns1", "--give", "key:a..b"], 1, "not a domain name"],
    ["given and released at once", ["ns1", "--give", "key:k", "--release"], 2, "either given or released"],
    ["without a name", ["--release"], 2, "which name"],
    ["a name of another zone", ["ns1.other.example."], 2, "not in the zone"],
  ])("refuses %s", async (_, args, exit, says) => {
    const { code, stderr } = await house.cli("zone", "owner", "smb.example", ...args);
    expect(code).toBe(exit);
    expect(stderr).toContain(says);
  });
});
