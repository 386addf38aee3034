/**
 * Types whose names must be found and checked though no zone file spells them: TSIG (RFC 8945 §4.2) and TKEY
 * (RFC 2930 §2), and the obsolete SIG and NXT, which RFC 3597 §4 wants decompressed.
 */
import { RrType } from "../iana/type.ts";
import type { Field } from "./fields.ts";
import { legacyName, u16, u32 } from "./fields.ts";
import { genericRow } from "./row.ts";
import type { RowTable } from "./row.ts";
import { RdataSyntaxError } from "./text.ts";

function unspoken(): never {
  throw new RdataSyntaxError("this type has no presentation form of its own");
}

/** A field of a generic row: it is never printed or parsed by itself. */
function raw(skip: Field["skip"]): Field {
  return { skip, toText: unspoken, fromText: unspoken };
}

const counted16 = raw((reader) => reader.skip(reader.u16()));
const u48 = raw((reader) => reader.skip(6));
const rest = raw((reader) => reader.skip(reader.remaining));
const fixed = (size: number): Field => raw((reader) => reader.skip(size));

export const transaction: RowTable = {
  // Type covered, algorithm, labels, TTL, expiration, inception, key tag; signer; signature (RFC 2535 §4.1).
  [RrType.SIG]: genericRow(fixed(18), legacyName("a signer's name"), rest),
  [RrType.NXT]: genericRow(legacyName("the next name"), rest),
  // Algorithm; inception, expiration; mode, error; key; other data.
  [RrType.TKEY]: genericRow(
    legacyName("an algorithm name"),
    u32("an inception time"),
    u32("an expiration time"),
    u16("a mode"),
    u16("an error"),
    counted16,
    counted16,
  ),
  // Algorithm; time signed; fudge; MAC; original ID, error; other data.
  [RrType.TSIG]: genericRow(
    legacyName("an algorithm name"),
    u48,
    u16("a fudge"),
    counted16,
    u16("an original ID"),
    u16("an error"),
    counted16,
  ),
};
