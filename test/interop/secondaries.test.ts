/**
 * BIND, Knot and NSD as secondaries of Rollcall: AXFR first (RFC 5936), then NOTIFY (RFC 1996) and IXFR (RFC 1995), plain
 * and signed (RFC 8945), through whatever happens to a zone and to a secondary. One list of cases for all three.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SecondaryReport } from "../../src/services/notifier.ts";
import { CHURN_RULE, CHURN_UPDATES, churn } from "../support/churn.ts";
import { dig, nsupdate, serialOf } from "../support/clients.ts";
import { addWithLease } from "../support/exchange.ts";
import { freePort } from "../support/free-port.ts";
import { knotd } from "../support/knotd.ts";
import { named } from "../support/named.ts";
import { nsd } from "../support/nsd.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import type { KeyText, SecondaryProgram, SecondaryZone } from "../support/secondary.ts";
import { keyClause, Secondary, zoneLines } from "../support/secondary.ts";

function key(name: string, algorithm: string, octet: number): KeyText {
  return { name, algorithm, secret: Buffer.alloc(64, octet).toString("base64") };
}
const sha256 = key("sha256.xfr.example", "hmac-sha256", 1);
const sha512 = key("sha512.xfr.example", "hmac-sha512", 2);
const shared = key("wrong.xfr.example", "hmac-sha256", 3);
/** What the secondary takes for it. */
const mistaken = key("wrong.xfr.example", "hmac-sha256", 4);

interface ZoneReport {
  readonly name: string;
  readonly secondaries: readonly SecondaryReport[];
}

/** A zone of a case: as the secondary has it, and what Rollcall has different. */
interface CaseZone extends SecondaryZone {
  readonly serial?: number;
  readonly primaryKey?: KeyText;
  /** Further lines of its `[[zone]]`. */
  readonly config?: string;
  readonly over?: "IPv6";
}

const zones = [
  { name: "first.example" },
  { name: "churn.example" },
  { name: "sha256.example", key: sha256 },
  { name: "sha512.example", key: sha512 },
  { name: "wrong.example", key: mistaken, primaryKey: shared },
  { name: "away.example" },
  { name: "short.example", config: `journal = { max_size = "4KiB" }` },
  { name: "import.example" },
  { name: "rollback.example" },
  { name: "aged.example", config: `[zone.ageing]\nmin_lease = "1s"` },
  { name: "wrap.example", serial: 4_294_967_295 },
  { name: "six.example", over: "IPv6" },
  { name: "udp.example", udp: true },
] as const satisfies readonly CaseZone[];

function zoneFile(serial: number): string {
  return SMALL_ZONE.replace("hostmaster 1 ", `hostmaster ${serial} `);
}

function zoneConfig(zone: CaseZone, ports: { v4: number; v6: number }): string {
  const target = zone.over === "IPv6" ? `[::1]:${ports.v6}` : `127.0.0.1:${ports.v4}`;
  const primaryKey = zone.primaryKey ?? zone.key;
  const signed = primaryKey === undefined ? "" : `key = "${primaryKey.name}", `;
  return `[[zone]]
name = "${zone.name}"
file = "serial${zone.serial ?? 1}.zone"
notify = [{ ${signed}address = "${target}" }]
transfer = [{ ${signed}net = "127.0.0.0/8" }, { ${signed}net = "::1/128" }]
${zone.config ?? ""}
${CHURN_RULE}`;
}

for (const program of [named, knotd, nsd]) {
  describeWith([program.name, "dig", "nsupdate"], `${program.name} as a secondary`, () => suite(program));
}

function suite(program: SecondaryProgram): void {
  let primary: RollcallServer;
  let secondary: Secondary;
  let secondary6: Secondary;

  beforeAll(async () => {
    const [port, v4, v6] = [await freePort(), await freePort(), await freePort("::1")];
    primary = await RollcallServer.start({
      // Its own port stays the same when it starts again.
      listen: [`127.0.0.1:${port}`, `[::1]:${port}`],
      files: {
        "serial1.zone": zoneFile(1),
        "serial4294967295.zone": zoneFile(4_294_967_295),
        "keys.conf": [sha256, sha512, shared].map(keyClause).join(""),
      },
      config: `keys = ["keys.conf"]\n${zones.map((zone) => zoneConfig(zone, { v4, v6 })).join("")}`,
    });
    [secondary, secondary6] = await Promise.all([
      Secondary.start(program, {
        primary: { address: "127.0.0.1", port },
        port: v4,
        zones: zones.filter((zone: CaseZone) => zone.over === undefined),
      }),
      Secondary.start(program, {
        primary: { address: "::1", port },
        address: "::1",
        port: v6,
        zones: zones.filter((zone: CaseZone) => zone.over === "IPv6"),
      }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([secondary?.remove(), secondary6?.remove()]);
    await primary?.remove();
  });

  test("RFC 5936: it fetches a new zone whole, by AXFR", async () => {
    const zone = "first.example";
    const transfers = await arrival(zone, 1);
    expect(transfers).toMatchObject([{ kind: "axfr", transport: "tcp", to: 1 }]);
    await expectSameZone(zone);
    expect(await reportAt(zone, 1)).toMatchObject({ address: `127.0.0.1:${secondary.port}`, serial: 1 });
  });

  test(`RFC 1995, RFC 1996: ${CHURN_UPDATES} updates of all sorts arrive by NOTIFY and IXFR alone`, async () => {
    const zone = "churn.example";
    await arrival(zone, 1);
    expect(await nsupdate(primary, churn(zone))).toMatchObject({ code: 0, failures: [] });
    const serial = 1 + CHURN_UPDATES;
    expect(await serialOf(primary, zone)).toBe(serial);
    expectChain(await arrival(zone, serial), 1, serial, secondary.restarts);
    await expectSameZone(zone);
    expect(await reportAt(zone, serial)).toMatchObject({
      serial,
      acknowledgedSerial: serial,
      state: "current",
    });
  });

  test.each([sha256, sha512])("RFC 8945: transfers and NOTIFY signed with $algorithm", async (signing) => {
    const zone = zones.find((each: CaseZone) => each.key === signing)!.name;
    await arrival(zone, 1);
    await update(zone, ["add signed 60 A 192.0.2.77"]);
    const transfers = await arrival(zone, 2);
    expectChain(transfers, 1, 2, secondary.restarts);
    const name = `${signing.name}.`;
    expect(transfers.map((line) => line["key"])).toEqual(transfers.map(() => name));
    await expectSameZone(zone, "-y", `${signing.algorithm}:${signing.name}:${signing.secret}`);
    // It takes a NOTIFY of this zone with this key only: an acknowledgement says that the signature held.
    expect(await reportAt(zone, 2)).toMatchObject({
      serial: 2,
      acknowledgedSerial: 2,
      key: name,
      state: "current",
    });
    // The rule asks for both the key and the network.
    expect((await dig(primary, zone, "AXFR")).text).toContain("Transfer failed");
  });

  test("RFC 8945: a wrong key gets nothing, in either direction", async () => {
    const zone = "wrong.example";
    const refused = await primary.logged(
      ({ msg, key: name }) => msg === "tsig refused" && name === `${mistaken.name}.`,
    );
    expect(refused).toMatchObject({ rcode: "NOTAUTH" });
    await update(zone, ["add more 60 A 192.0.2.77"]);
    // Nobody can tell whether an unsigned "bad signature" is its own: it is logged, and not taken for an answer.
    const report = await reportOf(zone, ({ lastError }) => lastError !== undefined);
    expect(report.lastError).toMatch(/^the answer to NOTIFY is not believed: .*BADSIG$/);
    expect(report.serial).toBeUndefined();
    expect(await serialOf(secondary, zone)).toBeNaN();
    expect(primary.log.filter((line) => line["msg"] === "transfer" && line["zone"] === `${zone}.`)).toEqual(
      [],
    );
  });

  test("a changed zone file, imported, arrives by IXFR", async () => {
    const zone = "import.example";
    await arrival(zone, 1);
    const file = join(primary.directory, "changed.zone");
    const changed = zoneFile(10).replace("192.0.2.2", "198.51.100.2").replace("ns1     IN", "ns1 600 IN");
    writeFileSync(file, `${changed}new IN AAAA 2001:db8::77\n`);
    expect(await primary.cli("zone", "import", zone, file)).toMatchObject({ code: 0, stderr: "" });
    expectChain(await arrival(zone, 10), 1, 10, secondary.restarts);
    await expectSameZone(zone);
    const { answer } = await dig(secondary, `new.${zone}`, "AAAA");
    expect(answer).toEqual([`new.${zone}. 300 IN AAAA 2001:db8::77`]);
  });

  test("a rollback arrives by IXFR", async () => {
    const zone = "rollback.example";
    await arrival(zone, 1);
    const before = await zoneLines(secondary, zone, program.keepsCase);
    await update(zone, ["delete fs1", "add fs3 60 A 192.0.2.3"]);
    await update(zone, ["delete fs2 A", "add fs2 60 CNAME fs3.example.net."]);
    await arrival(zone, 3);
    expect(await primary.cli("zone", "rollback", zone, "--to", "1", "--yes")).toMatchObject({ code: 0 });
    expectChain(await arrival(zone, 4), 1, 4, secondary.restarts);
    const after = await zoneLines(secondary, zone, program.keepsCase);
    expect(after.map((line) => line.replace(" 4 900 ", " 1 900 "))).toEqual(before);
    await expectSameZone(zone);
  });

  test("what ages out goes by IXFR, and what a rollback brings back of it comes", async () => {
    const zone = "aged.example";
    await arrival(zone, 1);
    const lines = [`host.${zone}. 60 A 192.0.2.77`, `host.${zone}. 60 TXT x`];
    const added = await addWithLease(primary, zone, { lease: 1 }, ...lines);
    expect(added).toEqual({ rcode: "NOERROR", granted: { lease: 1 } });
    expectChain(await arrival(zone, 3), 1, 3, secondary.restarts);
    expect((await dig(secondary, `host.${zone}`, "A")).status).toBe("NXDOMAIN");
    expect(await primary.cli("zone", "rollback", zone, "--to", "2", "--yes")).toMatchObject({ code: 0 });
    expectChain(await arrival(zone, 4), 1, 4, secondary.restarts);
    expect((await dig(secondary, `host.${zone}`, "A")).answer).toEqual([`host.${zone}. 60 IN A 192.0.2.77`]);
    await expectSameZone(zone);
  });

  test("RFC 1982: the serial wraps around from 4294967295 to 1", async () => {
    const zone = "wrap.example";
    await arrival(zone, 4_294_967_295);
    await update(zone, ["add beyond 60 A 192.0.2.99"]);
    expectChain(await arrival(zone, 1), 4_294_967_295, 1, secondary.restarts);
    await expectSameZone(zone);
    expect(await reportAt(zone, 1)).toMatchObject({ serial: 1, state: "current" });
  });

  test("over IPv6", async () => {
    const zone = "six.example";
    await arrival(zone, 1, secondary6);
    await update(zone, ["add more 60 A 192.0.2.99"]);
    const transfers = await arrival(zone, 2, secondary6);
    expectChain(transfers, 1, 2, secondary.restarts);
    expect(transfers.every(({ peer }) => String(peer).startsWith("[::1]:"))).toBe(true);
    expect(await zoneLines(secondary6, zone, program.keepsCase)).toEqual(
      await zoneLines({ address: "::1", port: primary.port }, zone, program.keepsCase),
    );
    expect(await reportAt(zone, 2)).toMatchObject({ address: `[::1]:${secondary6.port}`, serial: 2 });
  });

  test.runIf(program.asksOverUdp)("RFC 1995 §2: IXFR over UDP", async () => {
    const zone = "udp.example";
    await arrival(zone, 1);
    await update(zone, ["add more 60 A 192.0.2.99"]);
    expect(await arrival(zone, 2)).toContainEqual(
      expect.objectContaining({ kind: "ixfr", transport: "udp", from: 1, to: 2 }),
    );
    await expectSameZone(zone);
  });

  test("a secondary that was down during updates has them when it comes back, by IXFR", async () => {
    const zone = "away.example";
    await arrival(zone, 1);
    await update(zone, ["add before 60 A 192.0.2.1"]);
    await arrival(zone, 2);
    await secondary.saved(zone, 2);
    await secondary.down();
    for (let i = 0; i < 5; i++) await update(zone, [`add during${i} 60 A 192.0.2.${i}`]);
    await update(zone, ["delete before A"]);
    await secondary.up();
    expectChain(await arrival(zone, 8), 1, 8, secondary.restarts);
    await expectSameZone(zone);
    // NOTIFY went on until it was acknowledged.
    expect(await reportAt(zone, 8)).toMatchObject({
      serial: 8,
      acknowledgedSerial: 8,
      unanswered: 0,
      state: "current",
    });
  });

  // The last: the primary starts again, and its log anew.
  test("RFC 1995 §4: a secondary from before the journal begins gets the whole zone", async () => {
    const zone = "short.example";
    await arrival(zone, 1);
    await secondary.saved(zone, 1);
    await secondary.down();
    // Far more than the journal may hold.
    const bulk = Array.from({ length: 60 }, (_, i) => [
      `update add bulk${i}.${zone}. 60 TXT "${"x".repeat(200)}"`,
      "send",
    ]);
    expect(await nsupdate(primary, [`zone ${zone}`, ...bulk.flat()])).toMatchObject({
      code: 0,
      failures: [],
    });
    await primary.down();
    await primary.up();
    await primary.logged((line) => line["msg"] === "journal trimmed" && line["zone"] === `${zone}.`);
    await secondary.up();
    expect(await arrival(zone, 61)).toContainEqual(
      expect.objectContaining({ kind: "fallback", reason: "no history", from: 1, to: 61 }),
    );
    await expectSameZone(zone);
    expect(await reportAt(zone, 61)).toMatchObject({ serial: 61, state: "current" });
  });

  /** Sends one update; owners are relative to the zone. */
  async function update(zone: string, lines: readonly string[]): Promise<void> {
    const commands = lines.map((line) => {
      const [verb, owner, ...rest] = line.split(" ");
      return `update ${verb} ${owner}.${zone}. ${rest.join(" ")}`;
    });
    expect(await nsupdate(primary, [`zone ${zone}`, ...commands])).toMatchObject({ code: 0, failures: [] });
  }

  async function expectSameZone(zone: string, ...options: string[]): Promise<void> {
    const [theirs, ours] = await Promise.all([
      zoneLines(secondary, zone, program.keepsCase),
      zoneLines(primary, zone, program.keepsCase, ...options),
    ]);
    expect(theirs).toEqual(ours);
  }

  /**
   * Resolves when the secondary serves this serial, with what was transferred of the zone until then: to ask for the zone
   * with dig is to come after.
   */
  async function arrival(zone: string, serial: number, at = secondary): Promise<Record<string, unknown>[]> {
    await at.reaches(zone, serial);
    const isTransfer = (line: Record<string, unknown>): boolean =>
      line["msg"] === "transfer" && line["zone"] === `${zone}.`;
    await primary.logged((line) => isTransfer(line) && line["to"] === serial);
    return primary.log.filter(isTransfer);
  }

  /** What `rollcall status` says of the zone's secondary, once it knows what is asked for or a while has passed. */
  async function reportOf(
    zone: string,
    knows: (report: SecondaryReport) => boolean,
  ): Promise<SecondaryReport> {
    for (const deadline = Date.now() + 15_000; ;) {
      const { zones: all } = await primary.json<{ zones: ZoneReport[] }>("status");
      const report = all.find(({ name }) => name === `${zone}.`)!.secondaries[0]!;
      if (knows(report) || Date.now() > deadline) return report;
    }
  }

  /** Likewise, once it has got to this serial and says so. */
  function reportAt(zone: string, serial: number): Promise<SecondaryReport> {
    return reportOf(zone, (report) => report.state === "current" && report.acknowledgedSerial === serial);
  }
}

/**
 * All incremental, each from where the one before ended. Before them is at most the first transfer, and among them no more
 * of a whole zone than the secondary asked for of itself.
 */
function expectChain(
  transfers: readonly Record<string, unknown>[],
  from: number,
  to: number,
  restarts: number,
): void {
  const [first] = transfers;
  const isFirst = first?.["kind"] === "axfr" && first["to"] === from;
  const moves = transfers.slice(isFirst ? 1 : 0).filter(({ kind }) => kind !== "current");
  const increments = moves.filter(({ kind }) => kind === "ixfr");
  expect(moves.filter(({ kind }) => kind === "axfr").length).toBeLessThanOrEqual(restarts);
  expect(moves.filter(({ kind }) => kind !== "ixfr" && kind !== "axfr")).toEqual([]);
  const before = moves.flatMap(({ kind }, i) =>
    kind === "ixfr" ? [i === 0 ? from : moves[i - 1]!["to"]] : [],
  );
  expect(increments.map((line) => line["from"])).toEqual(before);
  expect(increments.length).toBeGreaterThan(0);
  expect(moves.at(-1)!["to"]).toBe(to);
}
