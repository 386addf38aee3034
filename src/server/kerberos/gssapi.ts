/**
 * The calls of MIT Kerberos' libgssapi_krb5 and libkrb5 that accepting security contexts takes, through koffi. Both are
 * optional: where koffi or a library is missing, {@link loadGssapi} says which.
 *
 * Pointers are plain numbers: addresses of native memory fit 53 bits. Numbers that C returns are `OM_uint32` or error
 * codes; nothing here throws.
 */
import { createRequire } from "node:module";
import type * as Koffi from "koffi";

type Call = (...args: number[]) => number;
type Procedure = (...args: number[]) => void;

/** Of libgssapi_krb5 (RFC 2744 §5, and MIT's extensions). */
export interface GssapiCalls {
  readonly acquireCredFrom: Call;
  readonly setNegMechs: Call;
  readonly acceptSecContext: Call;
  readonly displayName: Call;
  readonly displayStatus: Call;
  readonly getMic: Call;
  readonly verifyMic: Call;
  readonly deleteSecContext: Call;
  readonly releaseBuffer: Call;
  readonly releaseName: Call;
  readonly releaseCred: Call;
}

/** Of libkrb5, to read keytabs. */
export interface Krb5Calls {
  readonly initContext: Call;
  readonly freeContext: Procedure;
  readonly ktResolve: (context: number, name: string, keytab: number) => number;
  readonly ktClose: Call;
  readonly ktStartSeqGet: Call;
  readonly ktNextEntry: Call;
  readonly ktEndSeqGet: Call;
  readonly ktAddEntry: Call;
  readonly freeKeytabEntryContents: Call;
  readonly unparseName: Call;
  readonly freeUnparsedName: Procedure;
  readonly getErrorMessage: Call;
  readonly freeErrorMessage: Procedure;
}

export interface Gssapi {
  readonly gss: GssapiCalls;
  readonly krb5: Krb5Calls;
  /** Copies native memory. */
  readonly read: (address: number, length: number) => Uint8Array;
  /** Text in UTF-8 up to its NUL. */
  readonly text: (address: number) => string;
  /** Memory for calls, cleared; it lives as long as its buffer is referred to, and V8 never moves it. */
  readonly allocate: (bytes: number) => { readonly address: number; readonly buffer: ArrayBuffer };
}

let loaded: Gssapi | undefined;

/**
 * The libraries, or why they cannot be called here.
 * @param loadKoffi loads the module; throws where it is not installed
 */
export function loadGssapi(loadKoffi: () => typeof Koffi = requireKoffi): Gssapi | string {
  const { platform, arch } = process;
  // The layout of OIDs and buffers below is that of 64-bit little-endian Linux.
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64")) return `not done on ${platform} ${arch}`;
  let koffi: typeof Koffi;
  try {
    koffi = loadKoffi();
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND";
    return missing ? "koffi is not installed" : `koffi cannot be used: ${String(error)}`;
  }
  try {
    return (loaded ??= bind(koffi));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function requireKoffi(): typeof Koffi {
  return createRequire(import.meta.url)("koffi") as typeof Koffi;
}

function call(library: Koffi.LibraryHandle, name: string, ...types: string[]): Call {
  return library.func(`uint32_t ${name}(${types.join(", ")})`) as Call;
}

function procedure(library: Koffi.LibraryHandle, name: string, ...types: string[]): Procedure {
  return library.func(`void ${name}(${types.join(", ")})`) as Procedure;
}

function bind(koffi: typeof Koffi): Gssapi {
  const gssapi = koffi.load("libgssapi_krb5.so.2");
  const krb5 = koffi.load("libkrb5.so.3");
  const libc = koffi.load(null);
  const P = "uintptr_t";
  const memcpy = libc.func("uintptr_t memcpy(uintptr_t, uintptr_t, size_t)") as Call;
  const strlen = libc.func("size_t strlen(uintptr_t)") as Call;
  const allocate: Gssapi["allocate"] = (bytes) => {
    const buffer = new ArrayBuffer(bytes);
    return { address: Number(koffi.address(buffer)), buffer };
  };
  const read: Gssapi["read"] = (address, length) => {
    const memory = allocate(Math.max(1, length));
    memcpy(memory.address, address, length);
    return new Uint8Array(memory.buffer, 0, length);
  };
  return {
    gss: {
      acquireCredFrom: call(gssapi, "gss_acquire_cred_from", P, P, "uint32_t", P, "int", P, P, P, P),
      setNegMechs: call(gssapi, "gss_set_neg_mechs", P, P, P),
      acceptSecContext: call(gssapi, "gss_accept_sec_context", P, P, P, P, P, P, P, P, P, P, P),
      displayName: call(gssapi, "gss_display_name", P, P, P, P),
      displayStatus: call(gssapi, "gss_display_status", P, "uint32_t", "int", P, P, P),
      getMic: call(gssapi, "gss_get_mic", P, P, "uint32_t", P, P),
      verifyMic: call(gssapi, "gss_verify_mic", P, P, P, P, P),
      deleteSecContext: call(gssapi, "gss_delete_sec_context", P, P, P),
      releaseBuffer: call(gssapi, "gss_release_buffer", P, P),
      releaseName: call(gssapi, "gss_release_name", P, P),
      releaseCred: call(gssapi, "gss_release_cred", P, P),
    },
    krb5: {
      initContext: call(krb5, "krb5_init_context", P),
      freeContext: procedure(krb5, "krb5_free_context", P),
      ktResolve: krb5.func(`uint32_t krb5_kt_resolve(${P}, str, ${P})`) as Krb5Calls["ktResolve"],
      ktClose: call(krb5, "krb5_kt_close", P, P),
      ktStartSeqGet: call(krb5, "krb5_kt_start_seq_get", P, P, P),
      ktNextEntry: call(krb5, "krb5_kt_next_entry", P, P, P, P),
      ktEndSeqGet: call(krb5, "krb5_kt_end_seq_get", P, P, P),
      ktAddEntry: call(krb5, "krb5_kt_add_entry", P, P, P),
      freeKeytabEntryContents: call(krb5, "krb5_free_keytab_entry_contents", P, P),
      unparseName: call(krb5, "krb5_unparse_name", P, P, P),
      freeUnparsedName: procedure(krb5, "krb5_free_unparsed_name", P, P),
      getErrorMessage: krb5.func(`uintptr_t krb5_get_error_message(${P}, uint32_t)`) as Call,
      freeErrorMessage: procedure(krb5, "krb5_free_error_message", P, P),
    },
    read,
    text: (address) => new TextDecoder().decode(read(address, strlen(address))),
    allocate,
  };
}
