/** SVCB and HTTPS (RFC 9460): priority, target and the list of parameters. Each parameter's form is in `svcparam.ts`. */
import { WireError } from "../error.ts";
import { RrType } from "../iana/type.ts";
import { NameSyntaxError } from "../name.ts";
import { WireReader } from "../reader.ts";
import type { Field } from "./fields.ts";
import { plainName, u16 } from "./fields.ts";
import { row } from "./row.ts";
import type { RowTable } from "./row.ts";
import { keyFromText, keyToText, ParamKey, paramForm } from "./svcparam.ts";
import { expected, nextWord, octetsToQuoted, RdataSyntaxError, textToOctets } from "./text.ts";
import type { FieldSource } from "./text.ts";

/** SvcParams to the end of the RDATA (RFC 9460 §2.1 for text, §2.2 for the wire). */
const params: Field = {
  skip: (reader) => {
    const start = reader.offset;
    const found = new Map<number, Uint8Array>();
    let last = -1;
    while (reader.remaining > 0) {
      const at = reader.offset;
      const key = reader.u16();
      // RFC 9460 §2.2: keys in strictly increasing order, which also forbids repetition.
      if (key <= last) throw new WireError("WIRE_RDATA", "SvcParamKeys that do not increase", at);
      last = key;
      // RFC 9460 §14.3.2: reserved as the key that is not valid.
      if (key === 0xffff) throw new WireError("WIRE_RDATA", "the invalid SvcParamKey", at);
      const value = reader.take(reader.u16());
      const fault = paramForm(key)?.fault(value);
      if (fault !== undefined) throw new WireError("WIRE_RDATA", `SvcParam ${keyToText(key)}: ${fault}`, at);
      found.set(key, value);
    }
    const fault = inconsistency(found);
    if (fault !== undefined) throw new WireError("WIRE_RDATA", fault, start);
  },

  toText: (reader) => {
    const texts: string[] = [];
    while (reader.remaining > 0) {
      const key = reader.u16();
      const value = reader.take(reader.u16());
      const form = paramForm(key);
      let text: string | undefined;
      if (form !== undefined) text = form.toText(value);
      else if (value.length > 0) text = octetsToQuoted(value);
      texts.push(text === undefined ? keyToText(key) : `${keyToText(key)}=${text}`);
    }
    return texts.join(" ");
  },

  fromText: (source, out) => {
    const found = new Map<number, Uint8Array>();
    while (source.peek() !== undefined) {
      const { key, value } = readParam(source);
      if (found.has(key)) throw new RdataSyntaxError(`SvcParam ${keyToText(key)} is given twice`);
      found.set(key, value);
    }
    const fault = inconsistency(found);
    if (fault !== undefined) throw new RdataSyntaxError(fault);
    for (const [key, value] of [...found].toSorted(([a], [b]) => a - b)) {
      out.u16(key);
      out.counted16(value);
    }
  },
};

/** What the parameters lack of one another (RFC 9460 §7.1.1 and §8); undefined where nothing. */
function inconsistency(found: ReadonlyMap<number, Uint8Array>): string | undefined {
  const mandatory = found.get(ParamKey.mandatory);
  if (mandatory !== undefined) {
    for (const reader = new WireReader(mandatory); reader.remaining > 0;) {
      const key = reader.u16();
      if (!found.has(key)) return `SvcParam ${keyToText(key)} is called mandatory and is not there`;
    }
  }
  if (found.has(ParamKey["no-default-alpn"]) && !found.has(ParamKey.alpn))
    return "no-default-alpn needs alpn";
  return undefined;
}

/** `key`, `key=value` or `key="value"`, the last as one field or as two. */
function readParam(source: FieldSource): { key: number; value: Uint8Array } {
  const what = "a SvcParam such as port=445";
  const word = nextWord(source, what);
  const equals = word.indexOf("=");
  const keyText = equals < 0 ? word : word.slice(0, equals);
  const key = keyFromText(keyText);
  if (key === undefined) throw expected(what, { text: word, quoted: false });
  let text = equals < 0 ? "" : word.slice(equals + 1);
  if (equals >= 0 && text === "" && source.peek()?.quoted === true) text = source.next()!.text;
  else if (text.length >= 2 && text.startsWith('"') && text.endsWith('"')) text = text.slice(1, -1);
  try {
    const octets = textToOctets(text);
    // RFC 9460 §2.1: a key given by number has its value as wire octets, whatever the key.
    const form = /^key/i.test(keyText) ? undefined : paramForm(key);
    const value = form === undefined ? octets : form.fromOctets(octets);
    const fault = paramForm(key)?.fault(value);
    if (fault !== undefined) throw new RdataSyntaxError(fault);
    if (value.length > 0xffff) throw new RdataSyntaxError("a value of 65535 octets at most was expected");
    return { key, value };
  } catch (error) {
    if (error instanceof NameSyntaxError || error instanceof RdataSyntaxError)
      throw new RdataSyntaxError(`SvcParam ${keyToText(key)}: ${error.message}`);
    throw error;
  }
}

const binding = row(u16("a priority"), plainName("a target name"), params);

export const svcb: RowTable = { [RrType.SVCB]: binding, [RrType.HTTPS]: binding };
