/**
 * The field kinds RDATA is made of. A type is a row of them (`rfc1035.ts` and its neighbours); `rdata.ts` walks the row
 * to validate, decompress, compress, compare, print and parse. A type with a form of its own is a row of one field.
 */
import { WireError } from "../error.ts";
import { Name, NameSyntaxError } from "../name.ts";
import type { WireReader } from "../reader.ts";
import { ipv4ToText, ipv6ToText, parseIpv4, parseIpv6 } from "./address.ts";
import type { RdataOutput } from "./output.ts";
import {
  expected,
  nextField,
  nextWord,
  octetsToQuoted,
  RdataSyntaxError,
  restOfWords,
  textToOctets,
} from "./text.ts";
import type { FieldSource } from "./text.ts";
import { parseSeconds } from "./ttl.ts";

/** What may happen to a domain name in RDATA (RFC 3597 §4). */
export interface NameRule {
  /** It may be compressed on the wire when written: RFC 1035's types alone. */
  readonly compress: boolean;
  /** A compressed one is understood when read. */
  readonly decompress: boolean;
  /** Its case does not count when RDATA is compared (RFC 4034 §6.2). */
  readonly lower: boolean;
}

/** One field of RDATA. All positions are those of the reader, whose `end` is the end of the RDATA. */
export interface Field {
  /** Present for a domain name. */
  readonly name?: NameRule;
  /** Octets, where they never vary. */
  readonly size?: number;
  /** Passes over the field in uncompressed form. @throws WireError where it is malformed */
  skip(reader: WireReader): void;
  /** Takes the field and gives its presentation form; names relative to `origin` where there is one. */
  toText(reader: WireReader, origin: Name | undefined): string;
  /** Takes the field's presentation form from `source` and appends its octets. @throws RdataSyntaxError */
  fromText(source: FieldSource, out: RdataOutput): void;
}

function nameField(what: string, rule: NameRule): Field {
  return {
    name: rule,
    skip: (reader) => void reader.plainName(),
    toText: (reader, origin) => {
      const name = reader.plainName();
      return origin === undefined ? name.toString() : name.toRelative(origin);
    },
    fromText: (source, out) => out.bytes(parseName(nextWord(source, what), source.origin, what).wire),
  };
}

/** A name of RFC 1035's types: compressed when written. */
export const compressedName = (what: string): Field =>
  nameField(what, { compress: true, decompress: true, lower: true });
/** A name of the types RFC 3597 §4 lists: decompressed when read, never compressed. */
export const legacyName = (what: string): Field =>
  nameField(what, { compress: false, decompress: true, lower: true });
/** A name of every later type: never compressed, compared octet by octet. */
export const plainName = (what: string): Field =>
  nameField(what, { compress: false, decompress: false, lower: false });

/** Reads a name, whatever is wrong with it said as an error of RDATA. @throws RdataSyntaxError */
function parseName(text: string, origin: Name, what: string): Name {
  try {
    return Name.parse(text, origin);
  } catch (error) {
    if (error instanceof NameSyntaxError)
      throw new RdataSyntaxError(`${what} was expected: ${error.message}`);
    throw error;
  }
}

/** Reads an unsigned decimal number. @throws RdataSyntaxError */
export function parseNumber(text: string, max: number, what: string): number {
  const number = /^[0-9]{1,15}$/.test(text) ? Number(text) : Infinity;
  if (number > max) throw expected(`${what} (a number from 0 to ${max})`, { text, quoted: false });
  return number;
}

function numberField(
  size: 1 | 2 | 4,
  what: string,
  parse: (text: string) => number,
  print: (value: number) => string = String,
): Field {
  return {
    size,
    skip: (reader) => reader.skip(size),
    toText: (reader) => print(size === 1 ? reader.u8() : size === 2 ? reader.u16() : reader.u32()),
    fromText: (source, out) => {
      const value = parse(nextWord(source, what));
      if (size === 1) out.u8(value);
      else if (size === 2) out.u16(value);
      else out.u32(value);
    },
  };
}

export const u8 = (what: string): Field => numberField(1, what, (text) => parseNumber(text, 0xff, what));
export const u16 = (what: string): Field => numberField(2, what, (text) => parseNumber(text, 0xffff, what));
export const u32 = (what: string): Field =>
  numberField(4, what, (text) => parseNumber(text, 0xffff_ffff, what));

/** Seconds, 32 bits, with BIND's units in text. */
export const seconds = (what: string): Field =>
  numberField(4, what, (text) => {
    const value = parseSeconds(text, 0xffff_ffff);
    if (value === undefined) throw expected(`${what} (seconds, or as in 1h30m)`, { text, quoted: false });
    return value;
  });

/** A number that text may also give by mnemonic, e.g. a DNSSEC algorithm. Printed as a number. */
export const numberOrMnemonic = (
  size: 1 | 2,
  what: string,
  mnemonics: Readonly<Record<string, number>>,
): Field =>
  numberField(
    size,
    what,
    (text) => mnemonics[text.toUpperCase()] ?? parseNumber(text, 2 ** (8 * size) - 1, what),
  );

export const ipv4: Field = {
  size: 4,
  skip: (reader) => reader.skip(4),
  toText: (reader) => ipv4ToText(reader.take(4)),
  fromText: (source, out) => {
    const text = nextWord(source, "an IPv4 address");
    const octets = parseIpv4(text);
    if (octets === undefined) throw expected("an IPv4 address", { text, quoted: false });
    out.bytes(octets);
  },
};

export const ipv6: Field = {
  size: 16,
  skip: (reader) => reader.skip(16),
  toText: (reader) => ipv6ToText(reader.take(16)),
  fromText: (source, out) => {
    const text = nextWord(source, "an IPv6 address");
    const octets = parseIpv6(text);
    if (octets === undefined) throw expected("an IPv6 address", { text, quoted: false });
    out.bytes(octets);
  },
};

/** The octets that a field of text stands for, quoted or not, at most `max` of them. @throws RdataSyntaxError */
function nextString(source: FieldSource, what: string, max: number): Uint8Array {
  const { text } = nextField(source, what);
  let octets: Uint8Array;
  try {
    octets = textToOctets(text);
  } catch (error) {
    if (error instanceof NameSyntaxError)
      throw new RdataSyntaxError(`${what} was expected: ${error.message}`);
    throw error;
  }
  if (octets.length > max) {
    throw new RdataSyntaxError(`${what} has at most ${max} octets, and this has ${octets.length}`);
  }
  return octets;
}

/** A <character-string> (RFC 1035 §3.3): a length octet and up to 255 octets. Printed in quotes. */
export const characterString = (what: string): Field => ({
  skip: (reader) => reader.skip(reader.u8()),
  toText: (reader) => octetsToQuoted(reader.take(reader.u8())),
  fromText: (source, out) => out.counted8(nextString(source, what, 255)),
});

/** One <character-string> or more to the end of the RDATA (RFC 1035 §3.3.14). */
export const characterStrings: Field = {
  skip: (reader) => {
    if (reader.remaining === 0)
      throw new WireError("WIRE_RDATA", "no character-string where one is needed", reader.offset);
    while (reader.remaining > 0) reader.skip(reader.u8());
  },
  toText: (reader) => {
    const strings: string[] = [];
    while (reader.remaining > 0) strings.push(octetsToQuoted(reader.take(reader.u8())));
    return strings.join(" ");
  },
  fromText: (source, out) => {
    do out.counted8(nextString(source, "a character-string", 255));
    while (source.peek() !== undefined);
  },
};

function skipRest(reader: WireReader, least: number): void {
  if (reader.remaining < least)
    throw new WireError("WIRE_RDATA", "RDATA without its last field", reader.offset);
  reader.skip(reader.remaining);
}

/** Octets to the end of the RDATA as one quoted string, at least `least` of them (CAA, URI). */
export const restString = (what: string, least: number): Field => ({
  skip: (reader) => skipRest(reader, least),
  toText: (reader) => octetsToQuoted(reader.take(reader.remaining)),
  fromText: (source, out) => {
    const octets = nextString(source, what, 0xffff);
    if (octets.length < least) throw expected(what, { text: "", quoted: true });
    out.bytes(octets);
  },
});

/** Octets to the end of the RDATA in hexadecimal, spaces allowed between digits; at least one. */
export const restHex = (what: string): Field => ({
  skip: (reader) => skipRest(reader, 1),
  toText: (reader) => octetsToHex(reader.take(reader.remaining)),
  fromText: (source, out) => out.bytes(parseHex(restOfWords(source, what), what)),
});

/** Octets to the end of the RDATA in Base64 (RFC 4648 §4), spaces allowed; at least one. */
export const restBase64 = (what: string): Field => ({
  skip: (reader) => skipRest(reader, 1),
  toText: (reader) => octetsToBase64(reader.take(reader.remaining)),
  fromText: (source, out) => out.bytes(parseBase64(restOfWords(source, what), what)),
});

/** Upper-case hexadecimal, as BIND prints it. */
export function octetsToHex(octets: Uint8Array): string {
  return octets.reduce((text, octet) => text + octet.toString(16).padStart(2, "0"), "").toUpperCase();
}

/** @throws RdataSyntaxError */
export function parseHex(text: string, what: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})+$/i.test(text))
    throw expected(`${what} in pairs of hexadecimal digits`, { text, quoted: false });
  const octets = new Uint8Array(text.length / 2);
  for (let i = 0; i < octets.length; i++) octets[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return octets;
}

export function octetsToBase64(octets: Uint8Array): string {
  return Buffer.from(octets).toString("base64");
}

/** @throws RdataSyntaxError */
export function parseBase64(text: string, what: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(text)) {
    throw expected(`${what} in Base64`, { text, quoted: false });
  }
  return new Uint8Array(Buffer.from(text, "base64"));
}
