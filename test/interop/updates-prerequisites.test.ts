/** The five prerequisites of RFC 2136 §2.4 as nsupdate and knsupdate send them: met, and not met. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axfr, dig, knsupdate, nsupdate, serialOf } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import type { RollcallServer } from "../support/rollcall.ts";
import { MASTER, startUpdateServer } from "../support/update-server.ts";

/** Prerequisites as both programs spell them, and the RCODE; fs1 has two A records and a TXT, alias a CNAME. */
const CASES: readonly [title: string, prerequisites: readonly string[], rcode: string][] = [
  // RFC 2136 §2.4.1: an RRset exists, whatever its values
  ["yxrrset: it is there", ["yxrrset fs1.smb.example. A"], "NOERROR"],
  ["yxrrset: the name has other types", ["yxrrset fs1.smb.example. AAAA"], "NXRRSET"],
  ["yxrrset: there is no such name", ["yxrrset nobody.smb.example. A"], "NXRRSET"],
  ["yxrrset: the name only has names below it", ["yxrrset er.smb.example. A"], "NXRRSET"],
  ["yxrrset: the apex SOA", ["yxrrset smb.example. SOA"], "NOERROR"],
  // RFC 2136 §2.4.2: an RRset exists with exactly these values
  [
    "yxrrset with values: the whole RRset, in another order",
    ["yxrrset fs1.smb.example. A 192.0.2.2", "yxrrset fs1.smb.example. A 192.0.2.1"],
    "NOERROR",
  ],
  ["yxrrset with values: a part of the RRset", ["yxrrset fs1.smb.example. A 192.0.2.1"], "NXRRSET"],
  [
    "yxrrset with values: more than the RRset",
    ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((address) => `yxrrset fs1.smb.example. A ${address}`),
    "NXRRSET",
  ],
  [
    "yxrrset with values: a name in RDATA, in another case",
    ["yxrrset alias.smb.example. CNAME FS1.SMB.example."],
    "NOERROR",
  ],
  ["yxrrset with values: text, quoted", [`yxrrset fs1.smb.example. TXT "first file server"`], "NOERROR"],
  [
    "yxrrset with values: text in another case",
    [`yxrrset fs1.smb.example. TXT "First File Server"`],
    "NXRRSET",
  ],
  ["yxrrset with values: no such name", ["yxrrset nobody.smb.example. A 192.0.2.1"], "NXRRSET"],
  // RFC 2136 §2.4.3: an RRset does not exist
  ["nxrrset: it is not there", ["nxrrset fs1.smb.example. AAAA"], "NOERROR"],
  ["nxrrset: there is no such name", ["nxrrset nobody.smb.example. A"], "NOERROR"],
  ["nxrrset: it is there", ["nxrrset FS1.smb.example. A"], "YXRRSET"],
  // RFC 2136 §2.4.4: a name is in use
  ["yxdomain: it is", ["yxdomain fs1.smb.example."], "NOERROR"],
  ["yxdomain: it has a CNAME", ["yxdomain alias.smb.example."], "NOERROR"],
  ["yxdomain: the apex", ["yxdomain smb.example."], "NOERROR"],
  ["yxdomain: it is not", ["yxdomain nobody.smb.example."], "NXDOMAIN"],
  ["yxdomain: it only has names below it", ["yxdomain er.smb.example."], "NXDOMAIN"],
  // RFC 2136 §2.4.5: a name is not in use
  ["nxdomain: it is not", ["nxdomain nobody.smb.example."], "NOERROR"],
  ["nxdomain: it only has names below it", ["nxdomain er.smb.example."], "NOERROR"],
  ["nxdomain: it is", ["nxdomain fs1.smb.example."], "YXDOMAIN"],
  // Several together: all must be met
  [
    "several, all met",
    ["yxdomain fs1.smb.example.", "nxdomain nobody.smb.example.", "nxrrset fs1.smb.example. AAAA"],
    "NOERROR",
  ],
  ["several, the second not met", ["yxdomain fs1.smb.example.", "nxdomain alias.smb.example."], "YXDOMAIN"],
  ["a name outside the zone", ["yxdomain fs1.other.example."], "NOTZONE"],
];

describeWith(["nsupdate", "knsupdate", "dig"], "prerequisites (RFC 2136 §2.4, §3.2)", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer({ algorithms: ["hmac-sha256"] });
  });
  afterAll(() => server.remove());

  describe.each([
    ["nsupdate", nsupdate, "prereq", "update add"],
    ["knsupdate", knsupdate, "prereq", "add"],
  ] as const)("%s", (program, update, prereq, add) => {
    test.each(CASES)("%s", async (title, prerequisites, rcode) => {
      // One name a case: what an earlier case added says nothing about this one.
      const mark = `${program}-${CASES.findIndex(([other]) => other === title)}.marks.smb.example.`;
      const before = await serialOf(server, "smb.example");
      const commands = [
        "zone smb.example.",
        ...prerequisites.map((one) => `${prereq} ${one}`),
        `${add} ${mark} 60 A 192.0.2.200`,
      ];
      const { failures, code, text } = await update(server, commands, "-y", MASTER);
      const met = rcode === "NOERROR";
      expect({ failures, ok: code === 0, text }).toEqual({ failures: met ? [] : [rcode], ok: met, text });
      expect((await dig(server, mark)).answer).toEqual(met ? [`${mark} 60 IN A 192.0.2.200`] : []);
      expect(await serialOf(server, "smb.example")).toBe(before + (met ? 1 : 0));
    });

    test("prerequisites alone are answered and change nothing", async () => {
      const before = await axfr(server, "smb.example");
      const zone = "zone smb.example.";
      const met = await update(server, [zone, `${prereq} yxdomain fs1.smb.example.`], "-y", MASTER);
      expect(met).toMatchObject({ code: 0, failures: [] });
      const unmet = await update(server, [zone, `${prereq} nxdomain fs1.smb.example.`], "-y", MASTER);
      expect(unmet.failures).toEqual(["YXDOMAIN"]);
      expect(await axfr(server, "smb.example")).toEqual(before);
    });
  });

  test("a stranger learns nothing from prerequisites: refused, met or not", async () => {
    for (const prerequisite of ["prereq yxdomain fs1.smb.example", "prereq yxdomain nobody.smb.example"]) {
      const { failures } = await nsupdate(server, ["zone smb.example", prerequisite]);
      expect(failures).toEqual(["REFUSED"]);
    }
  });
});
