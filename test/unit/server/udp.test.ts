/** The portable UDP transport over real sockets. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { plainAddress } from "../../../src/server/handler.ts";
import { UdpListener } from "../../../src/server/udp.ts";
import { Arrivals, idOf, messageOf, silent } from "./transport.ts";

async function open(handler: Arrivals["handler"]): Promise<UdpListener & AsyncDisposable> {
  const listener = await UdpListener.open("127.0.0.1", 0, handler, silent);
  return Object.assign(listener, { [Symbol.asyncDispose]: () => listener.close() });
}

/** A client socket bound to loopback. */
async function peer(port = 0): Promise<Socket & Disposable> {
  const socket = createSocket("udp4").bind(port, "127.0.0.1");
  await once(socket, "listening");
  return Object.assign(socket, { [Symbol.dispose]: () => socket.close() });
}

async function receive(socket: Socket): Promise<[Uint8Array, RemoteInfo]> {
  return (await once(socket, "message")) as [Buffer, RemoteInfo];
}

describe("UDP", () => {
  test("answers leave from the address that was asked, to the socket that asked", async () => {
    const arrivals = new Arrivals();
    await using listener = await open(arrivals.handler);
    using client = await peer();
    client.send(messageOf(7, 40), listener.port, "127.0.0.1");
    const { message, peer: from, sink } = await arrivals.next();
    expect([idOf(message), message.length]).toEqual([7, 40]);
    expect(from).toEqual({ address: "127.0.0.1", port: client.address().port, transport: "udp" });
    const answer = receive(client);
    sink.send(messageOf(7, 100));
    const [octets, remote] = await answer;
    expect([idOf(octets), octets.length]).toEqual([7, 100]);
    expect(remote).toMatchObject({ address: "127.0.0.1", port: listener.port });
  });

  test("answers may come in any order, each to its own peer", async () => {
    const arrivals = new Arrivals();
    await using listener = await open(arrivals.handler);
    using one = await peer();
    using two = await peer();
    one.send(messageOf(1), listener.port, "127.0.0.1");
    const first = await arrivals.next();
    two.send(messageOf(2), listener.port, "127.0.0.1");
    const second = await arrivals.next();
    const answers = Promise.all([receive(one), receive(two)]);
    second.sink.send(second.message);
    first.sink.send(first.message);
    expect((await answers).map(([octets]) => idOf(octets))).toEqual([1, 2]);
  });

  test("a second answer does nothing, and never reaches another peer", async () => {
    const arrivals = new Arrivals();
    await using listener = await open(arrivals.handler);
    using one = await peer();
    using two = await peer();
    one.send(messageOf(1), listener.port, "127.0.0.1");
    const first = await arrivals.next();
    const answer = receive(one);
    first.sink.send(messageOf(1));
    await answer;
    two.send(messageOf(2), listener.port, "127.0.0.1");
    const second = await arrivals.next();
    const other = receive(two);
    first.sink.send(messageOf(99));
    first.sink.stream([messageOf(98)], () => undefined);
    second.sink.send(messageOf(2));
    expect(idOf((await other)[0])).toBe(2);
    expect(listener.counters.sent).toBe(2);
  });

  test("datagrams shorter than a header are dropped", async () => {
    const arrivals = new Arrivals();
    await using listener = await open(arrivals.handler);
    using client = await peer();
    for (const length of [0, 1, 11]) client.send(new Uint8Array(length), listener.port, "127.0.0.1");
    client.send(messageOf(5), listener.port, "127.0.0.1");
    expect(idOf((await arrivals.next()).message)).toBe(5);
    expect(listener.counters).toMatchObject({ received: 4, ignored: 3 });
  });

  test("an answer that the system refuses to send, or that the peer no longer takes, stops nothing", async () => {
    const arrivals = new Arrivals();
    await using listener = await open(arrivals.handler);
    const gone = await peer();
    gone.send(messageOf(1), listener.port, "127.0.0.1");
    const first = await arrivals.next();
    await new Promise<void>((resolve) => void gone.close(() => resolve()));
    first.sink.send(messageOf(1)); // nobody listens there: an ICMP error comes back
    using client = await peer();
    client.send(messageOf(2), listener.port, "127.0.0.1");
    const second = await arrivals.next();
    second.sink.send(new Uint8Array(65_536)); // no datagram is that long
    client.send(messageOf(3), listener.port, "127.0.0.1");
    const third = await arrivals.next();
    const answer = receive(client);
    third.sink.send(messageOf(3));
    expect(idOf((await answer)[0])).toBe(3);
    expect(listener.counters.sendErrors).toBeGreaterThan(0);
  });

  test("a stream over UDP sends its messages and tells the end, a failed one too", async () => {
    const arrivals = new Arrivals();
    await using listener = await open(arrivals.handler);
    using client = await peer();
    client.send(messageOf(1), listener.port, "127.0.0.1");
    const { sink } = await arrivals.next();
    const answer = receive(client);
    expect(await new Promise<boolean>((resolve) => sink.stream([messageOf(1)], resolve))).toBe(true);
    expect(idOf((await answer)[0])).toBe(1);
    client.send(messageOf(2), listener.port, "127.0.0.1");
    const second = await arrivals.next();
    const told: boolean[] = [];
    const broken = {
      *[Symbol.iterator](): Generator<Uint8Array> {
        yield messageOf(2);
        throw new Error("the disk is gone");
      },
    };
    expect(() => second.sink.stream(broken, (complete) => told.push(complete))).toThrow("the disk is gone");
    expect(told).toEqual([false]);
  });

  test("an answer after closing is lost without a fault", async () => {
    const arrivals = new Arrivals();
    const listener = await UdpListener.open("127.0.0.1", 0, arrivals.handler, silent);
    using client = await peer();
    client.send(messageOf(1), listener.port, "127.0.0.1");
    const { sink } = await arrivals.next();
    await listener.close();
    sink.send(messageOf(1));
    expect(listener.counters).toMatchObject({ sent: 0, sendErrors: 1 });
  });

  test("an address that is taken, or not ours, is told as the system's error", async () => {
    using holder = await peer();
    const { port } = holder.address();
    await expect(UdpListener.open("127.0.0.1", port, () => undefined, silent)).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    await expect(UdpListener.open("192.0.2.1", 0, () => undefined, silent)).rejects.toMatchObject({
      code: "EADDRNOTAVAIL",
    });
  });
});

describe("plainAddress", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "::ffff:c000:201"],
    ["fe80::1%eth0", "fe80::1"],
    ["2001:db8::1", "2001:db8::1"],
  ])("%s is %s", (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });
});
