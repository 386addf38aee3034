/** `rollcall explain update`: from the configuration alone, and with a server that knows the zone as it is now. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AdminHouse } from "../../support/admin.ts";

const KEY = `key "NAME" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"; };\n`;
const ZONE = `@ 300 IN SOA ns1 hostmaster 1 900 60 1209600 30
@ 300 IN NS ns1
@ 300 IN NS ns2
ns1 300 IN A 192.0.2.53
ns2 300 IN A 192.0.2.54
`;
const CONFIG = `keys = ["keys.conf"]
[[zone]]
name = "smb.example"
file = "smb.zone"
[[zone.update]]
names = ["old"]
allow = false
[[zone.update]]
key = "dhcp.smb.example"
net = "10.0.0.0/8"
[[zone.update]]
net = "192.0.2.0/24"
scope = "source"
types = ["A"]
[[zone.update]]
scope = "self"
`;

let house: AdminHouse;

beforeAll(async () => {
  house = await AdminHouse.open(CONFIG, {
    "smb.zone": ZONE,
    "keys.conf": KEY.replace("NAME", "dhcp.smb.example") + KEY.replace("NAME", "node1.smb.example"),
  });
});
afterAll(() => house.close());

interface Explained {
  readonly allowed: boolean;
  readonly rule?: number;
  readonly reason: string;
  readonly value?: string;
  readonly rules: readonly { readonly rule: number; readonly result: string; readonly why?: string }[];
  readonly nameServers: { readonly from: string; readonly names: readonly string[] };
}

/** Arguments after zone, name and type; exit code and what came out. */
async function explain(
  name: string,
  type: string,
  ...rest: string[]
): Promise<{ code: number | null } & Explained> {
  const args = ["explain", "update", "--zone", "smb.example", "--name", name, "--type", type, ...rest];
  const { code, stdout } = await house.cli(...args, "--json");
  return { code, ...(JSON.parse(stdout) as Explained) };
}

describe("without a server", () => {
  test.each<[string, string, string[], number | string]>([
    ["node1", "A", ["--key", "dhcp.smb.example", "--from", "10.1.2.3"], 2],
    ["node1", "A", ["--from", "192.0.2.10", "--tcp"], 3],
    ["node1", "A", ["--from", "192.0.2.10", "--tcp", "--value", "192.0.2.10", "--delete"], 3],
    ["node1", "TXT", ["--key", "node1.smb.example", "--value", `"two words" more`], 4],
    [
      "node1",
      "A",
      ["--key", "dhcp.smb.example"],
      "rule 4 lets key dhcp.smb.example change dhcp.smb.example only",
    ],
    ["node1", "A", ["--from", "192.0.2.10"], "rule 3 takes updates over TCP only"],
    [
      "node1",
      "A",
      ["--from", "192.0.2.10", "--tcp", "--value", "192.0.2.11"],
      "rule 3 lets 192.0.2.10 set its own address only, not 192.0.2.11",
    ],
    [
      "node1",
      "A",
      ["--from", "192.0.2.10", "--tcp", "--value", "192.0.2.11", "--delete"],
      "rule 3 lets 192.0.2.10 take away its own address only, not 192.0.2.11",
    ],
    ["old", "A", ["--key", "dhcp.smb.example", "--from", "10.1.2.3"], "rule 1 denies A at old.smb.example"],
    [
      "ns2",
      "A",
      ["--key", "dhcp.smb.example", "--from", "10.1.2.3"],
      "rule 2 does not list ns2.smb.example among its names, as the name of a name server must be",
    ],
    [
      "node1",
      "A",
      ["--principal", "NODE1$@SMB.EXAMPLE"],
      "no update rule matches principal NODE1$@SMB.EXAMPLE",
    ],
  ])("%s %s %j: %s", async (name, type, rest, expected) => {
    const { code, allowed, rule, reason, nameServers } = await explain(name, type, ...rest);
    expect(allowed ? rule : reason).toBe(expected);
    expect(code).toBe(allowed ? 0 : 1);
    expect(nameServers.from).toBe("file");
  });

  test("each rule is listed, those behind the one that decides as not reached", async () => {
    const { rules, value } = await explain("node1", "A", "--from", "192.0.2.10", "--tcp");
    expect(value).toBe("192.0.2.10");
    expect(rules.map(({ result, why }) => `${result}: ${why}`)).toEqual([
      "no match: does not cover node1.smb.example",
      "no match: is for key dhcp.smb.example",
      "decides: allows it",
      "not reached: undefined",
    ]);
  });

  test("for people it is a sentence and a table", async () => {
    const what = ["--zone", "smb.example", "--name", "@", "--type", "MX", "--value", "10 files"];
    const { code, stdout } = await house.cli("explain", "update", ...what, "--key", "node1.smb.example");
    expect(code).toBe(1);
    expect(stdout).toContain("REFUSED: rule 4 lets key node1.smb.example change node1.smb.example only\n");
    expect(stdout).toContain("key node1.smb.example. over UDP adds smb.example. MX 10 files.smb.example.\n");
    expect(stdout).toMatch(
      /^ {3}3 {2}allow, net 192.0.2.0\/24, scope source, TCP only, types A {2}no match: is for /m,
    );
  });

  test.each([
    ["nobody is said to send it", [], "USAGE", 2],
    ["the address is none", ["--from", "node1"], "is not a numeric address", 2],
    ["two credentials", ["--key", "dhcp.smb.example", "--principal", "a@B"], "cannot be used with", 2],
    ["two transports", ["--from", "192.0.2.1", "--tcp", "--udp"], "cannot be used with", 2],
    ["data of another type", ["--from", "192.0.2.1", "--value", "node2"], "an IPv4 address was expected", 2],
    ["a key that no file holds", ["--key", "dhcp.smb.exampel"], "CONFIG_KEY_UNKNOWN", 1],
    ["a zone that is not there", ["--from", "192.0.2.1", "--zone", "other.example"], "ZONE_UNKNOWN", 1],
    [
      "a name of another zone",
      ["--from", "192.0.2.1", "--name", "a.other.example."],
      "is not in the zone",
      2,
    ],
  ])("%s", async (_, rest, says, exit) => {
    const what = ["--zone", "smb.example", "--name", "node1", "--type", "A"];
    const { code, stdout, stderr } = await house.cli("explain", "update", ...what, ...rest);
    expect([code, stdout]).toEqual([exit, ""]);
    expect(stderr).toContain(says);
  });

  test("a configuration with mistakes is told as such", async () => {
    house.write("bad.toml", `listen = ["127.0.0.1"]\n`);
    const args = ["--zone", "smb.example", "--name", "a", "--type", "A", "--from", "192.0.2.1"];
    const { code, stderr } = await house.cli("explain", "update", ...args, "--config", "bad.toml");
    expect(code).toBe(1);
    expect(stderr).toContain(`"data" is missing`);
  });
});

test("a running server tells the name servers of today", async () => {
  house.write("now.zone", ZONE.replace("@ 300 IN NS ns2", "@ 300 IN NS ns9").replace("ns2 300", "ns9 300"));
  await house.json("zone", "import", "smb.example", "now.zone");
  const dhcp = ["--key", "dhcp.smb.example", "--from", "10.1.2.3"];
  expect(await explain("ns9", "A", ...dhcp)).toMatchObject({ code: 1, nameServers: { from: "server" } });
  expect(await explain("ns2", "A", ...dhcp)).toMatchObject({ code: 0, rule: 2 });
});

test("a rule by the sender's address asks whether the name is the operator's, which only a server knows", async () => {
  house.write("fs.zone", `${ZONE}fs1 60 IN A 192.0.2.1\n`);
  await house.json("zone", "import", "smb.example", "fs.zone");
  const host = ["--from", "192.0.2.10", "--tcp"];
  const reason = expect.stringContaining("rule 3 does not list fs1.smb.example among its names") as string;
  expect(await explain("fs1", "A", ...host)).toMatchObject({ code: 1, reason });
  expect(await explain("laptop", "A", ...host)).toMatchObject({ code: 0, rule: 3 });
  const what = ["--zone", "smb.example", "--name", "fs1", "--type", "A", ...host];
  const apart = await house.cli("explain", "update", ...what, "--socket", "nowhere.sock");
  expect([apart.code, apart.stdout]).toEqual([0, expect.stringContaining("not known here")]);
});

describe("a rule with own = true", () => {
  test("asks whose name it is, which only a server knows", async () => {
    const claim = ["--key", "node1.smb.example", "--config", "own.toml"];
    const config = readFileSync(join(house.folder, "rollcall.toml"), "utf8");
    house.write("own.toml", config.replace(`scope = "self"`, `key = "node1.smb.example"\nown = true`));
    expect(await explain("mine", "A", ...claim)).toMatchObject({ code: 0, allowed: true, owner: "nobody" });
    const apart = await explain("mine", "A", ...claim, "--socket", "nowhere.sock");
    expect(apart).toMatchObject({ code: 0, allowed: true, owner: "not known" });

    house.write(
      "owned.zone",
      `${ZONE}mine 60 IN A 192.0.2.1\ntheirs 60 IN A 192.0.2.2\nprinter 60 IN A 192.0.2.3\n`,
    );
    await house.json("zone", "import", "smb.example", "owned.zone");
    await house.json("zone", "owner", "smb.example", "mine", "--give", "key:NODE1.smb.example");
    await house.json("zone", "owner", "smb.example", "theirs", "--give", "principal:NODE2$@SMB.EXAMPLE");
    expect(await explain("mine", "A", ...claim)).toMatchObject({ code: 0, allowed: true, rule: 4 });
    expect(await explain("theirs", "A", ...claim)).toMatchObject({
      code: 1,
      allowed: false,
      reason: "theirs.smb.example belongs to principal NODE2$@SMB.EXAMPLE",
      owner: { kind: "principal", name: "NODE2$@SMB.EXAMPLE" },
    });
    expect(await explain("printer", "A", ...claim)).toMatchObject({
      code: 1,
      allowed: false,
      rule: 4,
      reason: "printer.smb.example belongs to the operator: it has records that no client registered",
      owner: "the operator",
    });
    const what = ["--zone", "smb.example", "--name", "mine", "--type", "A"];
    const people = await house.cli("explain", "update", ...what, ...claim);
    expect(people.stdout).toContain("Rule 4 asks whose name it is: key NODE1.smb.example.");
    expect(people.stdout).toMatch(/allow, key node1\.smb\.example, own +decides: allows it/);
  });
});
