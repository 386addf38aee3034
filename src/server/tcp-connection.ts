/**
 * One TCP connection (RFC 7766): messages behind a 16-bit length, pipelined, answered in whatever order they are ready.
 * Whatever the peer does or leaves undone, it holds a bounded amount of memory for a bounded time.
 */
import type { Socket } from "node:net";
import type { Peer } from "../protocol/context.ts";
import { HEADER_LENGTH } from "../wire/writer.ts";
import type { MessageHandler, ReplySink, TransportLog } from "./handler.ts";

export interface ConnectionLimits {
  /** Milliseconds without a message, after which an idle connection is closed. */
  readonly idle: number;
  /** Messages of one connection that wait for an answer; beyond it nothing more is read. */
  readonly inFlight: number;
  /**
   * Octets of answers a peer may leave unread before nothing more is read from it. It is cut off where it then takes
   * none for the idle time, or answers still under way bring it far beyond.
   */
  readonly writeBuffer: number;
}

export interface ConnectionCounters {
  received: number;
  sent: number;
  /** Cut off: a message never completed, answers never read. */
  cut: number;
}

/** What a connection has in common with all others. */
interface AllConnections {
  /** As they are now: a reload may change them. */
  readonly limits: ConnectionLimits;
  readonly counters: ConnectionCounters;
  /** Told when a connection is closed. */
  remove(connection: TcpConnection): void;
}

/** A message that has begun must be whole within this many milliseconds (slow-loris). */
const PARTIAL_TIMEOUT = 10_000;
/** A transfer fills the socket up to this many octets, then waits for the peer to read. */
const STREAM_HIGH_WATER = 256 * 1024;

export class TcpConnection {
  readonly peer: Peer;
  /** `performance.now()` of the last message received or answer sent. */
  lastActive: number = performance.now();
  readonly #socket: Socket;
  readonly #all: AllConnections;
  readonly #handler: MessageHandler;
  readonly #log: TransportLog;
  /** Octets received of a message that is not whole yet, its length prefix first. */
  #partial: Buffer = Buffer.alloc(0);
  #partialSince = 0;
  #inFlight = 0;
  #finishing = false;
  #corked = false;
  #draining = false;
  /** The last time the peer was seen to take octets while some waited. */
  #progressAt = 0;
  #progressBytes = 0;
  readonly #closed: Promise<void>;

  constructor(socket: Socket, peer: Peer, all: AllConnections, handler: MessageHandler, log: TransportLog) {
    this.peer = peer;
    this.#log = log;
    this.#socket = socket;
    this.#all = all;
    this.#handler = handler;
    this.#closed = new Promise((resolve) => {
      socket.on("close", () => {
        all.remove(this);
        resolve();
      });
    });
    socket.setMaxListeners(0); // one and two for each transfer under way
    socket.on("error", () => socket.destroy()); // a reset by the peer is ordinary
    // Half-closed: what was asked is still answered. Not told while reading is paused, so all of it has been seen.
    socket.on("end", () => void this.finish());
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("drain", () => this.#resume());
  }

  /** Nothing asked, nothing half received, nothing left to send. */
  get isIdle(): boolean {
    return this.#inFlight === 0 && this.#partial.length === 0 && this.#socket.writableLength === 0;
  }

  /** Ends it at once, whatever is under way. */
  close(): void {
    this.#socket.destroy();
  }

  /** Reads no more, and ends once all answers are out. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#endIfDone();
    await this.#closed;
  }

  /** Ends it where it is past its time. `now`: as of `performance.now()`. */
  checkDeadlines(now: number): void {
    const { idle } = this.#all.limits;
    const unread = this.#socket.writableLength;
    const taken = this.#socket.bytesWritten - unread;
    if (unread === 0 || taken !== this.#progressBytes) {
      this.#progressAt = now;
      this.#progressBytes = taken;
    }
    const stalled = unread > 0 && now - this.#progressAt > idle;
    const slow =
      this.#partial.length > 0 &&
      this.#inFlight === 0 &&
      now - this.#partialSince > Math.min(idle, PARTIAL_TIMEOUT);
    if (stalled || slow) this.#cut();
    else if (this.isIdle && now - this.lastActive > idle) void this.finish();
  }

  #cut(): void {
    this.#all.counters.cut++;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#finishing) return;
    if (this.#partial.length === 0) this.#partialSince = performance.now();
    this.#partial = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#drain();
  }

  /** Whether so much is under way or unread that nothing more is taken: the peer feels it as back-pressure. */
  get #isFull(): boolean {
    const { inFlight, writeBuffer } = this.#all.limits;
    const socket = this.#socket;
    // "drain" follows only where it is needed.
    return this.#inFlight >= inFlight || (socket.writableNeedDrain && socket.writableLength >= writeBuffer);
  }

  /** Hands over every whole message, as far as there is room for more. */
  #drain(): void {
    let at = 0;
    const bytes = this.#partial;
    this.#draining = true;
    while (bytes.length - at >= 2 && !this.#isFull) {
      const length = bytes.readUInt16BE(at);
      if (length < HEADER_LENGTH) {
        this.#cut(); // no message, and no way to find the next
        return;
      }
      if (bytes.length - at - 2 < length) break;
      const message = bytes.subarray(at + 2, at + 2 + length);
      at += 2 + length;
      this.#all.counters.received++;
      this.lastActive = performance.now();
      this.#inFlight++;
      this.#handler(message, this.peer, new TcpSink(this));
      if (this.#socket.destroyed) return;
    }
    this.#draining = false;
    if (at > 0) {
      this.#partial = bytes.subarray(at);
      this.#partialSince = this.lastActive;
    }
    if (this.#isFull) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Sends one message of an exchange. False where the peer is gone. */
  write(message: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return false;
    const framed = Buffer.allocUnsafe(2 + message.length); // wholly overwritten
    framed.writeUInt16BE(message.length, 0);
    framed.set(message, 2);
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    socket.write(framed);
    this.#all.counters.sent++;
    this.lastActive = performance.now();
    if (socket.writableLength > this.#all.limits.writeBuffer + STREAM_HIGH_WATER) {
      this.#cut();
      return false;
    }
    return true;
  }

  /** Draws messages while the peer takes them. */
  stream(messages: Iterable<Uint8Array>, done: (complete: boolean) => void): void {
    const iterator = messages[Symbol.iterator]();
    const socket = this.#socket;
    let ended = false;
    const end = (complete: boolean): void => {
      if (ended) return;
      ended = true;
      socket.off("close", lost);
      if (!complete) iterator.return?.();
      this.settle();
      done(complete);
    };
    const lost = (): void => end(false);
    if (socket.closed) {
      lost();
      return;
    }
    socket.once("close", lost);
    const pump = (): void => {
      if (ended || socket.destroyed) return; // "close" follows
      while (socket.writableLength < STREAM_HIGH_WATER) {
        let next: IteratorResult<Uint8Array>;
        try {
          next = iterator.next();
        } catch (error) {
          // Half a transfer is worse than none: the peer sees the connection end and asks again.
          this.#log.warn({ err: error, peer: this.peer.address }, "a stream of messages failed");
          this.#cut();
          return;
        }
        if (next.done === true) {
          end(true);
          return;
        }
        if (!this.write(next.value)) return;
        // One message a turn: queries and updates go on between the messages of a large transfer.
        if (socket.writableLength < STREAM_HIGH_WATER) {
          setImmediate(pump);
          return;
        }
      }
      socket.once("drain", pump);
    };
    pump();
  }

  /** An exchange is over. */
  settle(): void {
    this.#inFlight--;
    this.#endIfDone();
    if (this.#draining) return;
    if (this.#partial.length > 0 || this.#socket.isPaused()) this.#resume();
  }

  #resume(): void {
    if (!this.#socket.destroyed && !this.#finishing) this.#drain();
  }

  #endIfDone(): void {
    if (this.#finishing && this.#inFlight === 0) this.#socket.end(() => this.#socket.destroy());
  }
}

/** Answers one message of a connection, once. */
class TcpSink implements ReplySink {
  #connection: TcpConnection | undefined;

  constructor(connection: TcpConnection) {
    this.#connection = connection;
  }

  send(message: Uint8Array): void {
    const connection = this.#take();
    connection?.write(message);
    connection?.settle();
  }

  stream(messages: Iterable<Uint8Array>, done: (complete: boolean) => void): void {
    this.#take()?.stream(messages, done);
  }

  drop(): void {
    this.#take()?.settle();
  }

  #take(): TcpConnection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    return connection;
  }
}
