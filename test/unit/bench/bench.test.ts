/** The benchmark's arithmetic: a wrong sum would go into the documentation as a fact. */
import { describe, expect, test } from "vitest";
import { parseDnsperf } from "../../bench/dnsperf.ts";
import { measuresOf } from "../../bench/measures.ts";
import { parseOptions } from "../../bench/options.ts";
import { ticksOf } from "../../bench/pinned.ts";
import type { LoadFigures, Turn } from "../../bench/round.ts";
import { median, percentile, ratio, spread } from "../../bench/statistics.ts";
import { resultTable } from "../../bench/table.ts";
import { HOSTS, NXDOMAIN_SHARE, questionText, updateText } from "../../bench/workload.ts";

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
});

test("a report of dnsperf is read, the opening of TCP connections left out", () => {
  const report = `Statistics:

  Queries sent:         30100
  Queries completed:    30000 (99.67%)
  Queries lost:         100 (0.33%)

  Response codes:       NOERROR 27000 (90.00%), NXDOMAIN 3000 (10.00%)
  Average packet size:  request 34, response 69
  Run time (s):         4.000000
  Queries per second:   7500.000000

  Average Latency (s):  0.000490 (min 0.000046, max 0.020329)
  Latency StdDev (s):   0.000574

Connection Statistics:

  Reconnections:        0

  Average Latency (s):  0.089827 (min 0.000887, max 1.000000)
  Latency StdDev (s):   0.000994
`;
  expect(parseDnsperf(report)).toEqual({
    sent: 30100,
    completed: 30000,
    lost: 100,
    rcodes: { NOERROR: 27000, NXDOMAIN: 3000 },
    answerSize: 69,
    time: 3,
    perSecond: 10_000,
    latency: 0.49,
  });
  expect(parseDnsperf(report.replace(/Connection Statistics[^]*/, "")).perSecond).toBe(7500);
  expect(() => parseDnsperf("Warning: nothing")).toThrow("dnsperf's report was expected");
});

test("processor time is read behind a program's name, whatever that holds", () => {
  expect(ticksOf("7 (a) b 1) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 9 9 20 0 1")).toBe(300);
});

test("the table has medians with their spread, and ratios", () => {
  const table = resultTable(
    ["rollcall", "named", "nsd"],
    [
      {
        title: "queries/s",
        better: "more",
        digits: 0,
        figures: new Map([
          ["rollcall", [1000, 3000, 2000]],
          ["named", [2000, 6000, 4000]],
          ["nsd", [undefined, undefined, undefined]],
        ]),
      },
    ],
  );
  expect(table).toBe(`\
| measure                   |            rollcall |               named | nsd | rollcall ÷ named | rollcall ÷ nsd |
|---------------------------|--------------------:|--------------------:|----:|-----------------:|---------------:|
| queries/s; more is better | 2,000 (1,000–3,000) | 4,000 (2,000–6,000) |   – |             0.50 |              – |
`);
});

test("measures that nobody has a figure of are left out", () => {
  const load = { perSecond: 10, processorMicroseconds: 5, latency: 1, lost: 0 } as LoadFigures;
  const turn: Turn = {
    udp: load,
    updates: { 50: load },
    delays: [
      { notify: undefined, visible: 10 },
      { notify: 2, visible: 20 },
    ],
  };
  const measures = measuresOf(
    new Map([
      ["rollcall", [turn]],
      ["nsd", [{ updates: {} }]],
    ]),
  );
  const figure = (title: string) => measures.find((one) => one.title === title)?.figures;
  expect(figure("UDP, queries/s")).toEqual(
    new Map([
      ["rollcall", [10]],
      ["nsd", [undefined]],
    ]),
  );
  expect(figure("50 outstanding, updates/s")?.get("rollcall")).toEqual([10]);
  expect(figure("acknowledged to NOTIFY, p50 ms")?.get("rollcall")).toEqual([2]);
  expect(figure("acknowledged to secondary, p50 ms")?.get("rollcall")).toEqual([15]);
  expect(figure("400 outstanding, updates/s")).toBeUndefined();
  expect(figure("TCP, queries/s")).toBeUndefined();
});

test("the command line", () => {
  const names = ["rollcall", "named", "nsd"];
  expect(parseOptions([], names)).toMatchObject({ rounds: 5, only: undefined, json: false });
  expect(parseOptions(["--quick", "--json"], names)).toMatchObject({ rounds: 2, json: true });
  expect(parseOptions(["--rounds", "3", "--only", "nsd"], names)).toMatchObject({ rounds: 3, only: ["nsd"] });
  expect(parseOptions(["--help"], names)).toBe("help");
  expect(() => parseOptions(["--rounds", "0"], names)).toThrow("1 to 50");
  expect(() => parseOptions(["--only", "dnsmasq"], names)).toThrow("rollcall, named, nsd");
  expect(() => parseOptions(["--fast"], names)).toThrow("--fast");
});

describe("workload", () => {
  test("questions have the shares they are said to have", () => {
    const lines = questionText().trimEnd().split("\n");
    const share = (pattern: RegExp): number =>
      lines.filter((line) => pattern.test(line)).length / lines.length;
    expect(share(/^host\d+\.smb\.example A$/)).toBeCloseTo(0.6, 2);
    expect(share(/ AAAA$/)).toBeCloseTo(0.2, 2);
    expect(share(/ SRV$/)).toBeCloseTo(0.1, 2);
    expect(share(/^nohost/)).toBeCloseTo(NXDOMAIN_SHARE, 2);
  });

  test("no update changes nothing, also when the file begins again", () => {
    const held = new Map<string, string>();
    const adds = [...updateText().matchAll(/^add (\S+) 300 A (\S+)$/gm)];
    let idle = 0;
    for (const [, host, address] of [...adds, ...adds]) {
      if (held.get(host!) === address) idle++;
      held.set(host!, address!);
    }
    expect(idle).toBe(0);
    expect(held.size).toBe(HOSTS);
  });
});
