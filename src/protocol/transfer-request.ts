/** What a message asks for that asks for a zone: AXFR (RFC 5936 §2.1) or IXFR (RFC 1995 §3). */
import type { ExtendedError } from "../wire/edns.ts";
import { RrClass } from "../wire/iana/class.ts";
import { Ede, Rcode } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import type { Message } from "../wire/message.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { Question } from "../wire/record.ts";

/** What a peer asks for. */
export interface TransferRequest {
  readonly kind: "axfr" | "ixfr";
  readonly question: Question;
  /** With IXFR: the serial the peer has. */
  readonly clientSerial: number | undefined;
}

/** Why a request is not granted. */
export interface Rejection {
  readonly rcode: number;
  readonly reason: string;
  readonly ede: ExtendedError;
}

export type TransferReading =
  | { readonly ok: true; readonly request: TransferRequest }
  | ({ readonly ok: false } & Rejection);

/**
 * Reads a transfer request, whatever octets came behind it: some Windows servers send two.
 * @param message a QUERY for AXFR or IXFR
 */
export function readTransferRequest(message: Message, transport: "udp" | "tcp"): TransferReading {
  const [question, ...others] = message.questions;
  if (question === undefined || others.length > 0) {
    return { ok: false, ...rejection(Rcode.FORMERR, Ede.OTHER, "a transfer request has one question") };
  }
  if (question.class !== RrClass.IN) {
    return {
      ok: false,
      ...rejection(Rcode.NOTAUTH, Ede.NOT_AUTHORITATIVE, "only zones of class IN are served"),
    };
  }
  if (question.type === RrType.AXFR) {
    if (transport === "udp") {
      return { ok: false, ...rejection(Rcode.NOTIMP, Ede.NOT_SUPPORTED, "AXFR is for TCP") };
    }
    return { ok: true, request: { kind: "axfr", question, clientSerial: undefined } };
  }
  // RFC 1995 §3
  const soa = message.authorities.find(
    (rr) => rr.type === RrType.SOA && rr.class === RrClass.IN && rr.name.equals(question.name),
  );
  if (soa === undefined) {
    const reason = "an IXFR request has the zone's SOA in its authority section";
    return { ok: false, ...rejection(Rcode.FORMERR, Ede.OTHER, reason) };
  }
  return { ok: true, request: { kind: "ixfr", question, clientSerial: soaSerial(soa.rdata) } };
}

/** A rejection whose reason the peer is told as well. @param code of the Extended DNS Error */
export function rejection(rcode: number, code: number, reason: string): Rejection {
  return { rcode, reason, ede: { code, text: reason } };
}
