/**
 * TKEY (RFC 2930): a client negotiates the key that its later messages are signed with. Of its modes there are
 * GSS-API negotiation (RFC 3645 §4), finished in one step, and key deletion (RFC 2930 §4.2).
 *
 * | what is wrong                                       | RCODE   | TKEY error |
 * |-----------------------------------------------------|---------|------------|
 * | no TKEY record for the question's name, or several  | FORMERR |            |
 * | another mode                                        | NOERROR | BADMODE    |
 * | another algorithm                                   | NOERROR | BADALG     |
 * | a name that is in use, or the root's                | NOERROR | BADNAME    |
 * | a token that Kerberos does not take at once         | NOERROR | BADKEY     |
 * | too many negotiations, or contexts                  | REFUSED |            |
 * | the deletion of a key that is not there             | NOERROR | BADNAME    |
 * | a deletion that the key's own principal did not sign| REFUSED |            |
 */
import { isGssAlgorithm } from "../auth/gss/algorithm.ts";
import { GssContext } from "../auth/gss/context.ts";
import type { Gss } from "../auth/gss/gss.ts";
import { tokenProblem } from "../auth/gss/token.ts";
import { FUDGE, signMessage } from "../auth/tsig/digest.ts";
import type { KeyRing } from "../auth/tsig/key.ts";
import type { ExtendedError } from "../wire/edns.ts";
import { edeOption, writeEdns } from "../wire/edns.ts";
import { WireError } from "../wire/error.ts";
import { RrClass } from "../wire/iana/class.ts";
import { Ede, Rcode, TsigError, tsigErrorToText } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import type { Message } from "../wire/message.ts";
import { Flag, writeHeader } from "../wire/message.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { TkeyFields } from "../wire/tkey.ts";
import { readTkey, writeTkey } from "../wire/tkey.ts";
import { tsigLength } from "../wire/tsig.ts";
import { WireWriter } from "../wire/writer.ts";
import type { Peer } from "./context.ts";
import { ednsOfReply, udpLimit } from "./reply.ts";

/** Modes of RFC 2930 §2.5 that are spoken. */
const Mode = { GSS: 3, DELETE: 5 } as const;

const NOTHING = new Uint8Array(0);

/** Octets of token to expect in an answer over UDP: those of AES have 150 to 180. */
const TOKEN_ROOM = 192;

/** What TKEY needs to know of the server. */
export interface TkeyContext {
  readonly gss: Gss;
  /** Keys of key files: a client may not take one's name. */
  readonly keys: KeyRing;
}

/** What comes of a TKEY query. */
export interface TkeyOutcome {
  /** The reply; where {@link signed} is false its request's signature is still to be answered by one. */
  readonly bytes: Uint8Array;
  readonly signed: boolean;
  /** Why the wish was not granted, where it was not. */
  readonly refusal?: { readonly rcode: number; readonly reason: string };
}

/**
 * Answers a TKEY query of one question.
 * @param signer who signed the query with a context of this server
 * @param now seconds since 1970 UTC, whole
 */
export function answerTkey(
  message: Message,
  peer: Peer,
  signer: GssContext | undefined,
  now: number,
  context: TkeyContext,
): TkeyOutcome {
  const outcome = decide(message, peer, signer, now, context);
  if (outcome.signed || outcome.bytes.length <= limitOf(message, peer)) return outcome;
  // A long name twice, and the reason: what is wrong can be told over TCP.
  return { ...outcome, bytes: truncated(message).bytes };
}

function decide(
  message: Message,
  peer: Peer,
  signer: GssContext | undefined,
  now: number,
  context: TkeyContext,
): TkeyOutcome {
  const { gss } = context;
  const tkey = findTkey(message);
  let outcome: TkeyOutcome;
  if (typeof tkey === "string") outcome = refuse(message, Rcode.FORMERR, Ede.INVALID_DATA, tkey);
  else if (tkey.mode === Mode.GSS) return negotiate({ message, peer, now, context }, tkey);
  else if (tkey.mode === Mode.DELETE) return remove(message, tkey, signer, now, gss);
  else outcome = fail(message, tkey, TsigError.BADMODE, `mode ${tkey.mode} is not spoken here`);
  gss.counters.refused++;
  return outcome;
}

/** One negotiation under way. */
interface Negotiation {
  readonly message: Message;
  readonly peer: Peer;
  readonly now: number;
  readonly context: TkeyContext;
}

/** RFC 3645 §4.1. */
function negotiate(negotiation: Negotiation, tkey: TkeyFields): TkeyOutcome {
  const { message, peer, now, context } = negotiation;
  const { gss } = context;
  const problem = nameOrTokenProblem(negotiation, tkey);
  if (problem !== undefined) {
    gss.counters.refused++;
    return fail(message, tkey, problem.error, problem.reason);
  }
  const limit = limitOf(message, peer);
  // Before anything is accepted: a token is good once, and has to be so over TCP then.
  if (expectedLength(tkey) > limit) return truncated(message);
  const exceeded = gss.allowance[peer.transport].take(peer.address, now);
  if (exceeded !== undefined) {
    gss.counters.limited++;
    // Over TCP nobody can be made to pay for others' forged sources.
    return peer.transport === "udp"
      ? { ...truncated(message), refusal: { rcode: Rcode.NOERROR, reason: `sent to TCP: ${exceeded}` } }
      : refuse(message, Rcode.REFUSED, Ede.OTHER, exceeded);
  }

  const accepted = gss.acceptor.accept(tkey.key);
  if (!accepted.ok) {
    gss.counters.refused++;
    return fail(message, tkey, TsigError.BADKEY, accepted.reason);
  }
  const { principal, session, lifetime } = accepted;
  const established = new GssContext({
    keyName: tkey.keyName,
    algorithmName: tkey.algorithm,
    principal,
    address: peer.address,
    expires: now + Math.min(gss.lifetime, lifetime),
    session,
  });
  // Nobody finds it until its answer is signed and fits: what fails before gives it back here.
  let bytes: Uint8Array;
  try {
    bytes = signFirst(message, established, tkey, accepted.token, now);
  } catch (error) {
    established.release();
    throw error;
  }
  if (bytes.length > limit) {
    established.release();
    return truncated(message);
  }
  if (!gss.contexts.add(established, now)) {
    established.release();
    gss.counters.refused++;
    return refuse(message, Rcode.REFUSED, Ede.OTHER, `no room for another context of ${principal}`);
  }
  gss.counters.accepted++;
  gss.onEstablished(established, peer.transport);
  return { bytes, signed: true };
}

function nameOrTokenProblem(
  { now, context: { gss, keys } }: Negotiation,
  tkey: TkeyFields,
): { readonly error: number; readonly reason: string } | undefined {
  if (!isGssAlgorithm(tkey.algorithm)) {
    return { error: TsigError.BADALG, reason: `${tkey.algorithm.toString()} is not spoken here` };
  }
  // RFC 2930 §2.1 lets the server choose a name in place of the root; RFC 3645 §3.1.2 has the client do so.
  if (tkey.keyName.isRoot) return { error: TsigError.BADNAME, reason: "a key has to have a name" };
  if (keys.has(tkey.keyName.key) || gss.contexts.principalOf(tkey.keyName, now) !== undefined) {
    return { error: TsigError.BADNAME, reason: "a key of this name is there already" };
  }
  const reason = tokenProblem(tkey.key);
  return reason === undefined ? undefined : { error: TsigError.BADKEY, reason };
}

/** The last message of a negotiation, signed by the key it made (RFC 3645 §4.1.3). */
function signFirst(
  message: Message,
  established: GssContext,
  asked: TkeyFields,
  token: Uint8Array,
  now: number,
): Uint8Array {
  const { keyName, algorithm } = asked;
  const answer = { ...asked, inception: now >>> 0, expiration: established.expires >>> 0, error: 0 };
  const bytes = encode(message, { rcode: Rcode.NOERROR, tkey: { ...answer, key: token, other: NOTHING } });
  // MS-GSSA §3.1.5.1: there is no request MAC to be digested, and no length of one either.
  const stamp = {
    keyName,
    algorithm,
    timeSigned: now,
    fudge: FUDGE,
    originalId: message.header.id,
    error: TsigError.NOERROR,
    other: NOTHING,
  };
  return signMessage(established, bytes, undefined, stamp, "variables").message;
}

/** RFC 2930 §4.2: a deletion is authenticated, here by a context of the principal that the key is of. */
function remove(
  message: Message,
  tkey: TkeyFields,
  signer: GssContext | undefined,
  now: number,
  gss: Gss,
): TkeyOutcome {
  if (signer === undefined) {
    gss.counters.refused++;
    return refuse(message, Rcode.REFUSED, Ede.PROHIBITED, "a deletion has to be signed with the key itself");
  }
  const principal = gss.contexts.principalOf(tkey.keyName, now);
  if (principal === undefined) {
    gss.counters.refused++;
    return fail(message, tkey, TsigError.BADNAME, "no context of this name is there");
  }
  if (principal !== signer.principal) {
    gss.counters.refused++;
    return refuse(message, Rcode.REFUSED, Ede.PROHIBITED, `${signer.principal} may not delete another's key`);
  }
  gss.contexts.delete(tkey.keyName, now);
  gss.counters.deleted++;
  return {
    bytes: encode(message, {
      rcode: Rcode.NOERROR,
      tkey: { ...tkey, error: 0, key: NOTHING, other: NOTHING },
    }),
    signed: false,
  };
}

/** The TKEY record that the question names: in the additional section, or where Windows 2000 puts it. */
function findTkey(message: Message): TkeyFields | string {
  const [question] = message.questions;
  const isIt = (rr: ResourceRecord): boolean =>
    rr.type === RrType.TKEY && rr.class === RrClass.ANY && rr.name.equals(question!.name);
  const [found, ...more] = [...message.additionals, ...message.answers].filter(isIt);
  if (found === undefined) return "no TKEY record for the name asked for";
  if (more.length > 0) return "more than one TKEY record";
  try {
    return readTkey(found);
  } catch (error) {
    // Only an empty one gets past the decoder unread.
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

//------------ Replies --------------------------------------------------------

/** RFC 2930 §2.6: the query was understood, and the record says what is wrong. */
function fail(message: Message, tkey: TkeyFields, error: number, why: string): TkeyOutcome {
  const reason = `${tsigErrorToText(error)}: ${why}`;
  const ede = { code: Ede.OTHER, text: reason };
  const answer = { ...tkey, error, key: NOTHING, other: NOTHING };
  return {
    bytes: encode(message, { rcode: Rcode.NOERROR, tkey: answer, ede }),
    signed: false,
    refusal: { rcode: Rcode.NOERROR, reason },
  };
}

function refuse(message: Message, rcode: number, code: number, reason: string): TkeyOutcome {
  const bytes = encode(message, { rcode, ede: { code, text: reason } });
  return { bytes, signed: false, refusal: { rcode, reason } };
}

/** Asks the client to come again over TCP (RFC 2181 §9). */
function truncated(message: Message): TkeyOutcome {
  return { bytes: encode(message, { rcode: Rcode.NOERROR, flags: Flag.TC }), signed: false };
}

function limitOf(message: Message, peer: Peer): number {
  return peer.transport === "tcp" ? Infinity : udpLimit(message);
}

/** Octets that the answer to a successful negotiation will about have. */
function expectedLength({ keyName, algorithm }: TkeyFields): number {
  const question = keyName.wire.length + 4;
  const record = keyName.wire.length + 10 + algorithm.wire.length + 16 + TOKEN_ROOM;
  return 12 + question + record + tsigLength(keyName, algorithm, 28);
}

interface ReplyParts {
  readonly rcode: number;
  /** Beside QR and what is copied from the query. */
  readonly flags?: number;
  readonly tkey?: TkeyFields;
  readonly ede?: ExtendedError;
}

/** A reply with the query's question, its TKEY uncompressed, and OPT where the query had one. */
function encode(message: Message, { rcode, flags = 0, tkey, ede }: ReplyParts): Uint8Array {
  const { header, questions } = message;
  const edns = ednsOfReply(message, ede === undefined ? [] : [edeOption(ede)]);
  const writer = new WireWriter();
  const counts = [1, tkey === undefined ? 0 : 1, 0, edns === undefined ? 0 : 1] as const;
  writeHeader(writer, header.id, Flag.QR | flags | (header.flags & Flag.RD) | rcode, counts);
  writer.question(questions[0]!);
  if (tkey !== undefined) writeTkey(writer, tkey);
  if (edns !== undefined) writeEdns(writer, edns);
  return writer.finish();
}
