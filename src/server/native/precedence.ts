/**
 * Who comes first where answer threads share a core with the rest of this process: the control thread, which may compute
 * for tens of milliseconds at a time, and V8's helpers. The scheduler (EEVDF, Linux 6.6 and later) lets a thread that wakes
 * up interrupt another only while it is not ahead of its share, and looks again at its next tick, milliseconds later. An
 * answer thread that answered a moment ago is ahead of it, for as much longer as the others weigh.
 *
 * So all the others are made nicer: they weigh a tenth of an answer thread, and get what it leaves, which is nearly all,
 * or a tenth of the core where questions take the whole of it. Slices do the rest: who asks for a short one is served
 * sooner, not more. All of it needs no privilege. Where the kernel knows of no such thing or does not allow it, everything
 * stays as it is.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { getPriority } from "node:os";
import type { Libc } from "./libc.ts";

/** `struct sched_attr` in its first version (linux/sched/types.h). */
const ATTRIBUTES = 48;
const At = { SIZE: 0, FLAGS: 8, NICE: 16, RUNTIME: 24 } as const;
/** Whatever policy the process was begun with stays; where it has no nice values (real time) the call is refused. */
const KEEP_POLICY = 8n;
/** Nanoseconds at a time (Linux 6.12 and later). An answer takes a few microseconds, a batch of them some hundred. */
const ANSWERS_SLICE = 100_000;
/** Not longer: beside other programs on the core it is also what an update may have to wait. */
const OTHERS_SLICE = 10_000_000;
/** How much nicer the others are: each step takes a fifth of the weight. */
const NICER = 10;
const MAX_NICE = 19;

type Scheduler = Pick<Libc, "allocate" | "setSchedulingAttributes">;

/**
 * Puts the calling thread before those that give way.
 * @param nice the process's value before any gave way: a thread begun after that has the nicer one, and may get this one
 * back only with privilege
 */
export function takePrecedence(libc: Scheduler, nice: number): void {
  if (!schedule(libc, 0, nice, ANSWERS_SLICE)) schedule(libc, 0, getPriority(0), ANSWERS_SLICE);
}

/**
 * Makes all threads of this process give way but some, and those that they begin from now on. For a process that is the
 * server and nothing else; once, for each time makes them nicer still.
 * @param answering the threads that do not, see {@link ownThreadId}; where there is none, nobody gives way
 */
export function giveWay(libc: Scheduler, answering: readonly number[]): void {
  if (answering.length === 0) return;
  const nice = Math.min(getPriority(0) + NICER, MAX_NICE);
  for (const thread of threadsOfProcess()) {
    if (!answering.includes(thread)) schedule(libc, thread, nice, OTHERS_SLICE);
  }
}

/** The system's number of the calling thread; undefined where there is no /proc. */
export function ownThreadId(): number | undefined {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return undefined;
  }
}

function threadsOfProcess(): readonly number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [];
  }
}

/** @param thread 0 for the calling one; @returns whether it is so */
function schedule(libc: Scheduler, thread: number, nice: number, slice: number): boolean {
  const { address, buffer } = libc.allocate(ATTRIBUTES);
  const view = new DataView(buffer);
  view.setUint32(At.SIZE, ATTRIBUTES, true);
  view.setBigUint64(At.FLAGS, KEEP_POLICY, true);
  view.setInt32(At.NICE, nice, true);
  view.setBigUint64(At.RUNTIME, BigInt(slice), true);
  return libc.setSchedulingAttributes(thread, address) === 0;
}
