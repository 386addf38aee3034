/** Snapshots of the image: each is the zone of the moment it was taken, however much of it changes while it is read. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RecordCursor } from "../../src/wire/cursor.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { type ResourceRecord, record } from "../../src/wire/record.ts";
import { ZoneImage } from "../../src/zone/image/image.ts";
import { recordToLine, soaRecord, ZoneModel } from "../support/model.ts";
import { SEED } from "../support/zones.ts";

const APEX = Name.parse("example.");
const OWNERS = ["@", "a", "b", "A.b", "c.b", "*.b", "X.y.a.b"];
const RDATA: readonly (readonly [type: number, rdata: Uint8Array])[] = [
  [RrType.A, Uint8Array.of(192, 0, 2, 1)],
  [RrType.A, Uint8Array.of(192, 0, 2, 2)],
  [RrType.TXT, new Uint8Array(900).fill(3)],
  [RrType.NS, Name.parse("ns.example.").wire],
];

function recordOf(owner: string, which: number): ResourceRecord {
  const [type, rdata] = RDATA[which]!;
  return record(owner === "@" ? APEX : Name.parse(owner, APEX), type, 60, rdata);
}

test("one that was closed is read no further", () => {
  const image = ZoneImage.build(APEX, [soaRecord(APEX, 1), recordOf("a", 0), recordOf("b", 0)], SEED);
  const snapshot = image.snapshot();
  const cursor = snapshot.cursor();
  expect(cursor.next()).toBe(true);
  snapshot.close();
  snapshot.close();
  expect(() => cursor.next()).toThrow(expect.objectContaining({ code: "SNAPSHOT_ENDED" }));
});

/** Turns records over, there or not, in the model and the image. */
function turn(model: ZoneModel, image: ZoneImage, turned: readonly (readonly [string, number])[]): void {
  const there = new Set([...model.records.values()].map(recordToLine));
  const records = turned.map(([owner, which]) => recordOf(owner, which));
  const changeset = model.change(
    records.filter((rr) => there.has(recordToLine(rr))),
    records.filter((rr) => !there.has(recordToLine(rr))),
  );
  model.apply(changeset);
  image.publish([changeset]);
}

/** A snapshot that is being read. */
interface Reading {
  readonly snapshot: ReturnType<ZoneImage["snapshot"]>;
  readonly cursor: RecordCursor;
  readonly expected: readonly string[];
  readonly serial: ResourceRecord;
  readonly read: string[];
  ended: boolean;
}

function step(reading: Reading): void {
  if (reading.ended || !reading.cursor.next()) {
    reading.ended = true;
    return;
  }
  const { owner, ownerLength, type, ttl, rdata, rdataLength } = reading.cursor;
  const name = Name.fromTrustedWire(owner.slice(0, ownerLength));
  reading.read.push(recordToLine(record(name, type, ttl, rdata.slice(0, rdataLength))));
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("turn" as const),
        turned: fc.uniqueArray(fc.tuple(fc.constantFrom(...OWNERS), fc.nat(RDATA.length - 1)), {
          minLength: 1,
          maxLength: 8,
          selector: ([owner, which]) => `${owner} ${which}`,
        }),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "take" as const }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("read" as const), which: fc.nat(3), count: fc.nat(6) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("close" as const), which: fc.nat(3) }) },
  ),
  { maxLength: 60 },
);

test("each is read whole and as it was, whatever is taken, changed and closed beside it", () => {
  fc.assert(
    fc.property(steps, (row) => {
      const model = new ZoneModel(soaRecord(APEX, 1));
      const image = ZoneImage.build(APEX, [model.soa], SEED);
      const open: Reading[] = [];
      for (const one of row) {
        if (one.kind === "turn") turn(model, image, one.turned);
        else if (one.kind === "take" && open.length < 4) {
          const snapshot = image.snapshot();
          const expected = [...model.records.values()].map(recordToLine).toSorted();
          const cursor = snapshot.cursor();
          open.push({ snapshot, cursor, expected, serial: model.soa, read: [], ended: false });
        } else if (one.kind === "read") {
          for (const reading of open.slice(one.which, one.which + 1)) {
            for (let i = 0; i < one.count; i++) step(reading);
          }
        } else if (one.kind === "close") {
          for (const { snapshot } of open.splice(one.which, 1)) snapshot.close();
        }
      }
      for (const reading of open) {
        while (!reading.ended) step(reading);
        expect(reading.read.toSorted()).toEqual(reading.expected);
        const atApex = reading.read.map((line) => line.startsWith("example. "));
        expect(atApex).toEqual(atApex.toSorted((a, b) => Number(b) - Number(a)));
        expect(recordToLine(reading.snapshot.soa)).toBe(recordToLine(reading.serial));
        reading.snapshot.close();
      }
      // The memory that they kept is used again.
      for (let i = 0; i < 3; i++) turn(model, image, [["a", 0]]);
      const used = image.usedBytes;
      for (let i = 0; i < 10; i++) turn(model, image, [["a", 0]]);
      expect(image.usedBytes).toBeLessThanOrEqual(used + 1024);
    }),
    { numRuns: 500 },
  );
});
