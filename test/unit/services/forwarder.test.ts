/** The forwarder by a clock and sockets of the test's own: who waits how long, who is asked when, and that nothing is left over. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseNetwork } from "../../../src/auth/acl.ts";
import { QuestionReader } from "../../../src/protocol/question.ts";
import { Forwarder, STALE_AFTER } from "../../../src/services/forward/forwarder.ts";
import type { ForwarderSettings } from "../../../src/services/forward/forwarder.ts";
import { DEADLINE } from "../../../src/services/forward/resolution.ts";
import type { ExchangeEvents, ForwardTransport } from "../../../src/services/forward/transport.ts";
import { readEde } from "../../../src/wire/edns.ts";
import { Rcode, rcodeToText } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { fuzzSettings, Random } from "../../support/mutate.ts";
import { replyTo } from "../../support/upstream.ts";
import { queryOctets } from "../../support/zones.ts";

/** A query that went to an upstream server. */
interface Sent {
  readonly port: number;
  readonly by: "udp" | "tcp";
  readonly at: number;
  readonly name: string;
  readonly events: ExchangeEvents;
  readonly message: ReturnType<typeof decodeMessage>;
  closed: boolean;
}

/** What an upstream server does with a query. */
type Behaviour = (sent: Sent) => void;

const answer: Behaviour = (sent) => {
  setTimeout(() => {
    const bytes = replyTo(sent, { answers: [`${sent.name} 10 A 192.0.2.${sent.port}`] });
    if (!sent.closed) sent.events.received(bytes);
  }, 5);
};
const silence: Behaviour = () => undefined;
const unreachable: Behaviour = ({ events }) => {
  setTimeout(() => events.failed(Object.assign(new Error("refused"), { code: "ECONNREFUSED" })), 1);
};

let sent: Sent[];
let behaviours: Map<number, Behaviour>;
let logged: string[];
let forwarder: Forwarder;

const transport: ForwardTransport = {
  udp: ({ port }, message, events) => exchange("udp", port, message, events),
  tcp: ({ port }, message, events) => exchange("tcp", port, message, events),
};

function exchange(by: "udp" | "tcp", port: number, bytes: Uint8Array, events: ExchangeEvents) {
  const message = decodeMessage(bytes);
  const name = message.questions[0]!.name.toString();
  const one: Sent = { port, by, at: Date.now(), name, events, message, closed: false };
  sent.push(one);
  behaviours.get(port)!(one);
  return { close: () => void (one.closed = true) };
}

function settings(ports: readonly number[], limits: Partial<ForwarderSettings> = {}): ForwarderSettings {
  return {
    forwards: [
      {
        suffixes: [Name.root],
        upstreams: ports.map((port) => ({ address: "192.0.2.1", port })),
        clients: [parseNetwork("10.0.0.0/8")!],
        randomizeCase: false,
      },
    ],
    cache: { size: 1024 * 1024, maxTtl: 86_400_000, maxNegativeTtl: 900_000, maxStale: 3_600_000 },
    queries: 50,
    queriesPerClient: 20,
    ...limits,
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  behaviours = new Map();
  logged = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  forwarder = new Forwarder({
    transport,
    now: () => Date.now(),
    random: (octets) => Uint8Array.from({ length: octets }, () => Math.floor(Math.random() * 256)),
    remember: () => undefined,
    log: { info: log, warn: log, error: log },
  });
});
afterEach(() => {
  forwarder.close();
  vi.useRealTimers();
});

/** A client's query: what it has been told, and when. */
interface Client {
  readonly told: { readonly text: string; readonly at: number; readonly ede?: number | undefined }[];
}

function ask(name: string, address = "10.0.0.1"): Client {
  const message = queryOctets(Name.parse(name), RrType.A, { flags: Flag.RD, edns: {} });
  const question = new QuestionReader();
  question.read(message, message.length);
  const client: Client = { told: [] };
  const peer = { address, port: 4000, transport: "udp" } as const;
  forwarder.handle(
    { message, question, peer, room: 1232 },
    {
      send: (bytes) => {
        const { header, answers, edns } = decodeMessage(bytes);
        const ede = edns!.options.map(({ data }) => readEde(data)!.code)[0];
        const text = [
          rcodeToText(header.rcode),
          ...answers.map(({ ttl, rdata }) => `${ttl}:${rdata[3]}`),
        ].join(" ");
        client.told.push({ text, at: Date.now(), ede });
      },
    },
  );
  return client;
}

const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

describe("past its time (RFC 8767)", () => {
  test("while the servers are slow: after the client response timer, and what they say is for who comes later", async () => {
    behaviours.set(1, answer);
    forwarder.configure(settings([1]));
    ask("www.example.");
    await pass(10);
    await pass(11_000);
    behaviours.set(1, (query) => setTimeout(() => answer(query), 2500));
    const began = Date.now();
    const waiting = [ask("www.example."), ask("www.example.")];
    await pass(STALE_AFTER - 10);
    expect(waiting.map(({ told }) => told.length)).toEqual([0, 0]);
    await pass(20);
    for (const { told } of waiting) expect(told).toMatchObject([{ text: "NOERROR 30:1", ede: 3 }]);
    expect(waiting[0]!.told[0]!.at - began).toBe(STALE_AFTER);
    // Who comes now need not wait at all.
    expect(ask("www.example.").told).toMatchObject([{ text: "NOERROR 30:1", ede: 3 }]);
    await pass(1000);
    expect(ask("www.example.").told).toMatchObject([{ text: "NOERROR 10:1", ede: undefined }]);
    expect(forwarder.counters).toMatchObject({ stale: 3, hits: 1 });
  });

  test("not longer than max_stale; and a failed question is not asked again for half a minute", async () => {
    behaviours.set(1, answer);
    forwarder.configure(settings([1]));
    ask("www.example.");
    await pass(20_000);
    behaviours.set(1, unreachable);
    const first = ask("www.example.");
    await pass(100);
    expect(first.told).toMatchObject([{ text: "NOERROR 30:1" }]);
    const before = sent.length;
    expect(ask("www.example.").told).toHaveLength(1);
    await pass(29_000);
    expect(sent.length).toBe(before);
    await pass(2000);
    ask("www.example.");
    await pass(100);
    expect(sent.length).toBeGreaterThan(before);
    await pass(3_600_000);
    const late = ask("www.example.");
    await pass(DEADLINE);
    expect(late.told).toMatchObject([{ text: "SERVFAIL", ede: 22 }]);
  });
});

describe("who is asked when", () => {
  test("one that is slow: the other after a while; whoever answers first, and the slow one's answer still counts", async () => {
    behaviours.set(1, (query) => setTimeout(() => answer(query), 1000));
    behaviours.set(2, answer);
    forwarder.configure(settings([1, 2]));
    const client = ask("www.example.");
    await pass(399);
    expect(sent.map(({ port }) => port)).toEqual([1]);
    await pass(20);
    expect(client.told).toMatchObject([{ text: "NOERROR 10:2" }]);
    await pass(1000);
    expect(forwarder.report()!.upstreams).toMatchObject([
      { state: "up", answered: 1 },
      { state: "up", answered: 1 },
    ]);
    const next = ask("next.example.");
    await pass(10);
    expect(next.told).toMatchObject([{ text: "NOERROR 10:2" }]);
  });

  test("one that is slow and has nobody beside it: as long as the question is waited for", async () => {
    behaviours.set(1, (query) => setTimeout(() => answer(query), 4500));
    forwarder.configure(settings([1]));
    const client = ask("www.example.");
    await pass(4510);
    expect(client.told).toMatchObject([{ text: "NOERROR 10:1" }]);
  });

  test("where all have been down for long: SERVFAIL at once, and a try now and then; logged once", async () => {
    for (const port of [1, 2]) behaviours.set(port, silence);
    forwarder.configure(settings([1, 2]));
    for (let i = 0; i < 12; i++) {
      const client = ask(`n${i}.example.`);
      await pass(DEADLINE);
      expect(client.told).toMatchObject([{ text: "SERVFAIL", ede: 22 }]);
    }
    const before = sent.length;
    const began = Date.now();
    const clients = [];
    for (let i = 0; i < 100; i++) {
      clients.push(ask(`m${i}.example.`));
      await pass(300);
    }
    await pass(DEADLINE);
    const waited = clients.filter(({ told }, i) => told[0]!.at > began + i * 300 + 10);
    expect(waited.length).toBeLessThan(10);
    expect(sent.length - before).toBeLessThan(60);
    expect(logged.filter((line) => line.includes("does not answer"))).toHaveLength(2);
    behaviours.set(1, answer);
    await pass(30_000);
    const back = ask("back.example.");
    await pass(1000);
    expect(back.told).toMatchObject([{ text: "NOERROR 10:1" }]);
    expect(logged.filter((line) => line.includes("answers again"))).toHaveLength(1);
  });

  test("names that no server can answer do not make a server that answers others count as down", async () => {
    behaviours.set(1, (query) => {
      if (!query.name.startsWith("dead")) answer(query);
    });
    forwarder.configure(settings([1]));
    for (let i = 0; i < 30; i++) {
      ask(`dead${i}.example.`);
      await pass(300);
      const client = ask(`good${i}.example.`);
      await pass(100);
      expect(client.told).toMatchObject([{ text: "NOERROR 10:1" }]);
    }
    await pass(DEADLINE);
    expect(logged).toEqual([]);
  });
});

const allButTheDead: Behaviour = (query) => {
  if (!query.name.startsWith("dead")) answer(query);
};

describe("names that nobody answers for, and nothing else is asked", () => {
  test("the server that is silent about them is asked what it must know, and stays up", async () => {
    behaviours.set(1, allButTheDead);
    forwarder.configure(settings([1]));
    for (let i = 0; i < 60; i++) {
      for (const type of "abc") ask(`dead-${type}${i}.example.`);
      await pass(700);
    }
    const client = ask("good.example.");
    await pass(10);
    expect(client.told).toMatchObject([{ text: "NOERROR 10:1" }]);
    expect(logged).toEqual([]);
    const probes = sent.filter(({ name }) => name === ".");
    expect(probes.length).toBeGreaterThan(0);
    expect(probes.length).toBeLessThan(60);
  });

  test("any answer will do, REFUSED too", async () => {
    behaviours.set(1, (query) => {
      if (query.name !== ".") return;
      const bytes = replyTo(query, { rcode: Rcode.REFUSED });
      setTimeout(() => query.events.received(bytes), 1);
    });
    forwarder.configure(settings([1]));
    for (let i = 0; i < 10; i++) {
      ask(`dead${i}.example.`);
      await pass(4000);
    }
    expect(logged).toEqual([]);
  });

  test("a server asked about one suffix alone is asked for that", async () => {
    behaviours.set(1, silence);
    const { forwards, ...rest } = settings([1]);
    forwarder.configure({
      ...rest,
      forwards: [{ ...forwards[0]!, suffixes: [Name.parse("corp.example.")] }],
    });
    ask("dead.corp.example.");
    await pass(DEADLINE);
    const probes = sent.filter(({ message }) => message.questions[0]!.type === RrType.SOA);
    expect(probes.map(({ name }) => name)).toEqual(["corp.example."]);
  });
});

test("that this machine has no socket left does not tell against the server", async () => {
  behaviours.set(1, ({ events }) => {
    setTimeout(() => events.failed(Object.assign(new Error("bind EMFILE"), { code: "EMFILE" })), 1);
  });
  forwarder.configure(settings([1]));
  for (let i = 0; i < 10; i++) {
    const client = ask(`n${i}.example.`);
    await pass(100);
    expect(client.told).toMatchObject([{ text: "SERVFAIL" }]);
  }
  expect(forwarder.report()!.upstreams).toMatchObject([{ state: "not asked yet" }]);
});

test("who asks after a reload gets the answer of the server that is asked now", async () => {
  behaviours.set(1, (query) => setTimeout(() => answer(query), 1000));
  behaviours.set(2, answer);
  forwarder.configure(settings([1]));
  const before = ask("host.example.");
  await pass(100);
  forwarder.configure(settings([2]));
  const after = ask("host.example.");
  await pass(100);
  expect([before.told, after.told]).toMatchObject([[], [{ text: "NOERROR 10:2" }]]);
  await pass(1000);
  expect(before.told).toMatchObject([{ text: "NOERROR 10:1" }]);
  // What the old one said is not kept.
  const later = ask("host.example.");
  expect(later.told).toMatchObject([{ text: expect.stringMatching(/:2$/) as string }]);
  expect(forwarder.report()).toMatchObject({ waiting: 0 });
});

test("who waits for a server that is asked no more is told when the server stops", async () => {
  behaviours.set(1, silence);
  forwarder.configure(settings([1]));
  const client = ask("host.example.");
  forwarder.configure(settings([2]));
  forwarder.close();
  expect(client.told).toMatchObject([{ text: "SERVFAIL" }]);
});

describe("bounds", () => {
  test("one client's flood of questions takes no more room than is its own", async () => {
    behaviours.set(1, allButTheDead);
    forwarder.configure(settings([1], { queries: 10, queriesPerClient: 4 }));
    const flood = Array.from({ length: 30 }, (_, i) => ask(`dead${i}.example.`, "10.0.0.1"));
    expect(flood.filter(({ told }) => told[0]?.text === "SERVFAIL")).toHaveLength(26);
    const other = ask("good.example.", "10.0.0.2");
    await pass(10);
    expect(other.told).toMatchObject([{ text: "NOERROR 10:1" }]);
    expect(new Set(sent.map(({ name }) => name)).size).toBe(5);
  });

  test("a network of IPv6 addresses has half of all room, and so not everybody's", async () => {
    behaviours.set(1, allButTheDead);
    const { forwards, ...rest } = settings([1], { queries: 10, queriesPerClient: 4 });
    const clients = [parseNetwork("2001:db8::/32")!];
    forwarder.configure({ ...rest, forwards: forwards.map((each) => ({ ...each, clients })) });
    const flood = Array.from({ length: 30 }, (_, i) => ask(`dead${i}.example.`, `2001:db8::${i + 1}`));
    expect(flood.filter(({ told }) => told[0]?.text === "SERVFAIL")).toHaveLength(25);
    const other = ask("good.example.", "2001:db8:0:1::1");
    await pass(10);
    expect(other.told).toMatchObject([{ text: "NOERROR 10:1" }]);
    // All have been told in the end, and the room is there again.
    await pass(DEADLINE);
    const again = ask("good.too.example.", "2001:db8::1");
    await pass(10);
    expect(again.told).toMatchObject([{ text: "NOERROR 10:1" }]);
  });

  test("questions at once, and queries of one client; room comes back", async () => {
    behaviours.set(1, (query) => setTimeout(() => answer(query), 100));
    forwarder.configure(settings([1], { queries: 10, queriesPerClient: 4 }));
    const clients = Array.from({ length: 30 }, (_, i) => ask(`n${i}.example.`, `10.0.0.${i % 3}`));
    expect(clients.filter(({ told }) => told[0]?.text === "SERVFAIL")).toHaveLength(20);
    await pass(1000);
    expect(clients.filter(({ told }) => told[0]?.text === "NOERROR 10:1")).toHaveLength(10);
    for (let i = 0; i < 4; i++) ask(`more${i}.example.`, "10.0.0.1");
    expect(ask("one.more.example.", "10.0.0.1").told).toMatchObject([{ text: "SERVFAIL" }]);
    expect(ask("one.more.example.", "10.0.0.2").told).toEqual([]);
    await pass(1000);
    expect(forwarder.report()).toMatchObject({ waiting: 0 });
  });
});

test("whatever servers do: every query gets exactly one answer in time, and nothing is left over", async () => {
  const { seed, runs } = fuzzSettings(1500);
  const random = new Random(seed);
  const whims: Behaviour[] = [
    answer,
    silence,
    unreachable,
    (query) => setTimeout(() => answer(query), random.below(4000)),
    (query) => query.events.received(Uint8Array.of(1, 2, 3)),
    (query) => {
      for (let i = 0; i < 12; i++)
        query.events.received(replyTo(query, { id: query.message.header.id ^ (i + 1) }));
    },
    (query) => query.events.received(replyTo(query, { flags: Flag.QR | Flag.TC })),
    ...[Rcode.SERVFAIL, Rcode.REFUSED, Rcode.FORMERR, Rcode.NXDOMAIN].map(
      (rcode): Behaviour =>
        (query) =>
          query.events.received(replyTo(query, { rcode })),
    ),
  ];
  // Nothing is told before the query has been sent off, as with sockets.
  for (const port of [1, 2, 3]) {
    behaviours.set(port, (query) => {
      const whim = random.pick(whims);
      setTimeout(() => (query.closed ? undefined : whim(query)), 1);
    });
  }
  forwarder.configure(settings([1, 2, 3], { cache: { ...settings([]).cache, size: 20_000 } }));
  const clients: { readonly client: Client; readonly at: number }[] = [];
  for (let i = 0; i < runs; i++) {
    clients.push({
      client: ask(`n${random.below(60)}.example.`, `10.0.0.${random.below(20)}`),
      at: Date.now(),
    });
    await pass(random.below(120));
  }
  await pass(DEADLINE * 2);
  for (const { client, at } of clients) {
    expect(client.told, `FUZZ_SEED=${seed}`).toHaveLength(1);
    expect(client.told[0]!.at - at, `FUZZ_SEED=${seed}`).toBeLessThanOrEqual(DEADLINE);
  }
  expect(forwarder.report()).toMatchObject({ waiting: 0 });
  expect(vi.getTimerCount()).toBe(0);
  expect(sent.filter(({ closed }) => !closed)).toEqual([]);
  expect(logged.filter((line) => line.includes("fault"))).toEqual([]);
});

test("closed in the midst of it, it leaves no timer and no socket", async () => {
  behaviours.set(1, silence);
  forwarder.configure(settings([1]));
  for (let i = 0; i < 5; i++) ask(`n${i}.example.`);
  await pass(500);
  const last = ask("last.example.");
  forwarder.close();
  expect([last, ask("later.example.")].map(({ told }) => told.map(({ text }) => text))).toEqual([
    ["SERVFAIL"],
    ["SERVFAIL"],
  ]);
  expect(vi.getTimerCount()).toBe(0);
  expect(sent.every(({ closed }) => closed)).toBe(true);
});
