/** RFC 8482: ANY gets one RRset that is there. */
import { describe, expect, test } from "vitest";
import { serve } from "../../support/zones.ts";

const served = serve([
  "example.",
  "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\n MX 10 ns\n TXT a\nns A 192.0.2.1\nns AAAA 2001:db8::1\nns TXT b\na.ent A 192.0.2.2\nsub NS ns\n",
]);

describe("RFC 8482 §4.1", () => {
  test.each(["example.", "ns.example."])("%s: one RRset, whole", (name) => {
    const { rcode, flags, answer } = served.askText(`${name} ANY`);
    expect({ rcode, flags }).toEqual({ rcode: "NOERROR", flags: "aa" });
    expect(new Set(answer.map((rr) => rr.split(" ")[2])).size).toBe(1);
  });

  test("no data, name error and referral are as for any type", () => {
    expect(served.askText("ent.example. ANY")).toMatchObject({ rcode: "NOERROR", answer: [] });
    expect(served.askText("gone.example. ANY").rcode).toBe("NXDOMAIN");
    expect(served.askText("sub.example. ANY")).toMatchObject({
      flags: "",
      authority: ["sub.example. 60 NS ns.example."],
    });
  });
});
