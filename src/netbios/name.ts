/**
 * NetBIOS names: fifteen octets padded with spaces and a suffix that says what the name is for, on the wire as 32
 * letters, two for each octet (RFC 1001 §14.1, RFC 1002 §4.1).
 */

/** Octets of a name with its suffix. */
export const NETBIOS_NAME_LENGTH = 16;

/** Suffixes that this server knows more of than that they are there. */
export const Suffix = {
  /** A host (workstation service), or as a group its domain or workgroup. */
  WORKSTATION: 0x00,
  /** The domain master browser: the domain's first controller. */
  DOMAIN_MASTER: 0x1b,
  /** The controllers of a domain: a group whose members are listed. */
  DOMAIN_CONTROLLERS: 0x1c,
  /** The master browser of one subnet: means another host in each. */
  LOCAL_MASTER: 0x1d,
  /** A file server. */
  SERVER: 0x20,
} as const;

const LETTER_A = 0x41;
const SPACE = 0x20;
/** Letters of a name on the wire. */
const ENCODED_LENGTH = 2 * NETBIOS_NAME_LENGTH;
/** A whole name, its scope among it, is no longer than a domain name (RFC 1002 §4.1). */
const MAX_WIRE = 255;

/** A name as a packet has it. Immutable. */
export interface NetbiosName {
  /** As it stood in the packet, scope and all, to the root label. Not to be written to. */
  readonly wire: Uint8Array;
  readonly suffix: number;
  /** Without padding and suffix, in the case it came in, one character an octet. */
  readonly label: string;
  /** Whether it is within a scope (RFC 1001 §9): none that is configured here. */
  readonly scoped: boolean;
  /** Equal for names that are the same: upper case, with suffix and scope. */
  readonly key: string;
}

/**
 * Reads the name at `offset`.
 * @returns undefined where there is none of the form, or it is a pointer
 */
export function readNetbiosName(bytes: Uint8Array, offset: number): NetbiosName | undefined {
  if (bytes[offset] !== ENCODED_LENGTH) return undefined;
  let at = offset + 1;
  const octets = new Uint8Array(NETBIOS_NAME_LENGTH);
  for (let i = 0; i < NETBIOS_NAME_LENGTH; i++, at += 2) {
    const high = (bytes[at] ?? 0) - LETTER_A;
    const low = (bytes[at + 1] ?? 0) - LETTER_A;
    if ((high | low) < 0 || (high | low) > 0xf) return undefined;
    octets[i] = (high << 4) | low;
  }
  const scopeAt = at;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return undefined;
    at += length + 1;
    if (at - offset > MAX_WIRE) return undefined;
    if (length === 0) break;
  }
  const scope = String.fromCharCode(...bytes.subarray(scopeAt, at));
  return nameOf(bytes.slice(offset, at), octets, scope);
}

/**
 * Makes a name without a scope.
 * @param label at most fifteen octets, one character each, none above U+00FF
 */
export function netbiosName(label: string, suffix: number): NetbiosName {
  const octets = new Uint8Array(NETBIOS_NAME_LENGTH).fill(SPACE);
  for (let i = 0; i < label.length && i < NETBIOS_NAME_LENGTH - 1; i++) octets[i] = label.charCodeAt(i);
  octets[NETBIOS_NAME_LENGTH - 1] = suffix;
  const wire = new Uint8Array(ENCODED_LENGTH + 2);
  wire[0] = ENCODED_LENGTH;
  for (const [i, octet] of octets.entries()) {
    wire[1 + 2 * i] = LETTER_A + (octet >> 4);
    wire[2 + 2 * i] = LETTER_A + (octet & 0xf);
  }
  return nameOf(wire, octets, "\0");
}

function nameOf(wire: Uint8Array, octets: Uint8Array, scope: string): NetbiosName {
  const suffix = octets[NETBIOS_NAME_LENGTH - 1]!;
  const text = String.fromCharCode(...octets.subarray(0, NETBIOS_NAME_LENGTH - 1));
  // `*` and a few more are padded with NUL.
  const label = text.replace(/[ \0]+$/, "");
  const key = `${asciiUpper(label)}\0${String.fromCharCode(suffix)}${asciiUpper(scope)}`;
  return { wire, suffix, label, scoped: scope.length > 1, key };
}

/** `FS1<20>`, as nmblookup and nbtstat write it; unprintable octets as `\DDD`. */
export function netbiosNameToText(name: NetbiosName): string {
  const label = name.label.replace(/[^!-~]/g, (c) => `\\${String(c.charCodeAt(0)).padStart(3, "0")}`);
  return `${label}<${name.suffix.toString(16).padStart(2, "0")}>`;
}

/** Octets above 0x7f mean another letter in each code page, so they are left alone. */
function asciiUpper(text: string): string {
  return text.replace(/[a-z]/g, (c) => c.toUpperCase());
}
