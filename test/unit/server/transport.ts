/** Transports on loopback with a handler that the test plays itself, and plain sockets as their peers. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Peer } from "../../../src/protocol/context.ts";
import type { ReplySink, TransportLog } from "../../../src/server/handler.ts";
import { TcpConnections, type TcpLimits, TcpListener } from "../../../src/server/tcp.ts";

export const silent: TransportLog = { warn: () => undefined, debug: () => undefined };

export const LIMITS: TcpLimits = {
  connections: 50,
  connectionsPerAddress: 50,
  idle: 30_000,
  inFlight: 64,
  writeBuffer: 1024 * 1024,
};

/** One message as the handler got it. */
export interface Arrival {
  readonly message: Uint8Array;
  readonly peer: Peer;
  readonly sink: ReplySink;
}

/** Collects what arrives; `next` awaits it in order. */
export class Arrivals {
  readonly all: Arrival[] = [];
  #taken = 0;
  #wake: (() => void) | undefined;

  readonly handler = (message: Uint8Array, peer: Peer, sink: ReplySink): void => {
    this.all.push({ message, peer, sink });
    this.#wake?.();
  };

  async next(): Promise<Arrival> {
    while (this.all.length === this.#taken) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.all[this.#taken++]!;
  }
}

export interface TcpServer extends AsyncDisposable {
  readonly port: number;
  readonly connections: TcpConnections;
}

/** A TCP listener on a free port, closed with all its connections at the end of the test. */
export async function tcpServer(
  handler: (message: Uint8Array, peer: Peer, sink: ReplySink) => void,
  limits: Partial<TcpLimits> = {},
): Promise<TcpServer> {
  const connections = new TcpConnections({ ...LIMITS, ...limits });
  const listener = await TcpListener.open("127.0.0.1", 0, connections, handler, silent);
  return {
    port: listener.port,
    connections,
    async [Symbol.asyncDispose]() {
      listener.close();
      await connections.close(0);
    },
  };
}

/** A client connection whose messages are awaited one by one. */
export class Client implements Disposable {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #bytes = Buffer.alloc(0);
  #over = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => {
      const over = (): void => {
        this.#over = true;
        this.#wake?.();
        resolve();
      };
      socket.on("end", over).on("close", over);
    });
    socket.on("error", () => undefined);
  }

  static async open(port: number): Promise<Client> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
    const client = new Client(socket);
    await once(socket, "connect");
    return client;
  }

  send(...messages: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(messages.map(framed)));
  }

  /** The next message; undefined where the connection ended before one was whole. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#bytes.length >= 2 && this.#bytes.length >= 2 + this.#bytes.readUInt16BE(0)) {
        const end = 2 + this.#bytes.readUInt16BE(0);
        const message = Uint8Array.from(this.#bytes.subarray(2, end));
        this.#bytes = this.#bytes.subarray(end);
        return message;
      }
      if (this.#over) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A message of at least a header, told from others by its first two octets. */
export function messageOf(id: number, length = 12): Uint8Array {
  const message = new Uint8Array(length);
  message[0] = id >> 8;
  message[1] = id & 0xff;
  return message;
}

export function idOf(message: Uint8Array | undefined): number | undefined {
  return message === undefined ? undefined : (message[0]! << 8) | message[1]!;
}

/** The message behind its length (RFC 1035 §4.2.2). */
export function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Resolves when a count is above 0 and has stood still for many turns: all buffers on the way are full. */
export async function settled(count: () => number): Promise<void> {
  for (let before = 0; before === 0 || before !== count();) {
    before = count();
    for (let i = 0; i < 200; i++) await turn();
  }
}
