/** A zone that can be transferred, and a secondary that reads what it gets the plain way. */
import { parseNetwork } from "../../src/auth/acl.ts";
import type { TransferRule } from "../../src/auth/acl.ts";
import { ClientSequence } from "../../src/auth/tsig/client.ts";
import type { TsigKey } from "../../src/auth/tsig/key.ts";
import type { ServerTransaction } from "../../src/auth/tsig/server.ts";
import { verifyRequest } from "../../src/auth/tsig/server.ts";
import type { TransferSnapshot } from "../../src/protocol/axfr.ts";
import type { TransferReport } from "../../src/protocol/transfer-stream.ts";
import type { TransferDeps, TransferStart } from "../../src/protocol/transfer.ts";
import { startTransfer, TransferSlots } from "../../src/protocol/transfer.ts";
import { ObjectCursor } from "../../src/wire/cursor.ts";
import type { Edns } from "../../src/wire/edns.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import type { Message } from "../../src/wire/message.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import type { Name } from "../../src/wire/name.ts";
import { soaSerial } from "../../src/wire/rdata/soa.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { changesetSize, identical } from "../../src/zone/algebra.ts";
import type { Changeset } from "../../src/zone/changeset.ts";
import { ZoneModel } from "./model.ts";

/** Seconds since 1970 UTC at which everything here happens. */
export const NOW = 1_800_000_000;

export interface Asked {
  readonly type?: number;
  readonly zone?: Name;
  readonly class?: number;
  /** What stands in the authority section. */
  readonly authorities?: readonly ResourceRecord[];
  readonly questions?: number;
  readonly edns?: Edns;
  readonly flags?: number;
  readonly from?: string;
  readonly transport?: "udp" | "tcp";
  readonly key?: TsigKey;
  /** Octets behind the message. */
  readonly trailing?: readonly number[];
}

export interface Transferred {
  readonly bytes: readonly Uint8Array[];
  readonly messages: readonly Message[];
  /** The answer sections one after the other. */
  readonly records: readonly ResourceRecord[];
  readonly report: TransferReport;
}

/** A primary with one zone, its journal, and a count of what is open. */
export class TransferHouse {
  readonly model: ZoneModel;
  readonly journal: Changeset[] = [];
  rules: TransferRule[] = [{ net: parseNetwork("127.0.0.0/8")! }];
  openSnapshots = 0;
  snapshotFails = false;
  maxAtOnce = 8;
  readonly slots = new TransferSlots(() => this.maxAtOnce);
  readonly deps: TransferDeps;

  constructor(soa: ResourceRecord, records: Iterable<ResourceRecord> = []) {
    this.model = new ZoneModel(soa, records);
    this.deps = {
      zone: (apex) =>
        apex.equals(this.model.apex)
          ? {
              apex: this.model.apex,
              transfer: this.rules,
              view: this.model.view(),
              snapshot: () => this.#snapshot(),
            }
          : undefined,
      store: {
        changesSince: (_, serial, maxBytes = Infinity) => this.#changesSince(serial, maxBytes),
      },
      slots: this.slots,
      now: () => NOW,
    };
  }

  /** Commits a change from the present state. */
  change(removed: readonly ResourceRecord[], added: readonly ResourceRecord[]): void {
    this.commit(this.model.change(removed, added));
  }

  commit(changeset: Changeset): void {
    this.model.apply(changeset);
    this.journal.push(changeset);
  }

  /** Asks as a peer would, through the octets of the request. */
  start(asked: Asked = {}): TransferStart & { readonly client: ClientSequence | undefined } {
    const { type = RrType.AXFR, zone = this.model.apex, from = "127.0.0.1", transport = "tcp", key } = asked;
    const question = { name: zone, type, class: asked.class ?? RrClass.IN };
    let bytes = encodeMessage({
      id: 0x4242,
      flags: asked.flags ?? 0,
      rcode: 0,
      questions: Array.from({ length: asked.questions ?? 1 }, () => question),
      authorities: asked.authorities ?? [],
      edns: asked.edns,
    });
    let client: ClientSequence | undefined;
    let transaction: ServerTransaction | undefined;
    if (key !== undefined) {
      const signed = ClientSequence.start(key, bytes, NOW);
      bytes = signed.message;
      client = signed.sequence;
    }
    if (asked.trailing !== undefined) bytes = Uint8Array.of(...bytes, ...asked.trailing);
    const message = decodeMessage(bytes);
    if (key !== undefined) {
      const verdict = verifyRequest(bytes, message.tsig!, new Map([[key.name.key, key]]), NOW);
      if (!verdict.ok) throw new Error(verdict.reason);
      transaction = verdict.transaction;
    }
    const requester = { address: from, transport, ...(key === undefined ? {} : { key: key.name }) };
    return { ...startTransfer({ message, requester, transaction }, this.deps), client };
  }

  /** Asks and draws everything; signatures are checked. */
  transfer(asked: Asked = {}): Transferred {
    const start = this.start(asked);
    if (start.kind === "refused") throw new Error(`refused: ${start.refusal.reason}`);
    const bytes = [...start.stream];
    const messages = bytes.map((one) => decodeMessage(one));
    messages.forEach((message, i) => {
      const verdict = start.client?.verify(bytes[i]!, message.tsig, NOW);
      if (verdict?.ok === false) throw new Error(verdict.reason);
    });
    return {
      bytes,
      messages,
      records: messages.flatMap((message) => message.answers),
      report: start.stream.report,
    };
  }

  ixfr(from: ResourceRecord, asked: Asked = {}): Transferred {
    return this.transfer({ type: RrType.IXFR, authorities: [from], ...asked });
  }

  #snapshot(): TransferSnapshot {
    if (this.snapshotFails) throw new Error("no snapshot");
    const { soa, records } = this.model.clone();
    this.openSnapshots++;
    return {
      soa,
      cursor: () => new ObjectCursor(records.values()),
      close: () => {
        this.openSnapshots--;
      },
    };
  }

  #changesSince(serial: number, maxBytes: number): readonly Changeset[] | undefined {
    if (serial === this.model.serial) return [];
    const from = this.journal.findIndex(({ soaBefore }) => soaSerial(soaBefore.rdata) === serial);
    if (from < 0) return undefined;
    const chain = this.journal.slice(from);
    return chain.reduce((sum, one) => sum + changesetSize(one), 0) > maxBytes ? undefined : chain;
  }
}

/**
 * What a secondary that holds `model` has after a transfer, by RFC 1995 §4 and nothing else.
 * @throws Error where the records are no transfer, or a difference does not fit what it holds
 */
export function receive(model: ZoneModel, records: readonly ResourceRecord[]): ZoneModel {
  const [first, second] = records;
  const last = records[records.length - 1];
  if (first === undefined || last === undefined || first.type !== RrType.SOA) {
    throw new Error("a transfer begins with an SOA");
  }
  if (records.length === 1) return model;
  if (!identical(first, last)) throw new Error("a transfer ends with the SOA it began with");
  const body = records.slice(1, -1);
  if (second?.type !== RrType.SOA || records.length === 2) return new ZoneModel(first, body);
  const result = model.clone();
  for (let at = 0; at < body.length;) {
    const takeRun = (): [ResourceRecord, ResourceRecord[]] => {
      const soa = body[at++]!;
      const start = at;
      while (at < body.length && body[at]!.type !== RrType.SOA) at++;
      return [soa, body.slice(start, at)];
    };
    const [soaBefore, removed] = takeRun();
    if (at >= body.length) throw new Error("a difference without its second SOA");
    const [soaAfter, added] = takeRun();
    result.apply({ soaBefore, soaAfter, removed, added });
  }
  if (!identical(result.soa, first)) throw new Error("the differences do not lead to the newest SOA");
  return result;
}
