/**
 * An Active Directory domain whose DNS is Rollcall: its controller and a member, Samba's, register themselves by secure
 * updates with the credentials of their accounts.
 */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWith } from "../support/peers.ts";
import { eventually } from "../support/process.ts";
import { RollcallServer } from "../support/rollcall.ts";
import { AD_PROGRAMS, CONTROLLER, HOST, NAME_SERVER, SambaDomain } from "../support/samba-ad.ts";

const ZONE = `$TTL 300
@ SOA ns1 hostmaster 1 900 60 1209600 30
@ NS ns1
ns1 A ${NAME_SERVER}
dc1 A ${CONTROLLER}
_ldap._tcp SRV 0 100 389 dc1
_ldap._tcp.dc._msdcs SRV 0 100 389 dc1
_kerberos._tcp SRV 0 100 88 dc1
_kerberos._udp SRV 0 100 88 dc1
_kerberos._tcp.dc._msdcs SRV 0 100 88 dc1
`;

const CONFIG = `[gss]
keytab = "dns.keytab"

[[zone]]
name = "smb.example"
file = "smb.example.zone"

[[zone.update]]
principal = "DC1$@SMB.EXAMPLE"
names = ["@", "*", "_msdcs", "*._msdcs"]

[[zone.update]]
principal = "*$@SMB.EXAMPLE"
scope = "self"
types = ["A", "AAAA"]
`;

describeWith([...AD_PROGRAMS], "Samba's Active Directory", () => {
  const obstacle = SambaDomain.obstacle();
  describe.skipIf(obstacle !== undefined)(
    `with Rollcall as its DNS${obstacle === undefined ? "" : ` [${obstacle}]`}`,
    () => {
      let domain: SambaDomain;
      let server: RollcallServer;
      let member: string;
      beforeAll(async () => {
        domain = await SambaDomain.provision();
        server = RollcallServer.prepare({
          config: CONFIG,
          files: { "smb.example.zone": ZONE },
          listen: [`${NAME_SERVER}:53`],
          prefix: domain.network.prefix,
        });
        const keytab = join(server.directory, "dns.keytab");
        await domain.service("rollcall", "DNS/ns1.smb.example", keytab);
        chmodSync(keytab, 0o600);
        await server.up();
        await domain.up();
        member = await domain.join("NODE1");
      }, 120_000);
      afterAll(async () => {
        await server?.remove();
        await domain?.remove();
      });

      test("net ads dns register: a member registers its own name, and takes it away", async () => {
        const registered = await domain.netDns(member, "register", "node1.smb.example", HOST);
        expect(registered.stdout + registered.stderr).toContain("Successfully registered");
        expect(await server.records("smb.example")).toContain(`node1.smb.example. 3600 A ${HOST}`);
        const line = await server.logged((entry) => entry["msg"] === "update");
        expect(line).toMatchObject({ principal: "NODE1$@SMB.EXAMPLE", names: ["node1.smb.example."] });
        const gone = await domain.netDns(member, "unregister", "node1.smb.example");
        expect(gone.stdout + gone.stderr).toContain("Successfully un-registered");
        expect((await server.records("smb.example")).filter((text) => text.startsWith("node1."))).toEqual([]);
      });

      test("and is refused another's", async () => {
        const { code } = await domain.netDns(member, "register", "other.smb.example", HOST);
        expect(code).not.toBe(0);
        const refused = await server.logged((entry) =>
          String(entry["reason"]).startsWith("other.smb.example."),
        );
        expect(refused).toMatchObject({ rcode: "REFUSED", principal: "NODE1$@SMB.EXAMPLE" });
      });

      test("samba_dnsupdate: the controller registers all that makes the domain", async () => {
        const before = await server.status();
        const { code, stdout } = await domain.dnsUpdate();
        const { counters } = await server.status();
        // Lines are written a little later than they are counted.
        const refusals = await eventually(
          "a line for each refusal",
          async () => server.log.filter(({ msg }) => String(msg).endsWith(" refused")),
          (lines) => lines.length >= counters["refusals"]!,
        );
        const reasons = refusals.slice(before.counters["refusals"]).map(({ reason }) => reason);
        // What nsupdate said of a name stands in the midst of all that was printed.
        const said = code === 0 && !/fail/i.test(stdout) ? "nothing of failures" : stdout;
        expect({ code, said, reasons }).toEqual({ code: 0, said: "nothing of failures", reasons: [] });
        // A key is negotiated for each name.
        expect(counters["gssAccepted"]! - before.counters["gssAccepted"]!).toBeGreaterThan(20);
        const records = await server.records("smb.example");
        const registered = ["_ldap._tcp.pdc._msdcs", "_ldap._tcp.dc._msdcs", "_gc._tcp", "_kpasswd._udp"];
        const found = registered.map((owner) =>
          records.find((text) => text.startsWith(`${owner}.smb.example. `)),
        );
        expect(found).toEqual(
          [389, 389, 3268, 464].map((port) =>
            expect.stringMatching(new RegExp(` 900 SRV 0 100 ${port} dc1\\.smb\\.example\\.$`)),
          ),
        );
        expect(records).toContain(`smb.example. 900 A ${CONTROLLER}`);
        expect(records.filter((text) => /^[0-9a-f-]{36}\._msdcs\./.test(text))).toHaveLength(1);
      });
    },
  );
});
