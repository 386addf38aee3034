/** Records and updates written as text, for tests. */
import { decodeMessage, encodeMessage, type Message } from "../../src/wire/message.ts";
import { classFromText, RrClass } from "../../src/wire/iana/class.ts";
import { Opcode } from "../../src/wire/iana/code.ts";
import { RrType, typeFromText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { rdataFromText } from "../../src/wire/rdata/rdata.ts";
import type { TextField } from "../../src/wire/rdata/text.ts";
import type { Question, ResourceRecord } from "../../src/wire/record.ts";
import type { Edns } from "../../src/wire/edns.ts";

export const ORIGIN = Name.parse("smb.example.");

/** A name, relative to smb.example. */
export function name(text: string): Name {
  return Name.parse(text, ORIGIN);
}

/** A record of class IN from `OWNER TTL TYPE RDATA`, names relative to smb.example. */
export function rr(text: string): ResourceRecord {
  const [owner, ttl, typeText, ...rest] = text.match(/"[^"]*"|\S+/g)!;
  const type = typeFromText(typeText!)!;
  const fields: TextField[] = rest.map((field) =>
    field.startsWith('"') ? { text: field.slice(1, -1), quoted: true } : { text: field, quoted: false },
  );
  let at = 0;
  const source = { origin: ORIGIN, next: () => fields[at++], peek: () => fields[at] };
  return {
    name: name(owner),
    type,
    class: RrClass.IN,
    ttl: Number(ttl),
    rdata: rdataFromText(type, source),
  };
}

/** One line of a prerequisite or update section, as in `nsupdate`'s manual but with the class spelt out. */
export function line(text: string): ResourceRecord {
  const [owner, ttl, rrClass, type, ...rest] = text.split(" ");
  const classNumber = classFromText(rrClass!)!;
  if (rest.length === 0) {
    const rdata = new Uint8Array(0);
    const typeNumber = typeFromText(type!)!;
    return { name: name(owner!), type: typeNumber, class: classNumber, ttl: Number(ttl), rdata };
  }
  return { ...rr([owner, ttl, type, ...rest].join(" ")), class: classNumber };
}

export interface UpdateParts {
  readonly zone?: readonly Question[];
  readonly prerequisites?: readonly (string | ResourceRecord)[];
  readonly updates?: readonly (string | ResourceRecord)[];
  readonly edns?: Edns;
}

function records(lines: readonly (string | ResourceRecord)[] = []): ResourceRecord[] {
  return lines.map((one) => (typeof one === "string" ? line(one) : one));
}

/** An UPDATE message of smb.example, encoded and decoded again as one from the network would be. */
export function updateMessage(parts: UpdateParts): Message {
  const { zone = [{ name: ORIGIN, type: RrType.SOA, class: RrClass.IN }] } = parts;
  return decodeMessage(
    encodeMessage({
      id: 0x1234,
      flags: Opcode.UPDATE << 11,
      rcode: 0,
      questions: zone,
      answers: records(parts.prerequisites),
      authorities: records(parts.updates),
      edns: parts.edns,
    }),
  );
}
