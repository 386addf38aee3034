/**
 * UDP through Node's `dgram`: the portable transport. One socket for each address, so an answer leaves from the address
 * that was asked.
 */
import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import type { MessageHandler, ReplySink, TransportLog } from "./handler.ts";
import { isUnansweredPort, plainAddress } from "./handler.ts";
import { noDatagrams } from "./transport.ts";
import type { UdpCounters } from "./transport.ts";

/** Asked of the kernel, which may give less: bursts of updates must not be lost while a commit is under way. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

export class UdpListener {
  readonly counters: UdpCounters = noDatagrams();
  readonly #socket: Socket;
  readonly #log: TransportLog;

  private constructor(socket: Socket, log: TransportLog) {
    this.#socket = socket;
    this.#log = log;
  }

  /**
   * Binds and begins to serve.
   * @throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) where the address cannot be had
   */
  static async open(
    address: string,
    port: number,
    handler: MessageHandler,
    log: TransportLog,
  ): Promise<UdpListener> {
    const v6 = address.includes(":");
    const socket = createSocket({ type: v6 ? "udp6" : "udp4", ipv6Only: v6 });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off("error", reject);
        resolve();
      });
    }).catch((error: unknown) => {
      socket.close();
      throw error;
    });
    const listener = new UdpListener(socket, log);
    listener.#start(handler);
    return listener;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Stops receiving; answers still to come are lost. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #start(handler: MessageHandler): void {
    try {
      this.#socket.setRecvBufferSize(RECEIVE_BUFFER);
    } catch (error) {
      this.#log.debug({ err: error }, "the kernel gave no larger UDP receive buffer");
    }
    // An ICMP error for an earlier answer shows up here, and must not stop the socket.
    this.#socket.on("error", (error) => {
      this.counters.sendErrors++;
      this.#log.debug({ err: error }, "UDP socket error");
    });
    this.#socket.on("message", (message, remote) => {
      this.counters.received++;
      if (message.length < 12 || isUnansweredPort(remote.port)) {
        this.counters.ignored++;
        return;
      }
      const peer = { address: plainAddress(remote.address), port: remote.port, transport: "udp" } as const;
      handler(message, peer, new UdpSink(this.#deliver, remote.address, remote.port));
    });
  }

  readonly #deliver = (message: Uint8Array, address: string, port: number): void => {
    try {
      this.#socket.send(message, port, address, this.#sent);
    } catch (error) {
      this.#sent(error as Error); // closed meanwhile
    }
  };

  readonly #sent = (error: Error | null): void => {
    if (error === null) {
      this.counters.sent++;
      return;
    }
    this.counters.sendErrors++;
    this.#log.debug({ err: error }, "a UDP answer could not be sent");
  };
}

type Deliver = (message: Uint8Array, address: string, port: number) => void;

/** Answers one datagram, once. */
class UdpSink implements ReplySink {
  #deliver: Deliver | undefined;
  readonly #address: string;
  readonly #port: number;

  constructor(deliver: Deliver, address: string, port: number) {
    this.#deliver = deliver;
    this.#address = address;
    this.#port = port;
  }

  send(message: Uint8Array): void {
    const deliver = this.#deliver;
    this.#deliver = undefined;
    deliver?.(message, this.#address, this.#port);
  }

  stream(messages: Iterable<Uint8Array>, done: (complete: boolean) => void): void {
    const deliver = this.#deliver;
    if (deliver === undefined) return;
    this.#deliver = undefined;
    let complete = false;
    try {
      for (const message of messages) deliver(message, this.#address, this.#port);
      complete = true;
    } finally {
      done(complete);
    }
  }

  drop(): void {
    this.#deliver = undefined;
  }
}
