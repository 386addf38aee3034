/** The arena against the real recvmmsg and sendmmsg on loopback, and against a kernel that will not send. */
import { describe, expect, test } from "vitest";
import { DatagramBatch } from "../../../src/server/native/batch.ts";
import { Errno, type Libc, MSG_DONTWAIT } from "../../../src/server/native/libc.ts";
import { sockaddrAddress, sockaddrPort, writeSockaddr } from "../../../src/server/native/sockaddr.ts";
import { native, libc } from "../../support/native.ts";
import { opened, Peer } from "./native.ts";

/** Octets that differ with the message and the place in it. */
function pattern(id: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (id * 31 + i * 7 + (i >> 8)) & 0xff);
}

describe.runIf(native)("receiving", () => {
  test.each(["127.0.0.1", "::1"])(
    "by %s: each message with its octets, its length, its sender",
    async (address) => {
      using server = opened(address);
      using one = await Peer.open(address);
      using two = await Peer.open(address);
      const batch = new DatagramBatch(libc, 16, 65_536);
      const lengths = [12, 0, 1, 1232, 1472, 9000, 65_507, 11, 40, 65_507];
      for (const [i, length] of lengths.entries()) {
        await (i % 2 === 0 ? one : two).send(pattern(i, length), server.port);
      }
      expect(batch.receive(server.fd, MSG_DONTWAIT)).toBe(lengths.length);
      for (const [i, length] of lengths.entries()) {
        expect(batch.length(i)).toBe(length);
        expect(batch.buffers[i]!.subarray(0, length)).toEqual(pattern(i, length));
        expect(sockaddrAddress(batch.bytes, batch.addressAt(i))).toBe(address);
        expect(sockaddrPort(batch.bytes, batch.addressAt(i))).toBe((i % 2 === 0 ? one : two).port);
        expect(batch.controlLength(i)).toBe(0);
      }
      expect([batch.receive(server.fd, MSG_DONTWAIT), libc.errno()]).toEqual([-1, Errno.EAGAIN]);
    },
  );

  test("more than a batch stays for the next, in order", async () => {
    using server = opened("127.0.0.1");
    using client = await Peer.open();
    const batch = new DatagramBatch(libc, 4, 512);
    for (let i = 0; i < 10; i++) await client.send(pattern(i, 20 + i), server.port);
    const lengths: number[] = [];
    for (const expected of [4, 4, 2]) {
      expect(batch.receive(server.fd, MSG_DONTWAIT)).toBe(expected);
      for (let i = 0; i < expected; i++) lengths.push(batch.length(i));
    }
    expect(lengths).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  });

  test("one arena serves sockets of both families and of wildcard addresses in turn", async () => {
    using plain = opened("127.0.0.1");
    using wild = opened("0.0.0.0");
    using wild6 = opened("::");
    using client = await Peer.open();
    using client6 = await Peer.open("::1");
    const batch = new DatagramBatch(libc, 4, 512);
    for (let round = 0; round < 3; round++) {
      await client.send(pattern(round, 30), plain.port);
      expect(batch.receive(plain.fd, MSG_DONTWAIT)).toBe(1);
      expect([batch.controlLength(0), sockaddrPort(batch.bytes, batch.addressAt(0))]).toEqual([
        0,
        client.port,
      ]);
      await client.send(pattern(round, 31), wild.port);
      expect(batch.receive(wild.fd, MSG_DONTWAIT)).toBe(1);
      expect([batch.controlLength(0), sockaddrPort(batch.bytes, batch.addressAt(0))]).toEqual([
        32,
        client.port,
      ]);
      await client6.send(pattern(round, 32), wild6.port);
      expect(batch.receive(wild6.fd, MSG_DONTWAIT)).toBe(1);
      expect([batch.controlLength(0), sockaddrPort(batch.bytes, batch.addressAt(0))]).toEqual([
        40,
        client6.port,
      ]);
    }
  });

  test("a message longer than a buffer is cut there, and its neighbours are whole", async () => {
    using server = opened("127.0.0.1");
    using client = await Peer.open();
    const batch = new DatagramBatch(libc, 4, 100);
    for (const [i, length] of [100, 5000, 99].entries()) await client.send(pattern(i, length), server.port);
    expect(batch.receive(server.fd, MSG_DONTWAIT)).toBe(3);
    expect([0, 1, 2].map((i) => batch.length(i))).toEqual([100, 100, 99]);
    for (const [i, length] of [100, 100, 99].entries()) {
      expect(batch.buffers[i]!.subarray(0, length)).toEqual(pattern(i, 5000).subarray(0, length));
    }
  });
});

/** Message `i`, with these octets, to there. */
function aimed(batch: DatagramBatch, i: number, octets: Uint8Array, address: string, port: number): void {
  const to = new Uint8Array(28);
  writeSockaddr(to, 0, address, port);
  batch.buffers[i]!.set(octets);
  batch.aim(i, octets.length, to, 0, 0, 0);
}

describe.runIf(native)("sending", () => {
  test.each(["127.0.0.1", "::1"])("by %s: each message to its own receiver", async (address) => {
    using server = opened(address);
    using one = await Peer.open(address);
    using two = await Peer.open(address);
    const batch = new DatagramBatch(libc, 8, 4096);
    const lengths = [12, 4096, 0, 1232, 1];
    for (let round = 0; round < 2; round++) {
      for (const [i, length] of lengths.entries()) {
        aimed(batch, i, pattern(i + round, length), address, (i % 2 === 0 ? one : two).port);
      }
      expect(batch.send(server.fd, lengths.length)).toBe(lengths.length);
      for (const [i, length] of lengths.entries()) {
        const { octets, from } = await (i % 2 === 0 ? one : two).next();
        expect(Uint8Array.from(octets)).toEqual(pattern(i + round, length));
        expect(from.port).toBe(server.port);
      }
    }
  });

  test("an address that cannot be sent to loses its own message alone, wherever it stands", async () => {
    using server = opened("127.0.0.1");
    using client = await Peer.open();
    const batch = new DatagramBatch(libc, 8, 512);
    // Port 0 is an error of the call; 255.255.255.255 needs a privilege of the socket.
    const targets = [0, 1, 0, 1, 1, 0, 0];
    for (const [i, good] of targets.entries()) {
      const address = good === 1 ? "127.0.0.1" : i === 2 ? "255.255.255.255" : "127.0.0.1";
      aimed(batch, i, pattern(i, 40), address, good === 1 || i === 2 ? client.port : 0);
    }
    expect(batch.send(server.fd, targets.length)).toBe(3);
    const got = [await client.next(), await client.next(), await client.next()];
    expect(got.map(({ octets }) => Uint8Array.from(octets))).toEqual([1, 3, 4].map((i) => pattern(i, 40)));
  });

  /** The two ways of answering the first message of a batch. */
  const copies = {
    aimed: (answers: DatagramBatch, requests: DatagramBatch): void => {
      const { bytes } = requests;
      const control = requests.controlAt(0);
      answers.aim(0, 9, bytes, requests.addressAt(0), control, requests.controlLength(0));
    },
    "from where it stands": (answers: DatagramBatch, requests: DatagramBatch): void =>
      answers.answer(0, 9, requests, 0),
  };

  test.each([
    ["127.0.0.1", "aimed"],
    ["127.0.0.1", "from where it stands"],
    ["::1", "aimed"],
    ["::1", "from where it stands"],
  ] as const)(
    "the answer to what came by a wildcard socket at %s, %s, leaves from the address asked",
    async (address, how) => {
      using server = opened(address === "::1" ? "::" : "0.0.0.0");
      using client = await Peer.open(address);
      const asked = address === "::1" ? "::1" : "127.0.0.77";
      await client.send(pattern(1, 30), server.port, asked);
      const requests = new DatagramBatch(libc, 2, 512);
      const answers = new DatagramBatch(libc, 2, 512);
      expect(requests.receive(server.fd, MSG_DONTWAIT)).toBe(1);
      copies[how](answers, requests);
      expect(answers.send(server.fd, 1)).toBe(1);
      expect((await client.next()).from).toMatchObject({ address: asked, port: server.port });
    },
  );
});

describe.runIf(native)("answering a batch", () => {
  test("each answer goes to its own client, by whichever socket, though some requests have none", async () => {
    using plain = opened("127.0.0.1");
    using wild = opened("0.0.0.0");
    using wild6 = opened("::");
    using one = await Peer.open();
    using two = await Peer.open();
    using six = await Peer.open("::1");
    const requests = new DatagramBatch(libc, 8, 512);
    const answers = new DatagramBatch(libc, 8, 512);
    const kinds = [
      { server: wild, asked: "127.0.0.77", clients: [one, two] },
      { server: plain, asked: "127.0.0.1", clients: [two, one] },
      { server: wild6, asked: "::1", clients: [six, six] },
      { server: plain, asked: "127.0.0.1", clients: [one, two] },
    ];
    for (const { server, asked, clients } of kinds) {
      for (let i = 0; i < 6; i++) await clients[i % 2]!.send(pattern(i, 20 + i), server.port, asked);
      expect(requests.receive(server.fd, MSG_DONTWAIT)).toBe(6);
      const answered = [1, 2, 5];
      for (const [to, i] of answered.entries()) {
        answers.buffers[to]!.set(pattern(i, 40 + i));
        answers.answer(to, 40 + i, requests, i);
      }
      expect(answers.send(server.fd, answered.length)).toBe(answered.length);
      for (const i of answered) {
        const { octets, from } = await clients[i % 2]!.next();
        expect(Uint8Array.from(octets)).toEqual(pattern(i, 40 + i));
        expect(from).toMatchObject({ address: asked, port: server.port });
      }
    }
    expect([one.waiting, two.waiting, six.waiting]).toEqual([0, 0, 0]);
  });
});

describe("a kernel that does not take everything", () => {
  const HEADER = 64;
  const BASE = 4096;

  /** Plays `sendmmsg`: each step is how many it takes, or an errno. */
  function kernel(steps: readonly (number | string)[]): { libc: Libc; taken: number[]; calls: () => number } {
    const taken: number[] = [];
    let calls = 0;
    let errno = 0;
    const codes: Record<string, number> = { EINTR: 4, EAGAIN: 11, ENOBUFS: 105, ECONNREFUSED: 111, EPERM: 1 };
    const played: Partial<Libc> = {
      allocate: (bytes) => ({ address: BASE, buffer: new ArrayBuffer(bytes) }),
      sendmmsg: (_fd, messages, count) => {
        const step = steps[calls++];
        if (typeof step === "string") {
          errno = codes[step]!;
          return -1;
        }
        const first = (messages - BASE) / HEADER;
        const sent = Math.min(count, step ?? count);
        for (let i = 0; i < sent; i++) taken.push(first + i);
        return sent;
      },
      errno: () => errno,
    };
    return { libc: played as Libc, taken, calls: () => calls };
  }

  test.each([
    ["takes them in pieces", [2, 1, 3], [0, 1, 2, 3, 4, 5]],
    ["was interrupted: the same again", ["EINTR", "EINTR", 3, "EINTR", 3], [0, 1, 2, 3, 4, 5]],
    ["has no room for one: that one is lost", [2, "ENOBUFS", 3], [0, 1, 3, 4, 5]],
    ["has a full queue at the end", [4, "EAGAIN", "EAGAIN"], [0, 1, 2, 3]],
    ["tells of an ICMP error of an earlier one", ["ECONNREFUSED", 5], [1, 2, 3, 4, 5]],
    ["takes none", ["EPERM", "EAGAIN", "ENOBUFS", "EPERM", "EPERM", "EPERM"], []],
    ["takes nothing and says no error", [0, 5], [1, 2, 3, 4, 5]],
  ] as const)("%s", (_what, steps, expected) => {
    const { libc: played, taken, calls } = kernel(steps);
    const batch = new DatagramBatch(played, 6, 512);
    expect(batch.send(3, 6)).toBe(expected.length);
    expect(taken).toEqual(expected);
    expect(calls()).toBe(steps.length);
  });
});
