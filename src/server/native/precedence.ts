/**
 * Who comes first where answer threads share a core with the rest of this process: with the control thread, which may
 * compute for tens of milliseconds at a time, and with V8's helpers. The scheduler (EEVDF, Linux 6.6 and later) lets a
 * thread that wakes up interrupt another only while it is not ahead of its share; where it is, nobody looks again before
 * the next tick, milliseconds later. An answer thread that answered a moment ago is ahead, and the longer so, the more
 * the others weigh. So the others are made nicer, which needs no privilege: they weigh a tenth of an answer thread. They
 * still have all that it leaves, and a tenth of the core where questions would take the whole of it.
 *
 * Where the system knows of no such thing, or does not allow it, everything stays as it is.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import type { Libc } from "./libc.ts";

/** How much nicer the others are: each step takes a fifth of the weight. */
const NICER = 10;
const MAX_NICE = 19;

/** `struct sched_attr` in its first version (linux/sched/types.h). */
const ATTRIBUTES = 48;
const At = { SIZE: 0, FLAGS: 8, NICE: 16, RUNTIME: 24 } as const;
/** Whatever policy the process was begun with stays; where it has no nice values (real time) the call is refused. */
const KEEP_POLICY = 8n;
/** The shortest there is, in nanoseconds. An answer takes a few microseconds, a batch of them some hundred. */
const SLICE = 100_000;

/**
 * Puts the calling thread before those that give way, and asks for a short slice for it (Linux 6.12 and later): who has a
 * shorter one is served sooner, not more.
 * @param nice the process's value before any gave way: a thread begun after that has the nicer one, and may get this one
 * back only with privilege
 */
export function takePrecedence(libc: Pick<Libc, "allocate" | "setSchedulingAttributes">, nice: number): void {
  const { address, buffer } = libc.allocate(ATTRIBUTES);
  const view = new DataView(buffer);
  view.setUint32(At.SIZE, ATTRIBUTES, true);
  view.setBigUint64(At.FLAGS, KEEP_POLICY, true);
  view.setInt32(At.NICE, nice, true);
  view.setBigUint64(At.RUNTIME, BigInt(SLICE), true);
  if (libc.setSchedulingAttributes(address) === 0) return;
  view.setInt32(At.NICE, getPriority(0), true);
  libc.setSchedulingAttributes(address);
}

/**
 * Makes all threads of this process give way but some, and with them those that they begin from now on. For a process
 * that is the server and nothing else; once, for each time makes them nicer still.
 * @param answering the threads that do not, see {@link ownThreadId}; where there is none, nobody gives way
 */
export function giveWay(answering: readonly number[]): void {
  if (answering.length === 0) return;
  const nice = Math.min(getPriority(0) + NICER, MAX_NICE);
  for (const thread of threadsOfProcess()) {
    if (answering.includes(thread)) continue;
    try {
      // To Linux's setpriority(2) a thread's number is as good as a process's, and means that thread alone.
      setPriority(thread, nice);
    } catch {
      // It has ended meanwhile, or is not to be changed.
    }
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
