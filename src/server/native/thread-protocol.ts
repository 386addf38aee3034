/** What the control thread and its answer threads say to each other. */
import type { HashSeed } from "../../zone/image/hash.ts";
import { CONTROL } from "./batch.ts";
import type { NativeSocket } from "./socket.ts";
import { SOCKADDR_BYTES } from "./sockaddr.ts";

/** Milliseconds after which a thread with nothing to do looks for orders. */
export const ORDERS_INTERVAL = 100;

/** What a thread begins with. */
export interface ThreadStart {
  /** Its number among the readers of {@link epochs}. */
  readonly reader: number;
  readonly epochs: SharedArrayBuffer;
  readonly seed: HashSeed;
  /** {@link ThreadCounter} many doubles; only the thread writes them. */
  readonly counters: SharedArrayBuffer;
  /** One 32-bit word: how many orders were posted. The thread looks there before it looks into its port. */
  readonly posted: SharedArrayBuffer;
}

/** What a thread is to do from now on. The whole of it each time. */
export interface ThreadOrders {
  /** Counts up; the thread reports it back when it works by it. */
  readonly sequence: number;
  readonly identity: string;
  readonly zones: readonly { readonly apex: Uint8Array; readonly buffer: SharedArrayBuffer }[];
  readonly sockets: readonly NativeSocket[];
  /** End the thread. */
  readonly stop: boolean;
}

/** What a thread says. */
export type ThreadReport =
  /** Works by the orders of this number. */
  | { readonly kind: "ready"; readonly sequence: number }
  /** Messages that are no plain queries, in {@link HandoverItem} form one after another. */
  | { readonly kind: "handover"; readonly socket: NativeSocket; readonly items: Uint8Array };

/** Counters of a thread, by index. */
export const ThreadCounter = {
  RECEIVED: 0,
  /** Answered by the thread itself. */
  ANSWERED: 1,
  /** Shorter than a header, a response, or from a port that must not be answered. */
  IGNORED: 2,
  HANDED_OVER: 3,
  SEND_ERRORS: 4,
  BATCHES: 5,
} as const;
export const THREAD_COUNTERS = 6;

/** A message handed over: octet offsets in its item. The message itself follows the head, padded to 8 octets. */
export const HandoverItem = {
  LENGTH: 0, // u32
  CONTROL_LENGTH: 4, // u32
  ADDRESS: 8,
  CONTROL: 8 + SOCKADDR_BYTES + 4,
  HEAD: 8 + SOCKADDR_BYTES + 4 + CONTROL,
} as const;

/** Octets of an item with a message of this length. */
export function itemLength(messageLength: number): number {
  return (HandoverItem.HEAD + messageLength + 7) & ~7;
}
