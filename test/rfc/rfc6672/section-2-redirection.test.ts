/** RFC 6672: DNAME redirection. */
import { describe, expect, test } from "vitest";
import { Name } from "../../../src/wire/name.ts";
import { serve } from "../../support/zones.ts";

const label63 = "l".repeat(63);
/** 64 + 64 + 64 octets of labels: below moved.example. it fits, below a longer target it does not. */
const long = `${label63}.${label63}.${label63}`;

const ZONE = `
$TTL 60
@              SOA    ns h 1 900 300 86400 60
               NS     ns
ns             A      192.0.2.1
moved          DNAME  new
moved          A      192.0.2.2
host.new       A      192.0.2.3
www.new        CNAME  host.new
*.wild.new     A      192.0.2.4
out            DNAME  elsewhere.test.
cross          DNAME  other.test.
lengthy        DNAME  ${"t".repeat(60)}.example.
ring1          DNAME  ring2
ring2          DNAME  ring1
same           DNAME  same
deeper         DNAME  x.deeper
toname         CNAME  www.moved
cutname        DNAME  sub
sub            NS     ns.sub
ns.sub         A      192.0.2.5
`;
const OTHER = `
$TTL 60
@              SOA    ns.example. h 1 900 300 86400 60
               NS     ns.example.
host           A      192.0.2.9
`;
const APEX = `
$TTL 60
@              SOA    ns.example. h 1 900 300 86400 60
               NS     ns.example.
               DNAME  new.example.
`;
const SOA = "example. 60 SOA ns.example. h.example. 1 900 300 86400 60";
const served = serve(["example.", ZONE], ["other.test.", OTHER], ["apex.test.", APEX]);

describe("RFC 6672", () => {
  test.each([
    [
      "§2.2 a name below the owner is redirected, with a CNAME for old resolvers (§3.1)",
      "host.moved.example. A",
      [
        "host.moved.example. 60 CNAME host.new.example.",
        "host.new.example. 60 A 192.0.2.3",
        "moved.example. 60 DNAME new.example.",
      ],
    ],
    ["§2.3 the owner itself is not", "moved.example. A", ["moved.example. 60 A 192.0.2.2"]],
    [
      "§2.3 the owner's DNAME can be asked for",
      "moved.example. DNAME",
      ["moved.example. 60 DNAME new.example."],
    ],
    [
      "CNAME below the owner: the one that the DNAME makes is the answer, whether its target exists or not",
      "gone.moved.example. CNAME",
      ["gone.moved.example. 60 CNAME gone.new.example.", "moved.example. 60 DNAME new.example."],
    ],
    [
      "ANY below the owner: likewise",
      "gone.moved.example. ANY",
      ["gone.moved.example. 60 CNAME gone.new.example.", "moved.example. 60 DNAME new.example."],
    ],
    [
      "out of all zones",
      "a.b.out.example. A",
      ["a.b.out.example. 60 CNAME a.b.elsewhere.test.", "out.example. 60 DNAME elsewhere.test."],
    ],
    [
      "into another zone",
      "host.cross.example. A",
      [
        "cross.example. 60 DNAME other.test.",
        "host.cross.example. 60 CNAME host.other.test.",
        "host.other.test. 60 A 192.0.2.9",
      ],
    ],
    [
      "to a CNAME",
      "www.moved.example. A",
      [
        "host.new.example. 60 A 192.0.2.3",
        "moved.example. 60 DNAME new.example.",
        "www.moved.example. 60 CNAME www.new.example.",
        "www.new.example. 60 CNAME host.new.example.",
      ],
    ],
    [
      "from a CNAME",
      "toname.example. A",
      [
        "host.new.example. 60 A 192.0.2.3",
        "moved.example. 60 DNAME new.example.",
        "toname.example. 60 CNAME www.moved.example.",
        "www.moved.example. 60 CNAME www.new.example.",
        "www.new.example. 60 CNAME host.new.example.",
      ],
    ],
    [
      "to a name that a wildcard covers",
      "x.wild.moved.example. A",
      [
        "moved.example. 60 DNAME new.example.",
        "x.wild.moved.example. 60 CNAME x.wild.new.example.",
        "x.wild.new.example. 60 A 192.0.2.4",
      ],
    ],
    [
      "§2.3 at the apex: the names below move",
      "host.apex.test. A",
      [
        "apex.test. 60 DNAME new.example.",
        "host.apex.test. 60 CNAME host.new.example.",
        "host.new.example. 60 A 192.0.2.3",
      ],
    ],
    ["§2.3 at the apex: the apex does not", "apex.test. NS", ["apex.test. 60 NS ns.example."]],
  ])("%s", (_what, question, answer) => {
    expect(served.askText(question)).toMatchObject({ rcode: "NOERROR", flags: "aa", answer });
  });

  test("the case of the redirected labels is the question's", () => {
    expect(served.askText("HoSt.MoVeD.example. A").answer).toContain(
      "HoSt.MoVeD.example. 60 CNAME HoSt.new.example.",
    );
  });

  test("§2.2 a name that becomes too long: YXDOMAIN, with the DNAME that says why", () => {
    expect(Name.parse(`${long}.lengthy.example.`).wire.length).toBeLessThan(255);
    expect(served.askText(`${long}.lengthy.example. A`)).toEqual({
      rcode: "YXDOMAIN",
      flags: "aa",
      answer: [`lengthy.example. 60 DNAME ${"t".repeat(60)}.example.`],
      authority: [],
      additional: [],
    });
  });

  test("a target that does not exist: NXDOMAIN with both records and the SOA", () => {
    expect(served.askText("gone.moved.example. A")).toEqual({
      rcode: "NXDOMAIN",
      flags: "aa",
      answer: ["gone.moved.example. 60 CNAME gone.new.example.", "moved.example. 60 DNAME new.example."],
      authority: [SOA],
      additional: [],
    });
  });

  test("a target below a zone cut: a referral after the redirection", () => {
    expect(served.askText("a.cutname.example. A")).toEqual({
      rcode: "NOERROR",
      flags: "aa",
      answer: ["a.cutname.example. 60 CNAME a.sub.example.", "cutname.example. 60 DNAME sub.example."],
      authority: ["sub.example. 60 NS ns.sub.example."],
      additional: ["ns.sub.example. 60 A 192.0.2.5"],
    });
  });

  test("DNAMEs in a ring end when the first name comes again", () => {
    expect(served.askText("a.ring1.example. A")).toMatchObject({
      rcode: "NOERROR",
      answer: [
        "a.ring1.example. 60 CNAME a.ring2.example.",
        "a.ring2.example. 60 CNAME a.ring1.example.",
        "ring1.example. 60 DNAME ring2.example.",
        "ring2.example. 60 DNAME ring1.example.",
      ],
    });
    expect(served.askText("a.same.example. A").answer).toEqual([
      "a.same.example. 60 CNAME a.same.example.",
      "same.example. 60 DNAME same.example.",
    ]);
  });

  test("a DNAME to below itself ends in YXDOMAIN or after a bounded number of steps", () => {
    const { answer } = served.askText("a.deeper.example. A", { tcp: true });
    expect(answer.filter((rr) => rr.includes(" CNAME "))).toHaveLength(16);
    expect(served.askText(`${"x".repeat(30)}.${long}.deeper.example. A`, { tcp: true }).rcode).toBe(
      "YXDOMAIN",
    );
  });
});
