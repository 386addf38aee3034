/** RFC 4035 §3.1.4.1: DS is answered from above the zone cut. */
import { describe, expect, test } from "vitest";
import { serve } from "../../support/zones.ts";

const HEAD = "$TTL 60\n@ SOA ns.example. h.example. 1 900 300 86400 60\n NS ns.example.\n";
const PARENT = `${HEAD}ns A 192.0.2.1
signed NS ns.signed
signed DS 1 13 2 ${"ab".repeat(32)}
ns.signed A 192.0.2.2
plain NS ns.plain
ns.plain A 192.0.2.3
`;
const CHILD = `${HEAD}www A 192.0.2.4\n`;
const soa = (apex: string): string => `${apex} 60 SOA ns.example. h.example. 1 900 300 86400 60`;

describe("RFC 4035 §3.1.4.1", () => {
  const both = serve(["example.", PARENT], ["signed.example.", CHILD], ["plain.example.", CHILD]);
  const parent = serve(["example.", PARENT]);
  const child = serve(["signed.example.", CHILD]);

  test("both sides of the cut are served: the parent answers, with authority", () => {
    expect(both.askText("signed.example. DS")).toMatchObject({
      flags: "aa",
      answer: [expect.stringContaining("signed.example. 60 DS 1 13 2")],
    });
    expect(both.askText("plain.example. DS")).toMatchObject({
      flags: "aa",
      answer: [],
      authority: [soa("example.")],
    });
  });

  test("only the parent is served: the same, and no referral", () => {
    expect(parent.askText("signed.example. DS")).toMatchObject({
      flags: "aa",
      answer: [expect.stringContaining(" DS ")],
    });
    expect(parent.askText("plain.example. DS")).toMatchObject({ flags: "aa", authority: [soa("example.")] });
    expect(parent.askText("below.signed.example. DS")).toMatchObject({ flags: "" });
  });

  test("only the child is served: no data, from the child", () => {
    expect(child.askText("signed.example. DS")).toMatchObject({
      rcode: "NOERROR",
      flags: "aa",
      authority: [soa("signed.example.")],
    });
  });

  test("a zone above the parent is served, not the parent: no data, from the child", () => {
    const root = `${HEAD}example. NS ns.example.\nns.example. A 192.0.2.1\n`;
    const gap = serve([".", root], ["signed.example.", CHILD]);
    expect(gap.askText("signed.example. DS")).toMatchObject({
      flags: "aa",
      answer: [],
      authority: [soa("signed.example.")],
    });
  });

  test("the parent is served but does not delegate: the child's apex exists", () => {
    const undelegated = serve(["example.", `${HEAD}ns A 192.0.2.1\n`], ["signed.example.", CHILD]);
    expect(undelegated.askText("signed.example. DS")).toMatchObject({
      rcode: "NOERROR",
      authority: [soa("signed.example.")],
    });
  });

  test("elsewhere DS is a type like any other", () => {
    expect(both.askText("www.signed.example. DS")).toMatchObject({
      flags: "aa",
      authority: [soa("signed.example.")],
    });
    expect(both.askText("example. DS")).toMatchObject({ flags: "aa", authority: [soa("example.")] });
    expect(both.askText("gone.example. DS").rcode).toBe("NXDOMAIN");
  });
});
