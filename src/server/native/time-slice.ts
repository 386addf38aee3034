/**
 * How long an answer thread may run before another has its turn, asked of the scheduler (Linux 6.12 and later). A thread
 * with a short slice runs as soon as it has something to do, in the middle of another's longer one: without it a question
 * that comes while the control thread commits on the same core waits until that one's slice is over, some milliseconds.
 */
import { getPriority } from "node:os";
import type { Libc } from "./libc.ts";

/** `struct sched_attr` in its first version (linux/sched/types.h). */
const ATTRIBUTES = 48;
const At = { SIZE: 0, NICE: 16, RUNTIME: 24 } as const;
/** The shortest there is, in nanoseconds. An answer takes a few microseconds, a batch of them some hundred. */
const SLICE = 100_000;

/**
 * Asks for a short slice for the calling thread, its nice value as it is. Where the kernel knows of no such thing, or does
 * not allow it, everything stays as it is.
 */
export function shortenTimeSlice(libc: Pick<Libc, "allocate" | "setSchedulingAttributes">): void {
  const { address, buffer } = libc.allocate(ATTRIBUTES);
  const view = new DataView(buffer);
  view.setUint32(At.SIZE, ATTRIBUTES, true);
  view.setInt32(At.NICE, getPriority(0), true);
  view.setBigUint64(At.RUNTIME, BigInt(SLICE), true);
  libc.setSchedulingAttributes(address);
}
