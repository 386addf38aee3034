/** The C library as the answer threads call it, for suites that need it: `describe.runIf(native)`. */
import { type Libc, loadLibc } from "../../src/server/native/libc.ts";

const loaded = loadLibc();
/** Whether it can be called here. */
export const native = typeof loaded !== "string";
if (!native) process.stderr.write(`LEFT OUT: suites of the answer threads (${loaded as string})\n`);
export const libc = loaded as Libc;
