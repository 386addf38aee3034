/** Random updates of a zone with `ptr = true`: reverse records never outlive their addresses, and are there where they can be. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { judgeUpdate, readUpdate } from "../../src/protocol/update.ts";
import { addressChanges } from "../../src/protocol/update-pointers.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { reverseName } from "../../src/wire/reverse.ts";
import { pointerChangesets } from "../../src/zone/pointers.ts";
import { everything, zoneOf } from "../rfc/rfc2136/support.ts";
import { name, rr, updateMessage } from "../support/rr.ts";
import { ZoneFake } from "../support/zone-fake.ts";

const V4 = "2.0.192.in-addr.arpa.";
const owner = fc.constantFrom("a", "B", "c");
const address = fc.integer({ min: 1, max: 4 }).map((last) => `192.0.2.${last}`);
const ttl = fc.constantFrom(60, 1200);

const soa = (apex: string): string => `${apex} 60 SOA ns1 hostmaster 1 900 300 86400 30`;

/** One line of an update section. */
const wish = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(owner, ttl, address).map(([who, time, where]) => `${who} ${time} IN A ${where}`),
  },
  { weight: 1, arbitrary: fc.tuple(owner, address).map(([who, where]) => `${who} 0 NONE A ${where}`) },
  { weight: 1, arbitrary: owner.map((who) => `${who} 0 ANY A`) },
  { weight: 1, arbitrary: owner.map((who) => `${who} 0 ANY ANY`) },
);

test("for any history of updates", () => {
  fc.assert(
    fc.property(fc.array(fc.array(wish, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (history) => {
      const forward = zoneOf([soa("@"), "@ 60 NS ns1"]);
      const byHand = `4.${V4} 60 PTR printer`;
      const reverse = new ZoneFake([soa(V4), `${V4} 60 NS ns1`, byHand].map(rr));
      for (const updates of history) {
        const read = readUpdate(updateMessage({ updates }));
        if (!read.ok) throw new Error(read.reason);
        const verdict = judgeUpdate(read.request, forward, everything);
        expect(verdict.kind).not.toBe("refused");
        const changeset = verdict.kind === "change" ? verdict.changeset : undefined;
        const addresses = addressChanges(read.request, forward, changeset, everything);
        const pointers = pointerChangesets(
          addresses,
          (wanted) => (wanted.isWithin(reverse.apex) ? reverse : undefined),
          everything.origin,
        );
        if (changeset !== undefined) forward.publish([changeset]);
        reverse.publish(pointers);

        const holders = forward.records.filter(({ type }) => type === RrType.A);
        const targets = reverse.records.filter(({ type }) => type === RrType.PTR);
        for (const { name: at, rdata } of targets) {
          const target = Name.fromWire(rdata);
          const held = holders.some((one) => reverseName(one.rdata).equals(at) && one.name.equals(target));
          expect(held || target.equals(name("printer"))).toBe(true);
        }
        // Whoever has just registered an address has its PTR, or another has it.
        for (const { rdata, name: host } of addresses.held) {
          const there = targets.filter(({ name: at }) => at.equals(reverseName(rdata)));
          expect(there, `${host.toString()} ${rdata.join(".")}`).toHaveLength(1);
        }
        expect(reverse.rrset(name(`4.${V4}`), RrType.PTR)?.rdatas).toEqual([rr(byHand).rdata]);
      }
    }),
    { numRuns: 500, seed: 44 },
  );
});
