/** Sockets of the answer threads: shared among them, with nobody else. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { type Libc, MSG_DONTWAIT } from "../../../src/server/native/libc.ts";
import { openSockets, SystemCallError } from "../../../src/server/native/socket.ts";
import { DatagramBatch } from "../../../src/server/native/batch.ts";
import { native, libc } from "../../support/native.ts";
import { opened, Peer } from "./native.ts";

/** What opening this throws. */
function refusal(address: string, port: number, count = 2): unknown {
  try {
    for (const { fd } of openSockets(libc, address, port, { count, wait: 100 })) libc.close(fd);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.runIf(native)("sockets of one address", () => {
  test.each(["127.0.0.1", "::1", "0.0.0.0", "::"])(
    "at %s: each gets its share, and each message comes once",
    async (address) => {
      using server = opened(address, 3);
      const target = address.includes(":") ? "::1" : "127.0.0.1";
      const clients = 60;
      for (let i = 0; i < clients; i++) {
        using client = await Peer.open(target);
        await client.send(Uint8Array.of(i), server.port);
      }
      const batch = new DatagramBatch(libc, 64, 512);
      const shares = server.sockets.map(({ fd }) => {
        const received = Math.max(0, batch.receive(fd, MSG_DONTWAIT));
        return Array.from({ length: received }, (_, i) => batch.buffers[i]![0]!);
      });
      expect(shares.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: clients }, (_, i) => i));
      expect(shares.filter((share) => share.length === 0)).toEqual([]);
    },
  );

  test.each([1, 3])("%i: a second server is refused, and leaves no socket behind", async (count) => {
    using first = opened("127.0.0.1", count);
    for (const other of [1, 3]) {
      expect(refusal("127.0.0.1", first.port, other)).toMatchObject({ code: "EADDRINUSE", syscall: "bind" });
      expect(refusal("0.0.0.0", first.port, other)).toMatchObject({ code: "EADDRINUSE" });
    }
    using client = await Peer.open();
    await client.send(Uint8Array.of(7), first.port);
    const batch = new DatagramBatch(libc, 2, 64);
    expect(first.sockets.map(({ fd }) => batch.receive(fd, MSG_DONTWAIT)).filter((n) => n === 1)).toEqual([
      1,
    ]);
  });

  test("a port that a program without SO_REUSEPORT holds is refused", async () => {
    const other = createSocket("udp4").bind(0, "127.0.0.1");
    await once(other, "listening");
    expect(refusal("127.0.0.1", other.address().port)).toMatchObject({ code: "EADDRINUSE" });
    other.close();
  });

  test("a port that a program with SO_REUSEPORT holds is refused too", async () => {
    const other = createSocket({ type: "udp4", reusePort: true }).bind(0, "127.0.0.1");
    await once(other, "listening");
    expect(refusal("127.0.0.1", other.address().port)).toMatchObject({ code: "EADDRINUSE" });
    other.close();
  });

  test("an address of no interface is refused", () => {
    expect(refusal("192.0.2.1", 0)).toMatchObject({ code: "EADDRNOTAVAIL", message: "bind EADDRNOTAVAIL" });
    expect(refusal("fe80::1%nowhere9", 0)).toBeInstanceOf(SystemCallError);
    expect(refusal("fe80::1%nowhere9", 0)).toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  const linkLocal = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter(({ address }) => address.startsWith("fe80:"))
      .map(({ address }) => ({ name, address })),
  )[0];
  test.runIf(linkLocal !== undefined)("a link-local address with its interface is taken", () => {
    using byName = opened(`${linkLocal!.address}%${linkLocal!.name}`);
    expect(byName.port).toBeGreaterThan(0);
  });

  test("IPv4 and IPv6 wildcards have the same port side by side", () => {
    using four = opened("0.0.0.0", 2);
    using six = opened("::", 2, four.port);
    expect(six.port).toBe(four.port);
  });

  test("where a later one fails, those before it are closed", () => {
    const open = new Set<number>();
    let left = 2;
    const failing: Libc = {
      ...libc,
      socket: (...args) => {
        const fd = libc.socket(...args);
        open.add(fd);
        return fd;
      },
      close: (fd) => {
        open.delete(fd);
        return libc.close(fd);
      },
      bind: (...args) => (left-- > 0 ? libc.bind(...args) : libc.bind(-1, 0, 0)),
    };
    expect(() => openSockets(failing, "127.0.0.1", 0, { count: 3, wait: 100 })).toThrow("bind EBADF");
    expect(open.size).toBe(0);
  });
});
