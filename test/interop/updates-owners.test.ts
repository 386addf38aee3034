/** First come, first served, as nsupdate and knsupdate meet it: rules with `own = true`, and the operator above them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OwnerJson } from "../../src/control/verbs.ts";
import { axfr, knsupdate, nsupdate } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import type { RollcallServer } from "../support/rollcall.ts";
import { inlineKey, MASTER, startUpdateServer } from "../support/update-server.ts";

const keys = ["host1.key.example", "host2.key.example"];
const [ONE, TWO] = keys.map((key) => inlineKey("hmac-sha256", key)) as [string, string];
const RULES = keys.map((key) => `[[zone.update]]\nkey = "${key}"\nown = true\n`).join("");

describeWith(["nsupdate", "knsupdate", "dig"], "names with owners", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer({ algorithms: ["hmac-sha256"], keys, rules: RULES });
  });
  afterAll(() => server.remove());

  const owners = async (): Promise<string[]> => {
    const { owners: all } = await server.json<{ owners: OwnerJson[] }>("zone", "owner", "smb.example");
    return all.map(({ name, owner }) => `${name} ${owner.kind} ${owner.name}`);
  };
  const by = async (key: string, ...lines: string[]): Promise<readonly string[]> =>
    (await nsupdate(server, ["zone smb.example", ...lines], "-y", key)).failures;

  test.each([
    ["nsupdate", nsupdate, "a"],
    ["knsupdate", knsupdate, "b"],
  ])("%s: the first has a name, the second is refused, until it is free", async (_, program, host) => {
    const add = (address: string): string[] => [
      "zone smb.example",
      `update add ${host}.smb.example. 60 A ${address}`,
    ];
    const clear = ["zone smb.example", `update delete ${host}.smb.example.`];
    expect(await program(server, add("192.0.2.1"), "-y", ONE)).toMatchObject({ code: 0, failures: [] });
    expect((await program(server, add("192.0.2.2"), "-y", TWO)).failures).toEqual(["REFUSED"]);
    expect((await program(server, clear, "-y", TWO)).failures).toEqual(["REFUSED"]);
    expect(await owners()).toContain(`${host}.smb.example. key host1.key.example.`);
    expect(await program(server, clear, "-y", ONE)).toMatchObject({ code: 0, failures: [] });
    expect(await program(server, add("192.0.2.2"), "-y", TWO)).toMatchObject({ code: 0, failures: [] });
    expect(await owners()).toContain(`${host}.smb.example. key host2.key.example.`);
  });

  test("the flow of DHCP servers with DHCID (RFC 4703 §5.3) goes on as it does without owners", async () => {
    const dhcid = "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=";
    const first = [
      "prereq nxdomain dhcp1.smb.example.",
      "update add dhcp1.smb.example. 60 A 192.0.2.9",
      `update add dhcp1.smb.example. 60 DHCID ${dhcid}`,
    ];
    expect(await by(ONE, ...first)).toEqual([]);
    expect(await by(ONE, ...first)).toEqual(["YXDOMAIN"]);
    const again = [
      `prereq yxrrset dhcp1.smb.example. DHCID ${dhcid}`,
      "update delete dhcp1.smb.example. A",
      "update add dhcp1.smb.example. 60 A 192.0.2.10",
    ];
    expect(await by(ONE, ...again)).toEqual([]);
    expect(await by(TWO, ...again)).toEqual([]); // changes nothing any more
    expect(await by(TWO, ...again.map((line) => line.replace(".10", ".11")))).toEqual(["REFUSED"]);
  });

  test("a rule without own, above them, changes what others own", async () => {
    await by(ONE, "update add c.smb.example. 60 A 192.0.2.1");
    expect(await by(MASTER, "update add c.smb.example. 60 A 192.0.2.3")).toEqual([]);
    expect(await by(TWO, "update add c.smb.example. 60 A 192.0.2.2")).toEqual(["REFUSED"]);
    expect(await axfr(server, "smb.example")).toContain("c.smb.example. 60 IN A 192.0.2.3");
  });

  test("the operator gives a name of the zone file away, and takes it back", async () => {
    expect(await by(TWO, "update add fs1.smb.example. 60 A 192.0.2.2")).toEqual(["REFUSED"]);
    const given = await server.cli("zone", "owner", "smb.example", "fs1", "--give", "key:host2.key.example");
    expect(given).toMatchObject({ code: 0, stderr: "" });
    expect(given.stdout).toMatch(/^fs1\.smb\.example\.\s+key host2\.key\.example\.\s+20/m);
    expect(await by(TWO, "update add fs1.smb.example. 60 A 192.0.2.2")).toEqual([]);
    expect(await by(ONE, "update add fs1.smb.example. 60 A 192.0.2.3")).toEqual(["REFUSED"]);
    expect(await server.cli("zone", "owner", "smb.example", "fs1", "--release")).toMatchObject({
      code: 0,
      stdout: "fs1.smb.example. has no owner.\n",
    });
    expect(await by(TWO, "update add fs1.smb.example. 60 A 192.0.2.4")).toEqual(["REFUSED"]);
  });
});
