/** The benchmark's arithmetic and what it writes: a wrong sum would go into the documentation as a fact. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { latencyFigures } from "../../bench/measure/latency.ts";
import type { LoadFigures, Turn } from "../../bench/measure/turn.ts";
import { resultChart } from "../../bench/report/chart.ts";
import { measuresOf } from "../../bench/report/measures.ts";
import type { RunReport } from "../../bench/report/page.ts";
import { runSection, runText, withRun } from "../../bench/report/page.ts";
import { median, percentile, ratio, spread } from "../../bench/report/statistics.ts";
import type { Measure } from "../../bench/report/table.ts";
import { resultTable } from "../../bench/report/table.ts";

describe("statistics", () => {
  test("percentiles lie between the two nearest values", () => {
    expect(percentile([40, 10, 30, 20], 0)).toBe(10);
    expect(percentile([40, 10, 30, 20], 1)).toBe(40);
    expect(percentile([40, 10, 30, 20], 0.5)).toBe(25);
    expect(percentile([7], 0.99)).toBe(7);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });

  test("the median does not heed one bad round, the spread shows it", () => {
    expect(median([5, 100, 4])).toBe(5);
    expect(spread([5, 100, 4])).toEqual({ median: 5, low: 4, high: 100 });
  });

  test("ratios are taken round by round", () => {
    // The machine is half as fast in the second round: both suffer, the ratio does not.
    expect(ratio([100, 50], [200, 100])).toEqual({ median: 0.5, low: 0.5, high: 0.5 });
    expect(ratio([100, undefined, 30], [50, 10, undefined])).toEqual({ median: 2, low: 2, high: 2 });
    expect(ratio([undefined], [1])).toBeUndefined();
    expect(ratio([-1, 1], [1, 0])).toBeUndefined();
  });

  test("a question without an answer counts as the whole patience", () => {
    const latencies = Array.from({ length: 97 }, () => 1);
    expect(latencyFigures({ latencies, unanswered: 0 })).toEqual({ p50: 1, p99: 1, unanswered: 0 });
    expect(latencyFigures({ latencies, unanswered: 3 })).toEqual({ p50: 1, p99: 2000, unanswered: 3 });
  });
});

const queries: Measure = {
  id: "tcp",
  title: "queries/s",
  better: "more",
  digits: 0,
  figures: new Map([
    ["rollcall", [1000, 3000, 2000]],
    ["named", [2000, 6000, 4000]],
    ["nsd", [undefined, undefined, undefined]],
  ]),
};
const servers = ["rollcall", "named", "nsd"];

test("the table has medians with their spread, and ratios", () => {
  expect(resultTable(servers, [queries])).toBe(`\
| measure                   |            rollcall |               named | nsd | rollcall ÷ named | rollcall ÷ nsd |
|---------------------------|--------------------:|--------------------:|----:|-----------------:|---------------:|
| queries/s; more is better | 2,000 (1,000–3,000) | 4,000 (2,000–6,000) |   – |             0.50 |              – |
`);
});

const load = (perSecond: number): LoadFigures =>
  ({ perSecond, processorMicroseconds: 5, latency: 1, lost: 0 }) as LoadFigures;

test("measures that nobody has a figure of are left out", () => {
  const turn: Turn = {
    udp: load(10),
    updates: { 50: load(10) },
    latency: { p50: 1, p99: 2, unanswered: 0 },
    latencyUnderUpdates: { p50: 1, p99: 3, unanswered: 0, updatesPerSecond: 5000 },
    delays: [
      { notify: undefined, visible: 10 },
      { notify: 2, visible: 20 },
    ],
    million: { memory: 3 * 1024 * 1024, updates: load(80), updatesWithFewer: load(100) },
  };
  const measures = measuresOf(
    new Map([
      ["rollcall", [turn]],
      ["nsd", [{ updates: {}, million: {} }]],
    ]),
  );
  const figure = (id: string) => measures.find((one) => one.id === id)?.figures;
  expect(figure("udp")).toEqual(
    new Map([
      ["rollcall", [10]],
      ["nsd", [undefined]],
    ]),
  );
  expect(figure("updates-50")?.get("rollcall")).toEqual([10]);
  expect(figure("busy-ratio")?.get("rollcall")).toEqual([1.5]);
  expect(figure("notify-p50")?.get("rollcall")).toEqual([2]);
  expect(figure("secondary-p50")?.get("rollcall")).toEqual([15]);
  expect(figure("million-memory")?.get("rollcall")).toEqual([3]);
  expect(figure("million-updates-ratio")?.get("rollcall")).toEqual([0.8]);
  expect(figure("updates-400")).toBeUndefined();
  expect(figure("tcp")).toBeUndefined();
});

/** The lengths of the bars. */
const shown = (svg: string): string[] =>
  [...svg.matchAll(/<rect class="bar[^"]*"[^>]* width="([\d.]+)"/g)].map(([, width]) => width!);

describe("the chart", () => {
  test("bars are as long as their figures, none stands where there is none", () => {
    const svg = resultChart(servers, [queries], "somewhere");
    const [ours, named, ...others] = shown(svg).map(Number);
    expect(ours! / named!).toBeCloseTo(0.5);
    expect(others).toEqual([]);
    expect(svg).toContain(">2,000</text>");
    expect(svg).toContain(">–</text>");
  });

  test("who does not see it is told the same", () => {
    const svg = resultChart(servers, [queries], "somewhere");
    expect(svg).toMatch(/<title id="title">[^<]*rollcall, named, nsd/);
    expect(svg).toContain("more is better: rollcall 2,000, named 4,000.</desc>");
  });

  test("every measure that it names exists, and each has a panel", () => {
    const full: Turn = {
      start: 1,
      udp: load(1),
      tcp: load(1),
      updates: { 50: load(1), 400: load(1) },
      latency: { p50: 1, p99: 1, unanswered: 0 },
      latencyUnderUpdates: { p50: 1, p99: 1, unanswered: 0, updatesPerSecond: 1 },
      delays: [{ notify: 1, visible: 1 }],
      million: { start: 1, memory: 1, udp: load(1), transfer: 1 },
    };
    const svg = resultChart(["rollcall"], measuresOf(new Map([["rollcall", [full]]])), "");
    expect(shown(svg)).toHaveLength(12);
  });

  test("is text without scripts, and nothing in it ends an element early", () => {
    const svg = resultChart(["a<b>&"], [{ ...queries, figures: new Map() }], "</svg><script>");
    expect(svg).not.toContain("<script");
    expect(svg).toContain("a&lt;b&gt;&amp;");
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
  });
});

describe("the page", () => {
  const report: RunReport = {
    command: "npm run bench -- --million",
    machine: ["a machine, load at the start 0.10"],
    rounds: 3,
    seconds: 754,
    servers,
    measures: [queries],
    missing: ["knotd"],
    failures: ["round 1 of 3, nsd: UDP: it ended\nits log"],
  };
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/benchmarks.md"), "utf8");

  test("only the run is replaced, again and again", () => {
    const once = withRun(page, runSection(report, "benchmarks.svg"));
    const [before, after] = page.split(/<!-- run: .* -->[^]*<!-- end of the run -->/);
    expect(once.startsWith(before!)).toBe(true);
    expect(once.endsWith(after!)).toBe(true);
    expect(after).toContain("## What the figures say");
    expect(withRun(once, runSection(report, "benchmarks.svg"))).toBe(once);
    expect(() => withRun("# Benchmarks\n", "a run")).toThrow("must have the lines");
  });

  test("the run says how it was made, what it found, and what is not in it", () => {
    const section = runSection(report, "benchmarks.svg");
    expect(section).toContain(
      "npm run bench -- --million\na machine, load at the start 0.10\n3 rounds in 12 min 34 s",
    );
    expect(section).toContain("](benchmarks.svg)");
    expect(section).toContain("| queries/s; more is better |");
    expect(section).toContain("Not installed: knotd.");
    expect(section).toContain("- round 1 of 3, nsd: UDP: it ended");
    expect(section).not.toContain("its log");
    expect(runText({ ...report, missing: [], failures: [], seconds: 90 })).toMatch(
      /3 rounds in 90 s\n\n\|[^]*\|\n$/,
    );
  });
});
