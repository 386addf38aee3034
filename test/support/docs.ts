/** Reads the pages under docs. */

/** A fenced block of a page. */
export interface Block {
  /** Line of the fence, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The blocks of a page that are fenced with a language. */
export function blocks(page: string, language: string): Block[] {
  return [...page.matchAll(/^```(\S*)\n(.*?)^```$/gms)]
    .filter(([, fence]) => fence === language)
    .map(({ index, 2: text }) => ({ line: page.slice(0, index).split("\n").length, text: text! }));
}
