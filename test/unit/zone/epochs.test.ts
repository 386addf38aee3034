/** The orders of steps on which the reuse of memory hangs, each played out in one thread. */
import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { record } from "../../../src/wire/record.ts";
import { Epochs } from "../../../src/zone/image/epochs.ts";
import { ZoneImage } from "../../../src/zone/image/image.ts";
import { Header, UNIT } from "../../../src/zone/image/layout.ts";
import { soaRecord, ZoneModel } from "../../support/model.ts";
import { SEED } from "../../support/zones.ts";

const APEX = Name.parse("example.");

/** Calls `between` once, after the next atomic load or store. */
function after(kind: "load" | "store", between: () => void, run: () => void): void {
  const real = Atomics[kind] as (...args: unknown[]) => number;
  const played = (...args: unknown[]): number => {
    const value = real(...args);
    Atomics[kind] = real as never;
    between();
    return value;
  };
  Atomics[kind] = played as never;
  try {
    run();
  } finally {
    Atomics[kind] = real as never;
  }
}

describe("a reader that begins while the writer closes an epoch", () => {
  test.each(["load", "store"] as const)("after its first %s: what is over stays over", (kind) => {
    const epochs = new Epochs();
    let tag = 0;
    let over = false;
    const close = (): void => {
      tag = epochs.advance();
      over = epochs.isOver(tag);
    };
    after(kind, close, () => epochs.enter(3));
    expect(tag).not.toBe(0);
    // Where the writer has taken its memory back, the reader must be in a later epoch: it has read nothing yet.
    expect(!over || epochs.isOver(tag)).toBe(true);
    // And what is retired from now on waits for it.
    expect(epochs.isOver(epochs.advance())).toBe(false);
  });
});

test("a table that was replaced stays as it is while a reader may be in it, and is then used again", () => {
  const epochs = new Epochs();
  const model = new ZoneModel(soaRecord(APEX, 1));
  const image = ZoneImage.build(APEX, [model.soa], SEED, epochs);
  const words = new Int32Array(image.buffer);
  const table = (): number => (words[Header.TABLE]! * UNIT) / 4;
  const slotsOf = (at: number): number[] => [...words.subarray(at, at + 1 + words[at]!)];
  const publish = (host: number, there: boolean): void => {
    const rr = record(Name.parse(`h${host}`, APEX), RrType.A, 60, Uint8Array.of(10, 0, 0, host & 255));
    const changeset = there ? model.change([], [rr]) : model.change([rr], []);
    model.apply(changeset);
    image.publish([changeset]);
  };
  /** Comes and goes until graves fill the table and it is replaced. */
  const replaceTable = (): number => {
    const old = table();
    for (let host = 0; table() === old; host++) {
      publish(host, true);
      publish(host, false);
    }
    return old;
  };

  epochs.enter(0);
  const first = replaceTable();
  const asLeft = slotsOf(first);
  const others = new Set<number>();
  for (let i = 0; i < 10; i++) others.add(replaceTable());
  expect(others.has(first)).toBe(false);
  expect(slotsOf(first)).toEqual(asLeft);
  epochs.leave(0);
  const known = new Set([first, ...others, table()]);
  for (let i = 0; i < 20; i++) {
    replaceTable();
    expect(known.has(table())).toBe(true);
  }
});
