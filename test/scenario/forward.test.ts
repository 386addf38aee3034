/** Names of others, as clients and upstream servers see it: who gets what, who is asked how often, and who is believed. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { Rcode } from "../../src/wire/iana/code.ts";
import { decodeMessage, Flag } from "../../src/wire/message.ts";
import type { Message } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { readEde } from "../../src/wire/edns.ts";
import { add, ask, askText, question } from "../support/exchange.ts";
import { eventually } from "../support/process.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { askTcp, askUdp, UdpClient } from "../support/sockets.ts";
import { FakeUpstream, replyTo } from "../support/upstream.ts";
import type { Answers, Asked } from "../support/upstream.ts";
import { answerText } from "../support/zones.ts";
import type { AskOptions } from "../support/zones.ts";

const ZONE = `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n[[zone.update]]\nnet = "127.0.0.0/8"\n`;
const FILES = { "smb.zone": SMALL_ZONE };
const RD: AskOptions = { flags: Flag.RD };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function upstream(answers: Answers): Promise<FakeUpstream> {
  const opened = await FakeUpstream.open(answers);
  closing.push(() => opened.close());
  return opened;
}

async function start(config: string, listen?: string[]): Promise<RollcallServer> {
  const server = await RollcallServer.start({ config, files: FILES, ...(listen && { listen }) });
  closing.push(() => server.remove());
  return server;
}

function forward(upstreams: readonly FakeUpstream[], extra = ""): string {
  const addresses = JSON.stringify(upstreams.map(({ address }) => address));
  return `[[forward]]\nupstreams = ${addresses}\nclients = ["127.0.0.0/8"]\n${extra}`;
}

/** Answers every A question with the same address and TTL 300. */
const one: Answers = (asked) => [replyTo(asked, { answers: [`${asked.name} 300 A 198.51.100.1`] })];
const nothing: Answers = () => [];
/** The first answers, then the others. */
const both =
  (first: Answers, then: Answers): Answers =>
  async (asked) => [...(await first(asked)), ...(await then(asked))];

const saysDown = ({ msg }: Record<string, unknown>): boolean =>
  String(msg).startsWith("an upstream server does not");

const ONE = { rcode: "NOERROR", flags: "rd ra", authority: [], additional: [] };

/** The text of the answer's Extended DNS Error. */
async function edeOf(server: RollcallServer, text: string): Promise<string> {
  const { edns } = await ask(server, text, { ...RD, edns: {} });
  return readEde(edns!.options.find(({ code }) => code === 15)!.data)!.text;
}

describe("who gets what", () => {
  test("a client with RD an upstream answer with RA and without AA; without RD, or a zone's name, what there was", async () => {
    const up = await upstream(one);
    const server = await start(ZONE + forward([up]));
    const answer = ["www.other.example. 300 A 198.51.100.1"];
    expect(await askText(server, "www.other.example. A", RD)).toEqual({ ...ONE, answer });
    expect(await askText(server, "www.other.example. A")).toMatchObject({ rcode: "REFUSED", flags: "" });
    expect(await askText(server, "fs1.smb.example. A", RD)).toMatchObject({
      flags: "aa rd",
      answer: ["fs1.smb.example. 300 A 192.0.2.1"],
    });
    expect(await askText(server, "gone.smb.example. A", RD)).toMatchObject({ rcode: "NXDOMAIN" });
    expect(up.asked.map(({ text }) => text)).toEqual(["www.other.example. A"]);
  });

  test("an alias of a zone is answered as it stands, and what it leads to by itself", async () => {
    const up = await upstream(one);
    const files = {
      "smb.zone": `${SMALL_ZONE}away IN CNAME www.other.example.\nsub IN NS ns.other.example.\n`,
    };
    const server = await RollcallServer.start({ config: ZONE + forward([up]), files });
    closing.push(() => server.remove());
    expect((await askText(server, "www.other.example. A", RD)).answer).toHaveLength(1);
    expect(await askText(server, "away.smb.example. A", RD)).toMatchObject({
      flags: "aa rd",
      answer: ["away.smb.example. 300 CNAME www.other.example."],
      additional: [],
    });
    expect(await askText(server, "host.sub.smb.example. A", RD)).toMatchObject({
      flags: "rd",
      answer: [],
      authority: ["sub.smb.example. 300 NS ns.other.example."],
      additional: [],
    });
    expect(up.asked).toHaveLength(1);
  });

  test("by TCP too", async () => {
    const up = await upstream(one);
    const server = await start(ZONE + forward([up]));
    const bytes = await askTcp(server, question("www.other.example. A", 7, RD));
    expect(answerText(decodeMessage(bytes!))).toEqual({
      ...ONE,
      answer: ["www.other.example. 300 A 198.51.100.1"],
    });
  });

  test("a stranger is REFUSED without RA, though the answer is in the cache, and nobody is asked for it", async () => {
    const up = await upstream(one);
    const server = await start(
      `${ZONE}[[forward]]\nupstreams = ["${up.address}"]\nclients = ["127.0.0.2/32"]\n`,
    );
    const from = createSocket("udp4");
    from.bind(0, "127.0.0.2");
    await once(from, "listening");
    const heard = once(from, "message") as Promise<[Uint8Array]>;
    from.send(question("www.other.example. A", 9, RD), server.port, "127.0.0.1");
    expect(decodeMessage(Uint8Array.from((await heard)[0])).header.rcode).toBe(Rcode.NOERROR);
    from.close();
    expect(await askText(server, "www.other.example. A", RD)).toMatchObject({
      rcode: "REFUSED",
      flags: "rd",
    });
    expect(
      answerText(decodeMessage((await askTcp(server, question("www.other.example. A", 7, RD)))!)),
    ).toMatchObject({
      rcode: "REFUSED",
      flags: "rd",
    });
    expect(await edeOf(server, "more.other.example. A")).toContain("clients of [[forward]]");
    expect(up.asked).toHaveLength(1);
    expect((await server.status()).counters).toMatchObject({ forwardQueries: 4, forwardRefused: 3 });
  });

  test("clients of one forward do not get what another's clients have in the cache", async () => {
    const [mine, others] = [await upstream(one), await upstream(one)];
    const server = await start(
      `${ZONE}${forward([mine], `names = ["mine.example"]\n`)}[[forward]]
names = ["others.example"]\nupstreams = ["${others.address}"]\nclients = ["127.0.0.2/32"]\n`,
    );
    const from = createSocket("udp4");
    from.bind(0, "127.0.0.2");
    await once(from, "listening");
    // Often enough that whoever keeps copies of it has one.
    for (let i = 0; i < 5; i++) {
      const heard = once(from, "message") as Promise<[Uint8Array]>;
      from.send(question("www.others.example. A", i, RD), server.port, "127.0.0.1");
      expect(decodeMessage(Uint8Array.from((await heard)[0])).answers).toHaveLength(1);
      expect((await askText(server, "www.mine.example. A", RD)).answer).toHaveLength(1);
      expect(await askText(server, "www.others.example. A", RD)).toMatchObject({
        rcode: "REFUSED",
        flags: "rd",
      });
    }
    from.close();
    expect([mine.asked.length, others.asked.length]).toEqual([1, 1]);
    expect((await server.status()).counters).toMatchObject({ forwardQueries: 15, forwardHits: 8 });
  });

  test("the longest name decides: a zone in a forward, a forward in an empty zone, and the rest goes on", async () => {
    const [corp, rest] = [await upstream(one), await upstream(one)];
    const server = await start(
      ZONE + forward([corp], `names = ["example", "corp.local", "10.in-addr.arpa"]\n`) + forward([rest]),
    );
    for (const name of [
      "a.other.example.",
      "host.corp.local.",
      "1.2.3.10.in-addr.arpa.",
      "host.elsewhere.org.",
    ]) {
      expect((await askText(server, `${name} A`, RD)).rcode).toBe("NOERROR");
    }
    expect((await askText(server, "fs1.smb.example. A", RD)).flags).toBe("aa rd");
    expect((await askText(server, "printer.local. A", RD)).rcode).toBe("NXDOMAIN");
    // RFC 8020: the names above what is forwarded exist.
    expect(await askText(server, "local. A", RD)).toMatchObject({ rcode: "NOERROR", answer: [] });
    expect(corp.asked.map(({ name }) => name)).toEqual([
      "a.other.example.",
      "host.corp.local.",
      "1.2.3.10.in-addr.arpa.",
    ]);
    expect(rest.asked.map(({ name }) => name)).toEqual(["host.elsewhere.org."]);
  });

  test("one label is answered at once, and what a zone is asked for is forwarded", async () => {
    const up = await upstream(one);
    const server = await start(ZONE + forward([up]));
    const soa = [". 60 SOA . nobody.invalid. 1 3600 1200 604800 60"];
    for (const type of ["A", "AAAA", "HTTPS"]) {
      const answer = await askText(server, `fileserver. ${type}`, RD);
      expect(answer).toEqual({ ...ONE, rcode: "NXDOMAIN", answer: [], authority: soa });
    }
    expect(await askText(server, "example. A", RD)).toMatchObject({ rcode: "NOERROR", authority: soa });
    expect(up.asked).toEqual([]);
    await askText(server, "org. NS", RD);
    expect(up.asked.map(({ text }) => text)).toEqual(["org. NS"]);
  });

  test("conditional forwards alone: the rest is REFUSED, and one label still not there", async () => {
    const up = await upstream(one);
    const server = await start(ZONE + forward([up], `names = ["corp.example"]\n`));
    expect((await askText(server, "www.corp.example. A", RD)).rcode).toBe("NOERROR");
    expect((await askText(server, "www.other.example. A", RD)).rcode).toBe("REFUSED");
    expect((await askText(server, "fileserver. A", RD)).rcode).toBe("NXDOMAIN");
    expect((await askText(server, "org. NS", RD)).rcode).toBe("REFUSED");
  });

  test(`unknown = "nxdomain" says so of all that is not here, to everybody, and never of a name above a zone`, async () => {
    const server = await start(`unknown = "nxdomain"\n${ZONE}`);
    const soa = [". 300 SOA . nobody.invalid. 1 3600 1200 604800 300"];
    expect(await askText(server, "www.other.org. A")).toEqual({
      rcode: "NXDOMAIN",
      flags: "aa",
      answer: [],
      authority: soa,
      additional: [],
    });
    expect(await askText(server, "example. A")).toMatchObject({ rcode: "NOERROR", authority: soa });
    expect((await askText(server, "fs1.smb.example. A")).answer).toHaveLength(1);
  });

  test("nothing of it where nothing is configured", async () => {
    const server = await start(ZONE);
    for (const name of [
      "1.2.3.10.in-addr.arpa. PTR",
      "localhost. A",
      "fileserver. A",
      "www.other.example. A",
    ]) {
      expect((await askText(server, name, RD)).rcode).toBe("REFUSED");
    }
  });
});

describe("who is asked how often", () => {
  test("many clients with one question make one query, and all get its answer", async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<void>();
    const up = await upstream(async (asked) => {
      await gate;
      return one(asked);
    });
    const server = await start(ZONE + forward([up]));
    const client = await UdpClient.open(server);
    const answers = Array.from({ length: 50 }, (_, id) =>
      client.ask(question("www.other.example. A", id, RD)),
    );
    await eventually(
      "all wait",
      async () => (await server.status()).counters["forwardShared"],
      (n) => n === 49,
    );
    release();
    for (const bytes of await Promise.all(answers)) {
      expect(answerText(decodeMessage(bytes))).toMatchObject({
        answer: ["www.other.example. 300 A 198.51.100.1"],
      });
    }
    client.close();
    // The server may have thought it slow, and asked once more; never fifty times.
    expect(up.count("www.other.example. A")).toBeLessThanOrEqual(3);
    expect((await server.status()).forward).toMatchObject({ waiting: 0, cache: { entries: 1 } });
  });

  test("what is in the cache is not asked again, whatever its case; what differs in DO is", async () => {
    const up = await upstream(one);
    const server = await start(ZONE + forward([up]));
    await askText(server, "www.other.example. A", RD);
    const again = await askText(server, "WWW.Other.example. A", RD);
    expect(again.answer).toEqual([
      expect.stringMatching(/^WWW\.Other\.example\. (300|299) A 198\.51\.100\.1$/),
    ]);
    expect(up.asked).toHaveLength(1);
    await askText(server, "www.other.example. A", { ...RD, edns: { dnssecOk: true } });
    expect(up.asked).toHaveLength(2);
    expect(up.asked[1]!.message.edns!.dnssecOk).toBe(true);
  });

  test("IDs and ports are never twice the same for long, and with randomize_case the letters differ", async () => {
    const up = await upstream(one);
    const server = await start(ZONE + forward([up], "randomize_case = true\n"));
    for (let i = 0; i < 40; i++) {
      const name = `host${i}.abcdefghijklmnop.example.`;
      // The case is taken back before a client sees it.
      expect((await askText(server, `${name} A`, RD)).answer).toEqual([`${name} 300 A 198.51.100.1`]);
    }
    expect(new Set(up.asked.map(({ id }) => id)).size).toBeGreaterThan(35);
    expect(new Set(up.asked.map(({ port }) => port)).size).toBeGreaterThan(35);
    expect(new Set(up.asked.map(({ name }) => name.replace(/^[^.]*/, ""))).size).toBeGreaterThan(35);
  });

  test("a client has no more queries waiting than it may; the others are not kept out", async () => {
    const up = await upstream(nothing);
    const server = await start(`[limits]\nforward_queries_per_client = 3\n${ZONE}${forward([up])}`);
    const client = await UdpClient.open(server);
    const waiting = [0, 1, 2].map((id) => client.ask(question(`n${id}.other.example. A`, id, RD)));
    await eventually(
      "three wait",
      async () => (await server.status()).forward?.waiting,
      (n) => n === 3,
    );
    const fourth = decodeMessage(await client.ask(question("n3.other.example. A", 3, { ...RD, edns: {} })));
    expect(fourth.header.rcode).toBe(Rcode.SERVFAIL);
    expect(readEde(fourth.edns!.options[0]!.data)!.text).toContain("forward_queries");
    up.answers = one;
    for (const bytes of await Promise.all(waiting)) expect(decodeMessage(bytes).answers).toHaveLength(1);
    client.close();
  });
});

describe("which servers are asked", () => {
  test("one that dies: the other goes on answering, the log says it once; it comes back", async () => {
    const [first, second] = [await upstream(one), await upstream(one)];
    const server = await start(ZONE + forward([first, second]));
    for (let i = 0; i < 10; i++) await askText(server, `before${i}.other.example. A`, RD);
    first.answers = nothing;
    for (let i = 0; i < 40; i++) {
      expect((await askText(server, `during${i}.other.example. A`, RD)).answer).toHaveLength(1);
    }
    await eventually(
      "the dead one is down",
      async () => {
        await askMany(server);
        return server.log.filter(saysDown).length;
      },
      (lines) => lines > 0,
    );
    const { forward: report } = await server.status();
    expect(report!.upstreams).toMatchObject([{ address: first.address, state: "down" }, { state: "up" }]);
    first.answers = one;
    await eventually(
      "it answers again",
      async () => {
        await askMany(server);
        return (await server.status()).forward!.upstreams[0]!.state;
      },
      (state) => state === "up",
    );
    await server.logged(({ msg }) => msg === "an upstream server answers again");
    expect(server.log.filter(saysDown)).toMatchObject([{ upstream: first.address, reason: "no answer" }]);
  });

  test("where none is left, what is in the cache is told past its time, and says so (RFC 8767)", async () => {
    const up = await upstream((asked) => [replyTo(asked, { answers: [`${asked.name} 1 A 198.51.100.1`] })]);
    const server = await start(ZONE + forward([up]));
    await askText(server, "www.other.example. A", RD);
    await up.close();
    closing.splice(0, 1);
    const stale = await eventually(
      "an answer past its time",
      () => ask(server, "www.other.example. A", { ...RD, edns: {} }),
      ({ edns }) => edns!.options.length > 0,
    );
    expect(answerText(stale)).toMatchObject({
      rcode: "NOERROR",
      answer: ["www.other.example. 30 A 198.51.100.1"],
    });
    expect(readEde(stale.edns!.options[0]!.data)).toMatchObject({ code: 3 });
    expect((await askText(server, "never.other.example. A", RD)).rcode).toBe("SERVFAIL");
    expect((await server.status()).counters["forwardStale"]).toBeGreaterThan(0);
    expect(await edeOf(server, "never2.other.example. A")).toContain("nothing answers on its port");
  });

  test("two servers that forward to each other do not go round in circles", async () => {
    const far = await upstream(nothing);
    const there = await start(ZONE + forward([far]));
    const [listen] = (await there.status()).listen;
    const here = await start(`${ZONE}[[forward]]\nupstreams = ["${listen}"]\nclients = ["127.0.0.0/8"]\n`);
    const [back] = (await here.status()).listen;
    there.configure({
      config: `${ZONE}[[forward]]\nupstreams = ["${back}"]\nclients = ["127.0.0.0/8"]\n`,
    });
    await there.control("reload", {});
    expect((await askText(here, "www.other.example. A", RD)).rcode).toBe("SERVFAIL");
    for (const server of [here, there]) {
      expect((await server.status()).counters["forwardSent"]).toBeLessThan(20);
    }
  });

  test("SERVFAIL and REFUSED of one: the other is asked at once", async () => {
    const refusing = await upstream((asked) => [replyTo(asked, { rcode: Rcode.REFUSED })]);
    const failing = await upstream((asked) => [replyTo(asked, { rcode: Rcode.SERVFAIL })]);
    const good = await upstream(one);
    const server = await start(ZONE + forward([refusing, failing, good]));
    for (let i = 0; i < 5; i++) {
      expect((await askText(server, `n${i}.other.example. A`, RD)).answer).toHaveLength(1);
    }
    expect((await server.status()).counters["forwardFailed"]).toBe(0);
  });
});

const inLowerCase = ({ name, message }: Asked): Message["questions"] => [
  { ...message.questions[0]!, name: Name.parse(name.toLowerCase()) },
];

describe("what is believed", () => {
  const FORGED = "203.0.113.66";
  const bad = (parts: Parameters<typeof replyTo>[1]): Answers => {
    return (asked) => [replyTo(asked, { answers: [`${asked.name} 300 A ${FORGED}`], ...parts })];
  };

  test.each<[string, Answers]>([
    ["another ID", (asked) => bad({ id: asked.id ^ 1 })(asked)],
    [
      "another question",
      (asked) =>
        bad({ questions: [{ ...asked.message.questions[0]!, name: Name.parse("else.example.") }] })(asked),
    ],
    ["another type", (asked) => bad({ questions: [{ ...asked.message.questions[0]!, type: 28 }] })(asked)],
    ["no question", bad({ questions: [] })],
    ["no response", bad({ flags: Flag.RD })],
    [
      "the letters in another case",
      (asked) => (asked.by === "udp" ? bad({ questions: inLowerCase(asked) })(asked) : []),
    ],
    ["octets that are no message", () => [Uint8Array.of(1, 2, 3)]],
  ])("not an answer with %s", async (_what, forged) => {
    const up = await upstream(both(forged, one));
    const server = await start(ZONE + forward([up], "randomize_case = true\n"));
    const name = "www.abcdefghijklmnopqrstuvwxyz.example.";
    expect((await askText(server, `${name} A`, RD)).answer).toEqual([`${name} 300 A 198.51.100.1`]);
    expect((await server.status()).counters["forwardForeign"]).toBe(1);
  });

  test("a server that does not repeat the case is believed by TCP", async () => {
    const up = await upstream((asked) => [
      replyTo(asked, { questions: inLowerCase(asked), answers: [`${asked.name} 300 A 198.51.100.1`] }),
    ]);
    const server = await start(ZONE + forward([up], "randomize_case = true\n"));
    const name = "www.abcdefghijklmnopqrstuvwxyz.example.";
    expect((await askText(server, `${name} A`, RD)).answer).toEqual([`${name} 300 A 198.51.100.1`]);
    expect(up.asked.map(({ by }) => by)).toEqual(["udp", "tcp"]);
  });

  test("not an answer from another address or port", async () => {
    const liar = createSocket("udp4");
    liar.bind(0, "127.0.0.1");
    await once(liar, "listening");
    closing.push(() => new Promise<void>((resolve) => liar.close(() => resolve())));
    const up = await upstream(async (asked) => {
      for (const bytes of await bad({})(asked)) {
        await new Promise((resolve) => liar.send(bytes, asked.port, "127.0.0.1", resolve));
      }
      return one(asked);
    });
    const server = await start(ZONE + forward([up]));
    expect((await askText(server, "www.other.example. A", RD)).answer).toEqual([
      "www.other.example. 300 A 198.51.100.1",
    ]);
  });

  test("who guesses IDs only makes the query go by TCP", async () => {
    const up = await upstream((asked) => {
      if (asked.by === "tcp") return one(asked);
      return Array.from({ length: 20 }, (_, i) =>
        replyTo(asked, { id: asked.id ^ (i + 1), answers: [`${asked.name} 300 A ${FORGED}`] }),
      );
    });
    const server = await start(ZONE + forward([up]));
    expect((await askText(server, "www.other.example. A", RD)).answer).toEqual([
      "www.other.example. 300 A 198.51.100.1",
    ]);
    expect(up.asked.some(({ by }) => by === "tcp")).toBe(true);
  });

  test("what is cut short is asked by TCP, and a server without EDNS without it", async () => {
    const up = await upstream((asked) => {
      if (asked.message.edns !== undefined) return [replyTo(asked, { rcode: Rcode.FORMERR })];
      if (asked.by === "udp") return [replyTo(asked, { flags: Flag.QR | Flag.TC })];
      return one(asked);
    });
    const server = await start(ZONE + forward([up]));
    expect((await askText(server, "www.other.example. A", RD)).answer).toHaveLength(1);
    expect(up.asked.map(({ by, message }) => `${by} ${message.edns !== undefined}`)).toEqual([
      "udp true",
      "udp false",
      "tcp false",
    ]);
    expect((await askText(server, "www2.other.example. A", RD)).answer).toHaveLength(1);
    expect(up.asked.slice(3).map(({ message }) => message.edns)).toEqual([undefined, undefined]);
  });

  test("nothing of an answer but what was asked for, and none of it in another's answer", async () => {
    const up = await upstream((asked) => [
      replyTo(asked, {
        answers: [
          `${asked.name} 300 A 198.51.100.1`,
          `bank.example. 300 A ${FORGED}`,
          `fs1.smb.example. 300 A ${FORGED}`,
        ],
        authorities: [`smb.example. 300 NS evil.example.`],
        additionals: [`evil.example. 300 A ${FORGED}`],
      }),
    ]);
    const server = await start(ZONE + forward([up]));
    expect(await askText(server, "www.other.example. A", RD)).toEqual({
      ...ONE,
      answer: ["www.other.example. 300 A 198.51.100.1"],
    });
    await askText(server, "bank.example. A", RD);
    expect(up.count("bank.example. A")).toBe(1);
    expect((await askText(server, "fs1.smb.example. A", RD)).answer).toEqual([
      "fs1.smb.example. 300 A 192.0.2.1",
    ]);
  });
});

describe("empty zones (RFC 6303)", () => {
  test("private addresses and special names: NXDOMAIN with the zone's SOA at once; localhost is here", async () => {
    const up = await upstream(one);
    const server = await start(ZONE + forward([up]));
    for (const [name, zone] of [
      ["1.2.3.10.in-addr.arpa.", "10.in-addr.arpa."],
      ["9.31.172.in-addr.arpa.", "31.172.in-addr.arpa."],
      ["1.1.168.192.in-addr.arpa.", "168.192.in-addr.arpa."],
      ["1.0.0.127.100.in-addr.arpa.", "127.100.in-addr.arpa."],
      ["1.d.f.ip6.arpa.", "d.f.ip6.arpa."],
      ["printer.local.", "local."],
      ["x.onion.", "onion."],
    ]) {
      expect(await askText(server, `${name} PTR`, RD)).toEqual({
        rcode: "NXDOMAIN",
        flags: "aa rd",
        answer: [],
        authority: [`${zone} 300 SOA ${zone} nobody.invalid. 1 3600 1200 604800 300`],
        additional: [],
      });
    }
    expect((await askText(server, "localhost. A", RD)).answer).toEqual(["localhost. 10800 A 127.0.0.1"]);
    expect((await askText(server, "a.b.localhost. AAAA", RD)).answer).toEqual([
      "a.b.localhost. 10800 AAAA ::1",
    ]);
    expect((await askText(server, "1.0.0.127.in-addr.arpa. PTR", RD)).answer).toEqual([
      "1.0.0.127.in-addr.arpa. 10800 PTR localhost.",
    ]);
    expect((await askText(server, "32.172.in-addr.arpa. PTR", RD)).flags).toBe("rd ra");
    expect(up.asked).toHaveLength(1);
  });

  test("private_suffixes are empty too; empty_zones = false leaves them alone", async () => {
    const up = await upstream(one);
    const server = await start(`empty_zones = false\nprivate_suffixes = ["lan"]\n${ZONE}${forward([up])}`);
    expect((await askText(server, "tv.lan. A", RD)).rcode).toBe("NXDOMAIN");
    expect((await askText(server, "1.2.3.10.in-addr.arpa. A", RD)).flags).toBe("rd ra");
    expect((await server.status()).emptyZones).toBe(1);
  });

  test("a zone of the operator's is not hidden: of the same name, around one, or in one; it can come by an import", async () => {
    const zones = ["10.in-addr.arpa", "172.in-addr.arpa", "5.168.192.in-addr.arpa"];
    const config = zones.map((name) => `[[zone]]\nname = "${name}"\nfile = "smb.zone"\n`).join("");
    const server = await start(`empty_zones = true\n${config}[[zone]]\nname = "7.168.192.in-addr.arpa"\n`);
    for (const zone of ["fs1.10.in-addr.arpa.", "fs1.172.in-addr.arpa.", "fs1.5.168.192.in-addr.arpa."]) {
      expect((await askText(server, `${zone} A`)).answer).toHaveLength(1);
    }
    // Within a zone of the operator's that is around an empty one, the operator's answers.
    expect((await askText(server, "1.16.172.in-addr.arpa. PTR")).authority[0]).toMatch(
      /^172\.in-addr\.arpa\. /,
    );
    expect((await askText(server, "1.6.168.192.in-addr.arpa. PTR")).authority[0]).toMatch(
      /^168\.192\.in-addr\.arpa\. /,
    );
    expect((await askText(server, "fs1.7.168.192.in-addr.arpa. A")).rcode).toBe("NXDOMAIN");
    const imported = await server.cli("zone", "import", "7.168.192.in-addr.arpa", "smb.zone");
    expect(imported.code).toBe(0);
    expect((await askText(server, "fs1.7.168.192.in-addr.arpa. A")).answer).toHaveLength(1);
  });

  test("an update for one is REFUSED, which lets a Windows host go on", async () => {
    const server = await start(`empty_zones = true\n${ZONE}`);
    expect(await add(server, "new 60 A 192.0.2.9")).toBe("NOERROR");
    const bytes = await askUdp(server, updateOf("10.in-addr.arpa."));
    expect(decodeMessage(bytes).header.rcode).toBe(Rcode.REFUSED);
  });
});

describe("a reload", () => {
  test("forwards come, change and go; the cache goes with them", async () => {
    const [before, after] = [await upstream(one), await upstream(one)];
    const server = await start(ZONE);
    expect((await askText(server, "www.other.example. A", RD)).rcode).toBe("REFUSED");
    server.configure({ config: ZONE + forward([before]) });
    // The port was the system's choice: it stays as long as the configuration asks for any.
    const askOften = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        expect((await askText(server, "www.other.example. A", RD)).answer).toHaveLength(1);
      }
    };
    expect(await server.control("reload", {})).toMatchObject({ ok: true });
    await askOften();
    server.configure({ config: ZONE + forward([after]) });
    expect(await server.control("reload", {})).toMatchObject({ ok: true });
    await askOften();
    expect([before.asked.length, after.asked.length]).toEqual([1, 1]);
    server.configure({ config: ZONE });
    expect(await server.control("reload", {})).toMatchObject({ ok: true });
    expect((await askText(server, "www.other.example. A", RD)).rcode).toBe("REFUSED");
    expect((await server.status()).forward).toBeUndefined();
  });
});

/** Asks many names, one after another: a server that ranks behind gets its turn now and then. */
let asked = 0;
async function askMany(server: RollcallServer): Promise<void> {
  const client = await UdpClient.open(server);
  for (let i = 0; i < 200; i++) {
    const answer = decodeMessage(await client.ask(question(`many${asked++}.other.example. A`, i, RD)));
    expect(answer.answers).toHaveLength(1);
  }
  client.close();
}

/** An update with nothing in it but its zone. */
function updateOf(zone: string): Uint8Array {
  const bytes = question(`${zone} SOA`, 0x4321);
  bytes[2] = 5 << 3;
  return bytes;
}
