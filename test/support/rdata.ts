/** RDATA to and from text in tests, without a zone file. */
import { typeFromText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { rdataFromText, rdataToText } from "../../src/wire/rdata/rdata.ts";
import type { FieldSource, TextField } from "../../src/wire/rdata/text.ts";

/** Splits at blanks; `"…"` is one field, and `key="…"` one with its quotes, as the zone-file lexer does. */
export function splitFields(text: string): TextField[] {
  const fields: TextField[] = [];
  for (const [match, quoted] of text.matchAll(/"((?:[^"\\]|\\.)*)"|(?:[^\s"\\]|\\.|="(?:[^"\\]|\\.)*")+/gs)) {
    fields.push(quoted === undefined ? { text: match, quoted: false } : { text: quoted, quoted: true });
  }
  return fields;
}

/** A source over fields already split. */
export function fieldsOf(fields: readonly TextField[], origin: Name): FieldSource {
  let at = 0;
  return { origin, next: () => fields[at++], peek: () => fields[at] };
}

export function typeNumber(mnemonic: string): number {
  const type = typeFromText(mnemonic);
  if (type === undefined) throw new Error(`no type is called ${mnemonic}`);
  return type;
}

/** RDATA of presentation text. */
export function parseRdata(mnemonic: string, text: string, origin = "example."): Uint8Array {
  return rdataFromText(typeNumber(mnemonic), fieldsOf(splitFields(text), Name.parse(origin)));
}

/** Presentation text, read and printed again. */
export function reprint(mnemonic: string, text: string, origin = "example."): string {
  return rdataToText(typeNumber(mnemonic), parseRdata(mnemonic, text, origin));
}

/** Octets of hexadecimal, blanks ignored. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

/** Hexadecimal of octets. */
export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}
