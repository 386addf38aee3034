/** RFC 4592: wildcards. The zone and the table of §2.2.1, and the sections on particular types. */
import { describe, expect, test } from "vitest";
import { serve } from "../../support/zones.ts";

// §2.2.1; TTLs and addresses are not given there.
const ZONE = `
$ORIGIN example.
example.                 3600 IN  SOA   ns.example.com. h.example.com. 1 900 300 86400 60
example.                 3600     NS    ns.example.com.
example.                 3600     NS    ns.example.net.
*.example.               3600     TXT   "this is a wildcard"
*.example.               3600     MX    10 host1.example.
sub.*.example.           3600     TXT   "this is not a wildcard"
host1.example.           3600     A     192.0.2.1
_ssh._tcp.host1.example. 3600     SRV   0 0 22 host1
_ssh._tcp.host2.example. 3600     SRV   0 0 22 host2
subdel.example.          3600     NS    ns.example.com.
subdel.example.          3600     NS    ns.example.net.
`;
const SOA = "example. 60 SOA ns.example.com. h.example.com. 1 900 300 86400 60";
const noData = { rcode: "NOERROR", flags: "aa", answer: [], authority: [SOA], additional: [] };
const nameError = { ...noData, rcode: "NXDOMAIN" };
const referral = {
  rcode: "NOERROR",
  flags: "",
  answer: [],
  authority: ["subdel.example. 3600 NS ns.example.com.", "subdel.example. 3600 NS ns.example.net."],
  additional: [],
};
const served = serve(["example.", ZONE]);

describe("RFC 4592 §2.2.1: synthesised from *.example", () => {
  test("host3.example MX", () => {
    expect(served.askText("host3.example. MX")).toEqual({
      rcode: "NOERROR",
      flags: "aa",
      answer: ["host3.example. 3600 MX 10 host1.example."],
      authority: [],
      additional: ["host1.example. 3600 A 192.0.2.1"],
    });
  });
  test("host3.example A: the wildcard has no such type", () => {
    expect(served.askText("host3.example. A")).toEqual(noData);
  });
  test("foo.bar.example TXT: bar.example does not exist, so the closest encloser is example", () => {
    expect(served.askText("foo.bar.example. TXT").answer).toEqual([
      'foo.bar.example. 3600 TXT "this is a wildcard"',
    ]);
  });
  test("host3.example ANY: one of its RRsets", () => {
    expect(served.askText("host3.example. ANY").answer).toHaveLength(1);
  });
});

describe("RFC 4592 §2.2.1: not synthesised", () => {
  test.each([
    ["host1.example. MX", "host1.example exists", noData],
    ["sub.*.example. MX", "sub.*.example exists", noData],
    ["_telnet._tcp.host1.example. SRV", "_tcp.host1.example exists without data", nameError],
    ["host.subdel.example. A", "subdel.example is a zone cut", referral],
    ["ghost.*.example. MX", "*.example exists", nameError],
    // Beyond the RFC's table: what else its rules say of this zone.
    ["_tcp.host1.example. TXT", "an empty non-terminal exists", noData],
    ["_tcp.host2.example. TXT", "an empty non-terminal exists", noData],
    ["host2.example. TXT", "an empty non-terminal exists", noData],
    ["x.host2.example. TXT", "the closest encloser is host2.example, which has no wildcard", nameError],
    ["subdel.example. MX", "subdel.example is a zone cut", referral],
    ["x.sub.*.example. TXT", "the closest encloser is sub.*.example", nameError],
  ])("%s: %s", (question, _reason, answer) => {
    expect(served.askText(question)).toEqual(answer);
  });

  test("sub.*.example TXT: the asterisk is an ordinary label there", () => {
    expect(served.askText("sub.*.example. TXT").answer).toEqual([
      'sub.*.example. 3600 TXT "this is not a wildcard"',
    ]);
  });

  test("§2.1.1 *.example TXT: the wildcard itself can be asked for", () => {
    expect(served.askText("*.example. TXT").answer).toEqual(['*.example. 3600 TXT "this is a wildcard"']);
  });
});

const KINDS = `
$TTL 60
@               SOA    ns h 1 900 300 86400 60
                NS     ns
ns              A      192.0.2.1
*.alias         CNAME  host.target
host.target     A      192.0.2.2
*.deep          CNAME  x.gone
*.loop          CNAME  again.loop
*.hop           CNAME  b.tail
*.tail          A      192.0.2.3
a.*.ent         A      192.0.2.4
*.multi         A      192.0.2.5
*.multi         A      192.0.2.6
*.srv           SRV    0 0 445 host.target
*.cut           A      192.0.2.7
deleg.cut       NS     ns
\\*.notwild      A      192.0.2.8
*x.notwild      A      192.0.2.9
`;

describe("RFC 4592 §4 and corners", () => {
  const kinds = serve(["example.", KINDS]);

  test.each([
    [
      "§2.2 a label of any case matches",
      "HOST.Multi.example. A",
      ["HOST.Multi.example. 60 A 192.0.2.5", "HOST.Multi.example. 60 A 192.0.2.6"],
    ],
    [
      "several labels are covered",
      "a.b.c.multi.example. A",
      ["a.b.c.multi.example. 60 A 192.0.2.5", "a.b.c.multi.example. 60 A 192.0.2.6"],
    ],
    [
      "§4.4 CNAME: owned by QNAME, and followed",
      "x.alias.example. A",
      ["host.target.example. 60 A 192.0.2.2", "x.alias.example. 60 CNAME host.target.example."],
    ],
    ["§4.4 CNAME asked for", "x.alias.example. CNAME", ["x.alias.example. 60 CNAME host.target.example."]],
    [
      "CNAME to a name another wildcard covers",
      "x.hop.example. A",
      ["b.tail.example. 60 A 192.0.2.3", "x.hop.example. 60 CNAME b.tail.example."],
    ],
    [
      "CNAME to a name the same wildcard covers",
      "x.loop.example. A",
      ["again.loop.example. 60 CNAME again.loop.example.", "x.loop.example. 60 CNAME again.loop.example."],
    ],
    ["an asterisk that is not a whole label", "y.notwild.example. A", ["y.notwild.example. 60 A 192.0.2.8"]],
    [
      "an asterisk that is not a whole label, itself",
      "*x.notwild.example. A",
      ["*x.notwild.example. 60 A 192.0.2.9"],
    ],
  ])("%s", (_what, question, answer) => {
    expect(kinds.askText(question)).toMatchObject({ rcode: "NOERROR", flags: "aa", answer });
  });

  test("a wildcard that is an empty non-terminal makes names exist, without data", () => {
    expect(kinds.askText("x.ent.example. A")).toMatchObject({
      rcode: "NOERROR",
      answer: [],
      authority: [expect.any(String)],
    });
  });

  test("§4.4 a wildcard CNAME whose target does not exist", () => {
    expect(kinds.askText("x.deep.example. A")).toMatchObject({
      rcode: "NXDOMAIN",
      answer: ["x.deep.example. 60 CNAME x.gone.example."],
    });
  });

  test("§4.6 SRV: the target's addresses come with it", () => {
    expect(kinds.askText("_smb._tcp.srv.example. SRV")).toMatchObject({
      answer: ["_smb._tcp.srv.example. 60 SRV 0 0 445 host.target.example."],
      additional: ["host.target.example. 60 A 192.0.2.2"],
    });
  });

  test("a delegation beside a wildcard is not covered by it", () => {
    expect(kinds.askText("x.deleg.cut.example. A")).toMatchObject({
      flags: "",
      authority: ["deleg.cut.example. 60 NS ns.example."],
    });
    expect(kinds.askText("x.other.cut.example. A")).toMatchObject({
      answer: ["x.other.cut.example. 60 A 192.0.2.7"],
    });
  });
});
