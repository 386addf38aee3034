/** RFC 1034 §6.2: the RFC's own sample queries to C.ISI.EDU, which serves the root zone and MIL, EDU's data being the root's. */
import { describe, expect, test } from "vitest";
import { serve } from "../../support/zones.ts";

// §6.1, as far as class IN goes. The RFC gives the root zone's minimum as 86400, and writes no TTLs: $TTL stands for them.
const ROOT = `
$TTL 86400
.       IN      SOA     SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. (
                        870611          ;serial
                        1800            ;refresh every 30 min
                        300             ;retry every 5 min
                        604800          ;expire after a week
                        86400)          ;minimum of a day
                NS      A.ISI.EDU.
                NS      C.ISI.EDU.
                NS      SRI-NIC.ARPA.

MIL.    86400   NS      SRI-NIC.ARPA.
        86400   NS      A.ISI.EDU.

EDU.    86400   NS      SRI-NIC.ARPA.
        86400   NS      C.ISI.EDU.

SRI-NIC.ARPA.   A       26.0.0.73
                A       10.0.0.51
                MX      0 SRI-NIC.ARPA.
                HINFO   DEC-2060 TOPS20

ACC.ARPA.       A       26.6.0.65
                HINFO   PDP-11/70 UNIX
                MX      10 ACC.ARPA.

USC-ISIC.ARPA.  CNAME   C.ISI.EDU.

73.0.0.26.IN-ADDR.ARPA.  PTR    SRI-NIC.ARPA.
65.0.6.26.IN-ADDR.ARPA.  PTR    ACC.ARPA.
51.0.0.10.IN-ADDR.ARPA.  PTR    SRI-NIC.ARPA.
52.0.0.10.IN-ADDR.ARPA.  PTR    C.ISI.EDU.
103.0.3.26.IN-ADDR.ARPA. PTR    A.ISI.EDU.

A.ISI.EDU. 86400 A      26.3.0.103
C.ISI.EDU. 86400 A      10.0.0.52
`;

const EDU = `
$TTL 86400
EDU.    IN      SOA     SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870729 1800 300 604800 86400
                NS      SRI-NIC.ARPA.
                NS      C.ISI.EDU.
UCI     172800  NS      ICS.UCI
        172800  NS      ROME.UCI
ICS.UCI 172800  A       192.5.19.1
ROME.UCI 172800 A       192.5.19.31
ISI     172800  NS      VAXA.ISI
        172800  NS      A.ISI
        172800  NS      VENERA.ISI.EDU.
VAXA.ISI 172800 A       10.2.0.27
        172800  A       128.9.0.33
VENERA.ISI.EDU. 172800 A 10.1.0.52
        172800  A       128.9.0.32
A.ISI   172800  A       26.3.0.103
UDEL.EDU.       172800  NS      LOUIE.UDEL.EDU.
                172800  NS      UMN-REI-UC.ARPA.
LOUIE.UDEL.EDU. 172800  A       10.0.0.96
                172800  A       192.5.39.3
YALE.EDU.       172800  NS      YALE.ARPA.
YALE.EDU.       172800  NS      YALE-BULLDOG.ARPA.
MIT.EDU.        43200   NS      XX.LCS.MIT.EDU.
                43200   NS      ACHILLES.MIT.EDU.
XX.LCS.MIT.EDU. 43200   A       10.0.0.44
ACHILLES.MIT.EDU. 43200 A       18.72.0.8
`;

const served = serve([".", ROOT], ["EDU.", EDU]);
const rootOnly = serve([".", ROOT]);

describe("RFC 1034 §6.2", () => {
  test("§6.2.1 QNAME=SRI-NIC.ARPA, QTYPE=A: both addresses, authoritative", () => {
    expect(served.askText("SRI-NIC.ARPA. A")).toEqual({
      rcode: "NOERROR",
      flags: "aa",
      answer: ["SRI-NIC.ARPA. 86400 A 10.0.0.51", "SRI-NIC.ARPA. 86400 A 26.0.0.73"],
      authority: [],
      additional: [],
    });
  });

  test("§6.2.2 QTYPE=*: one RRset stands for all (RFC 8482 §4.1)", () => {
    const { rcode, flags, answer } = served.askText("SRI-NIC.ARPA. ANY");
    expect({ rcode, flags }).toEqual({ rcode: "NOERROR", flags: "aa" });
    expect(answer.length).toBeGreaterThan(0);
    expect(new Set(answer.map((rr) => rr.split(" ")[2])).size).toBe(1);
  });

  test("§6.2.3 QTYPE=MX: the exchange's addresses in the additional section", () => {
    expect(served.askText("SRI-NIC.ARPA. MX")).toEqual({
      rcode: "NOERROR",
      flags: "aa",
      answer: ["SRI-NIC.ARPA. 86400 MX 0 SRI-NIC.ARPA."],
      authority: [],
      additional: ["SRI-NIC.ARPA. 86400 A 10.0.0.51", "SRI-NIC.ARPA. 86400 A 26.0.0.73"],
    });
  });

  test("§6.2.4 QTYPE=NS: the name exists without such a record; since RFC 2308 the SOA says how long", () => {
    expect(served.askText("SRI-NIC.ARPA. NS")).toEqual({
      rcode: "NOERROR",
      flags: "aa",
      answer: [],
      authority: [". 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400"],
      additional: [],
    });
  });

  test("§6.2.5 QNAME=SIR-NIC.ARPA: name error with the SOA of the root", () => {
    expect(served.askText("SIR-NIC.ARPA. A")).toEqual({
      rcode: "NXDOMAIN",
      flags: "aa",
      answer: [],
      authority: [". 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400"],
      additional: [],
    });
  });

  test("§6.2.6 QNAME=BRL.MIL: referral to the servers of MIL, with their addresses, not authoritative", () => {
    expect(rootOnly.askText("BRL.MIL. A")).toEqual({
      rcode: "NOERROR",
      flags: "",
      answer: [],
      authority: ["MIL. 86400 NS A.ISI.EDU.", "MIL. 86400 NS SRI-NIC.ARPA."],
      additional: [
        "A.ISI.EDU. 86400 A 26.3.0.103",
        "SRI-NIC.ARPA. 86400 A 10.0.0.51",
        "SRI-NIC.ARPA. 86400 A 26.0.0.73",
      ],
    });
  });

  test("§6.2.7 QNAME=USC-ISIC.ARPA: the alias, and where it leads another zone's referral", () => {
    const { rcode, flags, answer, authority } = served.askText("USC-ISIC.ARPA. A");
    expect({ rcode, flags }).toEqual({ rcode: "NOERROR", flags: "aa" });
    expect(answer).toEqual(["USC-ISIC.ARPA. 86400 CNAME C.ISI.EDU."]);
    expect(authority).toEqual([
      "ISI.EDU. 172800 NS A.ISI.EDU.",
      "ISI.EDU. 172800 NS VAXA.ISI.EDU.",
      "ISI.EDU. 172800 NS VENERA.ISI.EDU.",
    ]);
  });

  test("§6.2.8 QTYPE=CNAME: the alias itself", () => {
    expect(served.askText("USC-ISIC.ARPA. CNAME")).toEqual({
      rcode: "NOERROR",
      flags: "aa",
      answer: ["USC-ISIC.ARPA. 86400 CNAME C.ISI.EDU."],
      authority: [],
      additional: [],
    });
  });
});
