/** UDP where answer threads cannot be had: one `dgram` socket for each address, all answered by the control thread. */
import type { MessageHandler, TransportLog } from "./handler.ts";
import { noDatagrams } from "./transport.ts";
import type { UdpCounters, UdpEndpoint, UdpTransport } from "./transport.ts";
import { UdpListener } from "./udp.ts";

export class PortableUdp implements UdpTransport {
  readonly description: string;
  /** All go by the handler. */
  readonly answered = 0;
  readonly recalled = 0;
  readonly strangers = 0;
  readonly #handler: MessageHandler;
  readonly #log: TransportLog;
  readonly #open = new Set<UdpListener>();
  /** Of sockets that are closed. */
  readonly #past: UdpCounters = noDatagrams();

  /** @param reason why it is not done by answer threads */
  constructor(reason: string, handler: MessageHandler, log: TransportLog) {
    this.description = `the control thread (dgram: ${reason})`;
    this.#handler = handler;
    this.#log = log;
  }

  get counters(): UdpCounters {
    const sum = { ...this.#past };
    for (const { counters } of this.#open) addTo(sum, counters);
    return sum;
  }

  async open(address: string, port: number): Promise<UdpEndpoint> {
    const listener = await UdpListener.open(address, port, this.#handler, this.#log);
    if (address === "0.0.0.0" || address === "::") {
      this.#log.warn(
        { address },
        "UDP answers may leave from another address than was asked, and be refused: list each address in `listen`",
      );
    }
    this.#open.add(listener);
    return {
      port: listener.port,
      close: async () => {
        await listener.close();
        if (this.#open.delete(listener)) addTo(this.#past, listener.counters);
      },
    };
  }

  /** Nothing to do: the handler looks at the zones by itself. */
  serve(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing either: the handler has it. */
  remember(): void {
    return undefined;
  }

  /** They are answered by the thread that does everything else. */
  preferAnswers(): void {
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((listener) => listener.close()));
  }
}

function addTo(sum: UdpCounters, counters: Readonly<UdpCounters>): void {
  sum.received += counters.received;
  sum.ignored += counters.ignored;
  sum.dropped += counters.dropped;
  sum.sent += counters.sent;
  sum.sendErrors += counters.sendErrors;
  sum.receiveErrors += counters.receiveErrors;
}
