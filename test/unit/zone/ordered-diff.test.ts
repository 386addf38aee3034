/** Large zones compared owner by owner: the result is that of the plain comparison. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { record, type ResourceRecord } from "../../../src/wire/record.ts";
import { diffRecords } from "../../../src/zone/algebra.ts";
import { byOwner, diffInOrder } from "../../../src/zone/ordered-diff.ts";
import { sortInSteps } from "../../../src/zone/owner-order.ts";
import { aRecord, recordsToLines, soaRecord } from "../../support/model.ts";

const apex = Name.parse("Smb.example.");
const a = (owner: string, address: string, ttl?: number): ResourceRecord =>
  aRecord(apex, owner, address, ttl);

/** Drives steps to their end, and counts them. */
function driven<R>(steps: Generator<unknown, R, undefined>): { result: R; steps: number } {
  for (let count = 0; ; count++) {
    const step = steps.next();
    if (step.done === true) return { result: step.value, steps: count };
  }
}

const sorted = (records: readonly ResourceRecord[]): ResourceRecord[] =>
  driven(sortInSteps(records, apex)).result;

const zones = fc.array(
  fc
    .record({
      owner: fc.constantFrom("@", "a", "A", "b", "a.b", "B", "*.b", "\\000.c", "c", "ca"),
      type: fc.constantFrom(RrType.A, RrType.TXT, RrType.PTR, RrType.SOA),
      value: fc.nat(2),
      ttl: fc.constantFrom(60, 300),
    })
    .map(({ owner, type, value, ttl }) => {
      if (type === RrType.SOA) return soaRecord(apex, value);
      const target = Name.parse(["T.example.", "t.example.", "t2.example."][value]!);
      const text = Uint8Array.of(1, 0x61 + value);
      const rdata =
        type === RrType.PTR ? target.wire : type === RrType.TXT ? text : Uint8Array.of(192, 0, 2, value);
      return record(Name.parse(owner, apex), type, ttl, rdata);
    }),
  { maxLength: 25 },
);

describe("diffInOrder", () => {
  test("is diffRecords, whatever the records", () => {
    fc.assert(
      fc.property(zones, zones, (before, after) => {
        const { result } = driven(diffInOrder(sorted(before), sorted(after), apex));
        const plain = diffRecords(before, after);
        expect(recordsToLines(result.removed)).toEqual(recordsToLines(plain.removed));
        expect(recordsToLines(result.added)).toEqual(recordsToLines(plain.added));
      }),
      { numRuns: 500 },
    );
  });

  test("stops on the way where there are many owners", () => {
    const before = sorted(Array.from({ length: 12_000 }, (_, i) => a(`h${i}`, "192.0.2.1")));
    const after = sorted([...before.slice(1), a("new", "192.0.2.2")]);
    const { result, steps } = driven(diffInOrder(before, after, apex));
    expect(steps).toBeGreaterThan(10);
    expect(result).toEqual({ removed: [before[0]], added: [a("new", "192.0.2.2")] });
  });
});

describe("sortInSteps", () => {
  test("puts owners in canonical order, their types in order, and leaves equals as they came", () => {
    const records = [
      a("b", "192.0.2.2"),
      a("a.b", "192.0.2.1"),
      record(Name.parse("b", apex), RrType.NS, 1, apex.wire),
      a("B", "192.0.2.1"),
      a("@", "192.0.2.9"),
      a("a", "192.0.2.1"),
    ];
    const [b, ab, ns, upper, at, first] = records;
    expect(sorted(records)).toEqual([at, first, b, upper, ns, ab]);
  });

  test("merges many pieces", () => {
    const names = Array.from({ length: 30_000 }, (_, i) => a(`h${(i * 7919) % 30_000}`, "192.0.2.1"));
    const { result, steps } = driven(sortInSteps(names, apex));
    expect(steps).toBeGreaterThan(20);
    const owners = result.map(({ name }) => name);
    expect(owners).toEqual(names.map(({ name }) => name).toSorted((x, y) => x.compare(y)));
  });
});

test("byOwner gives each owner once, in whatever case, without SOAs", () => {
  const groups = [
    ...byOwner([soaRecord(apex, 1), a("@", "192.0.2.1"), a("h", "192.0.2.1"), a("H", "192.0.2.2")], apex),
  ];
  expect(groups.map(({ records }) => records.length)).toEqual([1, 2]);
  expect([...byOwner([soaRecord(apex, 1)], apex)]).toEqual([]);
});
