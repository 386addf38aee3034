/** What answer threads ask of the scheduler, and who gives way. Of a whole server: `scenario/precedence.test.ts`. */
import { spawnSync } from "node:child_process";
import { getPriority } from "node:os";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { takePrecedence } from "../../../src/server/native/precedence.ts";
import { libc, native } from "../../support/native.ts";

/** A kernel that keeps what it is asked, and refuses some nice values. */
function kernel(refused: readonly number[] = []) {
  const asked: { nice: number; slice: bigint }[] = [];
  const buffers: ArrayBuffer[] = [];
  return {
    asked,
    allocate(bytes: number) {
      buffers.push(new ArrayBuffer(bytes));
      return { address: buffers.length, buffer: buffers.at(-1)! };
    },
    setSchedulingAttributes(address: number) {
      const view = new DataView(buffers[address - 1]!);
      expect(view.getUint32(0, true)).toBe(view.byteLength);
      expect(view.getBigUint64(8, true), "SCHED_FLAG_KEEP_POLICY").toBe(8n);
      const nice = view.getInt32(16, true);
      asked.push({ nice, slice: view.getBigUint64(24, true) });
      return refused.includes(nice) ? -1 : 0;
    },
  };
}

test("an answer thread asks for the process's nice value and the shortest slice there is", () => {
  const scheduler = kernel();
  takePrecedence(scheduler, -3);
  expect(scheduler.asked).toEqual([{ nice: -3, slice: 100_000n }]);
});

test("where it may not have that value it keeps its own, and asks for the slice", () => {
  const scheduler = kernel([-3]);
  takePrecedence(scheduler, -3);
  expect(scheduler.asked.at(-1)).toEqual({ nice: getPriority(0), slice: 100_000n });
});

test("what the kernel refuses altogether is left as it is, and nothing is thrown", () => {
  const scheduler = kernel([-3, getPriority(0)]);
  takePrecedence(scheduler, -3);
  expect(scheduler.asked.length).toBe(2);
});

test.runIf(native)("the kernel takes it or leaves it, and the nice value stays", () => {
  const before = getPriority(0);
  takePrecedence(libc, before);
  expect(getPriority(0)).toBe(before);
  // The same without a name for the call: what the kernel does not know it refuses, and nothing is thrown.
  expect(libc.setSchedulingAttributes(0)).toBe(-1);
});

/** Nice values in a process of its own, since they cannot be taken back: of one thread, before and after. */
function niceAfter(begunAt: number, call: string): number[] {
  const module = resolve(import.meta.dirname, "../../../src/server/native/precedence.ts");
  const code = `import { giveWay, ownThreadId } from ${JSON.stringify(module)};
    import { getPriority, setPriority } from "node:os";
    setPriority(0, ${begunAt});
    const before = getPriority(0);
    ${call};
    console.log(JSON.stringify([before, getPriority(0)]));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as number[];
}

test.runIf(process.platform === "linux")("all give way but those named", () => {
  const begunAt = Math.max(0, getPriority(0));
  const nicer = Math.min(19, begunAt + 10);
  expect(niceAfter(begunAt, "giveWay([1])")).toEqual([begunAt, nicer]);
  expect(niceAfter(begunAt, "giveWay([ownThreadId()])")).toEqual([begunAt, begunAt]);
  expect(niceAfter(begunAt, "giveWay([])")).toEqual([begunAt, begunAt]);
  expect(niceAfter(15, "giveWay([1])")).toEqual([15, 19]);
});
