/**
 * What a client's first token is, told from its outside (RFC 2743 §3.1, RFC 4178 §4.2): so that what Kerberos cannot
 * finish in one step is refused without asking the library, and with a reason that a reader of the log understands.
 */

/** `undefined`: a Kerberos token, bare or as the first choice of SPNEGO. Otherwise why it is not taken. */
export function tokenProblem(token: Uint8Array): string | undefined {
  if (token.length === 0) return "no token";
  if (startsWith(token, NTLMSSP)) return "NTLM, and only Kerberos is taken";
  const outer = read(token, 0, token.length);
  if (outer?.tag !== 0x60) return "no GSS-API token";
  const mechanism = read(token, outer.start, outer.end);
  if (mechanism?.tag !== 0x06) return "no GSS-API token";
  const oid = token.subarray(mechanism.start, mechanism.end);
  if (isKerberos(oid)) {
    // RFC 4121 §4.1: TOK_ID 01 00 is an AP-REQ.
    const isRequest = token[mechanism.end] === 1 && token[mechanism.end + 1] === 0;
    return isRequest ? undefined : "a Kerberos token that is no AP-REQ";
  }
  if (!same(oid, SPNEGO)) return "a mechanism other than Kerberos";
  return negotiationProblem(token, mechanism.end, outer.end);
}

/** RFC 4178 §4.2.1. */
function negotiationProblem(token: Uint8Array, from: number, end: number): string | undefined {
  const MALFORMED = "a malformed SPNEGO token";
  const choice = read(token, from, end);
  if (choice?.tag !== 0xa0) return MALFORMED;
  const body = read(token, choice.start, choice.end);
  if (body?.tag !== 0x30) return MALFORMED;
  const mechanisms = read(token, body.start, body.end);
  const list = mechanisms && read(token, mechanisms.start, mechanisms.end);
  if (mechanisms?.tag !== 0xa0 || list?.tag !== 0x30) return MALFORMED;
  const first = read(token, list.start, list.end);
  if (first?.tag !== 0x06) return MALFORMED;
  const oid = token.subarray(first.start, first.end);
  // The token inside is for the first choice; any other would take a second step.
  if (same(oid, NTLM)) return "NTLM, and only Kerberos is taken";
  if (!isKerberos(oid)) return "SPNEGO whose first choice is not Kerberos";
  for (let at = mechanisms.end; at < body.end;) {
    const field = read(token, at, body.end);
    if (field === undefined) return MALFORMED;
    if (field.tag === 0xa2) {
      const inner = read(token, field.start, field.end);
      if (inner?.tag !== 0x04) return MALFORMED;
      return startsWith(token.subarray(inner.start, inner.end), NTLMSSP)
        ? "NTLM, and only Kerberos is taken"
        : undefined;
    }
    at = field.end;
  }
  return "SPNEGO without a token of Kerberos";
}

/** 1.3.6.1.5.5.2 */
const SPNEGO = Uint8Array.of(0x2b, 6, 1, 5, 5, 2);
/** 1.2.840.113554.1.2.2 (RFC 4121) */
const KERBEROS = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2);
/** 1.2.840.48018.1.2.2: the same, as Windows 2000 mistook it and Windows still lists it (MS-SPNG §3.1.5.2). */
const MS_KERBEROS = Uint8Array.of(0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2);
/** 1.3.6.1.4.1.311.2.2.10 */
const NTLM = Uint8Array.of(0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10);
const NTLMSSP = new TextEncoder().encode("NTLMSSP\0");

/** Whether an object identifier's octets mean Kerberos 5. */
export function isKerberos(oid: Uint8Array): boolean {
  return same(oid, KERBEROS) || same(oid, MS_KERBEROS);
}

interface Element {
  readonly tag: number;
  /** Where its content begins and ends. */
  readonly start: number;
  readonly end: number;
}

/** One DER element within bounds; undefined where there is none. */
function read(bytes: Uint8Array, at: number, end: number): Element | undefined {
  if (at + 2 > end) return undefined;
  let length = bytes[at + 1]!;
  let start = at + 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    // A DNS message holds no token that three octets could not count.
    if (count === 0 || count > 3 || start + count > end) return undefined;
    length = 0;
    for (let i = 0; i < count; i++) length = (length << 8) | bytes[start + i]!;
    start += count;
  }
  return start + length > end ? undefined : { tag: bytes[at]!, start, end: start + length };
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && startsWith(a, b);
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((octet, i) => bytes[i] === octet);
}
