/** What a Windows host asks before it registers: the SOA of its own name, whether it exists or not. */
import { describe, expect, test } from "vitest";
import { serve } from "../support/zones.ts";

const ZONE = `
$TTL 1200
@        3600 SOA  ns1 hostmaster 1 900 60 86400 30
         3600 NS   ns1
ns1           A    192.0.2.53
ns1           AAAA 2001:db8::53
node1         A    192.0.2.21
a.site        A    192.0.2.22
`;
const REVERSE = `
$TTL 1200
@        3600 SOA  ns1.smb.example. hostmaster.smb.example. 1 900 60 86400 30
         3600 NS   ns1.smb.example.
21            PTR  node1.smb.example.
`;
const served = serve(["smb.example.", ZONE], ["2.0.192.in-addr.arpa.", REVERSE]);
const soa = "smb.example. 30 SOA ns1.smb.example. hostmaster.smb.example. 1 900 60 86400 30";
const reverseSoa = "2.0.192.in-addr.arpa. 30 SOA ns1.smb.example. hostmaster.smb.example. 1 900 60 86400 30";
const addresses = ["ns1.smb.example. 1200 A 192.0.2.53", "ns1.smb.example. 1200 AAAA 2001:db8::53"];
const RD = 0x0100;

describe("the SOA query before a dynamic update", () => {
  test.each([
    ["a host that is registered: NOERROR", "node1.smb.example. SOA", "NOERROR", soa],
    ["a host that is not: NXDOMAIN", "node9.smb.example. SOA", "NXDOMAIN", soa],
    ["a name between", "site.smb.example. SOA", "NOERROR", soa],
    ["an address that is registered", "21.2.0.192.in-addr.arpa. SOA", "NOERROR", reverseSoa],
    ["an address that is not", "99.2.0.192.in-addr.arpa. SOA", "NXDOMAIN", reverseSoa],
  ])(
    "%s, the zone's SOA in AUTHORITY, where to send the update in ADDITIONAL",
    (_what, question, rcode, authority) => {
      const answer = served.askText(question, { flags: RD });
      expect(answer).toEqual({
        rcode,
        flags: "aa rd",
        answer: [],
        authority: [authority],
        additional: addresses,
      });
    },
  );

  test("the zone itself: the SOA in ANSWER, and the addresses", () => {
    expect(served.askText("smb.example. SOA", { flags: RD })).toEqual({
      rcode: "NOERROR",
      flags: "aa rd",
      answer: [soa.replace(" 30 SOA", " 3600 SOA")],
      authority: [],
      additional: addresses,
    });
  });

  test("other questions that are denied carry no addresses", () => {
    expect(served.askText("node9.smb.example. A").additional).toEqual([]);
    expect(served.askText("node1.smb.example. AAAA")).toMatchObject({ rcode: "NOERROR", additional: [] });
  });

  test("the NS query that Windows falls back to carries the servers' addresses", () => {
    expect(served.askText("smb.example. NS").additional).toEqual(addresses);
  });
});
