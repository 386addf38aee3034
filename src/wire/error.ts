/**
 * The one fault a peer's bytes can cause. Whatever reads the wire throws a {@link WireError} and nothing else;
 * `protocol/dispatch` turns it into FORMERR (or silence) in one place.
 */

/** What was wrong with the bytes. The codes are stable: tests and counters use them. */
export type WireErrorCode =
  | "WIRE_SHORT" // the message ends before the field does
  | "WIRE_TRAILING" // octets are left where none may be
  | "WIRE_NAME" // a domain name breaks RFC 1035 §3.1 or §4.1.4
  | "WIRE_RDATA" // RDATA does not have the form its type requires
  | "WIRE_EDNS" // OPT is misplaced, repeated or malformed (RFC 6891 §6.1)
  | "WIRE_TSIG" // TSIG is misplaced, repeated or malformed (RFC 8945 §5.1)
  | "WIRE_FULL"; // (writing) the message would outgrow its limit

/** Malformed bytes from a peer, or a message that does not fit its limit. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;
  /** Octet offset in the message where it was noticed; -1 where there is none. */
  readonly offset: number;

  constructor(code: WireErrorCode, message: string, offset = -1) {
    super(offset < 0 ? message : `${message} at octet ${offset}`);
    this.code = code;
    this.offset = offset;
  }
}
