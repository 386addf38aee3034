/** TCP listeners, and who may be connected: the caps of the server and of an address, and what becomes of the idle. */
import type { Server } from "node:net";
import { createServer } from "node:net";
import { SourceCounts, sourceLimits } from "../auth/source-counts.ts";
import type { MessageHandler, TransportLog } from "./handler.ts";
import { plainAddress } from "./handler.ts";
import type { ConnectionCounters, ConnectionLimits } from "./tcp-connection.ts";
import { TcpConnection } from "./tcp-connection.ts";

export interface TcpLimits extends ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

export interface TcpCounters extends ConnectionCounters {
  accepted: number;
  /** Turned away by a cap. */
  refused: number;
}

/** How often deadlines are looked at, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

/** The connections of all TCP listeners together: the caps are the server's, not an address's. */
export class TcpConnections {
  readonly counters: TcpCounters = { accepted: 0, refused: 0, received: 0, sent: 0, cut: 0 };
  limits: TcpLimits;
  readonly #open = new Set<TcpConnection>();
  readonly #sources = new SourceCounts();
  readonly #sweeper: NodeJS.Timeout;

  constructor(limits: TcpLimits) {
    this.limits = limits;
    this.#sweeper = setInterval(() => this.sweep(performance.now()), SWEEP_INTERVAL);
    this.#sweeper.unref();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Whether one more connection from this address is allowed; where the server is full, the longest idle one goes. */
  admit(address: string): boolean {
    const { connections, connectionsPerAddress } = this.limits;
    if (!this.#sources.hasRoom(address, sourceLimits(connectionsPerAddress, connections))) return false;
    if (this.#open.size < connections) return true;
    let idlest: TcpConnection | undefined;
    for (const connection of this.#open) {
      if (connection.isIdle && (idlest === undefined || connection.lastActive < idlest.lastActive))
        idlest = connection;
    }
    if (idlest === undefined) return false;
    // Counted as gone at once: its end is told later, and many may ask to be let in before that.
    this.remove(idlest);
    idlest.close();
    return true;
  }

  add(connection: TcpConnection): void {
    this.#open.add(connection);
    this.#sources.add(connection.peer.address);
  }

  remove(connection: TcpConnection): void {
    if (!this.#open.delete(connection)) return;
    this.#sources.remove(connection.peer.address);
  }

  /** Ends idle connections at once and the others when their answers are out, or after `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    clearInterval(this.#sweeper);
    const ended = [...this.#open].map((connection) => connection.finish());
    const timer = setTimeout(() => {
      for (const connection of this.#open) connection.close();
    }, grace);
    await Promise.all(ended);
    clearTimeout(timer);
  }

  /** Ends what is past its time. `now`: as of `performance.now()`. */
  sweep(now: number): void {
    for (const connection of this.#open) connection.checkDeadlines(now);
  }
}

/** One listening address. */
export class TcpListener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Binds and begins to serve. @throws the system's error where the address cannot be had */
  static async open(
    address: string,
    port: number,
    connections: TcpConnections,
    handler: MessageHandler,
    log: TransportLog,
  ): Promise<TcpListener> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const from = plainAddress(socket.remoteAddress ?? "");
      if (from === "" || !connections.admit(from)) {
        connections.counters.refused++;
        log.debug({ peer: from }, "TCP connection turned away: too many are open");
        socket.destroy();
        return;
      }
      connections.counters.accepted++;
      const peer = { address: from, port: socket.remotePort ?? 0, transport: "tcp" } as const;
      connections.add(new TcpConnection(socket, peer, connections, handler, log));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: address, port, ipv6Only: address.includes(":"), exclusive: true }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    // Out of descriptors, for one: the connection is lost, the listener is not.
    server.on("error", (error) => log.warn({ err: error }, "TCP listener error"));
    return new TcpListener(server);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Accepts no more. Connections already open live on. */
  close(): void {
    this.#server.close();
  }
}
