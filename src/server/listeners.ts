/** The addresses the server answers on: UDP and TCP on each, changed while running without losing those that stay. */
import type { MessageHandler, TransportLog } from "./handler.ts";
import type { TcpConnections } from "./tcp.ts";
import { TcpListener } from "./tcp.ts";
import type { UdpEndpoint, UdpTransport } from "./transport.ts";

/** An address to answer on; port 0 takes any that is free for both transports. */
export interface ListenTarget {
  readonly address: string;
  readonly port: number;
}

/** An address that could not be had. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code = "LISTEN_FAILED";
  readonly advice: string;

  /** @param own an address with the same port that this server itself answers on already */
  constructor(target: ListenTarget, cause: unknown, own?: ListenTarget) {
    const reason = errorCode(cause);
    let [message, advice] = ADVICE[reason] ?? [String(cause), "see the system's message"];
    if (reason === "EADDRINUSE" && own !== undefined) {
      message = `this server itself answers on ${targetToText(own)}`;
      advice =
        "restart it: while it runs, a wildcard address and one that it covers cannot replace each other";
    }
    super(`cannot listen on ${targetToText(target)}: ${message}`, { cause });
    this.advice = advice;
  }
}

const ADVICE: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: [
    "another program holds this address and port",
    "find it with `ss -lntup`, stop it, or change `listen`; on port 53 it is often systemd-resolved or another name server",
  ],
  EACCES: [
    "ports below 1024 need a privilege",
    "give the process CAP_NET_BIND_SERVICE, or use a higher port in `listen`",
  ],
  EADDRNOTAVAIL: ["this machine has no such address", "see `ip address`, and correct `listen`"],
  EAFNOSUPPORT: ["this machine does not speak that address family", "take the address out of `listen`"],
};

/** How often a free port is looked for that neither transport holds. */
const PORT_ATTEMPTS = 16;

interface Pair {
  readonly target: ListenTarget;
  readonly udp: UdpEndpoint;
  readonly tcp: TcpListener;
}

/** Addresses that were opened beside those there were. */
export interface ListenChange {
  /** Closes the old ones that are not among the new. */
  readonly commit: () => Promise<void>;
  /** Closes the new ones. */
  readonly abort: () => Promise<void>;
}

export class Listeners {
  readonly #udp: UdpTransport;
  readonly #handler: MessageHandler;
  readonly #connections: TcpConnections;
  readonly #log: TransportLog;
  #pairs: Pair[] = [];

  /** @param handler takes what comes by TCP */
  constructor(udp: UdpTransport, handler: MessageHandler, connections: TcpConnections, log: TransportLog) {
    this.#udp = udp;
    this.#handler = handler;
    this.#connections = connections;
    this.#log = log;
  }

  /** Addresses answered on, with the ports really taken. */
  get addresses(): string[] {
    return this.#pairs.map(({ target, udp }) => targetToText({ address: target.address, port: udp.port }));
  }

  /**
   * Answers on exactly these addresses from now on. New ones are opened before old ones are closed, and one that cannot
   * be had leaves everything as it was.
   * @throws ListenError
   */
  async configure(targets: readonly ListenTarget[]): Promise<void> {
    const change = await this.prepare(targets);
    await change.commit();
  }

  /**
   * Opens the addresses that are new, and answers on them and on those there were until the change is made or taken back.
   * One of the two must be called, before anything else is prepared.
   * @throws ListenError where one cannot be had; then everything is as it was
   */
  async prepare(targets: readonly ListenTarget[]): Promise<ListenChange> {
    const gone = new Set(this.#pairs);
    const kept: Pair[] = [];
    const opened: Pair[] = [];
    for (const target of targets) {
      const same = [...gone].find((pair) => sameTarget(pair.target, target));
      if (same !== undefined) {
        gone.delete(same);
        kept.push(same);
        continue;
      }
      try {
        opened.push(await this.#open(target));
      } catch (error) {
        await Promise.all(opened.map(closePair));
        const own = this.#pairs.find(({ udp }) => udp.port === target.port);
        throw new ListenError(target, error, own && { address: own.target.address, port: target.port });
      }
    }
    return {
      commit: async () => {
        this.#pairs = [...kept, ...opened];
        await Promise.all([...gone].map(closePair));
      },
      abort: async () => {
        await Promise.all(opened.map(closePair));
      },
    };
  }

  /** Receives nothing more by TCP; UDP goes on until {@link close}, so that answers under way can leave. */
  stopAccepting(): void {
    for (const { tcp } of this.#pairs) tcp.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.#pairs.splice(0).map(closePair));
  }

  async #open(target: ListenTarget): Promise<Pair> {
    for (let attempt = 1; ; attempt++) {
      const tcp = await TcpListener.open(
        target.address,
        target.port,
        this.#connections,
        this.#handler,
        this.#log,
      );
      try {
        const udp = await this.#udp.open(target.address, tcp.port);
        return { target, udp, tcp };
      } catch (error) {
        tcp.close();
        const another = target.port === 0 && errorCode(error) === "EADDRINUSE" && attempt < PORT_ATTEMPTS;
        if (!another) throw error;
      }
    }
  }
}

async function closePair({ udp, tcp }: Pair): Promise<void> {
  tcp.close();
  await udp.close();
}

function sameTarget(a: ListenTarget, b: ListenTarget): boolean {
  return a.address === b.address && a.port === b.port;
}

function targetToText({ address, port }: ListenTarget): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
