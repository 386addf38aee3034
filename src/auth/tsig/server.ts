/**
 * The server's side of TSIG (RFC 8945 §5.2, §5.3): checking a request, and signing what answers it.
 *
 * {@link verifyRequest} gives a {@link ServerTransaction}, which signs one reply, or turns into a
 * {@link ServerSequence}, which signs the many messages of a transfer. Both hold what they need of the request, so
 * its buffer can be reused.
 *
 * | check, in this order          | RCODE   | TSIG error | the reply                                       |
 * |-------------------------------|---------|------------|-------------------------------------------------|
 * | key and algorithm (§5.2.1)    | NOTAUTH | BADKEY     | carries an unsigned TSIG (§5.3.2)               |
 * | length of the MAC (§5.2.2.1)  | FORMERR |            | carries no TSIG                                 |
 * | MAC (§5.2.2)                  | NOTAUTH | BADSIG     | carries an unsigned TSIG                        |
 * | time (§5.2.3)                 | NOTAUTH | BADTIME    | signed, the server's time in Other Data         |
 * | truncation policy (§5.2.4)    | NOTAUTH | BADTRUNC   | signed                                          |
 */
import { Rcode, TsigError } from "../../wire/iana/code.ts";
import type { Name } from "../../wire/name.ts";
import type { TsigRecord } from "../../wire/tsig.ts";
import { appendTsig, tsigLength } from "../../wire/tsig.ts";
import type { TsigStamp } from "./digest.ts";
import { FUDGE, receivedParts, signMessage, stampPart, time48 } from "./digest.ts";
import { findHmacContext } from "./hmac.ts";
import type { KeyRing } from "./key.ts";
import type { MacContext } from "./mac.ts";

const NOTHING = new Uint8Array(0);

/** A request whose signature holds. */
export interface VerifiedRequest {
  readonly ok: true;
  readonly transaction: ServerTransaction;
}

/** A request whose signature does not hold. Nothing it asks for may be done. */
export interface RejectedRequest {
  readonly ok: false;
  /** What the reply's header must say: NOTAUTH or FORMERR. */
  readonly rcode: number;
  /** A `TsigError`; NOERROR with FORMERR. */
  readonly error: number;
  /** The key the request names, in its own spelling; no more than a claim. */
  readonly keyName: Name;
  /** English, for the log: what was wrong. */
  readonly reason: string;
  /** Octets that {@link reply} adds. */
  readonly overhead: number;
  /**
   * Finishes an encoded reply, `rcode` already in its header, as RFC 8945 §5.3.2 asks.
   * @throws WireError `WIRE_FULL` where it would pass 65,535 octets
   */
  reply(unsigned: Uint8Array): Uint8Array;
}

export type RequestVerdict = VerifiedRequest | RejectedRequest;

/**
 * Checks the TSIG of a request made with a shared key.
 *
 * @param bytes the message as it was received
 * @param tsig what `decodeMessage` found in it
 * @param now seconds since 1970 UTC, whole
 */
export function verifyRequest(
  bytes: Uint8Array,
  tsig: TsigRecord,
  keys: KeyRing,
  now: number,
): RequestVerdict {
  return verifyRequestWith(findHmacContext(keys, tsig.keyName, tsig.algorithm), bytes, tsig, now);
}

/** As {@link verifyRequest}, with the key already looked up; undefined where there is none. */
export function verifyRequestWith(
  context: MacContext | undefined,
  bytes: Uint8Array,
  tsig: TsigRecord,
  now: number,
): RequestVerdict {
  // RFC 8945 §5.2.1
  if (context === undefined) {
    return rejectUnsigned(tsig, now, TsigError.BADKEY, "no such key with this algorithm");
  }
  // RFC 8945 §5.2.2.1: too long for the algorithm, or too short for any policy
  const length = context.judgeLength(tsig.mac.length);
  if (length === "malformed") {
    return {
      ok: false,
      rcode: Rcode.FORMERR,
      error: TsigError.NOERROR,
      keyName: tsig.keyName,
      reason: `a MAC of ${tsig.mac.length} octets, which its algorithm does not allow`,
      overhead: 0,
      reply: (unsigned) => unsigned,
    };
  }
  // RFC 8945 §5.2.2
  const parts = receivedParts(bytes, tsig.start, tsig.originalId);
  parts.push(stampPart(tsig, "variables"));
  if (!context.verify(parts, tsig.mac)) {
    return rejectUnsigned(tsig, now, TsigError.BADSIG, "the signature does not match");
  }
  const transaction = new ServerTransaction(context, tsig);
  // RFC 8945 §5.2.3: the client's own time and fudge come back, so that it can verify this reply
  const difference = now - tsig.timeSigned;
  if (Math.abs(difference) > tsig.fudge) {
    const skew = difference > 0 ? `${difference} s ago` : `${-difference} s in the future`;
    const { timeSigned, fudge } = tsig;
    return rejectSigned(transaction, TsigError.BADTIME, `signed ${skew}, and ${fudge} s are allowed`, {
      timeSigned,
      fudge,
      other: time48(now),
    });
  }
  // RFC 8945 §5.2.4
  if (length === "truncated") {
    return rejectSigned(
      transaction,
      TsigError.BADTRUNC,
      `a MAC of ${tsig.mac.length} octets, and this key asks for ${context.macLength}`,
      { timeSigned: now, fudge: FUDGE, other: NOTHING },
    );
  }
  return { ok: true, transaction };
}

/** RFC 8945 §5.3.2: an error of the key or the MAC must not be signed. */
function rejectUnsigned(tsig: TsigRecord, now: number, error: number, reason: string): RejectedRequest {
  const { keyName, algorithm, originalId } = tsig;
  return {
    ok: false,
    rcode: Rcode.NOTAUTH,
    error,
    keyName,
    reason,
    overhead: tsigLength(keyName, algorithm, 0),
    reply: (unsigned) =>
      appendTsig(unsigned, {
        keyName,
        algorithm,
        timeSigned: now,
        fudge: FUDGE,
        mac: NOTHING,
        originalId,
        error,
        other: NOTHING,
      }),
  };
}

/** RFC 8945 §5.3.2: an error of time or truncation should be signed, the request's MAC digested. */
function rejectSigned(
  transaction: ServerTransaction,
  error: number,
  reason: string,
  stamp: Pick<TsigStamp, "timeSigned" | "fudge" | "other">,
): RejectedRequest {
  return {
    ok: false,
    rcode: Rcode.NOTAUTH,
    error,
    keyName: transaction.key,
    reason,
    overhead: transaction.overhead + stamp.other.length,
    reply: (unsigned) => transaction.signWith(unsigned, { ...stamp, error }),
  };
}

/** One verified request and the one message that answers it. */
export class ServerTransaction {
  /** The key that signed the request, as the configuration spells it. */
  readonly key: Name;
  /** Octets that {@link sign} adds to a message: leave them free. */
  readonly overhead: number;
  readonly #context: MacContext;
  readonly #requestMac: Uint8Array;
  readonly #keyName: Name;
  readonly #algorithm: Name;
  readonly #originalId: number;
  /** As many octets as the request had, where that is more than the key asks for. */
  readonly #macLength: number;

  constructor(context: MacContext, request: TsigRecord) {
    this.key = context.keyName;
    this.#context = context;
    this.#requestMac = request.mac.slice();
    this.#keyName = request.keyName;
    this.#algorithm = request.algorithm;
    this.#originalId = request.originalId;
    this.#macLength = Math.max(context.macLength, request.mac.length);
    this.overhead = tsigLength(this.#keyName, this.#algorithm, this.#macLength);
  }

  /**
   * Signs the encoded reply (RFC 8945 §5.3).
   * @param now seconds since 1970 UTC, whole
   * @throws WireError `WIRE_FULL` where it would pass 65,535 octets
   */
  sign(reply: Uint8Array, now: number): Uint8Array {
    return this.signWith(reply, { timeSigned: now, fudge: FUDGE, error: TsigError.NOERROR, other: NOTHING });
  }

  /** Signs the encoded reply with a time and error of the caller's choice. */
  signWith(
    reply: Uint8Array,
    stamp: Pick<TsigStamp, "timeSigned" | "fudge" | "error" | "other">,
  ): Uint8Array {
    return this.signAfter(this.#requestMac, reply, stamp, "variables").message;
  }

  /** The stream of messages that answers the request instead of a single one. */
  sequence(): ServerSequence {
    return new ServerSequence(this, this.#requestMac);
  }

  /** Signs a message after a given prior MAC. For {@link ServerSequence}. */
  signAfter(
    prior: Uint8Array,
    message: Uint8Array,
    stamp: Pick<TsigStamp, "timeSigned" | "fudge" | "error" | "other">,
    form: "variables" | "timers",
  ): { readonly message: Uint8Array; readonly mac: Uint8Array } {
    // RFC 8945 §4.2: a response's Original ID is that of the original request, before any forwarder changed it.
    const full = {
      ...stamp,
      keyName: this.#keyName,
      algorithm: this.#algorithm,
      originalId: this.#originalId,
    };
    return signMessage(this.#context, message, prior, full, form, this.#macLength);
  }
}

/**
 * One verified request and the stream of messages that answers it over TCP (RFC 8945 §5.3.1). Every message is
 * signed: a receiver need not wait for a later one to trust it.
 */
export class ServerSequence {
  readonly key: Name;
  /** Octets that {@link sign} adds to each message. */
  readonly overhead: number;
  readonly #transaction: ServerTransaction;
  #priorMac: Uint8Array;
  #form: "variables" | "timers" = "variables";

  constructor(transaction: ServerTransaction, requestMac: Uint8Array) {
    this.key = transaction.key;
    this.overhead = transaction.overhead;
    this.#transaction = transaction;
    this.#priorMac = requestMac;
  }

  /**
   * Signs the next encoded message; the order of calls is the order of sending.
   * @param now seconds since 1970 UTC, whole
   * @throws WireError `WIRE_FULL` where it would pass 65,535 octets
   */
  sign(message: Uint8Array, now: number): Uint8Array {
    const stamp = { timeSigned: now, fudge: FUDGE, error: TsigError.NOERROR, other: NOTHING };
    const signed = this.#transaction.signAfter(this.#priorMac, message, stamp, this.#form);
    this.#priorMac = signed.mac;
    this.#form = "timers";
    return signed.message;
  }
}
