/**
 * Zone transfers out: from the request to the messages, which are drawn one at a time as the peer takes them (AXFR,
 * RFC 5936; IXFR, RFC 1995; over UDP too).
 *
 * | refused because                       | RCODE   | as                                                      |
 * |---------------------------------------|---------|---------------------------------------------------------|
 * | not one question, IXFR without SOA    | FORMERR | RFC 5936 §2.1.1, RFC 1995 §3                            |
 * | AXFR over UDP                         | NOTIMP  | Knot and NSD (BIND: FORMERR); RFC 5936 §4.2 defines none |
 * | not a zone of this server             | NOTAUTH | RFC 5936 §2.2.1                                         |
 * | no rule allows it                     | REFUSED | RFC 5936 §5                                             |
 * | as many transfers as allowed run      | REFUSED | Knot, which says Not Ready in an EDE while it holds transfers back. BIND says SERVFAIL, at which Windows logs a locked zone. Secondaries try again after the SOA's RETRY whichever it is, or at the next NOTIFY. |
 */
import type { Requester, TransferRule } from "../auth/acl.ts";
import { mayTransfer } from "../auth/acl.ts";
import type { ServerTransaction } from "../auth/tsig/server.ts";
import { WireError } from "../wire/error.ts";
import { Ede, Rcode } from "../wire/iana/code.ts";
import type { Message } from "../wire/message.ts";
import { Flag } from "../wire/message.ts";
import type { Name } from "../wire/name.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { ZoneStore } from "../zone/ports.ts";
import type { ZoneView } from "../zone/view.ts";
import type { TransferSnapshot } from "./axfr.ts";
import { axfrCursors } from "./axfr.ts";
import type { Refusal } from "./dispatch.ts";
import { planIxfr } from "./ixfr.ts";
import { ednsOfReply, replyTo, udpLimit } from "./reply.ts";
import type { PackingOptions } from "./transfer-packing.ts";
import { packCursors, packRecords } from "./transfer-packing.ts";
import type { Rejection, TransferRequest } from "./transfer-request.ts";
import { readTransferRequest, rejection } from "./transfer-request.ts";
import type { TransferReport } from "./transfer-stream.ts";
import { TransferStream } from "./transfer-stream.ts";

/** Counts the transfers that run at once. */
export class TransferSlots {
  readonly #limit: () => number;
  #taken = 0;

  /** @param limit asked each time: a reload may change it */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @returns what gives the slot back (once, however often it is called), or undefined where all are taken */
  take(): (() => void) | undefined {
    if (this.#taken >= this.#limit()) return undefined;
    this.#taken++;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken--;
    };
  }
}

/** A zone that may be asked for. */
export interface TransferZone {
  readonly apex: Name;
  readonly transfer: readonly TransferRule[];
  readonly view: Pick<ZoneView, "soa" | "recordCount">;
  /** The zone as it is now. */
  snapshot(): TransferSnapshot;
}

export interface TransferDeps {
  readonly zone: (apex: Name) => TransferZone | undefined;
  readonly store: Pick<ZoneStore, "changesSince">;
  readonly slots: TransferSlots;
  /** Seconds since 1970 UTC, whole: asked for each message that is signed. */
  readonly now: () => number;
}

/** A transfer request whose signature, if any, was verified. */
export interface TransferOutcome {
  readonly message: Message;
  readonly requester: Requester;
  readonly transaction: ServerTransaction | undefined;
}

export type TransferStart =
  | {
      readonly kind: "refused";
      readonly bytes: Uint8Array;
      readonly refusal: Refusal;
      /** Only for now: the peer is welcome when another transfer has ended. */
      readonly busy: boolean;
    }
  | { readonly kind: "stream"; readonly stream: TransferStream };

/** An incremental transfer of more octets than this counts among the transfers at once, as whole zones do. */
const LARGE_INCREMENT = 64 * 1024;
/** Octets of changesets looked at for an answer of one datagram: forged requests must not make a long journal be read. */
const UDP_JOURNAL_OCTETS = 64 * 1024;
const NOT_FOR_UDP = "no history short enough for UDP";
/** Octets a record takes, about: what a zone is guessed to measure against its changes. */
const TYPICAL_RECORD = 64;

/**
 * Starts a transfer, or refuses it.
 * @throws what the store and the zone throw
 */
export function startTransfer(outcome: TransferOutcome, deps: TransferDeps): TransferStart {
  const { message, requester } = outcome;
  const read = readTransferRequest(message, requester.transport);
  if (!read.ok) return refuse(outcome, deps, read);
  const { question } = read.request;
  const zone = deps.zone(question.name);
  if (zone === undefined) {
    const reason = `${question.name.toString()} is no zone of this server`;
    return refuse(outcome, deps, rejection(Rcode.NOTAUTH, Ede.NOT_AUTHORITATIVE, reason));
  }
  if (!mayTransfer(zone.transfer, requester)) {
    return refuse(outcome, deps, rejection(Rcode.REFUSED, Ede.PROHIBITED, notAllowed(zone, requester)));
  }
  const start = new Start(outcome, deps, read.request, zone);
  return read.request.clientSerial === undefined
    ? start.whole(undefined)
    : start.incremental(read.request.clientSerial);
}

/** One request that is allowed, on its way to a stream. */
class Start {
  readonly #outcome: TransferOutcome;
  readonly #deps: TransferDeps;
  readonly #request: TransferRequest;
  readonly #zone: TransferZone;

  constructor(outcome: TransferOutcome, deps: TransferDeps, request: TransferRequest, zone: TransferZone) {
    this.#outcome = outcome;
    this.#deps = deps;
    this.#request = request;
    this.#zone = zone;
  }

  incremental(clientSerial: number): TransferStart {
    const { apex, view } = this.#zone;
    const { soa } = view;
    const most = this.#outcome.requester.transport === "udp" ? UDP_JOURNAL_OCTETS : Infinity;
    const plan = planIxfr({
      clientSerial,
      current: soa,
      changes: (maxOctets) => this.#deps.store.changesSince(apex, clientSerial, Math.min(maxOctets, most)),
      zoneOctets: view.recordCount * TYPICAL_RECORD,
    });
    if (plan.kind === "current") {
      return this.#stream(this.#pack(plan.records), { kind: "current", reason: undefined, to: clientSerial });
    }
    if (this.#outcome.requester.transport === "udp") {
      const message = plan.kind === "incremental" ? this.#oneMessage(plan.records) : undefined;
      if (plan.kind === "incremental" && message !== undefined) {
        return this.#stream([message], { kind: "ixfr", reason: undefined, to: plan.serial });
      }
      // RFC 1995 §2: the current SOA alone tells the client to come again over TCP
      const reason = plan.kind === "full" && plan.reason !== "no history" ? plan.reason : NOT_FOR_UDP;
      return this.#stream(this.#pack([soa]), { kind: "fallback", reason, to: clientSerial });
    }
    if (plan.kind === "full") return this.whole(plan.reason);
    const release = plan.octets > LARGE_INCREMENT ? this.#deps.slots.take() : () => undefined;
    if (release === undefined) return this.#busy();
    const report = { kind: "ixfr", reason: undefined, to: plan.serial } as const;
    return this.#stream(this.#pack(plan.records), report, release);
  }

  /** @param reason why, where it answers an IXFR */
  whole(reason: string | undefined): TransferStart {
    const release = this.#deps.slots.take();
    if (release === undefined) return this.#busy();
    let snapshot: TransferSnapshot;
    try {
      snapshot = this.#zone.snapshot();
    } catch (error) {
      release();
      throw error;
    }
    const kind = reason === undefined ? "axfr" : "fallback";
    const messages = packCursors(axfrCursors(snapshot), this.#packing());
    return this.#stream(messages, { kind, reason, to: soaSerial(snapshot.soa.rdata) }, () => {
      snapshot.close();
      release();
    });
  }

  #busy(): TransferStart {
    const reason = "as many zone transfers as allowed are under way: try again in a moment";
    return refuse(this.#outcome, this.#deps, rejection(Rcode.REFUSED, Ede.NOT_READY, reason), true);
  }

  #stream(
    messages: Iterable<Uint8Array>,
    report: Pick<TransferReport, "kind" | "reason" | "to">,
    release: () => void = () => undefined,
  ): TransferStart {
    const { transaction } = this.#outcome;
    const sequence = transaction?.sequence();
    const { now } = this.#deps;
    const sign = sequence === undefined ? undefined : (message: Uint8Array) => sequence.sign(message, now());
    const stream = new TransferStream(messages, sign, release, {
      ...report,
      zone: this.#zone.apex,
      key: this.#outcome.requester.key,
      from: this.#request.clientSerial,
    });
    return { kind: "stream", stream };
  }

  #pack(records: Iterable<ResourceRecord>): Iterable<Uint8Array> {
    return packRecords(records, this.#packing());
  }

  #packing(): PackingOptions {
    const { message, requester, transaction } = this.#outcome;
    const { header } = message;
    return {
      id: header.id,
      // RFC 5936 §2.2.1
      flags: Flag.QR | Flag.AA | (header.flags & Flag.RD),
      question: this.#request.question,
      reserve: transaction?.overhead ?? 0,
      ...(requester.transport === "udp" ? { limit: udpLimit(message) } : {}),
      edns: ednsOfReply(message, []),
    };
  }

  /** The records as one message; undefined where they take more. */
  #oneMessage(records: Iterable<ResourceRecord>): Uint8Array | undefined {
    try {
      const [first, second] = this.#pack(records);
      return second === undefined ? first : undefined;
    } catch (error) {
      if (error instanceof WireError && error.code === "WIRE_FULL") return undefined;
      throw error;
    }
  }
}

function refuse(outcome: TransferOutcome, deps: TransferDeps, why: Rejection, busy = false): TransferStart {
  const { message, requester, transaction } = outcome;
  const { rcode, reason, ede } = why;
  const bytes = replyTo(message, { rcode, ede });
  return {
    kind: "refused",
    bytes: transaction === undefined ? bytes : transaction.sign(bytes, deps.now()),
    refusal: { exchange: "transfer", rcode, reason, name: message.questions[0]?.name, key: requester.key },
    busy,
  };
}

function notAllowed(zone: TransferZone, { address, key }: Requester): string {
  const name = zone.apex.toString();
  if (zone.transfer.length === 0) return `${name} is transferred to nobody`;
  const who = key === undefined ? `${address} without a key` : `${address} with key ${key.toString()}`;
  return `no transfer rule of ${name} lets ${who} in`;
}
