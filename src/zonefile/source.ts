/** Turns the octets of a zone file into text, and says where they are not text. */

/**
 * The text of a zone file: UTF-8, a byte order mark dropped.
 * @returns the text, and the offset in it of the first octets that are not UTF-8 (-1 where all are)
 */
export function decodeZoneText(source: string | Uint8Array): { text: string; badAt: number } {
  if (typeof source === "string")
    return { text: source.startsWith("\uFEFF") ? source.slice(1) : source, badAt: -1 };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(source), badAt: -1 };
  } catch {
    const text = new TextDecoder("utf-8").decode(source);
    return { text, badAt: text.indexOf("\uFFFD") };
  }
}

/** 1-based line and column of an offset in a text. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
