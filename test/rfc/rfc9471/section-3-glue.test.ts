/** RFC 9471: a referral carries all the glue it needs, or TC. */
import { describe, expect, test } from "vitest";
import { serve } from "../../support/zones.ts";

/** A delegation of `sub` to `count` servers within it and `outside` servers elsewhere in the zone, each with A and AAAA. */
function zone(count: number, outside: number): string {
  let text = "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\n";
  for (let i = 0; i < count; i++)
    text += `sub NS ns${i}.sub\nns${i}.sub A 192.0.2.${i}\nns${i}.sub AAAA 2001:db8::${i}\n`;
  for (let i = 0; i < outside; i++)
    text += `sub NS out${i}\nout${i} A 198.51.100.${i}\nout${i} AAAA 2001:db8:1::${i}\n`;
  return text;
}

const EDNS = { edns: { payload: 1232 } };

describe("RFC 9471", () => {
  test("§3.1 all addresses of servers within the delegated zone are there", () => {
    const message = serve(["example.", zone(4, 0)]).ask("www.sub.example. A");
    expect(message.authorities).toHaveLength(4);
    expect(message.additionals).toHaveLength(8);
    expect(message.header.flags & 0x0600).toBe(0);
  });

  test("§3.1 they do not fit: TC, and by TCP they are all there", () => {
    const served = serve(["example.", zone(12, 0)]);
    expect(served.askText("www.sub.example. A")).toMatchObject({
      flags: "tc",
      authority: [],
      additional: [],
    });
    const message = served.ask("www.sub.example. A", { tcp: true });
    expect(message.authorities).toHaveLength(12);
    expect(message.additionals).toHaveLength(24);
  });

  test("§3.1 there is no other bound on them than the message's size", () => {
    expect(serve(["example.", zone(20, 0)]).ask("sub.example. NS", { tcp: true }).additionals).toHaveLength(
      40,
    );
  });

  test("§3.2 servers elsewhere: as many of their addresses as fit, never TC", () => {
    const served = serve(["example.", zone(0, 12)]);
    const message = served.ask("www.sub.example. A");
    expect(message.authorities).toHaveLength(12);
    expect(message.header.flags & 0x0600).toBe(0);
    expect(message.additionals.length).toBeGreaterThan(0);
    expect(served.ask("www.sub.example. A", EDNS).additionals).toHaveLength(24);
  });

  test("§3.1 servers within the zone come first, whatever the order of the NS records", () => {
    const served = serve(["example.", zone(2, 9)]);
    for (let i = 0; i < 50; i++) {
      const { flags, additional } = served.askText("www.sub.example. A");
      expect(flags).toBe("");
      expect(additional.filter((rr) => rr.includes(".sub.example. "))).toHaveLength(4);
    }
  });

  test("a server whose glue is missing is not waited for", () => {
    const text = "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\nsub NS ns.sub\n";
    expect(serve(["example.", text]).askText("a.sub.example. A")).toMatchObject({
      flags: "",
      authority: ["sub.example. 60 NS ns.sub.example."],
      additional: [],
    });
  });

  test("a server named in another case is within the zone all the same", () => {
    const text =
      "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\nsub NS NS.Sub.EXAMPLE.\nns.sub A 192.0.2.9\n";
    expect(serve(["example.", text]).askText("a.SUB.example. A").additional).toEqual([
      "NS.Sub.EXAMPLE. 60 A 192.0.2.9",
    ]);
  });
});
