/** What all replies have in common, whatever the exchange: the request's question, and OPT where the request had one. */
import type { Edns, EdnsOptionValue, ExtendedError } from "../wire/edns.ts";
import { EDNS_VERSION, edeOption, MAX_UDP_PAYLOAD, MIN_UDP_PAYLOAD } from "../wire/edns.ts";
import type { Message } from "../wire/message.ts";
import { encodeMessage, Flag } from "../wire/message.ts";
import type { ResourceRecord } from "../wire/record.ts";

export interface ReplyParts {
  readonly rcode: number;
  readonly answers?: readonly ResourceRecord[];
  readonly authoritative?: boolean;
  readonly ede?: ExtendedError | undefined;
}

/** Encodes a reply with the request's ID, opcode, RD and question, and OPT where the request had one. */
export function replyTo(request: Message, parts: ReplyParts): Uint8Array {
  const { header, questions } = request;
  return encodeMessage({
    id: header.id,
    flags:
      Flag.QR |
      (header.opcode << 11) |
      (parts.authoritative === true ? Flag.AA : 0) |
      (header.flags & Flag.RD),
    rcode: parts.rcode,
    questions: questions.length === 1 ? questions : [],
    answers: parts.answers ?? [],
    edns: ednsOfReply(request, parts.ede === undefined ? [] : [edeOption(parts.ede)]),
  });
}

/** The OPT of a reply (RFC 6891 §6.1.1, §7; RFC 3225 §3): none where the request had none. */
export function ednsOfReply({ edns }: Message, options: readonly EdnsOptionValue[]): Edns | undefined {
  return (
    edns && {
      udpPayload: MAX_UDP_PAYLOAD,
      version: EDNS_VERSION,
      extendedRcode: 0,
      dnssecOk: edns.dnssecOk,
      options,
    }
  );
}

/** Octets that a reply over UDP may have: what the client takes, within what is safe (RFC 6891 §6.2.3). */
export function udpLimit({ edns }: Message): number {
  return Math.min(Math.max(edns?.udpPayload ?? 0, MIN_UDP_PAYLOAD), MAX_UDP_PAYLOAD);
}
