/** What the tests of the native transport share: the C library where there is one, sockets, clients, servers with zones. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { AnswerThreads, type AnswerThreadsOptions } from "../../../src/server/native/answer-threads.ts";
import { boundPort, type NativeSocket, openSockets } from "../../../src/server/native/socket.ts";
import type { SharedZone } from "../../../src/server/transport.ts";
import { Epochs } from "../../../src/zone/image/epochs.ts";
import { ZoneImage } from "../../../src/zone/image/image.ts";
import { libc } from "../../support/native.ts";
import { queryOctets, recordsOf, SEED } from "../../support/zones.ts";
import { Arrivals, silent } from "./transport.ts";

/** Sockets of one address, closed at the end of the test. */
export function opened(address: string, count = 1, port = 0): NativeSockets {
  const sockets = openSockets(libc, address, port, { count, wait: 100 });
  return {
    sockets,
    fd: sockets[0]!.fd,
    port: boundPort(libc, sockets[0]!),
    [Symbol.dispose]: () => {
      for (const { fd } of sockets) libc.close(fd);
    },
  };
}

export interface NativeSockets extends Disposable {
  readonly sockets: readonly NativeSocket[];
  /** Of the first. */
  readonly fd: number;
  readonly port: number;
}

/** A client whose datagrams are awaited one by one. */
export class Peer implements Disposable {
  readonly socket: Socket;
  readonly #received: [Uint8Array, RemoteInfo][] = [];
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("message", (message, remote) => {
      this.#received.push([message, remote]);
      this.#wake?.();
    });
    socket.on("error", () => undefined);
  }

  static async open(address = "127.0.0.1", port = 0): Promise<Peer> {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4").bind(port, address);
    await once(socket, "listening");
    return new Peer(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Resolves when the kernel has it; on loopback it is in the receiver's queue then. */
  send(message: Uint8Array, port: number, address = this.socket.address().address): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(message, port, address, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** The next datagram. */
  async next(): Promise<{ octets: Uint8Array; from: RemoteInfo }> {
    while (this.#received.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const [octets, from] = this.#received.shift()!;
    return { octets, from };
  }

  /** Datagrams that came and were not awaited. */
  get waiting(): number {
    return this.#received.length;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

const ZONE = `$TTL 300
@ IN SOA ns1 hostmaster 1 900 60 1209600 30
@ IN NS ns1
ns1 IN A 192.0.2.53
fs1 IN A 192.0.2.1
`;

/** A query of the served zone with this ID. */
export function query(id: number, name = "fs1.example."): Uint8Array {
  const message = queryOctets(Name.parse(name), RrType.A);
  message[0] = id >> 8;
  message[1] = id & 0xff;
  return message;
}

/** An empty update with this ID: not for the answer threads. */
export function update(id: number): Uint8Array {
  const message = query(id, "example.");
  message[2] = 5 << 3;
  message[message.length - 3] = RrType.SOA;
  return message;
}

/** Answer threads with a zone, stopped at the end of the test. */
export interface ThreadServer extends AsyncDisposable {
  readonly threads: AnswerThreads;
  /** What was handed over. */
  readonly arrivals: Arrivals;
  readonly epochs: Epochs;
  zone(origin: string, text?: string): SharedZone;
}

export async function threadServer(
  count = 1,
  options: Partial<AnswerThreadsOptions> = {},
): Promise<ThreadServer> {
  const arrivals = new Arrivals();
  const epochs = new Epochs();
  const zone = (origin: string, text = ZONE): SharedZone => {
    const image = ZoneImage.build(Name.parse(origin), recordsOf(origin, text), SEED, epochs);
    return { apex: image.apex, reader: image.reader, buffer: image.buffer };
  };
  const { handler } = arrivals;
  const threads = new AnswerThreads({
    libc,
    threads: count,
    seed: SEED,
    epochs,
    handler,
    log: silent,
    ...options,
  });
  await threads.serve([zone("example.")], "test");
  return { threads, arrivals, epochs, zone, [Symbol.asyncDispose]: () => threads.close() };
}
