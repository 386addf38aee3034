/** UDP sockets of one address, one for each answer thread (`SO_REUSEPORT`), made and closed by the control thread. */
import { networkInterfaces } from "node:os";
import type { Libc, NativeMemory } from "./libc.ts";
import {
  AF_INET,
  AF_INET6,
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IPV6_MTU_DISCOVER,
  IPV6_RECVPKTINFO,
  IPV6_V6ONLY,
  PMTUDISC_OMIT,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVTIMEO,
  SO_REUSEPORT,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from "./libc.ts";
import { isWildcard, SOCKADDR_BYTES, sockaddrPort, writeSockaddr } from "./sockaddr.ts";

/** Asked of the kernel, which may give less: bursts must not be lost while a thread is not running. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Asked of the kernel, which may give less: a whole batch of answers must fit. */
const SEND_BUFFER = 1024 * 1024;

/** A bound socket. */
export interface NativeSocket {
  readonly fd: number;
  /** Never used twice, as descriptors are. */
  readonly id: number;
}

/** A system call that failed, in the shape of Node's own errors. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, code: string) {
    super(`${syscall} ${code}`);
    this.code = code;
    this.syscall = syscall;
  }
}

/** Octets of scratch memory: options and an address, then the address's length. */
const SCRATCH = 64;
const SCRATCH_LENGTH = 32;

let scratch: NativeMemory | undefined;
let lastId = 0;

/**
 * Opens sockets bound to one address, among which the kernel deals out what comes by source address and port. The first
 * is bound alone and shares only then: an address that another server has is refused, though it shares as well.
 * @param port 0 takes a free one; see {@link boundPort}
 * @param wait milliseconds a receive call blocks at most
 * @throws SystemCallError
 */
export function openSockets(
  libc: Libc,
  address: string,
  port: number,
  { count, wait }: { count: number; wait: number },
): NativeSocket[] {
  const sockets: NativeSocket[] = [];
  try {
    const first = newSocket(libc, address, wait);
    sockets.push(first);
    bind(libc, first, address, port);
    if (count === 1) return sockets;
    const taken = boundPort(libc, first);
    setOption(libc, first.fd, SOL_SOCKET, SO_REUSEPORT, [1]);
    while (sockets.length < count) {
      const next = newSocket(libc, address, wait);
      sockets.push(next);
      setOption(libc, next.fd, SOL_SOCKET, SO_REUSEPORT, [1]);
      bind(libc, next, address, taken);
    }
    return sockets;
  } catch (error) {
    for (const { fd } of sockets) libc.close(fd);
    throw error;
  }
}

/** The port a socket is bound to. @throws SystemCallError */
export function boundPort(libc: Libc, { fd }: NativeSocket): number {
  const { address, buffer } = scratchOf(libc);
  new Uint32Array(buffer)[SCRATCH_LENGTH / 4] = SOCKADDR_BYTES;
  if (libc.getsockname(fd, address, address + SCRATCH_LENGTH) < 0) throw failed(libc, "getsockname");
  return sockaddrPort(new Uint8Array(buffer), 0);
}

function newSocket(libc: Libc, address: string, wait: number): NativeSocket {
  const v6 = address.includes(":");
  const fd = libc.socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failed(libc, "socket");
  try {
    // Beyond net.core.rmem_max where the process may (CAP_NET_ADMIN), up to it elsewhere.
    if (!trySetOption(libc, fd, SOL_SOCKET, SO_RCVBUFFORCE, [RECEIVE_BUFFER])) {
      setOption(libc, fd, SOL_SOCKET, SO_RCVBUF, [RECEIVE_BUFFER]);
    }
    setOption(libc, fd, SOL_SOCKET, SO_SNDBUF, [SEND_BUFFER]);
    setOption(libc, fd, SOL_SOCKET, SO_RCVTIMEO, [Math.floor(wait / 1000), 0, (wait % 1000) * 1000, 0]);
    if (v6) {
      setOption(libc, fd, SOL_IPV6, IPV6_V6ONLY, [1]);
      setOption(libc, fd, SOL_IPV6, IPV6_MTU_DISCOVER, [PMTUDISC_OMIT]);
    } else {
      setOption(libc, fd, SOL_IP, IP_MTU_DISCOVER, [PMTUDISC_OMIT]);
    }
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  return { fd, id: ++lastId };
}

function bind(libc: Libc, { fd }: NativeSocket, address: string, port: number): void {
  const [numeric, zone] = address.split("%");
  const bytes = new Uint8Array(SOCKADDR_BYTES);
  const length = writeSockaddr(bytes, 0, numeric!, port, zone === undefined ? 0 : scopeId(zone));
  // Bound to a wildcard address: each request says which one it came to, and its answer leaves from there.
  if (isWildcard(bytes, 0)) {
    if (bytes[0] === AF_INET6) setOption(libc, fd, SOL_IPV6, IPV6_RECVPKTINFO, [1]);
    else setOption(libc, fd, SOL_IP, IP_PKTINFO, [1]);
  }
  const memory = scratchOf(libc);
  new Uint8Array(memory.buffer).set(bytes);
  if (libc.bind(fd, memory.address, length) < 0) throw failed(libc, "bind");
}

/** The number of an interface (RFC 4007 §11.2): `2` or `eth0`. */
function scopeId(zone: string): number {
  if (/^[0-9]+$/.test(zone)) return Number(zone);
  for (const address of networkInterfaces()[zone] ?? []) {
    if (address.family === "IPv6" && address.scopeid !== 0) return address.scopeid;
  }
  throw new SystemCallError("bind", "EADDRNOTAVAIL");
}

function setOption(libc: Libc, fd: number, level: number, option: number, words: readonly number[]): void {
  if (!trySetOption(libc, fd, level, option, words)) throw failed(libc, "setsockopt");
}

/** @returns whether the kernel agreed */
function trySetOption(
  libc: Libc,
  fd: number,
  level: number,
  option: number,
  words: readonly number[],
): boolean {
  const { address, buffer } = scratchOf(libc);
  new Uint32Array(buffer).set(words);
  return libc.setsockopt(fd, level, option, address, words.length * 4) >= 0;
}

function scratchOf(libc: Libc): NativeMemory {
  return (scratch ??= libc.allocate(SCRATCH));
}

function failed(libc: Libc, syscall: string): SystemCallError {
  return new SystemCallError(syscall, libc.errorName(libc.errno()));
}
