/**
 * Cuts master-file text into entries and fields (RFC 1035 §5.1): comments, parentheses over lines, quoted strings.
 * Escapes are stepped over here and resolved by whoever reads the field.
 *
 * Fields are kept as offsets in arrays that every entry reuses, so a file of a million records costs no object a field.
 */
import type { Name } from "../wire/name.ts";
import type { OctetPool } from "./octets.ts";
import type { ZoneFileProblemCode } from "./problem.ts";

/** Told of what the lexer cannot read. Lines and columns are 1-based. */
export type LexicalFault = (code: ZoneFileProblemCode, line: number, column: number, message: string) => void;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** Characters that end an unquoted field or need a look: 1 for those of RFC 1035 §5.1, 2 for control characters. */
const SPECIAL = new Uint8Array(128);
SPECIAL.fill(2, 0, SPACE);
SPECIAL[0x7f] = 2;
for (const c of [TAB, NEWLINE, RETURN, SPACE, QUOTE, OPEN, CLOSE, SEMICOLON, BACKSLASH]) SPECIAL[c] = 1;

/** How often an unclosed parenthesis is survived in one file: each costs a look at the rest of it. */
const MAX_UNCLOSED = 8;

export class ZoneLexer {
  readonly text: string;
  readonly #fault: LexicalFault;
  #at = 0;
  #lineStart = 0;
  #unclosed = 0;

  /** Line the lexer has come to, 1-based. */
  line = 1;
  /** Fields of the current entry. */
  count = 0;
  /** Whether the entry begins with blank space, and so inherits its owner. */
  startsBlank = false;
  /** Whether part of the entry could not be read; that has been reported. */
  isBroken = false;

  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #lines: number[] = [];
  readonly #columns: number[] = [];
  readonly #quoted: boolean[] = [];

  /** @param fault told of everything that cannot be read; the lexer goes on behind it */
  constructor(text: string, fault: LexicalFault) {
    this.text = text;
    this.#fault = fault;
  }

  /** The field's characters as written, without quotes. */
  field(index: number): string {
    return this.text.slice(this.#starts[index], this.#ends[index]);
  }

  /** The field's name, where it is one of plain relative labels, without making a string of it. */
  plainName(index: number, origin: Name, pool: OctetPool): Name | undefined {
    return pool.plainName(this.text, this.#starts[index]!, this.#ends[index]!, origin);
  }

  /** The field with the quotes that it had. */
  rawField(index: number): string {
    const text = this.field(index);
    return this.#quoted[index]! ? `"${text}"` : text;
  }

  isQuoted(index: number): boolean {
    return this.#quoted[index]!;
  }

  /** 1-based line of a field; of the entry's last field for an index behind it. */
  lineOf(index: number): number {
    return this.#lines[Math.min(index, this.count - 1)] ?? this.line;
  }

  /** 1-based column of a field; just behind the entry's last field for an index behind it. */
  columnOf(index: number): number {
    if (index < this.count) return this.#columns[index]!;
    const last = this.count - 1;
    if (last < 0) return 1;
    return this.#columns[last]! + this.#ends[last]! - this.#starts[last]! + (this.#quoted[last]! ? 1 : 0);
  }

  /** First character code of a field, NaN where it is empty. */
  firstCode(index: number): number {
    return this.#starts[index]! < this.#ends[index]!
      ? this.text.charCodeAt(this.#starts[index]!)
      : Number.NaN;
  }

  /** Reads the next entry that has a field or is broken; false at the end of the text. */
  next(): boolean {
    const { text } = this;
    const end = text.length;
    while (this.#at < end) {
      this.count = 0;
      this.isBroken = false;
      const first = text.charCodeAt(this.#at);
      this.startsBlank = first === SPACE || first === TAB;
      this.#readEntry();
      if (this.count > 0 || this.isBroken) return true;
    }
    return false;
  }

  #readEntry(): void {
    const { text } = this;
    const end = text.length;
    let depth = 0;
    let openAt = 0;
    let openLine = 0;
    let openColumn = 0;
    while (this.#at < end) {
      const c = text.charCodeAt(this.#at);
      switch (c) {
        case SPACE:
        case TAB:
          this.#at++;
          break;
        case RETURN:
          if (text.charCodeAt(this.#at + 1) === NEWLINE || this.#at + 1 === end) this.#at++;
          else this.#readPlain();
          break;
        case NEWLINE:
          this.#newline();
          if (depth === 0) return;
          break;
        case SEMICOLON: {
          const newline = text.indexOf("\n", this.#at);
          this.#at = newline < 0 ? end : newline;
          break;
        }
        case OPEN:
          if (depth++ === 0) {
            openAt = this.#at;
            openLine = this.line;
            openColumn = this.#column();
          }
          this.#at++;
          break;
        case CLOSE:
          if (depth > 0) depth--;
          else this.#broken("ZONEFILE_PARENTHESIS", `")" was found, and no "(" is open`);
          this.#at++;
          break;
        case QUOTE:
          this.#readQuoted();
          break;
        default:
          this.#readPlain();
      }
    }
    if (depth > 0) this.#unclosedAt(openAt, openLine, openColumn);
  }

  /**
   * The text ended inside parentheses. The entry is given up, and reading goes on at the first line behind the
   * parenthesis that begins in column 1 as an entry does, so that the mistakes behind it are found as well.
   */
  #unclosedAt(openAt: number, openLine: number, openColumn: number): void {
    this.isBroken = true;
    this.#fault(
      "ZONEFILE_PARENTHESIS",
      openLine,
      openColumn,
      `")" was expected, and the file ends: this "(" is never closed`,
    );
    while (this.count > 0 && this.#starts[this.count - 1]! > openAt) this.count--;
    if (++this.#unclosed >= MAX_UNCLOSED) return;
    const { text } = this;
    let line = openLine;
    for (let at = text.indexOf("\n", openAt); at >= 0; at = text.indexOf("\n", at + 1)) {
      line++;
      const c = text.charCodeAt(at + 1);
      if (Number.isNaN(c)) return;
      if (c === SPACE || c === TAB || c === RETURN || c === NEWLINE || c === SEMICOLON || c === CLOSE)
        continue;
      this.#at = at + 1;
      this.#lineStart = at + 1;
      this.line = line;
      return;
    }
  }

  /** An unquoted field. `key="a b"` stays one field, quotes included, as SvcParams write it (RFC 9460 §2.1). */
  #readPlain(): void {
    const { text } = this;
    const end = text.length;
    const start = this.#at;
    const column = this.#column();
    let at = start;
    while (at < end) {
      const c = text.charCodeAt(at);
      if (c > 0x7f || SPECIAL[c] === 0) {
        at++;
      } else if (c === BACKSLASH) {
        at++;
        const escaped = text.charCodeAt(at);
        if (at < end && escaped !== NEWLINE && escaped !== RETURN) at++;
      } else if (c === QUOTE && at > start && text.charCodeAt(at - 1) === EQUALS) {
        const close = this.#closingQuote(at);
        if (close < 0) {
          this.#at = at;
          this.#broken("ZONEFILE_QUOTE", `a closing '"' was expected before the end of the line`);
          at = this.#endOfLine(at);
          break;
        }
        at = close + 1;
      } else if (
        SPECIAL[c] === 2 ||
        (c === RETURN && text.charCodeAt(at + 1) !== NEWLINE && at + 1 !== end)
      ) {
        this.#at = at;
        const code = c.toString(16).padStart(2, "0");
        this.#broken(
          "ZONEFILE_CHARACTER",
          `a control character (0x${code}) was found: write \\${String(c).padStart(3, "0")}`,
        );
        at++;
      } else {
        break;
      }
    }
    this.#push(start, at, column, false);
    this.#at = at;
  }

  #readQuoted(): void {
    const column = this.#column();
    const start = this.#at + 1;
    const close = this.#closingQuote(this.#at);
    if (close < 0) {
      this.#broken("ZONEFILE_QUOTE", `a closing '"' was expected before the end of the line`);
      this.#at = this.#endOfLine(this.#at);
      this.#push(start, this.#at, column, true);
      return;
    }
    this.#push(start, close, column, true);
    this.#at = close + 1;
  }

  /** Offset of the quote that closes the one at `open`; -1 where its line has none. */
  #closingQuote(open: number): number {
    const { text } = this;
    for (let at = open + 1; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c === QUOTE) return at;
      if (c === NEWLINE) return -1;
      if (c === BACKSLASH && text.charCodeAt(at + 1) !== NEWLINE) at++;
    }
    return -1;
  }

  #endOfLine(from: number): number {
    const newline = this.text.indexOf("\n", from);
    return newline < 0 ? this.text.length : newline;
  }

  #push(start: number, end: number, column: number, quoted: boolean): void {
    const index = this.count++;
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.#lines[index] = this.line;
    this.#columns[index] = column;
    this.#quoted[index] = quoted;
  }

  #newline(): void {
    this.#at++;
    this.line++;
    this.#lineStart = this.#at;
  }

  #column(): number {
    return this.#at - this.#lineStart + 1;
  }

  #broken(code: ZoneFileProblemCode, message: string): void {
    this.isBroken = true;
    this.#fault(code, this.line, this.#column(), message);
  }
}
