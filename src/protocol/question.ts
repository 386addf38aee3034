/** Reads an ordinary query in place: header, one question, at most one OPT. Allocates nothing, throws nothing. */
import { EDNS_VERSION, MAX_UDP_PAYLOAD, MIN_UDP_PAYLOAD } from "../wire/edns.ts";
import { RrClass } from "../wire/iana/class.ts";
import { EdnsOption } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import { HEADER_LENGTH } from "../wire/writer.ts";

/** What became of reading a query in place. */
export const Reading = {
  /** An ordinary query of class IN: the fields are set. */
  QUERY: 0,
  /** Not for this path: an update, a transfer, a signed message, another class …; decode it whole. */
  OTHER: 1,
  /** Malformed: FORMERR (RFC 1035 §4.1.1). */
  MALFORMED: 2,
  /** Never to be answered: a response, or shorter than a header. */
  SILENCE: 3,
  /** EDNS of a version other than 0 (RFC 6891 §6.1.3). */
  BAD_VERSION: 4,
} as const;

/** The fields of one query, reused for the next. */
export class QuestionReader {
  /** The 16-bit flags word of the request. */
  flags = 0;
  /** Octet after the question. */
  questionEnd = 0;
  type = 0;
  edns = false;
  dnssecOk = false;
  /** The client asked for the server's identifier (RFC 5001). */
  nsid = false;
  /** What the client can take over UDP, within our own bounds. */
  udpLimit = MIN_UDP_PAYLOAD;

  /** Reads the first `length` octets of `bytes`. @returns one of {@link Reading} */
  read(bytes: Uint8Array, length: number): number {
    if (length < HEADER_LENGTH) return Reading.SILENCE;
    this.begin((bytes[2]! << 8) | bytes[3]!, 0, HEADER_LENGTH);
    if ((this.flags & 0x8000) !== 0) return Reading.SILENCE;
    // OPCODE QUERY, QDCOUNT 1, ANCOUNT 0, NSCOUNT 0, ARCOUNT 0 or 1
    const ordinary =
      (this.flags & 0x7800) === 0 &&
      bytes[4] === 0 &&
      bytes[5] === 1 &&
      (bytes[6]! | bytes[7]! | bytes[8]! | bytes[9]! | bytes[10]!) === 0 &&
      bytes[11]! <= 1;
    if (!ordinary) return Reading.OTHER;

    let at = HEADER_LENGTH;
    for (;;) {
      if (at >= length) return Reading.MALFORMED;
      const size = bytes[at]!;
      if (size === 0) break;
      // A pointer has nothing to point to in the first name of a message.
      if (size > 63) return Reading.MALFORMED;
      at += size + 1;
      if (at - HEADER_LENGTH > 254) return Reading.MALFORMED;
    }
    if (at + 5 > length) return Reading.MALFORMED;
    this.type = (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const qclass = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    at += 5;
    this.questionEnd = at;
    if (qclass !== RrClass.IN && qclass !== RrClass.ANY) return Reading.OTHER;
    const { type } = this;
    if (type === RrType.AXFR || type === RrType.IXFR || type === RrType.TKEY) return Reading.OTHER;
    if (type === 0 || type === RrType.OPT || type === RrType.TSIG) return Reading.MALFORMED;
    if (bytes[11] === 0) return Reading.QUERY;

    // Exactly an OPT record of the root (RFC 6891 §6.1.2), or else the general decoder looks at it.
    if (at + 11 > length) return Reading.MALFORMED;
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== RrType.OPT) return Reading.OTHER;
    return this.#readOpt(bytes, at + 3, length);
  }

  #readOpt(bytes: Uint8Array, from: number, length: number): number {
    const payload = (bytes[from]! << 8) | bytes[from + 1]!;
    const version = bytes[from + 3]!;
    const optionsLength = (bytes[from + 6]! << 8) | bytes[from + 7]!;
    let at = from + 8;
    const end = at + optionsLength;
    if (end > length) return Reading.MALFORMED;
    this.setEdns(payload, (bytes[from + 4]! & 0x80) !== 0, false);
    if (version !== EDNS_VERSION) return Reading.BAD_VERSION;
    while (at < end) {
      if (at + 4 > end) return Reading.MALFORMED;
      const code = (bytes[at]! << 8) | bytes[at + 1]!;
      at += 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
      if (at > end) return Reading.MALFORMED;
      if (code === EdnsOption.NSID) this.nsid = true;
    }
    return Reading.QUERY;
  }

  /** Starts anew, without EDNS. */
  begin(flags: number, type: number, questionEnd: number): void {
    this.flags = flags;
    this.type = type;
    this.questionEnd = questionEnd;
    this.edns = false;
    this.dnssecOk = false;
    this.nsid = false;
    this.udpLimit = MIN_UDP_PAYLOAD;
  }

  /** Takes over what an OPT record said; values below 512 count as 512 (RFC 6891 §6.2.3). */
  setEdns(payload: number, dnssecOk: boolean, nsid: boolean): void {
    this.edns = true;
    this.dnssecOk = dnssecOk;
    this.nsid = nsid;
    this.udpLimit = Math.min(MAX_UDP_PAYLOAD, Math.max(MIN_UDP_PAYLOAD, payload));
  }
}
