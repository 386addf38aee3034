/**
 * A zone of 50,000 names through its whole life, for correctness and not for time: a start that is killed halfway,
 * transfers while updates and queries come in, an import of a new version, and the next start.
 */
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ImportResult } from "../../src/control/verbs.ts";
import { DATABASE_FILE, openStore } from "../../src/store/open.ts";
import { Rcode } from "../../src/wire/iana/code.ts";
import type { Message } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { soaSerial } from "../../src/wire/rdata/soa.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import type { Changeset } from "../../src/zone/changeset.ts";
import { askText, QueryStream, UpdateStream } from "../support/exchange.ts";
import { recordsToLines, recordToLine, ZoneModel } from "../support/model.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { fetchZone } from "../support/transfer-client.ts";
import { recordsOf } from "../support/zones.ts";

const APEX = Name.parse("smb.example.");
const NAMES = 50_000;
/** Milliseconds for one test: far more than it takes. */
const LIMIT = 240_000;
/** Octets of write-ahead log by which a zone is half created and not yet there. */
const HALFWAY = 1_000_000;

/** A zone whose owners stand in no order, with names of every kind that an image tells apart. */
function zoneText(): string {
  const lines = [SMALL_ZONE];
  for (let i = 0; i < NAMES; i++) {
    const host = (i * 7919) % NAMES;
    const owner = `h${host}.rack${host % 100}`;
    const address = `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`;
    if (host % 10 === 0) lines.push(`H${host}.Rack${host % 100} A ${address}`);
    else if (host % 10 === 1)
      lines.push(`${owner} A ${address}`, `${owner} AAAA 2001:db8::${host.toString(16)}`);
    else if (host % 10 === 2) lines.push(`_smb._tcp.${owner} SRV 0 0 445 fs1`);
    else if (host % 10 === 3) lines.push(`${owner} TXT "host ${host}" "${"x".repeat(host % 200)}"`);
    else if (host % 10 === 4) lines.push(`${owner} CNAME fs1`);
    else if (host % 1000 === 5) lines.push(`*.${owner} A ${address}`, `${owner} NS ns1`);
    else lines.push(`${owner} A ${address}`);
  }
  return `${lines.join("\n")}\n`;
}

const isRight = ({ header, answers }: Message): boolean =>
  header.rcode === Rcode.NOERROR && answers.length === 1;

const TEXT = zoneText();
const CONFIG = `[[zone]]
name = "smb.example"
file = "smb.zone"
transfer = [{ net = "127.0.0.0/8" }]
[[zone.update]]
net = "127.0.0.0/8"
`;

describe("a zone of 50,000 names", () => {
  let server: RollcallServer;
  /** The zone by its file. */
  let original: ZoneModel;

  beforeAll(() => {
    server = RollcallServer.prepare({ config: CONFIG, files: { "smb.zone": TEXT } });
    const [soa, ...rest] = recordsOf("smb.example.", TEXT);
    original = new ZoneModel(soa!, rest);
  });

  afterAll(() => server.remove());

  test(
    "is there whole after a start that was killed while it was being created",
    async () => {
      const data = join(server.directory, "data");
      const log = join(data, `${DATABASE_FILE}-wal`);
      // Where this process is kept waiting for long enough, the server has finished before it is killed: once more then.
      for (let tries = 0; tries < 5; tries++) {
        rmSync(data, { recursive: true, force: true });
        server.launch();
        while (!existsSync(log) || statSync(log).size < HALFWAY) await wait(1);
        await server.down("SIGKILL");
        if (!server.daemon.output.includes("zone created from its file")) break;
      }
      expect(server.daemon.output).not.toContain("zone created from its file");

      await server.up();
      expect(recordsToLines(await fetchZone(server.port, APEX))).toEqual(original.lines().toSorted());
    },
    LIMIT,
  );

  test(
    "answers for names of each kind",
    async () => {
      const answer = async (question: string): Promise<string[]> =>
        (await askText(server, question)).answer.map(String);
      expect(await answer("h10.rack10.smb.example. A")).toEqual(["h10.rack10.smb.example. 300 A 10.0.0.10"]);
      expect(await answer("h11.rack11.smb.example. AAAA")).toHaveLength(1);
      expect(await answer("h14.rack14.smb.example. A")).toHaveLength(2);
      expect(await askText(server, "rack14.smb.example. A")).toMatchObject({ rcode: "NOERROR", answer: [] });
      expect(await askText(server, "_tcp.h12.rack12.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
      expect(await askText(server, "h50000.rack0.smb.example. A")).toMatchObject({ rcode: "NXDOMAIN" });
      expect(await askText(server, "x.h1005.rack5.smb.example. A")).toMatchObject({
        rcode: "NOERROR",
        answer: [],
      });
    },
    LIMIT,
  );

  test(
    "is transferred as it was at one serial, while updates and queries come in",
    async () => {
      const queries = await QueryStream.start(server, "h49999.rack99.smb.example. A", isRight);
      const updates = await UpdateStream.start(server, "new");
      const transfers: ResourceRecord[][] = [];
      for (let i = 0; i < 3; i++) {
        const before = updates.done;
        transfers.push(await fetchZone(server.port, APEX));
        expect(updates.done).toBeGreaterThan(before);
        await updates.more(20);
      }
      await updates.stop();
      await queries.stop();
      expect(queries.faults).toEqual([]);
      expect(updates.refused).toEqual([]);
      transfers.push(await fetchZone(server.port, APEX));
      await server.down();

      const chain = journal();
      const model = original.clone();
      for (const transferred of transfers) {
        const serial = soaSerial(transferred[0]!.rdata);
        while (model.serial !== serial) model.apply(chain.shift()!);
        expect(recordsToLines(transferred)).toEqual(model.lines().toSorted());
      }
      expect(chain).toEqual([]);
      expect(updates.acknowledged.length).toBeGreaterThan(60);
      const owners = new Set([...model.records.values()].map(({ name }) => name.toString()));
      expect(updates.acknowledged.filter((name) => !owners.has(name))).toEqual([]);
    },
    LIMIT,
  );

  /** All changesets since the zone came from its file, oldest first. The server must be down. */
  function journal(): Changeset[] {
    const store = openStore(join(server.directory, "data"));
    try {
      return [...store.changesSince(APEX, original.serial)!];
    } finally {
      store.close();
    }
  }

  test(
    "becomes what a new version of its file says, whatever came in meanwhile",
    async () => {
      await server.up();
      const updates = await UpdateStream.start(server, "later");
      const version = TEXT.replace("\nfs1     IN A   192.0.2.1\n", "\nfs1     IN A   192.0.2.111\n");
      writeFileSync(join(server.directory, "next.zone"), version);
      const result = await server.json<ImportResult>(
        "zone",
        "import",
        "smb.example",
        join(server.directory, "next.zone"),
      );
      const atImport = updates.done;
      await updates.more(20);
      await updates.stop();
      expect(updates.refused).toEqual([]);
      expect(result).toMatchObject({ outcome: "changed" });
      expect(atImport).toBeGreaterThan(0);
      const zone = await fetchZone(server.port, APEX);
      await server.down();

      const chain = journal();
      const imported = chain.findIndex(({ origin }) => origin.cause === "import");
      const model = original.clone();
      for (const changeset of chain.slice(0, imported + 1)) model.apply(changeset);
      const [soa, ...rest] = recordsOf("smb.example.", version);
      // The SOA has the zone's next serial; all else is the file's.
      expect(model.lines().slice(1)).toEqual(new ZoneModel(soa!, rest).lines().slice(1));
      for (const changeset of chain.slice(imported + 1)) model.apply(changeset);
      expect(recordsToLines(zone)).toEqual(model.lines().toSorted());
      expect(recordToLine(zone[0]!)).toBe(recordToLine(model.soa));
    },
    LIMIT,
  );

  test(
    "is the same after the next start",
    async () => {
      await server.up();
      const zone = await fetchZone(server.port, APEX);
      await server.down();
      await server.up();
      expect(recordsToLines(await fetchZone(server.port, APEX))).toEqual(recordsToLines(zone));
      expect((await server.status()).zones[0]).toMatchObject({ records: zone.length });
    },
    LIMIT,
  );
});
