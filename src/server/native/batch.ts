/**
 * An arena of datagrams for `recvmmsg` and `sendmmsg`: the headers, addresses and buffers of a whole batch, laid out once
 * and used for ever. Offsets are those of 64-bit Linux.
 *
 *     struct mmsghdr  name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48, len 56    64 octets
 *     struct iovec    base 0, len 8                                                                        16 octets
 */
import type { Libc } from "./libc.ts";
import { Errno, IP_PKTINFO, IPV6_PKTINFO, MSG_DONTWAIT, SOL_IP, SOL_IPV6 } from "./libc.ts";
import { SOCKADDR_BYTES, sockaddrLength } from "./sockaddr.ts";

const HEADER = 64;
const IOVEC = 16;
const ADDRESS = 32;
/** Room for one control message: header 16 and `struct in6_pktinfo` 20, padded. */
export const CONTROL = 40;

/** Words (32 bits) in a header. */
const HEADER_WORDS = HEADER / 4;
const NAME = 0;
const NAME_LENGTH = 2;
const CONTROL_POINTER = 8;
const CONTROL_LENGTH = 10;
const LENGTH = 14;
/** Words of an iovec. */
const IOVEC_WORDS = IOVEC / 4;
const IOVEC_LENGTH = 2;

const CACHE_LINE = 64;
const PAGE = 4096;

/** Messages of one direction. */
export class DatagramBatch {
  readonly size: number;
  /** Octets each buffer holds. */
  readonly capacity: number;
  /** One view a message. */
  readonly buffers: readonly Uint8Array[];
  /** Socket addresses at `addressAt(i)`, control messages at `controlAt(i)`. */
  readonly bytes: Uint8Array;
  readonly #libc: Libc;
  /** Native address of the header array: what the system calls take. */
  readonly #pointer: number;
  /** Headers first. */
  readonly #words: Uint32Array;
  readonly #iovecWords: number;
  readonly #addresses: number;
  readonly #controls: number;
  /** Messages whose headers the last receive call wrote to. */
  #received: number;

  constructor(libc: Libc, size: number, capacity: number) {
    this.#libc = libc;
    this.size = size;
    this.capacity = capacity;
    this.#received = size;
    const iovecs = size * HEADER;
    this.#addresses = iovecs + size * IOVEC;
    this.#controls = this.#addresses + size * ADDRESS;
    const data = alignUp(this.#controls + size * CONTROL, CACHE_LINE);
    const stride = strideFor(capacity);
    // Most pages of the buffers will never be touched, so they cost nothing.
    const { address, buffer } = libc.allocate(data + size * stride);
    this.#pointer = address;
    this.bytes = new Uint8Array(buffer, 0, data);
    this.#words = new Uint32Array(buffer, 0, data / 4);
    this.#iovecWords = iovecs / 4;
    this.buffers = Array.from(
      { length: size },
      (_, i) => new Uint8Array(buffer, data + i * stride, capacity),
    );
    for (let i = 0; i < size; i++) {
      const header = i * HEADER;
      const iovec = iovecs + i * IOVEC;
      this.#setPointer(header, address + this.#addresses + i * ADDRESS);
      this.#setPointer(header + 16, address + iovec);
      this.#setPointer(header + 24, 1);
      this.#setPointer(header + 32, address + this.#controls + i * CONTROL);
      this.#setPointer(iovec, address + data + i * stride);
      this.#setPointer(iovec + 8, capacity);
    }
  }

  /** `recvmmsg`: as many messages as there are and fit. @returns how many, or -1 and an `errno` */
  receive(fd: number, flags: number): number {
    const words = this.#words;
    const stop = this.#received * HEADER_WORDS;
    for (let word = 0; word < stop; word += HEADER_WORDS) {
      words[word + NAME_LENGTH] = SOCKADDR_BYTES;
      words[word + CONTROL_LENGTH] = CONTROL;
    }
    const received = this.#libc.recvmmsg(fd, this.#pointer, this.size, flags, 0);
    this.#received = received > 0 ? received : 0;
    return received;
  }

  /** Octets received in message `i`. */
  length(i: number): number {
    return this.#words[i * HEADER_WORDS + LENGTH]!;
  }

  /** Offset in `bytes` of the socket address of message `i`; {@link SOCKADDR_BYTES} octets. */
  addressAt(i: number): number {
    return this.#addresses + i * ADDRESS;
  }

  /** Offset in `bytes` of the control message of message `i`; {@link CONTROL} octets, of which `controlLength` count. */
  controlAt(i: number): number {
    return this.#controls + i * CONTROL;
  }

  /** 0 where the socket is bound to one address. */
  controlLength(i: number): number {
    return this.#words[i * HEADER_WORDS + CONTROL_LENGTH]!;
  }

  /**
   * Before `send`: message `i` has `length` octets in its buffer and goes to the address at `addressAt` in `source`, out
   * of the address that the control message at `controlAt` there says the request came to.
   */
  aim(
    i: number,
    length: number,
    source: Uint8Array,
    addressAt: number,
    controlAt: number,
    controlLength: number,
  ): void {
    const words = this.#words;
    const word = i * HEADER_WORDS;
    const to = this.addressAt(i);
    const { bytes } = this;
    const nameLength = sockaddrLength(source, addressAt);
    for (let at = 0; at < nameLength; at++) bytes[to + at] = source[addressAt + at]!;
    words[word + NAME_LENGTH] = nameLength;
    words[word + CONTROL_LENGTH] = controlLength;
    words[this.#iovecWords + i * IOVEC_WORDS + IOVEC_LENGTH] = length;
    if (controlLength === 0) return;
    const control = this.controlAt(i);
    for (let at = 0; at < controlLength; at++) bytes[control + at] = source[controlAt + at]!;
    answerFromWhereAsked(bytes, control);
  }

  /**
   * Before `send`, in place of `aim`: message `i` has `length` octets in its buffer and answers message `request` of a
   * batch received. Address and control message are sent from where they stand there, and no octet of them is copied, so
   * that batch must not receive before this one is sent.
   */
  answer(i: number, length: number, batch: DatagramBatch, request: number): void {
    const words = this.#words;
    const to = i * HEADER_WORDS;
    const from = request * HEADER_WORDS;
    const asked = batch.#words;
    words[to + NAME] = asked[from + NAME]!;
    words[to + NAME + 1] = asked[from + NAME + 1]!;
    words[to + NAME_LENGTH] = asked[from + NAME_LENGTH]!;
    words[to + CONTROL_POINTER] = asked[from + CONTROL_POINTER]!;
    words[to + CONTROL_POINTER + 1] = asked[from + CONTROL_POINTER + 1]!;
    words[to + CONTROL_LENGTH] = asked[from + CONTROL_LENGTH]!;
    words[this.#iovecWords + i * IOVEC_WORDS + IOVEC_LENGTH] = length;
    if (asked[from + CONTROL_LENGTH] !== 0) answerFromWhereAsked(batch.bytes, batch.controlAt(request));
  }

  /**
   * `sendmmsg`: sends the first `count` messages. One that the kernel will not take – its address unreachable, the send
   * queue full – is passed over: DNS over UDP is lossy, and the client asks again.
   * @returns how many were taken
   */
  send(fd: number, count: number): number {
    const libc = this.#libc;
    let done = 0;
    let failed = 0;
    while (done < count) {
      const sent = libc.sendmmsg(fd, this.#pointer + done * HEADER, count - done, MSG_DONTWAIT);
      if (sent > 0) {
        done += sent;
      } else if (sent === 0 || libc.errno() !== Errno.EINTR) {
        done++;
        failed++;
      }
    }
    return done - failed;
  }

  #setPointer(at: number, value: number): void {
    this.#words[at / 4] = value % 0x1_0000_0000;
    this.#words[at / 4 + 1] = Math.floor(value / 0x1_0000_0000);
  }
}

/**
 * Octets from one buffer to the next: an odd number of cache lines, and for those of many pages an odd number of pages
 * too. The beginnings of all buffers, which are all that most messages touch, would else meet in few sets of the cache
 * and of the TLB.
 */
function strideFor(capacity: number): number {
  if (capacity < PAGE) return (Math.ceil(capacity / CACHE_LINE) | 1) * CACHE_LINE;
  return (Math.ceil(capacity / PAGE) | 1) * PAGE + CACHE_LINE;
}

function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * Makes the packet information of a request that of its answer. IPv4: the interface is left open and the address asked
 * becomes the source (`ipi_spec_dst` is that already). IPv6: the interface counts for link-local addresses alone.
 */
function answerFromWhereAsked(bytes: Uint8Array, control: number): void {
  const level = bytes[control + 8]!;
  const type = bytes[control + 12]!;
  const data = control + 16;
  if (level === SOL_IP && type === IP_PKTINFO) {
    for (let at = data; at < data + 4; at++) bytes[at] = 0;
  } else if (level === SOL_IPV6 && type === IPV6_PKTINFO) {
    const linkLocal = bytes[data] === 0xfe && (bytes[data + 1]! & 0xc0) === 0x80;
    if (!linkLocal) for (let at = data + 16; at < data + 20; at++) bytes[at] = 0;
  }
}
