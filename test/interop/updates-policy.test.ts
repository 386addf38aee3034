/** Who may change what, as the programs see it: REFUSED, why in the log and, for who speaks EDNS, in the answer. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readEde } from "../../src/wire/edns.ts";
import { EdnsOption, Opcode, Rcode } from "../../src/wire/iana/code.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { axfr, dig, kdig, knsupdate, nsupdate } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import type { RollcallServer } from "../support/rollcall.ts";
import { ORIGIN, rr } from "../support/rr.ts";
import { askUdp } from "../support/sockets.ts";
import { inlineKey, MASTER, startUpdateServer } from "../support/update-server.ts";

const DHCP = inlineKey("hmac-sha256", "dhcp.key.example");
const HOST = inlineKey("hmac-sha256", "host.key.example");
const IDLE = inlineKey("hmac-sha256", "idle.key.example");

const RULES = `
[[zone.update]]
names = ["wpad", "isatap"]
allow = false

[[zone.update]]
key = "dhcp.key.example"
names = ["*.smb.example"]
types = ["A", "AAAA", "DHCID"]

[[zone.update]]
key = "host.key.example"
names = ["host7"]

[[zone.update]]
net = "127.0.0.0/8"
names = ["*.lab.smb.example"]
`;

describeWith(["nsupdate", "knsupdate", "dig", "kdig"], "update policy", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer({
      algorithms: ["hmac-sha256"],
      keys: ["dhcp.key.example", "host.key.example", "idle.key.example"],
      rules: RULES,
    });
  });
  afterAll(() => server.remove());

  describe("allowed", () => {
    test.each([
      ["a key, its names and types", "update add p1.smb.example 60 A 192.0.2.1", ["-y", DHCP]],
      ["a key and its one name, any type", `update add host7.smb.example 60 TXT "mine"`, ["-y", HOST]],
      ["unsigned, from a network, below a name", "update add p1.lab.smb.example 60 A 192.0.2.1", []],
      [
        "a change that changes nothing, by one who may not make it",
        "update add fs1.smb.example 300 A 192.0.2.1",
        ["-y", HOST],
      ],
    ])("%s", async (_, command, args) => {
      expect(await nsupdate(server, [command], ...args)).toMatchObject({ code: 0, failures: [] });
    });
  });

  describe("refused", () => {
    test.each([
      [
        "another type than the key's",
        "update add p2.smb.example 60 TXT x",
        ["-y", DHCP],
        /key dhcp\.key\.example may change only A, AAAA, DHCID by rule 2, not TXT/,
        undefined,
      ],
      [
        "another name than the key's",
        "update add host8.smb.example 60 A 192.0.2.1",
        ["-y", HOST],
        /no update rule lets key host\.key\.example change host8\.smb\.example/,
        undefined,
      ],
      [
        "a name below the key's one name",
        "update add x.host7.smb.example 60 A 192.0.2.1",
        ["-y", HOST],
        /rule 3 covers host7\.smb\.example alone: write "\*\.host7\.smb\.example"/,
        undefined,
      ],
      [
        "the apex, where the rule is for names below it",
        "update add smb.example 60 A 192.0.2.1",
        ["-y", DHCP],
        /covers names below smb\.example, not smb\.example itself/,
        undefined,
      ],
      [
        "a name that no pattern covers",
        "update add wpad.lab.smb.example 60 A 192.0.2.1",
        [],
        /rule 4 does not list wpad\.lab\.smb\.example among its names, as wpad must be/,
        undefined,
      ],
      [
        "a name that is forbidden to everybody",
        "update add wpad.smb.example 60 A 192.0.2.1",
        ["-y", MASTER],
        /rule 1 denies A at wpad\.smb\.example/,
        1,
      ],
      [
        "deleting what the key may not add",
        "update delete fs1.smb.example TXT",
        ["-y", DHCP],
        /may change only A, AAAA, DHCID by rule 2, not TXT/,
        undefined,
      ],
      [
        "deleting a whole name with a type that is not the key's",
        "update delete fs1.smb.example",
        ["-y", DHCP],
        /not TXT/,
        undefined,
      ],
      [
        "a key that no rule names",
        "update add p3.smb.example 60 A 192.0.2.1",
        ["-y", IDLE],
        /no update rule matches key idle\.key\.example/,
        undefined,
      ],
      [
        "a key that no rule names, where the unsigned may",
        "update add p3.lab.smb.example 60 A 192.0.2.1",
        ["-y", IDLE],
        /rule 4 is for unsigned updates/,
        undefined,
      ],
      [
        "unsigned, outside what the network may",
        "update add p4.smb.example 60 A 192.0.2.1",
        [],
        /no update rule lets unsigned updates from 127\.0\.0\.1 change p4\.smb\.example/,
        undefined,
      ],
    ] as const)("%s", async (_, command, args, reason, rule) => {
      const before = await axfr(server, "smb.example");
      for (const transport of [[], ["-v"]]) {
        expect(await nsupdate(server, [command], ...transport, ...args)).toMatchObject({
          code: 2,
          failures: ["REFUSED"],
        });
      }
      expect(await axfr(server, "smb.example")).toEqual(before);
      const line = await server.logged(
        ({ msg, reason: logged }) => msg === "update refused" && reason.test(String(logged)),
      );
      expect(line).toMatchObject({ exchange: "update", rcode: "REFUSED", name: "smb.example." });
      expect(line["rule"]).toBe(rule);
      expect(line["peer"]).toMatch(/^127\.0\.0\.1:\d+$/);
    });

    test("one forbidden change among allowed ones: none is made", async () => {
      const before = await axfr(server, "smb.example");
      const commands = [
        "update add p5.smb.example 60 A 192.0.2.1",
        "update add wpad.smb.example 60 A 192.0.2.1",
      ];
      expect((await nsupdate(server, commands, "-y", DHCP)).failures).toEqual(["REFUSED"]);
      expect(await axfr(server, "smb.example")).toEqual(before);
    });

    test("knsupdate says so too", async () => {
      const commands = ["zone smb.example.", "add p6.smb.example. 60 TXT x"];
      expect(await knsupdate(server, commands, "-y", DHCP)).toMatchObject({ code: 1, failures: ["REFUSED"] });
    });
  });

  test("who speaks EDNS is told why in the answer (RFC 8914)", async () => {
    const request = encodeMessage({
      id: 0x0ede,
      flags: Opcode.UPDATE << 11,
      rcode: 0,
      questions: [{ name: ORIGIN, type: RrType.SOA, class: RrClass.IN }],
      authorities: [rr("web.lab 60 A 192.0.2.1"), rr("p7 60 A 192.0.2.1")],
      edns: { udpPayload: 1232, version: 0, extendedRcode: 0, dnssecOk: false, options: [] },
    });
    const { header, edns } = decodeMessage(await askUdp(server, request));
    expect(header.rcode).toBe(Rcode.REFUSED);
    const option = edns!.options.find(({ code }) => code === EdnsOption.EDE);
    expect(readEde(option!.data)).toEqual({
      code: 18, // Prohibited
      text: "no update rule lets unsigned updates from 127.0.0.1 change p7.smb.example",
    });
  });

  test("dig and kdig show why a question is refused", async () => {
    const byDig = await dig(server, "www.elsewhere.example", "A");
    expect(byDig).toMatchObject({
      status: "REFUSED",
      ede: ["20 (Not Authoritative): (no zone here holds this name)"],
    });
    const byKdig = await kdig(server, "www.elsewhere.example", "A", "+edns");
    expect(byKdig).toMatchObject({
      status: "REFUSED",
      ede: ["20 (Not Authoritative): 'no zone here holds this name'"],
    });
  });
});
