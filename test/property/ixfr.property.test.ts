/** IXFR applied to an old zone gives what AXFR gives of the new one, whatever happened between. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ixfrRecords } from "../../src/protocol/ixfr.ts";
import { packRecords } from "../../src/protocol/transfer-packing.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { names, records } from "../support/arbitrary.ts";
import { changesetOf, history, recordToLine, soaRecord } from "../support/model.ts";
import { receive, TransferHouse } from "../support/transfer.ts";

const apex = Name.parse("smb.example.");
const serials = fc.constantFrom(1, 0x7fff_fffe, 0xffff_fffa);

test("IXFR from any serial = AXFR, condensed and over the wire", () => {
  fc.assert(
    fc.property(history, serials, (wishes, serial) => {
      const house = new TransferHouse(soaRecord(apex, serial));
      const states = [house.model.clone()];
      for (const list of wishes) {
        house.commit(changesetOf(house.model, list));
        states.push(house.model.clone());
      }
      const axfr = receive(states[0]!, house.transfer().records);
      expect(axfr.lines()).toEqual(house.model.lines());
      for (const state of states) {
        const { records: sent, report } = house.ixfr(state.soa);
        expect(report.kind).toBe(state.serial === house.model.serial ? "current" : "ixfr");
        expect(receive(state, sent).lines()).toEqual(axfr.lines());
      }
    }),
  );
});

test("IXFR of the single changesets = AXFR as well", () => {
  fc.assert(
    fc.property(history, (wishes) => {
      const house = new TransferHouse(soaRecord(apex, 1));
      const before = house.model.clone();
      for (const list of wishes) house.commit(changesetOf(house.model, list));
      expect(receive(before, [...ixfrRecords(house.journal)]).lines()).toEqual(house.model.lines());
    }),
  );
});

test("packed records decode to the same records in the same order, within the limit", () => {
  const limits = fc.record({
    limit: fc.integer({ min: 2000, max: 65_535 }),
    reserve: fc.integer({ min: 0, max: 200 }),
    fullAt: fc.integer({ min: 512, max: 65_535 }),
    oneAnswer: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(records(), { maxLength: 60 }), names(), limits, (rows, zone, options) => {
      const question = { name: zone, type: RrType.AXFR, class: RrClass.IN };
      const packed = [...packRecords(rows, { id: 1, flags: 0x8400, question, ...options })];
      for (const message of packed)
        expect(message.length).toBeLessThanOrEqual(options.limit - options.reserve);
      const decoded = packed.flatMap((message) => {
        const { answers, trailing } = decodeMessage(message);
        expect(trailing).toBe(0);
        return answers;
      });
      expect(decoded.map(recordToLine)).toEqual(rows.map(recordToLine));
    }),
  );
});
