/** Ageing under an injected clock: what goes and when, what keeps it, what a start, a crash and a reload do to it. */
import { afterEach, describe, expect, test } from "vitest";
import type { UpdateRule } from "../../../src/auth/update-rule.ts";
import { parseNamePattern } from "../../../src/auth/update-rule.ts";
import { Name } from "../../../src/wire/name.ts";
import { ORIGIN } from "../../support/rr.ts";
import { DAY, HOUR, Registry, RULES, START } from "../../support/registry.ts";

const everybody: UpdateRule[] = [
  { index: 1, key: Name.parse("terraform"), allow: true, static: true },
  // Names that are guarded have to be granted by name.
  {
    index: 2,
    key: Name.parse("host"),
    names: ["@", "ns1", "ns9", "*"].map((name) => parseNamePattern(name, ORIGIN)),
    allow: true,
  },
  { index: 3, key: Name.parse("reader"), names: [], allow: true },
];
const STATIC = ["ns1 300 A 192.0.2.53", "fs1 300 A 192.0.2.1"];
const NODE = "node1 1200 IN A 192.0.2.11";
const node = "node1.smb.example. 1200 A 192.0.2.11";
const statics = ["fs1.smb.example. 300 A 192.0.2.1", "ns1.smb.example. 300 A 192.0.2.53"];

// Days are 24 hours, and the wall's clock that of the sums below.
process.env["TZ"] = "UTC";

const srv = (host: string): string => `_ldap._tcp 600 IN SRV 0 100 389 ${host}`;

let registry: Registry;
function open(options: { ageing?: typeof RULES | undefined; records?: readonly string[] } = {}): Registry {
  registry = new Registry({ ageing: RULES, rules: everybody, records: STATIC, ...options });
  return registry;
}
afterEach(() => registry.remove());

/** Passes days, each with its round at 04:00 local time and at noon. */
async function days(count: number): Promise<void> {
  for (let day = 0; day < count; day++) {
    await registry.pass(16 * HOUR);
    await registry.pass(8 * HOUR);
  }
}

async function departures(within?: number) {
  const found = await registry.ageing.departures(
    ORIGIN,
    within === undefined ? undefined : registry.now + within,
  );
  const records = [];
  for await (const piece of found!.records) records.push(...piece);
  return records.map(({ record, goes }) => [record.name.toString(), (goes - START) / HOUR] as const);
}

describe("scavenging", () => {
  test("takes what nobody refreshed for both intervals, at the time of day, and nothing static", async () => {
    open();
    await registry.add([NODE]);
    await days(13);
    expect(registry.records).toContain(node);
    await registry.pass(14 * HOUR); // 02:00 of the 15th day: stale at noon before
    expect(registry.records).toContain(node);
    await days(1);
    expect(registry.records).toEqual(statics);
    expect(registry.ageing.counters.removed).toBe(1);
  });

  test("is an ordinary change: a serial, an entry of the history, a difference for secondaries", async () => {
    open();
    await registry.add([NODE]);
    await days(16);
    expect(registry.serial).toBe(3);
    const [entry] = registry.store.history(ORIGIN, { limit: 1 });
    expect(entry).toMatchObject({
      serialBefore: 2,
      serialAfter: 3,
      origin: { cause: "ageing", actor: { kind: "server", name: "ageing" }, note: "not refreshed in time" },
    });
    const chain = registry.store.changesSince(ORIGIN, 2)!;
    expect(chain.map(({ removed, added }) => [removed.length, added.length])).toEqual([[1, 0]]);
  });

  test("takes many in bounded changesets, and lets updates in between", async () => {
    open();
    const lines = Array.from({ length: 1300 }, (_, i) => `h${i} 300 IN A 192.0.2.1`);
    for (let at = 0; at < lines.length; at += 100) await registry.add(lines.slice(at, at + 100));
    const before = registry.serial;
    registry.now += 16 * DAY;
    const round = registry.ageing.round();
    expect((await registry.add(["late 300 IN A 192.0.2.9"])).rcode).toBe("NOERROR");
    await round;
    expect(registry.records).toEqual([statics[0], "late.smb.example. 300 A 192.0.2.9", statics[1]]);
    expect(registry.serial).toBe(before + 3 + 1);
  });

  test("spares the apex, delegations and the addresses of the zone's name servers", async () => {
    open();
    await registry.add([
      "@ 300 IN TXT v",
      "@ 300 IN NS ns9",
      "ns9 300 IN A 192.0.2.9",
      "sub 300 IN NS ns.sub",
      "ns.sub 300 IN A 192.0.2.8",
    ]);
    await days(17);
    expect(registry.records).toEqual([
      statics[0],
      statics[1],
      "ns9.smb.example. 300 A 192.0.2.9",
      "sub.smb.example. 300 NS ns.sub.smb.example.",
    ]);
    expect(registry.zones.get(ORIGIN)!.view.rrset(ORIGIN, 16)).toBeDefined();
    expect(await departures(365 * DAY)).toEqual([]);
  });

  test("takes one record of an RRset and leaves those that are refreshed", async () => {
    open();
    await registry.add([srv("dc1"), srv("dc2")]);
    await days(8);
    await registry.add([srv("dc2")]);
    await days(8);
    expect(registry.records.filter((line) => line.includes("SRV"))).toEqual([
      "_ldap._tcp.smb.example. 600 SRV 0 100 389 dc2.smb.example.",
    ]);
  });

  test("on demand takes what is stale, at any time of day", async () => {
    open();
    await registry.add([NODE]);
    registry.now += 14 * DAY;
    const actor = { kind: "operator", name: "ada" } as const;
    expect(await registry.ageing.scavenge(ORIGIN, { actor })).toMatchObject({ removed: 1 });
    const [entry] = registry.store.history(ORIGIN, { limit: 1 });
    expect(entry!.origin).toMatchObject({ cause: "ageing", actor });
  });

  test("what was refreshed after it was found stale stays", async () => {
    open();
    await registry.add([NODE]);
    registry.now += 14 * DAY;
    const refreshed = registry.add([NODE]); // before the removal in the queue, and in the same turn
    const removed = registry.ageing.scavenge(ORIGIN, { actor: { kind: "operator", name: "ada" } });
    expect((await refreshed).rcode).toBe("NOERROR");
    expect(await removed).toMatchObject({ removed: 0 });
    expect(registry.records).toContain(node);
  });
});

describe("what refreshes", () => {
  test.each([
    ["adding it again", { updates: [NODE] }],
    ["deleting and adding it, as Windows does", { updates: ["node1 0 ANY A", NODE] }],
    [
      "a probe with nothing but prerequisites, as Windows sends",
      { prerequisites: ["node1 0 NONE CNAME", "node1 0 IN A 192.0.2.11"] },
    ],
    ["an update that changes something else of it", { updates: [NODE, "node1 1200 IN AAAA 2001:db8::11"] }],
    [
      "a prerequisite of an update, as DHCP servers assert their DHCID",
      { prerequisites: ["node1 0 IN A 192.0.2.11"], updates: ["node1 1200 IN AAAA 2001:db8::11"] },
    ],
    ["another TTL", { updates: ["node1 600 IN A 192.0.2.11"] }],
  ])("%s", async (_, parts) => {
    open();
    await registry.add([NODE]);
    await days(8);
    expect((await registry.update(parts)).rcode).toBe("NOERROR");
    await days(13);
    expect(registry.records.some((line) => line.includes("192.0.2.11"))).toBe(true);
    await days(3);
    expect(registry.records).toEqual(statics);
  });

  test.each([
    ["an update of another record of the name", { updates: ["node1 1200 IN AAAA 2001:db8::11"] }, "key host"],
    ["a prerequisite that does not say what it is", { prerequisites: ["node1 0 ANY A"] }, "key host"],
    ["who may not change it", { updates: [NODE] }, "key reader"],
    ["a prerequisite of who may not change it", { prerequisites: ["node1 0 IN A 192.0.2.11"] }, "key reader"],
    [
      "an update that is refused",
      { prerequisites: ["node1 0 IN A 192.0.2.11", "gone 0 ANY A"], updates: [NODE] },
      "key host",
    ],
  ])("not: %s", async (_, parts, who) => {
    open();
    await registry.add([NODE]);
    await days(8);
    await registry.update(parts, who);
    await days(8);
    expect(registry.records.filter((line) => line.includes("192.0.2.11"))).toEqual([]);
  });

  test("takes no serial, and within the no-refresh interval writes nothing", async () => {
    open();
    await registry.add([NODE]);
    for (let day = 0; day < 6; day++) {
      await registry.add([NODE]);
      await registry.pass(DAY);
    }
    expect(registry.serial).toBe(2);
    expect(registry.ageing.counters).toMatchObject({ refreshes: 6, written: 0 });
    await registry.pass(DAY);
    await registry.add([NODE]);
    await registry.add([NODE]);
    await registry.pass(60_000);
    expect(registry.ageing.counters).toMatchObject({ refreshes: 8, written: 1 });
  });

  test("and never turns a static record into one that ages", async () => {
    open();
    for (const line of ["fs1 300 IN A 192.0.2.1", "fs1 60 IN A 192.0.2.1"]) await registry.add([line]);
    await days(20);
    expect(registry.records).toContain("fs1.smb.example. 60 A 192.0.2.1");
  });

  test("a neighbour's new TTL neither refreshes a record nor makes it static", async () => {
    open();
    await registry.add([NODE]);
    await days(8);
    await registry.add(["node1 60 IN A 192.0.2.12"]);
    await days(8);
    expect(registry.records.filter((line) => line.startsWith("node1"))).toEqual([
      "node1.smb.example. 60 A 192.0.2.12",
    ]);
  });
});

describe("what never ages", () => {
  test("records of a rule with static = true, even when a host names them again", async () => {
    open();
    await registry.add(["app 300 IN A 192.0.2.40"], "key terraform");
    await registry.add(["app 300 IN A 192.0.2.40"]);
    await days(20);
    expect(registry.records).toContain("app.smb.example. 300 A 192.0.2.40");
  });

  test("anything, where the zone does not say that it ages", async () => {
    open({ ageing: undefined });
    await registry.add([NODE]);
    await days(40);
    expect(registry.records).toContain(node);
    expect(await registry.ageing.departures(ORIGIN)).toBeUndefined();
  });
});

describe("leases (RFC 9664 §6)", () => {
  test("end to the second, not at the time of day, and say so in the history", async () => {
    open();
    expect(await registry.add([NODE], "key host", { lease: 7200 })).toMatchObject({ lease: { lease: 7200 } });
    await registry.pass(7_199_000);
    expect(registry.records).toContain(node);
    await registry.pass(1000);
    expect(registry.records).toEqual(statics);
    expect(registry.store.history(ORIGIN, { limit: 1 })[0]!.origin.note).toBe("lease ended");
  });

  test("begin anew with every refresh, without a serial", async () => {
    open();
    await registry.add([NODE], "key host", { lease: 3600 });
    for (let i = 0; i < 5; i++) {
      await registry.pass(50 * 60_000);
      await registry.add([NODE], "key host", { lease: 3600 });
    }
    expect(registry.serial).toBe(2);
    await registry.pass(3_599_000);
    expect(registry.records).toContain(node);
    await registry.pass(1000);
    expect(registry.records).toEqual(statics);
  });

  test("are within the zone's bounds, in the variant asked for", async () => {
    open();
    expect((await registry.add([NODE], "key host", { lease: 1 })).lease).toEqual({ lease: 30 });
    expect(
      (await registry.add([NODE], "key host", { lease: 4_294_967_295, keyLease: 4_294_967_295 })).lease,
    ).toEqual({
      lease: 86_400,
      keyLease: 604_800,
    });
  });

  test("of KEY records are their own", async () => {
    open();
    await registry.add([NODE, "node1 1200 IN KEY \\# 5 0200030DFF"], "key host", {
      lease: 3600,
      keyLease: 86_400,
    });
    await registry.pass(3_600_000);
    expect(registry.records.filter((line) => line.startsWith("node1"))).toEqual([
      "node1.smb.example. 1200 KEY \\# 5 0200030DFF",
    ]);
    await registry.pass(82_800_000);
    expect(registry.records).toEqual(statics);
  });

  test("outlive scavenging, and end though the zone's own intervals are longer", async () => {
    open({ ageing: { ...RULES, noRefresh: HOUR, refresh: HOUR } });
    await registry.add([NODE], "key host", { lease: 86_400 });
    await registry.pass(20 * HOUR);
    expect(registry.records).toContain(node);
    await registry.pass(4 * HOUR);
    expect(registry.records).toEqual(statics);
  });

  test("give way to the zone's intervals, when the client asks for none any more", async () => {
    open();
    await registry.add([NODE], "key host", { lease: 3600 });
    await registry.add([NODE]);
    await days(10);
    expect(registry.records).toContain(node);
  });

  test("hold though a refresh without one, in the same second before, was not written yet", async () => {
    open();
    await registry.add([NODE]);
    await registry.add([NODE]);
    await registry.add(["node1 60 IN A 192.0.2.11"], "key host", { lease: 3600 });
    await registry.pass(3_600_000);
    expect(registry.records).toEqual(statics);
  });

  test("no client gets where the zone does not age", async () => {
    open({ ageing: undefined });
    expect((await registry.add([NODE], "key host", { lease: 60 })).lease).toBeUndefined();
    await days(2);
    expect(registry.records).toContain(node);
  });

  test("of the zone's name servers end without a record going, and without keeping others", async () => {
    open();
    await registry.add(["ns1 300 IN A 192.0.2.54", "@ 300 IN TXT v", NODE], "key host", { lease: 60 });
    await registry.pass(60_000);
    expect(registry.records).toEqual([
      statics[0],
      "ns1.smb.example. 300 A 192.0.2.53",
      "ns1.smb.example. 300 A 192.0.2.54",
    ]);
  });
});

test("wakes once a minute, when a lease ends, and at the time of day", async () => {
  open();
  await registry.pass(0);
  expect(registry.wakesIn).toBe(60_000);
  await registry.add([NODE], "key host", { lease: 50 });
  expect(registry.wakesIn).toBe(50_000);
  await registry.pass(20_000);
  expect(registry.wakesIn).toBe(30_000);
  await registry.add(["b 300 IN A 192.0.2.2"], "key host", { lease: 3600 });
  expect(registry.wakesIn).toBe(30_000);
  await registry.pass(15 * HOUR - 50_000);
  expect(registry.wakesIn).toBe(30_000);
  await registry.pass(30_000);
  expect(registry.wakesIn).toBe(60_000);
});

describe("a start", () => {
  test("keeps refreshes that were not written yet", async () => {
    open();
    await registry.add([NODE]);
    await days(8);
    await registry.add([NODE]);
    await registry.restart(1000);
    await days(12);
    expect(registry.records).toContain(node);
  });

  test("lets hosts refresh for as long as the server was away, before anything goes", async () => {
    open();
    await registry.add([NODE, "node2 1200 IN A 192.0.2.12"]);
    await registry.restart(16 * DAY); // both are stale by now, and could do nothing about it
    await days(6);
    expect(registry.records).toContain(node);
    await registry.add([NODE]);
    await days(2);
    expect(registry.records).toEqual([statics[0], node, statics[1]]);
  });

  test("once in a while does not put scavenging off for ever", async () => {
    open();
    await registry.add([NODE]);
    for (let week = 0; week < 3; week++) {
      await days(6);
      await registry.restart(60_000);
    }
    expect(registry.records).toEqual(statics);
  });

  test("begins every lease anew: none that was promised before a crash is cut short", async () => {
    open();
    await registry.add([NODE], "key host", { lease: 3600 });
    await registry.pass(3_500_000);
    await registry.add([NODE], "key host", { lease: 3600 });
    await registry.crash(1_000_000);
    await registry.pass(3_599_000);
    expect(registry.records).toContain(node);
    await registry.pass(1000);
    expect(registry.records).toEqual(statics);
  });
});

describe("a clock that is set", () => {
  test("forward, or a machine that was suspended, takes nothing before hosts could refresh", async () => {
    open();
    await registry.add([NODE, "node2 1200 IN A 192.0.2.12"]);
    await registry.pass(0);
    registry.setClock(16 * DAY);
    await days(6);
    expect(registry.records).toContain(node);
    await registry.add([NODE]);
    await days(2);
    expect(registry.records).toEqual([statics[0], node, statics[1]]);
  });

  test("forward cuts no lease short", async () => {
    open();
    await registry.add([NODE], "key host", { lease: 3600 });
    registry.setClock(2 * HOUR);
    await registry.pass(0);
    await registry.pass(3_599_000);
    expect(registry.records).toContain(node);
    await registry.pass(1000);
    expect(registry.records).toEqual(statics);
  });

  test("forward is seen by who scavenges by hand, too", async () => {
    open();
    await registry.add([NODE]);
    registry.setClock(16 * DAY);
    const actor = { kind: "operator", name: "ada" } as const;
    const notBefore = registry.now + 7 * DAY;
    expect(await registry.ageing.scavenge(ORIGIN, { actor })).toEqual({ removed: 0, notBefore });
  });

  test("back goes on ageing what is refreshed, and scavenges at the next time of day", async () => {
    open();
    registry.setClock(1000 * DAY);
    await registry.pass(0);
    await registry.add([NODE], "key host");
    await registry.pass(0);
    registry.setClock(-1000 * DAY);
    await registry.pass(0);
    await registry.add([NODE], "key host");
    await days(13);
    expect(registry.records).toContain(node);
    await days(3);
    expect(registry.records).toEqual(statics);
  });

  test("back while the server was away puts nothing off for longer than a refresh interval", async () => {
    open();
    registry.setClock(1000 * DAY);
    await registry.restart(0);
    await registry.pass(0);
    await registry.restart(-1000 * DAY);
    await registry.add([NODE]);
    await days(13);
    expect(registry.records).toContain(node);
    await days(3);
    expect(registry.records).toEqual(statics);
  });

  test("back gives a lease that was begun before no more than its length", async () => {
    open();
    await registry.add([NODE], "key host", { lease: 3600 });
    registry.setClock(-100 * DAY);
    await registry.pass(0);
    await registry.add([NODE], "key host", { lease: 3600 });
    await registry.pass(3_599_000);
    expect(registry.records).toContain(node);
    await registry.pass(1000);
    expect(registry.records).toEqual(statics);
  });

  test("by the seconds that NTP moves it by changes nothing", async () => {
    open();
    await registry.add([NODE]);
    await days(13);
    registry.setClock(30_000);
    await days(2);
    expect(registry.records).toEqual(statics);
    expect(registry.log.filter(({ msg }) => msg === "the clock was set")).toEqual([]);
  });
});

describe("a reload", () => {
  test("that switches ageing on gives what updates had added a refresh interval first", async () => {
    open({ ageing: undefined });
    await registry.add([NODE]);
    await days(100);
    registry.configure(everybody, RULES);
    await days(6);
    expect(registry.records).toContain(node);
    await days(2);
    expect(registry.records).toEqual(statics);
  });

  test("that switches it off keeps everything, and forgets when it was on", async () => {
    open();
    await registry.add([NODE]);
    await days(13);
    registry.configure(everybody, undefined);
    await days(3);
    registry.configure(everybody, RULES);
    await days(6);
    expect(registry.records).toContain(node);
  });
});

describe("what would go", () => {
  test("is listed in canonical order with its time, refreshes that are not written yet among what counts", async () => {
    open();
    await registry.add(["b 300 IN A 192.0.2.2"]);
    await registry.add(["a 300 IN A 192.0.2.1"], "key host", { lease: 7200 });
    await registry.add(["c 300 IN A 192.0.2.3"]);
    expect(await departures()).toEqual([["a.smb.example.", 2]]);
    registry.now += 8 * DAY;
    await registry.add(["c 300 IN A 192.0.2.3"]);
    expect(await departures(7 * DAY)).toEqual([
      ["a.smb.example.", 2],
      ["b.smb.example.", 14 * 24 + 15],
    ]);
    expect(await departures(20 * DAY)).toContainEqual(["c.smb.example.", 22 * 24 + 15]);
  });

  test("is found in a zone of many pieces", async () => {
    open({ records: Array.from({ length: 10_000 }, (_, i) => `h${i} 300 A 192.0.2.1`) });
    await registry.add(["h5000x 300 IN A 192.0.2.1", "h9 300 IN TXT x", "zz 300 IN A 192.0.2.1"]);
    registry.now += 13 * DAY + 16 * HOUR;
    expect((await departures(DAY)).map(([name]) => name)).toEqual([
      "h5000x.smb.example.",
      "h9.smb.example.",
      "zz.smb.example.",
    ]);
    await registry.ageing.round();
    await days(2);
    expect(registry.records).toHaveLength(10_000);
  });
});
