/**
 * Domain names (RFC 1035 §3.1, RFC 4343 for case, RFC 4034 §6.1 for order).
 *
 * Inside Rollcall a name is its uncompressed wire form, in the case it came in, and a lower-cased `key` for maps
 * and comparison. Text exists only at the edges: zone files, configuration, command line, logs.
 */
import { WireError } from "./error.ts";

/** Longest wire form of a name, in octets (RFC 1035 §2.3.4). */
export const MAX_NAME_LENGTH = 255;
/** Longest label, in octets (RFC 1035 §2.3.4). */
export const MAX_LABEL_LENGTH = 63;

/** ASCII lower-casing of one octet (RFC 4343 §3): index by octet. */
export const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
);

/** Text that is not a domain name. `column` is the zero-based index in the text where it was noticed. */
export class NameSyntaxError extends Error {
  override readonly name = "NameSyntaxError";
  readonly column: number;
  constructor(message: string, column = 0) {
    super(message);
    this.column = column;
  }
}

/** An absolute domain name. Immutable. */
export class Name {
  /** Uncompressed wire form, original case, ending in the root label. Not to be written to. */
  readonly wire: Uint8Array;
  #key: string | undefined;
  #text: string | undefined;

  private constructor(wire: Uint8Array) {
    this.wire = wire;
  }

  /** The root, `.`. */
  static readonly root: Name = new Name(Uint8Array.of(0));

  /**
   * Takes a whole uncompressed wire form, without copying it: the caller must not change it afterwards.
   * @throws WireError `WIRE_NAME` where it is not exactly one valid name.
   */
  static fromWire(wire: Uint8Array): Name {
    if (uncompressedLength(wire, 0) !== wire.length)
      throw new WireError("WIRE_NAME", "octets left after a name");
    return new Name(wire);
  }

  /**
   * Takes octets already checked to be a valid name, e.g. by a message reader. Not copied.
   */
  static fromTrustedWire(wire: Uint8Array): Name {
    return new Name(wire);
  }

  /**
   * Reads presentation form (RFC 1035 §5.1): `\DDD` and `\X` escapes, `@` for the origin, relative names completed
   * with `origin` (default: the root).
   * @throws NameSyntaxError
   */
  static parse(text: string, origin: Name = Name.root): Name {
    if (text === "") throw new NameSyntaxError("a domain name was expected, and this is empty");
    if (text === "@") return origin;
    if (text === ".") return Name.root;
    const out: number[] = [];
    let labelAt = 0;
    out.push(0);
    let absolute = false;
    for (let i = 0; i < text.length; i++) {
      let octet = text.charCodeAt(i);
      if (octet === 0x2e) {
        closeLabel(out, labelAt, text, i);
        if (i === text.length - 1) {
          absolute = true;
          break;
        }
        labelAt = out.length;
        out.push(0);
        continue;
      }
      if (octet === 0x5c) {
        const escape = readEscape(text, i);
        octet = escape.octet;
        i += escape.length - 1;
      } else if (octet > 0x7f) {
        throw new NameSyntaxError(
          `"${text[i]}" is not an ASCII character: write international names in their xn-- form, single octets as \\DDD`,
          i,
        );
      }
      out.push(octet);
    }
    if (!absolute) {
      closeLabel(out, labelAt, text, text.length - 1);
      for (const octet of origin.wire) out.push(octet);
    } else {
      out.push(0);
    }
    if (out.length > MAX_NAME_LENGTH) {
      throw new NameSyntaxError(`a name has at most ${MAX_NAME_LENGTH} octets, and this has ${out.length}`);
    }
    return new Name(Uint8Array.from(out));
  }

  /** Lower-cased wire form, one character an octet: equal for names that DNS holds equal. */
  get key(): string {
    return (this.#key ??= keyOfWire(this.wire));
  }

  /** Labels without the root: 0 for the root itself. */
  get labelCount(): number {
    let count = 0;
    for (let at = 0; this.wire[at] !== 0; at += this.wire[at]! + 1) count++;
    return count;
  }

  /** The labels' octets, leftmost first, without the root. Views, not copies. */
  labels(): Uint8Array[] {
    const labels: Uint8Array[] = [];
    for (let at = 0; this.wire[at] !== 0; at += this.wire[at]! + 1) {
      labels.push(this.wire.subarray(at + 1, at + 1 + this.wire[at]!));
    }
    return labels;
  }

  get isRoot(): boolean {
    return this.wire.length === 1;
  }

  /** Whether the leftmost label is `*` (RFC 4592 §2.1.1). */
  get isWildcard(): boolean {
    return this.wire[0] === 1 && this.wire[1] === 0x2a;
  }

  /** The name without its leftmost label; undefined for the root. */
  get parent(): Name | undefined {
    if (this.isRoot) return undefined;
    return new Name(this.wire.subarray(this.wire[0]! + 1));
  }

  /**
   * The name with one more label at the left.
   * @throws NameSyntaxError where the label is empty or too long, or the name would be.
   */
  child(label: Uint8Array | string): Name {
    const octets = typeof label === "string" ? Uint8Array.from(label, (c) => c.charCodeAt(0)) : label;
    if (octets.length === 0 || octets.length > MAX_LABEL_LENGTH) {
      throw new NameSyntaxError(`a label has 1 to ${MAX_LABEL_LENGTH} octets, and this has ${octets.length}`);
    }
    const wire = new Uint8Array(1 + octets.length + this.wire.length);
    if (wire.length > MAX_NAME_LENGTH) {
      throw new NameSyntaxError(`a name has at most ${MAX_NAME_LENGTH} octets, and this has ${wire.length}`);
    }
    wire[0] = octets.length;
    wire.set(octets, 1);
    wire.set(this.wire, 1 + octets.length);
    return new Name(wire);
  }

  /** Equality without regard to ASCII case (RFC 4343). */
  equals(other: Name): boolean {
    if (this === other) return true;
    const { wire } = this;
    if (wire.length !== other.wire.length) return false;
    for (let i = 0; i < wire.length; i++) if (LOWER[wire[i]!] !== LOWER[other.wire[i]!]) return false;
    return true;
  }

  /** Whether this is `ancestor` or below it. */
  isWithin(ancestor: Name): boolean {
    const extra = this.wire.length - ancestor.wire.length;
    if (extra < 0) return false;
    let at = 0;
    while (at < extra) at += this.wire[at]! + 1;
    return at === extra && this.key.endsWith(ancestor.key);
  }

  /** Whether this is below `ancestor` and not it. */
  isBelow(ancestor: Name): boolean {
    return this.wire.length > ancestor.wire.length && this.isWithin(ancestor);
  }

  /**
   * Replaces the suffix `from` by `to` (RFC 6672 §2.2); undefined where the result would be too long.
   * The name must be within `from`.
   */
  withSuffix(from: Name, to: Name): Name | undefined {
    const keep = this.wire.length - from.wire.length;
    if (keep + to.wire.length > MAX_NAME_LENGTH) return undefined;
    const wire = new Uint8Array(keep + to.wire.length);
    wire.set(this.wire.subarray(0, keep));
    wire.set(to.wire, keep);
    return new Name(wire);
  }

  /** Canonical order (RFC 4034 §6.1): by labels from the right, case ignored. Negative, 0 or positive. */
  compare(other: Name): number {
    const a = this.labels();
    const b = other.labels();
    for (let i = 1; i <= Math.min(a.length, b.length); i++) {
      const order = compareLabels(a[a.length - i]!, b[b.length - i]!);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }

  /** Presentation form with the final dot (RFC 1035 §5.1), unprintable octets as `\DDD`. */
  toString(): string {
    return (this.#text ??= this.isRoot ? "." : textOfWire(this.wire));
  }

  /** Presentation form relative to `origin`: `@` for the origin itself, absolute where it is not below it. */
  toRelative(origin: Name): string {
    if (this.equals(origin)) return "@";
    if (origin.isRoot || !this.isBelow(origin)) return this.toString();
    const text = this.toString();
    return text.slice(0, text.length - origin.toString().length - 1);
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Room for one key: a string made of octets at once costs a fraction of one that grows by characters. */
const KEY_SCRATCH = Buffer.alloc(MAX_NAME_LENGTH);

/** The lower-cased map key of an uncompressed wire form. */
export function keyOfWire(wire: Uint8Array): string {
  if (wire.length > KEY_SCRATCH.length) throw new RangeError(`a name of ${wire.length} octets`);
  for (let i = 0; i < wire.length; i++) KEY_SCRATCH[i] = LOWER[wire[i]!]!;
  return KEY_SCRATCH.toString("latin1", 0, wire.length);
}

/** The name whose `key` this is, in lower case. */
export function nameOfKey(key: string): Name {
  return Name.fromTrustedWire(Uint8Array.from(key, (c) => c.charCodeAt(0)));
}

/**
 * Length in octets of the uncompressed name that starts at `offset`.
 * @throws WireError `WIRE_NAME` for pointers, bad label types and names over 255 octets; `WIRE_SHORT` at the end.
 */
export function uncompressedLength(bytes: Uint8Array, offset: number): number {
  let at = offset;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new WireError("WIRE_SHORT", "the message ends inside a name", at);
    if (length > MAX_LABEL_LENGTH)
      throw new WireError("WIRE_NAME", "a pointer or label type that is not allowed here", at);
    at += length + 1;
    if (at - offset > MAX_NAME_LENGTH) throw new WireError("WIRE_NAME", "a name over 255 octets", offset);
    if (length === 0) return at - offset;
  }
}

function closeLabel(out: number[], labelAt: number, text: string, column: number): void {
  const length = out.length - labelAt - 1;
  if (length === 0) throw new NameSyntaxError(`an empty label in "${text}"`, column);
  if (length > MAX_LABEL_LENGTH) {
    throw new NameSyntaxError(
      `a label has at most ${MAX_LABEL_LENGTH} octets, and one of "${text}" has ${length}`,
      column,
    );
  }
  out[labelAt] = length;
}

/**
 * The octet that the escape at `at` (a backslash) stands for, and the characters it takes (RFC 1035 §5.1).
 * @throws NameSyntaxError for a lone backslash or `\DDD` above 255.
 */
export function readEscape(text: string, at: number): { octet: number; length: number } {
  const next = text[at + 1];
  if (next === undefined) throw new NameSyntaxError("a backslash with nothing after it", at);
  if (next >= "0" && next <= "9") {
    const digits = text.slice(at + 1, at + 4);
    if (!/^[0-9]{3}$/.test(digits) || Number(digits) > 255) {
      throw new NameSyntaxError(`"\\${digits}" is not an octet: \\DDD takes three digits up to 255`, at);
    }
    return { octet: Number(digits), length: 4 };
  }
  const octet = text.charCodeAt(at + 1);
  if (octet > 0x7f) throw new NameSyntaxError("only an ASCII character can follow a backslash", at);
  return { octet, length: 2 };
}

function compareLabels(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const order = LOWER[a[i]!]! - LOWER[b[i]!]!;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function isPlain(octet: number): boolean {
  const letter = octet | 0x20;
  if (letter >= 0x61 && letter <= 0x7a) return true;
  return (octet >= 0x30 && octet <= 0x39) || octet === 0x2d || octet === 0x5f;
}

/** Presentation form of any name but the root. */
function textOfWire(wire: Uint8Array): string {
  // Names of letters, digits, "-" and "_", that is nearly all, are the wire form with dots for its length octets.
  let length = 0;
  for (let at = 0; wire[at] !== 0;) {
    for (const end = at + wire[at]!; at < end;) {
      const octet = wire[++at]!;
      if (!isPlain(octet)) return escapedText(wire);
      KEY_SCRATCH[length++] = octet;
    }
    KEY_SCRATCH[length++] = 0x2e;
    at++;
  }
  return KEY_SCRATCH.toString("latin1", 0, length);
}

/** The same where octets need escapes. */
function escapedText(wire: Uint8Array): string {
  let text = "";
  for (let at = 0; wire[at] !== 0;) {
    for (const end = at + wire[at]!; at < end;) {
      const octet = wire[++at]!;
      const char = String.fromCharCode(octet);
      if (octet <= 0x20 || octet >= 0x7f) text += `\\${String(octet).padStart(3, "0")}`;
      else if ('.\\"();@$'.includes(char)) text += `\\${char}`;
      else text += char;
    }
    text += ".";
    at++;
  }
  return text;
}
