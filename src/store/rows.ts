/**
 * Reading the `record` table fast: SQLite puts whole pages of rows into one value each, so that a million records cost
 * two thousand calls and not a million, and no object is made for a row.
 *
 * A page is text, a line a row: owner and RDATA in hexadecimal, because SQLite's strings are not made for any octet:
 *
 *     OWNER-KEY TYPE RDATA TTL OWNER-AS-WRITTEN
 */
import type { Database, Statement } from "better-sqlite3";
import { RrClass } from "../wire/iana/class.ts";
import type { RecordCursor } from "../wire/cursor.ts";
import { MAX_NAME_LENGTH, type Name } from "../wire/name.ts";
import { RESTORE_ADVICE, StoreError } from "./error.ts";
import { MAX_KEY_LENGTH, writeOwner } from "./owner-key.ts";

/** Rows of a page: enough to make the call into SQLite cheap, few enough that the largest RDATA fit in memory. */
const PAGE_ROWS = 512;
/** Octets of the longest RDATA (RFC 1035 §3.2.1: RDLENGTH has 16 bits). */
const MAX_RDATA_LENGTH = 65_535;

const SPACE = 0x20;
const LINE_END = 0x0a;
/** The digit 0. */
const ZERO = 0x30;

/** Value of a hexadecimal digit as SQLite's hex() writes it. */
const DIGIT = new Uint8Array(256);
for (let value = 0; value < 16; value++) DIGIT[value.toString(16).toUpperCase().charCodeAt(0)] = value;

const LINE = "hex(owner)||' '||type||' '||hex(rdata)||' '||ttl||' '||hex(owner_written)||x'0a'";

/** SQLite hands rows to an aggregate in the order of the subquery. It does not promise so: the cursor checks it. */
function selectPage(after: string): string {
  return `SELECT CAST(group_concat(${LINE}, '') AS BLOB) FROM (
            SELECT owner, type, rdata, ttl, owner_written FROM record WHERE zone = ? ${after}
            ORDER BY owner, type, rdata LIMIT ?)`;
}

/** The pages of one zone's rows, in canonical owner order, then by type and RDATA. */
export interface PageSource {
  /** Undefined where there are no rows. */
  first(): Uint8Array | undefined;
  /** The page behind a row, whose owner key and RDATA are given in hexadecimal. */
  after(owner: string, type: number, rdata: string): Uint8Array | undefined;
}

/** Fetches pages from a database. */
export class RowPages {
  readonly #first: Statement<[number, number], Uint8Array | null>;
  readonly #next: Statement<[number, string, number, string, number], Uint8Array | null>;

  constructor(db: Database) {
    this.#first = db.prepare<[number, number], Uint8Array | null>(selectPage("")).pluck();
    this.#next = db
      .prepare<[number, string, number, string, number], Uint8Array | null>(
        selectPage("AND (owner, type, rdata) > (unhex(?), ?, unhex(?))"),
      )
      .pluck();
  }

  of(zone: number): PageSource {
    return {
      first: () => this.#first.get(zone, PAGE_ROWS) ?? undefined,
      after: (owner, type, rdata) => this.#next.get(zone, owner, type, rdata, PAGE_ROWS) ?? undefined,
    };
  }
}

/** One pass over the records of a zone but the SOA, in canonical owner order, the apex first. */
export class RowCursor implements RecordCursor {
  readonly owner: Uint8Array = new Uint8Array(MAX_NAME_LENGTH);
  ownerLength = 0;
  ownerChanged = true;
  type = 0;
  readonly class: number = RrClass.IN;
  ttl = 0;
  readonly rdata: Uint8Array = new Uint8Array(MAX_RDATA_LENGTH);
  rdataLength = 0;
  readonly #pages: PageSource;
  readonly #apex: Uint8Array;
  #page: Uint8Array | undefined;
  /** Where the next row begins in the page. */
  #at = 0;
  #rowsInPage = 0;
  #begun = false;
  /** The owner's key of the row last read, as the page writes it, the space behind it too. */
  readonly #ownerText: Uint8Array = new Uint8Array(2 * MAX_KEY_LENGTH + 1);
  #ownerTextLength = 0;
  readonly #key: Uint8Array = new Uint8Array(MAX_KEY_LENGTH);
  #keyLength = 0;
  /** Whether `owner` came from the row's own column and not from the key. */
  #ownerIsWritten = false;
  /** Offsets of that row's RDATA in its page. */
  #rdataAt = 0;
  #rdataEnd = 0;

  constructor(pages: PageSource, apex: Name) {
    this.#pages = pages;
    this.#apex = apex.wire;
  }

  /** @throws StoreError `STORE_CORRUPT`; SqliteError */
  next(): boolean {
    if (!this.#begun) {
      this.#begun = true;
      this.#page = this.#pages.first();
    } else if (this.#page !== undefined && this.#at === this.#page.length) {
      this.#page = this.#nextPage(this.#page);
      this.#at = 0;
      this.#rowsInPage = 0;
    }
    if (this.#page === undefined) return false;
    this.#readRow(this.#page);
    this.#rowsInPage++;
    return true;
  }

  #nextPage(page: Uint8Array): Uint8Array | undefined {
    if (this.#rowsInPage < PAGE_ROWS) return undefined; // it was the last: no need to ask
    const owner = latin1(this.#ownerText, 0, this.#ownerTextLength - 1);
    return this.#pages.after(owner, this.type, latin1(page, this.#rdataAt, this.#rdataEnd));
  }

  #readRow(page: Uint8Array): void {
    const sameKey = this.#readKey(page);
    let at = this.#at;
    const typeBefore = this.type;
    let type = 0;
    for (; page[at] !== SPACE; at++) type = type * 10 + page[at]! - ZERO;
    this.type = type;
    at = this.#readRdata(page, at + 1, sameKey ? typeBefore : -1);
    let ttl = 0;
    for (; page[at] !== SPACE; at++) ttl = ttl * 10 + page[at]! - ZERO;
    this.ttl = ttl;
    this.#at = this.#readOwner(page, at + 1, sameKey);
  }

  /** Reads the owner's key. @returns whether it is that of the row before */
  #readKey(page: Uint8Array): boolean {
    const start = this.#at;
    const before = this.#ownerText;
    const beforeLength = this.#ownerTextLength;
    let same = 0;
    while (same < beforeLength && page[start + same] === before[same]) same++;
    if (same === beforeLength && same > 0) {
      this.#at = start + same;
      return true;
    }
    // A space sorts before every digit, so that the shorter of two keys comes first.
    if (same < beforeLength && page[start + same]! < before[same]!) throw disordered();
    // What the two have in common is whole octets.
    let length = same >> 1;
    const key = this.#key;
    let at = start + 2 * length;
    for (; page[at] !== SPACE; at += 2) {
      if (length === MAX_KEY_LENGTH) throw damaged("an owner name that is too long");
      key[length++] = (DIGIT[page[at]!]! << 4) | DIGIT[page[at + 1]!]!;
    }
    this.#keyLength = length;
    at++;
    for (let i = same; start + i < at; i++) before[i] = page[start + i]!;
    this.#ownerTextLength = at - start;
    this.#at = at;
    return false;
  }

  /** @param typeBefore the type of the row before where that has the same owner. @returns offset behind the RDATA */
  #readRdata(page: Uint8Array, start: number, typeBefore: number): number {
    const { rdata } = this;
    let at = start;
    let length = 0;
    for (; page[at] !== SPACE; at += 2) rdata[length++] = (DIGIT[page[at]!]! << 4) | DIGIT[page[at + 1]!]!;
    if (length > MAX_RDATA_LENGTH) throw damaged("RDATA that is too long");
    if (typeBefore >= 0) {
      // The first row of a page is behind the last of the one before, or SQLite would not have given it.
      const sameSet = this.type === typeBefore && this.#rowsInPage > 0;
      if (this.type < typeBefore || (sameSet && !this.#isBehind(page, start))) throw disordered();
    }
    this.rdataLength = length;
    this.#rdataAt = start;
    this.#rdataEnd = at;
    return at + 1;
  }

  /** Whether the RDATA at `start` sort behind those of the row before in the page. */
  #isBehind(page: Uint8Array, start: number): boolean {
    let before = this.#rdataAt;
    let at = start;
    while (page[at] === page[before] && page[at] !== SPACE) {
      at++;
      before++;
    }
    return page[at]! > page[before]!;
  }

  /** Reads the owner as written and settles what the owner is. @returns offset behind the row */
  #readOwner(page: Uint8Array, start: number, sameKey: boolean): number {
    const { owner } = this;
    if (page[start] === LINE_END) {
      this.ownerChanged = !sameKey || this.#ownerIsWritten;
      if (this.ownerChanged) {
        this.ownerLength = writeOwner(owner, this.#key, this.#keyLength, this.#apex);
        if (this.ownerLength > MAX_NAME_LENGTH) throw damaged("an owner name that is too long");
        this.#ownerIsWritten = false;
      }
      return start + 1;
    }
    let changed = !sameKey;
    let length = 0;
    let at = start;
    for (; page[at] !== LINE_END; at += 2) {
      const octet = (DIGIT[page[at]!]! << 4) | DIGIT[page[at + 1]!]!;
      if (owner[length] !== octet) changed = true;
      owner[length++] = octet;
    }
    if (length > MAX_NAME_LENGTH) throw damaged("an owner name that is too long");
    this.ownerLength = length;
    this.ownerChanged = changed;
    this.#ownerIsWritten = true;
    return at + 1;
  }
}

function latin1(octets: Uint8Array, from: number, to: number): string {
  return Buffer.from(octets.buffer, octets.byteOffset + from, to - from).toString("latin1");
}

function disordered(): Error {
  return new Error("SQLite gave the rows of a page in another order than was asked for");
}

function damaged(what: string): StoreError {
  return new StoreError("STORE_CORRUPT", `a record of the database has ${what}`, RESTORE_ADVICE);
}
