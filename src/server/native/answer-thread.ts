/**
 * An answer thread: receives datagrams in batches, answers plain queries from the zone images, hands everything else to
 * the control thread. It owns nothing and writes nothing that others read but its counters. Between two batches it looks
 * for orders. Nothing in the loop allocates but a handover.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { NOT_A_QUERY, QueryAnswerer, SILENCE } from "../../protocol/query.ts";
import { MAX_UDP_PAYLOAD } from "../../wire/edns.ts";
import { Name } from "../../wire/name.ts";
import { HEADER_LENGTH } from "../../wire/writer.ts";
import { Epochs } from "../../zone/image/epochs.ts";
import { ImageReader } from "../../zone/image/reader.ts";
import { ZoneSet } from "../../zone/zone-set.ts";
import { isUnansweredPort } from "../handler.ts";
import { DatagramBatch } from "./batch.ts";
import type { Libc } from "./libc.ts";
import { loadLibc, MSG_DONTWAIT, MSG_WAITFORONE, POLLIN } from "./libc.ts";
import type { NativeSocket } from "./socket.ts";
import { SOCKADDR_BYTES, sockaddrPort } from "./sockaddr.ts";
import type { ThreadOrders, ThreadReport, ThreadStart } from "./thread-protocol.ts";
import { HandoverItem, itemLength, ORDERS_INTERVAL, ThreadCounter } from "./thread-protocol.ts";

/** Messages of one batch. */
const BATCH = 64;
/** Largest datagram there is. */
const RECEIVE_CAPACITY = 65_536;
/** Sockets of one thread. */
const MAX_SOCKETS = 64;

class AnswerThread {
  readonly #libc: Libc;
  readonly #start: ThreadStart;
  readonly #epochs: Epochs;
  readonly #counters: Float64Array;
  readonly #posted: Int32Array;
  readonly #in: DatagramBatch;
  readonly #out: DatagramBatch;
  readonly #pollAddress: number;
  readonly #pollWords: Int32Array;
  /** Messages of the batch that are for the control thread. */
  readonly #others: number[] = [];
  #seen = 0;
  #sockets: readonly NativeSocket[] = [];
  #answerer: QueryAnswerer;

  constructor(libc: Libc, start: ThreadStart) {
    this.#libc = libc;
    this.#start = start;
    this.#epochs = new Epochs(start.epochs);
    this.#counters = new Float64Array(start.counters);
    this.#posted = new Int32Array(start.posted);
    this.#in = new DatagramBatch(libc, BATCH, RECEIVE_CAPACITY);
    this.#out = new DatagramBatch(libc, BATCH, MAX_UDP_PAYLOAD);
    const poll = libc.allocate(MAX_SOCKETS * 8);
    this.#pollAddress = poll.address;
    this.#pollWords = new Int32Array(poll.buffer);
    this.#answerer = new QueryAnswerer(new ZoneSet(start.seed, []), { identity: "" });
  }

  /** Works until an order says stop. */
  run(): void {
    while (this.#takeOrders()) {
      if (this.#sockets.length === 1) {
        // One system call both waits and receives; SO_RCVTIMEO brings it back to look for orders.
        this.#work(this.#sockets[0]!, MSG_WAITFORONE);
        continue;
      }
      const ready = this.#libc.poll(this.#pollAddress, this.#sockets.length, ORDERS_INTERVAL);
      if (ready <= 0) continue;
      for (let i = 0; i < this.#sockets.length; i++) {
        if (this.#pollWords[i * 2 + 1]! >>> 16 !== 0) this.#work(this.#sockets[i]!, MSG_DONTWAIT);
      }
    }
  }

  /** @returns false where the thread is to end */
  #takeOrders(): boolean {
    for (;;) {
      const posted = Atomics.load(this.#posted, 0);
      if (posted !== this.#seen) {
        this.#seen = posted;
        const orders = newestOrders();
        if (orders !== undefined && !this.#obey(orders)) return false;
      }
      if (this.#sockets.length > 0) return true;
      Atomics.wait(this.#posted, 0, posted, ORDERS_INTERVAL);
    }
  }

  #obey(orders: ThreadOrders): boolean {
    const zones = orders.zones.map(({ apex, buffer }) => ({
      apex: Name.fromTrustedWire(apex),
      reader: ImageReader.attach(buffer),
    }));
    this.#answerer = new QueryAnswerer(new ZoneSet(this.#start.seed, zones), { identity: orders.identity });
    this.#sockets = orders.sockets.slice(0, MAX_SOCKETS);
    for (const [i, { fd }] of this.#sockets.entries()) {
      this.#pollWords[i * 2] = fd;
      this.#pollWords[i * 2 + 1] = POLLIN;
    }
    report({ kind: "ready", sequence: orders.sequence });
    return !orders.stop;
  }

  /** Receives and answers one batch. */
  #work(socket: NativeSocket, flags: number): void {
    const batch = this.#in;
    batch.prepare(BATCH, socket.wildcard);
    const received = this.#libc.recvmmsg(socket.fd, batch.pointer, BATCH, flags, 0);
    if (received <= 0) return; // nothing came in time, or an error of an earlier answer that is now cleared
    const counters = this.#counters;
    counters[ThreadCounter.BATCHES]!++;
    counters[ThreadCounter.RECEIVED]! += received;
    this.#epochs.enter(this.#start.reader);
    const answers = this.#answerBatch(received);
    this.#epochs.leave(this.#start.reader);
    if (answers > 0) this.#send(socket, answers);
    if (this.#others.length > 0) this.#handOver(socket);
  }

  /** @returns how many answers are ready to be sent */
  #answerBatch(received: number): number {
    const batch = this.#in;
    const out = this.#out;
    let answers = 0;
    for (let i = 0; i < received; i++) {
      const length = batch.length(i);
      const addressAt = batch.addressAt(i);
      if (length < HEADER_LENGTH || isUnansweredPort(sockaddrPort(batch.bytes, addressAt))) {
        this.#counters[ThreadCounter.IGNORED]!++;
        continue;
      }
      const written = this.#answerer.answer(
        batch.buffers[i]!,
        length,
        out.buffers[answers]!,
        MAX_UDP_PAYLOAD,
        true,
      );
      if (written === NOT_A_QUERY) this.#others.push(i);
      else if (written === SILENCE) this.#counters[ThreadCounter.IGNORED]!++;
      else out.aim(answers++, written, batch.bytes, addressAt, batch.controlAt(i), batch.controlLength(i));
    }
    return answers;
  }

  #send(socket: NativeSocket, answers: number): void {
    const sent = this.#out.send(this.#libc, socket.fd, answers);
    this.#counters[ThreadCounter.ANSWERED]! += sent;
    this.#counters[ThreadCounter.SEND_ERRORS]! += answers - sent;
  }

  #handOver(socket: NativeSocket): void {
    const batch = this.#in;
    let total = 0;
    for (const i of this.#others) total += itemLength(batch.length(i));
    const items = new Uint8Array(total);
    const view = new DataView(items.buffer);
    let at = 0;
    for (const i of this.#others) {
      const length = batch.length(i);
      view.setUint32(at + HandoverItem.LENGTH, length, true);
      view.setUint32(at + HandoverItem.CONTROL_LENGTH, batch.controlLength(i), true);
      const { bytes } = batch;
      const address = batch.addressAt(i);
      items.set(bytes.subarray(address, address + SOCKADDR_BYTES), at + HandoverItem.ADDRESS);
      const control = batch.controlAt(i);
      items.set(bytes.subarray(control, control + batch.controlLength(i)), at + HandoverItem.CONTROL);
      items.set(batch.buffers[i]!.subarray(0, length), at + HandoverItem.HEAD);
      at += itemLength(length);
    }
    this.#counters[ThreadCounter.HANDED_OVER]! += this.#others.length;
    this.#others.length = 0;
    report({ kind: "handover", socket, items });
  }
}

/** The last of the orders that wait: each is the whole. */
function newestOrders(): ThreadOrders | undefined {
  let orders: ThreadOrders | undefined;
  for (;;) {
    const next = receiveMessageOnPort(parentPort!);
    if (next === undefined) return orders;
    orders = next.message as ThreadOrders;
  }
}

function report(message: ThreadReport): void {
  if (message.kind === "handover") parentPort!.postMessage(message, [message.items.buffer as ArrayBuffer]);
  else parentPort!.postMessage(message);
}

if (parentPort !== null) {
  const libc = loadLibc();
  if (libc === undefined) throw new Error("the C library cannot be called from this thread");
  new AnswerThread(libc, workerData as ThreadStart).run();
}
