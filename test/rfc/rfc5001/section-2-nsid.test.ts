/** RFC 5001: the name server identifier. */
import { describe, expect, test } from "vitest";
import { imageOf, nsid, Served } from "../../support/zones.ts";

const image = imageOf("example.", "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\n");
const served = new Served([image], "ns1.site-a");
const edns = { payload: 1232 };

describe("RFC 5001 §2", () => {
  test("asked for: given, whatever the RCODE", () => {
    for (const question of ["example. SOA", "gone.example. A", "elsewhere.test. A"]) {
      const option = served
        .ask(question, { edns, options: [nsid] })
        .edns?.options.find(({ code }) => code === 3);
      expect(new TextDecoder().decode(option?.data)).toBe("ns1.site-a");
    }
  });

  test("not asked for: not given", () => {
    expect(served.ask("example. SOA", { edns }).edns?.options).toEqual([]);
  });

  test("asked of a server without an identity: not given", () => {
    const nameless = new Served([image], "");
    expect(nameless.ask("example. SOA", { edns, options: [nsid] }).edns?.options).toEqual([]);
  });

  test("beside other options, and with data that are to be ignored", () => {
    const options = [
      { code: 10, data: new Uint8Array(8) },
      { code: 3, data: Uint8Array.of(1, 2) },
    ];
    expect(served.ask("example. SOA", { edns, options }).edns?.options).toHaveLength(1);
  });

  test("a very long identity never makes an answer too long", () => {
    const wordy = new Served([image], "i".repeat(1000));
    const name = `${"l".repeat(63)}.${"l".repeat(63)}.${"l".repeat(63)}.${"m".repeat(61)}.`;
    for (const question of ["example. SOA", "gone.example. A", `${name} A`]) {
      const { edns: got } = wordy.ask(question, { edns: { payload: 512 }, options: [nsid] });
      expect(got?.options[0]?.code).toBe(3);
    }
  });
});
