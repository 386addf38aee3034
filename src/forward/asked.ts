/** What a client asked of another server, and the key under which everybody who asks the same finds the same answer. */
import { Flag } from "../wire/message.ts";
import { LOWER, MAX_NAME_LENGTH, Name } from "../wire/name.ts";
import { HEADER_LENGTH } from "../wire/writer.ts";

/** A question that upstream servers may be asked. */
export interface Asked {
  readonly name: Name;
  readonly type: number;
  /** The answer is to have the records of DNSSEC (RFC 3225). */
  readonly dnssecOk: boolean;
  /** Upstream is not to validate (RFC 4035 §3.2.2). */
  readonly checkingDisabled: boolean;
}

/** A query being answered: its octets, and what was read from them. */
export interface ClientQuery {
  /** The question stands uncompressed at octet 12. */
  readonly message: Uint8Array;
  /** Octet after the question. */
  readonly questionEnd: number;
  readonly edns: boolean;
  readonly dnssecOk: boolean;
  /** Most octets the answer may have. */
  readonly room: number;
}

/** Octets of a key before the name: what else tells answers apart. */
const KEY_HEAD = 3;
const scratch = Buffer.alloc(KEY_HEAD + MAX_NAME_LENGTH);

/** The key of a query's question: DO and CD, type, and the lower-cased name in wire form, one character an octet. */
export function keyOf({ message, questionEnd, dnssecOk }: ClientQuery): string {
  const nameEnd = questionEnd - 4;
  scratch[0] = (dnssecOk ? 1 : 0) | (message[3]! & Flag.CD);
  scratch[1] = message[nameEnd]!;
  scratch[2] = message[nameEnd + 1]!;
  let at = KEY_HEAD;
  for (let i = HEADER_LENGTH; i < nameEnd; i++) scratch[at++] = LOWER[message[i]!]!;
  return scratch.toString("latin1", 0, at);
}

/** The name's part of a key, as `Name.key` has it. */
export function nameKeyOf(key: string): string {
  return key.slice(KEY_HEAD);
}

/** The question of a query. */
export function askedOf({ message, questionEnd, dnssecOk }: ClientQuery): Asked {
  const nameEnd = questionEnd - 4;
  return {
    name: Name.fromTrustedWire(message.slice(HEADER_LENGTH, nameEnd)),
    type: (message[nameEnd]! << 8) | message[nameEnd + 1]!,
    dnssecOk,
    checkingDisabled: (message[3]! & Flag.CD) !== 0,
  };
}
