/** What holds for everything the codec can be given. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import {
  checkRdata,
  rdataFromText,
  rdataKey,
  rdataNames,
  rdataToGenericText,
  rdataToText,
  readRdata,
} from "../../src/wire/rdata/rdata.ts";
import { readSoa, soaSerial, withSerial, writeSoa } from "../../src/wire/rdata/soa.ts";
import type { Question } from "../../src/wire/record.ts";
import { WireReader } from "../../src/wire/reader.ts";
import { MAX_MESSAGE_LENGTH, WireWriter } from "../../src/wire/writer.ts";
import {
  messages,
  octets,
  names,
  rdataByType,
  recased,
  recordKey,
  typedRdata,
  zoneTypes,
} from "../support/arbitrary.ts";
import { fieldsOf, splitFields } from "../support/rdata.ts";

const origin = Name.parse("smb.example.");
const wireError: unknown = expect.objectContaining({ name: "WireError" });
const wireFull: unknown = expect.objectContaining({ name: "WireError", code: "WIRE_FULL" });

function questionKey({ name, type, class: rrClass }: Question): unknown {
  return [name.key, type, rrClass];
}

describe("names", () => {
  test("presentation form reads back as the same octets", () => {
    fc.assert(
      fc.property(names(), (name) => {
        expect(Name.parse(name.toString()).wire).toEqual(name.wire);
        expect(Name.parse(name.toRelative(origin), origin).key).toBe(name.key);
      }),
    );
  });

  test("case makes no difference to key, equality and order", () => {
    fc.assert(
      fc.property(
        names().chain((name) => fc.tuple(fc.constant(name), recased(name))),
        ([name, other]) => {
          expect(other.key).toBe(name.key);
          expect(other.equals(name)).toBe(true);
          expect(other.compare(name)).toBe(0);
          expect(other.isWithin(name)).toBe(true);
        },
      ),
    );
  });

  test("canonical order is total, and agrees with equality", () => {
    fc.assert(
      fc.property(names(), names(), names(), (a, b, c) => {
        expect(Math.sign(a.compare(b))).toBe(-Math.sign(b.compare(a)) + 0);
        expect(a.compare(b) === 0).toBe(a.equals(b));
        const sorted = [a, b, c].toSorted((x, y) => x.compare(y));
        expect(sorted[0]!.compare(sorted[2]!)).toBeLessThanOrEqual(0);
        expect(!a.isBelow(b) || a.compare(b) > 0).toBe(true);
      }),
    );
  });

  test("names written with compression read back equal", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names(), fc.boolean()), { maxLength: 20 }), (rows) => {
        const writer = new WireWriter();
        for (const [name, compress] of rows) writer.name(name, compress);
        const reader = new WireReader(writer.finish());
        for (const [name] of rows) expect(reader.name().key).toBe(name.key);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  test("a rewound writer is as if nothing had been written", () => {
    const list = fc.array(names(), { maxLength: 8 });
    fc.assert(
      fc.property(list, list, list, (before, undone, after) => {
        const straight = new WireWriter();
        const rewound = new WireWriter();
        for (const name of before) for (const writer of [straight, rewound]) writer.name(name, true);
        const mark = rewound.mark();
        for (const name of undone) rewound.name(name, true);
        rewound.rewind(mark);
        for (const name of after) for (const writer of [straight, rewound]) writer.name(name, true);
        expect(rewound.finish()).toEqual(straight.finish());
      }),
    );
  });
});

describe("RDATA", () => {
  test("uncompressed octets of every type are accepted unchanged", () => {
    fc.assert(
      fc.property(typedRdata(), ({ type, rdata }) => {
        checkRdata(type, rdata);
        expect(readRdata(type, new WireReader(rdata), rdata.length)).toEqual(rdata);
      }),
      { numRuns: 1000 },
    );
  });

  test("presentation form reads back as the same octets, absolute or relative", () => {
    fc.assert(
      fc.property(typedRdata(zoneTypes), ({ type, rdata }) => {
        const absolute = rdataToText(type, rdata);
        expect(rdataFromText(type, fieldsOf(splitFields(absolute), Name.root))).toEqual(rdata);
        const relative = rdataToText(type, rdata, origin);
        const reread = rdataFromText(type, fieldsOf(splitFields(relative), origin));
        // A relative name takes the case of the origin; types whose names keep their case are compared by octets.
        expect(reread.length).toBe(rdata.length);
        expect(rdataNames(type, reread).map((name) => name.key)).toEqual(
          rdataNames(type, rdata).map((name) => name.key),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test("the generic form is accepted for every type", () => {
    fc.assert(
      fc.property(typedRdata(), ({ type, rdata }) => {
        expect(rdataFromText(type, fieldsOf(splitFields(rdataToGenericText(rdata)), origin))).toEqual(rdata);
      }),
      { numRuns: 500 },
    );
  });

  test("no proper prefix and no longer row of octets passes where the length is fixed by the fields", () => {
    const exact = [...rdataByType.keys()].filter((type) => {
      // Types that end in "the rest" can be longer or shorter and still be valid.
      const sample = fc.sample(typedRdata([type]), { numRuns: 1, seed: 1 })[0]!;
      try {
        checkRdata(type, Uint8Array.from([...sample.rdata, 1]));
        return false;
      } catch {
        return true;
      }
    });
    expect(exact.length).toBeGreaterThan(20);
    fc.assert(
      fc.property(typedRdata(exact), ({ type, rdata }) => {
        expect(() => checkRdata(type, Uint8Array.from([...rdata, 0x40]))).toThrow(wireError);
      }),
    );
  });

  test("the key ignores the case of names and nothing else", () => {
    fc.assert(
      fc.property(
        names().chain((name) => fc.tuple(fc.constant(name), recased(name))),
        fc.constantFrom(2, 5, 12, 39),
        ([name, other], type) => {
          expect(rdataKey(type, name.wire)).toBe(rdataKey(type, other.wire));
          expect(rdataKey(type, name.wire)).toHaveLength(name.wire.length);
        },
      ),
    );
    fc.assert(
      fc.property(octets(0, 4), octets(0, 4), (a, b) => {
        expect(rdataKey(RrType.NULL, a) === rdataKey(RrType.NULL, b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });

  test("an SOA taken apart and put together is the same", () => {
    fc.assert(
      fc.property(rdataByType.get(RrType.SOA)!, fc.nat(), (rdata, serial) => {
        expect(writeSoa(readSoa(rdata))).toEqual(rdata);
        expect(soaSerial(withSerial(rdata, serial))).toBe(serial);
        expect({ ...readSoa(withSerial(rdata, serial)), serial: 0 }).toEqual({
          ...readSoa(rdata),
          serial: 0,
        });
      }),
    );
  });
});

describe("messages", () => {
  test("what was encoded decodes to the same", () => {
    fc.assert(
      fc.property(messages(), (parts) => {
        const decoded = decodeMessage(encodeMessage(parts));
        expect(decoded.header.id).toBe(parts.id);
        expect(decoded.header.flags).toBe(parts.flags | (parts.rcode & 0xf));
        expect(((decoded.edns?.extendedRcode ?? 0) << 4) | decoded.header.rcode).toBe(parts.rcode);
        expect(decoded.questions.map(questionKey)).toEqual(parts.questions!.map(questionKey));
        expect(decoded.answers.map(recordKey)).toEqual(parts.answers!.map(recordKey));
        expect(decoded.authorities.map(recordKey)).toEqual(parts.authorities!.map(recordKey));
        expect(decoded.additionals.map(recordKey)).toEqual(parts.additionals!.map(recordKey));
        expect(decoded.edns?.options).toEqual(parts.edns?.options);
        expect(decoded.edns?.udpPayload).toBe(parts.edns?.udpPayload);
        expect(decoded.edns?.dnssecOk).toBe(parts.edns?.dnssecOk);
        expect(decoded.trailing).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("a message cut anywhere is refused", () => {
    fc.assert(
      fc.property(messages(), fc.nat(), (parts, at) => {
        const bytes = encodeMessage(parts);
        const cut = bytes.subarray(0, at % bytes.length);
        expect(() => decodeMessage(cut)).toThrow(wireError);
      }),
    );
  });

  test("a limit is never exceeded", () => {
    fc.assert(
      fc.property(messages(), fc.integer({ min: 12, max: 1232 }), (parts, limit) => {
        const whole = encodeMessage(parts, MAX_MESSAGE_LENGTH);
        let outcome: unknown;
        try {
          outcome = encodeMessage(parts, limit);
        } catch (error) {
          outcome = error;
        }
        expect(outcome).toEqual(whole.length <= limit ? whole : wireFull);
      }),
    );
  });
});
