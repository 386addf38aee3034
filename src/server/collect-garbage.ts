/** Giving back memory that V8 does not know to be worth the trouble. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collector: (() => void) | undefined;

/**
 * Collects garbage in this thread, now. A dropped zone's shared memory lives until every thread that read it has let go
 * of it, and V8 counts shared memory for nothing when it decides whether to look: an answer thread, which allocates
 * next to nothing, would keep it for ever.
 */
export function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as () => void;
  }
  collector();
}
