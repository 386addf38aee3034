/**
 * Where in a TOML text each key and value stands. The TOML parser gives the values, this gives their lines: a mistake
 * found later, when meanings are checked, can still name its line and column.
 *
 * The text must already be valid TOML (the parser has accepted it), so the scanner only has to tell things apart.
 */

export interface TextPosition {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** A path into the parsed document: table keys and array indices. */
export type TomlPath = readonly (string | number)[];

/** Finds positions by path. */
export interface TomlPositions {
  /** Where the value stands; where there is none, the nearest table around it. */
  value(path: TomlPath): TextPosition;
  /** Where the key stands that the value was given to; for array elements the value itself. */
  key(path: TomlPath): TextPosition;
}

/** Scans a whole document. */
export function locateToml(text: string): TomlPositions {
  const scanner = new Scanner(text);
  scanner.document();
  const { keys, values } = scanner;
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  const position = (offset: number): TextPosition => {
    let low = 0;
    let high = lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - lineStarts[low]! + 1 };
  };
  const find = (path: TomlPath, first: Map<string, number>, second: Map<string, number>): TextPosition => {
    for (let length = path.length; length > 0; length--) {
      const key = JSON.stringify(path.slice(0, length));
      const offset =
        length === path.length ? (first.get(key) ?? second.get(key)) : (second.get(key) ?? first.get(key));
      if (offset !== undefined) return position(offset);
    }
    return { line: 1, column: 1 };
  };
  return {
    value: (path) => find(path, values, keys),
    key: (path) => find(path, keys, values),
  };
}

class Scanner {
  readonly keys = new Map<string, number>();
  readonly values = new Map<string, number>();
  readonly #text: string;
  readonly #arrayLengths = new Map<string, number>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    let table: (string | number)[] = [];
    for (;;) {
      this.#skipBlank();
      const char = this.#text[this.#at];
      if (char === undefined) return;
      if (char === "[") table = this.#header();
      else this.#pair(table);
    }
  }

  /** `[a.b]` or `[[a.b]]`: the path of the table it opens. */
  #header(): (string | number)[] {
    const start = this.#at;
    const isArray = this.#text.startsWith("[[", start);
    this.#at += isArray ? 2 : 1;
    const parts = this.#dottedKey();
    let path: (string | number)[] = [];
    parts.forEach((part, index) => {
      path = [...path, part.text];
      const isLast = index === parts.length - 1;
      const key = JSON.stringify(path);
      if (!this.keys.has(key)) this.keys.set(key, part.offset);
      if (isLast && isArray) {
        const length = this.#arrayLengths.get(key) ?? 0;
        this.#arrayLengths.set(key, length + 1);
        path = [...path, length];
        this.keys.set(JSON.stringify(path), start);
      } else if (this.#arrayLengths.has(key)) {
        path = [...path, this.#arrayLengths.get(key)! - 1];
      }
    });
    this.#at = endOfLine(this.#text, this.#at);
    return path;
  }

  /** `a.b = value` below `table`. */
  #pair(table: readonly (string | number)[]): void {
    const before = this.#at;
    let path: (string | number)[] = [...table];
    for (const part of this.#dottedKey()) {
      path = [...path, part.text];
      const key = JSON.stringify(path);
      if (!this.keys.has(key)) this.keys.set(key, part.offset);
    }
    this.#skipSpace();
    if (this.#text[this.#at] === "=") this.#at++;
    this.#skipSpace();
    this.#value(path);
    // Valid TOML always moves on; whatever else comes must still end.
    if (this.#at === before) this.#at++;
  }

  #value(path: (string | number)[]): void {
    this.values.set(JSON.stringify(path), this.#at);
    const char = this.#text[this.#at];
    if (char === '"' || char === "'") {
      this.#string();
    } else if (char === "[") {
      this.#at++;
      for (let index = 0; ; index++) {
        this.#skipBlank();
        if (this.#closes("]")) return;
        this.#value([...path, index]);
        this.#skipBlank();
        if (this.#text[this.#at] === ",") this.#at++;
      }
    } else if (char === "{") {
      this.#at++;
      for (;;) {
        this.#skipBlank();
        if (this.#closes("}")) return;
        this.#pair(path);
        this.#skipBlank();
        if (this.#text[this.#at] === ",") this.#at++;
      }
    } else {
      while (this.#at < this.#text.length && !",]}#\n".includes(this.#text[this.#at]!)) this.#at++;
    }
  }

  #closes(bracket: string): boolean {
    if (this.#at >= this.#text.length) return true;
    if (this.#text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  /** Moves past a string of any of the four kinds and returns what is between its quotes, escapes untouched. */
  #string(): string {
    const quote = this.#text[this.#at]!;
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    const fence = isLong ? quote.repeat(3) : quote;
    const start = this.#at + fence.length;
    this.#at = start;
    while (this.#at < this.#text.length && !this.#text.startsWith(fence, this.#at)) {
      this.#at += quote === '"' && this.#text[this.#at] === "\\" ? 2 : 1;
    }
    const inner = this.#text.slice(start, this.#at);
    this.#at += fence.length;
    // A long string may end in one or two quotes of its own before the fence.
    if (isLong) while (this.#text[this.#at] === quote) this.#at++;
    return inner;
  }

  #dottedKey(): { text: string; offset: number }[] {
    const parts: { text: string; offset: number }[] = [];
    for (;;) {
      this.#skipSpace();
      const offset = this.#at;
      const char = this.#text[offset];
      if (char === '"') {
        parts.push({ text: unescaped(this.#string()), offset });
      } else if (char === "'") {
        parts.push({ text: this.#string(), offset });
      } else {
        while (/[A-Za-z0-9_-]/.test(this.#text[this.#at] ?? "")) this.#at++;
        parts.push({ text: this.#text.slice(offset, this.#at), offset });
      }
      this.#skipSpace();
      if (this.#text[this.#at] !== ".") return parts;
      this.#at++;
    }
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === " " || this.#text[this.#at] === "\t") this.#at++;
  }

  /** Spaces, line ends and comments. */
  #skipBlank(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === " " || char === "\t" || char === "\n" || char === "\r" || char === "\uFEFF") this.#at++;
      else if (char === "#") this.#at = endOfLine(this.#text, this.#at);
      else return;
    }
  }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

/** A quoted key's text; the common escapes are JSON's. */
function unescaped(inner: string): string {
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    return inner;
  }
}
