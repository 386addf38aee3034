/** Zone transfers on their way to a peer: begun, drawn by the socket, logged, and told to the notifier when complete. */
import type { Peer } from "../protocol/context.ts";
import { peerToText } from "../protocol/context.ts";
import type { Outcome } from "../protocol/dispatch.ts";
import type { TransferReport } from "../protocol/transfer.ts";
import { startTransfer, TransferSlots } from "../protocol/transfer.ts";
import type { Name } from "../wire/name.ts";
import type { ZoneStore } from "../zone/ports.ts";
import type { RefusalLog } from "./refusal-log.ts";
import type { ServedZones } from "./zones.ts";

/** What a transport offers for the answer; see `server/handler`. */
export interface TransferSink {
  send(message: Uint8Array): void;
  stream(messages: Iterable<Uint8Array>, done: (complete: boolean) => void): void;
}

export interface TransfersDeps {
  readonly store: Pick<ZoneStore, "snapshot" | "changesSince">;
  readonly zones: ServedZones;
  readonly refusals: RefusalLog;
  /** Told which serial a peer has now. */
  readonly observed: (apex: Name, address: string, serial: number) => void;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** Transfers at once; asked each time. */
  readonly maxAtOnce: () => number;
}

/** Transfers since the start, by what they were. */
export interface TransferCounters {
  axfr: number;
  ixfr: number;
  /** Requests of peers that were up to date. */
  current: number;
  /** IXFR requests answered with the whole zone, or over UDP with a hint to use TCP. */
  fallback: number;
  refused: number;
  /** The peer went away before the end. */
  broken: number;
}

export class Transfers {
  readonly counters: TransferCounters = { axfr: 0, ixfr: 0, current: 0, fallback: 0, refused: 0, broken: 0 };
  readonly #deps: TransfersDeps;
  readonly #slots: TransferSlots;

  constructor(deps: TransfersDeps) {
    this.#deps = deps;
    this.#slots = new TransferSlots(deps.maxAtOnce);
  }

  /** Transfers under way that count against the bound. */
  get underWay(): number {
    return this.#slots.taken;
  }

  /** @throws what the store throws; nothing has been sent then */
  handle(outcome: Extract<Outcome, { kind: "transfer" }>, peer: Peer, sink: TransferSink): void {
    const { store, zones, now } = this.#deps;
    const start = startTransfer(outcome, {
      store,
      zone: (apex) => zones.get(apex),
      slots: this.#slots,
      now: () => Math.floor(now() / 1000),
    });
    if (start.kind === "refused") {
      this.counters.refused++;
      this.#deps.refusals.write(start.refusal, peer);
      sink.send(start.bytes);
      return;
    }
    const { stream } = start;
    const started = performance.now();
    sink.stream(stream, (complete) => {
      stream.close();
      this.#ended(stream.report, complete, peer, performance.now() - started);
    });
  }

  #ended(report: TransferReport, complete: boolean, peer: Peer, milliseconds: number): void {
    const { zone, key, kind, reason, from, to, messages, octets } = report;
    const fields = {
      zone: zone.toString(),
      kind,
      peer: peerToText(peer),
      transport: peer.transport,
      ...(key === undefined ? {} : { key: key.toString() }),
      ...(reason === undefined ? {} : { reason }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      messages,
      octets,
      milliseconds: Math.round(milliseconds),
    };
    if (!complete) {
      this.counters.broken++;
      this.#deps.log.warn(fields, "transfer broken off by the peer");
      return;
    }
    this.counters[kind]++;
    this.#deps.log.info(fields, "transfer");
    if (to !== undefined) this.#deps.observed(zone, peer.address, to);
  }
}
