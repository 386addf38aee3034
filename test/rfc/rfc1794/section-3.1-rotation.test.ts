/** RFC 1794 §3.1: the records of an RRset take turns at being first. */
import { describe, expect, test } from "vitest";
import { rrText, serve } from "../../support/zones.ts";

let zone = "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\n";
for (const count of [2, 3, 5, 16])
  for (let i = 0; i < count; i++) zone += `r${count} A 192.0.2.${i}\nr${count} AAAA 2001:db8::${i}\n`;
zone += "_smb._tcp SRV 0 0 445 r2\n_smb._tcp SRV 0 0 445 ns\n";

/** How often each record came first. */
function firsts(times: number, ask: () => string): Map<string, number> {
  const seen = new Map<string, number>();
  for (let i = 0; i < times; i++) {
    const first = ask();
    seen.set(first, (seen.get(first) ?? 0) + 1);
  }
  return seen;
}

describe("RFC 1794 §3.1", () => {
  test.each([2, 3, 5, 16])("%d records: each comes first about as often as any other", (count) => {
    const served = serve(["example.", zone]);
    const times = 200 * count;
    const seen = firsts(times, () => rrText(served.ask(`r${count}.example. A`).answers[0]!));
    expect(seen.size).toBe(count);
    for (const often of seen.values()) expect(often).toBeGreaterThan(100);
  });

  test("the order is kept but for where it begins", () => {
    const served = serve(["example.", zone]);
    const order = served.ask("r5.example. A").answers.map(({ rdata }) => rdata[3]!);
    const start = order.indexOf(0);
    expect([...order.slice(start), ...order.slice(0, start)]).toEqual([0, 1, 2, 3, 4]);
  });

  test("a client that asks for A and AAAA in turn sees both turn", () => {
    const served = serve(["example.", zone]);
    const seen = firsts(100, () => {
      served.ask("r2.example. AAAA");
      return rrText(served.ask("r2.example. A").answers[0]!);
    });
    expect(seen.size).toBe(2);
  });

  test("an answer with several RRsets turns each of them", () => {
    const served = serve(["example.", zone]);
    const seen = firsts(200, () => {
      const { answers, additionals } = served.ask("_smb._tcp.example. SRV");
      return `${rrText(answers[0]!)} | ${rrText(additionals.find(({ name }) => name.toString() === "r2.example.")!)}`;
    });
    expect(seen.size).toBe(4);
  });
});
