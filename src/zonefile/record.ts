/**
 * What follows the owner of an entry: `[ttl] [class] type rdata` (RFC 1035 §5.1), and the TTL of a record that states
 * none (RFC 2308 §4).
 */
import { RrClass, classFromText } from "../wire/iana/class.ts";
import { RrType, isMetaType, typeFromText, typeToText } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import { rdataFromText } from "../wire/rdata/rdata.ts";
import { RdataSyntaxError } from "../wire/rdata/text.ts";
import { parseTtl } from "../wire/rdata/ttl.ts";
import { MAX_TTL } from "../wire/record.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { EntryFields } from "./fields.ts";
import type { ZoneLexer } from "./lexer.ts";
import type { OctetPool } from "./octets.ts";
import type { ZoneFileProblem, ZoneFileProblemCode } from "./problem.ts";

/** Told of a problem with the field at `index` of the entry at hand. */
export type EntryReport = (
  code: ZoneFileProblemCode,
  index: number,
  message: string,
  severity?: ZoneFileProblem["severity"],
) => void;

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** Reads records, and remembers what their TTLs depend on. One for a zone file with all it includes. */
export class RecordParser {
  /** Seconds, of `$TTL`; it holds for everything behind it, in including files too. */
  defaultTtl: number | undefined;
  /** Seconds, of the last record that stated them. */
  #lastTtl: number | undefined;
  /** Seconds, of the first SOA. */
  #soaMinimum: number | undefined;
  #warnedLastTtl = false;
  #warnedMinimum = false;
  #ttlText = "";
  #ttl: number | undefined;
  readonly #fields = new EntryFields();
  readonly #pool: OctetPool;

  constructor(defaultTtl: number | undefined, pool: OctetPool) {
    this.defaultTtl = defaultTtl;
    this.#pool = pool;
  }

  /**
   * Reads the record whose fields behind the owner begin at `from`.
   * @returns undefined where it is not one; `report` has been told why
   */
  parse(
    lexer: ZoneLexer,
    from: number,
    owner: Name,
    origin: Name,
    report: EntryReport,
  ): ResourceRecord | undefined {
    let ttl: number | undefined;
    let hasClass = false;
    let type: number | undefined;
    let index = from;
    // TTL and class come in either order, and either may be missing (RFC 1035 §5.1).
    for (; type === undefined; index++) {
      if (index >= lexer.count) {
        report("ZONEFILE_TYPE", index, "a record type was expected, and the record ends");
        return undefined;
      }
      const first = lexer.firstCode(index);
      const text = lexer.field(index);
      if (first >= DIGIT_0 && first <= DIGIT_9) {
        const value = this.parseTtl(text);
        if (value === undefined || ttl !== undefined) {
          const message =
            value === undefined
              ? ttlExpected(text)
              : `a record type was expected, and a second TTL "${text}" was found`;
          report("ZONEFILE_TTL", index, message);
          return undefined;
        }
        ttl = value;
        continue;
      }
      type = text === "IN" ? undefined : typeFromText(text);
      if (type !== undefined || isAgeStamp(first, text)) continue;
      const rrClass = classFromText(text);
      if (rrClass === RrClass.IN && !hasClass) {
        hasClass = true;
      } else if (rrClass === undefined) {
        report("ZONEFILE_TYPE", index, typeExpected(text, ttl !== undefined, hasClass));
        return undefined;
      } else {
        const message =
          rrClass === RrClass.IN
            ? `a record type was expected, and a second class "${text}" was found`
            : `class IN was expected, and "${text}" was found`;
        report("ZONEFILE_CLASS", index, message);
        return undefined;
      }
    }
    if (isMetaType(type)) {
      report(
        "ZONEFILE_TYPE",
        index - 1,
        `${typeToText(type)} is no type that a zone can hold (RFC 6895 §3.1)`,
      );
      return undefined;
    }
    const rdata = this.#rdata(type, lexer, index, origin, report);
    if (rdata === undefined) return undefined;
    if (type === RrType.SOA) this.#soaMinimum ??= Math.min(lastUint32(rdata), MAX_TTL);
    if (ttl === undefined) ttl = this.#assumedTtl(index - 1, report);
    else this.#lastTtl = ttl;
    return ttl === undefined ? undefined : { name: owner, type, class: RrClass.IN, ttl, rdata };
  }

  /** A TTL in seconds; undefined where the text is none. The last is remembered: most records state the same. */
  parseTtl(text: string): number | undefined {
    if (text !== this.#ttlText) {
      this.#ttl = parseTtl(text);
      this.#ttlText = text;
    }
    return this.#ttl;
  }

  #rdata(
    type: number,
    lexer: ZoneLexer,
    from: number,
    origin: Name,
    report: EntryReport,
  ): Uint8Array | undefined {
    const fields = this.#fields.reset(lexer, from, origin);
    try {
      return this.#pool.copy(rdataFromText(type, fields));
    } catch (error) {
      if (!(error instanceof RdataSyntaxError)) throw error;
      report("ZONEFILE_RDATA", Math.max(from, fields.lastTaken), `${typeToText(type)}: ${error.message}`);
      return undefined;
    }
  }

  /** `$TTL` (RFC 2308 §4), else the last TTL stated (RFC 1035 §5.1), else the SOA's MINIMUM, with a warning a file for each. */
  #assumedTtl(index: number, report: EntryReport): number | undefined {
    if (this.defaultTtl !== undefined) return this.defaultTtl;
    if (this.#lastTtl !== undefined) {
      if (!this.#warnedLastTtl) {
        const message = `no TTL here and no $TTL: the last one stated, ${this.#lastTtl}, is used (RFC 1035 §5.1)`;
        report("ZONEFILE_TTL_ASSUMED", index, message, "warning");
      }
      this.#warnedLastTtl = true;
      return this.#lastTtl;
    }
    if (this.#soaMinimum !== undefined) {
      if (!this.#warnedMinimum) {
        const message = `no TTL here and no $TTL: the MINIMUM of the SOA, ${this.#soaMinimum}, is used`;
        report("ZONEFILE_TTL_ASSUMED", index, message, "warning");
      }
      this.#warnedMinimum = true;
      return this.#soaMinimum;
    }
    report(
      "ZONEFILE_TTL",
      index,
      "a TTL was expected: the record states none, and neither $TTL nor an SOA stands before it",
    );
    return undefined;
  }
}

/** What to say of text that stands where a TTL may, and begins with a digit. */
export function ttlExpected(text: string): string {
  if (/^[0-9.]+$/.test(text) && text.includes(".")) {
    return `a TTL, class or record type was expected, and the address "${shorten(text)}" was found: is the type missing?`;
  }
  return `a TTL such as 3600 or 1h30m, at most ${MAX_TTL} seconds, was expected, and "${shorten(text)}" was found`;
}

function typeExpected(text: string, hasTtl: boolean, hasClass: boolean): string {
  const choice = ["record type"];
  if (!hasClass) choice.unshift("class");
  if (!hasTtl) choice.unshift("TTL");
  return `a ${choice.join(" or ")} was expected, and "${shorten(text)}" was found`;
}

/** Whether it is the `[AGE:…]` that Windows DNS writes between owner and TTL of a record that ages. It is not kept. */
function isAgeStamp(first: number, text: string): boolean {
  return first === 0x5b && /^\[AGE:[0-9]+\]$/i.test(text);
}

/** Text fit to be quoted in a message. */
export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The SOA's MINIMUM, its last field (RFC 1035 §3.3.13). */
function lastUint32(rdata: Uint8Array): number {
  return new DataView(rdata.buffer, rdata.byteOffset + rdata.length - 4, 4).getUint32(0);
}
