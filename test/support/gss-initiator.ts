/** The client's side of a real security context, in this process: for load, and for what nsupdate never sends. */
import koffi from "koffi";
import type { Name } from "../../src/wire/name.ts";
import type { MacContext } from "../../src/auth/tsig/mac.ts";

const gssapi = koffi.load("libgssapi_krb5.so.2");
const libc = koffi.load(null);
const P = "uintptr_t";
type Call = (...args: (number | string)[]) => number;
const call = (name: string, ...types: string[]): Call =>
  gssapi.func(`uint32_t ${name}(${types.join(", ")})`) as Call;
const importName = call("gss_import_name", P, P, P, P);
const initSecContext = call("gss_init_sec_context", P, P, P, P, P, "uint32_t", "uint32_t", P, P, P, P, P, P);
const getMic = call("gss_get_mic", P, P, "uint32_t", P, P);
const verifyMic = call("gss_verify_mic", P, P, P, P, P);
const releaseBuffer = call("gss_release_buffer", P, P);
const deleteSecContext = call("gss_delete_sec_context", P, P, P);
const setenv = libc.func(`int setenv(str, str, int)`) as Call;
const memcpy = libc.func(`${P} memcpy(${P}, ${P}, size_t)`) as Call;

const MECHANISMS = {
  spnego: [0x2b, 6, 1, 5, 5, 2],
  kerberos: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2],
} as const;
export type Mechanism = keyof typeof MECHANISMS;
/** GSS_KRB5_NT_PRINCIPAL_NAME */
const PRINCIPAL_NAME = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 1];
/** mutual, replay and integrity: what Windows and nsupdate ask for */
const FLAGS = 2 | 4 | 32;
/** GSS_C_DCE_STYLE: a third message, from the client, ends the negotiation. */
export const DCE_STYLE = 0x1000;

/** Native memory, and what it refers to. */
class Memory {
  readonly octets: Uint8Array;
  readonly address: number;
  /** Lives as long as this. */
  readonly refersTo: Memory | undefined;

  constructor(octets: Uint8Array, refersTo?: Memory) {
    this.octets = octets;
    this.address = Number(koffi.address(octets.buffer));
    this.refersTo = refersTo;
  }

  /** A gss_buffer_desc or gss_OID_desc of a copy of the octets. */
  static descriptor(octets: Iterable<number>): Memory {
    const content = new Memory(Uint8Array.from(octets));
    const memory = new Memory(new Uint8Array(16), content);
    memory.set(0, content.octets.length);
    memory.set(8, content.address);
    return memory;
  }

  get(offset: number): number {
    return Number(new DataView(this.octets.buffer).getBigUint64(offset, true));
  }

  set(offset: number, value: number): void {
    new DataView(this.octets.buffer).setBigUint64(offset, BigInt(value), true);
  }

  /** What a buffer that the library filled refers to; the library's octets are given back. */
  take(): Uint8Array {
    const copy = new Memory(new Uint8Array(this.get(0)));
    if (copy.octets.length > 0) memcpy(copy.address, this.get(8), copy.octets.length);
    const minor = new Memory(new Uint8Array(8));
    releaseBuffer(minor.address, this.address);
    return copy.octets;
  }
}

export class GssInitiator {
  readonly #minor = new Memory(new Uint8Array(8));
  readonly #context = new Memory(new Uint8Array(8));
  readonly #name = new Memory(new Uint8Array(8));
  readonly #mechanism: Memory;
  readonly #flags: number;
  /** What a call under way refers to: it must not be collected. */
  inUse: readonly (Memory | undefined)[] = [];

  /**
   * @param env says whose credentials and which realm: KRB5CCNAME, KRB5_CONFIG
   * @param service a principal, `DNS/ns1.smb.example@SMB.EXAMPLE`
   * @param flags beside those that Windows and nsupdate ask for
   */
  constructor(env: NodeJS.ProcessEnv, service: string, mechanism: Mechanism = "spnego", flags = 0) {
    this.#flags = FLAGS | flags;
    // Of the process itself: what a worker sets in process.env the library does not see.
    for (const name of ["KRB5_CONFIG", "KRB5CCNAME"]) setenv(name, env[name]!, 1);
    const text = Memory.descriptor(new TextEncoder().encode(service));
    const type = Memory.descriptor(PRINCIPAL_NAME);
    this.inUse = [text, type];
    this.#check(importName(this.#minor.address, text.address, type.address, this.#name.address));
    this.#mechanism = Memory.descriptor(MECHANISMS[mechanism]);
  }

  /** The token to send first; then, with the server's, nothing more. */
  step(received?: Uint8Array): Uint8Array {
    const input = received === undefined ? undefined : Memory.descriptor(received);
    const output = new Memory(new Uint8Array(16));
    this.inUse = [input, output];
    const major = initSecContext(
      this.#minor.address,
      0,
      this.#context.address,
      this.#name.get(0),
      this.#mechanism.address,
      this.#flags,
      0,
      0,
      input?.address ?? 0,
      0,
      output.address,
      0,
      0,
    );
    this.#check(major);
    return output.take();
  }

  getMic(message: Uint8Array): Uint8Array {
    const input = Memory.descriptor(message);
    const output = new Memory(new Uint8Array(16));
    this.inUse = [input, output];
    this.#check(getMic(this.#minor.address, this.#context.get(0), 0, input.address, output.address));
    return output.take();
  }

  verifyMic(message: Uint8Array, mic: Uint8Array): boolean {
    const [input, token] = [Memory.descriptor(message), Memory.descriptor(mic)];
    this.inUse = [input, token];
    const major = verifyMic(this.#minor.address, this.#context.get(0), input.address, token.address, 0);
    return major >>> 16 === 0;
  }

  /** For signing and checking messages by the code that HMAC is used with. */
  macContext(keyName: Name, algorithmName: Name): MacContext {
    return {
      keyName,
      algorithmName,
      macLength: 28,
      judgeLength: () => "accepted",
      mac: (parts) => this.getMic(Buffer.concat(parts)),
      verify: (parts, mic) => this.verifyMic(Buffer.concat(parts), mic),
    };
  }

  release(): void {
    this.inUse = [];
    deleteSecContext(this.#minor.address, this.#context.address, 0);
  }

  #check(major: number): void {
    if (major >>> 16 !== 0) throw new Error(`GSS-API error ${major}, minor ${this.#minor.get(0)}`);
  }
}
