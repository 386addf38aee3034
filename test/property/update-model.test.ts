/** Random updates through judgement and overlay end in the same zone as in a naive model of RFC 2136 §3.4.2.7. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { judgeUpdate, readUpdate } from "../../src/protocol/update.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import type { Name } from "../../src/wire/name.ts";
import { rdataKey } from "../../src/wire/rdata/rdata.ts";
import { soaSerial } from "../../src/wire/rdata/soa.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { isAhead } from "../../src/zone/serial.ts";
import { OverlayView } from "../../src/zone/overlay.ts";
import { line, name, ORIGIN, rr, updateMessage } from "../support/rr.ts";
import { ZoneFake } from "../support/zone-fake.ts";

const OWNERS = ["@", "a", "A", "b", "c.b"];
const names = ["@", "a", "b", "c.b"].map(name);
const START = ["@ 60 SOA ns1 hostmaster 100 900 300 86400 30", "@ 60 NS ns1", "a 60 A 192.0.2.1"];

const owner = fc.constantFrom(...OWNERS);
const ttl = fc.constantFrom(0, 60, 90);
const data = fc.oneof(
  fc.constantFrom("A 192.0.2.1", "A 192.0.2.2", "A 192.0.2.3", "NS ns1", "NS NS1", "NS ns2", "TXT x"),
  fc.constantFrom("CNAME a", "CNAME b", "DNAME a", "DNAME b"),
  fc.integer({ min: 90, max: 130 }).map((serial) => `SOA ns1 hostmaster ${serial} 900 300 86400 30`),
);
const type = fc.constantFrom("A", "NS", "TXT", "CNAME", "DNAME", "SOA", "ANY");
const operation = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(owner, ttl, data).map(([o, t, d]) => `${o} ${t} IN ${d}`) },
  { weight: 1, arbitrary: fc.tuple(owner, data).map(([o, d]) => `${o} 0 NONE ${d}`) },
  { weight: 1, arbitrary: fc.tuple(owner, type).map(([o, t]) => `${o} 0 ANY ${t}`) },
);
const updates = fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 8 });

/** The pseudo code, word for word, on a list of records. */
class Model {
  records: ResourceRecord[] = START.map(rr);

  get serial(): number {
    return soaSerial(this.records.find((one) => one.type === RrType.SOA)!.rdata);
  }

  run(lines: readonly string[]): void {
    const before = this.text();
    const serial = this.serial;
    for (const one of lines) this.#apply(line(one));
    if (this.serial === serial && this.text() !== before) {
      const soa = this.records.find((one) => one.type === RrType.SOA)!;
      const rdata = soa.rdata.slice();
      new DataView(rdata.buffer).setUint32(rdata.length - 20, serial + 1);
      this.records = this.records.map((one) => (one === soa ? { ...one, rdata } : one));
    }
  }

  /** Everything, in an order of its own, names in lower case. */
  text(): string {
    return this.records
      .map((one) => `${one.name.key} ${one.ttl} ${one.type} ${keyOf(one)}`)
      .toSorted()
      .join("\n");
  }

  #apply(line: ResourceRecord): void {
    const atName = this.records.filter((one) => one.name.equals(line.name));
    const atType = atName.filter((one) => one.type === line.type);
    const isApex = line.name.equals(ORIGIN);
    if (line.class === RrClass.IN) {
      if (line.type === RrType.CNAME ? atName.length > atType.length : has(atName, RrType.CNAME)) return;
      if (line.type === RrType.SOA) {
        if (atType.length === 0 || !isAhead(soaSerial(line.rdata), soaSerial(atType[0]!.rdata))) return;
      }
      const single = line.type === RrType.CNAME || line.type === RrType.DNAME || line.type === RrType.SOA;
      const others = this.records.filter((one) => !atType.includes(one));
      const kept = atType.filter((one) => !single && keyOf(one) !== keyOf(line));
      this.records = [...others, ...[...kept, line].map((one) => ({ ...one, ttl: line.ttl }))];
      return;
    }
    const gone =
      line.class === RrClass.NONE
        ? atType.filter((one) => keyOf(one) === keyOf(line))
        : line.type === RrType.ANY
          ? atName
          : atType;
    const stays = (one: ResourceRecord): boolean => {
      if (!isApex) return false;
      if (one.type === RrType.SOA) return true;
      return one.type === RrType.NS && (line.class === RrClass.ANY || atType.length === 1);
    };
    this.records = this.records.filter((one) => !gone.includes(one) || stays(one));
  }
}

function has(records: readonly ResourceRecord[], type: number): boolean {
  return records.some((one) => one.type === type);
}

function keyOf(one: ResourceRecord): string {
  return Buffer.from(rdataKey(one.type, one.rdata), "latin1").toString("hex");
}

function textOf(view: OverlayView | ZoneFake, at: readonly Name[]): string {
  const lines: string[] = [];
  for (const owner of at) {
    for (const { type, ttl, rdatas } of view.rrsets(owner)) {
      for (const rdata of rdatas) {
        const key = Buffer.from(rdataKey(type, rdata), "latin1").toString("hex");
        lines.push(`${owner.key} ${ttl} ${type} ${key}`);
      }
    }
  }
  return lines.toSorted().join("\n");
}

test("judged against an overlay, published in order, and the same again from the start", () => {
  fc.assert(
    fc.property(updates, (messages) => {
      const model = new Model();
      const zone = new ZoneFake(START.map(rr));
      const overlay = new OverlayView(zone);
      const changesets = [];
      for (const lines of messages) {
        const read = readUpdate(updateMessage({ updates: lines }));
        if (!read.ok) throw new Error(read.reason);
        const context = {
          policy: () => ({ allow: true, reason: "" }),
          known: true,
          limits: { recordsPerRrset: 100, typesPerName: 100, recordsPerZone: 1_000 },
          origin: { actor: { kind: "operator", name: "test" }, at: 0, cause: "update" },
        } as const;
        const before = model.text();
        model.run(lines);
        const verdict = judgeUpdate(read.request, overlay, context);
        expect(verdict.kind).toBe(model.text() === before ? "unchanged" : "change");
        expect(judgeUpdate(read.request, overlay, context)).toEqual(verdict);
        if (verdict.kind === "change") {
          overlay.apply(verdict.changeset);
          changesets.push(verdict.changeset);
        }
        expect(textOf(overlay, names)).toBe(model.text());
        expect(overlay.recordCount).toBe(model.records.length);
      }
      zone.publish(changesets);
      expect(textOf(zone, names)).toBe(model.text());
    }),
    { numRuns: 500 },
  );
});
