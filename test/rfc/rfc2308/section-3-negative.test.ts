/** RFC 2308: negative answers, their SOA and how long they may be kept. */
import { describe, expect, test } from "vitest";
import { serve } from "../../support/zones.ts";

const ZONE = (soaTtl: number, minimum: number): string => `
$TTL 3600
@         ${soaTtl} SOA ns hostmaster 1 900 300 86400 ${minimum}
          NS     ns
ns        A      192.0.2.1
alias     CNAME  gone
toempty   CNAME  text
text      TXT    "text"
a.ent     A      192.0.2.2
`;

const soa = (ttl: number, minimum: number): string =>
  `example. ${ttl} SOA ns.example. hostmaster.example. 1 900 300 86400 ${minimum}`;

describe("RFC 2308 §3, §5: the TTL is the smaller of the SOA's own and MINIMUM", () => {
  test.each([
    [3600, 30, 30],
    [30, 3600, 30],
    [60, 60, 60],
    [3600, 0, 0],
    [0, 3600, 0],
    [2147483647, 2147483646, 2147483646],
  ])("SOA TTL %d, MINIMUM %d: %d", (soaTtl, minimum, ttl) => {
    const served = serve(["example.", ZONE(soaTtl, minimum)]);
    const answer = { flags: "aa", answer: [], authority: [soa(ttl, minimum)], additional: [] };
    expect(served.askText("gone.example. A")).toEqual({ rcode: "NXDOMAIN", ...answer });
    expect(served.askText("text.example. A")).toEqual({ rcode: "NOERROR", ...answer });
    // The SOA as an answer keeps its own TTL, and the image is not written to.
    expect(served.askText("example. SOA").answer).toEqual([soa(soaTtl, minimum)]);
  });

  test("a MINIMUM above 2^31-1 lowers nothing", () => {
    const served = serve(["example.", ZONE(60, 4294967295)]);
    expect(served.askText("gone.example. A").authority).toEqual([soa(60, 4294967295)]);
  });
});

describe("RFC 2308 §2", () => {
  const served = serve(["example.", ZONE(3600, 30)]);

  test("§2.1 name error at the end of an alias: NXDOMAIN, the alias in the answer section", () => {
    expect(served.askText("alias.example. A")).toEqual({
      rcode: "NXDOMAIN",
      flags: "aa",
      answer: ["alias.example. 3600 CNAME gone.example."],
      authority: [soa(30, 30)],
      additional: [],
    });
  });

  test("§2.2 no data at the end of an alias: NOERROR", () => {
    expect(served.askText("toempty.example. AAAA")).toEqual({
      rcode: "NOERROR",
      flags: "aa",
      answer: ["toempty.example. 3600 CNAME text.example."],
      authority: [soa(30, 30)],
      additional: [],
    });
  });

  test("§2.2 an empty non-terminal exists (RFC 8020 §2): NOERROR", () => {
    expect(served.askText("ent.example. A")).toMatchObject({ rcode: "NOERROR", authority: [soa(30, 30)] });
    expect(served.askText("b.ent.example. A")).toMatchObject({ rcode: "NXDOMAIN", authority: [soa(30, 30)] });
  });

  test("AAAA of a host with only A: no data, never a name error (RFC 4074 §4.2)", () => {
    expect(served.askText("ns.example. AAAA")).toMatchObject({
      rcode: "NOERROR",
      answer: [],
      authority: [soa(30, 30)],
    });
  });
});
