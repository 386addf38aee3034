/** The TCP transport over real sockets (RFC 7766), with every way a peer can be slow, rude or gone. */
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { TcpConnections, TcpListener } from "../../../src/server/tcp.ts";
import {
  Arrivals,
  Client,
  framed,
  idOf,
  LIMITS,
  messageOf,
  settled,
  silent,
  tcpServer,
  turn,
} from "./transport.ts";

type Connection = Parameters<TcpConnections["add"]>[0];

const echo = (message: Uint8Array, _peer: unknown, sink: { send(message: Uint8Array): void }): void =>
  sink.send(message);

/** Messages of 60,000 octets; tells how many were drawn and whether it was closed early. */
function source(count: number): {
  messages: Iterable<Uint8Array>;
  state: { drawn: number; returned: boolean };
} {
  const state = { drawn: 0, returned: false };
  function* generate(): Generator<Uint8Array> {
    try {
      for (let i = 0; i < count; i++) {
        state.drawn++;
        yield messageOf(i, 60_000);
      }
    } finally {
      state.returned = state.drawn < count;
    }
  }
  return { messages: generate(), state };
}

function* broken(): Generator<Uint8Array> {
  yield messageOf(1);
  throw new Error("the disk is gone");
}

describe("messages", () => {
  test("are told apart and carry their peer", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler);
    using client = await Client.open(server.port);
    client.send(messageOf(1), messageOf(2, 700), messageOf(3, 65_535));
    for (const [id, length] of [
      [1, 12],
      [2, 700],
      [3, 65_535],
    ] as const) {
      const { message, peer, sink } = await arrivals.next();
      expect([idOf(message), message.length]).toEqual([id, length]);
      expect(peer).toEqual({ address: "127.0.0.1", port: client.socket.localPort, transport: "tcp" });
      sink.send(message);
      expect((await client.next())?.length).toBe(length);
    }
    expect(server.connections.counters).toMatchObject({ accepted: 1, received: 3, sent: 3, cut: 0 });
  });

  test("RFC 7766 §6.2.1.1 pipelined, they are answered in whatever order they are ready", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler);
    using client = await Client.open(server.port);
    client.send(messageOf(1), messageOf(2), messageOf(3));
    const [first, second, third] = [await arrivals.next(), await arrivals.next(), await arrivals.next()];
    for (const { sink, message } of [third, first, second]) sink.send(message);
    expect([idOf(await client.next()), idOf(await client.next()), idOf(await client.next())]).toEqual([
      3, 1, 2,
    ]);
  });

  test("come octet by octet", async () => {
    await using server = await tcpServer(echo);
    using client = await Client.open(server.port);
    for (const octet of framed(messageOf(7, 40))) {
      await new Promise<void>((resolve) => void client.socket.write(Uint8Array.of(octet), () => resolve()));
      await turn();
    }
    expect(await client.next()).toEqual(messageOf(7, 40));
  });

  test("are cut anywhere between two segments", async () => {
    await using server = await tcpServer(echo);
    using client = await Client.open(server.port);
    const octets = Buffer.concat([framed(messageOf(1, 30)), framed(messageOf(2, 30))]);
    for (let at = 1; at < octets.length; at++) {
      client.socket.write(octets.subarray(0, at));
      await turn();
      client.socket.write(octets.subarray(at));
      expect(idOf(await client.next())).toBe(1);
      expect(idOf(await client.next())).toBe(2);
    }
  });

  test.each([0, 1, 11])(
    "a length of %d ends the connection: there is no next message to be found",
    async (length) => {
      await using server = await tcpServer(echo);
      using client = await Client.open(server.port);
      client.socket.write(Buffer.concat([framed(messageOf(1)), Buffer.from([0, length]), Buffer.alloc(40)]));
      await client.closed;
      expect(server.connections.counters).toMatchObject({ received: 1, cut: 1 });
    },
  );

  test("that get no answer do not hold others up", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler, { inFlight: 1 });
    using client = await Client.open(server.port);
    client.send(messageOf(1), messageOf(2));
    (await arrivals.next()).sink.drop();
    (await arrivals.next()).sink.send(messageOf(2));
    expect(idOf(await client.next())).toBe(2);
  });

  test("are answered once: a second answer does nothing", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler, { inFlight: 1 });
    using client = await Client.open(server.port);
    client.send(messageOf(1), messageOf(2), messageOf(3));
    const { sink } = await arrivals.next();
    sink.send(messageOf(1));
    sink.send(messageOf(99));
    sink.drop();
    sink.stream([messageOf(98)], () => undefined);
    const second = await arrivals.next();
    await turn();
    expect(arrivals.all).toHaveLength(2); // the second still counts as under way
    second.sink.send(messageOf(2));
    (await arrivals.next()).sink.send(messageOf(3));
    expect([idOf(await client.next()), idOf(await client.next()), idOf(await client.next())]).toEqual([
      1, 2, 3,
    ]);
  });
});

describe("a peer that closes its side", () => {
  test("still gets every answer, and then the end", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler);
    using client = await Client.open(server.port);
    client.send(messageOf(1), messageOf(2));
    client.socket.end();
    const [first, second] = [await arrivals.next(), await arrivals.next()];
    first.sink.send(first.message);
    expect(idOf(await client.next())).toBe(1);
    second.sink.send(second.message);
    expect(idOf(await client.next())).toBe(2);
    expect(await client.next()).toBeUndefined();
  });

  test("has all its messages heard, though more than may be under way", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler, { inFlight: 4 });
    using client = await Client.open(server.port);
    const ids = Array.from({ length: 200 }, (_, i) => i);
    client.socket.end(Buffer.concat(ids.map((id) => framed(messageOf(id)))));
    for (const id of ids) {
      const { message, sink } = await arrivals.next();
      expect(idOf(message)).toBe(id);
      sink.send(message);
    }
    for (const id of ids) expect(idOf(await client.next())).toBe(id);
    expect(await client.next()).toBeUndefined();
  });

  test("in the middle of a message gets the end at once", async () => {
    await using server = await tcpServer(echo);
    using client = await Client.open(server.port);
    client.socket.end(framed(messageOf(1, 100)).subarray(0, 50));
    expect(await client.next()).toBeUndefined();
  });

  test("or resets the connection is forgotten; its answers go nowhere", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler);
    using client = await Client.open(server.port);
    client.send(messageOf(1), messageOf(2));
    const [first, second] = [await arrivals.next(), await arrivals.next()];
    client.socket.resetAndDestroy();
    while (server.connections.size > 0) await turn();
    first.sink.send(first.message);
    second.sink.drop();
    expect(server.connections.counters.sent).toBe(0);
  });
});

describe("limits", () => {
  test("messages under way: beyond the cap none is taken, and each answer lets one in", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler, { inFlight: 3 });
    using client = await Client.open(server.port);
    client.send(...Array.from({ length: 10 }, (_, i) => messageOf(i)));
    const taken = [await arrivals.next(), await arrivals.next(), await arrivals.next()];
    await turn();
    expect(arrivals.all).toHaveLength(3);
    for (let id = 0; id < 10; id++) {
      const { message, sink } = taken.shift()!;
      sink.send(message);
      expect(idOf(await client.next())).toBe(id);
      if (id < 7) taken.push(await arrivals.next());
      expect(arrivals.all.length).toBe(Math.min(10, 4 + id));
    }
  });

  test("at the cap nothing more is read: the peer feels it", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler, { inFlight: 1 });
    using client = await Client.open(server.port);
    // More than all buffers between the two together take.
    const total = 1000;
    for (let id = 0; id < total; id++) client.send(messageOf(id, 60_000));
    const { message, sink } = await arrivals.next();
    expect(client.socket.writableLength).toBeGreaterThan(0);
    sink.send(message);
    for (let id = 1; id < total; id++) {
      const arrival = await arrivals.next();
      expect(idOf(arrival.message)).toBe(id);
      arrival.sink.drop();
    }
    expect(client.socket.writableLength).toBe(0);
  });

  test("connections of one address", async () => {
    await using server = await tcpServer(echo, { connectionsPerAddress: 2 });
    using first = await Client.open(server.port);
    using second = await Client.open(server.port);
    first.send(messageOf(1));
    second.send(messageOf(2));
    expect([idOf(await first.next()), idOf(await second.next())]).toEqual([1, 2]);
    using third = await Client.open(server.port);
    await third.closed;
    expect(server.connections.counters).toMatchObject({ accepted: 2, refused: 1 });
    first.socket.destroy();
    while (server.connections.size > 1) await turn();
    using fourth = await Client.open(server.port);
    fourth.send(messageOf(4));
    expect(idOf(await fourth.next())).toBe(4);
  });

  test("connections of one IPv6 network: no more than half of all, by however many addresses", async () => {
    const connections = new TcpConnections({ ...LIMITS, connections: 8, connectionsPerAddress: 2 });
    const admitted = (address: string): boolean => {
      if (!connections.admit(address)) return false;
      connections.add({ peer: { address }, finish: async () => undefined } as unknown as Connection);
      return true;
    };
    const link = Array.from({ length: 6 }, (_, i) => `2001:db8::${i + 1}`);
    expect(link.map(admitted)).toEqual([true, true, true, true, false, false]);
    expect(["2001:db8:0:1::1", "192.0.2.1", "192.0.2.1", "192.0.2.1"].map(admitted)).toEqual([
      true,
      true,
      true,
      false,
    ]);
    await connections.close(0);
  });

  test("connections in all: the one that was idle longest makes room, those at work stay", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler, { connections: 3 });
    using busy = await Client.open(server.port);
    busy.send(messageOf(1));
    const asked = await arrivals.next();
    using older = await Client.open(server.port);
    older.send(messageOf(2));
    const answered = await arrivals.next();
    using younger = await Client.open(server.port);
    younger.send(messageOf(3));
    (await arrivals.next()).sink.send(messageOf(3));
    expect(idOf(await younger.next())).toBe(3);
    answered.sink.send(messageOf(2));
    expect(idOf(await older.next())).toBe(2);
    // `busy` came first but waits for its answer; `younger` was active before `older`.
    using extra = await Client.open(server.port);
    await younger.closed;
    expect(server.connections.size).toBe(3);
    extra.send(messageOf(4));
    (await arrivals.next()).sink.send(messageOf(4));
    expect(idOf(await extra.next())).toBe(4);
    asked.sink.send(messageOf(1));
    expect(idOf(await busy.next())).toBe(1);
  });

  test("connections in all: a rush never has more of them open than the cap", async () => {
    let most = 0;
    await using server = await tcpServer(
      (message, _peer, sink) => {
        most = Math.max(most, server.connections.size);
        sink.send(message);
      },
      { connections: 4 },
    );
    const clients = await Promise.all(Array.from({ length: 40 }, () => Client.open(server.port)));
    for (const client of clients) client.send(messageOf(1));
    await Promise.all(clients.map((client) => Promise.race([client.next(), client.closed])));
    expect(most).toBeLessThanOrEqual(4);
    expect(server.connections.size).toBeLessThanOrEqual(4);
    for (const client of clients) client.socket.destroy();
  });

  test("all at work: a newcomer is turned away", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler, { connections: 1 });
    using busy = await Client.open(server.port);
    busy.send(messageOf(1));
    await arrivals.next();
    using extra = await Client.open(server.port);
    await extra.closed;
    expect(server.connections.counters).toMatchObject({ accepted: 1, refused: 1 });
  });
});

describe("time", () => {
  test("an idle connection is closed, one that waits for an answer is not", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler, { idle: 100 });
    using waiting = await Client.open(server.port);
    waiting.send(messageOf(1));
    const { sink } = await arrivals.next();
    using idle = await Client.open(server.port);
    while (server.connections.size < 2) await turn();
    server.connections.sweep(performance.now() + 101);
    await idle.closed;
    expect(server.connections.size).toBe(1);
    sink.send(messageOf(1));
    expect(idOf(await waiting.next())).toBe(1);
    server.connections.sweep(performance.now() + 101);
    expect(await waiting.next()).toBeUndefined();
    expect(server.connections.counters.cut).toBe(0);
  });

  test("the idle time is looked at without being asked to", async () => {
    await using server = await tcpServer(echo, { idle: 1 });
    using idle = await Client.open(server.port);
    await idle.closed;
    expect(await idle.next()).toBeUndefined();
  });

  test("a message that never becomes whole is cut off, however busily it trickles", async () => {
    await using server = await tcpServer(echo, { idle: 60_000 });
    using client = await Client.open(server.port);
    client.send(messageOf(1));
    expect(idOf(await client.next())).toBe(1);
    client.socket.write(framed(messageOf(2, 100)).subarray(0, 20));
    while (client.socket.bytesWritten < 34) await turn();
    await turn();
    const start = performance.now();
    server.connections.sweep(start + 9_000);
    expect(server.connections.size).toBe(1);
    client.socket.write(Buffer.alloc(1));
    await turn();
    server.connections.sweep(start + 11_000);
    await client.closed;
    expect(server.connections.counters.cut).toBe(1);
  });

  test("a peer that never reads is no longer read from, and is cut off in the end", async () => {
    let answered = 0;
    await using server = await tcpServer(
      (_message, _peer, sink) => {
        answered++;
        sink.send(messageOf(0, 60_000));
      },
      { writeBuffer: 300_000, idle: 1000 },
    );
    using client = await Client.open(server.port);
    client.socket.pause();
    // Answers of 600 MB, were they all made.
    for (let i = 0; i < 10_000; i++) client.send(messageOf(i));
    await settled(() => answered);
    let now = performance.now();
    while (server.connections.size > 0) {
      server.connections.sweep((now += 1001));
      await turn();
    }
    expect(server.connections.counters.cut).toBe(1);
    expect(answered).toBeLessThan(2000);
  });

  test("a peer that reads what it asked for in one go is not cut off, however much it is", async () => {
    await using server = await tcpServer(
      (message, _peer, sink) => sink.send(messageOf(idOf(message)!, 60_000)),
      {
        writeBuffer: 100_000,
      },
    );
    using client = await Client.open(server.port);
    client.send(...Array.from({ length: 500 }, (_, i) => messageOf(i)));
    for (let i = 0; i < 500; i++) expect(idOf(await client.next())).toBe(i);
    expect(server.connections.counters.cut).toBe(0);
  });
});

describe("streams", () => {
  test("go out whole, and other messages are answered between", async () => {
    const ended = Promise.withResolvers<boolean>();
    await using server = await tcpServer((message, _peer, sink) => {
      if (idOf(message) === 0) sink.stream(source(100).messages, ended.resolve);
      else sink.send(messageOf(idOf(message)!, 20));
    });
    using client = await Client.open(server.port);
    client.send(messageOf(0), messageOf(1), messageOf(2));
    const short: (number | undefined)[] = [];
    const streamed: (number | undefined)[] = [];
    while (short.length + streamed.length < 102) {
      const message = await client.next();
      (message?.length === 20 ? short : streamed).push(idOf(message));
    }
    expect(streamed).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(short).toEqual([1, 2]);
    expect(await ended.promise).toBe(true);
  });

  test("wait for a slow reader", async () => {
    const { messages, state } = source(400);
    const ended = Promise.withResolvers<boolean>();
    await using server = await tcpServer((_message, _peer, sink) => sink.stream(messages, ended.resolve));
    using client = await Client.open(server.port);
    client.socket.pause();
    client.send(messageOf(1));
    await settled(() => state.drawn); // it stops by itself once all buffers are full
    expect(state.drawn).toBeLessThan(400);
    client.socket.resume();
    for (let i = 0; i < 400; i++) expect(idOf(await client.next())).toBe(i);
    expect(await ended.promise).toBe(true);
  });

  test("are closed when the peer disappears", async () => {
    const { messages, state } = source(100_000);
    const ended = Promise.withResolvers<boolean>();
    await using server = await tcpServer((_message, _peer, sink) => sink.stream(messages, ended.resolve));
    using client = await Client.open(server.port);
    client.send(messageOf(1));
    expect(idOf(await client.next())).toBe(0);
    client.socket.resetAndDestroy();
    expect(await ended.promise).toBe(false);
    expect(state).toMatchObject({ returned: true });
    expect(server.connections.size).toBe(0);
  });

  test("are closed when the peer had gone before they began", async () => {
    const arrivals = new Arrivals();
    await using server = await tcpServer(arrivals.handler);
    using client = await Client.open(server.port);
    client.send(messageOf(1));
    const { sink } = await arrivals.next();
    client.socket.resetAndDestroy();
    while (server.connections.size > 0) await turn();
    const { messages, state } = source(10);
    expect(await new Promise<boolean>((resolve) => sink.stream(messages, resolve))).toBe(false);
    expect(state.drawn).toBe(0);
  });

  test("that fail end the connection: half a transfer is told from a whole one", async () => {
    const ended = Promise.withResolvers<boolean>();
    await using server = await tcpServer((_message, _peer, sink) => sink.stream(broken(), ended.resolve));
    using client = await Client.open(server.port);
    client.send(messageOf(1));
    expect(await ended.promise).toBe(false);
    await client.closed;
    expect(server.connections.counters.cut).toBe(1);
  });

  test("of an empty list end at once", async () => {
    const ended = Promise.withResolvers<boolean>();
    await using server = await tcpServer((_message, _peer, sink) => sink.stream([], ended.resolve));
    using client = await Client.open(server.port);
    client.send(messageOf(1));
    expect(await ended.promise).toBe(true);
  });

  test("many at once on one connection", async () => {
    await using server = await tcpServer((_message, _peer, sink) =>
      sink.stream(source(20).messages, () => undefined),
    );
    using client = await Client.open(server.port);
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    client.send(...Array.from({ length: 30 }, (_, i) => messageOf(i)));
    for (let i = 0; i < 600; i++) expect((await client.next())?.length).toBe(60_000);
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });
});

describe("opening and closing", () => {
  test("an address that is taken is told as the system's error", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const connections = new TcpConnections(LIMITS);
    await expect(TcpListener.open("127.0.0.1", port, connections, echo, silent)).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    await connections.close(0);
    holder.close();
  });

  test("closing ends idle connections, waits for answers under way, and reads no more", async () => {
    const arrivals = new Arrivals();
    const server = await tcpServer(arrivals.handler);
    using idle = await Client.open(server.port);
    using busy = await Client.open(server.port);
    busy.send(messageOf(1));
    const { sink } = await arrivals.next();
    const closed = server.connections.close(60_000);
    await idle.closed;
    busy.send(messageOf(2));
    sink.send(messageOf(1));
    expect(idOf(await busy.next())).toBe(1);
    await closed;
    expect(arrivals.all).toHaveLength(1);
    await server[Symbol.asyncDispose]();
  });

  test("closing cuts off what takes longer than the grace", async () => {
    const arrivals = new Arrivals();
    const server = await tcpServer(arrivals.handler);
    using busy = await Client.open(server.port);
    busy.send(messageOf(1));
    await arrivals.next();
    await server.connections.close(1);
    expect(server.connections.size).toBe(0);
    await server[Symbol.asyncDispose]();
  });

  test("IPv6, where the machine has it", async (context) => {
    const connections = new TcpConnections(LIMITS);
    const arrivals = new Arrivals();
    const listener = await TcpListener.open("::1", 0, connections, arrivals.handler, silent).catch(
      () => undefined,
    );
    if (listener === undefined) return context.skip("no IPv6 loopback");
    expect(listener.port).toBeGreaterThan(0);
    listener.close();
    return connections.close(0);
  });
});
