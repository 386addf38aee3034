/**
 * An answer thread: receives datagrams in batches, answers plain queries from the zone images, hands everything else to
 * the control thread. It owns nothing and writes nothing that others read but its counters. Between two batches it looks
 * for orders. Nothing in the loop allocates but a handover.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Client } from "../../protocol/near-first.ts";
import { ELSEWHERE, NOT_A_QUERY, QueryAnswerer, SILENCE } from "../../protocol/query.ts";
import { MAX_UDP_PAYLOAD } from "../../wire/edns.ts";
import { Name } from "../../wire/name.ts";
import { HEADER_LENGTH } from "../../wire/writer.ts";
import { Epochs } from "../../zone/image/epochs.ts";
import { ImageReader } from "../../zone/image/reader.ts";
import { ZoneSet } from "../../zone/zone-set.ts";
import { collectGarbage } from "../collect-garbage.ts";
import { isUnansweredPort } from "../handler.ts";
import { DatagramBatch } from "./batch.ts";
import type { Libc, NativeMemory } from "./libc.ts";
import { AF_INET, Errno, loadLibc, MSG_DONTWAIT, MSG_WAITFORONE, POLLIN } from "./libc.ts";
import { ownThreadId, takePrecedence } from "./precedence.ts";
import { RememberedAnswers } from "./remembered.ts";
import type { NativeSocket } from "./socket.ts";
import { SOCKADDR_BYTES, SOCKADDR_IN6_ADDRESS, SOCKADDR_IN_ADDRESS, sockaddrPort } from "./sockaddr.ts";
import type { ThreadMessage, ThreadOrders, ThreadReport, ThreadStart } from "./thread-protocol.ts";
import {
  HandoverItem,
  itemLength,
  MailboxWord,
  MAX_HANDED_OVER,
  ORDERS_INTERVAL,
  ThreadCounter,
} from "./thread-protocol.ts";

/** Messages of one batch. */
const BATCH = 64;
/** Larger than the largest datagram there is. */
const RECEIVE_CAPACITY = 65_536;
/** `struct pollfd`: descriptor 32 bits, events 16, what happened 16. */
const POLLFD = 8;
/** Receive calls that may fail one after another before each is waited for, and for how many milliseconds. */
const FAILURES_AT_ONCE = 16;
const FAILURE_PAUSE = 10;

class AnswerThread {
  readonly #libc: Libc;
  readonly #start: ThreadStart;
  readonly #epochs: Epochs;
  readonly #counters: Float64Array;
  readonly #mailbox: Int32Array;
  readonly #in: DatagramBatch;
  readonly #out: DatagramBatch;
  /** Messages of the batch that are for the control thread. */
  readonly #others: number[] = [];
  #posted = 0;
  #dropped = 0;
  #sockets: readonly NativeSocket[] = [];
  #poll: NativeMemory;
  #pollWords: Int32Array;
  #answerer: QueryAnswerer;
  readonly #remembered = new RememberedAnswers();
  /** Receive calls that failed, one after another. */
  #failures = 0;

  constructor(libc: Libc, start: ThreadStart) {
    this.#libc = libc;
    this.#start = start;
    this.#epochs = new Epochs(start.epochs);
    this.#counters = new Float64Array(start.counters);
    this.#mailbox = new Int32Array(start.mailbox);
    this.#in = new DatagramBatch(libc, BATCH, RECEIVE_CAPACITY);
    this.#out = new DatagramBatch(libc, BATCH, MAX_UDP_PAYLOAD);
    this.#poll = libc.allocate(POLLFD);
    this.#pollWords = new Int32Array(this.#poll.buffer);
    this.#answerer = new QueryAnswerer(new ZoneSet(start.seed, []), { identity: "" });
  }

  /** Works until an order says stop. */
  run(): void {
    takePrecedence(this.#libc, this.#start.nice);
    while (this.#takeOrders()) {
      if (this.#sockets.length === 1) {
        // One system call both waits and receives; SO_RCVTIMEO brings it back to look for orders.
        this.#work(this.#sockets[0]!, MSG_WAITFORONE);
        continue;
      }
      const ready = this.#libc.poll(this.#poll.address, this.#sockets.length, ORDERS_INTERVAL);
      if (ready < 0) this.#receiveFailed();
      if (ready <= 0) continue;
      for (let i = 0; i < this.#sockets.length; i++) {
        if (this.#pollWords[i * 2 + 1]! >>> 16 !== 0) this.#work(this.#sockets[i]!, MSG_DONTWAIT);
      }
    }
  }

  /** @returns false where the thread is to end */
  #takeOrders(): boolean {
    for (;;) {
      const posted = Atomics.load(this.#mailbox, MailboxWord.POSTED);
      if (posted !== this.#posted) {
        this.#posted = posted;
        const orders = this.#readPort();
        if (orders !== undefined && !this.#obey(orders)) return false;
      }
      if (this.#sockets.length > 0) return true;
      Atomics.wait(this.#mailbox, MailboxWord.POSTED, posted, ORDERS_INTERVAL);
    }
  }

  /** Keeps the answers that wait there. @returns the last of the orders: each is the whole */
  #readPort(): ThreadOrders | undefined {
    let orders: ThreadOrders | undefined;
    for (;;) {
      const next = receiveMessageOnPort(parentPort!);
      if (next === undefined) return orders;
      const message = next.message as ThreadMessage;
      if (message.kind === "orders") orders = message.orders;
      else this.#remembered.put(message.answer, performance.now());
    }
  }

  #obey({ sequence, identity, zones, elsewhere, dropped, sockets, stop }: ThreadOrders): boolean {
    const images = zones.map(({ apex, buffer, near }) => ({
      apex: Name.fromTrustedWire(apex),
      reader: ImageReader.attach(buffer),
      near,
    }));
    const suffixes = elsewhere.suffixes.map((wire) => Name.fromTrustedWire(wire));
    this.#answerer = new QueryAnswerer(new ZoneSet(this.#start.seed, images, suffixes), { identity });
    this.#remembered.configure(elsewhere.clients, elsewhere.generation);
    this.#sockets = sockets;
    if (this.#pollWords.length < sockets.length * 2) {
      this.#poll = this.#libc.allocate(sockets.length * POLLFD);
      this.#pollWords = new Int32Array(this.#poll.buffer);
    }
    for (const [i, { fd }] of sockets.entries()) {
      this.#pollWords[i * 2] = fd;
      this.#pollWords[i * 2 + 1] = POLLIN;
    }
    report({ kind: "ready", sequence, thread: ownThreadId() });
    if (dropped !== this.#dropped) collectGarbage();
    this.#dropped = dropped;
    return !stop;
  }

  /** Receives and answers one batch. */
  #work(socket: NativeSocket, flags: number): void {
    const received = this.#in.receive(socket.fd, flags);
    if (received <= 0) {
      this.#receiveFailed();
      return;
    }
    this.#failures = 0;
    const counters = this.#counters;
    counters[ThreadCounter.BATCHES]!++;
    counters[ThreadCounter.RECEIVED]! += received;
    this.#epochs.enter(this.#start.reader);
    const answers = this.#answerBatch(received);
    this.#epochs.leave(this.#start.reader);
    if (answers > 0) this.#send(socket, answers);
    if (this.#others.length > 0) this.#handOver(socket);
  }

  /** Nothing came in time; or an error of an earlier answer, which is now cleared; or one that stays. */
  #receiveFailed(): void {
    const errno = this.#libc.errno();
    if (errno === Errno.EAGAIN || errno === Errno.EINTR) return;
    this.#counters[ThreadCounter.RECEIVE_ERRORS]!++;
    if (++this.#failures <= FAILURES_AT_ONCE) return;
    Atomics.wait(this.#mailbox, MailboxWord.POSTED, this.#posted, FAILURE_PAUSE);
  }

  /** @returns how many answers are ready to be sent */
  #answerBatch(received: number): number {
    const batch = this.#in;
    const out = this.#out;
    let answers = 0;
    let ignored = 0;
    for (let i = 0; i < received; i++) {
      const length = batch.length(i);
      const addressAt = batch.addressAt(i);
      if (length < HEADER_LENGTH || isUnansweredPort(sockaddrPort(batch.bytes, addressAt))) {
        ignored++;
        continue;
      }
      setClient(this.#answerer.client, batch.bytes, addressAt);
      let written = this.#answer(batch.buffers[i]!, length, out.buffers[answers]!);
      if (written === ELSEWHERE) written = this.#answerElsewhere(i, out.buffers[answers]!);
      if (written === NOT_A_QUERY) this.#others.push(i);
      else if (written === SILENCE) ignored++;
      else out.answer(answers++, written, batch, i);
    }
    if (ignored > 0) this.#counters[ThreadCounter.IGNORED]! += ignored;
    return answers;
  }

  #answer(request: Uint8Array, length: number, out: Uint8Array): number {
    try {
      return this.#answerer.answer(request, length, out, MAX_UDP_PAYLOAD, true);
    } catch {
      // A fault in this program. The control thread will meet it too, answer SERVFAIL and log it.
      return NOT_A_QUERY;
    }
  }

  /** What is known here is answered, a stranger refused, so that it costs nobody else; the rest is handed over. */
  #answerElsewhere(i: number, out: Uint8Array): number {
    const batch = this.#in;
    if (!this.#remembered.admits(batch.bytes, batch.addressAt(i))) {
      this.#counters[ThreadCounter.STRANGERS]!++;
      return this.#answerer.refuse();
    }
    const { question } = this.#answerer;
    const written = this.#remembered.answer(batch.buffers[i]!, question, out, performance.now());
    if (written === 0) return NOT_A_QUERY;
    this.#counters[ThreadCounter.RECALLED]!++;
    return written;
  }

  #send(socket: NativeSocket, answers: number): void {
    const sent = this.#out.send(socket.fd, answers);
    this.#counters[ThreadCounter.ANSWERED]! += sent;
    if (sent < answers) this.#counters[ThreadCounter.SEND_ERRORS]! += answers - sent;
  }

  #handOver(socket: NativeSocket): void {
    const batch = this.#in;
    const others = this.#others;
    let total = 0;
    for (const i of others) total += itemLength(batch.length(i));
    const waiting = Atomics.add(this.#mailbox, MailboxWord.HANDED_OVER, total);
    if (waiting + total > MAX_HANDED_OVER) {
      Atomics.sub(this.#mailbox, MailboxWord.HANDED_OVER, total);
      this.#counters[ThreadCounter.DROPPED]! += others.length;
      others.length = 0;
      return;
    }
    const items = new Uint8Array(total);
    const view = new DataView(items.buffer);
    let at = 0;
    for (const i of others) {
      const length = batch.length(i);
      const controlLength = batch.controlLength(i);
      const { bytes } = batch;
      view.setUint32(at + HandoverItem.LENGTH, length, true);
      view.setUint32(at + HandoverItem.CONTROL_LENGTH, controlLength, true);
      const address = batch.addressAt(i);
      items.set(bytes.subarray(address, address + SOCKADDR_BYTES), at + HandoverItem.ADDRESS);
      const control = batch.controlAt(i);
      items.set(bytes.subarray(control, control + controlLength), at + HandoverItem.CONTROL);
      items.set(batch.buffers[i]!.subarray(0, length), at + HandoverItem.HEAD);
      at += itemLength(length);
    }
    this.#counters[ThreadCounter.HANDED_OVER]! += others.length;
    others.length = 0;
    report({ kind: "handover", socket: socket.id, items });
  }
}

/** Tells who asks, by a socket address. */
function setClient(client: Client, bytes: Uint8Array, at: number): void {
  if (bytes[at] === AF_INET) client.setOctets(bytes, at + SOCKADDR_IN_ADDRESS, 4);
  else client.setOctets(bytes, at + SOCKADDR_IN6_ADDRESS, 16);
}

function report(message: ThreadReport): void {
  if (message.kind === "handover") parentPort!.postMessage(message, [message.items.buffer as ArrayBuffer]);
  else parentPort!.postMessage(message);
}

if (parentPort !== null) {
  const libc = loadLibc();
  if (typeof libc === "string") throw new Error(`the C library cannot be called from this thread: ${libc}`);
  new AnswerThread(libc, workerData as ThreadStart).run();
}
