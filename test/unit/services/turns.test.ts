/** Long work in turns: done to its end, others between, given up cleanly. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { atOnce, inTurns } from "../../../src/services/turns.ts";

/** A work of steps, and whether it was ended. */
class Work {
  ended = false;

  *steps(count: number): Generator<number, string, undefined> {
    try {
      for (let step = 1; step <= count; step++) yield step;
      return "done";
    } finally {
      this.ended = true;
    }
  }

  *failing(): Generator<number, string, undefined> {
    yield 1;
    throw new Error("step 2");
  }
}

/** A clock by which every look takes so many milliseconds. */
function clock(milliseconds: number): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += milliseconds));
}

afterEach(() => vi.restoreAllMocks());

describe("inTurns", () => {
  test("gives the result, and others the thread between the turns", async () => {
    clock(5);
    let others = 0;
    const timer = setInterval(() => others++, 0);
    const told: number[] = [];
    const seen: number[] = [];
    const result = await inTurns(new Work().steps(100), (step) => {
      told.push(step);
      seen.push(others);
    });
    clearInterval(timer);
    expect(result).toBe("done");
    expect(told.length).toBeGreaterThan(10);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });

  test("does many short steps in one turn", async () => {
    clock(0);
    const told: number[] = [];
    await inTurns(new Work().steps(100), (step) => void told.push(step));
    expect(told).toEqual([]);
  });

  test("ends the work where telling fails", async () => {
    clock(100);
    const work = new Work();
    const gone = inTurns(work.steps(10), () => Promise.reject(new Error("gone")));
    await expect(gone).rejects.toThrow("gone");
    expect(work.ended).toBe(true);
  });

  test("passes on what a step throws", async () => {
    await expect(inTurns(new Work().failing())).rejects.toThrow("step 2");
  });
});

test("atOnce does the same without turns", () => {
  expect(atOnce(new Work().steps(3))).toBe("done");
  expect(() => atOnce(new Work().failing())).toThrow("step 2");
});
