/** Transfers asked for by hand with dig and kdig: whole and by difference, over TCP and UDP, plain and signed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { axfr, dig, kdig, nsupdate } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import type { KeyText } from "../support/secondary.ts";
import { keyClause } from "../support/secondary.ts";

const ZONE = "tools.example";
const key: KeyText = {
  name: "tools.xfr.example",
  algorithm: "hmac-sha256",
  secret: Buffer.alloc(32, 9).toString("base64"),
};
const signed = ["-y", `${key.algorithm}:${key.name}:${key.secret}`];

const soa = (serial: number): string =>
  `${ZONE}. 300 IN SOA ns1.${ZONE}. hostmaster.${ZONE}. ${serial} 900 60 1209600 30`;
const soa1 = soa(1);
const soa3 = soa(3);
const whole = [
  `fs1.${ZONE}. 60 IN A 198.51.100.1`,
  `fs2.${ZONE}. 300 IN A 192.0.2.2`,
  `ns1.${ZONE}. 300 IN A 192.0.2.53`,
  `ns1.${ZONE}. 300 IN AAAA 2001:db8::53`,
  `${ZONE}. 300 IN NS ns1.${ZONE}.`,
  soa3,
];
/** Both changes condensed into one difference. */
const difference = [
  soa3,
  soa1,
  `fs1.${ZONE}. 300 IN A 192.0.2.1`,
  soa3,
  `fs1.${ZONE}. 60 IN A 198.51.100.1`,
  soa3,
];

describeWith(["dig", "kdig", "nsupdate"], "transfers by dig and kdig", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await RollcallServer.start({
      files: { "tools.zone": SMALL_ZONE, "keys.conf": keyClause(key) },
      config: `keys = ["keys.conf"]
[[zone]]
name = "${ZONE}"
file = "tools.zone"
transfer = [{ net = "127.0.0.1/32" }, { key = "${key.name}" }]
[[zone.update]]
net = "127.0.0.0/8"
`,
    });
    const changes = [
      [`update delete fs1.${ZONE}. A`, `update add fs1.${ZONE}. 60 A 203.0.113.1`, "send"],
      [`update delete fs1.${ZONE}. A`, `update add fs1.${ZONE}. 60 A 198.51.100.1`, "send"],
    ];
    const { failures } = await nsupdate(server, [`zone ${ZONE}`, ...changes.flat()]);
    if (failures.length > 0) throw new Error(failures.join());
  });
  afterAll(() => server?.remove());

  test.each([
    ["plain", []],
    ["signed", signed],
  ] as const)("RFC 5936: dig AXFR +onesoa, %s", async (_, options) => {
    const lines = await axfr(server, ZONE, ...options);
    expect(lines.filter((line) => !line.includes(" TSIG "))).toEqual(whole);
  });

  test.each([
    ["plain", []],
    ["signed", signed],
  ] as const)("RFC 5936: kdig AXFR, %s", async (_, options) => {
    // kdig checks the signature itself, and warns.
    const { text } = await kdig(server, ZONE, "AXFR", ...options);
    const lines = records(text);
    expect(lines[0]).toBe(soa3);
    expect(lines.slice(1).toSorted()).toEqual(whole);
    expect(text).not.toMatch(/^;; (WARNING|ERROR)/m);
  });

  test.each([
    ["plain, over TCP", ["+tcp"]],
    ["plain, over UDP", ["+notcp"]],
    ["signed, over TCP", ["+tcp", ...signed]],
    ["signed, over UDP", ["+notcp", ...signed]],
  ])("RFC 1995 §4: dig IXFR, %s", async (_, options) => {
    const { text } = await dig(server, ZONE, "IXFR=1", ...options);
    expect(records(text)).toEqual(difference);
    expect(text).not.toMatch(/WARNING|failed|verify/i);
  });

  test.each([
    ["plain, over TCP", ["+tcp"]],
    ["plain, over UDP", ["+notcp"]],
    ["signed, over TCP", ["+tcp", ...signed]],
    ["signed, over UDP", ["+notcp", ...signed]],
  ])("RFC 1995 §4: kdig IXFR, %s", async (_, options) => {
    const { text } = await kdig(server, ZONE, "IXFR=1", ...options);
    expect(records(text)).toEqual(difference);
    expect(text).not.toMatch(/^;; (WARNING|ERROR)/m);
  });

  test.each(["+tcp", "+notcp"])(
    "RFC 1995 §2: whoever is current gets the SOA alone: dig %s",
    async (transport) => {
      expect(records((await dig(server, ZONE, "IXFR=3", transport)).text)).toEqual([soa3]);
    },
  );

  test("RFC 1995 §4: a serial of no history gets the whole zone", async () => {
    const lines = records((await dig(server, ZONE, "IXFR=4294967000", "+tcp")).text);
    expect(lines[0]).toBe(soa3);
    expect(lines.slice(1).toSorted()).toEqual(whole);
  });

  test("RFC 1995 §2: what does not fit over UDP is the SOA alone, to come again over TCP", async () => {
    expect(records((await dig(server, ZONE, "IXFR=4294967000", "+notcp")).text)).toEqual([soa3]);
  });
});

/** The records printed, in their order, single blanks between, without TSIG. */
function records(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(";") && !/\sTSIG\s/.test(line))
    .map((line) => line.replaceAll(/\s+/g, " ").trim());
}
