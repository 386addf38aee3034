/** The slice that answer threads ask the scheduler for. */
import { getPriority } from "node:os";
import { expect, test } from "vitest";
import type { NativeMemory } from "../../../src/server/native/libc.ts";
import { shortenTimeSlice } from "../../../src/server/native/time-slice.ts";
import { libc, native } from "../../support/native.ts";

test("asks for the shortest one under the usual policy, at the nice value there is", () => {
  let memory: NativeMemory | undefined;
  let given: number | undefined;
  shortenTimeSlice({
    allocate: (bytes) => (memory = { address: 4096, buffer: new ArrayBuffer(bytes) }),
    setSchedulingAttributes: (address) => {
      given = address;
      return 0;
    },
  });
  expect(given).toBe(memory!.address);
  const view = new DataView(memory!.buffer);
  expect(view.getUint32(0, true)).toBe(memory!.buffer.byteLength);
  expect(view.getUint32(4, true), "SCHED_OTHER").toBe(0);
  expect(view.getInt32(16, true)).toBe(getPriority(0));
  expect(view.getBigUint64(24, true)).toBe(100_000n);
});

test.runIf(native)("the kernel takes it or leaves it, and the nice value stays", () => {
  const before = getPriority(0);
  shortenTimeSlice(libc);
  expect(getPriority(0)).toBe(before);
  // The same without a name for the call: what the kernel does not know it refuses, and nothing is thrown.
  expect(libc.setSchedulingAttributes(0)).toBe(-1);
});
