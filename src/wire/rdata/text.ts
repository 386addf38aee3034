/** How RDATA reads its presentation form: from a row of fields that a zone-file parser (or a command line) supplies. */
import type { Name } from "../name.ts";

/** One field of presentation text, escapes not yet resolved. */
export interface TextField {
  /** The characters as written, without the quotes. */
  readonly text: string;
  readonly quoted: boolean;
}

/** The fields after the type, in order, with the origin that completes relative names. */
export interface FieldSource {
  readonly origin: Name;
  /** The next field, consumed; undefined at the end of the record. */
  next(): TextField | undefined;
  /** The next field, not consumed. */
  peek(): TextField | undefined;
}

/** RDATA text that its type does not allow. The position is that of the field last taken from the source. */
export class RdataSyntaxError extends Error {
  override readonly name = "RdataSyntaxError";
}
