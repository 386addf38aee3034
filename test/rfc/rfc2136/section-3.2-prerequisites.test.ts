/** RFC 2136 §2.4, §3.2: the five prerequisites. */
import { describe, expect, test } from "vitest";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { name } from "../../support/rr.ts";
import { update } from "./support.ts";

function rcodeOf(...prerequisites: string[]): string {
  return update({ prerequisites }).rcode;
}

describe("§2.4.1, §3.2.1 RRset exists (value independent)", () => {
  test.each([
    ["node1 0 ANY A", "NOERROR"],
    ["NODE1 0 ANY AAAA", "NOERROR"],
    ["node1 0 ANY TXT", "NXRRSET"],
    ["nobody 0 ANY A", "NXRRSET"], // §1.1.3: the wildcard does not stand in
    ["* 0 ANY A", "NOERROR"],
    ["alias 0 ANY A", "NXRRSET"], // §1.1.4: the alias is not followed
    ["alias 0 ANY CNAME", "NOERROR"],
    ["@ 0 ANY SOA", "NOERROR"],
    ["ns.sub 0 ANY A", "NOERROR"], // §1.2: glue is in the zone
  ])("%s: %s", (prerequisite, rcode) => expect(rcodeOf(prerequisite)).toBe(rcode));
});

describe("§2.4.2, §3.2.3 RRset exists (value dependent)", () => {
  test.each([
    [["node1 0 IN A 192.0.2.11"], "NOERROR"],
    [["node1 0 IN A 192.0.2.12"], "NXRRSET"],
    [["files 0 IN A 192.0.2.22", "files 0 IN A 192.0.2.21"], "NOERROR"],
    [["files 0 IN A 192.0.2.22", "FILES 0 IN A 192.0.2.21", "files 0 IN A 192.0.2.21"], "NOERROR"],
    [["files 0 IN A 192.0.2.21"], "NXRRSET"], // no fewer
    [["files 0 IN A 192.0.2.21", "files 0 IN A 192.0.2.22", "files 0 IN A 192.0.2.23"], "NXRRSET"], // no more
    [["nobody 0 IN A 192.0.2.200"], "NXRRSET"],
    [["alias 0 IN CNAME FILES"], "NOERROR"], // §1.1.2: names compare without case
    [["@ 0 IN SOA ns1 hostmaster 100 900 300 86400 30"], "NOERROR"],
    [["@ 0 IN SOA ns1 hostmaster 99 900 300 86400 30"], "NXRRSET"], // §5.7: the SOA as a marker
    [["node1 0 IN A 192.0.2.11", "node1 0 IN AAAA 2001:db8::12"], "NXRRSET"],
  ])("%s: %s", (prerequisites, rcode) => expect(rcodeOf(...prerequisites)).toBe(rcode));
});

describe("§2.4.3, §3.2.2 RRset does not exist", () => {
  test.each([
    ["node1 0 NONE A", "YXRRSET"],
    ["node1 0 NONE TXT", "NOERROR"],
    ["nobody 0 NONE A", "NOERROR"],
    ["@ 0 NONE SOA", "YXRRSET"],
  ])("%s: %s", (prerequisite, rcode) => expect(rcodeOf(prerequisite)).toBe(rcode));
});

describe("§2.4.4, §2.4.5, §3.2.1, §3.2.2 name is (not) in use", () => {
  test.each([
    ["node1 0 ANY ANY", "NOERROR"],
    ["nobody 0 ANY ANY", "NXDOMAIN"],
    ["_tcp.files 0 ANY ANY", "NXDOMAIN"], // an empty non-terminal is not in use
    ["@ 0 ANY ANY", "NOERROR"],
    ["node1 0 NONE ANY", "YXDOMAIN"],
    ["nobody 0 NONE ANY", "NOERROR"],
    ["_tcp.files 0 NONE ANY", "NOERROR"],
  ])("%s: %s", (prerequisite, rcode) => expect(rcodeOf(prerequisite)).toBe(rcode));
});

describe("§3.2.5 the form of a prerequisite", () => {
  test.each([
    ["a TTL with class ANY", "node1 1 ANY A", "FORMERR"],
    ["a TTL with class NONE", "node1 1 NONE TXT", "FORMERR"],
    ["a TTL with the zone's class", "node1 1200 IN A 192.0.2.11", "FORMERR"],
    ["RDATA with class ANY", "node1 0 ANY A 192.0.2.11", "FORMERR"],
    ["RDATA with class NONE", "node1 0 NONE A 192.0.2.12", "FORMERR"],
    ["another class", "node1 0 CH TXT text", "FORMERR"],
    ["a name outside the zone", "node1.other.example. 0 ANY A", "NOTZONE"],
    ["the parent of the zone", "example. 0 ANY ANY", "NOTZONE"],
    ["a TTL before a name outside the zone", "node1.other.example. 1 ANY A", "FORMERR"],
    ["meta type AXFR", "node1 0 ANY AXFR", "FORMERR"],
    ["meta type MAILB", "node1 0 NONE MAILB", "FORMERR"],
    ["meta type TKEY", "node1 0 ANY TKEY", "FORMERR"],
    ["type 0", "node1 0 ANY TYPE0", "FORMERR"],
  ])("%s", (_, prerequisite, rcode) => expect(rcodeOf(prerequisite)).toBe(rcode));

  test("type ANY with the zone's class", () => {
    const any = { name: name("node1"), type: 255, class: RrClass.IN, ttl: 0, rdata: new Uint8Array(0) };
    expect(update({ prerequisites: [any] }).rcode).toBe("FORMERR");
  });
});

describe("§3.2 the first that is not met decides", () => {
  test.each([
    [["nobody 0 ANY ANY", "node1 0 NONE A"], "NXDOMAIN"],
    [["node1 0 NONE A", "nobody 0 ANY ANY"], "YXRRSET"],
    // §3.2.5 gathers whole RRsets and compares them when every record has been looked at.
    [["node1 0 IN A 192.0.2.12", "node1 0 NONE ANY"], "YXDOMAIN"],
    [["node1 0 IN A 192.0.2.12", "node1 1 ANY A"], "FORMERR"],
    [["nobody 0 ANY A", "node1 1 ANY A"], "NXRRSET"],
    [["node1 1 ANY A", "nobody 0 ANY A"], "FORMERR"],
  ])("%s: %s", (prerequisites, rcode) => {
    const outcome = update({ prerequisites, updates: ["node1 0 ANY A"] });
    expect(outcome.rcode).toBe(rcode);
    expect(outcome.serial).toBeUndefined();
  });

  test("the reason names the prerequisite", () => {
    expect(update({ prerequisites: ["node1 0 NONE A"] }).reason).toBe(
      "prerequisite not met: node1.smb.example. A does not exist",
    );
  });

  test("prerequisites alone, with no update, are a question and change nothing", () => {
    const outcome = update({ prerequisites: ["node1 0 NONE CNAME", "node1 0 IN A 192.0.2.11"] });
    expect(outcome.verdict).toEqual({ kind: "unchanged" });
  });
});
