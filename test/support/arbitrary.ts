/** fast-check arbitraries of what crosses the wire, for every property test of the house. */
import * as fc from "fast-check";
import { RrType } from "../../src/wire/iana/type.ts";
import type { Edns } from "../../src/wire/edns.ts";
import type { MessageParts } from "../../src/wire/message.ts";
import { LOWER, MAX_NAME_LENGTH, Name } from "../../src/wire/name.ts";
import { rdataKey } from "../../src/wire/rdata/rdata.ts";
import type { Question, ResourceRecord } from "../../src/wire/record.ts";
import { MAX_TTL } from "../../src/wire/record.ts";

export const u8 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 0xff });
export const u16 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 0xffff });
export const u32 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 0xffff_ffff });
export const ttls = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: MAX_TTL });

/** Octets, plain `Uint8Array`s. */
export const octets = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Uint8Array.from(array));

/** One label: mostly host-like, sometimes any octets, sometimes 63 long. */
export const labels = (): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[a-zA-Z0-9_-]{1,8}$/).map(latin1) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("*", "_tcp", "a.b", 'q"', "(x)", "\\", "@", "$x", ";", " ").map(latin1),
    },
    { weight: 1, arbitrary: octets(1, 63) },
    { weight: 1, arbitrary: octets(63, 63) },
  );

/** Absolute names up to 255 octets, the root among them. Few distinct suffixes, so that compression has work. */
export const names = (): fc.Arbitrary<Name> =>
  fc
    .tuple(
      fc.array(labels(), { maxLength: 5 }),
      fc.constantFrom("smb.example.", "SMB.Example.", "example.", "2.0.192.in-addr.arpa.", "."),
    )
    .map(([row, suffix]) => {
      let name = Name.parse(suffix);
      for (const label of row)
        if (name.wire.length + label.length + 1 <= MAX_NAME_LENGTH) name = name.child(label);
      return name;
    });

/** A name with the case of its letters shuffled. */
export const recased = (name: Name): fc.Arbitrary<Name> =>
  fc.array(fc.boolean(), { minLength: name.wire.length, maxLength: name.wire.length }).map((flips) => {
    const wire = name.wire.map((octet, i) => {
      const lower = LOWER[octet]!;
      return flips[i] && lower >= 0x61 && lower <= 0x7a ? octet ^ 0x20 : octet;
    });
    return Name.fromWire(wire);
  });

const join = (...parts: fc.Arbitrary<Uint8Array>[]): fc.Arbitrary<Uint8Array> =>
  fc.tuple(...parts).map(concat);
const octet = (): fc.Arbitrary<Uint8Array> => octets(1, 1);
const two = (): fc.Arbitrary<Uint8Array> => octets(2, 2);
const four = (): fc.Arbitrary<Uint8Array> => octets(4, 4);
const wireName = (): fc.Arbitrary<Uint8Array> => names().map((name) => name.wire);
const counted8 = (min = 0, max = 40): fc.Arbitrary<Uint8Array> =>
  octets(min, max).map((value) => concat([Uint8Array.of(value.length), value]));
const counted16 = (): fc.Arbitrary<Uint8Array> =>
  octets(0, 40).map((value) => concat([Uint8Array.of(0, value.length), value]));
const digest = (): fc.Arbitrary<Uint8Array> => octets(1, 48);

const locSize = (): fc.Arbitrary<number> =>
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }))
    // Zero and less than ten of a unit have one spelling only in text.
    .map(([mantissa, exponent]) => (mantissa === 0 ? 0 : (mantissa << 4) | exponent));
const arc = (degrees: number): fc.Arbitrary<Uint8Array> =>
  fc
    .integer({ min: -degrees * 3_600_000, max: degrees * 3_600_000 })
    .map((value) => u32Octets(0x8000_0000 + value));
const loc = (): fc.Arbitrary<Uint8Array> =>
  join(
    fc.tuple(locSize(), locSize(), locSize()).map((sizes) => Uint8Array.of(0, ...sizes)),
    arc(90),
    arc(180),
    four(),
  );

const svcParams = (): fc.Arbitrary<Uint8Array> =>
  fc
    .record(
      {
        alpn: fc.array(counted8(1, 12), { minLength: 1, maxLength: 3 }).map(concat),
        port: two(),
        ipv4hint: fc.array(four(), { minLength: 1, maxLength: 3 }).map(concat),
        ech: octets(1, 40),
        ipv6hint: fc.array(octets(16, 16), { minLength: 1, maxLength: 2 }).map(concat),
        dohpath: fc.constantFrom("/dns-query{?dns}", "/q{?dns}").map(latin1),
        others: fc.uniqueArray(fc.tuple(fc.integer({ min: 100, max: 65_534 }), octets(0, 20)), {
          selector: ([key]) => key,
          maxLength: 3,
        }),
        noDefault: fc.boolean(),
        mandatory: fc.boolean(),
      },
      { requiredKeys: ["others", "noDefault", "mandatory"] },
    )
    .map(({ alpn, port, ipv4hint, ech, ipv6hint, dohpath, others, noDefault, mandatory }) => {
      const params: [number, Uint8Array][] = others.map(([key, value]) => [key, value]);
      const known: [number, Uint8Array | undefined][] = [
        [1, alpn],
        [3, port],
        [4, ipv4hint],
        [5, ech],
        [6, ipv6hint],
        [7, dohpath],
      ];
      for (const [key, value] of known) if (value !== undefined) params.push([key, value]);
      if (noDefault && alpn !== undefined) params.push([2, new Uint8Array(0)]);
      params.sort(([a], [b]) => a - b);
      if (mandatory && params.length > 0) {
        params.unshift([0, Uint8Array.from(params.flatMap(([key]) => [key >> 8, key & 0xff]))]);
      }
      return concat(params.flatMap(([key, value]) => [u16Octets(key), u16Octets(value.length), value]));
    });
const svcb = (): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    join(fc.constant(Uint8Array.of(0, 0)), wireName()),
    join(fc.integer({ min: 1, max: 0xffff }).map(u16Octets), wireName(), svcParams()),
  );

const oneName = (): fc.Arbitrary<Uint8Array> => wireName();
const preferenceAndName = (): fc.Arbitrary<Uint8Array> => join(two(), wireName());
const texts = (): fc.Arbitrary<Uint8Array> =>
  fc.array(counted8(), { minLength: 1, maxLength: 4 }).map(concat);
const delegationSigner = (): fc.Arbitrary<Uint8Array> =>
  fc
    .constantFrom([1, 20], [2, 32], [4, 48])
    .chain(([type, length]) =>
      join(two(), octet(), fc.constant(Uint8Array.of(type)), octets(length, length)),
    );

/** RDATA of every type that has a form of its own, by type: valid, uncompressed. */
export const rdataByType: ReadonlyMap<number, fc.Arbitrary<Uint8Array>> = new Map([
  [RrType.A, four()],
  [RrType.NS, oneName()],
  [RrType.MD, oneName()],
  [RrType.MF, oneName()],
  [RrType.CNAME, oneName()],
  [RrType.SOA, join(wireName(), wireName(), octets(20, 20))],
  [RrType.MB, oneName()],
  [RrType.MG, oneName()],
  [RrType.MR, oneName()],
  [RrType.PTR, oneName()],
  [RrType.HINFO, join(counted8(), counted8())],
  [RrType.MINFO, join(wireName(), wireName())],
  [RrType.MX, preferenceAndName()],
  [RrType.TXT, texts()],
  [RrType.SPF, texts()],
  [RrType.RP, join(wireName(), wireName())],
  [RrType.AFSDB, preferenceAndName()],
  [RrType.RT, preferenceAndName()],
  [RrType.SIG, join(octets(18, 18), wireName(), digest())],
  [RrType.PX, join(two(), wireName(), wireName())],
  [RrType.AAAA, octets(16, 16)],
  [RrType.LOC, loc()],
  [RrType.NXT, join(wireName(), octets(1, 16))],
  [RrType.SRV, join(two(), two(), two(), wireName())],
  [
    RrType.NAPTR,
    join(
      two(),
      two(),
      fc.constantFrom("", "U", "s", "A").map((flags) => concat([Uint8Array.of(flags.length), latin1(flags)])),
      counted8(),
      fc.constant(Uint8Array.of(0)),
      wireName(),
    ),
  ],
  [RrType.KX, preferenceAndName()],
  [RrType.DNAME, oneName()],
  [RrType.DS, delegationSigner()],
  [RrType.SSHFP, join(octet(), fc.constant(Uint8Array.of(2)), octets(32, 32))],
  [
    RrType.DNSKEY,
    join(
      two(),
      fc.constant(Uint8Array.of(3)),
      fc.integer({ min: 1, max: 250 }).map((algorithm) => Uint8Array.of(algorithm)),
      octets(16, 64),
    ),
  ],
  [RrType.DHCID, octets(3, 40)],
  [RrType.TLSA, join(octet(), octet(), octet(), digest())],
  [RrType.SMIMEA, join(octet(), octet(), octet(), digest())],
  [RrType.CDS, delegationSigner()],
  [
    RrType.CDNSKEY,
    join(
      two(),
      fc.constant(Uint8Array.of(3)),
      fc.integer({ min: 1, max: 250 }).map((algorithm) => Uint8Array.of(algorithm)),
      octets(16, 64),
    ),
  ],
  [RrType.OPENPGPKEY, octets(1, 60)],
  [RrType.ZONEMD, join(four(), fc.constant(Uint8Array.of(1, 1)), octets(48, 48))],
  [RrType.SVCB, svcb()],
  [RrType.HTTPS, svcb()],
  [RrType.EUI48, octets(6, 6)],
  [RrType.EUI64, octets(8, 8)],
  [RrType.TKEY, join(wireName(), octets(12, 12), counted16(), counted16())],
  [RrType.TSIG, join(wireName(), octets(8, 8), counted16(), octets(4, 4), counted16())],
  [RrType.URI, join(two(), two(), octets(1, 60))],
  [
    RrType.CAA,
    join(
      octet(),
      fc
        .constantFrom("issue", "issuewild", "iodef", "Tag1")
        .map((tag) => concat([Uint8Array.of(tag.length), latin1(tag)])),
      octets(0, 60),
    ),
  ],
]);

/** Types that stay opaque: NULL, Microsoft's WINS and a few nobody has taken. */
const opaqueTypes = [RrType.NULL, RrType.WINS, RrType.WINSR, 65_280, 32_000] as const;

/** A type and RDATA for it. `types` limits the choice. */
export const typedRdata = (types?: readonly number[]): fc.Arbitrary<{ type: number; rdata: Uint8Array }> => {
  const known = [...rdataByType].filter(([type]) => types === undefined || types.includes(type));
  const opaque = opaqueTypes.filter((type) => types === undefined || types.includes(type));
  return fc.oneof(
    ...known.map(([type, rdata]) => rdata.map((octets) => ({ type, rdata: octets }))),
    ...opaque.map((type) => octets(0, 60).map((rdata) => ({ type: type as number, rdata }))),
  );
};

/** Types that a zone may hold: all but TSIG and TKEY. */
export const zoneTypes: readonly number[] = [...rdataByType.keys(), ...opaqueTypes].filter(
  (type) => type !== RrType.TSIG && type !== RrType.TKEY,
);

/** Records of class IN, of any type that a zone may hold. */
export const records = (types: readonly number[] = zoneTypes): fc.Arbitrary<ResourceRecord> =>
  fc
    .tuple(names(), typedRdata(types), ttls())
    .map(([name, { type, rdata }, ttl]) => ({ name, type, class: 1, ttl, rdata }));

export const questions = (): fc.Arbitrary<Question> =>
  fc.record({ name: names(), type: u16(), class: u16() });

const ednses = (): fc.Arbitrary<Edns> =>
  fc.record({
    udpPayload: u16(),
    version: fc.constant(0),
    extendedRcode: fc.constant(0),
    dnssecOk: fc.boolean(),
    options: fc.array(fc.record({ code: u16(), data: octets(0, 20) }), { maxLength: 3 }),
  });

/** Messages to be encoded: an RCODE above 15 only beside an OPT (RFC 6891 §6.1.3). */
export const messages = (): fc.Arbitrary<MessageParts> =>
  fc
    .record({
      id: u16(),
      flags: u16().map((flags) => flags & 0xfff0),
      rcode: fc.integer({ min: 0, max: 0xfff }),
      questions: fc.array(questions(), { maxLength: 2 }),
      answers: fc.array(records(), { maxLength: 6 }),
      authorities: fc.array(records(), { maxLength: 4 }),
      additionals: fc.array(records(), { maxLength: 4 }),
      edns: fc.option(ednses(), { nil: undefined }),
    })
    .map((parts) => (parts.edns === undefined ? { ...parts, rcode: parts.rcode & 0xf } : parts));

/** What of a record counts when records are compared: owner and names without case. */
export function recordKey(rr: ResourceRecord): string {
  // Other classes' RDATA is not looked into.
  const rdata = rr.class === 1 || rr.class === 254 ? rdataKey(rr.type, rr.rdata) : String(rr.rdata);
  return JSON.stringify([rr.name.key, rr.type, rr.class, rr.ttl, rdata]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** One octet a character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function u16Octets(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function u32Octets(value: number): Uint8Array {
  return concat([u16Octets(value >>> 16), u16Octets(value & 0xffff)]);
}
