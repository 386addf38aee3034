/** Memory goes back to the system. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { giveMemoryBack } from "../../../src/server/collect-garbage.ts";
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
