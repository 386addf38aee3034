/** RFC 1034 §4.3.2: the name server's algorithm, step by step. */
import { describe, expect, test } from "vitest";
import { serve } from "../../support/zones.ts";

const SOA = "example. 300 SOA ns1.example. hostmaster.example. 1 900 300 86400 300";
const PARENT = `
$TTL 3600
@               SOA     ns1 hostmaster 1 900 300 86400 300
                NS      ns1
                NS      ns2.elsewhere.test.
ns1             A       192.0.2.1
                AAAA    2001:db8::1
host            A       192.0.2.10
deep.ent        A       192.0.2.11
alias           CNAME   host
alias2          CNAME   alias
away            CNAME   host.elsewhere.test.
gone            CNAME   nowhere
noaddress       CNAME   text
text            TXT     "no address here"
loop1           CNAME   loop2
loop2           CNAME   loop1
self            CNAME   self
tochild         CNAME   www.child
todelegated     CNAME   www.sub
other           CNAME   host.other.test.
sub             NS      ns.sub
                NS      ns1
ns.sub          A       192.0.2.20
hidden.sub      A       192.0.2.21
child           NS      ns1
mail            MX      10 host
                MX      20 mx.other.test.
_smb._tcp       SRV     0 0 445 host
                SRV     0 0 445 ns1
                SRV     1 0 445 host
`;
const CHILD = `
$TTL 3600
@               SOA     ns1.example. hostmaster.example. 7 900 300 86400 60
                NS      ns1.example.
www             A       192.0.2.30
back            CNAME   host.example.
`;
const OTHER = `
$TTL 3600
@               SOA     ns1.example. hostmaster.example. 9 900 300 86400 60
                NS      ns1.example.
host            A       192.0.2.40
mx              A       192.0.2.41
ring            CNAME   ring.example.
`;
const CHILD_SOA = "child.example. 60 SOA ns1.example. hostmaster.example. 7 900 300 86400 60";
const NS1 = ["ns1.example. 3600 A 192.0.2.1", "ns1.example. 3600 AAAA 2001:db8::1"];

const served = serve(["example.", PARENT], ["child.example.", CHILD], ["other.test.", OTHER]);

interface Row {
  readonly step: string;
  readonly ask: string;
  readonly rcode?: string;
  readonly flags?: string;
  readonly answer?: readonly string[];
  readonly authority?: readonly string[];
  readonly additional?: readonly string[];
}

const rows: readonly Row[] = [
  // Step 2: the nearest ancestor zone.
  { step: "2 longest suffix", ask: "www.child.example. A", answer: ["www.child.example. 3600 A 192.0.2.30"] },
  {
    step: "2 child's own apex",
    ask: "child.example. SOA",
    answer: [CHILD_SOA.replace(" 60 ", " 3600 ")],
    additional: NS1,
  },
  {
    step: "2 NS at the child's apex",
    ask: "child.example. NS",
    answer: ["child.example. 3600 NS ns1.example."],
    additional: NS1,
  },
  { step: "2 no zone", ask: "www.nowhere.test. A", rcode: "REFUSED", flags: "" },
  { step: "2 not the apex's parent", ask: "test. SOA", rcode: "REFUSED", flags: "" },

  // Step 3a: the whole of QNAME is matched.
  { step: "3a", ask: "host.example. A", answer: ["host.example. 3600 A 192.0.2.10"] },
  { step: "3a no such type", ask: "host.example. AAAA", authority: [SOA] },
  { step: "3a empty non-terminal", ask: "ent.example. A", authority: [SOA] },
  { step: "3a empty non-terminal ANY", ask: "ent.example. ANY", authority: [SOA] },
  {
    step: "3a CNAME",
    ask: "alias.example. A",
    answer: ["alias.example. 3600 CNAME host.example.", "host.example. 3600 A 192.0.2.10"],
  },
  {
    step: "3a CNAME to CNAME",
    ask: "alias2.example. A",
    answer: [
      "alias.example. 3600 CNAME host.example.",
      "alias2.example. 3600 CNAME alias.example.",
      "host.example. 3600 A 192.0.2.10",
    ],
  },
  {
    step: "3a CNAME asked for",
    ask: "alias.example. CNAME",
    answer: ["alias.example. 3600 CNAME host.example."],
  },
  {
    step: "3a CNAME under ANY",
    ask: "alias.example. ANY",
    answer: ["alias.example. 3600 CNAME host.example."],
  },
  {
    step: "3a CNAME out of all zones",
    ask: "away.example. A",
    answer: ["away.example. 3600 CNAME host.elsewhere.test."],
  },
  {
    step: "3a CNAME into another zone",
    ask: "other.example. A",
    answer: ["host.other.test. 3600 A 192.0.2.40", "other.example. 3600 CNAME host.other.test."],
  },
  {
    step: "3a CNAME into a child zone served here",
    ask: "tochild.example. A",
    answer: ["tochild.example. 3600 CNAME www.child.example.", "www.child.example. 3600 A 192.0.2.30"],
  },
  {
    step: "3a CNAME from a child zone to its parent",
    ask: "back.child.example. A",
    answer: ["back.child.example. 3600 CNAME host.example.", "host.example. 3600 A 192.0.2.10"],
  },
  {
    step: "3a CNAME to a delegated name: authoritative for the alias, and a referral",
    ask: "todelegated.example. A",
    answer: ["todelegated.example. 3600 CNAME www.sub.example."],
    authority: ["sub.example. 3600 NS ns.sub.example.", "sub.example. 3600 NS ns1.example."],
    additional: ["ns.sub.example. 3600 A 192.0.2.20", ...NS1],
  },
  {
    step: "3a CNAMEs in a ring are each said once",
    ask: "loop1.example. A",
    answer: ["loop1.example. 3600 CNAME loop2.example.", "loop2.example. 3600 CNAME loop1.example."],
  },
  { step: "3a CNAME to itself", ask: "self.example. A", answer: ["self.example. 3600 CNAME self.example."] },
  {
    step: "3a CNAME chain's end without the type",
    ask: "noaddress.example. A",
    answer: ["noaddress.example. 3600 CNAME text.example."],
    authority: [SOA],
  },

  // Step 3b: a referral.
  {
    step: "3b below the cut",
    ask: "www.sub.example. A",
    flags: "",
    authority: ["sub.example. 3600 NS ns.sub.example.", "sub.example. 3600 NS ns1.example."],
    additional: ["ns.sub.example. 3600 A 192.0.2.20", ...NS1],
  },
  {
    step: "3b at the cut, even for NS",
    ask: "sub.example. NS",
    flags: "",
    authority: ["sub.example. 3600 NS ns.sub.example.", "sub.example. 3600 NS ns1.example."],
    additional: ["ns.sub.example. 3600 A 192.0.2.20", ...NS1],
  },
  {
    step: "3b glue is not authoritative",
    ask: "ns.sub.example. A",
    flags: "",
    authority: ["sub.example. 3600 NS ns.sub.example.", "sub.example. 3600 NS ns1.example."],
    additional: ["ns.sub.example. 3600 A 192.0.2.20", ...NS1],
  },
  {
    step: "3b data below a cut stay hidden",
    ask: "hidden.sub.example. A",
    flags: "",
    authority: ["sub.example. 3600 NS ns.sub.example.", "sub.example. 3600 NS ns1.example."],
    additional: ["ns.sub.example. 3600 A 192.0.2.20", ...NS1],
  },

  // Step 3c: no match.
  { step: "3c name error", ask: "nowhere.example. A", rcode: "NXDOMAIN", authority: [SOA] },
  {
    step: "3c name error, far below",
    ask: "a.b.c.d.nowhere.example. A",
    rcode: "NXDOMAIN",
    authority: [SOA],
  },
  { step: "3c below a name that exists", ask: "below.host.example. A", rcode: "NXDOMAIN", authority: [SOA] },
  {
    step: "3c in the child zone",
    ask: "nowhere.child.example. A",
    rcode: "NXDOMAIN",
    authority: [CHILD_SOA],
  },
  {
    step: "3c below the empty non-terminal",
    ask: "other.ent.example. A",
    rcode: "NXDOMAIN",
    authority: [SOA],
  },

  // Step 6: useful additional data.
  {
    step: "6 NS",
    ask: "example. NS",
    answer: ["example. 3600 NS ns1.example.", "example. 3600 NS ns2.elsewhere.test."],
    additional: NS1,
  },
  {
    step: "6 MX, one exchange in another zone",
    ask: "mail.example. MX",
    answer: ["mail.example. 3600 MX 10 host.example.", "mail.example. 3600 MX 20 mx.other.test."],
    additional: ["host.example. 3600 A 192.0.2.10", "mx.other.test. 3600 A 192.0.2.41"],
  },
  {
    step: "6 SRV, a target named twice is added once",
    ask: "_smb._tcp.example. SRV",
    answer: [
      "_smb._tcp.example. 3600 SRV 0 0 445 host.example.",
      "_smb._tcp.example. 3600 SRV 0 0 445 ns1.example.",
      "_smb._tcp.example. 3600 SRV 1 0 445 host.example.",
    ],
    additional: ["host.example. 3600 A 192.0.2.10", ...NS1],
  },
  { step: "6 SOA", ask: "example. SOA", answer: [SOA.replace(" 300 SOA", " 3600 SOA")], additional: NS1 },
];

describe("RFC 1034 §4.3.2", () => {
  test.each(rows)("step $step: $ask", (row) => {
    expect(served.askText(row.ask)).toEqual({
      rcode: row.rcode ?? "NOERROR",
      flags: row.flags ?? "aa",
      answer: row.answer ?? [],
      authority: row.authority ?? [],
      additional: row.additional ?? [],
    });
  });

  test("step 3a: the end of a chain that does not exist is a name error (RFC 2308 §2.1), the alias with it", () => {
    expect(served.askText("gone.example. A")).toEqual({
      rcode: "NXDOMAIN",
      flags: "aa",
      answer: ["gone.example. 3600 CNAME nowhere.example."],
      authority: [SOA],
      additional: [],
    });
  });

  test("a chain across zones is followed where nodes of different images lie at the same place", () => {
    // Two images built alike: the aliases' nodes have the same offset in each.
    const head = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.test.\na CNAME";
    const twins = serve(["one.", `${head} a.two.\nb A 192.0.2.1`], ["two.", `${head} b.one.\nb A 192.0.2.2`]);
    expect(twins.askText("a.one. A").answer).toEqual([
      "a.one. 60 CNAME a.two.",
      "a.two. 60 CNAME b.one.",
      "b.one. 60 A 192.0.2.1",
    ]);
  });

  test("a chain longer than is followed ends in an alias, with NOERROR: the resolver goes on", () => {
    let text = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.test.\n";
    for (let i = 0; i < 40; i++) text += `c${i} CNAME c${i + 1}\n`;
    const { rcode, answer } = serve(["long.", `${text}c40 A 192.0.2.1\n`]).askText("c0.long. A", {
      tcp: true,
    });
    expect(rcode).toBe("NOERROR");
    expect(answer).toHaveLength(16);
  });

  test("the additional section names a bounded number of hosts (CVE-2024-11187)", () => {
    let text = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.test.\n";
    for (let i = 0; i < 50; i++) text += `_s._tcp SRV 0 0 1 h${i}\nh${i} A 192.0.2.${i}\n`;
    const answer = serve(["many.", text]).askText("_s._tcp.many. SRV", { tcp: true });
    expect(answer.answer).toHaveLength(50);
    expect(answer.additional).toHaveLength(13);
  });

  test("QCLASS=ANY is answered, but not with authority (RFC 1035 §6.2)", () => {
    expect(served.askText("host.example. A", { class: 255 })).toEqual({
      rcode: "NOERROR",
      flags: "",
      answer: ["host.example. 3600 A 192.0.2.10"],
      authority: [],
      additional: [],
    });
  });
});
