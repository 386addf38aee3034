/**
 * The control thread's side of the answer threads: it opens their sockets, tells them which zones to answer from, takes
 * what they hand over, sends the answers to that from the same sockets, and replaces a thread that dies.
 */
import { once } from "node:events";
import { availableParallelism, getPriority } from "node:os";
import { Worker } from "node:worker_threads";
import type { Peer } from "../../protocol/context.ts";
import type { Epochs } from "../../zone/image/epochs.ts";
import type { HashSeed } from "../../zone/image/hash.ts";
import { keepNewThreadsSmall } from "../collect-garbage.ts";
import type { MessageHandler, TransportLog } from "../handler.ts";
import { plainAddress } from "../handler.ts";
import { NOWHERE } from "../transport.ts";
import type {
  Elsewhere,
  RememberedAnswer,
  SharedZone,
  UdpCounters,
  UdpEndpoint,
  UdpTransport,
} from "../transport.ts";
import type { Libc } from "./libc.ts";
import { NativeSink, Outbox } from "./outbox.ts";
import { giveWay } from "./precedence.ts";
import type { NativeSocket } from "./socket.ts";
import { boundPort, openSockets } from "./socket.ts";
import { SOCKADDR_BYTES, sockaddrAddress, sockaddrPort } from "./sockaddr.ts";
import type { ThreadMessage, ThreadOrders, ThreadReport, ThreadStart } from "./thread-protocol.ts";
import {
  HandoverItem,
  itemLength,
  MAILBOX_WORDS,
  MailboxWord,
  ORDERS_INTERVAL,
  THREAD_COUNTERS,
  ThreadCounter,
} from "./thread-protocol.ts";

/** Milliseconds before a thread that died is replaced; each time twice as many, for one that dies again and again. */
const REPLACE_DELAY = 100;
const MAX_REPLACE_DELAY = 5_000;
/** A thread that lived for so many milliseconds is replaced as if none had died before it. */
const LONG_LIFE = 60_000;
/** Milliseconds a thread gets to end by itself: far more than the one batch it may be at. */
const STOP_PATIENCE = 2_000;

export interface AnswerThreadsOptions {
  readonly libc: Libc;
  readonly threads: number;
  readonly seed: HashSeed;
  /** Shared by all images. */
  readonly epochs: Epochs;
  /** Takes what is no plain query. */
  readonly handler: MessageHandler;
  readonly log: TransportLog;
  /** Starts a thread. */
  readonly newWorker?: (start: ThreadStart, name: string) => Worker;
}

interface Thread {
  /** Its number among the readers of the images. */
  readonly reader: number;
  readonly counters: Float64Array<SharedArrayBuffer>;
  /** One for each address, in the order the addresses were opened. They outlive the worker. */
  sockets: NativeSocket[];
  /** Undefined between its death and its replacement. */
  running: Running | undefined;
  /** Whether a worker of its ever came so far as to obey orders. */
  proven: boolean;
  replaceDelay: number;
}

interface Running {
  readonly worker: Worker;
  readonly mailbox: Int32Array<SharedArrayBuffer>;
  /** Milliseconds of `performance.now`. */
  readonly since: number;
  /** The orders it works by. */
  obeyed: number;
  /** The system's number of it; undefined until it obeys, or where that cannot be told. */
  id: number | undefined;
}

/** Someone who waits until all threads work by some orders. */
interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class AnswerThreads implements UdpTransport {
  /** Threads that died and were replaced. */
  replaced = 0;
  readonly #options: AnswerThreadsOptions;
  readonly #threads: readonly Thread[];
  readonly #open = new Map<number, NativeSocket>();
  readonly #outbox: Outbox;
  #zones: readonly SharedZone[] = [];
  #identity = "";
  #elsewhere: Elsewhere = NOWHERE;
  /** Zones that went since the start. */
  #dropped = 0;
  #sequence = 0;
  #waiting: Waiter[] = [];
  readonly #replacements = new Set<NodeJS.Timeout>();
  /** The process's, as it was begun with. */
  readonly #nice = getPriority(0);
  #closing = false;

  constructor(options: AnswerThreadsOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.libc, this.#open);
    this.#threads = Array.from({ length: options.threads }, (_, reader) => ({
      reader,
      counters: new Float64Array(new SharedArrayBuffer(THREAD_COUNTERS * Float64Array.BYTES_PER_ELEMENT)),
      sockets: [],
      running: undefined,
      proven: false,
      replaceDelay: REPLACE_DELAY,
    }));
    for (const thread of this.#threads) this.#spawn(thread);
  }

  get description(): string {
    const count = this.#threads.length;
    const replaced = this.replaced === 0 ? "" : `, ${this.replaced} replaced`;
    return `${count} answer thread${count === 1 ? "" : "s"} (recvmmsg)${replaced}`;
  }

  /** Plain queries the threads answered by themselves. */
  get answered(): number {
    return this.#sum(ThreadCounter.ANSWERED);
  }

  get counters(): UdpCounters {
    return {
      received: this.#sum(ThreadCounter.RECEIVED),
      ignored: this.#sum(ThreadCounter.IGNORED),
      dropped: this.#sum(ThreadCounter.DROPPED),
      sent: this.#sum(ThreadCounter.ANSWERED) + this.#outbox.sent,
      sendErrors: this.#sum(ThreadCounter.SEND_ERRORS) + this.#outbox.errors,
      receiveErrors: this.#sum(ThreadCounter.RECEIVE_ERRORS),
    };
  }

  /** What comes from now on waits in the sockets until the threads look there, in {@link ORDERS_INTERVAL} at most. */
  async open(address: string, port: number): Promise<UdpEndpoint> {
    const { libc } = this.#options;
    const count = this.#threads.length;
    const sockets = openSockets(libc, address, port, { count, wait: ORDERS_INTERVAL });
    for (const [i, socket] of sockets.entries()) {
      this.#open.set(socket.id, socket);
      this.#threads[i]!.sockets.push(socket);
    }
    this.#post();
    return { port: boundPort(libc, sockets[0]!), close: () => this.#close(sockets) };
  }

  async serve(zones: readonly SharedZone[], identity: string, elsewhere: Elsewhere = NOWHERE): Promise<void> {
    this.#dropped += this.#zones.filter((old) => !zones.some(({ buffer }) => buffer === old.buffer)).length;
    this.#zones = zones;
    this.#identity = identity;
    this.#elsewhere = elsewhere;
    await this.#order();
  }

  /** Answers given with what another server had said. */
  get recalled(): number {
    return this.#sum(ThreadCounter.RECALLED);
  }

  get strangers(): number {
    return this.#sum(ThreadCounter.STRANGERS);
  }

  remember(answer: RememberedAnswer): void {
    for (const { running } of this.#threads) {
      if (running !== undefined) send(running.worker, running.mailbox, { kind: "answer", answer });
    }
  }

  /** Where there are cores enough the scheduler spreads the threads over them, and nobody has to give way. */
  preferAnswers(): void {
    if (availableParallelism() > this.#threads.length) return;
    const answering = this.#threads.flatMap(({ running }) => running?.id ?? []);
    giveWay(answering);
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#replacements) clearTimeout(timer);
    this.#post();
    const workers = this.#threads.flatMap(({ running }) => (running === undefined ? [] : [running.worker]));
    await Promise.all(workers.map(ended));
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  async #close(sockets: readonly NativeSocket[]): Promise<void> {
    for (const thread of this.#threads) {
      thread.sockets = thread.sockets.filter((socket) => !sockets.includes(socket));
    }
    await this.#order();
    this.#outbox.flush();
    for (const { fd, id } of sockets) {
      this.#open.delete(id);
      this.#options.libc.close(fd);
    }
  }

  /** Tells every thread what is to be done now. Resolves when all do it; a dead one's replacement begins with it. */
  #order(): Promise<void> {
    this.#post();
    const sequence = this.#sequence;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sequence, resolve, reject });
      this.#settle();
    });
  }

  #post(): void {
    this.#sequence++;
    for (const { running, sockets } of this.#threads) if (running !== undefined) this.#tell(running, sockets);
  }

  #tell({ worker, mailbox }: Running, sockets: readonly NativeSocket[]): void {
    const orders: ThreadOrders = {
      sequence: this.#sequence,
      identity: this.#identity,
      zones: this.#zones.map(({ apex, buffer, near }) => ({ apex: apex.wire, buffer, near })),
      elsewhere: {
        suffixes: this.#elsewhere.suffixes.map(({ wire }) => wire),
        clients: this.#elsewhere.clients,
        generation: this.#elsewhere.generation,
      },
      dropped: this.#dropped,
      sockets,
      stop: this.#closing,
    };
    send(worker, mailbox, { kind: "orders", orders });
  }

  #settle(): void {
    const obeyed = Math.min(...this.#threads.map(({ running }) => running?.obeyed ?? this.#sequence));
    this.#waiting = this.#waiting.filter(({ sequence, resolve }) => {
      if (sequence > obeyed) return true;
      resolve();
      return false;
    });
  }

  #spawn(thread: Thread): void {
    const { seed, epochs, log, newWorker = startWorker } = this.#options;
    const mailbox = new Int32Array(new SharedArrayBuffer(MAILBOX_WORDS * Int32Array.BYTES_PER_ELEMENT));
    const start: ThreadStart = {
      reader: thread.reader,
      epochs: epochs.buffer,
      seed,
      counters: thread.counters.buffer,
      mailbox: mailbox.buffer,
      nice: this.#nice,
    };
    const worker = newWorker(start, `answer ${thread.reader}`);
    const running: Running = { worker, mailbox, since: performance.now(), obeyed: 0, id: undefined };
    thread.running = running;
    let failure: Error | undefined;
    worker.on("message", (report: ThreadReport) => this.#heard(thread, running, report));
    worker.on("error", (error: Error) => {
      failure = error;
      log.warn({ err: error, thread: thread.reader }, "an answer thread failed");
    });
    worker.on("exit", () => this.#died(thread, running, failure));
    this.#tell(running, thread.sockets);
  }

  #heard(thread: Thread, running: Running, report: ThreadReport): void {
    if (report.kind === "handover") {
      Atomics.sub(running.mailbox, MailboxWord.HANDED_OVER, report.items.length);
      this.#takeOver(report.socket, report.items);
      return;
    }
    thread.proven = true;
    running.obeyed = report.sequence;
    running.id = report.thread;
    this.#settle();
  }

  #died(thread: Thread, { since }: Running, failure: Error | undefined): void {
    thread.running = undefined;
    this.#options.epochs.leave(thread.reader);
    if (this.#closing) return;
    if (!thread.proven) {
      // It would fail again: whoever waits for it must be told.
      const error = new Error("answer threads cannot be started", { cause: failure });
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    }
    this.#settle();
    this.replaced++;
    if (performance.now() - since > LONG_LIFE) thread.replaceDelay = REPLACE_DELAY;
    const timer = setTimeout(() => {
      this.#replacements.delete(timer);
      this.#spawn(thread);
    }, thread.replaceDelay);
    this.#replacements.add(timer);
    thread.replaceDelay = Math.min(MAX_REPLACE_DELAY, thread.replaceDelay * 2);
  }

  #takeOver(socket: number, items: Uint8Array): void {
    const view = new DataView(items.buffer, items.byteOffset, items.byteLength);
    let peer: Peer | undefined;
    let peerAt = 0;
    for (let at = 0; at < items.length;) {
      const length = view.getUint32(at + HandoverItem.LENGTH, true);
      const message = items.subarray(at + HandoverItem.HEAD, at + HandoverItem.HEAD + length);
      const addressAt = at + HandoverItem.ADDRESS;
      // Often many come from one peer: its address is made text once.
      if (peer === undefined || !sameSockaddr(items, peerAt, addressAt)) {
        const address = plainAddress(sockaddrAddress(items, addressAt));
        peer = { address, port: sockaddrPort(items, addressAt), transport: "udp" };
        peerAt = addressAt;
      }
      this.#options.handler(message, peer, new NativeSink(this.#outbox, socket, items, at));
      at += itemLength(length);
    }
  }

  #sum(counter: number): number {
    return this.#threads.reduce((sum, { counters }) => sum + counters[counter]!, 0);
  }
}

/** Whether two socket addresses of one handover are the same to the octet. */
function sameSockaddr(items: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < SOCKADDR_BYTES; i++) if (items[a + i] !== items[b + i]) return false;
  return true;
}

/** The thread looks into its port when the mailbox has counted up. */
function send(worker: Worker, mailbox: Int32Array, message: ThreadMessage): void {
  worker.postMessage(message);
  Atomics.add(mailbox, MailboxWord.POSTED, 1);
  Atomics.notify(mailbox, MailboxWord.POSTED);
}

function startWorker(start: ThreadStart, name: string): Worker {
  keepNewThreadsSmall();
  const own = import.meta.url;
  const url = new URL(`./answer-thread${own.slice(own.lastIndexOf("."))}`, own);
  return new Worker(url, { workerData: start, name });
}

/** Resolves when a worker that was told to stop has; one that does not in time is stopped. */
async function ended(worker: Worker): Promise<void> {
  const timer = setTimeout(() => void worker.terminate(), STOP_PATIENCE);
  await once(worker, "exit");
  clearTimeout(timer);
}
