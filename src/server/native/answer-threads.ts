/**
 * The control thread's side of the answer threads: it opens their sockets, tells them which zones to answer from, takes
 * what they hand over, sends the answers to that from the same sockets, and replaces a thread that dies.
 */
import { once } from "node:events";
import { setImmediate } from "node:timers";
import { Worker } from "node:worker_threads";
import type { Peer } from "../../protocol/context.ts";
import type { Epochs } from "../../zone/image/epochs.ts";
import type { HashSeed } from "../../zone/image/hash.ts";
import type { MessageHandler, ReplySink, TransportLog } from "../handler.ts";
import { plainAddress } from "../handler.ts";
import type { SharedZone, UdpCounters, UdpEndpoint, UdpTransport } from "../transport.ts";
import { DatagramBatch } from "./batch.ts";
import type { Libc } from "./libc.ts";
import type { NativeSocket } from "./socket.ts";
import { boundPort, openSocket } from "./socket.ts";
import { sockaddrAddress, sockaddrPort } from "./sockaddr.ts";
import type { ThreadOrders, ThreadReport, ThreadStart } from "./thread-protocol.ts";
import {
  HandoverItem,
  itemLength,
  ORDERS_INTERVAL,
  THREAD_COUNTERS,
  ThreadCounter,
} from "./thread-protocol.ts";

/** Answers sent by the control thread in one system call. */
const SEND_BATCH = 64;
/** Largest answer the control thread sends by UDP. */
const SEND_CAPACITY = 4096;
/** Milliseconds before a thread that died is replaced: one that dies at once must not keep the machine busy. */
const REPLACE_DELAY = 100;

export interface AnswerThreadsOptions {
  readonly libc: Libc;
  readonly threads: number;
  readonly seed: HashSeed;
  /** Shared by all images. */
  readonly epochs: Epochs;
  /** Takes what is no plain query. */
  readonly handler: MessageHandler;
  readonly log: TransportLog;
}

interface Thread {
  readonly reader: number;
  readonly counters: Float64Array<SharedArrayBuffer>;
  readonly posted: Int32Array<SharedArrayBuffer>;
  worker: Worker;
  /** The orders it works by. */
  obeyed: number;
  /** One for each address, in the order the addresses were opened. */
  sockets: NativeSocket[];
}

export class AnswerThreads implements UdpTransport {
  /** Threads that died and were replaced. */
  replaced = 0;
  readonly #options: AnswerThreadsOptions;
  readonly #threads: Thread[] = [];
  /** Sockets that may be sent on, by id: a descriptor may have become another's. */
  readonly #open = new Map<number, NativeSocket>();
  readonly #outbox: Outbox;
  #zones: readonly SharedZone[] = [];
  #identity = "";
  #sequence = 0;
  #waiting: { readonly sequence: number; readonly resolve: () => void }[] = [];
  #closing = false;

  constructor(options: AnswerThreadsOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.libc, this.#open);
    for (let reader = 0; reader < options.threads; reader++) {
      const counters = new Float64Array(new SharedArrayBuffer(THREAD_COUNTERS * 8));
      const posted = new Int32Array(new SharedArrayBuffer(4));
      const thread: Thread = { reader, counters, posted, worker: undefined!, obeyed: 0, sockets: [] };
      this.#spawn(thread);
      this.#threads.push(thread);
    }
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
      sent: this.#sum(ThreadCounter.ANSWERED) + this.#outbox.sent,
      sendErrors: this.#sum(ThreadCounter.SEND_ERRORS) + this.#outbox.errors,
    };
  }

  async open(address: string, port: number): Promise<UdpEndpoint> {
    const { libc } = this.#options;
    // Alone first: sockets that share would join those of another server instead of failing.
    const probe = openSocket(libc, address, port, { wait: ORDERS_INTERVAL, share: false });
    const taken = boundPort(libc, probe);
    libc.close(probe.fd);
    const sockets: NativeSocket[] = [];
    try {
      for (const _ of this.#threads) {
        sockets.push(openSocket(libc, address, taken, { wait: ORDERS_INTERVAL, share: true }));
      }
    } catch (error) {
      for (const { fd } of sockets) libc.close(fd);
      throw error;
    }
    for (const [i, socket] of sockets.entries()) {
      this.#open.set(socket.id, socket);
      this.#threads[i]!.sockets.push(socket);
    }
    await this.#order();
    return {
      port: taken,
      close: async () => {
        for (const thread of this.#threads) {
          thread.sockets = thread.sockets.filter((socket) => !sockets.includes(socket));
        }
        await this.#order();
        this.#outbox.flush();
        for (const { fd, id } of sockets) {
          this.#open.delete(id);
          libc.close(fd);
        }
      },
    };
  }

  async serve(zones: readonly SharedZone[], identity: string): Promise<void> {
    this.#zones = zones;
    this.#identity = identity;
    await this.#order();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#sequence++;
    await Promise.all(
      this.#threads.map(async (thread) => {
        const ended = once(thread.worker, "exit");
        this.#post(thread);
        await ended;
      }),
    );
  }

  /** Tells every thread what is to be done now. Resolves when all do it. */
  #order(): Promise<void> {
    const sequence = ++this.#sequence;
    for (const thread of this.#threads) this.#post(thread);
    return new Promise((resolve) => {
      this.#waiting.push({ sequence, resolve });
      this.#settle();
    });
  }

  #post(thread: Thread): void {
    const orders: ThreadOrders = {
      sequence: this.#sequence,
      identity: this.#identity,
      zones: this.#zones.map(({ apex, buffer }) => ({ apex: apex.wire, buffer })),
      sockets: thread.sockets,
      stop: this.#closing,
    };
    thread.worker.postMessage(orders);
    Atomics.add(thread.posted, 0, 1);
    Atomics.notify(thread.posted, 0);
  }

  #settle(): void {
    const obeyed = Math.min(...this.#threads.map((thread) => thread.obeyed));
    this.#waiting = this.#waiting.filter(({ sequence, resolve }) => {
      if (sequence > obeyed) return true;
      resolve();
      return false;
    });
  }

  #spawn(thread: Thread): void {
    const { seed, epochs, log } = this.#options;
    const workerData: ThreadStart = {
      reader: thread.reader,
      epochs: epochs.buffer,
      seed,
      counters: thread.counters.buffer,
      posted: thread.posted.buffer,
    };
    const own = import.meta.url;
    const worker = new Worker(new URL(`./answer-thread${own.slice(own.lastIndexOf("."))}`, own), {
      workerData,
      name: `answer ${thread.reader}`,
    });
    thread.worker = worker;
    worker.on("message", (report: ThreadReport) => this.#heard(thread, report));
    worker.on("error", (error) => log.warn({ err: error, thread: thread.reader }, "an answer thread failed"));
    worker.on("exit", () => this.#ended(thread));
  }

  #heard(thread: Thread, report: ThreadReport): void {
    if (report.kind === "handover") {
      this.#takeOver(report.socket, report.items);
      return;
    }
    thread.obeyed = report.sequence;
    this.#settle();
  }

  #ended(thread: Thread): void {
    if (this.#closing) return;
    this.#options.epochs.leave(thread.reader);
    this.replaced++;
    setTimeout(() => {
      if (this.#closing) return;
      this.#spawn(thread);
      this.#post(thread);
    }, REPLACE_DELAY);
  }

  #takeOver(socket: NativeSocket, items: Uint8Array): void {
    const view = new DataView(items.buffer, items.byteOffset, items.byteLength);
    for (let at = 0; at < items.length;) {
      const length = view.getUint32(at + HandoverItem.LENGTH, true);
      const message = items.subarray(at + HandoverItem.HEAD, at + HandoverItem.HEAD + length);
      const peer: Peer = {
        address: plainAddress(sockaddrAddress(items, at + HandoverItem.ADDRESS)),
        port: sockaddrPort(items, at + HandoverItem.ADDRESS),
        transport: "udp",
      };
      this.#options.handler(message, peer, new NativeSink(this.#outbox, socket.id, items, at));
      at += itemLength(length);
    }
  }

  #sum(counter: number): number {
    return this.#threads.reduce((sum, { counters }) => sum + counters[counter]!, 0);
  }
}

/** Answers one message that was handed over. */
class NativeSink implements ReplySink {
  readonly #outbox: Outbox;
  readonly #socket: number;
  readonly #items: Uint8Array;
  readonly #item: number;

  constructor(outbox: Outbox, socket: number, items: Uint8Array, item: number) {
    this.#outbox = outbox;
    this.#socket = socket;
    this.#items = items;
    this.#item = item;
  }

  send(message: Uint8Array): void {
    this.#outbox.put(this.#socket, message, this.#items, this.#item);
  }

  stream(messages: Iterable<Uint8Array>, done: (complete: boolean) => void): void {
    for (const message of messages) this.send(message);
    done(true);
  }

  drop(): void {
    // nothing is held
  }
}

/** Answers of the control thread on their way: those of one turn of the event loop leave together. */
class Outbox {
  sent = 0;
  errors = 0;
  readonly #libc: Libc;
  readonly #open: ReadonlyMap<number, NativeSocket>;
  readonly #batch: DatagramBatch;
  #socket = 0;
  #count = 0;
  #scheduled = false;

  constructor(libc: Libc, open: ReadonlyMap<number, NativeSocket>) {
    this.#libc = libc;
    this.#open = open;
    this.#batch = new DatagramBatch(libc, SEND_BATCH, SEND_CAPACITY);
  }

  /** @param items the handover that holds the request, whose item begins at `item` */
  put(socket: number, message: Uint8Array, items: Uint8Array, item: number): void {
    if (message.length > SEND_CAPACITY) {
      this.errors++;
      return;
    }
    if (this.#count === SEND_BATCH || (this.#count > 0 && socket !== this.#socket)) this.flush();
    this.#socket = socket;
    this.#batch.buffers[this.#count]!.set(message);
    const control = items[item + HandoverItem.CONTROL_LENGTH]!;
    const from = item + HandoverItem.ADDRESS;
    this.#batch.aim(this.#count++, message.length, items, from, item + HandoverItem.CONTROL, control);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#count === 0) return;
    const socket = this.#open.get(this.#socket);
    const sent = socket === undefined ? 0 : this.#batch.send(this.#libc, socket.fd, this.#count);
    this.sent += sent;
    this.errors += this.#count - sent;
    this.#count = 0;
  }
}
