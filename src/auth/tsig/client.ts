/**
 * The client's side of TSIG (RFC 8945 §5.1, §5.4): signing a request, and checking what answers it. Used for NOTIFY
 * and transfers in.
 *
 * {@link ClientTransaction} expects one answer, {@link ClientSequence} a stream of them (RFC 8945 §5.3.1).
 */
import { TsigError, tsigErrorToText } from "../../wire/iana/code.ts";
import type { TsigRecord } from "../../wire/tsig.ts";
import type { DigestForm } from "./digest.ts";
import { FUDGE, priorMacParts, receivedParts, signMessage, stampPart } from "./digest.ts";
import { hmacContext } from "./hmac.ts";
import type { TsigKey } from "./key.ts";
import type { MacContext } from "./mac.ts";

/** Messages of a stream that may pass without a TSIG before one that has it (RFC 8945 §5.3.1). */
export const MAX_UNSIGNED_MESSAGES = 99;

/** What is wrong with an answer. */
export type AnswerFault =
  | "unsigned" // no TSIG where there must be one
  | "wrong-key" // signed with another key or algorithm than the request
  | "bad-mac" // the MAC does not match, or cannot be one of the algorithm
  | "bad-truncation" // the MAC is shorter than the key asks for
  | "bad-time" // the clocks differ by more than the fudge
  | "peer-error"; // the server rejected the request's TSIG: see `error`

/** An answer not to be believed, or one that says the request was not. */
export interface AnswerRejected {
  readonly ok: false;
  readonly fault: AnswerFault;
  /** The TSIG error the server gave, a `TsigError`. */
  readonly error: number;
  /** Whether a valid MAC vouches for `error`. Where not, anyone may have sent it (RFC 8945 §5.4.1). */
  readonly authentic: boolean;
  /** With BADTIME: the server's clock, seconds since 1970 UTC. */
  readonly serverTime?: number;
  /** English, for the log. */
  readonly reason: string;
}

export type AnswerVerdict = { readonly ok: true } | AnswerRejected;

/** The verdict on one message of a stream. */
export type StreamVerdict =
  /** `pending`: how many messages, this one among them, no MAC vouches for yet. */
  { readonly ok: true; readonly pending: number } | AnswerRejected;

/** A request sent, awaiting its one answer. */
export class ClientTransaction {
  readonly #context: MacContext;
  readonly #requestMac: Uint8Array;

  private constructor(context: MacContext, requestMac: Uint8Array) {
    this.#context = context;
    this.#requestMac = requestMac;
  }

  /**
   * Signs an encoded request (RFC 8945 §5.1).
   * @param now seconds since 1970 UTC, whole
   * @throws WireError `WIRE_FULL` where it would pass 65,535 octets
   */
  static start(
    key: TsigKey,
    request: Uint8Array,
    now: number,
  ): { message: Uint8Array; transaction: ClientTransaction } {
    const context = hmacContext(key);
    const { message, mac } = signRequest(context, request, now);
    return { message, transaction: new ClientTransaction(context, mac) };
  }

  /**
   * Checks the answer (RFC 8945 §5.4).
   * @param bytes the message as received; `tsig` what `decodeMessage` found in it
   */
  verify(bytes: Uint8Array, tsig: TsigRecord | undefined, now: number): AnswerVerdict {
    if (tsig === undefined) return rejected("unsigned", "an answer without a signature");
    const parts = [...priorMacParts(this.#requestMac), ...receivedParts(bytes, tsig.start, tsig.originalId)];
    return judge(this.#context, parts, tsig, "variables", now) ?? { ok: true };
  }
}

/** A request sent, awaiting a stream of answers. After a rejection it accepts nothing more. */
export class ClientSequence {
  readonly #context: MacContext;
  #priorMac: Uint8Array;
  #form: DigestForm = "variables";
  /** Copies of the messages since the last signed one: at most {@link MAX_UNSIGNED_MESSAGES}. */
  #pending: Uint8Array[] = [];
  #rejection: AnswerRejected | undefined;

  private constructor(context: MacContext, requestMac: Uint8Array) {
    this.#context = context;
    this.#priorMac = requestMac;
  }

  /** As {@link ClientTransaction.start}. */
  static start(
    key: TsigKey,
    request: Uint8Array,
    now: number,
  ): { message: Uint8Array; sequence: ClientSequence } {
    const context = hmacContext(key);
    const { message, mac } = signRequest(context, request, now);
    return { message, sequence: new ClientSequence(context, mac) };
  }

  /**
   * Checks the next message. What pending messages hold must not be used until a later verdict says `pending: 0`.
   * @param bytes the message as received; `tsig` what `decodeMessage` found in it
   */
  verify(bytes: Uint8Array, tsig: TsigRecord | undefined, now: number): StreamVerdict {
    if (this.#rejection !== undefined) return this.#rejection;
    if (tsig === undefined) return this.#unsigned(bytes);
    const parts = [
      ...priorMacParts(this.#priorMac),
      ...this.#pending,
      ...receivedParts(bytes, tsig.start, tsig.originalId),
    ];
    this.#rejection = judge(this.#context, parts, tsig, this.#form, now);
    if (this.#rejection !== undefined) return this.#rejection;
    this.#priorMac = tsig.mac.slice();
    this.#pending = [];
    this.#form = "timers";
    return { ok: true, pending: 0 };
  }

  /** To be called when the last message has been verified: that one must be signed (RFC 8945 §5.3.1). */
  finish(): AnswerVerdict {
    if (this.#rejection === undefined && (this.#form === "variables" || this.#pending.length > 0)) {
      this.#rejection = rejected("unsigned", "the stream's last message has no signature");
    }
    return this.#rejection ?? { ok: true };
  }

  #unsigned(bytes: Uint8Array): StreamVerdict {
    if (this.#form === "variables") {
      this.#rejection = rejected("unsigned", "the stream's first message has no signature");
    } else if (this.#pending.length === MAX_UNSIGNED_MESSAGES) {
      this.#rejection = rejected(
        "unsigned",
        `more than ${MAX_UNSIGNED_MESSAGES} messages without a signature`,
      );
    } else {
      this.#pending.push(bytes.slice());
      return { ok: true, pending: this.#pending.length };
    }
    this.#pending = [];
    return this.#rejection;
  }
}

function signRequest(
  context: MacContext,
  request: Uint8Array,
  now: number,
): { message: Uint8Array; mac: Uint8Array } {
  const stamp = {
    keyName: context.keyName,
    algorithm: context.algorithmName,
    timeSigned: now,
    fudge: FUDGE,
    originalId: (request[0]! << 8) | request[1]!,
    error: TsigError.NOERROR,
    other: new Uint8Array(0),
  };
  return signMessage(context, request, undefined, stamp, "variables");
}

/** RFC 8945 §5.4. @param parts the digest's components but the TSIG's own */
function judge(
  context: MacContext,
  parts: Uint8Array[],
  tsig: TsigRecord,
  form: DigestForm,
  now: number,
): AnswerRejected | undefined {
  if (!tsig.keyName.equals(context.keyName) || !tsig.algorithm.equals(context.algorithmName)) {
    const { keyName } = context;
    return rejected(
      "wrong-key",
      `signed with ${tsig.keyName.toString()}, and the request with ${keyName.toString()}`,
    );
  }
  // RFC 8945 §5.4.1: BADKEY and BADSIG come without a MAC
  if (tsig.mac.length === 0 && (tsig.error === TsigError.BADKEY || tsig.error === TsigError.BADSIG)) {
    return peerError(tsig, false);
  }
  if (!context.verify([...parts, stampPart(tsig, form)], tsig.mac)) {
    return rejected("bad-mac", "the signature does not match");
  }
  const difference = Math.abs(now - tsig.timeSigned);
  if (difference > tsig.fudge) {
    return rejected("bad-time", `signed ${difference} s from now, and ${tsig.fudge} s are allowed`);
  }
  if (context.judgeLength(tsig.mac.length) !== "accepted") {
    return rejected(
      "bad-truncation",
      `a MAC of ${tsig.mac.length} octets, and the key asks for ${context.macLength}`,
    );
  }
  return tsig.error === TsigError.NOERROR ? undefined : peerError(tsig, true);
}

function peerError(tsig: TsigRecord, authentic: boolean): AnswerRejected {
  const { error, other } = tsig;
  const answer: AnswerRejected = {
    ok: false,
    fault: "peer-error",
    error,
    authentic,
    reason: `the server rejected the request's signature: ${tsigErrorToText(error)}`,
  };
  // RFC 8945 §5.2.3
  if (error !== TsigError.BADTIME || other.length !== 6) return answer;
  const view = new DataView(other.buffer, other.byteOffset, 6);
  return { ...answer, serverTime: view.getUint16(0) * 0x1_0000_0000 + view.getUint32(2) };
}

function rejected(fault: AnswerFault, reason: string): AnswerRejected {
  return { ok: false, fault, error: TsigError.NOERROR, authentic: false, reason };
}
