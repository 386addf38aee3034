/** The sockets to upstream servers, where a server is slow on purpose. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, test } from "vitest";
import { socketTransport } from "../../../src/services/forward/transport.ts";

/** What comes of one query by TCP to a server that does this with the connection. */
async function exchange(serve: (socket: Socket) => unknown): Promise<Uint8Array | Error> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    void serve(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const outcome = await new Promise<Uint8Array | Error>((resolve) => {
    const events = { received: resolve, failed: resolve };
    socketTransport.tcp({ address: "127.0.0.1", port }, new Uint8Array(20), events);
  });
  server.close();
  return outcome;
}

const ANSWER = Uint8Array.from({ length: 700 }, (_, i) => i);
const FRAMED = Uint8Array.of(ANSWER.length >> 8, ANSWER.length & 0xff, ...ANSWER);

test.each([1, 2, 3, 100, 702])("an answer in pieces of %i octets", async (size) => {
  const came = await exchange(async (socket) => {
    socket.setNoDelay();
    for (let at = 0; at < FRAMED.length; at += size) {
      socket.write(FRAMED.subarray(at, at + size));
      await new Promise(setImmediate);
    }
  });
  expect(came).toEqual(ANSWER);
});

test("what comes after the answer is not looked at", async () => {
  expect(await exchange((socket) => socket.write(Buffer.concat([FRAMED, FRAMED])))).toEqual(ANSWER);
});

test("a connection closed before the answer is whole has failed", async () => {
  const came = await exchange((socket) => socket.end(FRAMED.subarray(0, 600)));
  expect(came).toBeInstanceOf(Error);
});

test.each(["127.0.0.1", "::1"])(
  "by UDP to %s: only what it sends from its own port is taken",
  async (address) => {
    const type = address === "::1" ? "udp6" : "udp4";
    const [server, liar] = [createSocket(type).bind(0, address), createSocket(type).bind(0, address)];
    await Promise.all([once(server, "listening"), once(liar, "listening")]);
    server.once("message", (query, { port }) => {
      liar.send("forged", port, address, () => server.send(query, port, address));
    });
    const query = Uint8Array.of(1, 2, 3);
    const { port } = server.address();
    const came = await new Promise<Uint8Array | Error>((resolve) => {
      const exchange = socketTransport.udp({ address, port }, query, {
        received: (message) => {
          exchange.close();
          resolve(message);
        },
        failed: resolve,
      });
    });
    expect([...(came as Uint8Array)]).toEqual([...query]);
    await Promise.all([server, liar].map((socket) => new Promise<void>((done) => void socket.close(done))));
  },
);
