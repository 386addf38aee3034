/**
 * What can be wrong with a zone file, and the bounded list in which a parser collects it. All mistakes of a file are
 * reported at once, so that an operator mends them in one go.
 */

/** Stable codes: tests, `--json` and the documentation use them. */
export type ZoneFileProblemCode =
  | "ZONEFILE_ENCODING" // octets that are not UTF-8 text
  | "ZONEFILE_CHARACTER" // a control character
  | "ZONEFILE_QUOTE" // a quoted string that its line does not close
  | "ZONEFILE_PARENTHESIS" // parentheses that do not match
  | "ZONEFILE_DIRECTIVE" // an unknown $DIRECTIVE, or one with wrong fields
  | "ZONEFILE_INCLUDE" // a file that cannot be included
  | "ZONEFILE_GENERATE" // a $GENERATE with a wrong range or template
  | "ZONEFILE_OWNER" // a missing or malformed owner name
  | "ZONEFILE_TTL" // a malformed TTL, or none to be found
  | "ZONEFILE_CLASS" // a class other than IN
  | "ZONEFILE_TYPE" // an unknown record type, or one that no zone may hold
  | "ZONEFILE_RDATA" // record data that their type does not allow
  | "ZONEFILE_LIMIT" // too much of something
  | "ZONEFILE_TTL_ASSUMED" // warning: the TTL was taken from an earlier record or the SOA
  | "ZONEFILE_TTL_DIFFERS" // warning: the TTLs of one RRset were made equal
  | "ZONEFILE_DUPLICATE"; // warning: a record stood there twice

export interface ZoneFileProblem {
  readonly code: ZoneFileProblemCode;
  /** A file with an error must not be used; a warning says what was assumed. */
  readonly severity: "error" | "warning";
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based; 1 where the whole line is meant. */
  readonly column: number;
  /** What was expected and what was found. */
  readonly message: string;
}

/** Problems kept of one parse where the caller does not say. */
const DEFAULT_MAX_PROBLEMS = 200;

/** A list of problems with an end: at most `max` errors and as many warnings are kept, the rest are counted. */
export class ProblemList {
  readonly #max: number;
  readonly #kept: ZoneFileProblem[] = [];
  #errors = 0;
  #warnings = 0;

  constructor(max: number = DEFAULT_MAX_PROBLEMS) {
    this.#max = Math.max(1, max);
  }

  /** Whether so many errors were found that reading on would help nobody. */
  get isFull(): boolean {
    return this.#errors >= this.#max;
  }

  add(
    code: ZoneFileProblemCode,
    severity: ZoneFileProblem["severity"],
    file: string,
    line: number,
    column: number,
    message: string,
  ): void {
    const count = severity === "error" ? ++this.#errors : ++this.#warnings;
    if (count <= this.#max) this.#kept.push({ code, severity, file, line, column, message });
  }

  /** Everything kept, by file in the order they were first named, then by line; the last tells what was left out. */
  finish(): ZoneFileProblem[] {
    const fileOrder = new Map<string, number>();
    for (const { file } of this.#kept) if (!fileOrder.has(file)) fileOrder.set(file, fileOrder.size);
    const sorted = this.#kept.toSorted(
      (a, b) => fileOrder.get(a.file)! - fileOrder.get(b.file)! || a.line - b.line || a.column - b.column,
    );
    const last = sorted.at(-1);
    if (last === undefined) return sorted;
    const { file, line } = last;
    if (this.isFull) {
      const message = `${this.#max} errors were found, and the rest of the file was not read`;
      sorted.push({ code: "ZONEFILE_LIMIT", severity: "error", file, line, column: 1, message });
    }
    if (this.#warnings > this.#max) {
      const message = `${this.#warnings - this.#max} more warnings are not listed`;
      sorted.push({ code: "ZONEFILE_LIMIT", severity: "warning", file, line, column: 1, message });
    }
    return sorted;
  }
}
