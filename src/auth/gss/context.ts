/** An established GSS-TSIG key (RFC 3645 §2.2): a security context under the name that its client gave it. */
import type { Name } from "../../wire/name.ts";
import { sameBytes } from "../../wire/record.ts";
import type { MacContext, MacLength } from "../tsig/mac.ts";
import type { GssSession } from "./acceptor.ts";

/** Octets that any MIC of Kerberos fits in: 16 of header and at most 32 of checksum (RFC 4121 §4.2.6.1); RC4's are 37. */
const MAX_MIC = 64;

export interface GssContextFields {
  readonly keyName: Name;
  /** As its client spelt it: `gss-tsig` or `gss.microsoft.com`. */
  readonly algorithmName: Name;
  readonly principal: string;
  /** Where its client negotiated it from. */
  readonly address: string;
  /** Seconds since 1970 UTC. */
  readonly expires: number;
  readonly session: GssSession;
}

/** One client's context. Unlike an HMAC key it has a state: each MIC made or verified has its number. */
export class GssContext implements MacContext {
  readonly keyName: Name;
  readonly algorithmName: Name;
  readonly principal: string;
  readonly address: string;
  readonly expires: number;
  readonly #session: GssSession;
  #macLength = MAX_MIC;
  #lastMac: Uint8Array | undefined;
  #released = false;

  constructor(fields: GssContextFields) {
    this.keyName = fields.keyName;
    this.algorithmName = fields.algorithmName;
    this.principal = fields.principal;
    this.address = fields.address;
    this.expires = fields.expires;
    this.#session = fields.session;
  }

  /** What to reserve: how long its MICs are, once it has made one. */
  get macLength(): number {
    return this.#macLength;
  }

  get released(): boolean {
    return this.#released;
  }

  /** RFC 3645 §2.2 cuts no MIC short; how long one is, the mechanism decides. */
  judgeLength(length: number): MacLength {
    return length > 0 && length <= MAX_MIC ? "accepted" : "malformed";
  }

  /** @throws Error after {@link release} */
  mac(parts: readonly Uint8Array[]): Uint8Array {
    if (this.#released) throw new Error(`the context ${this.keyName.toString()} is gone`);
    const mac = this.#session.getMic(parts);
    this.#macLength = mac.length;
    return mac;
  }

  /**
   * Over UDP a client that misses its answer sends the same octets again, so the last message verified is taken a second
   * time. Anything older that comes again is a replay.
   */
  verify(parts: readonly Uint8Array[], mac: Uint8Array): boolean {
    if (this.#released) return false;
    switch (this.#session.verifyMic(parts, mac)) {
      case "right":
        this.#lastMac = mac.slice();
        return true;
      case "repeated":
        return this.#lastMac !== undefined && sameBytes(this.#lastMac, mac);
      case "wrong":
        return false;
    }
  }

  /** Gives the session back. Can be called again. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#session.release();
  }
}
