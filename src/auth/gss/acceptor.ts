/**
 * The port to whatever accepts security contexts (RFC 2743 §2.2.2): the system's Kerberos library, or a fake in tests.
 * Tokens in, principals and MICs out; it knows nothing of DNS.
 */

/** Accepts Kerberos tokens with the keys of one keytab. */
export interface GssAcceptor {
  /**
   * Accepts a token in one step; whatever needs a second is refused. Everything that was made on the way to a refusal
   * has been given back when it returns.
   *
   * @param token what the client sent: SPNEGO (RFC 4178) or a Kerberos AP-REQ (RFC 4121 §4.1), whole
   */
  accept(token: Uint8Array): GssAcceptance | GssRefusal;
  /** Gives the keys back. Sessions that were accepted live on. */
  close(): void;
}

/** A client that proved who it is. */
export interface GssAcceptance {
  readonly ok: true;
  /** For the client; it may be empty. */
  readonly token: Uint8Array;
  /** As text: `NODE1$@SMB.EXAMPLE`, `host/node1.smb.example@SMB.EXAMPLE`. */
  readonly principal: string;
  /** Seconds that the client's ticket lasts still; `Infinity` where it never ends. */
  readonly lifetime: number;
  readonly session: GssSession;
}

/** A token that was not accepted. */
export interface GssRefusal {
  readonly ok: false;
  /** English, for the log: the library's own words where they are its own. */
  readonly reason: string;
}

/** What an acceptor is opened with. */
export interface AcceptorOptions {
  /** Path of the keytab. */
  readonly keytab: string;
  /** Only this principal's keys; undefined: all keys of the keytab. */
  readonly principal?: string | undefined;
  /** Path of the file in which the library notes authenticators, so that none is good twice. */
  readonly replayCache: string;
}

/** Why there is no acceptor. */
export interface AcceptorProblem {
  readonly code: "GSS_LIBRARY" | "GSS_KEYTAB";
  readonly message: string;
  readonly advice: string;
}

/** Takes the keys of a keytab, or says why that cannot be done. */
export type OpenAcceptor = (options: AcceptorOptions) => GssAcceptor | AcceptorProblem;

/**
 * What a MIC is worth. `repeated`: it is right, and has been verified in this session before, or may have been. A MIC
 * out of its order is `right`: DNS over UDP keeps none, and RFC 3645 §3.1.1 asks for none.
 */
export type MicVerdict = "right" | "repeated" | "wrong";

/** An established security context. */
export interface GssSession {
  /** The MIC of the parts put together. @throws Error where the session cannot make one */
  getMic(parts: readonly Uint8Array[]): Uint8Array;
  verifyMic(parts: readonly Uint8Array[], mic: Uint8Array): MicVerdict;
  /** Gives back what the library holds for it; nothing may be asked of it afterwards. To be called once. */
  release(): void;
}
