/**
 * The one list of the exchanges. Takes a message that is not an ordinary query, or a signed one, and says what is to
 * come of it: silence, a reply, an update to be judged, a transfer to be begun. A peer's malformed bytes end here, as
 * FORMERR, and its signature is checked here, before anything is believed.
 *
 *     bytes -> decode -> EDNS version -> TSIG -> by opcode and type:
 *         QUERY   IN: query, or a name for elsewhere   CH: chaos   AXFR, IXFR: transfer   TKEY: tkey
 *         NOTIFY  refused: this server is the primary
 *         UPDATE  update
 */
import type { Requester, TransferRule } from "../auth/acl.ts";
import type { GssContext } from "../auth/gss/context.ts";
import type { Gss } from "../auth/gss/gss.ts";
import type { KeyRing } from "../auth/tsig/key.ts";
import type { RejectedRequest, ServerTransaction } from "../auth/tsig/server.ts";
import { verifyRequest, verifyRequestWith } from "../auth/tsig/server.ts";
import type { UpdateRule } from "../auth/update-rule.ts";
import { EDNS_VERSION } from "../wire/edns.ts";
import { WireError } from "../wire/error.ts";
import { RrClass } from "../wire/iana/class.ts";
import { Ede, EdnsOption, Opcode, opcodeToText, Rcode, tsigErrorToText } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import type { Message } from "../wire/message.ts";
import { decodeMessage, encodeMessage, Flag, readHeader } from "../wire/message.ts";
import type { Name } from "../wire/name.ts";
import { HEADER_LENGTH, MAX_MESSAGE_LENGTH } from "../wire/writer.ts";
import type { ChaosSettings } from "./chaos.ts";
import { answerChaos } from "./chaos.ts";
import type { Peer } from "./context.ts";
import type { QueryAnswerer } from "./query.ts";
import { ELSEWHERE } from "./query.ts";
import { Reading } from "./question.ts";
import type { ReplyParts } from "./reply.ts";
import { replyTo } from "./reply.ts";
import { answerTkey } from "./tkey.ts";
import type { UpdateOutcome, UpdateRequest } from "./update.ts";
import { readUpdate, updateReply } from "./update.ts";

/** Who may do what in a zone. */
export interface ZoneAccess {
  readonly apex: Name;
  readonly transfer: readonly TransferRule[];
  readonly update: readonly UpdateRule[];
}

/** What the exchanges need to know of the server. */
export interface DispatchContext {
  readonly answerer: QueryAnswerer;
  readonly keys: KeyRing;
  /** Where GSS-TSIG is configured. */
  readonly gss?: Gss | undefined;
  readonly chaos: ChaosSettings;
  /** The zone served at exactly this apex. */
  readonly zone: (apex: Name) => ZoneAccess | undefined;
}

/** A wish that was not granted, for the log. */
export interface Refusal {
  /** `query`, `update`, `transfer`, `notify`, `tkey`, `tsig`, `message`. */
  readonly exchange: string;
  readonly rcode: number;
  readonly reason: string;
  /** The zone or name it was about. */
  readonly name?: Name | undefined;
  /** The key that signed the request, or that it claims. */
  readonly key?: Name | undefined;
  /** The principal whose context signed the request. */
  readonly principal?: string | undefined;
}

export type Outcome =
  | { readonly kind: "silence" }
  | { readonly kind: "reply"; readonly bytes: Uint8Array; readonly refusal?: Refusal | undefined }
  | {
      readonly kind: "update";
      readonly request: UpdateRequest;
      readonly zone: ZoneAccess;
      readonly requester: Requester;
      /** Encodes and signs the reply once the verdict is known. `now`: seconds since 1970 UTC. */
      readonly reply: (outcome: UpdateOutcome, now: number) => Uint8Array;
    }
  /** A query that another server is to be asked; the context's answerer holds its question. */
  | {
      readonly kind: "elsewhere";
      /** Most octets that the answer may have before `finish`. */
      readonly room: number;
      /** Signs the answer where the query was signed. `now`: seconds since 1970 UTC. */
      readonly finish: (answer: Uint8Array, now: number) => Uint8Array;
    }
  | {
      readonly kind: "transfer";
      readonly message: Message;
      readonly requester: Requester;
      readonly transaction: ServerTransaction | undefined;
    };

const SILENT: Outcome = { kind: "silence" };

/** Room for one answer at a time: answering is synchronous. */
const scratch = new Uint8Array(MAX_MESSAGE_LENGTH);

/**
 * Decides what comes of one message.
 * @param bytes the whole message as received
 * @param now seconds since 1970 UTC, whole
 */
export function dispatch(bytes: Uint8Array, peer: Peer, now: number, context: DispatchContext): Outcome {
  if (bytes.length < HEADER_LENGTH) return SILENT;
  const header = readHeader(bytes);
  // Never answer an answer: two servers would go on for ever.
  if ((header.flags & Flag.QR) !== 0) return SILENT;
  if (header.opcode !== Opcode.QUERY && header.opcode !== Opcode.NOTIFY && header.opcode !== Opcode.UPDATE) {
    return bareReply(bytes, Rcode.NOTIMP, `${opcodeToText(header.opcode)} is not implemented`);
  }
  let message: Message;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    if (error instanceof WireError) return bareReply(bytes, Rcode.FORMERR, error.message);
    throw error;
  }
  if (message.edns !== undefined && message.edns.version !== EDNS_VERSION) {
    return { kind: "reply", bytes: replyTo(message, { rcode: Rcode.BADVERS }) };
  }
  let transaction: ServerTransaction | undefined;
  let signer: GssContext | undefined;
  if (message.tsig !== undefined) {
    const { tsig } = message;
    signer = context.gss?.contexts.find(tsig.keyName, tsig.algorithm, now);
    const verdict =
      signer === undefined
        ? verifyRequest(bytes, tsig, context.keys, now)
        : verifyRequestWith(signer, bytes, tsig, now);
    if (!verdict.ok) return tsigRejected(message, verdict);
    transaction = verdict.transaction;
    if (signer !== undefined) context.gss?.contexts.touch(signer, now);
  }
  const requester: Requester = {
    address: peer.address,
    transport: peer.transport,
    ...identity(transaction, signer),
  };
  const exchange: Exchange = { bytes, message, peer, now, requester, transaction, signer, context };
  switch (header.opcode) {
    case Opcode.UPDATE:
      return update(exchange);
    case Opcode.NOTIFY:
      return refuse(
        exchange,
        "notify",
        Rcode.NOTAUTH,
        Ede.NOT_SUPPORTED,
        "this server is the primary of its zones",
      );
    default:
      return query(exchange);
  }
}

/** Who signed. The name of a negotiated key is its client's choice and must never stand for a configured one. */
function identity(
  transaction: ServerTransaction | undefined,
  signer: GssContext | undefined,
): Pick<Requester, "key" | "principal"> {
  if (signer !== undefined) return { principal: signer.principal };
  return transaction === undefined ? {} : { key: transaction.key };
}

/** One message on its way. */
interface Exchange {
  readonly bytes: Uint8Array;
  readonly message: Message;
  readonly peer: Peer;
  readonly now: number;
  readonly requester: Requester;
  readonly transaction: ServerTransaction | undefined;
  /** The security context that signed the message. */
  readonly signer: GssContext | undefined;
  readonly context: DispatchContext;
}

function query(exchange: Exchange): Outcome {
  const { message, requester, transaction, context } = exchange;
  const [question, ...others] = message.questions;
  // RFC 9619 §4: one question, or none but with cookies, which are not spoken here.
  if (question === undefined || others.length > 0) {
    return reply(exchange, { rcode: Rcode.FORMERR });
  }
  if (question.class === RrClass.CH) {
    const { rcode, answers } = answerChaos(question, context.chaos);
    return reply(exchange, { rcode, answers, authoritative: rcode === Rcode.NOERROR });
  }
  if (question.class !== RrClass.IN && question.class !== RrClass.ANY) {
    return refuse(
      exchange,
      "query",
      Rcode.REFUSED,
      Ede.NOT_AUTHORITATIVE,
      "no zone of this class is served here",
    );
  }
  switch (question.type) {
    case RrType.AXFR:
    case RrType.IXFR:
      return { kind: "transfer", message, requester, transaction };
    case RrType.TKEY:
      return tkey(exchange);
    case 0:
    case RrType.OPT:
    case RrType.TSIG:
      return reply(exchange, { rcode: Rcode.FORMERR });
    default:
      return ordinaryQuery(exchange);
  }
}

function tkey(exchange: Exchange): Outcome {
  const { message, peer, now, requester, transaction, signer, context } = exchange;
  const { gss, keys } = context;
  if (gss === undefined) {
    // REFUSED lets a Windows host go on with what it may do without.
    return refuse(exchange, "tkey", Rcode.REFUSED, Ede.NOT_SUPPORTED, "GSS-TSIG is not configured here");
  }
  const { bytes, signed, refusal } = answerTkey(message, peer, signer, now, { gss, keys });
  const { key, principal } = requester;
  const name = message.questions[0]!.name;
  return {
    kind: "reply",
    bytes: signed || transaction === undefined ? bytes : transaction.sign(bytes, now),
    refusal: refusal && { exchange: "tkey", ...refusal, name, key, principal },
  };
}

/** A signed query, or one with more in it than the fast path reads. */
function ordinaryQuery(exchange: Exchange): Outcome {
  const { bytes, message, now, transaction, peer } = exchange;
  const { answerer } = exchange.context;
  const { question } = answerer;
  const name = message.questions[0]!.name.wire;
  // The first name of a message has nothing before it to point to.
  for (let i = 0; i < name.length; i++) {
    if (bytes[HEADER_LENGTH + i] !== name[i]) return reply(exchange, { rcode: Rcode.FORMERR });
  }
  question.begin(message.header.flags, message.questions[0]!.type, HEADER_LENGTH + name.length + 4);
  if (message.edns !== undefined) {
    const nsid = message.edns.options.some((option) => option.code === EdnsOption.NSID);
    question.setEdns(message.edns.udpPayload, message.edns.dnssecOk, nsid);
  }
  const udp = peer.transport === "udp";
  const room = (udp ? question.udpLimit : MAX_MESSAGE_LENGTH) - (transaction?.overhead ?? 0);
  const length = answerer.respond(Reading.QUERY, bytes, scratch, room, udp);
  if (length === ELSEWHERE) {
    const finish = (answer: Uint8Array, then: number): Uint8Array =>
      transaction === undefined ? answer : transaction.sign(answer, then);
    return { kind: "elsewhere", room, finish };
  }
  const answer = scratch.slice(0, length);
  return { kind: "reply", bytes: transaction === undefined ? answer : transaction.sign(answer, now) };
}

function update(exchange: Exchange): Outcome {
  const { message, requester, transaction, context } = exchange;
  const answer = (outcome: UpdateOutcome, now: number): Uint8Array => {
    const bytes = updateReply(message, outcome);
    return transaction === undefined ? bytes : transaction.sign(bytes, now);
  };
  const read = readUpdate(message);
  const zone = read.ok ? context.zone(read.request.zone) : undefined;
  if (read.ok && zone !== undefined) {
    return { kind: "update", request: read.request, zone, requester, reply: answer };
  }
  const refusal = read.ok
    ? notOurs("update", message.questions[0]!.name)
    : { exchange: "update", rcode: read.rcode, reason: read.reason, name: message.questions[0]?.name };
  const ede = read.ok ? { code: Ede.NOT_AUTHORITATIVE, text: refusal.reason } : read.ede;
  return {
    kind: "reply",
    bytes: answer({ rcode: refusal.rcode, ede }, exchange.now),
    refusal: { ...refusal, key: requester.key, principal: requester.principal },
  };
}

/** RFC 2136 §3.1.2, RFC 5936 §2.2.1. */
function notOurs(exchange: string, name: Name): Refusal {
  return { exchange, rcode: Rcode.NOTAUTH, reason: `${name.toString()} is no zone of this server`, name };
}

function reply(exchange: Exchange, parts: ReplyParts, refusal?: Refusal): Outcome {
  const { transaction } = exchange;
  const bytes = replyTo(exchange.message, parts);
  return {
    kind: "reply",
    bytes: transaction === undefined ? bytes : transaction.sign(bytes, exchange.now),
    refusal,
  };
}

function refuse(exchange: Exchange, kind: string, rcode: number, code: number, reason: string): Outcome {
  const { message, requester } = exchange;
  const { key, principal } = requester;
  const refusal = { exchange: kind, rcode, reason, name: message.questions[0]?.name, key, principal };
  return reply(exchange, { rcode, ede: { code, text: reason } }, refusal);
}

function tsigRejected(message: Message, rejected: RejectedRequest): Outcome {
  const { rcode, error, reason } = rejected;
  // RFC 8945 §5.3.2: the answer, where it is signed at all, is signed over these octets.
  const bytes = rejected.reply(replyTo(message, { rcode }));
  const text = error === 0 ? reason : `${tsigErrorToText(error)}: ${reason}`;
  const refusal = {
    exchange: "tsig",
    rcode,
    reason: text,
    name: message.questions[0]?.name,
    key: rejected.keyName,
  };
  return { kind: "reply", bytes, refusal };
}

/** A reply of a header alone: there is nothing in the request that could be trusted to be repeated. */
function bareReply(bytes: Uint8Array, rcode: number, reason: string): Outcome {
  const { id, flags, opcode } = readHeader(bytes);
  const reply = encodeMessage({ id, flags: Flag.QR | (opcode << 11) | (flags & Flag.RD), rcode });
  return { kind: "reply", bytes: reply, refusal: { exchange: "message", rcode, reason } };
}
