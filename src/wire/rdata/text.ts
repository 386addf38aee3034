/** How RDATA reads its presentation form: from a row of fields that a zone-file parser supplies. */
import { readEscape } from "../name.ts";
import type { Name } from "../name.ts";

/** One field of presentation text, escapes not yet resolved. */
export interface TextField {
  /** The characters as written, without the quotes around the whole; `key="a b"` (RFC 9460 §2.1) keeps those inside. */
  readonly text: string;
  readonly quoted: boolean;
}

/** The fields after the type, in order, with the origin that completes relative names. */
export interface FieldSource {
  readonly origin: Name;
  /** The next field, consumed; undefined at the end of the record. */
  next(): TextField | undefined;
  /** The next field, not consumed. */
  peek(): TextField | undefined;
}

/** RDATA text that its type does not allow. The position is that of the field last taken from the source. */
export class RdataSyntaxError extends Error {
  override readonly name = "RdataSyntaxError";
}

/** The error of a field that is not what its place asks for. `what` carries its article: "an IPv4 address". */
export function expected(what: string, found: TextField | undefined): RdataSyntaxError {
  if (found === undefined) return new RdataSyntaxError(`${what} was expected, and the record ends`);
  return new RdataSyntaxError(`${what} was expected, and "${shorten(found.text)}" was found`);
}

/** Takes the next field, whatever its form. @throws RdataSyntaxError at the end of the record */
export function nextField(source: FieldSource, what: string): TextField {
  const field = source.next();
  if (field === undefined) throw expected(what, undefined);
  return field;
}

/** Takes the next field's text, which must not be quoted. @throws RdataSyntaxError */
export function nextWord(source: FieldSource, what: string): string {
  const field = nextField(source, what);
  if (field.quoted) throw new RdataSyntaxError(`${what} was expected, and a quoted string was found`);
  return field.text;
}

/** More hexadecimal digits than RDATA can take: what is longer need not be looked at. */
const MAX_REST = 2 * 0xffff;

/** Takes all fields left, joined: how long hexadecimal and Base64 values are written. @throws RdataSyntaxError */
export function restOfWords(source: FieldSource, what: string): string {
  let text = nextWord(source, what);
  while (source.peek() !== undefined && text.length <= MAX_REST) text += nextWord(source, what);
  if (text.length > MAX_REST) throw new RdataSyntaxError(`${what} is longer than RDATA can be`);
  return text;
}

const utf8 = new TextEncoder();

/**
 * The octets that a field's text stands for: escapes resolved, characters outside ASCII as their UTF-8 octets, which is
 * what a zone file in UTF-8 holds.
 * @throws NameSyntaxError for a broken escape
 */
export function textToOctets(text: string): Uint8Array {
  if (!text.includes("\\")) return utf8.encode(text);
  const out: number[] = [];
  for (let i = 0; i < text.length;) {
    if (text[i] === "\\") {
      const { octet, length } = readEscape(text, i);
      out.push(octet);
      i += length;
      continue;
    }
    const char = String.fromCodePoint(text.codePointAt(i)!);
    out.push(...utf8.encode(char));
    i += char.length;
  }
  return Uint8Array.from(out);
}

/** A quoted string that stands for these octets (RFC 1035 §5.1), unprintable ones as `\DDD`. */
export function octetsToQuoted(octets: Uint8Array): string {
  let text = '"';
  for (const octet of octets) {
    if (octet < 0x20 || octet > 0x7e) text += `\\${String(octet).padStart(3, "0")}`;
    else if (octet === 0x22 || octet === 0x5c) text += `\\${String.fromCharCode(octet)}`;
    else text += String.fromCharCode(octet);
  }
  return `${text}"`;
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
