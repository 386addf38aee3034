/** Zone files: what is printed reads back as it was, for records of every type. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Name } from "../../src/wire/name.ts";
import { rdataKey } from "../../src/wire/rdata/rdata.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { canonicalOrderKey } from "../../src/zonefile/order.ts";
import { parseZone } from "../../src/zonefile/parser.ts";
import { printZone, recordToText } from "../../src/zonefile/printer.ts";
import { names, recordKey, records } from "../support/arbitrary.ts";

const origins = fc
  .constantFrom("smb.example.", "example.", ".", "else.where.")
  .map((text) => Name.parse(text));

/** Records as a zone may hold them: RRsets with one TTL, and none twice. */
const zones = fc.array(records(), { maxLength: 20 }).map((list) => {
  const ttls = new Map<string, number>();
  const kept = new Map<string, ResourceRecord>();
  for (const record of list) {
    const rrset = `${record.name.key}/${record.type}`;
    const ttl = ttls.get(rrset) ?? record.ttl;
    ttls.set(rrset, ttl);
    const key = `${rrset}/${rdataKey(record.type, record.rdata)}`;
    if (!kept.has(key)) kept.set(key, { ...record, ttl });
  }
  return [...kept.values()];
});

const keys = (list: Iterable<ResourceRecord>): string[] =>
  Array.from(list, (record) => `${record.ttl} ${recordKey(record)}`).toSorted();

describe("printed and read back", () => {
  test("a zone is the same, without a problem", () => {
    fc.assert(
      fc.property(zones, origins, (zone, origin) => {
        const text = [...printZone(origin, zone)].join("\n");
        const { records: read, problems } = parseZone(text, { file: "zone", origin: Name.root });
        expect(problems).toEqual([]);
        expect(keys(read)).toEqual(keys(zone));
      }),
      { numRuns: 300 },
    );
  });

  test("a single line is the same record", () => {
    fc.assert(
      fc.property(records(), origins, fc.boolean(), (record, origin, relative) => {
        const text = recordToText(record, relative ? origin : undefined);
        const { records: read, problems } = parseZone(text, { file: "zone", origin });
        expect(problems).toEqual([]);
        expect(keys(read)).toEqual(keys([record]));
      }),
      { numRuns: 500 },
    );
  });

  test("printing what was read prints the same", () => {
    fc.assert(
      fc.property(zones, origins, (zone, origin) => {
        const once = [...printZone(origin, zone)];
        const { records: read } = parseZone(once.join("\r\n"), { file: "zone", origin });
        expect([...printZone(origin, read)]).toEqual(once);
      }),
      { numRuns: 100 },
    );
  });
});

test("the order of keys is the canonical order of names", () => {
  fc.assert(
    fc.property(names(), names(), (a, b) => {
      const [x, y] = [canonicalOrderKey(a), canonicalOrderKey(b)];
      expect(Math.sign(a.compare(b))).toBe(x < y ? -1 : x > y ? 1 : 0);
    }),
    { numRuns: 1000 },
  );
});
