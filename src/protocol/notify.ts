/** NOTIFY (RFC 1996) as a primary speaks it: the message that tells a secondary of a change, and what it answers. */
import { WireError } from "../wire/error.ts";
import { RrClass } from "../wire/iana/class.ts";
import { Opcode } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import type { Message } from "../wire/message.ts";
import { encodeMessage, Flag } from "../wire/message.ts";
import type { Name } from "../wire/name.ts";
import { readSoa } from "../wire/rdata/soa.ts";
import type { ResourceRecord } from "../wire/record.ts";

/**
 * Encodes a NOTIFY (RFC 1996 §3.7, §4.5): AA, the zone's SOA asked for, and the SOA itself as a hint where it is known.
 * Without OPT: Windows Server takes one for an error.
 */
export function encodeNotify(id: number, apex: Name, soa: ResourceRecord | undefined): Uint8Array {
  return encodeMessage({
    id,
    flags: Flag.AA | (Opcode.NOTIFY << 11),
    rcode: 0,
    questions: [{ name: apex, type: RrType.SOA, class: RrClass.IN }],
    answers: soa === undefined ? [] : [soa],
  });
}

/** What a secondary said to a NOTIFY. */
export interface NotifyResponse {
  /** NOERROR acknowledges. */
  readonly rcode: number;
  /** The serial it has, where it says so. Most do not, or repeat the hint. */
  readonly serial: number | undefined;
}

/**
 * Reads the response to a NOTIFY (RFC 1996 §4.7).
 * @returns undefined where the message is no answer to the NOTIFY with this ID about this zone
 */
export function readNotifyResponse(message: Message, id: number, apex: Name): NotifyResponse | undefined {
  const { header, questions, answers } = message;
  if (header.id !== id || (header.flags & Flag.QR) === 0 || header.opcode !== Opcode.NOTIFY) return undefined;
  // An error may come without the question: that the header could be read is all it says.
  const [question] = questions;
  if (question === undefined ? header.rcode === 0 : questions.length > 1) return undefined;
  if (question !== undefined && (question.type !== RrType.SOA || !question.name.equals(apex)))
    return undefined;
  const soa = answers.find((rr) => rr.type === RrType.SOA && rr.name.equals(apex));
  return { rcode: header.rcode, serial: soa === undefined ? undefined : serialOf(soa) };
}

function serialOf(soa: ResourceRecord): number | undefined {
  try {
    return readSoa(soa.rdata).serial;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
