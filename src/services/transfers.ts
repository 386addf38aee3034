/** Zone transfers on their way to a peer: begun, drawn by the socket, logged, and told to the notifier when complete. */
import type { Peer } from "../protocol/context.ts";
import { peerToText } from "../protocol/context.ts";
import type { Outcome } from "../protocol/dispatch.ts";
import type { TransferReport } from "../protocol/transfer-stream.ts";
import { startTransfer, TransferSlots } from "../protocol/transfer.ts";
import type { Name } from "../wire/name.ts";
import type { ZoneStore } from "../zone/ports.ts";
import type { RefusalLog } from "./refusal-log.ts";
import type { ServedZones } from "./zones.ts";

/** Peers turned away for lack of room that are remembered, to be called again; others come again by themselves. */
const MAX_PUT_OFF = 256;
/** Milliseconds a transfer may take in all: it holds a snapshot, and with it memory, however slowly it is read. */
export const MAX_DURATION = 30 * 60 * 1000;

/** How a transfer came to its end; the log's words where that was too early. */
type Ending = "complete" | keyof typeof BROKEN;
const BROKEN = {
  late: "transfer ended: it took too long",
  failed: "transfer ended: reading the zone failed",
  lost: "transfer broken off: the peer went away, or read nothing for too long",
} as const;

/** What a transport offers for the answer; see `server/handler`. */
export interface TransferSink {
  send(message: Uint8Array): void;
  stream(messages: Iterable<Uint8Array>, done: (complete: boolean) => void): void;
}

export interface TransfersDeps {
  readonly store: Pick<ZoneStore, "changesSince">;
  readonly zones: ServedZones;
  readonly refusals: RefusalLog;
  /** Told which serial a peer has now, and the key it asked with; and whom to call again when there is room. */
  readonly secondaries: {
    observe(apex: Name, address: string, serial: number, key?: Name): void;
    retell(apex: Name, address: string): void;
  };
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
  /** Ended before they were complete. */
  broken: number;
}

export class Transfers {
  readonly counters: TransferCounters = { axfr: 0, ixfr: 0, current: 0, fallback: 0, refused: 0, broken: 0 };
  readonly #deps: TransfersDeps;
  readonly #slots: TransferSlots;
  /** Zone and address of peers that were put off. */
  readonly #putOff = new Map<string, { readonly apex: Name; readonly address: string }>();

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
      if (start.busy) this.#remember(outcome.message.questions[0]!.name, peer.address);
      return;
    }
    const { stream } = start;
    const started = performance.now();
    let isLate = false;
    // Not left to the next message: a peer that reads an octet now and then may never ask for one.
    const deadline = setTimeout(() => {
      isLate = true;
      stream.close();
    }, MAX_DURATION).unref();
    sink.stream(
      unlessLate(stream, () => isLate),
      (complete) => {
        clearTimeout(deadline);
        stream.close();
        this.#callAgain();
        const ending = complete
          ? "complete"
          : isLate
            ? "late"
            : stream.failure === undefined
              ? "lost"
              : "failed";
        this.#ended(stream.report, ending, peer, performance.now() - started);
      },
    );
  }

  #ended(report: TransferReport, ending: Ending, peer: Peer, milliseconds: number): void {
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
    if (ending !== "complete") {
      this.counters.broken++;
      this.#deps.log.warn(fields, BROKEN[ending]);
      return;
    }
    this.counters[kind]++;
    this.#deps.log.info(fields, "transfer");
    if (to !== undefined) this.#deps.secondaries.observe(zone, peer.address, to, key);
  }

  #remember(apex: Name, address: string): void {
    if (this.#putOff.size < MAX_PUT_OFF) this.#putOff.set(`${apex.key} ${address}`, { apex, address });
  }

  /** There is room for one more: NOTIFY makes those that were put off ask again. */
  #callAgain(): void {
    const [first] = this.#putOff;
    if (first === undefined) return;
    this.#putOff.delete(first[0]);
    this.#deps.secondaries.retell(first[1].apex, first[1].address);
  }
}

/** The messages of a stream. @throws where it was ended for being late, which ends the connection */
function* unlessLate(messages: Iterable<Uint8Array>, isLate: () => boolean): Iterable<Uint8Array> {
  yield* messages;
  if (isLate()) throw new Error("the transfer takes too long: the peer hardly reads");
}
