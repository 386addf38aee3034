/**
 * GSS-API without Kerberos: an acceptor for unit tests, and the client that talks to it. Tokens have the outside of real
 * ones; inside is the principal's name in the clear. MICs have the form of RFC 4121 §4.2.6.1, numbered and checked as
 * MIT's library does.
 */
import { createHmac } from "node:crypto";
import type {
  GssAcceptance,
  GssAcceptor,
  GssRefusal,
  GssSession,
  MicVerdict,
} from "../../src/auth/gss/acceptor.ts";
import { Gss } from "../../src/auth/gss/gss.ts";
import type { GssSettings } from "../../src/auth/gss/gss.ts";
import { Opcode } from "../../src/wire/iana/code.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { writeTkey } from "../../src/wire/tkey.ts";
import type { TkeyFields } from "../../src/wire/tkey.ts";
import { WireWriter } from "../../src/wire/writer.ts";
import { join, sized, variables, withTsig } from "../rfc/rfc8945/by-hand.ts";
import type { Octets } from "../rfc/rfc8945/by-hand.ts";

//------------ Tokens --------------------------------------------------------

export const OID = {
  kerberos: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2],
  msKerberos: [0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2],
  spnego: [0x2b, 6, 1, 5, 5, 2],
  ntlm: [0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10],
  negoex: [0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 30],
} as const;

/** A DER element. */
export function der(tag: number, ...content: Octets[]): Uint8Array {
  const body = join(...content);
  const { length } = body;
  if (length < 0x80) return join([tag, length], body);
  return length < 0x100
    ? join([tag, 0x81, length], body)
    : join([tag, 0x82, length >> 8, length & 0xff], body);
}

/** A bare Kerberos token (RFC 4121 §4.1). */
export function kerberosToken(inside: string, kind: Octets = [1, 0]): Uint8Array {
  return der(0x60, der(0x06, OID.kerberos), kind, Buffer.from(inside));
}

/** SPNEGO's first token (RFC 4178 §4.2.1). */
export function spnegoToken(mechanisms: readonly Octets[], inner: Octets | undefined): Uint8Array {
  const list = der(0xa0, der(0x30, ...mechanisms.map((oid) => der(0x06, oid))));
  const body = inner === undefined ? [list] : [list, der(0xa2, der(0x04, inner))];
  return der(0x60, der(0x06, OID.spnego), der(0xa0, der(0x30, ...body)));
}

/** The token with which a client proves to a {@link FakeAcceptor} that it is `principal`. */
export function fakeToken(principal: string, secret = "s"): Uint8Array {
  return kerberosToken(`<${principal}|${secret}>`);
}

//------------ Sessions ------------------------------------------------------

/** A MIC as RFC 4121 lays it out: 28 octets. */
function mic(
  secret: string,
  sender: "initiator" | "acceptor",
  sequence: number,
  message: Octets,
): Uint8Array {
  const header = new Uint8Array(16).fill(0xff);
  header.set([4, 4, sender === "acceptor" ? 5 : 4]);
  new DataView(header.buffer).setBigUint64(8, BigInt(sequence));
  const hmac = createHmac("sha256", `${secret} ${sender}`);
  return join(header, hmac.update(Uint8Array.from(message)).update(header).digest().subarray(0, 12));
}

class FakeSession implements GssSession {
  readonly #secret: string;
  readonly #onRelease: () => void;
  readonly #seen = new Set<bigint>();
  #sequence = 0;
  #released = false;

  constructor(secret: string, onRelease: () => void) {
    this.#secret = secret;
    this.#onRelease = onRelease;
  }

  getMic(parts: readonly Uint8Array[]): Uint8Array {
    this.#mustLive();
    return mic(this.#secret, "acceptor", this.#sequence++, join(...parts));
  }

  verifyMic(parts: readonly Uint8Array[], given: Uint8Array): MicVerdict {
    this.#mustLive();
    if (given.length !== 28) return "wrong";
    const sequence = new DataView(given.buffer, given.byteOffset).getBigUint64(8);
    const right = mic(this.#secret, "initiator", Number(sequence), join(...parts));
    if (!right.every((octet, i) => octet === given[i])) return "wrong";
    if (this.#seen.has(sequence)) return "repeated";
    this.#seen.add(sequence);
    return "right";
  }

  release(): void {
    this.#mustLive();
    this.#released = true;
    this.#onRelease();
  }

  #mustLive(): void {
    if (this.#released) throw new Error("a session was used after its release");
  }
}

/** Accepts {@link fakeToken}s. */
export class FakeAcceptor implements GssAcceptor {
  /** Sessions that nobody has released. */
  open = 0;
  accepted = 0;
  asked = 0;
  closed = false;
  /** Seconds. */
  lifetime = 36_000;
  readonly #used = new Set<string>();

  accept(token: Uint8Array): GssAcceptance | GssRefusal {
    this.asked++;
    const found = /<([^|>]*)\|([^>]*)>/.exec(Buffer.from(token).toString("latin1"));
    if (found === null) return { ok: false, reason: "Decrypt integrity check failed" };
    const [authenticator, principal, secret] = found;
    if (this.#used.has(authenticator)) return { ok: false, reason: "Request is a replay" };
    this.#used.add(authenticator);
    this.open++;
    this.accepted++;
    return {
      ok: true,
      token: Uint8Array.from(Buffer.from(`reply to ${principal!}`)),
      principal: principal!,
      lifetime: this.lifetime,
      session: new FakeSession(secret!, () => this.open--),
    };
  }

  close(): void {
    this.closed = true;
  }
}

export const GSS_SETTINGS: GssSettings = {
  contexts: 100,
  contextsPerAddress: 10,
  negotiationsPerSecond: 1000,
  negotiationsPerAddress: 100,
  lifetime: 3600,
};

export function fakeGss(settings: Partial<GssSettings> = {}): { gss: Gss; acceptor: FakeAcceptor } {
  const acceptor = new FakeAcceptor();
  return { gss: new Gss(acceptor, { ...GSS_SETTINGS, ...settings }), acceptor };
}

//------------ The client ----------------------------------------------------

export interface TkeyQuery extends Partial<TkeyFields> {
  readonly section?: "answer" | "additional";
  readonly qname?: Name;
  readonly qclass?: number;
  readonly id?: number;
  /** How many times the record is in the message. */
  readonly times?: number;
}

/** A TKEY query (RFC 2930 §3), unsigned. */
export function tkeyQuery(query: TkeyQuery = {}): Uint8Array {
  const keyName = query.keyName ?? Name.parse("1234.sig-ns1.smb.example.");
  const { id = 0x1234, qname = keyName, qclass = RrClass.ANY, times = 1, section = "additional" } = query;
  const writer = new WireWriter();
  const questions = [{ name: qname, type: RrType.TKEY, class: qclass }];
  writer.bytes(encodeMessage({ id, flags: Opcode.QUERY << 11, rcode: 0, questions }));
  for (let i = 0; i < times; i++) {
    writeTkey(writer, {
      keyName,
      algorithm: Name.parse("gss-tsig."),
      inception: 0,
      expiration: 0,
      mode: 3,
      error: 0,
      key: fakeToken("NODE1$@SMB.EXAMPLE"),
      other: new Uint8Array(0),
      ...query,
    });
  }
  writer.patchU16(section === "answer" ? 6 : 10, times);
  return writer.finish();
}

/** The client's side of one context, its digests made by hand. */
export class FakeInitiator {
  readonly keyName: string;
  readonly algorithm: string;
  readonly #secret: string;
  #sequence = 0;

  constructor(keyName: string, secret = "s", algorithm = "gss-tsig") {
    this.keyName = keyName;
    this.#secret = secret;
    this.algorithm = algorithm;
  }

  /** Signs a message. */
  sign(message: Uint8Array, now: number): { bytes: Uint8Array; mac: Uint8Array } {
    const fields = {
      key: this.keyName,
      algorithm: this.algorithm,
      time: now,
      fudge: 300,
      mac: [] as Octets,
      originalId: (message[0]! << 8) | message[1]!,
      error: 0,
      other: [],
    };
    const mac = mic(this.#secret, "initiator", this.#sequence++, join(message, variables(fields)));
    return { bytes: withTsig(message, { ...fields, mac }), mac };
  }

  /** Whether an answer is signed by the acceptor's next MICs; `requestMac`: absent for the end of a negotiation. */
  verifies(bytes: Uint8Array, requestMac?: Uint8Array): boolean {
    const { tsig } = decodeMessage(bytes);
    if (tsig === undefined || tsig.mac.length !== 28) return false;
    const message = bytes.slice(0, tsig.start);
    const count = ((message[10]! << 8) | message[11]!) - 1;
    message.set([count >> 8, count & 0xff], 10);
    const fields = {
      key: tsig.keyName.toString(),
      algorithm: tsig.algorithm.toString(),
      time: tsig.timeSigned,
      fudge: tsig.fudge,
      mac: [],
      originalId: tsig.originalId,
      error: tsig.error,
      other: tsig.other,
    };
    const sequence = Number(new DataView(tsig.mac.buffer, tsig.mac.byteOffset).getBigUint64(8));
    const prior = requestMac === undefined ? [] : sized(requestMac);
    const right = mic(this.#secret, "acceptor", sequence, join(prior, message, variables(fields)));
    return right.every((octet, i) => octet === tsig.mac[i]);
  }
}
