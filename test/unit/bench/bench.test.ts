/** What the benchmark asks, how it is told to, and how it reads what programs say. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAnswers, parseDnsperf } from "../../bench/load/dnsperf.ts";
import { pssOf, residentMemory, ticksOf } from "../../bench/load/pinned.ts";
import { CLUSTER, HOSTS, NXDOMAIN_SHARE, plainHosts, updates } from "../../bench/load/workload.ts";
import type { Workload } from "../../bench/load/workload.ts";
import { transferredRecords } from "../../bench/measure/million.ts";
import { parseOptions, USAGE } from "../../bench/options.ts";

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

test("what became of each question is read, whatever else is said between", () => {
  const said = `[Status] Sending queries (to 127.0.0.1:5300)
> NOERROR host7.smb.example A 0.000438
> NXDOMAIN nohost1.smb.example A 0.002000
[Timeout] Query timed out: msg id 3
> T host2.smb.example A
> I host3.smb.example A
[Status] Testing complete (time limit)
`;
  const { latencies, unanswered } = parseAnswers(said);
  expect(latencies).toEqual([0.438, 2]);
  expect(unanswered).toBe(1);
  expect(() => parseAnswers("> NOERROR host7.smb.example A")).toThrow("dnsperf -v");
});

test("a transfer's records are those that dig counts", () => {
  expect(transferredRecords(";; XFR size: 1000004 records (messages 1876, bytes 30720111)\n")).toBe(
    1_000_004,
  );
  expect(transferredRecords("; Transfer failed.\n")).toBe(0);
});

test("processor time is read behind a program's name, whatever that holds", () => {
  expect(ticksOf("7 (a) b 1) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 9 9 20 0 1")).toBe(300);
});

test("memory is the proportional set size", () => {
  expect(
    pssOf("559d-7ffe ---p 00000000 00:00 0 [rollup]\nRss:  1868 kB\nPss:    700 kB\nPss_Anon: 1 kB\n"),
  ).toBe(716_800);
  expect(() => pssOf("")).toThrow("smaps_rollup");
  expect(residentMemory(process.pid)).toBeGreaterThan(10_000_000);
});

describe("the command line", () => {
  const names = ["rollcall", "named", "nsd"];
  const usual = ["udp", "tcp", "updates", "latency", "delay"];
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/benchmarks.md"), "utf8");

  test("by default everything but the million names is measured, and written", () => {
    expect(parseOptions([], names)).toMatchObject({ rounds: 3, only: undefined, json: false, write: true });
    expect(parseOptions([], names)).toHaveProperty("measures", new Set(usual));
    expect(parseOptions(["--million"], names)).toMatchObject({
      measures: new Set([...usual, "million"]),
      write: true,
    });
  });

  test.each([
    [["--quick"], false],
    [["--quick", "--write"], true],
    [["--no-write"], false],
    [["--only", "nsd"], false],
    [["--measure", "udp"], false],
    [["--measure", "udp", "--write"], true],
    [["--rounds", "5"], true],
  ])("%j: written is %s", (args, write) => {
    expect(parseOptions(args, names)).toHaveProperty("write", write);
  });

  test("rounds, peers and measures can be chosen", () => {
    expect(parseOptions(["--quick", "--json"], names)).toMatchObject({ rounds: 2, json: true });
    expect(parseOptions(["--rounds", "3", "--only", "nsd"], names)).toMatchObject({
      rounds: 3,
      only: ["nsd"],
    });
    expect(parseOptions(["--measure", "tcp", "--measure", "delay"], names)).toHaveProperty(
      "measures",
      new Set(["tcp", "delay"]),
    );
    expect(parseOptions(["--measure", "gss", "--measure", "udp"], names)).toMatchObject({
      measures: new Set(["udp"]),
      apart: ["gss"],
    });
    expect(parseOptions([], names)).toHaveProperty("apart", ["forward", "gss"]);
    expect(parseOptions(["--only", "nsd"], names)).toHaveProperty("apart", []);
    expect(parseOptions(["--help"], names)).toBe("help");
  });

  test.each([
    [["--rounds", "0"], "1 to 50"],
    [["--only", "dnsmasq"], "rollcall, named, nsd"],
    [["--measure", "speed"], "udp, tcp, updates, latency, delay, million, forward, gss"],
    [["--fast"], "--fast"],
  ])("%j is a mistake, and is told what there is", (args, message) => {
    expect(() => parseOptions(args, names)).toThrow(message);
  });

  test("the page knows every option", () => {
    const options = [...USAGE.matchAll(/^ +(--[a-z-]+)/gm)].map(([, option]) => option!);
    expect(options.length).toBeGreaterThan(7);
    for (const option of options) expect(page).toContain(`\`${option}`);
  });
});

/** The share of questions that match. */
const share = (workload: Workload, pattern: RegExp): number => {
  const lines = [...workload.questions()];
  return lines.filter((line) => pattern.test(line)).length / lines.length;
};

/** What an update gives to which host. */
const addressOf = (line: string): [host: string, address: string] => {
  const [, host, address] = /^add (\S+) 300 A (\S+)$/m.exec(line)!;
  return [host!, address!];
};

describe("workload", () => {
  test("questions have the shares they are said to have", () => {
    expect(share(CLUSTER, /^host\d+\.smb\.example A$/m)).toBeCloseTo(0.6, 2);
    expect(share(CLUSTER, / AAAA$/m)).toBeCloseTo(0.2, 2);
    expect(share(CLUSTER, / SRV$/m)).toBeCloseTo(0.1, 2);
    expect(share(CLUSTER, /^nohost/)).toBeCloseTo(NXDOMAIN_SHARE, 2);
    expect(share(plainHosts(1000), /^host\d+\.smb\.example A$/m)).toBeCloseTo(0.7, 2);
    expect(share(plainHosts(1000), /^nohost/)).toBeCloseTo(NXDOMAIN_SHARE, 2);
  });

  test("no update changes nothing: after the zone's file, another file, the same again", () => {
    const held = new Map(
      [...CLUSTER.zone()].flatMap((lines) => {
        const found = /^(host\d+) IN A (\S+)$/m.exec(lines);
        return found === null ? [] : [[found[1]!, found[2]!] as const];
      }),
    );
    expect(held.size).toBe(HOSTS);
    let idle = 0;
    const all = [...updates(HOSTS, 0)].map(addressOf);
    // A file may be left anywhere, also within its first pass.
    for (const list of [all.slice(0, 3000), [...updates(HOSTS, 1)].map(addressOf), all.slice(3000), all]) {
      for (const [host, next] of list) {
        if (held.get(host) === next) idle++;
        held.set(host, next);
      }
    }
    expect(idle).toBe(0);
    expect(held.size).toBe(HOSTS);
  });
});
