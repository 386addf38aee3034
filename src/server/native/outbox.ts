/** Answers of the control thread to what answer threads handed over, on their way out by the sockets it came by. */
import { setImmediate } from "node:timers";
import type { ReplySink } from "../handler.ts";
import { DatagramBatch } from "./batch.ts";
import type { Libc } from "./libc.ts";
import type { NativeSocket } from "./socket.ts";
import { HandoverItem } from "./thread-protocol.ts";

/** Answers sent in one system call. */
const BATCH = 64;
/** Largest answer by UDP. */
const CAPACITY = 4096;

/** Those of one turn of the event loop leave together. */
export class Outbox {
  sent = 0;
  /** Not taken by the kernel, or for a socket that is closed. */
  errors = 0;
  readonly #open: ReadonlyMap<number, NativeSocket>;
  readonly #batch: DatagramBatch;
  #socket = 0;
  #count = 0;
  #scheduled = false;

  /** @param open sockets that may be sent on, by id: a descriptor may have become another's */
  constructor(libc: Libc, open: ReadonlyMap<number, NativeSocket>) {
    this.#open = open;
    this.#batch = new DatagramBatch(libc, BATCH, CAPACITY);
  }

  /** @param items the handover that holds the request, whose item begins at `item` */
  put(socket: number, message: Uint8Array, items: Uint8Array, item: number): void {
    if (message.length > CAPACITY) {
      this.errors++;
      return;
    }
    if (this.#count === BATCH || (this.#count > 0 && socket !== this.#socket)) this.flush();
    this.#socket = socket;
    this.#batch.buffers[this.#count]!.set(message);
    const controlLength = items[item + HandoverItem.CONTROL_LENGTH]!; // of 32 bits; it is small
    const address = item + HandoverItem.ADDRESS;
    this.#batch.aim(
      this.#count++,
      message.length,
      items,
      address,
      item + HandoverItem.CONTROL,
      controlLength,
    );
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
    const sent = socket === undefined ? 0 : this.#batch.send(socket.fd, this.#count);
    this.sent += sent;
    this.errors += this.#count - sent;
    this.#count = 0;
  }
}

/** Answers one message that was handed over, once. */
export class NativeSink implements ReplySink {
  #outbox: Outbox | undefined;
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
    const outbox = this.#outbox;
    this.#outbox = undefined;
    outbox?.put(this.#socket, message, this.#items, this.#item);
  }

  stream(messages: Iterable<Uint8Array>, done: (complete: boolean) => void): void {
    const outbox = this.#outbox;
    if (outbox === undefined) return;
    this.#outbox = undefined;
    let complete = false;
    try {
      for (const message of messages) outbox.put(this.#socket, message, this.#items, this.#item);
      complete = true;
    } finally {
      done(complete);
    }
  }

  drop(): void {
    this.#outbox = undefined;
  }
}
