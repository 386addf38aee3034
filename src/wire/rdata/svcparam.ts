/** The parameters of SVCB and HTTPS: IANA "Service Parameter Keys (SvcParamKeys)" (RFC 9460 §14.3, RFC 9461, RFC 9540). */
import { WireReader } from "../reader.ts";
import { ipv4ToText, ipv6ToText, parseIpv4, parseIpv6 } from "./address.ts";
import { octetsToBase64, parseBase64, parseNumber } from "./fields.ts";
import { RdataOutput } from "./output.ts";
import { octetsToQuoted, RdataSyntaxError } from "./text.ts";

/** Key numbers by name. */
export const ParamKey = {
  mandatory: 0,
  alpn: 1,
  "no-default-alpn": 2,
  port: 3,
  ipv4hint: 4,
  ech: 5,
  ipv6hint: 6,
  dohpath: 7,
  ohttp: 8,
} as const;

/** What a known key's value looks like. */
export interface ParamForm {
  /** What is wrong with a value in wire form; undefined where nothing is. */
  fault(value: Uint8Array): string | undefined;
  /** The text after `=`, with its quotes; undefined where there is no value. */
  toText(value: Uint8Array): string | undefined;
  /** Wire form of a value whose escapes are resolved. @throws RdataSyntaxError */
  fromOctets(octets: Uint8Array): Uint8Array;
}

const nameOf = new Map<number, string>(Object.entries(ParamKey).map(([name, key]) => [key, name]));

/** A key's name, or `keyN`. */
export function keyToText(key: number): string {
  return nameOf.get(key) ?? `key${key}`;
}

/** A key's number by name or `keyN` without leading zeros; undefined for others and for the invalid key 65535. */
export function keyFromText(text: string): number | undefined {
  const lower = text.toLowerCase();
  for (const [key, name] of nameOf) if (name === lower) return key;
  const generic = /^key(0|[1-9][0-9]{0,4})$/.exec(lower);
  const key = generic === null ? Infinity : Number(generic[1]);
  return key < 0xffff ? key : undefined;
}

/** The form of a known key's value; undefined for keys whose values are opaque. */
export function paramForm(key: number): ParamForm | undefined {
  return forms.get(key);
}

/** RFC 9460 §8: a list of keys, increasing, never key 0 itself. */
const mandatory: ParamForm = {
  fault: (value) => {
    if (value.length === 0 || value.length % 2 !== 0) return "a list of keys, two octets each, was expected";
    let last = 0;
    for (const reader = new WireReader(value); reader.remaining > 0;) {
      const key = reader.u16();
      if (key <= last) return "keys must increase, and cannot include mandatory itself";
      last = key;
    }
    return undefined;
  },
  toText: (value) => {
    const keys: string[] = [];
    for (const reader = new WireReader(value); reader.remaining > 0;) keys.push(keyToText(reader.u16()));
    return keys.join(",");
  },
  fromOctets: (octets) => {
    const keys = items(octets).map((item) => {
      const key = keyFromText(item);
      if (key === undefined) throw new RdataSyntaxError(`"${item}" is not a SvcParamKey`);
      return key;
    });
    const out = new RdataOutput();
    for (const key of keys.toSorted((a, b) => a - b)) out.u16(key);
    return out.finish();
  },
};

/** RFC 9460 §7.1: ALPN identifiers, each behind a length octet. In text a comma or backslash inside one is escaped twice. */
const alpn: ParamForm = {
  fault: (value) => {
    if (value.length === 0) return "one protocol identifier at least was expected";
    for (let at = 0; at < value.length; at += value[at]! + 1) {
      if (value[at] === 0) return "an empty protocol identifier";
      if (at + value[at]! + 1 > value.length) return "a protocol identifier that is cut short";
    }
    return undefined;
  },
  toText: (value) => {
    const list: number[] = [];
    for (let at = 0; at < value.length; at += value[at]! + 1) {
      if (at > 0) list.push(COMMA);
      for (const octet of value.subarray(at + 1, at + 1 + value[at]!)) {
        if (octet === COMMA || octet === BACKSLASH) list.push(BACKSLASH);
        list.push(octet);
      }
    }
    return octetsToQuoted(Uint8Array.from(list));
  },
  fromOctets: (octets) => {
    const out = new RdataOutput();
    for (const id of splitList(octets)) {
      if (id.length === 0 || id.length > 255) {
        throw new RdataSyntaxError(
          `a protocol identifier has 1 to 255 octets, and one in alpn has ${id.length}`,
        );
      }
      out.counted8(Uint8Array.from(id));
    }
    return out.finish();
  },
};

/** A key whose presence says it all (RFC 9460 §7.1, RFC 9540 §4). */
const flag: ParamForm = {
  fault: (value) => (value.length > 0 ? "no value was expected" : undefined),
  toText: () => undefined,
  fromOctets: (octets) => octets,
};

/** RFC 9460 §7.2. */
const port: ParamForm = {
  fault: (value) => (value.length === 2 ? undefined : "a port of two octets was expected"),
  toText: (value) => String((value[0]! << 8) | value[1]!),
  fromOctets: (octets) => {
    const number = parseNumber(ascii(octets), 0xffff, "a port");
    return Uint8Array.of(number >> 8, number & 0xff);
  },
};

/** RFC 9460 §7.3: addresses one behind the other. */
function addresses(
  size: number,
  what: string,
  parse: (text: string) => Uint8Array | undefined,
  print: (octets: Uint8Array, offset: number) => string,
): ParamForm {
  return {
    fault: (value) => (value.length > 0 && value.length % size === 0 ? undefined : `${what}es were expected`),
    toText: (value) => {
      const texts: string[] = [];
      for (let at = 0; at < value.length; at += size) texts.push(print(value, at));
      return texts.join(",");
    },
    fromOctets: (octets) => {
      const out = new RdataOutput();
      for (const item of items(octets)) {
        const address = parse(item);
        if (address === undefined)
          throw new RdataSyntaxError(`${what} was expected, and "${item}" was found`);
        out.bytes(address);
      }
      return out.finish();
    },
  };
}

/** An ECHConfigList in Base64 (RFC 9848 §3). */
const ech: ParamForm = {
  fault: (value) => (value.length > 0 ? undefined : "a value was expected"),
  toText: octetsToBase64,
  fromOctets: (octets) => parseBase64(ascii(octets), "an ECH configuration"),
};

/** A URI template in UTF-8 (RFC 9461 §5). */
const dohpath: ParamForm = {
  fault: (value) => (value.length > 0 ? undefined : "a path was expected"),
  toText: octetsToQuoted,
  fromOctets: (octets) => octets,
};

const forms = new Map<number, ParamForm>([
  [ParamKey.mandatory, mandatory],
  [ParamKey.alpn, alpn],
  [ParamKey["no-default-alpn"], flag],
  [ParamKey.port, port],
  [ParamKey.ipv4hint, addresses(4, "an IPv4 address", parseIpv4, ipv4ToText)],
  [ParamKey.ech, ech],
  [ParamKey.ipv6hint, addresses(16, "an IPv6 address", parseIpv6, ipv6ToText)],
  [ParamKey.dohpath, dohpath],
  [ParamKey.ohttp, flag],
]);

const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** Splits at commas; a backslash makes the octet after it an ordinary one (RFC 9460 appendix A.1). */
function splitList(octets: Uint8Array): number[][] {
  let item: number[] = [];
  const list = [item];
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i]!;
    if (octet === COMMA) {
      item = [];
      list.push(item);
    } else if (octet === BACKSLASH) {
      i++;
      if (i === octets.length) throw new RdataSyntaxError("a backslash with nothing after it");
      item.push(octets[i]!);
    } else {
      item.push(octet);
    }
  }
  return list;
}

/** A list without escapes, as addresses and keys are written. */
function items(octets: Uint8Array): string[] {
  return ascii(octets).split(",");
}

function ascii(octets: Uint8Array): string {
  return Buffer.from(octets).toString("latin1");
}
