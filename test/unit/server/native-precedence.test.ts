/** What answer threads and the others ask of the scheduler. What it makes of it: `scenario/precedence.test.ts`. */
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { expect, test } from "vitest";
import { giveWay, ownThreadId, takePrecedence } from "../../../src/server/native/precedence.ts";
import { libc, native } from "../../support/native.ts";

interface Asked {
  readonly thread: number;
  readonly nice: number;
  readonly slice: bigint;
}

/** A kernel that keeps what it is asked, and refuses some of it. */
function kernel(refuses: (asked: Asked) => boolean = () => false) {
  const asked: Asked[] = [];
  const buffers: ArrayBuffer[] = [];
  return {
    asked,
    allocate(bytes: number) {
      buffers.push(new ArrayBuffer(bytes));
      return { address: buffers.length, buffer: buffers.at(-1)! };
    },
    setSchedulingAttributes(thread: number, address: number) {
      const view = new DataView(buffers[address - 1]!);
      expect(view.getUint32(0, true)).toBe(view.byteLength);
      expect(view.getBigUint64(8, true), "SCHED_FLAG_KEEP_POLICY").toBe(8n);
      asked.push({ thread, nice: view.getInt32(16, true), slice: view.getBigUint64(24, true) });
      return refuses(asked.at(-1)!) ? -1 : 0;
    },
  };
}

test("an answer thread asks for the process's nice value and the shortest slice there is", () => {
  const scheduler = kernel();
  takePrecedence(scheduler, -3);
  expect(scheduler.asked).toEqual([{ thread: 0, nice: -3, slice: 100_000n }]);
});

test("where it may not have that value it keeps its own, and gets the slice", () => {
  const scheduler = kernel(({ nice }) => nice === -3);
  takePrecedence(scheduler, -3);
  expect(scheduler.asked.at(-1)).toEqual({ thread: 0, nice: getPriority(0), slice: 100_000n });
});

test.runIf(process.platform === "linux")(
  "every other thread is made nicer, none beyond what there is",
  () => {
    const scheduler = kernel();
    const own = ownThreadId()!;
    giveWay(scheduler, [own]);
    const others = readdirSync("/proc/self/task")
      .map(Number)
      .filter((thread) => thread !== own);
    expect(others.length).toBeGreaterThan(0);
    expect(scheduler.asked.map(({ thread }) => thread)).toEqual(expect.arrayContaining(others));
    expect(scheduler.asked.map(({ thread }) => thread)).not.toContain(own);
    const nice = Math.min(19, getPriority(0) + 10);
    for (const each of scheduler.asked) expect(each).toMatchObject({ nice, slice: 10_000_000n });
  },
);

test("where no answer thread is known nobody gives way", () => {
  const scheduler = kernel();
  giveWay(scheduler, []);
  expect(scheduler.asked).toEqual([]);
});

test("what the kernel refuses is left as it is, and nothing is thrown", () => {
  const scheduler = kernel(() => true);
  takePrecedence(scheduler, 0);
  giveWay(scheduler, [1]);
  expect(scheduler.asked.length).toBeGreaterThan(1);
});

test.runIf(native)("the kernel takes it or leaves it, and the nice value stays", () => {
  const before = getPriority(0);
  takePrecedence(libc, before);
  expect(getPriority(0)).toBe(before);
  // The same without a name for the call: what the kernel does not know it refuses, and nothing is thrown.
  expect(libc.setSchedulingAttributes(0, 0)).toBe(-1);
});
