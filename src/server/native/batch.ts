/**
 * An arena of datagrams for `recvmmsg` and `sendmmsg`: the headers, addresses and buffers of a whole batch, laid out once
 * and used for ever. Offsets are those of 64-bit Linux.
 *
 *     struct mmsghdr  name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48, len 56    64 octets
 *     struct iovec    base 0, len 8                                                                        16 octets
 */
import type { Libc } from "./libc.ts";
import { Errno, IP_PKTINFO, IPV6_PKTINFO, MSG_DONTWAIT, SOL_IP, SOL_IPV6 } from "./libc.ts";
import { SOCKADDR_BYTES } from "./sockaddr.ts";

const HEADER = 64;
const IOVEC = 16;
const ADDRESS = 32;
/** Room for one control message: header 16 and `struct in6_pktinfo` 20, padded. */
export const CONTROL = 40;

/** Words (32 bits) in a header. */
const NAME_LENGTH = 2;
const CONTROL_LENGTH = 10;
const LENGTH = 14;

/** Messages of one direction. */
export class DatagramBatch {
  readonly size: number;
  /** Octets each buffer holds. */
  readonly capacity: number;
  /** One view a message. */
  readonly buffers: readonly Uint8Array[];
  /** Socket addresses, {@link SOCKADDR_BYTES} at `addressAt(i)`. */
  readonly bytes: Uint8Array;
  /** Native address of the header array: what the system calls take. */
  readonly pointer: number;
  readonly #words: Uint32Array;
  readonly #headerWords: number;
  readonly #iovecWords: number;
  readonly #addresses: number;
  readonly #controls: number;

  constructor(libc: Libc, size: number, capacity: number) {
    this.size = size;
    this.capacity = capacity;
    const headers = 0;
    const iovecs = headers + size * HEADER;
    this.#addresses = iovecs + size * IOVEC;
    this.#controls = this.#addresses + size * ADDRESS;
    const data = this.#controls + size * CONTROL;
    const { address, buffer } = libc.allocate(data + size * capacity);
    this.pointer = address;
    // The buffers behind it are left untouched: most of their pages will never be used.
    this.bytes = new Uint8Array(buffer, 0, data).fill(0);
    this.#words = new Uint32Array(buffer, 0, data / 4);
    this.#headerWords = headers / 4;
    this.#iovecWords = iovecs / 4;
    this.buffers = Array.from(
      { length: size },
      (_, i) => new Uint8Array(buffer, data + i * capacity, capacity),
    );
    for (let i = 0; i < size; i++) {
      const header = headers + i * HEADER;
      const iovec = iovecs + i * IOVEC;
      this.#setPointer(header, address + this.#addresses + i * ADDRESS);
      this.#setPointer(header + 16, address + iovec);
      this.#setPointer(header + 24, 1);
      this.#setPointer(header + 32, address + this.#controls + i * CONTROL);
      this.#setPointer(iovec, address + data + i * capacity);
      this.#setPointer(iovec + 8, capacity);
    }
  }

  /** Before `recvmmsg`: gives the first `count` headers their lengths anew, with room for control messages or without. */
  prepare(count: number, control: boolean): void {
    const words = this.#words;
    for (let i = 0, word = this.#headerWords; i < count; i++, word += HEADER / 4) {
      words[word + NAME_LENGTH] = SOCKADDR_BYTES;
      words[word + CONTROL_LENGTH] = control ? CONTROL : 0;
    }
  }

  /** Octets received in message `i`. */
  length(i: number): number {
    return this.#words[this.#headerWords + (i * HEADER) / 4 + LENGTH]!;
  }

  /** Offset in `bytes` of the socket address of message `i`. */
  addressAt(i: number): number {
    return this.#addresses + i * ADDRESS;
  }

  /** Offset in `bytes` of the control message of message `i`; {@link CONTROL} octets, of which `controlLength` count. */
  controlAt(i: number): number {
    return this.#controls + i * CONTROL;
  }

  controlLength(i: number): number {
    return this.#words[this.#headerWords + (i * HEADER) / 4 + CONTROL_LENGTH]!;
  }

  /**
   * Before `sendmmsg`: message `i` has `length` octets in its buffer and goes to the address at `from` in `source`, out of
   * the address that the control message there says the request came to.
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
    const word = this.#headerWords + (i * HEADER) / 4;
    const to = this.addressAt(i);
    const { bytes } = this;
    const nameLength = source[addressAt] === 2 ? 16 : SOCKADDR_BYTES;
    for (let at = 0; at < nameLength; at++) bytes[to + at] = source[addressAt + at]!;
    words[word + NAME_LENGTH] = nameLength;
    words[word + CONTROL_LENGTH] = controlLength;
    words[this.#iovecWords + (i * IOVEC) / 4 + 2] = length;
    if (controlLength === 0) return;
    const control = this.controlAt(i);
    for (let at = 0; at < controlLength; at++) bytes[control + at] = source[controlAt + at]!;
    answerFromWhereAsked(bytes, control);
  }

  /**
   * Sends the first `count` messages. One that the kernel will not take – its address unreachable, its buffers full – is
   * passed over: DNS over UDP is lossy, and the client asks again.
   * @returns how many were taken
   */
  send(libc: Libc, fd: number, count: number): number {
    let done = 0;
    let failed = 0;
    while (done < count) {
      const sent = libc.sendmmsg(fd, this.pointer + done * HEADER, count - done, MSG_DONTWAIT);
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
 * Makes the packet information of a request that of its answer. IPv4: the interface is left open and the address asked
 * becomes the source (`ipi_spec_dst` is that already). IPv6: the interface counts for link-local addresses alone.
 */
function answerFromWhereAsked(bytes: Uint8Array, control: number): void {
  const level = bytes[control + 8]!;
  const type = bytes[control + 12]!;
  const data = control + 16;
  if (level === SOL_IP && type === IP_PKTINFO) {
    bytes.fill(0, data, data + 4);
  } else if (level === SOL_IPV6 && type === IPV6_PKTINFO) {
    const linkLocal = bytes[data] === 0xfe && (bytes[data + 1]! & 0xc0) === 0x80;
    if (!linkLocal) bytes.fill(0, data + 16, data + 20);
  }
}
