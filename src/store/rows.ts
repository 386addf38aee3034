/**
 * Reading the `record` table fast: SQLite puts whole pages of rows into one value each, so that a million records cost
 * two thousand calls and not a million, and no object is made for a row.
 *
 * A page is its rows one after the other. Of most rows it need not say the type, TTL and RDLENGTH, because they are the
 * usual ones: those of the last row of the page before.
 *
 *     owner key | 00 | "=" | RDATA
 *     owner key | 00 | " " | RDLENGTH * 65536 + type | " " | TTL | " " | RDATA                      (decimal text)
 *     owner key | 00 | "+" | RDLENGTH * 65536 + type | " " | TTL | " " | RDATA | owner as written, in wire form
 *
 * A key ends where a label would begin with 00, which none does; a name in wire form knows its end likewise.
 */
import type { Database, Statement } from "better-sqlite3";
import type { RecordCursor } from "../wire/cursor.ts";
import { RrClass } from "../wire/iana/class.ts";
import { RrType } from "../wire/iana/type.ts";
import { MAX_NAME_LENGTH, type Name } from "../wire/name.ts";
import { RESTORE_ADVICE, StoreError } from "./error.ts";
import { MAX_KEY_LENGTH, writeOwner } from "../zone/owner-key.ts";
import { plain } from "./rr-blob.ts";

/** Rows of a page: enough to make the call into SQLite cheap, few enough that the largest RDATA fit in memory. */
const PAGE_ROWS = 512;
/** Octets of the longest RDATA (RFC 1035 §3.2.1: RDLENGTH has 16 bits). */
const MAX_RDATA_LENGTH = 65_535;

const SPACE = 0x20;
const PLUS = 0x2b;
const EQUALS = 0x3d;
/** The digit 0. */
const ZERO = 0x30;

/** What rows have mostly. */
interface Usual {
  readonly type: number;
  readonly ttl: number;
  readonly length: number;
}

/** A guess for the first page: an A record. */
const FIRST_GUESS: Usual = { type: RrType.A, ttl: 3600, length: 4 };

// SQLite joins BLOBs octet by octet, and the cast gives them all back, 00 among them.
const NUMBERS = "(length(rdata) << 16 | type) || ' ' || ttl || ' '";

/** SQLite hands rows to an aggregate in the order of the subquery. It does not promise so: the cursor checks it. */
function selectPage(after: string): string {
  return `SELECT CAST(group_concat(
            CASE WHEN type = ? AND ttl = ? AND length(rdata) = ? AND owner_written IS NULL
                   THEN owner || x'003d' || rdata
                 WHEN owner_written IS NULL
                   THEN owner || x'0020' || ${NUMBERS} || rdata
                 ELSE owner || x'002b' || ${NUMBERS} || rdata || owner_written
            END, '') AS BLOB)
          FROM (SELECT owner, type, rdata, ttl, owner_written FROM record WHERE zone = ? ${after}
                ORDER BY owner, type, rdata LIMIT ?)`;
}

/** The pages of one zone's rows, in canonical owner order, then by type and RDATA. */
export interface PageSource {
  /** Undefined where there are no rows. */
  first(usual: Usual): Uint8Array | undefined;
  /** The page behind a row. */
  after(key: Uint8Array, type: number, rdata: Uint8Array, usual: Usual): Uint8Array | undefined;
}

/** As integers, which SQLite compares faster with its own. */
type UsualColumns = [type: bigint, ttl: bigint, length: bigint];

function columnsOf({ type, ttl, length }: Usual): UsualColumns {
  return [BigInt(type), BigInt(ttl), BigInt(length)];
}

/** Fetches pages from a database. */
export class RowPages {
  readonly #first: Statement<[...UsualColumns, number, number], Uint8Array | null>;
  readonly #next: Statement<
    [...UsualColumns, number, Uint8Array, number, Uint8Array, number],
    Uint8Array | null
  >;

  constructor(db: Database) {
    this.#first = db.prepare<[...UsualColumns, number, number], Uint8Array | null>(selectPage("")).pluck();
    this.#next = db
      .prepare<[...UsualColumns, number, Uint8Array, number, Uint8Array, number], Uint8Array | null>(
        selectPage("AND (owner, type, rdata) > (?, ?, ?)"),
      )
      .pluck();
  }

  of(zone: number): PageSource {
    return {
      first: (usual) => pageOf(this.#first.get(...columnsOf(usual), zone, PAGE_ROWS)),
      after: (key, type, rdata, usual) =>
        pageOf(this.#next.get(...columnsOf(usual), zone, key, type, rdata, PAGE_ROWS)),
    };
  }
}

function pageOf(value: Uint8Array | null | undefined): Uint8Array | undefined {
  return value === null || value === undefined ? undefined : plain(value);
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
  /** What its rows have where they do not say. */
  #usual: Usual = FIRST_GUESS;
  /** Where the next row begins in the page. */
  #at = 0;
  #rowsInPage = 0;
  #begun = false;
  /** The owner's key, with the 00 behind it. */
  readonly #key: Uint8Array = new Uint8Array(MAX_KEY_LENGTH + 1);
  /** Octets of the key, the 00 among them; 0 before the first row. */
  #keyLength = 0;
  /** Whether `owner` came from the row's own column and not from the key. */
  #ownerIsWritten = false;

  constructor(pages: PageSource, apex: Name) {
    this.#pages = pages;
    this.#apex = apex.wire;
  }

  /** @throws StoreError `STORE_CORRUPT`; SqliteError */
  next(): boolean {
    if (!this.#begun) {
      this.#begun = true;
      this.#page = this.#pages.first(this.#usual);
    } else if (this.#page !== undefined && this.#at === this.#page.length) {
      this.#page = this.#nextPage();
      this.#at = 0;
      this.#rowsInPage = 0;
    }
    if (this.#page === undefined) return false;
    this.#readRow(this.#page);
    this.#rowsInPage++;
    return true;
  }

  #nextPage(): Uint8Array | undefined {
    if (this.#rowsInPage < PAGE_ROWS) return undefined; // it was the last: no need to ask
    const key = this.#key.slice(0, this.#keyLength - 1);
    const { type, ttl, rdataLength: length } = this;
    this.#usual = { type, ttl, length };
    return this.#pages.after(key, type, this.rdata.slice(0, length), this.#usual);
  }

  #readRow(page: Uint8Array): void {
    const typeBefore = this.type;
    const sameKey = this.#readKey(page);
    const mark = page[this.#at++];
    const length = mark === EQUALS ? this.#takeUsual() : this.#readNumbers(page);
    // What is behind the last row of a page sorts behind it, or SQLite would not have given it.
    if (sameKey && this.#rowsInPage > 0) this.#assertBehind(typeBefore, page, length);
    this.#readRdata(page, length);
    if (mark === PLUS) this.#readOwner(page, sameKey);
    else this.#settleOwner(sameKey);
  }

  #takeUsual(): number {
    const { type, ttl, length } = this.#usual;
    this.type = type;
    this.ttl = ttl;
    return length;
  }

  /** @returns octets of RDATA */
  #readNumbers(page: Uint8Array): number {
    let at = this.#at;
    let lengthAndType = 0;
    for (; page[at] !== SPACE; at++) lengthAndType = lengthAndType * 10 + page[at]! - ZERO;
    at++;
    let ttl = 0;
    for (; page[at] !== SPACE; at++) ttl = ttl * 10 + page[at]! - ZERO;
    this.type = lengthAndType & 0xffff;
    this.ttl = ttl;
    this.#at = at + 1;
    return Math.floor(lengthAndType / 65_536);
  }

  /** Reads the owner's key. @returns whether it is that of the row before */
  #readKey(page: Uint8Array): boolean {
    const start = this.#at;
    const key = this.#key;
    const lengthBefore = this.#keyLength;
    let length = 0;
    while (length < lengthBefore && page[start + length] === key[length]) length++;
    if (length === lengthBefore && length > 0) {
      this.#at = start + length;
      return true;
    }
    if (length < lengthBefore && page[start + length]! < key[length]!) throw disordered();
    // The end is where a label is expected and 00 is found: what is common to both keys does not reach so far.
    let labelBegins = length === 0 || key[length - 1] === 0;
    for (;;) {
      const octet = page[start + length];
      if (octet === undefined || length > MAX_KEY_LENGTH) throw damaged("an owner name that is too long");
      key[length++] = octet;
      if (octet === 0 && labelBegins) break;
      labelBegins = octet === 0;
    }
    this.#keyLength = length;
    this.#at = start + length;
    return false;
  }

  /** Holds a row of the same owner against the one before, whose RDATA are still there. */
  #assertBehind(typeBefore: number, page: Uint8Array, length: number): void {
    if (this.type > typeBefore) return;
    if (this.type < typeBefore) throw disordered();
    const { rdata, rdataLength } = this;
    for (let i = 0; i < length && i < rdataLength; i++) {
      const order = page[this.#at + i]! - rdata[i]!;
      if (order > 0) return;
      if (order < 0) throw disordered();
    }
    if (length <= rdataLength) throw disordered();
  }

  #readRdata(page: Uint8Array, length: number): void {
    if (length > MAX_RDATA_LENGTH) throw damaged("RDATA that are too long");
    const { rdata } = this;
    const start = this.#at;
    for (let i = 0; i < length; i++) rdata[i] = page[start + i]!;
    this.rdataLength = length;
    this.#at = start + length;
  }

  /** Takes the owner as the row writes it. */
  #readOwner(page: Uint8Array, sameKey: boolean): void {
    const { owner } = this;
    const start = this.#at;
    let changed = !sameKey;
    let length = 0;
    for (let left = 1; left > 0; left--) {
      const octet = page[start + length];
      if (octet === undefined || length === MAX_NAME_LENGTH) throw damaged("an owner name that is too long");
      if (left === 1 && octet > 0) left += octet + 1;
      if (owner[length] !== octet) changed = true;
      owner[length++] = octet;
    }
    this.ownerLength = length;
    this.ownerChanged = changed;
    this.#ownerIsWritten = true;
    this.#at = start + length;
  }

  /** Takes the owner from the key. */
  #settleOwner(sameKey: boolean): void {
    this.ownerChanged = !sameKey || this.#ownerIsWritten;
    if (!this.ownerChanged) return;
    this.ownerLength = writeOwner(this.owner, this.#key, this.#keyLength - 1, this.#apex);
    if (this.ownerLength > MAX_NAME_LENGTH) throw damaged("an owner name that is too long");
    this.#ownerIsWritten = false;
  }
}

function disordered(): Error {
  return new Error("SQLite gave the rows of a page in another order than was asked for");
}

function damaged(what: string): StoreError {
  return new StoreError("STORE_CORRUPT", `a record of the database has ${what}`, RESTORE_ADVICE);
}
