/** How upstream servers are rated, and which is asked. */
import { describe, expect, test } from "vitest";
import {
  choose,
  DOWN_AFTER,
  FIRST_PAUSE,
  MOST_PAUSE,
  UpstreamHealth,
} from "../../../src/forward/upstream.ts";

const server = (name: string): { name: string; health: UpstreamHealth } => ({
  name,
  health: new UpstreamHealth(),
});

function failTimes(health: UpstreamHealth, times: number, now: number): void {
  for (let i = 0; i < times; i++) health.failed("no answer", now, now);
}

test("the wait follows the round trip and its variation, within bounds (RFC 6298 §2)", () => {
  const health = new UpstreamHealth();
  expect(health.wait).toBe(400);
  for (let i = 0; i < 100; i++) health.answered(1, 0);
  expect(health.wait).toBe(50);
  for (let i = 0; i < 100; i++) health.answered(100, 0);
  expect(health.wait).toBeGreaterThanOrEqual(100);
  expect(health.wait).toBeLessThan(150);
  for (let i = 0; i < 100; i++) health.answered(5000, 0);
  expect(health.wait).toBe(1500);
});

describe("down and up", () => {
  test("after some failures in a row, told once; up with the first answer, told once", () => {
    const health = new UpstreamHealth();
    const news = Array.from({ length: DOWN_AFTER + 2 }, (_, i) => health.failed("no answer", i, i));
    expect(news.indexOf(true)).toBe(DOWN_AFTER - 1);
    expect(news.filter(Boolean)).toHaveLength(1);
    expect([health.isDown, health.lastFailure]).toEqual([true, "no answer"]);
    expect([health.answered(5, 0), health.answered(5, 0)]).toEqual([true, false]);
    expect([health.isDown, health.lastFailure]).toEqual([false, undefined]);
  });

  test("an answer between failures keeps it up", () => {
    const health = new UpstreamHealth();
    for (let i = 0; i < 10; i++) {
      failTimes(health, DOWN_AFTER - 1, i);
      health.answered(5, i);
    }
    expect(health.isDown).toBe(false);
  });

  test("silence to what was asked before its last answer says nothing", () => {
    const health = new UpstreamHealth();
    health.answered(5, 100);
    for (let i = 0; i < DOWN_AFTER * 2; i++) expect(health.failed("no answer", 3000 + i, 50)).toBe(false);
    expect([health.isDown, health.failures]).toEqual([false, 0]);
  });

  test("tries come twice as far apart each time, up to a bound", () => {
    const health = new UpstreamHealth();
    let now = 0;
    failTimes(health, DOWN_AFTER, now);
    const gaps: number[] = [];
    for (let i = 0; i < 8; i++) {
      const from = now;
      while (!health.takeTry(now)) now += 100;
      gaps.push(now - from);
      expect(health.takeTry(now)).toBe(false);
      // It fails as usual, some time before the next try.
      health.failed("no answer", now + 500, now);
    }
    expect(gaps.slice(0, 3)).toEqual([FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]);
    expect(gaps.at(-1)).toBe(MOST_PAUSE);
    expect(health.isGivenUp(now)).toBe(true);
  });
});

describe("the choice", () => {
  test("the quickest; not one that is down, while another is up; the least tried for this question", () => {
    const [quick, slow] = [server("quick"), server("slow")];
    quick.health.answered(2, 0);
    slow.health.answered(20, 0);
    expect(choose([slow, quick], new Map())).toBe(quick);
    expect(choose([slow, quick], new Map([[quick, 1]]))).toBe(slow);
    failTimes(quick.health, DOWN_AFTER, 0);
    expect(choose([slow, quick], new Map([[slow, 2]]))).toBe(slow);
    failTimes(slow.health, DOWN_AFTER, 0);
    expect(choose([slow, quick], new Map([[slow, 1]]))).toBe(quick);
    expect(choose([], new Map())).toBeUndefined();
  });

  test("one that lets a query wait ranks behind at once; one that is never asked gets its turn", () => {
    const [one, other] = [server("one"), server("other")];
    one.health.answered(2, 0);
    other.health.answered(3, 0);
    one.health.silent();
    expect(choose([one, other], new Map())).toBe(other);
    let turns = 0;
    while (choose([one, other], new Map()) !== one) {
      other.health.answered(3, 0);
      turns++;
      expect(turns).toBeLessThan(1000);
    }
    expect(turns).toBeGreaterThan(10);
  });
});
