/**
 * The form of the journal's rows: the changes that one commit made to one zone, one after the other in one value, so
 * that a row's price is paid once for a whole batch.
 *
 *     flags 8 | at 48 | cause | actor's kind | actor's name | [actor's address] | [note]
 *       creation:   records 32
 *       otherwise:  [SOA before] | SOA after | octets 32, records removed | octets 32, records added
 *
 * Numbers are big-endian; texts are UTF-8 behind their octets in 16 bits; records are in uncompressed wire form, see
 * rr-blob.ts. The SOA before is left out where it is the SOA after of the change before.
 */
import { WireError } from "../wire/error.ts";
import type { Name } from "../wire/name.ts";
import { WireReader } from "../wire/reader.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { sameBytes } from "../wire/record.ts";
import type { Actor, ChangeCause, Changeset, ChangeOrigin } from "../zone/changeset.ts";
import { damaged, decodeRecords, readStored, wireLength, writeRecord } from "./rr-blob.ts";

/** One change as the journal has it. */
export interface JournalEntry {
  readonly origin: ChangeOrigin;
  /** Undefined for the creation of a zone, which only counts. */
  readonly changeset: Changeset | undefined;
  readonly removedCount: number;
  readonly addedCount: number;
}

/** Flags of an entry. */
const HAS_FROM = 1;
const HAS_NOTE = 2;
const HAS_SOA_BEFORE = 4;
const IS_CREATION = 8;

/** Octets of buffer that are kept from one commit to the next. */
const KEPT_CAPACITY = 1024 * 1024;

/** Gathers the changes of one commit to one zone. Used again and again, by one thread. */
export class EntryWriter {
  #bytes: Buffer = Buffer.alloc(4096);
  #length = 0;
  #soa: ResourceRecord | undefined;
  /** The last origin, and where its texts are: most changes of a commit have the same. */
  #lastOrigin: ChangeOrigin | undefined;
  #textsFrom = 0;
  #textsTo = 0;

  /** Begins anew. */
  restart(): void {
    this.#length = 0;
    this.#soa = undefined;
    this.#lastOrigin = undefined;
    if (this.#bytes.length > KEPT_CAPACITY) this.#bytes = Buffer.alloc(KEPT_CAPACITY);
  }

  /** The octets so far; valid until the next {@link restart}. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  creation(origin: ChangeOrigin, recordCount: number): void {
    this.#origin(origin, IS_CREATION);
    this.#u32(recordCount);
  }

  change({ soaBefore, soaAfter, removed, added, origin }: Changeset): void {
    const chained = this.#soa !== undefined && sameRecord(this.#soa, soaBefore);
    this.#origin(origin, chained ? 0 : HAS_SOA_BEFORE);
    if (!chained) this.#record(soaBefore);
    this.#record(soaAfter);
    this.#records(removed);
    this.#records(added);
    this.#soa = soaAfter;
  }

  #origin(origin: ChangeOrigin, flags: number): void {
    const { actor, at, cause, note } = origin;
    const all = flags | (actor.from === undefined ? 0 : HAS_FROM) | (note === undefined ? 0 : HAS_NOTE);
    const start = this.#reserve(7);
    this.#bytes[start] = all;
    this.#bytes.writeUIntBE(Math.trunc(at), start + 1, 6);
    if (this.#lastOrigin !== undefined && sameTexts(this.#lastOrigin, origin)) {
      const copy = this.#reserve(this.#textsTo - this.#textsFrom);
      this.#bytes.copyWithin(copy, this.#textsFrom, this.#textsTo);
      return;
    }
    this.#lastOrigin = origin;
    this.#textsFrom = this.#length;
    this.#text(cause);
    this.#text(actor.kind);
    this.#text(actor.name);
    if (actor.from !== undefined) this.#text(actor.from);
    if (note !== undefined) this.#text(note);
    this.#textsTo = this.#length;
  }

  #records(records: readonly ResourceRecord[]): void {
    let octets = 0;
    for (const rr of records) octets += wireLength(rr);
    this.#u32(octets);
    for (const rr of records) this.#record(rr);
  }

  #record(rr: ResourceRecord): void {
    const at = this.#reserve(wireLength(rr));
    writeRecord(this.#bytes, at, rr);
  }

  #text(text: string): void {
    // A character of UTF-16 has at most three octets of UTF-8.
    const room = Math.min(text.length * 3, 0xffff);
    const at = this.#reserve(2 + room);
    const octets = this.#bytes.write(text, at + 2, room, "utf8");
    this.#bytes.writeUInt16BE(octets, at);
    this.#length = at + 2 + octets;
  }

  #u32(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  #reserve(length: number): number {
    const at = this.#length;
    this.#length = at + length;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    return at;
  }
}

/**
 * The changes of a row, oldest first. Records are views of `bytes`.
 * @throws StoreError `STORE_CORRUPT`
 */
export function readEntries(bytes: Uint8Array, zone: Name): JournalEntry[] {
  const reader = new WireReader(bytes);
  const entries: JournalEntry[] = [];
  let soa: ResourceRecord | undefined;
  try {
    while (reader.remaining > 0) {
      const flags = reader.u8();
      const origin = readOrigin(reader, flags);
      if ((flags & IS_CREATION) !== 0) {
        entries.push({ origin, changeset: undefined, removedCount: 0, addedCount: reader.u32() });
        continue;
      }
      const soaBefore = (flags & HAS_SOA_BEFORE) === 0 ? soa : readStored(reader);
      if (soaBefore === undefined) throw damaged();
      const soaAfter = readStored(reader);
      const removed = decodeRecords(reader.take(reader.u32()));
      const added = decodeRecords(reader.take(reader.u32()));
      const changeset = { zone, soaBefore, soaAfter, removed, added, origin };
      entries.push({ origin, changeset, removedCount: removed.length, addedCount: added.length });
      soa = soaAfter;
    }
  } catch (error) {
    throw error instanceof WireError ? damaged() : error;
  }
  return entries;
}

function readOrigin(reader: WireReader, flags: number): ChangeOrigin {
  const at = reader.u48();
  const cause = textOf(reader) as ChangeCause;
  const kind = textOf(reader) as Actor["kind"];
  const name = textOf(reader);
  const actor = (flags & HAS_FROM) === 0 ? { kind, name } : { kind, name, from: textOf(reader) };
  return { actor, at, cause, ...((flags & HAS_NOTE) !== 0 && { note: textOf(reader) }) };
}

/** As written, a byte order mark at its beginning too. */
const UTF_8 = new TextDecoder("utf-8", { ignoreBOM: true });

function textOf(reader: WireReader): string {
  return UTF_8.decode(reader.take(reader.u16()));
}

/** Whether two origins are the same but for their time. */
function sameTexts(a: ChangeOrigin, b: ChangeOrigin): boolean {
  const { kind, name, from } = a.actor;
  return (
    b.actor.name === name &&
    b.actor.from === from &&
    b.actor.kind === kind &&
    b.cause === a.cause &&
    b.note === a.note
  );
}

function sameRecord(a: ResourceRecord, b: ResourceRecord): boolean {
  return a === b || (a.ttl === b.ttl && sameBytes(a.name.wire, b.name.wire) && sameBytes(a.rdata, b.rdata));
}
