/**
 * Reads master-file text entry by entry (RFC 1035 §5): directives, owners, and `record.ts` for the rest.
 *
 * Nothing here throws for bad text: a mistake is noted and reading goes on with the next entry. What concerns a whole
 * RRset (TTLs that differ, records that stand there twice) is left to `rrsets.ts`, which sees them all.
 */
import { typeFromText } from "../wire/iana/type.ts";
import { Name, NameSyntaxError } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { GenerateSyntaxError, expand, parseRange, parseTemplate } from "./generate.ts";
import type { GenerateRange, Template } from "./generate.ts";
import { ZoneLexer } from "./lexer.ts";
import { OctetPool } from "./octets.ts";
import type { ProblemList, ZoneFileProblemCode } from "./problem.ts";
import { RecordParser, shorten, ttlExpected } from "./record.ts";
import type { EntryReport } from "./record.ts";
import { decodeZoneText, placeOf } from "./source.ts";

/** What an include callback returns: the text, or the text with the name that problems in it shall carry. */
export type IncludedText =
  | string
  | Uint8Array
  | { readonly file: string; readonly text: string | Uint8Array };

export interface ZoneReaderOptions {
  /** Name for problems, and the `from` of its includes. */
  readonly file: string;
  /** Completes relative names until `$ORIGIN` says otherwise: the apex, as a rule. */
  readonly origin: Name;
  /**
   * Fetches an included file. Where it may look is its own affair; what it throws becomes a problem with that message.
   * @param file as written after $INCLUDE
   * @param from the file that includes it
   */
  readonly include?: ((file: string, from: string) => IncludedText) | undefined;
  /** Seconds; as if the file began with `$TTL`. */
  readonly defaultTtl?: number | undefined;
}

/** Files within files, the outermost not counted. */
const MAX_INCLUDE_DEPTH = 16;
/** Files included in all: files that include others twice must not multiply without end. */
const MAX_INCLUDES = 10_000;
/** Records of all $GENERATE directives together: a few lines must not fill the memory. */
const MAX_GENERATED_TOTAL = 4_000_000;
const DOLLAR = 0x24;

/** What is known between the entries of one file. */
interface Scope {
  readonly file: string;
  readonly fileIndex: number;
  readonly depth: number;
  readonly lexer: ZoneLexer;
  readonly report: EntryReport;
  origin: Name;
  /** Owner of the last record; undefined before the first. */
  owner: Name | undefined;
  /** Whether the last owner could not be read: records that inherit it are checked and dropped. */
  ownerIsBad: boolean;
}

/** One reading of one zone file with what it includes. */
export class ZoneReader {
  readonly #options: ZoneReaderOptions;
  readonly #problems: ProblemList;
  readonly #records: RecordParser;
  readonly #pool = new OctetPool();
  /** Names of the files read so far; `fileIndex` counts in it. */
  readonly files: string[] = [];
  /** Where the record last yielded stands: index in `files`, and the 1-based line of its first field. */
  fileIndex = 0;
  line = 0;

  readonly #openFiles: string[] = [];
  #includes = 0;
  #generated = 0;
  #ownerText = "";
  #ownerOrigin: Name | undefined;
  #owner: Name | undefined;

  constructor(options: ZoneReaderOptions, problems: ProblemList) {
    this.#options = options;
    this.#problems = problems;
    this.#records = new RecordParser(options.defaultTtl, this.#pool);
  }

  /** The records in the order of the text. */
  *read(source: string | Uint8Array): Generator<ResourceRecord, void, undefined> {
    yield* this.#readFile(this.#options.file, source, this.#options.origin, undefined);
  }

  *#readFile(
    file: string,
    source: string | Uint8Array,
    origin: Name,
    parent: Scope | undefined,
  ): Generator<ResourceRecord, void, undefined> {
    const scope = this.#open(file, source, origin, parent);
    const { lexer } = scope;
    this.#openFiles.push(file);
    while (!this.#problems.isFull && lexer.next()) {
      if (lexer.count > 0 && !lexer.startsBlank && lexer.firstCode(0) === DOLLAR && !lexer.isQuoted(0)) {
        if (!lexer.isBroken) yield* this.#directive(scope);
        continue;
      }
      const record = this.#entry(scope);
      if (record !== undefined) {
        this.fileIndex = scope.fileIndex;
        this.line = lexer.lineOf(0);
        yield record;
      }
    }
    this.#openFiles.pop();
  }

  #open(file: string, source: string | Uint8Array, origin: Name, parent: Scope | undefined): Scope {
    const problems = this.#problems;
    const { text, badAt } = decodeZoneText(source);
    if (badAt >= 0) {
      const { line, column } = placeOf(text, badAt);
      const message = "UTF-8 text was expected, and other octets were found";
      problems.add("ZONEFILE_ENCODING", "error", file, line, column, message);
    }
    const lexer = new ZoneLexer(text, (code, line, column, message) =>
      problems.add(code, "error", file, line, column, message),
    );
    return {
      file,
      fileIndex: this.files.push(file) - 1,
      depth: parent === undefined ? 0 : parent.depth + 1,
      lexer,
      report: (code, index, message, severity = "error") =>
        problems.add(code, severity, file, lexer.lineOf(index), lexer.columnOf(index), message),
      origin,
      // An included file may begin with a record that inherits its owner, as in BIND.
      owner: parent?.owner,
      ownerIsBad: parent?.ownerIsBad ?? false,
    };
  }

  /** A record with its owner, or one that inherits it (RFC 1035 §5.1). */
  #entry(scope: Scope): ResourceRecord | undefined {
    const { lexer, report } = scope;
    const inherits = lexer.startsBlank || lexer.count === 0;
    if (!inherits) {
      this.#takeOwner(scope);
    } else if (scope.owner === undefined && !scope.ownerIsBad && !lexer.isBroken) {
      report(
        "ZONEFILE_OWNER",
        0,
        "an owner name was expected in column 1: there is none before it to inherit",
      );
      scope.ownerIsBad = true;
    }
    if (lexer.isBroken) return undefined;
    const { origin, owner = origin } = scope;
    const record = this.#records.parse(lexer, inherits ? 0 : 1, owner, origin, report);
    return scope.ownerIsBad ? undefined : record;
  }

  #takeOwner(scope: Scope): void {
    const text = scope.lexer.field(0);
    // The records of one name mostly stand together: the same text need not be read twice.
    if (this.#owner === undefined || text !== this.#ownerText || scope.origin !== this.#ownerOrigin) {
      this.#owner = this.#name(scope, 0, "ZONEFILE_OWNER", scope.origin);
      this.#ownerText = text;
      this.#ownerOrigin = scope.origin;
    }
    scope.ownerIsBad = this.#owner === undefined;
    scope.owner = this.#owner ?? scope.owner;
  }

  //------- Directives ---------------------------------------------------------

  *#directive(scope: Scope): Generator<ResourceRecord, void, undefined> {
    const { lexer, report } = scope;
    const directive = lexer.field(0);
    switch (directive.toUpperCase()) {
      case "$ORIGIN":
        if (!expectFields(scope, 1, 1, "one domain name after $ORIGIN")) break;
        scope.origin = this.#name(scope, 1, "ZONEFILE_DIRECTIVE", scope.origin) ?? scope.origin;
        break;
      case "$TTL": {
        if (!expectFields(scope, 1, 1, "one TTL after $TTL")) break;
        const ttl = this.#records.parseTtl(lexer.field(1));
        if (ttl === undefined) report("ZONEFILE_DIRECTIVE", 1, ttlExpected(lexer.field(1)));
        else this.#records.defaultTtl = ttl;
        break;
      }
      case "$INCLUDE":
        yield* this.#include(scope);
        break;
      case "$GENERATE":
        yield* this.#generate(scope);
        break;
      default:
        report(
          "ZONEFILE_DIRECTIVE",
          0,
          `$ORIGIN, $TTL, $INCLUDE or $GENERATE was expected, and "${shorten(directive)}" was found (an owner that begins with a dollar sign is written \\$…)`,
        );
    }
  }

  /** `$INCLUDE file [origin]` (RFC 1035 §5.1). Origin and owner are as before when the file has been read. */
  *#include(scope: Scope): Generator<ResourceRecord, void, undefined> {
    if (!expectFields(scope, 1, 2, "a file name and perhaps an origin after $INCLUDE")) return;
    const { lexer } = scope;
    let origin: Name | undefined = scope.origin;
    if (lexer.count > 2) origin = this.#name(scope, 2, "ZONEFILE_INCLUDE", scope.origin);
    if (origin === undefined) return;
    const found = this.#fetch(scope, lexer.field(1).replaceAll(/\\(.)/g, "$1"));
    if (typeof found === "string") scope.report("ZONEFILE_INCLUDE", 1, found);
    else yield* this.#readFile(found.file, found.text, origin, scope);
  }

  /** The file to include, or why it cannot be. */
  #fetch(scope: Scope, written: string): { file: string; text: string | Uint8Array } | string {
    const { include } = this.#options;
    if (include === undefined) return "$INCLUDE cannot be used here";
    if (scope.depth >= MAX_INCLUDE_DEPTH) return `files include files more than ${MAX_INCLUDE_DEPTH} deep`;
    if (++this.#includes > MAX_INCLUDES) return `more than ${MAX_INCLUDES} files are included`;
    let included: IncludedText;
    try {
      included = include(written, scope.file);
    } catch (error) {
      return `cannot include "${written}": ${error instanceof Error ? error.message : String(error)}`;
    }
    const found =
      typeof included === "string" || included instanceof Uint8Array
        ? { file: written, text: included }
        : included;
    return this.#openFiles.includes(found.file) ? `"${found.file}" includes itself` : found;
  }

  *#generate(scope: Scope): Generator<ResourceRecord, void, undefined> {
    if (!expectFields(scope, 4, Infinity, "$GENERATE range lhs [ttl] [class] type rhs")) return;
    const { lexer, report, origin } = scope;
    const line = lexer.lineOf(0);
    let range: GenerateRange;
    let template: Template;
    try {
      range = parseRange(lexer.field(1));
      template = parseTemplate(generatedText(lexer));
    } catch (error) {
      if (!(error instanceof GenerateSyntaxError)) throw error;
      report("ZONEFILE_GENERATE", 1, error.message);
      return;
    }
    for (let value = range.first; value <= range.last; value += range.step) {
      if (++this.#generated > MAX_GENERATED_TOTAL) {
        report("ZONEFILE_LIMIT", 0, `$GENERATE makes more than ${MAX_GENERATED_TOTAL} records in all`);
        return;
      }
      const record = this.#generateOne(template, value, origin, (code, _index, message, severity) =>
        report(code, 0, `at ${value}: ${message}`, severity),
      );
      // What is wrong with one is mostly wrong with all.
      if (record === undefined) return;
      this.fileIndex = scope.fileIndex;
      this.line = line;
      yield record;
    }
  }

  #generateOne(
    template: Template,
    value: number,
    origin: Name,
    report: EntryReport,
  ): ResourceRecord | undefined {
    try {
      const lexer = new ZoneLexer(expand(template, value), (code, _line, _column, message) =>
        report(code, 0, message),
      );
      if (!lexer.next() || lexer.isBroken) return undefined;
      const owner = Name.parse(lexer.field(0), origin);
      return this.#records.parse(lexer, 1, owner, origin, report);
    } catch (error) {
      if (error instanceof NameSyntaxError) report("ZONEFILE_OWNER", 0, error.message);
      else if (error instanceof GenerateSyntaxError) report("ZONEFILE_GENERATE", 0, error.message);
      else throw error;
      return undefined;
    }
  }

  /** The name in a field; undefined where it is none, which has been reported. */
  #name(scope: Scope, index: number, code: ZoneFileProblemCode, origin: Name): Name | undefined {
    const { lexer, file } = scope;
    try {
      return lexer.plainName(index, origin, this.#pool) ?? Name.parse(lexer.field(index), origin);
    } catch (error) {
      if (!(error instanceof NameSyntaxError)) throw error;
      const column = lexer.columnOf(index) + error.column;
      this.#problems.add(code, "error", file, lexer.lineOf(index), column, error.message);
      return undefined;
    }
  }
}

function expectFields({ lexer, report }: Scope, least: number, most: number, expected: string): boolean {
  const found = lexer.count - 1;
  if (found >= least && found <= most) return true;
  const what = found === 0 ? "nothing" : `${found} field${found === 1 ? "" : "s"}`;
  report(
    "ZONEFILE_DIRECTIVE",
    found < least ? lexer.count : most + 1,
    `${expected} was expected, and ${what} found`,
  );
  return false;
}

/** lhs, TTL, class, type and rhs of a $GENERATE as one line; a single rhs in quotes is the whole RDATA, as in BIND. */
function generatedText(lexer: ZoneLexer): string {
  let type = 3;
  while (type < lexer.count && typeFromText(lexer.field(type)) === undefined) type++;
  let text = lexer.field(2);
  for (let index = 3; index < lexer.count; index++) {
    const isWholeRdata = index === type + 1 && index === lexer.count - 1;
    text += ` ${isWholeRdata ? lexer.field(index) : lexer.rawField(index)}`;
  }
  return text;
}
