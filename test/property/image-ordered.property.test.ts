/** An image built from records in canonical order is the one that is built from them in any order, or change by change. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ObjectCursor } from "../../src/wire/cursor.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { record } from "../../src/wire/record.ts";
import { ZoneImage } from "../../src/zone/image/image.ts";
import { recordToLine, soaRecord, ZoneModel } from "../support/model.ts";
import { SEED } from "../support/zones.ts";

const APEX = Name.parse("Smb.Example.");

/** Few labels, so that names meet; in them octets that sort before all others, and both cases of a letter. */
const label = fc.constantFrom(
  "*",
  "a",
  "A",
  "b",
  "ab",
  "aB",
  "\\000",
  "\\000\\001",
  "\\255",
  "_tcp",
  "z\\.a",
);
const owner = fc
  .array(label, { maxLength: 4 })
  .map((labels) => (labels.length === 0 ? APEX : Name.parse(labels.join("."), APEX)));

const records = fc
  .array(
    fc.record({
      name: owner,
      type: fc.constantFrom(RrType.A, RrType.NS, RrType.CNAME, RrType.TXT, RrType.DNAME, 65_280),
      value: fc.nat(5),
    }),
    { maxLength: 60 },
  )
  .map((rows) => rows.map(({ name, type, value }) => record(name, type, 60 + type, rdataOf(type, value))));

function rdataOf(type: number, value: number): Uint8Array {
  if (type === RrType.NS || type === RrType.CNAME || type === RrType.DNAME)
    return Name.parse(`t${value}.example.`).wire;
  if (type === RrType.A) return Uint8Array.of(192, 0, 2, value);
  if (type === RrType.TXT) return Uint8Array.of(value, ...new Uint8Array(value));
  return new Uint8Array(value * 300);
}

/** The records of a model as a store would give them. */
function inOrder(model: ZoneModel): ResourceRecord[] {
  return [...model.records.values()].toSorted(
    (a, b) => a.name.compare(b.name) || a.type - b.type || Buffer.compare(a.rdata, b.rdata),
  );
}

/** An image of the model, and the number of steps it took. */
function fromOrdered(model: ZoneModel): ZoneImage {
  const building = ZoneImage.buildInSteps(APEX, model.soa, new ObjectCursor(inOrder(model)), SEED);
  for (;;) {
    const step = building.next();
    if (step.done === true) return step.value;
  }
}

/** All that can be asked of an image about these names. */
function described(image: ZoneImage, names: readonly Name[]): object {
  const { cuts, dnames, wildcards } = image.reader;
  return {
    nodes: image.nodeCount,
    records: image.recordCount,
    cuts,
    dnames,
    wildcards,
    soa: recordToLine(image.soa),
    names: names.map((name) => ({
      owner: image.storedName(name).toString(),
      lines: image
        .rrsets(name)
        .flatMap(({ type, ttl, rdatas }) =>
          rdatas.map((rdata) => recordToLine(record(image.storedName(name), type, ttl, rdata))),
        )
        .toSorted(),
    })),
  };
}

test("whatever the records", () => {
  fc.assert(
    fc.property(records, (rows) => {
      // A name is stored in one case, as the store holds it.
      const written = new Map<string, Name>();
      const settled = rows.map((rr) => {
        const name = written.get(rr.name.key) ?? rr.name;
        written.set(name.key, name);
        return { ...rr, name };
      });
      const model = new ZoneModel(soaRecord(APEX, 1), settled);
      const names = [...written.values()].flatMap((name) => {
        const suffixes: Name[] = [];
        for (let at = name; at.isBelow(APEX); at = at.parent!) suffixes.push(at);
        return suffixes;
      });
      const ordered = fromOrdered(model);
      const general = ZoneImage.build(APEX, [model.soa, ...model.records.values()], SEED);
      const grown = ZoneImage.build(APEX, [model.soa], SEED);
      const all = [...model.records.values()];
      grown.publish([{ ...model.change([], all), soaAfter: model.soa }]);
      const seen = described(ordered, names);
      expect(seen).toEqual(described(general, names));
      expect(seen).toEqual(described(grown, names));

      // Nothing but the apex is left when all is taken away: every node knew how many children it had.
      ordered.publish([{ ...model.change(all, []), soaAfter: model.soa }]);
      expect(described(ordered, names)).toEqual(described(ZoneImage.build(APEX, [model.soa], SEED), names));
      expect(ordered.nodeCount).toBe(1);
    }),
    { numRuns: 300 },
  );
});
