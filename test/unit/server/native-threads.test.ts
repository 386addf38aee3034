/** Answer threads over real sockets: what they answer, what they hand over, what they survive. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { UdpEndpoint } from "../../../src/server/transport.ts";
import { DatagramBatch } from "../../../src/server/native/batch.ts";
import { AF_INET } from "../../../src/server/native/libc.ts";
import { SOCKADDR_BYTES, writeSockaddr } from "../../../src/server/native/sockaddr.ts";
import type { ThreadStart } from "../../../src/server/native/thread-protocol.ts";
import { MAX_HANDED_OVER } from "../../../src/server/native/thread-protocol.ts";
import { Name } from "../../../src/wire/name.ts";
import { NameScratch } from "../../../src/zone/image/hash.ts";
import { Header, REFERENCE_MASK, UNIT } from "../../../src/zone/image/layout.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import { Random } from "../../support/mutate.ts";
import { answerText, SEED } from "../../support/zones.ts";
import { libc, native } from "../../support/native.ts";
import { Peer, query, threadServer, update } from "./native.ts";
import { idOf, messageOf } from "./transport.ts";

const FS1 = { rcode: "NOERROR", flags: "aa", answer: ["fs1.example. 300 A 192.0.2.1"] };

/** Asks, and expects the answer of fs1 to come next. */
async function expectAnswer(client: Peer, port: number, id: number, address?: string): Promise<void> {
  await client.send(query(id), port, address);
  const { octets, from } = await client.next();
  expect(idOf(octets)).toBe(id);
  expect(answerText(decodeMessage(octets))).toMatchObject(FS1);
  expect(from).toMatchObject({ port, ...(address === undefined ? {} : { address }) });
}

/** Sends a datagram on loopback from any port, as only a raw socket can. */
function sendRaw(from: number, to: number, message: Uint8Array): void {
  const SOCK_RAW = 3;
  const IPPROTO_UDP = 17;
  const fd = libc.socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
  const batch = new DatagramBatch(libc, 1, 1024);
  const length = 8 + message.length;
  // Ports, length, and no checksum (RFC 768).
  batch.buffers[0]!.set([
    from >> 8,
    from & 255,
    to >> 8,
    to & 255,
    length >> 8,
    length & 255,
    0,
    0,
    ...message,
  ]);
  const address = new Uint8Array(SOCKADDR_BYTES);
  writeSockaddr(address, 0, "127.0.0.1", 0);
  batch.aim(0, length, address, 0, 0, 0);
  expect(batch.send(fd, 1)).toBe(1);
  libc.close(fd);
}

describe.runIf(native)("what comes", () => {
  test.each(["127.0.0.1", "::1"])(
    "at %s: plain queries are answered by the thread itself",
    async (address) => {
      await using server = await threadServer();
      const { port } = await server.threads.open(address, 0);
      using client = await Peer.open(address);
      for (let id = 0; id < 20; id++) await expectAnswer(client, port, id);
      // A thread counts an answer after it has sent it.
      await expect.poll(() => server.threads.answered).toBe(20);
      expect(server.threads.replaced).toBe(0);
      expect(server.threads.counters).toEqual({
        received: 20,
        ignored: 0,
        dropped: 0,
        sent: 20,
        sendErrors: 0,
        receiveErrors: 0,
      });
      expect(server.arrivals.all).toEqual([]);
    },
  );

  test("everything else is handed over whole, and its answer leaves by the same socket", async () => {
    await using server = await threadServer();
    const { port } = await server.threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    const sizes = [29, 30, 512, 9000, 65_507];
    for (const [id, size] of sizes.entries()) {
      const message = Uint8Array.from({ length: size }, (_, i) => (id + i * 3) & 0xff);
      message.set(update(id));
      await client.send(message, port);
      const arrival = await server.arrivals.next();
      expect(arrival.message).toEqual(message);
      expect(arrival.peer).toEqual({ address: "127.0.0.1", port: client.port, transport: "udp" });
      arrival.sink.send(messageOf(id, 20 + id));
      const { octets, from } = await client.next();
      expect([idOf(octets), octets.length, from.port]).toEqual([id, 20 + id, port]);
    }
    await expect.poll(() => server.threads.counters).toMatchObject({ received: 5, sent: 5 });
  });

  test("answers may come late and in any order; a second one to the same message does nothing", async () => {
    await using server = await threadServer();
    const { port } = await server.threads.open("127.0.0.1", 0);
    using one = await Peer.open();
    using two = await Peer.open();
    await one.send(update(1), port);
    const first = await server.arrivals.next();
    await two.send(update(2), port);
    const second = await server.arrivals.next();
    second.sink.send(messageOf(2));
    second.sink.send(messageOf(20));
    second.sink.stream([messageOf(21)], () => expect.unreachable("answered already"));
    first.sink.stream([messageOf(1), messageOf(10)], (complete) => expect(complete).toBe(true));
    first.sink.send(messageOf(11));
    expect(idOf((await two.next()).octets)).toBe(2);
    expect([idOf((await one.next()).octets), idOf((await one.next()).octets)]).toEqual([1, 10]);
    await two.send(update(3), port);
    const third = await server.arrivals.next();
    third.sink.drop();
    third.sink.send(messageOf(30));
    await expectAnswer(two, port, 4);
    await expectAnswer(one, port, 5);
    expect([one.waiting, two.waiting]).toEqual([0, 0]);
  });

  test("what is empty, short, oversized, malformed or an answer touches nothing else of its batch", async () => {
    await using server = await threadServer();
    const { port } = await server.threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    using noise = await Peer.open();
    const response = query(999);
    response[2] = 0x80;
    const random = new Random(3);
    const good = 200;
    const sends: Promise<void>[] = [];
    for (let id = 0; id < good; id++) {
      const kind = id % 8;
      if (kind === 0) sends.push(noise.send(new Uint8Array(0), port));
      if (kind === 1) sends.push(noise.send(query(id).subarray(0, 11), port));
      if (kind === 2) sends.push(noise.send(response, port));
      if (kind === 3)
        sends.push(
          noise.send(
            Uint8Array.from({ length: 65_507 }, () => random.below(128)),
            port,
          ),
        );
      if (kind === 4) sends.push(noise.send(query(id).subarray(0, 12 + random.below(15)), port));
      if (kind === 5)
        sends.push(
          noise.send(
            Uint8Array.from({ length: 40 }, () => random.below(256)),
            port,
          ),
        );
      sends.push(client.send(query(id), port));
    }
    await Promise.all(sends);
    const ids = new Set<number | undefined>();
    for (let i = 0; i < good; i++) {
      const { octets } = await client.next();
      expect(answerText(decodeMessage(octets))).toMatchObject(FS1);
      ids.add(idOf(octets));
    }
    expect(ids.size).toBe(good);
    expect(server.threads.replaced).toBe(0);
  });

  test("answers and short messages get no answer and are handed to nobody", async () => {
    await using server = await threadServer();
    const { port } = await server.threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    const response = query(1);
    response[2] = 0x80;
    const updateResponse = update(2);
    updateResponse[2]! |= 0x80;
    for (const message of [response, updateResponse, new Uint8Array(0), query(3).subarray(0, 11)]) {
      await client.send(message, port);
    }
    await expectAnswer(client, port, 7);
    expect(server.threads.counters.ignored).toBe(4);
    expect(server.arrivals.all).toEqual([]);
    expect(client.waiting).toBe(0);
  });

  test.runIf(process.getuid?.() === 0).each([0, 7, 19])(
    "nothing from port %i is answered (root alone can ask so)",
    async (from) => {
      await using server = await threadServer();
      const { port } = await server.threads.open("127.0.0.1", 0);
      using client = await Peer.open();
      for (const message of [query(4), update(5)]) sendRaw(from, port, message);
      await expectAnswer(client, port, 7);
      expect(server.threads.counters).toMatchObject({ received: 3, ignored: 2 });
      expect(server.arrivals.all).toEqual([]);
    },
  );

  test("clients that are gone before their answer stop nothing", async () => {
    await using server = await threadServer();
    const { port } = await server.threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    for (let id = 0; id < 30; id++) {
      const gone = await Peer.open();
      await Promise.all([gone.send(query(id), port), gone.send(update(id), port)]);
      gone[Symbol.dispose]();
      (await server.arrivals.next()).sink.send(messageOf(id));
      await expectAnswer(client, port, 1000 + id);
    }
    expect(server.threads.replaced).toBe(0);
  });

  test("a query that the thread fails at is the control thread's to fail at; its neighbours are answered", async () => {
    await using server = await threadServer();
    const broken = server.zone("broken.");
    await server.threads.serve([server.zone("example."), broken], "test");
    // A table that claims slots beyond the end of the memory: following one throws.
    const words = new Int32Array(broken.buffer);
    words[Header.TABLE] = (words.byteLength - UNIT) / UNIT;
    words[words.length - UNIT / 4] = 2 ** 24;
    const scratch = new NameScratch(SEED);
    const followed = (name: string): boolean => {
      const { wire } = Name.parse(name);
      scratch.load(wire, 0, wire.length);
      // What is not there counts as zeros, and so must what a slot holds of the hash.
      return (scratch.hashes[0]! & ~REFERENCE_MASK) === 0;
    };
    const names = Array.from({ length: 200 }, (_, i) => `host${i}.broken.`).filter(followed);
    expect(names.length).toBeGreaterThan(3);
    const { port } = await server.threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    for (const [id, name] of names.entries()) {
      const bad = query(id, name);
      const sent = [query(1000 + id), bad, query(2000 + id)].map((message) => client.send(message, port));
      await Promise.all(sent);
      expect((await server.arrivals.next()).message).toEqual(bad);
      const ids = [idOf((await client.next()).octets), idOf((await client.next()).octets)];
      expect(new Set(ids)).toEqual(new Set([1000 + id, 2000 + id]));
    }
    expect(server.threads.replaced).toBe(0);
  });

  test("a socket whose every receive call fails is counted, and keeps no other address from being answered", async () => {
    const fds: number[] = [];
    const socket = (...args: Parameters<typeof libc.socket>): number => {
      fds.push(libc.socket(...args));
      return fds.at(-1)!;
    };
    await using server = await threadServer(1, { libc: { ...libc, socket } });
    const broken = await server.threads.open("127.0.0.1", 0);
    const { port } = await server.threads.open("127.0.0.1", 0);
    // Another kind of socket in its place: one that receives nothing unless it is connected.
    const SOCK_STREAM = 1;
    libc.close(fds[0]!);
    const others: number[] = [];
    for (let fd = -1; fd !== fds[0]; others.push(fd)) fd = libc.socket(AF_INET, SOCK_STREAM, 0);
    for (const fd of others.slice(0, -1)) libc.close(fd);
    using client = await Peer.open();
    await expect.poll(() => server.threads.counters.receiveErrors).toBeGreaterThan(20);
    for (let id = 0; id < 20; id++) await expectAnswer(client, port, id);
    expect(server.threads.replaced).toBe(0);
    await broken.close();
  });

  test("more than may wait for the control thread is dropped and counted; queries go on meanwhile", async () => {
    const held: { workers: Worker[] } = { workers: [] };
    await using server = await threadServer(1, { newWorker: keeping(held.workers) });
    const { port } = await server.threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    const message = new Uint8Array(60_000);
    message.set(update(1));
    const many = Math.ceil(MAX_HANDED_OVER / message.length) + 20;
    // The control thread is busy: it hears nothing of what is handed over.
    const heard = held.workers[0]!.listeners("message") as ((report: unknown) => void)[];
    held.workers[0]!.removeAllListeners("message");
    const late: unknown[] = [];
    held.workers[0]!.on("message", (report) => late.push(report));
    for (let i = 0; i < many; i++) {
      await client.send(message, port);
      await expectAnswer(client, port, i);
    }
    await expect.poll(() => server.threads.counters).toMatchObject({ received: 2 * many, sent: many });
    const { dropped } = server.threads.counters;
    expect(dropped).toBeGreaterThanOrEqual(20);
    expect(dropped).toBeLessThan(60);
    expect(server.arrivals.all).toEqual([]);
    // Free again, it takes what waited, and new messages find room.
    held.workers[0]!.removeAllListeners("message").on("message", heard[0]!);
    for (const report of late) heard[0]!(report);
    expect(server.arrivals.all.length).toBe(many - dropped);
    await client.send(update(7), port);
    await expect.poll(() => server.arrivals.all.length).toBe(many - dropped + 1);
    expect(server.threads.counters.dropped).toBe(dropped);
  });
});

describe.runIf(native)("addresses", () => {
  test("several on one thread, both families among them, come and go; those that stay lose nothing", async () => {
    await using server = await threadServer();
    const { threads } = server;
    const stays = await threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    using client6 = await Peer.open("::1");
    const others: UdpEndpoint[] = [];
    let id = 0;
    for (const address of ["127.0.0.2", "::1", "127.0.0.3"]) {
      const sent = Array.from({ length: 20 }, () => client.send(query(id++), stays.port));
      others.push(await threads.open(address, 0));
      await Promise.all(sent);
    }
    await expectAnswer(client6, others[1]!.port, 500);
    for (const other of others) {
      const sent = Array.from({ length: 20 }, () => client.send(query(id++), stays.port));
      await other.close();
      await Promise.all(sent);
    }
    const answered = new Set<number | undefined>();
    while (answered.size < id) answered.add(idOf((await client.next()).octets));
    expect(client.waiting).toBe(0);
  });

  test("each of many is polled", async () => {
    await using server = await threadServer();
    const ports: number[] = [];
    for (let i = 0; i < 100; i++) ports.push((await server.threads.open("127.0.0.1", 0)).port);
    using client = await Peer.open();
    for (const [id, port] of ports.entries()) await expectAnswer(client, port, id);
    await client.send(update(7), ports.at(-1)!);
    const { sink } = await server.arrivals.next();
    sink.send(messageOf(7));
    expect((await client.next()).from.port).toBe(ports.at(-1));
  });

  test("a closed address is free at once, and an answer that comes too late goes nowhere", async () => {
    await using server = await threadServer(2);
    const { threads, arrivals } = server;
    const first = await threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    await client.send(update(1), first.port);
    const { sink } = await arrivals.next();
    await first.close();
    sink.send(messageOf(1));
    const second = await threads.open("127.0.0.1", first.port);
    await expectAnswer(client, second.port, 2);
    expect(client.waiting).toBe(0);
    expect(threads.counters.sendErrors).toBe(1);
  });

  test("a second server on the same address is refused, by one thread or many", async () => {
    await using one = await threadServer(2);
    await using two = await threadServer(2);
    const { port } = await one.threads.open("127.0.0.1", 0);
    await expect(two.threads.open("127.0.0.1", port)).rejects.toThrow("bind EADDRINUSE");
    await expect(two.threads.open("0.0.0.0", port)).rejects.toThrow("bind EADDRINUSE");
    using client = await Peer.open();
    await expectAnswer(client, port, 1);
  });

  test.each([
    ["0.0.0.0", "127.0.0.9"],
    ["::", "::1"],
  ])(
    "an answer of %s leaves from where it was asked, the control thread's too",
    async (wildcard, address) => {
      await using server = await threadServer();
      const { port } = await server.threads.open(wildcard, 0);
      using client = await Peer.open(address === "::1" ? "::1" : "127.0.0.1");
      await expectAnswer(client, port, 1, address);
      await client.send(update(2), port, address);
      (await server.arrivals.next()).sink.send(messageOf(2));
      expect((await client.next()).from).toMatchObject({ address, port });
    },
  );
});

describe.runIf(native)("zones", () => {
  test("served from now on are exactly those named, when serve resolves", async () => {
    await using server = await threadServer(3);
    const { threads } = server;
    const { port } = await threads.open("127.0.0.1", 0);
    const rcodes = async (name: string): Promise<string[]> => {
      const seen = new Set<string>();
      for (let i = 0; i < 30; i++) {
        using client = await Peer.open();
        await client.send(query(i, name), port);
        seen.add(answerText(decodeMessage((await client.next()).octets)).rcode);
      }
      return [...seen];
    };
    const kept = server.zone("example.");
    await threads.serve([kept, server.zone("other.example.")], "x");
    expect(await rcodes("fs1.other.example.")).toEqual(["NOERROR"]);
    await threads.serve([kept], "x");
    expect(await rcodes("fs1.other.example.")).toEqual(["NXDOMAIN"]);
    await threads.serve([server.zone("other.")], "x");
    expect(await rcodes("fs1.example.")).toEqual(["REFUSED"]);
    expect(threads.replaced).toBe(0);
  });
});

/** A factory that starts the real threads and keeps them for the test to kill. */
function keeping(workers: Worker[]): (start: ThreadStart, name: string) => Worker {
  const module = new URL("../../../src/server/native/answer-thread.ts", import.meta.url);
  return (start, name) => {
    const worker = new Worker(module, { workerData: start, name });
    workers.push(worker);
    return worker;
  };
}

describe.runIf(native)("threads", () => {
  test("several on one address answer all", async () => {
    await using server = await threadServer(3);
    const { port } = await server.threads.open("127.0.0.1", 0);
    for (let id = 0; id < 60; id++) {
      using client = await Peer.open();
      await expectAnswer(client, port, id);
      await client.send(update(id), port);
      (await server.arrivals.next()).sink.send(messageOf(id + 1));
      expect(idOf((await client.next()).octets)).toBe(id + 1);
    }
    await expect.poll(() => server.threads.answered).toBe(60);
    expect(server.threads.description).toBe("3 answer threads (recvmmsg)");
  });

  test("one that dies is replaced and counted, and what waited in its sockets is answered", async () => {
    const workers: Worker[] = [];
    await using server = await threadServer(1, { newWorker: keeping(workers) });
    const { threads } = server;
    const one = await threads.open("127.0.0.1", 0);
    const two = await threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    await expectAnswer(client, one.port, 1);
    await workers[0]!.terminate();
    // Nobody is there: the kernel keeps them.
    for (let id = 10; id < 20; id++) {
      await client.send(query(id), one.port);
      await client.send(query(id + 100), two.port);
    }
    const ids = new Set<number | undefined>();
    while (ids.size < 20) ids.add(idOf((await client.next()).octets));
    expect(workers.length).toBe(2);
    expect(threads.replaced).toBe(1);
    expect(threads.description).toBe("1 answer thread (recvmmsg), 1 replaced");
    await expect.poll(() => threads.answered).toBe(21);
    // The replacement takes orders like any other.
    await two.close();
    await threads.serve([server.zone("other.")], "x");
    await client.send(query(3), one.port);
    expect(answerText(decodeMessage((await client.next()).octets)).rcode).toBe("REFUSED");
  });

  test("addresses and zones change while one is dead; its replacement begins with what is now", async () => {
    const workers: Worker[] = [];
    await using server = await threadServer(2, { newWorker: keeping(workers) });
    const { threads } = server;
    const goes = await threads.open("127.0.0.1", 0);
    await Promise.all(workers.map((worker) => worker.terminate()));
    await goes.close();
    const comes = await threads.open("127.0.0.1", goes.port);
    await threads.serve([server.zone("example.")], "x");
    for (let id = 0; id < 20; id++) {
      using client = await Peer.open();
      await expectAnswer(client, comes.port, id);
    }
    expect(threads.replaced).toBe(2);
  });

  test("one that dies inside a batch holds no block of the image", async () => {
    const workers: Worker[] = [];
    await using server = await threadServer(1, { newWorker: keeping(workers) });
    const tag = ((): number => {
      server.epochs.enter(0); // as the thread left it
      return server.epochs.advance();
    })();
    expect(server.epochs.isOver(tag)).toBe(false);
    const over = once(workers[0]!, "exit");
    await workers[0]!.terminate();
    await over;
    expect(server.epochs.isOver(tag)).toBe(true);
  });

  test("where none can be started, whoever waits is told, and closing is prompt", async () => {
    const starting = threadServer(2, {
      newWorker: () => new Worker("throw new Error('no such library')", { eval: true }),
    });
    await expect(starting).rejects.toMatchObject({
      message: "answer threads cannot be started",
      cause: { message: "no such library" },
    });
  });

  test("they end when told to, whatever waits for them, and their process lists none", async () => {
    const workers: Worker[] = [];
    const server = await threadServer(3, { newWorker: keeping(workers) });
    const { port } = await server.threads.open("127.0.0.1", 0);
    using client = await Peer.open();
    for (let i = 0; i < 500; i++) await client.send(query(i), port);
    const exits = workers.map(async (worker) => (await once(worker, "exit"))[0] as number);
    await server.threads.close();
    // 0: by themselves, not by force.
    expect(await Promise.all(exits)).toEqual([0, 0, 0]);
    expect(server.threads.replaced).toBe(0);
  });
});
