/**
 * What Windows hosts and DHCP servers send, octet by octet: the probe and the registration that Samba's tests record of
 * Windows (`test_update_tsig_windows`), Windows 2000's older form, a TKEY query, and the sequences of RFC 4703 that Kea
 * and dhcpd go through.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axfr, dig, nsupdate, serialOf } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import type { RollcallServer } from "../support/rollcall.ts";
import { askTcp, askUdp, TcpClient } from "../support/sockets.ts";
import { MASTER, startUpdateServer } from "../support/update-server.ts";

/** Hexadecimal with blanks and `;` comments to octets. */
function octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/;.*$/gm, "").replaceAll(/\s+/g, ""), "hex"));
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : Buffer.from(bytes).toString("hex");
}

/** node1 in smb.example: zone section, then both names by pointer (c01d is node1, c00c the zone). */
const ZONE = `
  03 736d62 07 6578616d706c65 00  0006 0001 ; smb.example SOA IN
`;
const NO_CNAME = `
  05 6e6f646531 c00c  0005 00fe 00000000 0000 ; node1 CNAME NONE
`;

/** Prerequisites only: is the address registered already? */
const PROBE = octets(`
  a001 2800 0001 0002 0000 0000
  ${ZONE}
  ${NO_CNAME}
  c01d  0001 0001 00000000 0004 c0000201      ; node1 A IN 192.0.2.1, TTL 0
`);

const REGISTER = octets(`
  a002 2800 0001 0001 0003 0000
  ${ZONE}
  ${NO_CNAME}
  c01d  0001 00ff 00000000 0000               ; node1 A ANY: delete the RRset
  c01d  001c 00ff 00000000 0000               ; node1 AAAA ANY
  c01d  0001 0001 000004b0 0004 c0000201      ; node1 A IN 1200 192.0.2.1
`);

/** Windows 2000 (KB186346): no prerequisite. */
const REGISTER_2000 = octets(`
  a003 2800 0001 0000 0002 0000
  ${ZONE}
  05 6e6f646532 c00c  0001 00ff 00000000 0000 ; node2 A ANY
  c01d  0001 0001 000004b0 0004 c0000202      ; node2 A IN 1200 192.0.2.2
`);

/** Two addresses of a multihomed host, one of them IPv6. */
const REGISTER_TWO = octets(`
  a004 2800 0001 0001 0005 0000
  ${ZONE}
  ${NO_CNAME}
  c01d  0001 00ff 00000000 0000
  c01d  001c 00ff 00000000 0000
  c01d  0001 0001 000004b0 0004 c0000201
  c01d  0001 0001 000004b0 0004 c0000203
  c01d  001c 0001 000004b0 0010 20010db8000000000000000000000001
`);

/** The address's own name, added bare, as NetApp's filers send it. */
const POINTER = octets(`
  a005 2800 0001 0000 0001 0000
  01 32 01 30 03 313932 07 696e2d61646472 04 61727061 00  0006 0001 ; 2.0.192.in-addr.arpa SOA IN
  01 39 c00c  000c 0001 000004b0 0013                             ; 9 PTR IN 1200
  05 6e6f646531 03 736d62 07 6578616d706c65 00                    ; node1.smb.example
`);

/** The address's own name as a host sends it of itself, of REGISTER's address. */
const OWN_POINTER = octets(`
  a006 2800 0001 0000 0002 0000
  01 32 01 30 03 313932 07 696e2d61646472 04 61727061 00  0006 0001 ; 2.0.192.in-addr.arpa SOA IN
  01 31 c00c  000c 00ff 00000000 0000                             ; 1 PTR ANY: delete the RRset
  c026  000c 0001 000004b0 0013                                   ; 1 PTR IN 1200
  05 6e6f646531 03 736d62 07 6578616d706c65 00                    ; node1.smb.example
`);

/** The reply to an update of smb.example (RFC 2136 §3.8): the ID, QR, the opcode, an RCODE, the zone section, no more. */
function reply(id: string, rcode: number): string {
  return hex(octets(`${id} a80${rcode} 0001 0000 0000 0000 ${ZONE}`));
}

const NOERROR = 0;
const REFUSED = 5;
const YXRRSET = 7;
const NXRRSET = 8;

describeWith(["dig", "nsupdate"], "Windows hosts and DHCP servers", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer({
      algorithms: ["hmac-sha256"],
      // Workgroup clusters have no credentials: they are let in by where they are.
      rules: `[[zone.update]]\nnet = "127.0.0.0/8"\nnames = ["node1", "node2"]\ntypes = ["A", "AAAA"]\n`,
    });
  });
  afterAll(() => server.remove());

  const recordsOf = async (name: string): Promise<string[]> =>
    (await axfr(server, "smb.example")).filter((line) => line.startsWith(`${name}.`));

  const send = async (...commands: string[]): Promise<readonly string[]> =>
    (await nsupdate(server, ["zone smb.example", ...commands], "-y", MASTER)).failures;

  describe("a host registers", () => {
    test("the probe of a host that is not registered is NXRRSET: it goes on to register", async () => {
      expect(hex(await askUdp(server, PROBE))).toBe(reply("a001", NXRRSET));
    });

    test("the registration is taken, and again changes nothing", async () => {
      expect(hex(await askUdp(server, REGISTER))).toBe(reply("a002", NOERROR));
      expect(await recordsOf("node1.smb.example")).toEqual(["node1.smb.example. 1200 IN A 192.0.2.1"]);
      const serial = await serialOf(server, "smb.example");
      expect(hex(await askUdp(server, REGISTER))).toBe(reply("a002", NOERROR));
      expect(hex(await askTcp(server, REGISTER))).toBe(reply("a002", NOERROR));
      expect(await serialOf(server, "smb.example")).toBe(serial);
    });

    test("the probe of one that is registered is NOERROR: it stops there", async () => {
      expect(hex(await askUdp(server, PROBE))).toBe(reply("a001", NOERROR));
    });

    test("Windows 2000's form", async () => {
      expect(hex(await askUdp(server, REGISTER_2000))).toBe(reply("a003", NOERROR));
      expect(await recordsOf("node2.smb.example")).toEqual(["node2.smb.example. 1200 IN A 192.0.2.2"]);
    });

    test("all addresses of a multihomed host; then the probe for one of them is NXRRSET", async () => {
      expect(hex(await askUdp(server, REGISTER_TWO))).toBe(reply("a004", NOERROR));
      expect(await recordsOf("node1.smb.example")).toEqual([
        "node1.smb.example. 1200 IN A 192.0.2.1",
        "node1.smb.example. 1200 IN A 192.0.2.3",
        "node1.smb.example. 1200 IN AAAA 2001:db8::1",
      ]);
      expect(hex(await askUdp(server, PROBE))).toBe(reply("a001", NXRRSET));
    });

    test("where the name is an alias the prerequisite holds it off: YXRRSET", async () => {
      await nsupdate(
        server,
        ["update delete node1.smb.example", "update add node1.smb.example 60 CNAME fs1.smb.example."],
        "-y",
        MASTER,
      );
      expect(hex(await askUdp(server, REGISTER))).toBe(reply("a002", YXRRSET));
      expect(await recordsOf("node1.smb.example")).toEqual([
        "node1.smb.example. 60 IN CNAME fs1.smb.example.",
      ]);
      await nsupdate(server, ["update delete node1.smb.example"], "-y", MASTER);
    });

    test("an unsigned update that no rule lets in is REFUSED, the sign to try with a signature", async () => {
      const stranger = octets(Buffer.from(REGISTER).toString("hex").replace("056e6f646531", "056e6f646539")); // node9
      expect(hex(await askUdp(server, stranger))).toBe(reply("a002", REFUSED));
      expect(hex(await askUdp(server, POINTER)).slice(0, 8)).toBe(`a005a80${REFUSED}`);
      expect(await recordsOf("node9.smb.example")).toEqual([]);
    });

    test("the address's name goes the same way where the reverse zone allows it", async () => {
      const asked = await dig(server, "9.2.0.192.in-addr.arpa", "SOA");
      expect(asked.authority[0]).toContain("2.0.192.in-addr.arpa.");
      for (const commands of [
        ["update add 9.2.0.192.in-addr.arpa 1200 PTR node1.smb.example."],
        // ISC dhcpd: whatever was there goes first
        [
          "update delete 9.2.0.192.in-addr.arpa PTR",
          "update add 9.2.0.192.in-addr.arpa 1200 PTR node2.smb.example.",
        ],
      ]) {
        expect(await nsupdate(server, commands, "-y", MASTER)).toMatchObject({ code: 0, failures: [] });
      }
      expect((await dig(server, "-x", "192.0.2.9")).answer).toEqual([
        "9.2.0.192.in-addr.arpa. 1200 IN PTR node2.smb.example.",
      ]);
    });
  });

  describe("TKEY, as a domain member asks for a GSS-TSIG context", () => {
    /** The key name Windows makes up, and a token as long as one with a PAC. */
    const name = "1260-ms-7.1-d299.0595eadf-9091-11e2-368c-00216a5974e4";
    const owner = hex(
      Buffer.concat([
        ...name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
        Buffer.alloc(1),
      ]),
    );
    const token = "60".padEnd(6000, "82");
    const rdata =
      `08 6773732d74736967 00` + // gss-tsig
      `69a00000 69a00000 0003 0000 ${(token.length / 2).toString(16).padStart(4, "0")} ${token} 0000`;
    const rdlength = octets(rdata).length.toString(16).padStart(4, "0");
    const query = (section: "answer" | "additional"): Uint8Array =>
      octets(`
        b001 0000 0001 ${section === "answer" ? "0001 0000 0000" : "0000 0000 0001"}
        ${owner} 00f9 00ff
        c00c 00f9 00ff 00000000 ${rdlength} ${rdata}
      `);

    test.each(["additional", "answer"] as const)(
      "with the record in %s it is REFUSED, and the connection goes on",
      async (section) => {
        const client = await TcpClient.open(server);
        client.send(query(section), PROBE);
        // What is ready first may be answered first (RFC 7766 §6.2.1.1).
        const replies = [hex(await client.receive()), hex(await client.receive())];
        client.close();
        const refused = replies.find((one) => one.startsWith("b001"))!;
        expect(refused.slice(0, 24)).toBe("b00180050001000000000000");
        expect(replies.some((one) => one.startsWith("a001a8"))).toBe(true);
      },
    );

    test("in several segments too", async () => {
      const client = await TcpClient.open(server);
      const message = query("additional");
      const framed = Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);
      for (let at = 0; at < framed.length; at += 1000) {
        await new Promise((resolve) => client.socket.write(framed.subarray(at, at + 1000), resolve));
      }
      expect(hex(await client.receive()).slice(0, 8)).toBe("b0018005");
      client.close();
    });
  });

  test("a transfer request with two octets too many, as Windows servers may send, is served", async () => {
    const request = octets(`c001 0000 0001 0000 0000 0000 03 736d62 07 6578616d706c65 00 00fc 0001 0000`);
    const answer = hex(await askTcp(server, request));
    expect(answer.slice(0, 8)).toBe("c0018400");
  });

  describe("Kea and dhcpd: RFC 4703 §5", () => {
    // DHCIDs of two clients (RFC 4701 §3.6 has such as examples).
    const mine = "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=";
    const other = "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No=";
    const host = "lease.smb.example";
    const addNew = (dhcid: string, address: string): string[] => [
      `prereq nxdomain ${host}`,
      `update add ${host} 1200 A ${address}`,
      `update add ${host} 1200 DHCID ${dhcid}`,
    ];
    const replace = (dhcid: string, address: string): string[] => [
      `prereq yxdomain ${host}`,
      `prereq yxrrset ${host} DHCID ${dhcid}`,
      `update delete ${host} A`,
      `update add ${host} 1200 A ${address}`,
    ];
    const removeAddress = (dhcid: string, address: string): string[] => [
      `prereq yxrrset ${host} DHCID ${dhcid}`,
      `update delete ${host} A ${address}`,
    ];
    const removeName = (dhcid: string): string[] => [
      `prereq nxrrset ${host} A`,
      `prereq nxrrset ${host} AAAA`,
      `prereq yxrrset ${host} DHCID ${dhcid}`,
      `update delete ${host}`,
    ];

    test("a lease: added, renewed with another address, taken by nobody else, given up", async () => {
      expect(await send(...addNew(mine, "192.0.2.101"))).toEqual([]);
      // The next lease of the same client: the name is in use, and it is its own.
      expect(await send(...addNew(mine, "192.0.2.102"))).toEqual(["YXDOMAIN"]);
      expect(await send(...replace(mine, "192.0.2.102"))).toEqual([]);
      // Another client of the same name is held off (§5.3.2).
      expect(await send(...addNew(other, "192.0.2.103"))).toEqual(["YXDOMAIN"]);
      expect(await send(...replace(other, "192.0.2.103"))).toEqual(["NXRRSET"]);
      expect(await send(...removeAddress(other, "192.0.2.102"))).toEqual(["NXRRSET"]);
      expect(await recordsOf(host)).toEqual([
        `${host}. 1200 IN A 192.0.2.102`,
        `${host}. 1200 IN DHCID ${mine}`,
      ]);
      // Its AAAA keeps the name alive (§5.5).
      expect(await send(`update add ${host} 1200 AAAA 2001:db8::66`)).toEqual([]);
      expect(await send(...removeAddress(mine, "192.0.2.102"))).toEqual([]);
      expect(await send(...removeName(mine))).toEqual(["YXRRSET"]);
      expect(await send(`update delete ${host} AAAA`)).toEqual([]);
      expect(await send(...removeName(mine))).toEqual([]);
      expect(await recordsOf(host)).toEqual([]);
      expect((await dig(server, host)).status).toBe("NXDOMAIN");
    });

    test("dhcpd's interim style: the mark is a TXT", async () => {
      const mark = `"31d6c79c2e4ba4b7bcb7f8eae47cd0fb1f"`;
      const name = "interim.smb.example";
      const add = [
        `prereq nxdomain ${name}`,
        `update add ${name} 300 A 192.0.2.110`,
        `update add ${name} 300 TXT ${mark}`,
      ];
      expect(await send(...add)).toEqual([]);
      expect(await send(...add)).toEqual(["YXDOMAIN"]);
      const again = (text: string): string[] => [
        `prereq yxrrset ${name} TXT ${text}`,
        `update delete ${name} A`,
        `update add ${name} 300 A 192.0.2.111`,
      ];
      expect(await send(...again(`"other"`))).toEqual(["NXRRSET"]);
      expect(await send(...again(mark))).toEqual([]);
      expect(await recordsOf(name)).toEqual([`${name}. 300 IN A 192.0.2.111`, `${name}. 300 IN TXT ${mark}`]);
    });
  });
});

describeWith(["dig", "nsupdate"], "a host registers where ptr = true", () => {
  const NET = `[[zone.update]]\nnet = "127.0.0.0/8"\n`;
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer({
      algorithms: ["hmac-sha256"],
      rules: `ptr = true\n${NET}names = ["node1"]\n`,
      // Hosts are known to the reverse zone too, so that their own attempt is none of a stranger.
      reverse: `${NET}scope = "source"\nudp = true\n`,
    });
    await nsupdate(server, ["update delete 1.2.0.192.in-addr.arpa PTR"], "-y", MASTER);
  });
  afterAll(() => server.remove());

  test("probe, registration, and its own PTR update, which finds all done", async () => {
    expect(hex(await askUdp(server, PROBE))).toBe(reply("a001", NXRRSET));
    expect(hex(await askUdp(server, REGISTER))).toBe(reply("a002", NOERROR));
    expect((await dig(server, "-x", "192.0.2.1")).answer).toEqual([
      "1.2.0.192.in-addr.arpa. 1200 IN PTR node1.smb.example.",
    ]);
    const serial = await serialOf(server, "2.0.192.in-addr.arpa");
    expect(hex(await askUdp(server, OWN_POINTER)).slice(0, 8)).toBe(`a006a80${NOERROR}`);
    expect(await serialOf(server, "2.0.192.in-addr.arpa")).toBe(serial);
    expect(hex(await askUdp(server, PROBE))).toBe(reply("a001", NOERROR));
  });

  test("its PTR at another's address is refused", async () => {
    expect(hex(await askUdp(server, POINTER)).slice(0, 8)).toBe(`a005a80${REFUSED}`);
  });
});
