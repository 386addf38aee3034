/** What the listeners ask of UDP, whichever way it is done: by answer threads on Linux, or by Node's `dgram`. */
import type { StoredAnswer } from "../forward/stored-answer.ts";
import type { Name } from "../wire/name.ts";
import type { ServedImage } from "../zone/zone-set.ts";

/** Datagrams since the start. */
export interface UdpCounters {
  received: number;
  /** Shorter than a header, responses, or from a port that must not be answered. */
  ignored: number;
  /** Not looked at: more waited for the control thread than it may. */
  dropped: number;
  sent: number;
  sendErrors: number;
  receiveErrors: number;
}

export function noDatagrams(): UdpCounters {
  return { received: 0, ignored: 0, dropped: 0, sent: 0, sendErrors: 0, receiveErrors: 0 };
}

/** One address being answered on. */
export interface UdpEndpoint {
  readonly port: number;
  /** Stops receiving; answers still to come are lost. */
  close(): Promise<void>;
}

/** A zone as answer threads get it: the image's shared memory beside its reader. */
export interface SharedZone extends ServedImage {
  readonly buffer: SharedArrayBuffer;
}

/** Names that other servers are asked about, and for whom. */
export interface Elsewhere {
  readonly suffixes: readonly Name[];
  /** Networks of the clients of each forward, in CIDR form. */
  readonly clients: readonly (readonly string[])[];
  /** Another one where forwards have changed: answers of the one before are not to be given any more. */
  readonly generation: number;
}

export const NOWHERE: Elsewhere = { suffixes: [], clients: [], generation: 0 };

/** An answer of another server that is worth having at hand. */
export interface RememberedAnswer {
  /** Of the question, see `forward/asked`. */
  readonly key: string;
  readonly answer: StoredAnswer;
  /** Milliseconds since it was given. */
  readonly age: number;
  /** Index in {@link Elsewhere.clients} of those it is for. */
  readonly group: number;
  readonly generation: number;
}

export interface UdpTransport {
  /** For `rollcall status`: which way it is done, e.g. `2 answer threads (recvmmsg)`. */
  readonly description: string;
  readonly counters: Readonly<UdpCounters>;
  /** Plain queries answered without the handler. */
  readonly answered: number;
  /**
   * Begins to serve an address; port 0 takes a free one.
   * @throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) where it cannot be had
   */
  open(address: string, port: number): Promise<UdpEndpoint>;
  /**
   * Answers from exactly these zones, and gives this identity; what is elsewhere goes to the handler. Resolves when all
   * of it is in force.
   */
  serve(zones: readonly SharedZone[], identity: string, elsewhere?: Elsewhere): Promise<void>;
  /** An answer that is asked for often: may be given without the handler from now on, while it holds. */
  remember(answer: RememberedAnswer): void;
  /** Given so. */
  readonly recalled: number;
  /** Queries for what is elsewhere, of clients that nobody is asked for: refused without the handler. */
  readonly strangers: number;
  /**
   * Lets questions go before everything else this process does where they share a core. For a process that is the server
   * and nothing else; once, when the zones are served.
   */
  preferAnswers(): void;
  /** After all endpoints are closed. */
  close(): Promise<void>;
}
