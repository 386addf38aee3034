/**
 * The sockets of the NetBIOS name service: UDP over IPv4, one for each address, changed while running without losing
 * those that stay.
 */
import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import type { ListenAddress } from "../../config/config.ts";

/** An address that could not be had. */
export class NetbiosListenError extends Error {
  override readonly name = "NetbiosListenError";
  readonly code = "LISTEN_NETBIOS";
  readonly advice: string;

  /** @param own an address with the same port that names are answered on already */
  constructor(target: ListenAddress, cause: unknown, own?: ListenAddress) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    let [message, advice] = ADVICE[reason] ?? [String(cause), "see the system's message"];
    if (reason === "EADDRINUSE" && own !== undefined) {
      message = `this server itself answers on ${own.address}:${target.port}`;
      advice =
        "restart it: while it runs, a wildcard address and one that it covers cannot replace each other";
    }
    super(`cannot answer NetBIOS names on ${target.address}:${target.port}: ${message}`, { cause });
    this.advice = advice;
  }
}

const ADVICE: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: [
    "another program holds this address and port",
    "find it with `ss -lunp`, stop it, or change `listen` of [netbios]; on port 137 it is often Samba's nmbd",
  ],
  EACCES: [
    "ports below 1024 need a privilege, and clients ask port 137 alone",
    "give the process CAP_NET_BIND_SERVICE, or leave [netbios] out",
  ],
  EADDRNOTAVAIL: ["this machine has no such address", "see `ip address`, and correct `listen` of [netbios]"],
};

/** How datagrams leave: from the socket that took the request, so that the reply comes from where it went. */
export interface NetbiosPort {
  /** What cannot be sent is lost, as datagrams are. */
  send(message: Uint8Array, address: string, port: number): void;
}

/** @param port what the reply is to leave by */
export type NetbiosReceiver = (
  message: Uint8Array,
  from: { readonly address: string; readonly port: number },
  port: NetbiosPort,
) => void;

export interface SocketsLog {
  debug(fields: object, message: string): void;
}

interface OpenSocket {
  readonly target: ListenAddress;
  readonly socket: Socket;
}

export class NetbiosSockets {
  readonly #receive: NetbiosReceiver;
  readonly #log: SocketsLog;
  #open: OpenSocket[] = [];

  constructor(receive: NetbiosReceiver, log: SocketsLog) {
    this.#receive = receive;
    this.#log = log;
  }

  /** Addresses answered on, with the ports really taken. */
  get addresses(): string[] {
    return this.#open.map(({ target, socket }) => `${target.address}:${socket.address().port}`);
  }

  /**
   * Answers on exactly these addresses from now on. One that cannot be had leaves everything as it was.
   * @throws NetbiosListenError
   */
  async configure(targets: readonly ListenAddress[]): Promise<void> {
    const gone = new Set(this.#open);
    const opened: OpenSocket[] = [];
    const next: OpenSocket[] = [];
    for (const target of targets) {
      const same = [...gone].find(
        (each) => each.target.address === target.address && each.target.port === target.port,
      );
      if (same !== undefined) {
        gone.delete(same);
        next.push(same);
        continue;
      }
      try {
        const open = { target, socket: await this.#bind(target) };
        opened.push(open);
        next.push(open);
      } catch (error) {
        for (const { socket } of opened) socket.close();
        const own = this.#open.find(({ socket }) => socket.address().port === target.port);
        throw new NetbiosListenError(target, error, own?.target);
      }
    }
    this.#open = next;
    await Promise.all([...gone].map(({ socket }) => closed(socket)));
  }

  async #bind({ address, port }: ListenAddress): Promise<Socket> {
    const socket = createSocket("udp4");
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.bind({ address, port, exclusive: true }, () => {
          socket.off("error", reject);
          resolve();
        });
      });
    } catch (error) {
      socket.close();
      throw error;
    }
    // An ICMP error for an earlier reply shows up here, and must not stop the socket.
    socket.on("error", (error) => this.#log.debug({ err: error }, "NetBIOS socket error"));
    const replies = new ReplyPort(socket, this.#log);
    socket.on("message", (message, from) => this.#receive(message, from, replies));
    return socket;
  }
}

class ReplyPort implements NetbiosPort {
  readonly #socket: Socket;
  readonly #log: SocketsLog;

  constructor(socket: Socket, log: SocketsLog) {
    this.#socket = socket;
    this.#log = log;
  }

  send(message: Uint8Array, address: string, port: number): void {
    try {
      this.#socket.send(message, port, address, this.#sent);
    } catch (error) {
      this.#sent(error as Error); // closed meanwhile
    }
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#log.debug({ err: error }, "a NetBIOS reply could not be sent");
  };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.close(() => resolve()));
}
