/**
 * RDATA of every type: the registry, and the walks over a type's fields. A type that is not listed is opaque
 * (RFC 3597): its octets are kept, compared and printed as they are.
 *
 * Inside Rollcall RDATA is uncompressed wire form in the case it came in.
 */
import { WireError } from "../error.ts";
import { typeToText } from "../iana/type.ts";
import { LOWER } from "../name.ts";
import type { Name } from "../name.ts";
import { WireReader } from "../reader.ts";
import type { WireWriter } from "../writer.ts";
import { octetsToHex, parseHex, parseNumber } from "./fields.ts";
import { host } from "./host.ts";
import { location } from "./location.ts";
import { MAX_RDATA_LENGTH, RdataOutput } from "./output.ts";
import { rfc1035 } from "./rfc1035.ts";
import type { Row, RowTable } from "./row.ts";
import { security } from "./security.ts";
import { service } from "./service.ts";
import { svcb } from "./svcb.ts";
import { expected, nextWord, RdataSyntaxError, restOfWords } from "./text.ts";
import type { FieldSource } from "./text.ts";
import { transaction } from "./transaction.ts";

const families: readonly RowTable[] = [rfc1035, host, location, service, svcb, security, transaction];

const rows = new Map<number, Row>();
for (const family of families) for (const [type, row] of Object.entries(family)) rows.set(Number(type), row);

/**
 * Reads `length` octets of RDATA at the reader, validates them for `type` and returns a copy with names decompressed.
 * Nothing behind those octets is looked at, except what compression pointers in them lead to.
 * @throws WireError `WIRE_SHORT` where the message is shorter, `WIRE_RDATA` or `WIRE_NAME` where the form is wrong
 */
export function readRdata(type: number, reader: WireReader, length: number): Uint8Array {
  if (length > reader.remaining)
    throw new WireError("WIRE_SHORT", "the message ends inside RDATA", reader.offset);
  const row = rows.get(type);
  if (row === undefined || row.size === length) return reader.copy(length);
  const start = reader.offset;
  const outerEnd = reader.end;
  reader.end = start + length;
  try {
    if (!row.hasNames) {
      for (const field of row.fields) field.skip(reader);
      finish(type, reader);
      return reader.bytes.slice(start, reader.offset);
    }
    const pieces: Uint8Array[] = [];
    let taken = start; // what is before this is in `pieces`
    for (const field of row.fields) {
      if (field.name?.decompress !== true) {
        field.skip(reader);
        continue;
      }
      const at = reader.offset;
      const { wire } = reader.name();
      // A pointer takes two octets, and no name does: of the same length it is the same name.
      if (wire.length === reader.offset - at) continue;
      pieces.push(reader.bytes.subarray(taken, at), wire);
      taken = reader.offset;
    }
    finish(type, reader);
    if (pieces.length === 0) return reader.bytes.slice(start, reader.offset);
    pieces.push(reader.bytes.subarray(taken, reader.offset));
    let total = 0;
    for (const piece of pieces) total += piece.length;
    // What decompression made too long to be written again could be neither stored nor served.
    if (total > MAX_RDATA_LENGTH)
      throw new WireError("WIRE_RDATA", "RDATA over 65535 octets once decompressed", start);
    return concat(pieces, total);
  } catch (error) {
    throw rdataError(type, error);
  } finally {
    reader.end = outerEnd;
  }
}

/**
 * Writes RDATA (uncompressed wire form) with the compression its type allows (RFC 3597 §4: only RFC 1035's types).
 * Empty RDATA, which only an update's class ANY and NONE have, is written as nothing.
 * @throws WireError `WIRE_FULL`, or `WIRE_RDATA` where the octets are not of the type
 */
export function writeRdata(type: number, rdata: Uint8Array, writer: WireWriter): void {
  const row = rows.get(type);
  if (row === undefined || !row.compresses || rdata.length === 0) {
    writer.bytes(rdata);
    return;
  }
  const reader = new WireReader(rdata);
  for (const field of row.fields) {
    if (field.name?.compress === true) {
      writer.name(reader.plainName(), true);
    } else {
      const at = reader.offset;
      field.skip(reader);
      writer.bytes(rdata.subarray(at, reader.offset));
    }
  }
}

/** Checks uncompressed RDATA for its type. @throws WireError `WIRE_RDATA` or `WIRE_NAME` */
export function checkRdata(type: number, rdata: Uint8Array): void {
  if (rdata.length > MAX_RDATA_LENGTH) throw new WireError("WIRE_RDATA", "RDATA over 65535 octets");
  const row = rows.get(type);
  if (row === undefined || row.size === rdata.length) return;
  const reader = new WireReader(rdata);
  try {
    for (const field of row.fields) field.skip(reader);
    finish(type, reader);
  } catch (error) {
    throw rdataError(type, error);
  }
}

/**
 * A key that is equal for RDATA of one type that RFC 2136 §1.1.1 and RFC 4034 §6.2 hold equal: the names inside
 * lower-cased for the types listed there, one character an octet. Empty RDATA (RFC 2136 §2.4) has the empty key.
 * @throws WireError where RDATA is neither empty nor of the type
 */
export function rdataKey(type: number, rdata: Uint8Array): string {
  const row = rows.get(type);
  if (row === undefined || !row.lowers || rdata.length === 0) return latin1(rdata);
  return latin1(canonicalRdata(row, rdata));
}

/** Presentation form; names relative to `origin` where one is given. @throws WireError where RDATA is not of the type */
export function rdataToText(type: number, rdata: Uint8Array, origin?: Name): string {
  const row = rows.get(type);
  if (row === undefined || row.generic || rdata.length === 0) return rdataToGenericText(rdata);
  const reader = new WireReader(rdata);
  let text = "";
  for (const field of row.fields) {
    const part = field.toText(reader, origin);
    // A list of parameters can be empty (SVCB); everything else prints something.
    if (part !== "") text += text === "" ? part : ` ${part}`;
  }
  return text;
}

/** The form that stands for any type: `\# length hex` (RFC 3597 §5). */
export function rdataToGenericText(rdata: Uint8Array): string {
  return rdata.length === 0 ? "\\# 0" : `\\# ${rdata.length} ${octetsToHex(rdata)}`;
}

/**
 * Parses presentation form, or `\# length hex` (RFC 3597 §5) for any type, which must fit the type where it is known.
 * Takes every field of the source.
 * @throws RdataSyntaxError that says what was expected and what was found
 */
export function rdataFromText(type: number, source: FieldSource): Uint8Array {
  const first = source.peek();
  const row = rows.get(type);
  if (first !== undefined && !first.quoted && first.text === "\\#") return genericFromText(type, source);
  if (row === undefined || row.generic) {
    throw expected(`RDATA of type ${typeToText(type)} in the form \\# LENGTH HEX`, first);
  }
  const out = new RdataOutput();
  for (const field of row.fields) field.fromText(source, out);
  const extra = source.next();
  if (extra !== undefined) throw expected(`the end of the ${typeToText(type)} record`, extra);
  return out.finish();
}

/** The names inside RDATA in order, e.g. an SRV's target. Empty for opaque types and empty RDATA. @throws WireError */
export function rdataNames(type: number, rdata: Uint8Array): Name[] {
  const row = rows.get(type);
  if (row === undefined || !row.hasNames || rdata.length === 0) return [];
  const names: Name[] = [];
  const reader = new WireReader(rdata);
  for (const field of row.fields) {
    if (field.name === undefined) field.skip(reader);
    else names.push(reader.plainName());
  }
  return names;
}

function genericFromText(type: number, source: FieldSource): Uint8Array {
  source.next();
  const length = parseNumber(
    nextWord(source, "the length of the RDATA"),
    MAX_RDATA_LENGTH,
    "the length of the RDATA",
  );
  let rdata: Uint8Array = new Uint8Array(0);
  if (length > 0) rdata = parseHex(restOfWords(source, "RDATA"), "RDATA");
  else if (source.next() !== undefined) throw new RdataSyntaxError("nothing may follow \\# 0");
  if (rdata.length !== length) {
    throw new RdataSyntaxError(`\\# says ${length} octets, and ${rdata.length} follow`);
  }
  try {
    checkRdata(type, rdata);
  } catch (error) {
    if (error instanceof WireError)
      throw new RdataSyntaxError(`the octets are not a ${typeToText(type)}: ${error.message}`);
    throw error;
  }
  return rdata;
}

/** A copy with the names whose case does not count in lower case. */
function canonicalRdata(row: Row, rdata: Uint8Array): Uint8Array {
  const out = Uint8Array.from(rdata);
  const reader = new WireReader(rdata);
  for (const field of row.fields) {
    const at = reader.offset;
    field.skip(reader);
    // Length octets are below 64 and stay as they are.
    if (field.name?.lower === true) for (let i = at; i < reader.offset; i++) out[i] = LOWER[out[i]!]!;
  }
  return out;
}

function finish(type: number, reader: WireReader): void {
  if (reader.remaining > 0) {
    throw new WireError(
      "WIRE_RDATA",
      `${reader.remaining} octets left after ${typeToText(type)} RDATA`,
      reader.offset,
    );
  }
}

/** Within RDATA, running out of octets is a fault of the RDATA and not of the message. */
function rdataError(type: number, error: unknown): unknown {
  if (!(error instanceof WireError) || error.code !== "WIRE_SHORT") return error;
  return new WireError("WIRE_RDATA", `${typeToText(type)} RDATA that ends too early`, error.offset);
}

function concat(pieces: readonly Uint8Array[], total: number): Uint8Array {
  const out = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** Room for the keys of nearly all RDATA. */
const LATIN1_SCRATCH = Buffer.alloc(512);

/** One character an octet. A few are quickest joined by hand; a view of `octets` would move them out of the heap. */
export function latin1(octets: Uint8Array): string {
  const { length } = octets;
  if (length > LATIN1_SCRATCH.length) {
    return Buffer.from(octets.buffer, octets.byteOffset, length).toString("latin1");
  }
  if (length > 8) {
    for (let i = 0; i < length; i++) LATIN1_SCRATCH[i] = octets[i]!;
    return LATIN1_SCRATCH.toString("latin1", 0, length);
  }
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(octets[i]!);
  return text;
}
