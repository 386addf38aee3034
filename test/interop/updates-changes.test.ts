/** What nsupdate and knsupdate can ask to be changed, in every form; the zone is compared as dig transfers it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axfr, dig, kdig, knsupdate, nsupdate, serialOf } from "../support/clients.ts";
import type { Updated } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import type { RollcallServer } from "../support/rollcall.ts";
import { MASTER, startUpdateServer } from "../support/update-server.ts";

interface Case {
  readonly title: string;
  /** The name the case is about, new to the zone. */
  readonly name: string;
  /** Records the name has first, `TTL TYPE RDATA`. */
  readonly before?: readonly string[];
  /** Commands; `$` stands for the name. */
  readonly commands: readonly string[];
  /** What the name has afterwards. */
  readonly after: readonly string[];
}

const TWO = ["60 A 192.0.2.1", "60 A 192.0.2.2"];

/** RFC 2136 §2.5, §3.4.2. */
const CASES: readonly Case[] = [
  { title: "add to a new name", name: "a1", commands: ["add $ 60 A 192.0.2.1"], after: ["60 A 192.0.2.1"] },
  {
    title: "add to an RRset",
    name: "a2",
    before: TWO,
    commands: ["add $ 60 A 192.0.2.3"],
    after: [...TWO, "60 A 192.0.2.3"],
  },
  { title: "add what is there", name: "a3", before: TWO, commands: ["add $ 60 A 192.0.2.2"], after: TWO },
  {
    title: "add with another TTL: the whole RRset takes it (RFC 2181 §5.2)",
    name: "a4",
    before: TWO,
    commands: ["add $ 90 A 192.0.2.3"],
    after: ["90 A 192.0.2.1", "90 A 192.0.2.2", "90 A 192.0.2.3"],
  },
  {
    title: "add several types at once",
    name: "a5",
    commands: ["add $ 60 A 192.0.2.1", "add $ 60 AAAA 2001:db8::1"],
    after: ["60 A 192.0.2.1", "60 AAAA 2001:db8::1"],
  },
  {
    title: "add a CNAME beside other data: ignored (§3.4.2.2)",
    name: "a6",
    before: TWO,
    commands: ["add $ 60 CNAME fs1.smb.example."],
    after: TWO,
  },
  {
    title: "add other data beside a CNAME: ignored (§3.4.2.2)",
    name: "a7",
    before: ["60 CNAME fs1.smb.example."],
    commands: ["add $ 60 A 192.0.2.1"],
    after: ["60 CNAME fs1.smb.example."],
  },
  {
    title: "add a second CNAME: it replaces the first",
    name: "a8",
    before: ["60 CNAME fs1.smb.example."],
    commands: ["add $ 60 CNAME fs2.smb.example."],
    after: ["60 CNAME fs2.smb.example."],
  },
  {
    title: "delete one record",
    name: "d1",
    before: TWO,
    commands: ["del $ A 192.0.2.1"],
    after: ["60 A 192.0.2.2"],
  },
  {
    title: "delete a record that is not there",
    name: "d2",
    before: TWO,
    commands: ["del $ A 192.0.2.9"],
    after: TWO,
  },
  {
    title: "delete an RRset",
    name: "d3",
    before: [...TWO, `60 TXT "kept"`],
    commands: ["del $ A"],
    after: [`60 TXT "kept"`],
  },
  { title: "delete a name", name: "d4", before: [...TWO, `60 TXT "gone"`], commands: ["del $"], after: [] },
  {
    title: "replace an RRset, as hosts refresh",
    name: "d5",
    before: TWO,
    commands: ["del $ A", "add $ 60 A 192.0.2.7"],
    after: ["60 A 192.0.2.7"],
  },
  {
    title: "add and delete the same: the order counts",
    name: "d6",
    commands: ["add $ 60 A 192.0.2.7", "del $ A 192.0.2.7"],
    after: [],
  },
  {
    title: "a wildcard is a name like any other",
    name: "*.w",
    commands: ["add $ 60 A 192.0.2.7"],
    after: ["60 A 192.0.2.7"],
  },
];

/** One record of every type that clusters keep, and a few that they do not. */
const TYPES = [
  "A 192.0.2.10",
  "AAAA 2001:db8::10",
  "NS ns1.elsewhere.example.",
  "PTR fs1.smb.example.",
  "MX 10 mail.smb.example.",
  `TXT "one" "two \\"quoted\\" parts"`,
  "SRV 0 100 445 fs1.smb.example.",
  'NAPTR 100 10 "U" "E2U+sip" "!^.*$!sip:a@example.org!" .',
  `CAA 0 issue "ca.example.net"`,
  "SSHFP 4 2 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF123456789",
  "TLSA 3 1 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971",
  "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
  'HTTPS 1 . alpn="h2" ipv4hint=192.0.2.10',
  "SVCB 1 fs1.smb.example. port=445",
  `HINFO "AMD64" "Windows"`,
  "RP hostmaster.smb.example. fs1.smb.example.",
  `URI 10 1 "https://example.org/"`,
  "DNAME elsewhere.example.",
  String.raw`TYPE65280 \# 4 C0000201`,
];

describeWith(["nsupdate", "knsupdate", "dig", "kdig"], "changes (RFC 2136 §2.5, §3.4.2)", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer({ algorithms: ["hmac-sha256"] });
  });
  afterAll(() => server.remove());

  /** All records of a name, `TTL TYPE RDATA`. */
  const at = async (name: string): Promise<string[]> => {
    const prefix = `${name.replaceAll("\\", "")} `;
    const records = await axfr(server, "smb.example");
    return records
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length).replace(" IN ", " "));
  };

  describe.each([
    ["nsupdate", nsupdate, "update "],
    ["knsupdate", knsupdate, ""],
  ] as const)("%s", (program, update, word) => {
    const send = (...commands: string[]): Promise<Updated> =>
      update(server, ["zone smb.example.", ...commands], "-y", MASTER);

    test.each(CASES)("$title", async ({ name, before = [], commands, after }) => {
      const owner = `${name}.${program}.smb.example.`;
      if (before.length > 0)
        expectDone(await send(...before.map((record) => `${word}add ${owner} ${record}`)));
      expectDone(await send(...commands.map((command) => `${word}${command.replace("$", owner)}`)));
      expect(await at(owner)).toEqual(after);
    });

    test("records of every type are added, served and deleted", async () => {
      const records = TYPES.map((record) => {
        const [type, ...rest] = record.split(" ");
        return `${type!.toLowerCase()}.types-${program}.smb.example. 60 ${type} ${rest.join(" ")}`;
      });
      expectDone(await send(...records.map((record) => `${word}add ${record}`)));
      const wanted = records.map((record) => plain(record.replace(" 60 ", " 60 IN "))).toSorted();
      const mark = `types-${program}.`;
      const ours = (line: string): boolean => line.includes(mark);
      expect((await axfr(server, "smb.example")).filter(ours).map(plain).toSorted()).toEqual(wanted);
      const { text } = await kdig(server, "smb.example", "AXFR");
      const lines = text.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
      expect(lines.filter(ours).map(plain).toSorted()).toEqual(wanted);
      expectDone(await send(...records.map((record) => `${word}del ${record.replace(" 60 ", " ")}`)));
      expect((await axfr(server, "smb.example")).filter(ours)).toEqual([]);
    });

    test("the apex keeps its SOA and its last name server", async () => {
      expectDone(await send(`${word}add smb.example. 60 TXT "note"`));
      expect(await at("smb.example.")).toContain(`60 TXT "note"`);
      expectDone(await send(`${word}del smb.example.`));
      expectDone(await send(`${word}del smb.example. SOA`, `${word}del smb.example. NS`));
      const rest = await at("smb.example.");
      expect(rest.filter((record) => !record.includes(" SOA "))).toEqual([
        "300 NS ns1.smb.example.",
        "300 NS ns2.smb.example.",
      ]);
      expect(rest).toHaveLength(3);
      expectDone(
        await send(
          `${word}del smb.example. NS ns2.smb.example.`,
          `${word}del smb.example. NS ns1.smb.example.`,
        ),
      );
      expect((await at("smb.example.")).filter((record) => record.includes(" NS "))).toEqual([
        "300 NS ns1.smb.example.",
      ]);
      expectDone(await send(`${word}add smb.example. 300 NS ns2.smb.example.`));
    });

    test("an SOA moves the serial forwards, and is ignored backwards (§3.4.2.2, §3.6)", async () => {
      const serial = await serialOf(server, "smb.example");
      expectDone(await send(word + soa(serial + 1000)));
      expect(await serialOf(server, "smb.example")).toBe(serial + 1000);
      expectDone(await send(word + soa(serial)));
      expect(await serialOf(server, "smb.example")).toBe(serial + 1000);
    });
  });

  test("an update that changes nothing keeps the serial", async () => {
    await nsupdate(server, ["update add noop.smb.example 60 A 192.0.2.1"], "-y", MASTER);
    const before = await serialOf(server, "smb.example");
    for (const command of [
      "update add noop.smb.example 60 A 192.0.2.1",
      "update delete nobody.smb.example",
      "update delete noop.smb.example A 192.0.2.9",
    ]) {
      expectDone(await nsupdate(server, [command], "-y", MASTER));
    }
    expectDone(
      await nsupdate(
        server,
        ["update delete noop.smb.example A", "update add noop.smb.example 60 A 192.0.2.1"],
        "-y",
        MASTER,
      ),
    );
    expect(await serialOf(server, "smb.example")).toBe(before);
  });

  describe("finding and naming the zone", () => {
    test.each([
      ["a name that is there", "fs1.smb.example", "A 192.0.2.3", "smb.example"],
      ["a new name", "new1.smb.example", "A 192.0.2.3", "smb.example"],
      ["a name several labels down", "a.b.c.d.smb.example", "A 192.0.2.3", "smb.example"],
      ["the apex", "smb.example", `TXT "found"`, "smb.example"],
      ["a service", "_smb._tcp.smb.example", "SRV 0 0 445 fs1.smb.example.", "smb.example"],
      ["an address's name", "77.2.0.192.in-addr.arpa", "PTR fs1.smb.example.", "2.0.192.in-addr.arpa"],
    ])("nsupdate finds the zone of %s by itself", async (_, name, record, zone) => {
      const updated = await nsupdate(server, [`update add ${name} 60 ${record}`], "-d", "-y", MASTER);
      expectDone(updated);
      expect(updated.text).toContain(`Found zone name: ${zone}\n`);
      expect((await dig(server, name, record.split(" ")[0]!)).status).toBe("NOERROR");
    });

    test.each([
      ["a zone that is not served here", "other.example", "fs1.other.example", "NOTAUTH"],
      ["a name in a zone that is no apex", "fs1.smb.example", "fs1.smb.example", "NOTAUTH"],
      ["the parent of a zone", "example", "x.example", "NOTAUTH"],
      ["a name that is not in the zone", "smb.example", "fs1.other.example", "NOTZONE"],
    ])("%s: %s, %s is %s", async (_, zone, name, rcode) => {
      const serial = await serialOf(server, "smb.example");
      for (const [update, word] of [
        [nsupdate, "update add"],
        [knsupdate, "add"],
      ] as const) {
        const { failures } = await update(
          server,
          [`zone ${zone}.`, `${word} ${name}. 60 A 192.0.2.1`],
          "-y",
          MASTER,
        );
        expect(failures).toEqual([rcode]);
      }
      expect(await serialOf(server, "smb.example")).toBe(serial);
    });

    test("one message with a name outside the zone changes nothing at all", async () => {
      const before = await axfr(server, "smb.example");
      const commands = [
        "zone smb.example",
        "update add in.smb.example 60 A 192.0.2.1",
        "update add out.other.example 60 A 192.0.2.1",
      ];
      expect((await nsupdate(server, commands, "-y", MASTER)).failures).toEqual(["NOTZONE"]);
      expect(await axfr(server, "smb.example")).toEqual(before);
    });
  });

  describe("much at once", () => {
    test("1,000 records in one update over TCP, one change of the serial", async () => {
      const before = await serialOf(server, "smb.example");
      const names = Array.from({ length: 1000 }, (_, i) => `big${i}.smb.example`);
      const adds = names.map((name, i) => `update add ${name} 60 A 10.0.${i >> 8}.${i & 255}`);
      expectDone(await nsupdate(server, ["zone smb.example", ...adds], "-v", "-y", MASTER));
      expect(await serialOf(server, "smb.example")).toBe(before + 1);
      const records = new Set(await axfr(server, "smb.example"));
      expect(names.filter((name, i) => !records.has(`${name}. 60 IN A 10.0.${i >> 8}.${i & 255}`))).toEqual(
        [],
      );
      expectDone(
        await nsupdate(
          server,
          ["zone smb.example", ...names.map((name) => `update delete ${name}`)],
          "-v",
          "-y",
          MASTER,
        ),
      );
      expect((await axfr(server, "smb.example")).filter((line) => line.startsWith("big"))).toEqual([]);
    });

    test("eight programs at once, 25 updates each: all are there, each moved the serial", async () => {
      const before = await serialOf(server, "smb.example");
      const work = Array.from({ length: 8 }, async (_, worker) => {
        const commands = Array.from({ length: 25 }, (_, i) => [
          `update add c${worker}-${i}.smb.example 60 A 192.0.2.${i}`,
          "send",
        ]);
        return nsupdate(
          server,
          ["zone smb.example", ...commands.flat()],
          ...(worker % 2 === 0 ? ["-v"] : []),
          "-y",
          MASTER,
        );
      });
      for (const updated of await Promise.all(work)) expectDone(updated);
      const added = (await axfr(server, "smb.example")).filter((line) => /^c\d-\d+\./.test(line));
      expect(added).toHaveLength(200);
      expect(await serialOf(server, "smb.example")).toBe(before + 200);
    });
  });

  test("in the end dig, the server's own export and its history agree", async () => {
    const records = await axfr(server, "smb.example");
    const { stdout } = await server.cli("zone", "show", "smb.example", "--json");
    const shown = JSON.parse(stdout) as {
      records: { name: string; ttl: number; type: string; data: string }[];
    };
    const own = shown.records.map(({ name, ttl, type, data }) => plain(`${name} ${ttl} IN ${type} ${data}`));
    expect(own.toSorted()).toEqual(records.map(plain).toSorted());
    const history = await server.cli("zone", "history", "smb.example", "--limit", "5000", "--json");
    const { entries } = JSON.parse(history.stdout) as {
      entries: { serialBefore?: number; serialAfter: number }[];
    };
    expect(entries[0]!.serialAfter).toBe(await serialOf(server, "smb.example"));
    for (const [i, { serialBefore }] of entries.slice(0, -1).entries()) {
      expect(serialBefore).toBe(entries[i + 1]!.serialAfter);
    }
  });
});

function expectDone({ code, failures, text }: Updated): void {
  expect({ code, failures, text }).toEqual({ code: 0, failures: [], text: expect.any(String) });
}

function soa(serial: number): string {
  return `add smb.example. 300 SOA ns1.smb.example. hostmaster.smb.example. ${serial} 900 60 1209600 30`;
}

/** A record's text without what printers are free in: the case of hexadecimal digits and blanks within them, quotes that say nothing. */
function plain(record: string): string {
  if (/ (SSHFP|TLSA|TYPE\d+|DHCID) /.test(record)) return record.toUpperCase().replaceAll(" ", "");
  return record.replaceAll(/=("?)([\w.,]+)\1( |$)/g, "=$2$3");
}
