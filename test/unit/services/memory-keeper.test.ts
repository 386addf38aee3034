/** When memory is given back: after a load, once it is gone, once. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryKeeper } from "../../../src/services/memory-keeper.ts";

let work = 0;
let given = 0;
let keeper: MemoryKeeper;

beforeEach(() => {
  vi.useFakeTimers();
  work = given = 0;
  keeper = new MemoryKeeper({ work: () => work, giveBack: () => void given++ });
});
afterEach(() => {
  keeper.close();
  vi.useRealTimers();
});

/** Lets intervals pass, each with so much work. @returns how often memory was given back meanwhile */
function pass(...works: readonly number[]): number {
  const before = given;
  for (const done of works) {
    work += done;
    vi.advanceTimersByTime(10_000);
  }
  return given - before;
}

test("nothing was to do: nothing is given back", () => {
  expect(pass(0, 0, 0)).toBe(0);
});

test("a load came and went: once, in the first interval of quiet", () => {
  expect(pass(5_000, 100_000)).toBe(0);
  expect(pass(99)).toBe(1);
  expect(pass(0, 0, 99, 0)).toBe(0);
});

test("the next load has its own", () => {
  expect(pass(1_000, 0, 0, 1_000, 0)).toBe(2);
});

test("while much or some is to do, not: it would have to wait", () => {
  expect(pass(1_000, 500, 100, 2_000, 100)).toBe(0);
  expect(pass(99)).toBe(1);
});

test("a little now and then leaves nothing that is worth it", () => {
  expect(pass(999, 0, 500, 0, 99, 0)).toBe(0);
});

test("one that is closed does not look any more", () => {
  expect(pass(1_000)).toBe(0);
  keeper.close();
  expect(pass(0, 0)).toBe(0);
});

test("many records that are done with: a second later, once however many imports there were", () => {
  keeper.released(49_999);
  vi.advanceTimersByTime(5_000);
  expect(given).toBe(0);
  keeper.released(50_000);
  keeper.released(1_000_000);
  expect(given).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(given).toBe(1);
});
