/**
 * A zone of 20,000 records on its way to BIND, Knot and NSD in many messages, signed and unsigned, while updates go on:
 * what arrives is one state of the zone (RFC 5936 §3), and what came meanwhile follows by IXFR.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { soaSerial } from "../../src/wire/rdata/soa.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { recordToText } from "../../src/zonefile/printer.ts";
import { nsupdate } from "../support/clients.ts";
import { freePort } from "../support/free-port.ts";
import { knotd } from "../support/knotd.ts";
import { named } from "../support/named.ts";
import { nsd } from "../support/nsd.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import type { KeyText, SecondaryProgram } from "../support/secondary.ts";
import { keyClause, Secondary, zoneLines } from "../support/secondary.ts";
import { requestTransfer } from "../support/transfer-client.ts";

const HOSTS = 20_000;
/** Milliseconds in which both zones must have been fetched: mostly one second, but NSD waits ten and more to try again. */
const ON_ITS_WAY = 60_000;
const LIMIT = 120_000;
const PLAIN = "plain.example";
const SIGNED = "signed.example";
const key: KeyText = {
  name: "large.xfr.example",
  algorithm: "hmac-sha256",
  secret: Buffer.alloc(32, 7).toString("base64"),
};

/** Some 7 MB in wire form: more than the buffers of a connection hold. */
function zoneFile(): string {
  const text = `"${"x".repeat(255)}" "${"y".repeat(70)}"`;
  const hosts = Array.from({ length: HOSTS }, (_, i) => `host${i} TXT ${text}`);
  return `${SMALL_ZONE}${hosts.join("\n")}\n0-mark 60 TXT "0"\nzz-mark 60 TXT "0"\n`;
}

/** Updates that each set the first and the last record of the zone to the same number, one less than the serial. */
function marks(zone: string, from: number, count: number): string[] {
  const commands = Array.from({ length: count }, (_, i) => {
    const lines = ["0-mark", "zz-mark"].flatMap((owner) => [
      `update delete ${owner}.${zone}. TXT`,
      `update add ${owner}.${zone}. 60 TXT "${from + i}"`,
    ]);
    return [...lines, "send"];
  });
  return [`zone ${zone}`, ...commands.flat()];
}

describeWith(["nsupdate"], "a large zone on its way", () => {
  let primary: RollcallServer;
  beforeAll(async () => {
    primary = await startPrimary([]);
  });
  afterAll(() => primary?.remove());

  test("RFC 5936 §3: is one state of the zone, however slowly it is taken", async () => {
    const zone = Name.parse(`${PLAIN}.`);
    const socket = await requestTransfer(primary.port, zone);
    // Nothing is read yet; the transfer has begun when an octet is here.
    await new Promise((resolve) => socket.once("readable", resolve));
    expect(await nsupdate(primary, marks(PLAIN, 1, 20))).toMatchObject({ code: 0, failures: [] });
    const { counters } = await primary.json<{ counters: Record<string, number> }>("status");
    expect(counters["transfersUnderWay"]).toBe(1);

    const { records, messages } = await readTransfer(socket);
    expect(messages).toBeGreaterThan(100);
    // Seven of the small zone, its SOA twice, and the marks.
    expect(records).toHaveLength(HOSTS + 7 + 2);
    expect(soaSerial(records[0]!.rdata)).toBe(1);
    expect(records.filter(({ type }) => type === RrType.SOA)).toHaveLength(2);
    const marked = records.filter(({ name }) => /-mark/.test(name.toString()));
    expect(marked.map((rr) => recordToText(rr))).toEqual([
      `0-mark.${PLAIN}. 60 IN TXT "0"`,
      `zz-mark.${PLAIN}. 60 IN TXT "0"`,
    ]);
  });
});

for (const program of [named, knotd, nsd]) {
  describeWith([program.name, "dig", "nsupdate"], `a large zone at ${program.name}`, () => suite(program));
}

function suite(program: SecondaryProgram): void {
  let primary: RollcallServer;
  let secondary: Secondary | undefined;
  let port = 0;
  beforeAll(async () => {
    port = await freePort();
    primary = await startPrimary([`127.0.0.1:${port}`]);
  });
  afterAll(async () => {
    await secondary?.remove();
    await primary?.remove();
  });

  test(
    "RFC 5936, RFC 1995, RFC 8945: arrives whole while updates go on, and they follow",
    { timeout: LIMIT },
    async () => {
      const transfers = (zone: string): Record<string, unknown>[] =>
        primary.log.filter((line) => line["msg"] === "transfer" && line["zone"] === `${zone}.`);
      const at = { address: "127.0.0.1", port: primary.port };
      let serial = 1;
      const update = async (): Promise<void> => {
        for (const zone of [PLAIN, SIGNED]) {
          expect(await nsupdate(primary, marks(zone, serial, 10))).toMatchObject({ code: 0, failures: [] });
        }
        serial += 10;
      };
      await update();
      const starting = Secondary.start(program, {
        primary: at,
        port,
        zones: [{ name: PLAIN }, { name: SIGNED, key }],
      });
      starting.catch(() => undefined); // told below
      const isOnItsWay = (): boolean => [PLAIN, SIGNED].some((zone) => transfers(zone).length === 0);
      const patience = AbortSignal.timeout(ON_ITS_WAY);
      while (isOnItsWay() && !patience.aborted) await update();
      secondary = await starting;
      if (isOnItsWay())
        throw new Error(`a zone did not come:\n${secondary.output}\n${primary.daemon.output}`);
      await update();

      for (const [zone, signing] of [[PLAIN], [SIGNED, key]] as const) {
        await secondary.reaches(zone, serial);
        await primary.logged(
          (line) => line["msg"] === "transfer" && line["zone"] === `${zone}.` && line["to"] === serial,
        );
        const [whole, ...later] = transfers(zone);
        expect(whole).toMatchObject({ kind: "axfr", ...(signing && { key: `${signing.name}.` }) });
        expect(whole!["messages"]).toBeGreaterThan(100);
        // It came in the midst of the updates.
        expect(whole!["to"]).toBeGreaterThan(1);
        const moves = later.filter(({ kind }) => kind !== "current");
        expect(moves.filter(({ kind }) => kind === "ixfr").length).toBeGreaterThan(0);
        const others = moves.filter(({ kind }) => kind !== "ixfr");
        expect(others.map(({ kind }) => kind)).toEqual(others.map(() => "axfr"));
        expect(others.length).toBeLessThanOrEqual(secondary.restarts);

        const tsig = signing === undefined ? [] : ["-y", `${key.algorithm}:${key.name}:${key.secret}`];
        const lines = await zoneLines(secondary, zone, program.keepsCase);
        expect(lines.filter((line) => line.includes("-mark"))).toEqual([
          `0-mark.${zone}. 60 IN TXT "${serial - 1}"`,
          `zz-mark.${zone}. 60 IN TXT "${serial - 1}"`,
        ]);
        // A difference would be too long to print.
        expect(
          lines.join("\n") === (await zoneLines(primary, zone, program.keepsCase, ...tsig)).join("\n"),
        ).toBe(true);
      }
    },
  );
}

function startPrimary(notify: readonly string[]): Promise<RollcallServer> {
  const zoneConfig = (zone: string, signed: string): string => `[[zone]]
name = "${zone}"
file = "large.zone"
notify = [${notify.map((address) => `{ ${signed}address = "${address}" }`).join(", ")}]
transfer = [{ ${signed}net = "127.0.0.0/8" }]
[[zone.update]]
net = "127.0.0.0/8"
`;
  return RollcallServer.start({
    files: { "large.zone": zoneFile(), "keys.conf": keyClause(key) },
    config: `keys = ["keys.conf"]\n${zoneConfig(PLAIN, "")}${zoneConfig(SIGNED, `key = "${key.name}", `)}`,
  });
}

/** Reads a transfer to its second SOA. */
async function readTransfer(
  socket: AsyncIterable<Buffer>,
): Promise<{ records: ResourceRecord[]; messages: number }> {
  const records: ResourceRecord[] = [];
  let messages = 0;
  let waiting = Buffer.alloc(0);
  for await (const chunk of socket) {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
      const end = 2 + waiting.readUInt16BE(0);
      records.push(...decodeMessage(waiting.subarray(2, end)).answers);
      waiting = waiting.subarray(end);
      messages++;
      if (records.length > 1 && records.at(-1)!.type === RrType.SOA) return { records, messages };
    }
  }
  throw new Error(`the transfer ended after ${records.length} records`);
}
