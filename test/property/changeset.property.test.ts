/** Laws that changesets obey, over random histories of a zone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../src/store/open.ts";
import type { SqliteStore } from "../../src/store/store.ts";
import { Name } from "../../src/wire/name.ts";
import { changesetSize, condense, diffRecords } from "../../src/zone/algebra.ts";
import type { Changeset } from "../../src/zone/changeset.ts";
import { planRollback } from "../../src/zone/rollback.ts";
import {
  changesetOf,
  history,
  recordsToLines,
  soaRecord,
  someOrigin,
  ZoneModel,
  type Wish,
} from "../support/model.ts";

const apex = Name.parse("smb.example.");
const start = (): ZoneModel => new ZoneModel(soaRecord(apex, 1));

/** The states and changesets of a history; states has one more. */
function run(changes: readonly Wish[][]): { states: ZoneModel[]; chain: Changeset[] } {
  const states = [start()];
  const chain: Changeset[] = [];
  for (const list of changes) {
    const before = states[states.length - 1]!;
    const changeset = changesetOf(before, list);
    chain.push(changeset);
    states.push(before.clone().apply(changeset));
  }
  return { states, chain };
}

describe("a chain", () => {
  test("condensed does what it does step by step, from wherever it starts", () => {
    fc.assert(
      fc.property(history, fc.nat(), (changes, from) => {
        const { states, chain } = run(changes);
        const first = from % chain.length;
        const zone = states[first]!.clone().apply(condense(chain.slice(first)));
        expect(zone.lines()).toEqual(states[states.length - 1]!.lines());
      }),
    );
  });

  test("condensed is the difference of its ends, and never larger than the chain", () => {
    fc.assert(
      fc.property(history, (changes) => {
        const { states, chain } = run(changes);
        const net = condense(chain);
        const last = states[states.length - 1]!;
        const difference = diffRecords(states[0]!.records.values(), last.records.values());
        expect(recordsToLines(net.removed)).toEqual(recordsToLines(difference.removed));
        expect(recordsToLines(net.added)).toEqual(recordsToLines(difference.added));
        const whole = chain.reduce((sum, changeset) => sum + changesetSize(changeset), 0);
        expect(changesetSize(net)).toBeLessThanOrEqual(whole);
      }),
    );
  });

  test("rolled back restores the records of any earlier serial, of the zone or of one owner", () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.constantFrom(undefined, "@", "a", "*.b"), (changes, from, owner) => {
        const { states, chain } = run(changes);
        const target = from % chain.length;
        const zone = states[states.length - 1]!.clone();
        const name = owner === undefined ? undefined : Name.parse(owner, apex);
        const { removed, added, soa } = planRollback(chain.slice(target), zone.view(), name);
        const others = [...zone.records.values()].filter((rr) => name !== undefined && !rr.name.equals(name));
        const wanted = [...states[target]!.records.values()].filter(
          (rr) => name === undefined || rr.name.equals(name),
        );
        zone.apply(zone.change(removed, added));
        expect(recordsToLines(zone.records.values())).toEqual(recordsToLines([...others, ...wanted]));
        expect(soa).toBeUndefined();
      }),
    );
  });
});

describe("the store", () => {
  let directory: string;
  let store: SqliteStore;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "rollcall-changeset-"));
    store = openStore(directory);
  });

  afterAll(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });

  test("after random batches equals the model, and its journal replayed on what was created", async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        history,
        fc.integer({ min: 1, max: 4 }),
        async (initial, changes, batchSize) => {
          const created = run(initial).states.at(-1)!;
          store.create(apex, [created.soa, ...created.records.values()], { ...someOrigin, cause: "create" });
          try {
            const model = created.clone();
            const chain: Changeset[] = [];
            for (let at = 0; at < changes.length; at += batchSize) {
              const batch: Changeset[] = [];
              for (const list of changes.slice(at, at + batchSize)) {
                const changeset = changesetOf(model, list);
                model.apply(changeset);
                batch.push(changeset);
              }
              await store.commit(batch);
              chain.push(...batch);
            }
            expect(stored()).toEqual(model.lines());
            const journal = store.changesSince(apex, created.serial);
            expect(journal).toEqual(chain);
            const replayed = created.clone();
            for (const changeset of journal!) replayed.apply(changeset);
            expect(replayed.lines()).toEqual(model.lines());
          } finally {
            store.drop(apex);
          }
        },
      ),
    );
  });

  function stored(): string[] {
    const snapshot = store.snapshot(apex);
    try {
      const records = [...snapshot.records()];
      expect(snapshot.recordCount).toBe(records.length + 1);
      for (let i = 1; i < records.length; i++) {
        expect(records[i - 1]!.name.compare(records[i]!.name)).toBeLessThanOrEqual(0);
      }
      return new ZoneModel(snapshot.soa, records).lines();
    } finally {
      snapshot.close();
    }
  }
});
