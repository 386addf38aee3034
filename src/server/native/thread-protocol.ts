/** What the control thread and its answer threads say to each other. */
import type { HashSeed } from "../../zone/image/hash.ts";
import type { NearNetworks } from "../../zone/near.ts";
import type { RememberedAnswer } from "../transport.ts";
import { CONTROL } from "./batch.ts";
import type { NativeSocket } from "./socket.ts";
import { SOCKADDR_BYTES } from "./sockaddr.ts";

/** Milliseconds after which a thread with nothing to do looks for orders. */
export const ORDERS_INTERVAL = 100;
/**
 * Octets of {@link HandoverItem}s from one thread that may wait for the control thread. What comes beyond is dropped, as
 * a full receive buffer would drop it; its clients ask again.
 */
export const MAX_HANDED_OVER = 8 * 1024 * 1024;

/** What a thread begins with. */
export interface ThreadStart {
  /** Its number among the readers of {@link epochs}. */
  readonly reader: number;
  readonly epochs: SharedArrayBuffer;
  readonly seed: HashSeed;
  /** {@link ThreadCounter} many doubles; only the thread writes them. */
  readonly counters: SharedArrayBuffer;
  /** {@link MailboxWord} many 32-bit words. */
  readonly mailbox: SharedArrayBuffer;
  /** The nice value it is to work at where it may. */
  readonly nice: number;
}

/** Words of a thread's mailbox, by index. */
export const MailboxWord = {
  /** How many orders were posted. The thread looks there before it looks into its port. */
  POSTED: 0,
  /** Octets handed over that the control thread has not yet taken. */
  HANDED_OVER: 1,
} as const;
export const MAILBOX_WORDS = 2;

/** What a thread is to do from now on. The whole of it each time. */
export interface ThreadOrders {
  /** Counts up; the thread reports it back when it works by it. */
  readonly sequence: number;
  readonly identity: string;
  readonly zones: readonly {
    readonly apex: Uint8Array;
    readonly buffer: SharedArrayBuffer;
    readonly near: NearNetworks | undefined;
  }[];
  /** See `Elsewhere` in `server/transport`. */
  readonly elsewhere: {
    readonly suffixes: readonly Uint8Array[];
    readonly clients: readonly (readonly string[])[];
    readonly generation: number;
  };
  /** How many zones went since the start: where there are more, their memory is to be let go. */
  readonly dropped: number;
  readonly sockets: readonly NativeSocket[];
  /** End the thread. */
  readonly stop: boolean;
}

/** What a thread is told. */
export type ThreadMessage =
  | { readonly kind: "orders"; readonly orders: ThreadOrders }
  | { readonly kind: "answer"; readonly answer: RememberedAnswer };

/** What a thread says. */
export type ThreadReport =
  /** Works by the orders of this number, as this thread of the system's. */
  | { readonly kind: "ready"; readonly sequence: number; readonly thread: number | undefined }
  /** Messages that came by the socket of this id and are no plain queries, as {@link HandoverItem}s end to end. */
  | { readonly kind: "handover"; readonly socket: number; readonly items: Uint8Array };

/** Counters of a thread, by index. */
export const ThreadCounter = {
  RECEIVED: 0,
  /** Answered by the thread itself. */
  ANSWERED: 1,
  /** Shorter than a header, a response, or from a port that must not be answered. */
  IGNORED: 2,
  HANDED_OVER: 3,
  /** For the control thread, which had {@link MAX_HANDED_OVER} to do. */
  DROPPED: 4,
  SEND_ERRORS: 5,
  /** Receive calls that failed, those with nothing to receive not counted. */
  RECEIVE_ERRORS: 6,
  /** Receive calls that brought something. */
  BATCHES: 7,
  /** Of those answered, with what another server had said. */
  RECALLED: 8,
  /** Of those answered, refused what is elsewhere. */
  STRANGERS: 9,
} as const;
export const THREAD_COUNTERS = 10;

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
