/** DNS over plain sockets, for what no program sends: raw octets out, raw octets in. */
import { createSocket } from "node:dgram";
import type { Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Where } from "./clients.ts";

/** Milliseconds after which an answer counts as not coming: far more than any answer on this machine takes. */
const PATIENCE = 15_000;

/** Whether this machine has an IPv6 loopback address. */
export async function hasIpv6(): Promise<boolean> {
  const socket = createSocket("udp6");
  const bound = await new Promise<boolean>((resolve) => {
    socket.once("error", () => resolve(false));
    socket.bind(0, "::1", () => resolve(true));
  });
  socket.close();
  return bound;
}

/** One UDP socket, many questions at a time, told apart by their IDs. */
export class UdpClient {
  readonly #socket: UdpSocket;
  readonly #waiting = new Map<number, { resolve: (answer: Uint8Array) => void; timer: NodeJS.Timeout }>();
  /** Datagrams that no question was waiting for. */
  readonly stray: Uint8Array[] = [];

  private constructor(socket: UdpSocket) {
    this.#socket = socket;
    socket.on("message", (message) => {
      const waiting = this.#waiting.get(message.length < 2 ? -1 : message.readUInt16BE(0));
      if (waiting === undefined) {
        this.stray.push(message);
        return;
      }
      this.#waiting.delete(message.readUInt16BE(0));
      clearTimeout(waiting.timer);
      waiting.resolve(message);
    });
    // A closed port is told as an error of an earlier datagram; whoever waits learns it by waiting.
    socket.on("error", () => undefined);
  }

  static async open({ address = "127.0.0.1", port }: Where): Promise<UdpClient> {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.connect(port, address);
    await once(socket, "connect");
    return new UdpClient(socket);
  }

  /** Sends a message and resolves with the answer of its ID. @throws where none comes */
  ask(message: Uint8Array, patience: number = PATIENCE): Promise<Uint8Array> {
    const id = (message[0]! << 8) | message[1]!;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer to message ${id} within ${patience} ms`));
      }, patience);
      this.#waiting.set(id, { resolve, timer });
      this.#socket.send(message);
    });
  }

  /** Sends without waiting for anything. */
  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#socket.send(message, () => resolve()));
  }

  close(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#socket.close();
  }
}

/** One datagram, one answer. */
export async function askUdp(where: Where, message: Uint8Array): Promise<Uint8Array> {
  const client = await UdpClient.open(where);
  try {
    return await client.ask(message);
  } finally {
    client.close();
  }
}

/** A TCP connection that messages are read from one after another. */
export class TcpClient {
  readonly socket: Socket;
  /** Whether the connection has ended, by either side or by an error. */
  ended = false;
  #received: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    const end = (): void => {
      this.ended = true;
      this.#wake?.();
    };
    socket.on("end", end).on("close", end).on("error", end);
  }

  static async open({ address = "127.0.0.1", port }: Where): Promise<TcpClient> {
    const socket = connect({ host: address, port, noDelay: true });
    await once(socket, "connect");
    return new TcpClient(socket);
  }

  /** Sends messages, each behind its length. */
  send(...messages: Uint8Array[]): void {
    for (const message of messages) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      this.socket.write(Buffer.concat([length, message]));
    }
  }

  /** The next message; undefined where the connection ended before it. @throws where neither happens */
  async receive(patience: number = PATIENCE): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#received.length >= 2) {
        const length = this.#received.readUInt16BE(0);
        if (this.#received.length >= 2 + length) {
          const message = Uint8Array.from(this.#received.subarray(2, 2 + length));
          this.#received = this.#received.subarray(2 + length);
          return message;
        }
      }
      if (this.ended) return undefined;
      await this.#change(patience);
    }
  }

  /** Resolves when the connection has ended. @throws where it does not */
  async closed(patience: number = PATIENCE): Promise<void> {
    while (!this.ended) await this.#change(patience);
  }

  close(): void {
    this.socket.destroy();
  }

  #change(patience: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing came within ${patience} ms`)), patience);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

/** One message over a connection of its own; undefined where the server ends it without an answer. */
export async function askTcp(where: Where, message: Uint8Array): Promise<Uint8Array | undefined> {
  const client = await TcpClient.open(where);
  try {
    client.send(message);
    return await client.receive();
  } finally {
    client.close();
  }
}
