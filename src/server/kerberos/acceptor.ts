/** Accepts security contexts with the system's Kerberos (RFC 2744; MIT's library): the port of `auth/gss`, filled. */
import type {
  AcceptorOptions,
  AcceptorProblem,
  GssAcceptance,
  GssAcceptor,
  GssRefusal,
  GssSession,
  MicVerdict,
} from "../../auth/gss/acceptor.ts";
import { isKerberos } from "../../auth/gss/token.ts";
import {
  CONTEXT,
  CRED,
  CallMemory,
  FLAGS,
  INPUT,
  INPUT_2,
  KERBEROS_SET,
  MAX_MIC,
  MECHANISM,
  MESSAGE_CONTEXT,
  MINOR,
  NAME,
  NAME_TYPE,
  OID_SET,
  OUTPUT,
  STORE,
  TIME,
} from "./call-memory.ts";
import type { Gssapi } from "./gssapi.ts";
import { loadGssapi } from "./gssapi.ts";
import { copyKeytab } from "./memory-keytab.ts";
import type { MemoryKeytab } from "./memory-keytab.ts";

/** Constants of RFC 2744 appendix A. */
const GSS_C_ACCEPT = 2;
const GSS_C_INDEFINITE = 0xffff_ffff;
const GSS_C_INTEG_FLAG = 32;
const GSS_C_ANON_FLAG = 64;
const GSS_C_GSS_CODE = 1;
const GSS_C_MECH_CODE = 2;
const GSS_S_CONTINUE_NEEDED = 1;
const GSS_S_DUPLICATE_TOKEN = 2;
const GSS_S_OLD_TOKEN = 4;
const GSS_S_CONTEXT_EXPIRED = 12 << 16;
/** The octets that hold errors; what is below them is supplementary. */
const ERROR_MASK = 0xffff_0000;

/** Lines of an error's text that are read. */
const MAX_STATUS_LINES = 4;

/** Takes the keys of a keytab, or says why that cannot be done. */
export function openAcceptor(
  options: AcceptorOptions,
  load: () => Gssapi | string = loadGssapi,
): GssAcceptor | AcceptorProblem {
  const api = load();
  if (typeof api === "string") {
    return {
      code: "GSS_LIBRARY",
      message: `GSS-TSIG needs the system's Kerberos library, and it cannot be used: ${api}`,
      advice:
        "Install libgssapi-krb5-2 (Debian) or krb5-libs (Fedora) and the package koffi, or take [gss] out of the configuration.",
    };
  }
  const failed = (reason: string): AcceptorProblem => ({
    code: "GSS_KEYTAB",
    message: `the keys of ${options.keytab} cannot be used: ${reason}`,
    advice: "Export the keytab anew (ktpass, samba-tool domain exportkeytab or kadmin ktadd), then reload.",
  });
  const keytab = copyKeytab(api, options.keytab, options.principal);
  if (typeof keytab === "string") return failed(keytab);
  const acceptor = new KerberosAcceptor(api);
  const reason = acceptor.acquire(keytab, options.replayCache);
  // The credential keeps the copy alive from here on.
  keytab.close();
  if (reason === undefined) return acceptor;
  acceptor.close();
  return failed(reason);
}

class KerberosAcceptor implements GssAcceptor {
  readonly #api: Gssapi;
  /** Shared by all calls: each is over before the next begins. */
  readonly #memory: CallMemory;
  #credential = 0;

  constructor(api: Gssapi) {
    this.#api = api;
    this.#memory = new CallMemory(api);
  }

  /** @returns why it has failed */
  acquire(keytab: MemoryKeytab, replayCache: string): string | undefined {
    const memory = this.#memory;
    const { gss } = this.#api;
    memory.putOids();
    memory.putStore({ keytab: keytab.name, rcache: `file2:${replayCache}` });
    memory.setPointer(CRED, 0);
    let major = gss.acquireCredFrom(
      memory.at(MINOR),
      0,
      GSS_C_INDEFINITE,
      memory.at(OID_SET),
      GSS_C_ACCEPT,
      memory.at(STORE),
      memory.at(CRED),
      0,
      0,
    );
    if (major !== 0) return this.#status(major);
    this.#credential = memory.pointer(CRED);
    // Without this SPNEGO would offer whatever other mechanisms are installed, NTLM among them.
    major = gss.setNegMechs(memory.at(MINOR), this.#credential, memory.at(KERBEROS_SET));
    return major === 0 ? undefined : this.#status(major);
  }

  accept(token: Uint8Array): GssAcceptance | GssRefusal {
    if (this.#credential === 0) return { ok: false, reason: "the keys have been given back" };
    const memory = this.#memory;
    const { gss } = this.#api;
    memory.putInput([token]);
    for (const place of [CONTEXT, NAME, MECHANISM, OUTPUT, OUTPUT + 8]) memory.setPointer(place, 0);
    const major = gss.acceptSecContext(
      memory.at(MINOR),
      memory.at(CONTEXT),
      this.#credential,
      memory.at(INPUT),
      0, // no channel bindings
      memory.at(NAME),
      memory.at(MECHANISM),
      memory.at(OUTPUT),
      memory.at(FLAGS),
      memory.at(TIME),
      0, // no delegated credentials
    );
    const context = memory.pointer(CONTEXT);
    try {
      const reason = this.#refusal(major);
      if (reason !== undefined) {
        this.#delete(context);
        return { ok: false, reason };
      }
      const principal = this.#principal();
      if (principal === undefined) {
        this.#delete(context);
        return { ok: false, reason: "the client's name cannot be read" };
      }
      const time = memory.number(TIME);
      return {
        ok: true,
        token: memory.takeOutput(),
        principal,
        lifetime: time === GSS_C_INDEFINITE ? Infinity : time,
        session: new KerberosSession(this.#api, memory, context),
      };
    } finally {
      gss.releaseBuffer(memory.at(MINOR), memory.at(OUTPUT));
      if (memory.pointer(NAME) !== 0) gss.releaseName(memory.at(MINOR), memory.at(NAME));
    }
  }

  close(): void {
    if (this.#credential === 0) return;
    this.#memory.setPointer(CRED, this.#credential);
    this.#api.gss.releaseCred(this.#memory.at(MINOR), this.#memory.at(CRED));
    this.#credential = 0;
  }

  /** Why a context is not to be had, if so. To be asked right after the call. */
  #refusal(major: number): string | undefined {
    if ((major & ERROR_MASK) !== 0) return this.#status(major);
    if ((major & GSS_S_CONTINUE_NEEDED) !== 0)
      return "Kerberos asks for a second step, and one is all there is";
    if (major !== 0) return "a token that was used before";
    const memory = this.#memory;
    const flags = memory.number(FLAGS);
    if ((flags & GSS_C_ANON_FLAG) !== 0) return "an anonymous client";
    if ((flags & GSS_C_INTEG_FLAG) === 0) return "a context that signs nothing";
    const mechanism = memory.pointer(MECHANISM);
    if (mechanism === 0 || !isKerberos(memory.oid(mechanism))) return "a mechanism other than Kerberos";
    return undefined;
  }

  #principal(): string | undefined {
    const memory = this.#memory;
    const { gss } = this.#api;
    const name = memory.pointer(NAME);
    if (name === 0) return undefined;
    memory.setPointer(INPUT_2, 0);
    memory.setPointer(INPUT_2 + 8, 0);
    const major = gss.displayName(memory.at(MINOR), name, memory.at(INPUT_2), memory.at(NAME_TYPE));
    if (major !== 0) return undefined;
    const text = new TextDecoder().decode(memory.take(INPUT_2));
    gss.releaseBuffer(memory.at(MINOR), memory.at(INPUT_2));
    return text;
  }

  #delete(context: number): void {
    if (context === 0) return;
    this.#memory.setPointer(CONTEXT, context);
    this.#api.gss.deleteSecContext(this.#memory.at(MINOR), this.#memory.at(CONTEXT), 0);
  }

  /** What the library says of an error: the mechanism's words, or else the general ones. */
  #status(major: number): string {
    const minor = this.#memory.number(MINOR);
    const specific = minor === 0 ? "" : this.#statusText(minor, GSS_C_MECH_CODE);
    // The mechanism may have nothing to say of an error of the layer above it.
    const empty = specific === "" || specific === "Success" || specific.startsWith("Unknown");
    return empty ? this.#statusText(major, GSS_C_GSS_CODE) : specific;
  }

  #statusText(code: number, type: number): string {
    const memory = this.#memory;
    const { gss } = this.#api;
    const lines: string[] = [];
    memory.setPointer(MESSAGE_CONTEXT, 0);
    do {
      memory.setPointer(INPUT_2, 0);
      memory.setPointer(INPUT_2 + 8, 0);
      const major = gss.displayStatus(
        memory.at(NAME_TYPE),
        code,
        type,
        0,
        memory.at(MESSAGE_CONTEXT),
        memory.at(INPUT_2),
      );
      if (major !== 0) break;
      lines.push(new TextDecoder().decode(memory.take(INPUT_2)));
      gss.releaseBuffer(memory.at(NAME_TYPE), memory.at(INPUT_2));
    } while (memory.number(MESSAGE_CONTEXT) !== 0 && lines.length < MAX_STATUS_LINES);
    return lines.join("; ").replaceAll(/\s+/g, " ");
  }
}

class KerberosSession implements GssSession {
  readonly #api: Gssapi;
  readonly #memory: CallMemory;
  #context: number;

  constructor(api: Gssapi, memory: CallMemory, context: number) {
    this.#api = api;
    this.#memory = memory;
    this.#context = context;
  }

  getMic(parts: readonly Uint8Array[]): Uint8Array {
    const memory = this.#memory;
    const { gss } = this.#api;
    if (this.#context === 0) throw new Error("a security context was used after its release");
    memory.putInput(parts);
    memory.setPointer(OUTPUT, 0);
    memory.setPointer(OUTPUT + 8, 0);
    const major = gss.getMic(memory.at(MINOR), this.#context, 0, memory.at(INPUT), memory.at(OUTPUT));
    const mic = memory.takeOutput();
    gss.releaseBuffer(memory.at(MINOR), memory.at(OUTPUT));
    // The answer to what was verified in time may be late; the library makes the MIC all the same.
    const failed = major !== 0 && major !== GSS_S_CONTEXT_EXPIRED;
    if (failed || mic.length === 0) throw new Error(`Kerberos cannot sign: GSS-API error ${major}`);
    return mic;
  }

  verifyMic(parts: readonly Uint8Array[], mic: Uint8Array): MicVerdict {
    const memory = this.#memory;
    if (this.#context === 0 || mic.length > MAX_MIC) return "wrong";
    memory.putInput(parts);
    memory.putSecondInput(mic);
    const { gss } = this.#api;
    const major = gss.verifyMic(memory.at(MINOR), this.#context, memory.at(INPUT), memory.at(INPUT_2), 0);
    if ((major & ERROR_MASK) !== 0) return "wrong";
    return (major & (GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN)) === 0 ? "right" : "repeated";
  }

  release(): void {
    if (this.#context === 0) return;
    this.#memory.setPointer(CONTEXT, this.#context);
    this.#context = 0;
    this.#api.gss.deleteSecContext(this.#memory.at(MINOR), this.#memory.at(CONTEXT), 0);
  }
}
