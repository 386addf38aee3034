/** The words of a key file (BIND's configuration syntax): braces, semicolons, quoted strings, plain words. */

export interface KeyFileToken {
  readonly kind: "word" | "string" | "{" | "}" | ";" | "end";
  /** Of a word or string: its characters, without quotes. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** Where in the text something is. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Divides a text into tokens, the last of kind "end".
 * @param report is told of unclosed comments and strings
 */
export function tokenize(
  text: string,
  report: (at: Position, message: string, advice: string) => void,
): readonly KeyFileToken[] {
  const tokens: KeyFileToken[] = [];
  let line = 1;
  let lineStart = 0;
  let at = 0;

  /** Moves to `end`, counting lines. */
  const advance = (end: number): void => {
    for (; at < end; at++) {
      if (text[at] !== "\n") continue;
      line++;
      lineStart = at + 1;
    }
  };
  const endOfLine = (from: number): number => {
    const end = text.indexOf("\n", from);
    return end < 0 ? text.length : end;
  };

  // A byte order mark, as Windows editors put it.
  if (text.startsWith("\u{feff}")) at = lineStart = 1;

  while (at < text.length) {
    const position = { line, column: at - lineStart + 1 };
    const char = text[at]!;
    if (/\s/.test(char)) {
      advance(at + 1);
    } else if (char === "#" || text.startsWith("//", at)) {
      advance(endOfLine(at));
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      if (end < 0) report(position, "a comment without its end", 'close it with "*/"');
      advance(end < 0 ? text.length : end + 2);
    } else if (char === "{" || char === "}" || char === ";") {
      tokens.push({ kind: char, text: char, ...position });
      advance(at + 1);
    } else if (char === '"') {
      let end = text.indexOf('"', at + 1);
      if (end < 0 || end > endOfLine(at)) {
        report(position, "a quoted text without its end", "close the quotes on the same line");
        // What ends a clause or a key was hardly meant to be quoted: reading on from it spares further complaints.
        end = at + /^"[^;{}\r\n]*/.exec(text.slice(at))![0].length;
        tokens.push({ kind: "string", text: text.slice(at + 1, end), ...position });
        advance(end);
        continue;
      }
      tokens.push({ kind: "string", text: text.slice(at + 1, end), ...position });
      advance(end + 1);
    } else {
      let end = at;
      // An unquoted base64 secret may hold "//": a comment of that kind starts after a space only.
      while (end < text.length && !/[\s{};"#]/.test(text[end]!) && !text.startsWith("/*", end)) end++;
      tokens.push({ kind: "word", text: text.slice(at, end), ...position });
      advance(end);
    }
  }
  tokens.push({ kind: "end", text: "", line, column: at - lineStart + 1 });
  return tokens;
}
