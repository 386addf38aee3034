/** Giving back memory that V8 does not know to be worth the trouble. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collector = (options?: { readonly type: "major"; readonly flavor: "last-resort" }) => void;

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
 * Collects garbage and gives the memory back to the system, where otherwise V8 keeps it at hand for some time; it takes
 * some tens of milliseconds. For when much more was in use than will be again.
 */
export function giveMemoryBack(): void {
  theCollector()({ type: "major", flavor: "last-resort" });
}

function theCollector(): Collector {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as Collector;
  }
  return collector;
}
