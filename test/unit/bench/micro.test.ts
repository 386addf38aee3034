/** The single steps' benchmark: its options, its comparison, and that each step does what it says. */
import { describe, expect, test } from "vitest";
import { baselineText, compare, comparisonTable, parseBaseline } from "../../bench/micro/baseline.ts";
import { changeSteps } from "../../bench/micro/changes.ts";
import { lookupSteps } from "../../bench/micro/lookup.ts";
import { messageSteps } from "../../bench/micro/messages.ts";
import { parseMicroOptions } from "../../bench/micro/options.ts";

describe("the command line", () => {
  test("has a quarter as tolerance, and takes another", () => {
    expect(parseMicroOptions([])).toEqual({
      only: undefined,
      large: false,
      save: undefined,
      against: undefined,
      tolerance: 0.25,
      json: false,
    });
    expect(parseMicroOptions(["--against", "a", "--tolerance", "5"])).toMatchObject({
      against: "a",
      tolerance: 0.05,
    });
    expect(parseMicroOptions(["-h"])).toBe("help");
  });

  test.each(["--tolerance=much", "--tolerance=", "--tolerance=-1", "--slow"])("%s is a mistake", (arg) => {
    expect(() => parseMicroOptions([arg])).toThrow(arg.split("=")[0]);
  });
});

describe("figures held against those before", () => {
  const before = new Map([
    ["a", 100],
    ["b", 100],
    ["gone", 1],
  ]);
  const now = new Map([
    ["a", 120],
    ["b", 121],
    ["c", 5],
  ]);

  test("what has grown beyond the tolerance is a regression, what is new is not", () => {
    expect(compare(now, before, 0.2).map(({ name, isRegression }) => [name, isRegression])).toEqual([
      ["a", false],
      ["b", true],
      ["c", false],
    ]);
    expect(compare(now, undefined, 0.2).some(({ isRegression }) => isRegression)).toBe(false);
  });

  test("the table shows both and how they differ", () => {
    expect(comparisonTable(compare(now, before, 0.2), true)).toBe(`\
a        120 ns        100 ns before    +20 %
b        121 ns        100 ns before    +21 %  SLOWER
c          5 ns        new
`);
    expect(comparisonTable(compare(now, undefined, 0.2), false)).not.toContain("before");
  });

  test("a file of them is read as it was written, and nothing else is", () => {
    const baseline = { machine: "Node v24", figures: now };
    expect(parseBaseline(baselineText(baseline))).toEqual(baseline);
    expect(() => parseBaseline("{}")).toThrow("machine");
    expect(() => parseBaseline('{"machine":"x","nanoseconds":{"a":"1"}}')).toThrow("nanoseconds");
  });
});

describe("every step can be done twice", () => {
  test.each([
    ["messages", messageSteps],
    ["answers", () => lookupSteps(1000)],
    ["changes", changeSteps],
  ])("%s", async (_, make) => {
    const { steps, close } = make();
    try {
      expect(new Set(steps.map(({ name }) => name)).size).toBe(steps.length);
      for (const step of [...steps, ...steps]) {
        step.before?.();
        await expect(Promise.resolve(step.pass())).resolves.toBeUndefined();
      }
    } finally {
      close?.();
    }
  });
});
