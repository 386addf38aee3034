/** LOC: where on Earth a host stands (RFC 1876). */
import { WireError } from "../error.ts";
import { RrType } from "../iana/type.ts";
import type { WireReader } from "../reader.ts";
import type { Field } from "./fields.ts";
import { octetsToHex } from "./fields.ts";
import { row } from "./row.ts";
import type { RowTable } from "./row.ts";
import { expected, nextWord, RdataSyntaxError } from "./text.ts";
import type { FieldSource } from "./text.ts";

/** The equator and the prime meridian, in thousandths of a second of arc (RFC 1876 §2). */
const ZERO_ARC = 0x8000_0000;
const DEGREE = 3_600_000;
/** Centimetres that the altitude's zero lies below the reference spheroid (RFC 1876 §2). */
const ALTITUDE_BASE = 10_000_000;

const place: Field = {
  skip: (reader) => {
    const at = reader.offset;
    // RFC 1876 §2: nothing may be assumed of other versions.
    if (reader.u8() !== 0) {
      reader.take(reader.remaining);
      return;
    }
    for (let i = 0; i < 3; i++) {
      const size = reader.u8();
      if (size >> 4 > 9 || (size & 0xf) > 9)
        throw new WireError("WIRE_RDATA", "a LOC size that is not decimal", at);
    }
    if (Math.abs(reader.u32() - ZERO_ARC) > 90 * DEGREE)
      throw new WireError("WIRE_RDATA", "a LOC beyond the poles", at);
    if (Math.abs(reader.u32() - ZERO_ARC) > 180 * DEGREE)
      throw new WireError("WIRE_RDATA", "a LOC beyond 180 degrees", at);
    reader.u32();
  },

  toText: (reader) => {
    if (!hasText(reader)) {
      const rdata = reader.take(reader.remaining);
      return `\\# ${rdata.length} ${octetsToHex(rdata)}`;
    }
    reader.u8();
    const sizes = [reader.u8(), reader.u8(), reader.u8()].map(sizeToText);
    const latitude = arcToText(reader.u32(), "N", "S");
    const longitude = arcToText(reader.u32(), "E", "W");
    return [latitude, longitude, metres(reader.u32() - ALTITUDE_BASE), ...sizes].join(" ");
  },

  fromText: (source, out) => {
    const latitude = readArc(source, "a latitude", 90, "N", "S");
    const longitude = readArc(source, "a longitude", 180, "E", "W");
    const altitude = readMetres(source, "an altitude in metres") + ALTITUDE_BASE;
    if (altitude < 0 || altitude > 0xffff_ffff)
      throw new RdataSyntaxError("an altitude from -100000m to 42849672.95m was expected");
    // RFC 1876 §3: what a host's location is good for, where the text leaves it out.
    const sizes = [100, 1_000_000, 1000];
    for (const i of sizes.keys())
      if (source.peek() !== undefined) sizes[i] = readMetres(source, "a size in metres");
    out.u8(0);
    for (const size of sizes) out.u8(packSize(size));
    out.u32(latitude);
    out.u32(longitude);
    out.u32(altitude);
  },
};

export const location: RowTable = { [RrType.LOC]: row(place) };

function arcToText(value: number, positive: string, negative: string): string {
  const arc = Math.abs(value - ZERO_ARC);
  const degrees = Math.floor(arc / DEGREE);
  const minutes = Math.floor((arc % DEGREE) / 60_000);
  const seconds = ((arc % 60_000) / 1000).toFixed(3);
  return `${degrees} ${minutes} ${seconds} ${value >= ZERO_ARC ? positive : negative}`;
}

/** `degrees [minutes [seconds]] hemisphere` (RFC 1876 §3), in thousandths of a second. */
function readArc(
  source: FieldSource,
  what: string,
  most: number,
  positive: string,
  negative: string,
): number {
  const patterns = [/^[0-9]{1,3}$/, /^[0-5]?[0-9]$/, /^[0-5]?[0-9](?:\.[0-9]{1,3})?$/];
  const units = [DEGREE, 60_000, 1000];
  let arc = 0;
  for (let i = 0; ; i++) {
    const text = nextWord(source, what);
    const hemisphere = text.toUpperCase();
    if (i > 0 && (hemisphere === positive || hemisphere === negative)) {
      if (arc > most * DEGREE) throw new RdataSyntaxError(`${what} of ${most} degrees at most was expected`);
      return ZERO_ARC + (hemisphere === positive ? arc : -arc);
    }
    if (i === 3 || !patterns[i]!.test(text)) {
      const part = ["degrees", "minutes", "seconds", "a hemisphere"][i]!;
      throw expected(`${what}'s ${part}${i === 0 ? "" : ` (or ${positive} or ${negative})`}`, {
        text,
        quoted: false,
      });
    }
    arc += Math.round(Number(text) * units[i]!);
  }
}

/** Metres with up to two decimals and an optional `m`, in centimetres. */
function readMetres(source: FieldSource, what: string): number {
  const text = nextWord(source, what);
  const match = /^(-?[0-9]{1,9}(?:\.[0-9]{1,2})?)m?$/i.exec(text);
  if (match === null) throw expected(what, { text, quoted: false });
  return Math.round(Number(match[1]) * 100);
}

/** Centimetres as one decimal digit and a power of ten (RFC 1876 §2); further digits are dropped, as the RFC's code does. */
function packSize(centimetres: number): number {
  if (centimetres < 0) throw new RdataSyntaxError("a size of 0 metres or more was expected");
  let mantissa = centimetres;
  let exponent = 0;
  while (mantissa >= 10) {
    mantissa = Math.floor(mantissa / 10);
    exponent++;
  }
  if (exponent > 9) throw new RdataSyntaxError("a size of 90000000 metres at most was expected");
  return (mantissa << 4) | exponent;
}

/** Whether the text form can say these octets: version 0, and no size of zero with a power of ten, which reads back as 0. */
function hasText({ bytes, offset }: WireReader): boolean {
  const sizes = bytes.subarray(offset + 1, offset + 4);
  return bytes[offset] === 0 && sizes.every((size) => size === 0 || size >> 4 !== 0);
}

/** A packed size, whole metres without decimals. */
function sizeToText(size: number): string {
  const centimetres = (size >> 4) * 10 ** (size & 0xf);
  return centimetres % 100 === 0 ? `${centimetres / 100}m` : metres(centimetres);
}

function metres(centimetres: number): string {
  return `${(centimetres / 100).toFixed(2)}m`;
}
