/** Giving back memory that V8 does not know to be worth the trouble. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadLibc } from "./native/libc.ts";

type Collector = (options?: { readonly type: "major"; readonly flavor: "last-resort" }) => void;

/** In MiB, of one of its two halves. */
const SMALL_YOUNG_GENERATION = ["--min-semi-space-size=1", "--max-semi-space-size=1"];

let collector: Collector | undefined;

/**
 * Collects garbage in this thread, now. A dropped zone's shared memory lives until every thread that read it has let go
 * of it, and V8 counts shared memory for nothing when it decides whether to look: an answer thread, which allocates
 * next to nothing, would keep it for ever.
 */
export function collectGarbage(): void {
  theCollector()();
}

/**
 * Collects garbage and gives the memory back to the system, where otherwise V8 and the C library's allocator keep it at
 * hand, the allocator for ever; it takes some tens of milliseconds. For when much more was in use than will be again.
 */
export function giveMemoryBack(): void {
  theCollector()({ type: "major", flavor: "last-resort" });
  const libc = loadLibc();
  if (typeof libc !== "string") libc.trim();
}

/**
 * Lets threads that begin from now on have a heap for those who allocate next to nothing, whatever this thread was begun
 * with: V8 would give each of them as large a young generation, and what it has once touched it keeps.
 */
export function keepNewThreadsSmall(): void {
  for (const flag of SMALL_YOUNG_GENERATION) setFlagsFromString(flag);
}

function theCollector(): Collector {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as Collector;
  }
  return collector;
}
