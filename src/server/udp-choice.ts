/** Chooses how UDP is done: answer threads where the machine allows them, else Node's `dgram`. */
import { availableParallelism } from "node:os";
import { MAX_READERS } from "../zone/image/epochs.ts";
import type { AnswerThreadsOptions } from "./native/answer-threads.ts";
import { AnswerThreads } from "./native/answer-threads.ts";
import { loadLibc } from "./native/libc.ts";
import { PortableUdp } from "./portable-udp.ts";
import type { UdpTransport } from "./transport.ts";

/** Set to 1, it makes the portable transport serve where the other could: for tests and comparisons. */
const PORTABLE_VARIABLE = "ROLLCALL_PORTABLE_UDP";

/**
 * @param threads as configured; 0 takes all of the machine's processors but one, which is the control thread's
 */
export function openUdp(
  threads: number,
  options: Omit<AnswerThreadsOptions, "libc" | "threads">,
): UdpTransport {
  const libc = process.env[PORTABLE_VARIABLE] === "1" ? `${PORTABLE_VARIABLE} is set` : loadLibc();
  if (typeof libc === "string") return new PortableUdp(libc, options.handler, options.log);
  const count = threads === 0 ? Math.max(1, availableParallelism() - 1) : threads;
  return new AnswerThreads({ ...options, libc, threads: Math.min(count, MAX_READERS) });
}
