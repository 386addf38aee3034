/** The cache: how long what is in it is there, and how much of it. */
import { describe, expect, test } from "vitest";
import { AnswerCache, FailureMemory } from "../../../src/forward/cache.ts";
import type { StoredAnswer } from "../../../src/forward/stored-answer.ts";

function answer(ttl: number, octets = 100): StoredAnswer {
  return { rcode: 0, body: new Uint8Array(octets), ttlsAt: [6], counts: [1, 0, 0], turning: undefined, ttl };
}

const cache = (size = 1_000_000, maxStale = 10_000): AnswerCache<string> =>
  new AnswerCache<string>({ size, maxStale });

describe("time", () => {
  test("fresh until its TTL, stale for as long as allowed, then gone", () => {
    const kept = cache();
    kept.put("a", answer(5), "up", 1000);
    expect(kept.get("a", 5999)).toMatchObject({ expiresAt: 6000, storedAt: 1000, source: "up" });
    expect(kept.get("a", 15_999)).toMatchObject({ expiresAt: 6000 });
    expect(kept.get("a", 16_000)).toBeUndefined();
    expect([kept.count, kept.size]).toEqual([0, 0]);
  });

  test("a TTL of 0 is not kept, and takes an older answer's place all the same", () => {
    const kept = cache();
    kept.put("a", answer(5), "up", 0);
    kept.put("a", answer(0), "up", 0);
    expect(kept.get("a", 0)).toBeUndefined();
  });

  test("without stale answers nothing is there past its time", () => {
    const kept = cache(1_000_000, 0);
    kept.put("a", answer(5), "up", 0);
    expect(kept.get("a", 4999)).toBeDefined();
    expect(kept.get("a", 5000)).toBeUndefined();
  });
});

describe("room", () => {
  test("never more than allowed, whatever comes; the size is that of what is there", () => {
    const kept = cache(20_000);
    for (let i = 0; i < 1000; i++) {
      kept.put(`key ${i % 300}`, answer(60, (i * 37) % 900), "up", i);
      expect(kept.size).toBeLessThanOrEqual(20_000);
    }
    expect(kept.count).toBeGreaterThan(5);
    expect(kept.evicted).toBeGreaterThan(100);
    kept.clear();
    expect([kept.count, kept.size]).toEqual([0, 0]);
  });

  test("what is asked for again and again stays while others go", () => {
    const kept = cache(5000);
    kept.put("kept", answer(60), "up", 0);
    for (let i = 0; i < 200; i++) {
      expect(kept.get("kept", 1)).toBeDefined();
      kept.put(`passing ${i}`, answer(60), "up", 0);
    }
  });

  test("what is larger than the cache is not kept, and costs nobody else", () => {
    const kept = cache(4000);
    kept.put("small", answer(60), "up", 0);
    kept.put("large", answer(60, 5000), "up", 0);
    expect(kept.get("large", 1)).toBeUndefined();
    expect(kept.get("small", 1)).toBeDefined();
  });

  test("a smaller limit takes effect at once", () => {
    const kept = cache();
    for (let i = 0; i < 50; i++) kept.put(`key ${i}`, answer(60), "up", 0);
    kept.limit({ size: 2500, maxStale: 0 });
    expect(kept.size).toBeLessThanOrEqual(2500);
    expect(kept.get("key 49", 1)).toBeDefined();
  });
});

test("failures are remembered for their time, the newest of them only", () => {
  const failures = new FailureMemory(3);
  for (const key of ["a", "b", "c", "d"]) failures.put(key, `of ${key}`, 100);
  expect(failures.get("a", 0)).toBeUndefined();
  expect(failures.get("d", 99)).toBe("of d");
  expect(failures.get("d", 100)).toBeUndefined();
});
