/** The refusal log: every refusal counted, a flood of them not listed, whatever the clock does. */
import { describe, expect, test } from "vitest";
import { RefusalLog } from "../../../src/services/refusal-log.ts";
import { Rcode } from "../../../src/wire/iana/code.ts";

const HOUR = 3_600_000;
const peer = { address: "192.0.2.7", port: 5353, transport: "udp" } as const;
const refusal = { exchange: "update", rcode: Rcode.REFUSED, reason: "no rule" };

function setUp() {
  const lines: Record<string, unknown>[] = [];
  const clock = { now: 1_800_000_000_000 };
  const log = new RefusalLog(
    { info: (fields) => lines.push(fields as Record<string, unknown>) },
    () => clock.now,
  );
  return { lines, clock, log };
}

describe("a flood", () => {
  test("is listed as far as the allowance goes, and the next line says how many were left out", () => {
    const { lines, clock, log } = setUp();
    for (let i = 0; i < 1000; i++) log.write(refusal, peer);
    expect(lines).toHaveLength(200);
    clock.now += 1000;
    log.write(refusal, peer);
    expect(lines.at(-1)).toMatchObject({ suppressed: 800, rcode: "REFUSED", peer: "192.0.2.7:5353" });
    expect(log.count).toBe(1001);
  });
});

describe("a clock that is set back", () => {
  test("silences nothing", () => {
    const { lines, clock, log } = setUp();
    log.write(refusal, peer);
    clock.now -= HOUR;
    log.write(refusal, peer);
    expect(lines).toHaveLength(2);
  });

  test("and forth again fills the allowance and no more", () => {
    const { lines, clock, log } = setUp();
    for (let i = 0; i < 300; i++) log.write(refusal, peer);
    clock.now -= HOUR;
    log.write(refusal, peer);
    clock.now += 2 * HOUR;
    for (let i = 0; i < 300; i++) log.write(refusal, peer);
    expect(lines).toHaveLength(400);
  });
});
