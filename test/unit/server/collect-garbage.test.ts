/** Memory goes back to the system, and threads do not take much of it. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { giveMemoryBack, keepNewThreadsSmall } from "../../../src/server/collect-garbage.ts";
import { native } from "../../support/native.ts";

const MIB = 1024 * 1024;

/** Octets of memory that are this process's alone. */
function anonymous(): number {
  return Number(/^Anonymous: +(\d+) kB$/m.exec(readFileSync("/proc/self/smaps_rollup", "latin1"))![1]) * 1024;
}

test.runIf(native)("what many small pieces took goes back, also where some of them are still in use", () => {
  const kept: ArrayBuffer[] = [];
  let pieces: Uint8Array[] = [];
  for (let i = 0; i < 8_000; i++) {
    pieces.push(new Uint8Array(16_000).fill(1));
    // Behind each of these the allocator keeps all that is before it.
    if (i % 1_000 === 999) kept.push(new ArrayBuffer(16_000));
  }
  const full = anonymous();
  pieces = [];
  giveMemoryBack();
  expect(full - anonymous()).toBeGreaterThan(64 * MIB);
  expect(kept).toHaveLength(8);
});

test("a thread's young generation stays small, however much of it outlives a collection", async () => {
  keepNewThreadsSmall();
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const lately = Array(20_000);
     for (let i = 0; i < 2_000_000; i++) lately[i % lately.length] = { i };
     const space = require("node:v8").getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
     parentPort.postMessage(space.space_size);`,
    { eval: true },
  );
  const [octets] = (await once(worker, "message")) as [number];
  expect(octets).toBeLessThanOrEqual(4 * MIB);
});
