/** Leases that Kea's DHCP-DDNS server puts into the zones, and the care it takes of the names of others (RFC 4703). */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HistoryJson } from "../../src/control/verbs.ts";
import { dig } from "../support/clients.ts";
import { dhcidOf, KeaDdns } from "../support/kea.ts";
import type { Lease } from "../support/kea.ts";
import { describeWith } from "../support/peers.ts";
import type { RollcallServer } from "../support/rollcall.ts";
import { secretOf, startUpdateServer } from "../support/update-server.ts";

const KEY = "kea.smb.example";
const KEY_TEXT = { name: KEY, algorithm: "hmac-sha256", secret: secretOf(KEY) };
const REVERSE = "2.0.192.in-addr.arpa";
/** As docs/guides/dhcp.md has it. */
const rule = (...types: string[]): string =>
  `[[zone.update]]\nkey = "${KEY}"\nnames = ["*"]\ntypes = ${JSON.stringify(types)}\n`;

/** Client identifiers: hardware type 1 and a MAC address. */
const LAPTOP = Buffer.from("01020000000001", "hex");
const PRINTER = Buffer.from("01020000000002", "hex");

const lease = (name: string, last: number, client: Uint8Array): Lease => ({
  fqdn: `${name}.smb.example.`,
  address: `192.0.2.${last}`,
  dhcid: dhcidOf(client, `${name}.smb.example.`),
});

/** What stands at a name, and at the reverse name of an address. */
interface Found {
  readonly addresses: readonly string[];
  readonly owner: readonly string[];
  readonly pointers: readonly string[];
  readonly pointersOwner: readonly string[];
}
const NOTHING = { addresses: [], owner: [], pointers: [], pointersOwner: [] };
const given = ({ fqdn, address, dhcid }: Lease): Found => ({
  addresses: [address],
  owner: [dhcid.base64],
  pointers: [fqdn],
  pointersOwner: [dhcid.base64],
});

test("the DHCID of RFC 4701 §3.6.2", () => {
  // The client identifier 01:07:08:09:0a:0b:0c of chi.example.com
  const { base64 } = dhcidOf(Buffer.from("010708090a0b0c", "hex"), "chi.example.com.");
  expect(base64).toBe("AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No=");
});

describeWith(["kea-dhcp-ddns", "dig"], "Kea", () => {
  let server: RollcallServer;
  let kea: KeaDdns;
  beforeAll(async () => {
    server = await startUpdateServer({
      algorithms: [],
      keys: [KEY],
      rules: rule("A", "AAAA", "DHCID"),
      reverse: rule("PTR", "DHCID"),
    });
    kea = await KeaDdns.start(server.port, KEY_TEXT, [
      { name: "smb.example.", direction: "forward" },
      { name: `${REVERSE}.`, direction: "reverse" },
    ]);
  });
  afterAll(async () => {
    await kea?.remove();
    await server?.remove();
  });

  const data = async (...question: string[]): Promise<string[]> =>
    (await dig(server, ...question)).answer.map((line) => line.split(" ").slice(4).join(" "));
  const found = async ({ fqdn, address }: Lease): Promise<Found> => ({
    addresses: await data(fqdn, "A"),
    owner: await data(fqdn, "DHCID"),
    pointers: await data("-x", address),
    pointersOwner: await data("-x", address, "DHCID"),
  });

  describe("a lease", () => {
    const first = lease("laptop", 21, LAPTOP);
    const second = lease("laptop", 22, LAPTOP);

    test("is registered with its owner, both ways", async () => {
      expect(await kea.request("add", first)).toEqual({
        succeeded: true,
        exchanges: ["Forward Add: NOERROR", "Reverse Replace: NOERROR"],
      });
      expect(await found(first)).toEqual(given(first));
    });

    test("that its client renews changes nothing", async () => {
      const before = await server.records("smb.example");
      expect(await kea.request("add", first)).toEqual({
        succeeded: true,
        exchanges: ["Forward Add: YXDOMAIN", "Forward Replace: NOERROR", "Reverse Replace: NOERROR"],
      });
      expect(await server.records("smb.example")).toEqual(before);
    });

    test("with another address takes the place of its client's old one", async () => {
      expect((await kea.request("add", second)).succeeded).toBe(true);
      expect(await found(second)).toEqual(given(second));
    });

    test("of another client does not get its name", async () => {
      const before = await server.records("smb.example");
      const stranger = lease("laptop", 23, PRINTER);
      expect(await kea.request("add", stranger)).toEqual({
        succeeded: false,
        exchanges: ["Forward Add: YXDOMAIN", "Forward Replace: NXRRSET"],
      });
      expect(await server.records("smb.example")).toEqual(before);
      expect((await found(stranger)).pointers).toEqual([]);
      await server.logged(
        ({ reason }) =>
          reason === "prerequisite not met: laptop.smb.example. DHCID has exactly the records given",
      );
    });

    test("that another client gives back takes nothing away", async () => {
      expect(await kea.request("remove", lease("laptop", 22, PRINTER))).toEqual({
        succeeded: false,
        exchanges: ["Forward A/AAAA Remove: NXRRSET", "Forward RR Remove: YXRRSET"],
      });
      expect(await found(second)).toEqual(given(second));
    });

    test("that ends takes its records along, and history tells all of it", async () => {
      expect(await kea.request("remove", second)).toEqual({
        succeeded: true,
        exchanges: [
          "Forward A/AAAA Remove: NOERROR",
          "Forward RR Remove: NOERROR",
          "Reverse Remove: NOERROR",
        ],
      });
      expect(await found(second)).toEqual(NOTHING);
      const { entries } = await server.json<{ entries: HistoryJson[] }>(
        "zone",
        "history",
        "smb.example",
        "--owner",
        "laptop",
      );
      const changes = entries.toReversed().map(({ actor, diff: { removed, added } }) => ({
        by: actor.name,
        removed: removed.map(({ type }) => type),
        added: added.map(({ type }) => type),
      }));
      expect(changes).toEqual([
        { by: `${KEY}.`, removed: [], added: ["A", "DHCID"] },
        { by: `${KEY}.`, removed: ["A"], added: ["A"] },
        { by: `${KEY}.`, removed: ["A"], added: [] },
        { by: `${KEY}.`, removed: ["DHCID"], added: [] },
      ]);
    });
  });

  test("a name that was set by hand is nobody's lease", async () => {
    const before = await server.records("smb.example");
    const { succeeded, exchanges } = await kea.request("add", lease("fs1", 24, LAPTOP));
    expect({ succeeded, exchanges }).toEqual({
      succeeded: false,
      exchanges: ["Forward Add: YXDOMAIN", "Forward Replace: NXRRSET"],
    });
    expect(await server.records("smb.example")).toEqual(before);
  });

  test("a client that calls itself wpad is refused, and the log says why", async () => {
    const wpad = lease("wpad", 25, LAPTOP);
    expect(await kea.request("add", wpad)).toEqual({ succeeded: false, exchanges: ["Forward Add: REFUSED"] });
    expect(await found(wpad)).toEqual(NOTHING);
    await server.logged(({ reason }) => /rule 1 does not list wpad\.smb\.example/.test(String(reason)));
  });

  test("without conflict resolution the newest client has the name", async () => {
    await kea.request("add", lease("shared", 26, LAPTOP), false);
    const newest = lease("shared", 27, PRINTER);
    expect((await kea.request("add", newest, false)).succeeded).toBe(true);
    expect(await found(newest)).toEqual(given(newest));
  });
});

describeWith(["kea-dhcp-ddns"], "Kea and ptr = true", () => {
  let server: RollcallServer;
  let kea: KeaDdns;
  beforeAll(async () => {
    server = await startUpdateServer({
      algorithms: [],
      keys: [KEY],
      rules: `ptr = true\n${rule("A", "AAAA", "DHCID")}`,
    });
    kea = await KeaDdns.start(server.port, KEY_TEXT, [{ name: "smb.example.", direction: "forward" }]);
  });
  afterAll(async () => {
    await kea?.remove();
    await server?.remove();
  });

  test("reverse records come and go with a lease, without Kea's doing", async () => {
    const before = (await server.records(REVERSE)).filter((line) => !line.includes(" SOA "));
    const first = lease("laptop", 31, LAPTOP);
    expect(await kea.request("add", first)).toEqual({ succeeded: true, exchanges: ["Forward Add: NOERROR"] });
    expect(await server.records(REVERSE)).toContain(`31.${REVERSE}. 3600 PTR laptop.smb.example.`);
    expect((await kea.request("remove", first)).succeeded).toBe(true);
    expect((await server.records(REVERSE)).filter((line) => !line.includes(" SOA "))).toEqual(before);
  });
});
