/** UDP sockets that several threads can share an address with (`SO_REUSEPORT`), made and closed by the control thread. */
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
  SO_RCVTIMEO,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from "./libc.ts";
import { sockaddrPort, writeSockaddr } from "./sockaddr.ts";

/** Asked of the kernel, which may give less: bursts must not be lost while a thread is not running. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** A bound socket. */
export interface NativeSocket {
  readonly fd: number;
  /** Never used twice, as descriptors are. */
  readonly id: number;
  /** Bound to a wildcard address: answers must say which address they leave from. */
  readonly wildcard: boolean;
}

/** A system call that failed, in the shape of Node's own errors. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly code: string;
  readonly syscall: string;

  constructor(libc: Libc, syscall: string) {
    const code = libc.errorName(libc.errno());
    super(`${syscall} ${code}`);
    this.code = code;
    this.syscall = syscall;
  }
}

let scratch: NativeMemory | undefined;
let lastId = 0;

/**
 * Opens a socket.
 * @param port 0 takes a free one; see {@link boundPort}
 * @param wait milliseconds a receive call blocks at most
 * @param share whether others may be bound to the same address, if they say so too
 * @throws SystemCallError
 */
export function openSocket(
  libc: Libc,
  address: string,
  port: number,
  { wait, share }: { wait: number; share: boolean },
): NativeSocket {
  const v6 = address.includes(":");
  const fd = libc.socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new SystemCallError(libc, "socket");
  const wildcard = address === "0.0.0.0" || address === "::";
  try {
    setOption(libc, fd, SOL_SOCKET, SO_RCVBUF, [RECEIVE_BUFFER]);
    setOption(libc, fd, SOL_SOCKET, SO_RCVTIMEO, [Math.floor(wait / 1000), 0, (wait % 1000) * 1000, 0]);
    if (share) setOption(libc, fd, SOL_SOCKET, SO_REUSEPORT, [1]);
    if (v6) {
      setOption(libc, fd, SOL_IPV6, IPV6_V6ONLY, [1]);
      setOption(libc, fd, SOL_IPV6, IPV6_MTU_DISCOVER, [PMTUDISC_OMIT]);
      if (wildcard) setOption(libc, fd, SOL_IPV6, IPV6_RECVPKTINFO, [1]);
    } else {
      setOption(libc, fd, SOL_IP, IP_MTU_DISCOVER, [PMTUDISC_OMIT]);
      if (wildcard) setOption(libc, fd, SOL_IP, IP_PKTINFO, [1]);
    }
    scratch ??= libc.allocate(64);
    const length = writeSockaddr(new Uint8Array(scratch.buffer), 0, address, port);
    if (libc.bind(fd, scratch.address, length) < 0) throw new SystemCallError(libc, "bind");
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  return { fd, id: ++lastId, wildcard };
}

/** The port a socket is bound to. */
export function boundPort(libc: Libc, { fd }: NativeSocket): number {
  scratch ??= libc.allocate(64);
  new Uint32Array(scratch.buffer, 32, 1)[0] = 28;
  if (libc.getsockname(fd, scratch.address, scratch.address + 32) < 0)
    throw new SystemCallError(libc, "getsockname");
  return sockaddrPort(new Uint8Array(scratch.buffer), 0);
}

function setOption(libc: Libc, fd: number, level: number, option: number, words: readonly number[]): void {
  scratch ??= libc.allocate(64);
  new Uint32Array(scratch.buffer).set(words);
  if (libc.setsockopt(fd, level, option, scratch.address, words.length * 4) < 0) {
    throw new SystemCallError(libc, "setsockopt");
  }
}
