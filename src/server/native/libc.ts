/**
 * The few calls of Linux's C library that batched UDP needs, through koffi. Where koffi is not installed, or the
 * machine is not a 64-bit little-endian Linux, there is none of it, and the portable transport serves instead.
 */
import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";
import type * as Koffi from "koffi";

/** Constants of Linux, the same on x86-64 and arm64. */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_IP = 0;
export const SOL_SOCKET = 1;
export const SOL_IPV6 = 41;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_RCVBUFFORCE = 33;
export const SO_REUSEPORT = 15;
export const SO_RCVTIMEO = 20;
export const IP_PKTINFO = 8;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IP_MTU_DISCOVER = 10;
export const IPV6_MTU_DISCOVER = 23;
/** Fragment where need be, and believe no ICMP about path MTUs. */
export const PMTUDISC_OMIT = 5;
export const MSG_DONTWAIT = 0x40;
/** Block for the first message only. */
export const MSG_WAITFORONE = 0x10000;
export const POLLIN = 1;

/** Errors the transports tell apart. */
export const Errno = { EINTR: 4, EAGAIN: 11 } as const;

/** Pointers are plain numbers: addresses of native memory fit 53 bits. All calls return -1 on failure; see `errno`. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: number, length: number): number;
  setsockopt(fd: number, level: number, option: number, value: number, length: number): number;
  getsockname(fd: number, address: number, length: number): number;
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: number): number;
  sendmmsg(fd: number, messages: number, count: number, flags: number): number;
  poll(fds: number, count: number, timeout: number): number;
  close(fd: number): number;
  /** `malloc_trim`: gives free memory within the allocator's heaps back to the system. Nothing where there is no such call. */
  trim(): void;
  /** `sched_setattr` of the calling thread: 0, or -1 and an `errno`. */
  setSchedulingAttributes(attributes: number): number;
  /** Of the last call of this thread. */
  errno(): number;
  /** `EADDRINUSE` for 98, and so on. */
  errorName(errno: number): string;
  /** Memory for calls, cleared; it lives as long as its buffer is referred to. */
  allocate(bytes: number): NativeMemory;
}

/** A piece of memory that both JavaScript and the C library see. */
export interface NativeMemory {
  /** Where the C library finds it. V8 never moves the octets of an ArrayBuffer. */
  readonly address: number;
  readonly buffer: ArrayBuffer;
}

let loaded: Libc | undefined;

/**
 * The C library, or why it cannot be called here.
 * @param loadKoffi loads the module; throws where it is not installed
 */
export function loadLibc(loadKoffi: () => typeof Koffi = requireKoffi): Libc | string {
  const { platform, arch } = process;
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64")) return `not done on ${platform} ${arch}`;
  try {
    return (loaded ??= bind(loadKoffi()));
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND";
    return missing ? "koffi is not installed" : `koffi cannot be used: ${String(error)}`;
  }
}

function requireKoffi(): typeof Koffi {
  return createRequire(import.meta.url)("koffi") as typeof Koffi;
}

/** Numbers of the system call `sched_setattr`, for which C libraries have had no function for long. */
const SCHED_SETATTR: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 314, arm64: 274 };

function bind(koffi: typeof Koffi): Libc {
  const library = koffi.load(null);
  const systemCall = library.func("long syscall(long, long, uintptr_t, long)");
  const trim = mallocTrim(library);
  return {
    setSchedulingAttributes: (attributes) =>
      systemCall(SCHED_SETATTR[process.arch]!, 0, attributes, 0) as number,
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, uintptr_t, uint)"),
    setsockopt: library.func("int setsockopt(int, int, int, uintptr_t, uint)"),
    getsockname: library.func("int getsockname(int, uintptr_t, uintptr_t)"),
    recvmmsg: library.func("int recvmmsg(int, uintptr_t, uint, int, uintptr_t)"),
    sendmmsg: library.func("int sendmmsg(int, uintptr_t, uint, int)"),
    poll: library.func("int poll(uintptr_t, ulong, int)"),
    close: library.func("int close(int)"),
    trim: () => void trim?.(0),
    errno: () => koffi.errno(),
    errorName: (errno) => getSystemErrorName(-errno),
    allocate: (bytes) => {
      const buffer = new ArrayBuffer(bytes);
      return { address: Number(koffi.address(buffer)), buffer };
    },
  };
}

/** Other C libraries than glibc do not have it. */
function mallocTrim(library: Koffi.LibraryHandle): ((keep: number) => number) | undefined {
  try {
    return library.func("int malloc_trim(size_t)");
  } catch {
    return undefined;
  }
}
