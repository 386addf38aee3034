/**
 * Records one after another without an object for each: for whoever goes through a zone of a million names, and would
 * spend more time on making and collecting objects than on the records.
 */
import type { ResourceRecord } from "./record.ts";

/**
 * The record that a pass through many has come to. The octets are those of the cursor and hold until the next step:
 * whoever wants to keep them copies them.
 */
export interface RecordCursor {
  /** Goes to the next record, at first to the first. False behind the last. @throws what reading the records throws */
  next(): boolean;
  /** Begins with the uncompressed wire form of the owner, in the case it is stored in. */
  readonly owner: Uint8Array;
  readonly ownerLength: number;
  /** False where the owner is, octet by octet, that of the record before. */
  readonly ownerChanged: boolean;
  readonly type: number;
  readonly class: number;
  /** Seconds. */
  readonly ttl: number;
  /** Begins with the uncompressed RDATA. */
  readonly rdata: Uint8Array;
  readonly rdataLength: number;
}

const NOTHING = new Uint8Array(0);

/** A cursor over records that are objects already. */
export class ObjectCursor implements RecordCursor {
  owner: Uint8Array = NOTHING;
  ownerLength = 0;
  ownerChanged = true;
  type = 0;
  class = 0;
  ttl = 0;
  rdata: Uint8Array = NOTHING;
  rdataLength = 0;
  readonly #records: Iterator<ResourceRecord>;

  constructor(records: Iterable<ResourceRecord>) {
    this.#records = records[Symbol.iterator]();
  }

  next(): boolean {
    const next = this.#records.next();
    if (next.done === true) return false;
    const { name, type, class: rrClass, ttl, rdata } = next.value;
    this.ownerChanged = name.wire !== this.owner;
    this.owner = name.wire;
    this.ownerLength = name.wire.length;
    this.type = type;
    this.class = rrClass;
    this.ttl = ttl;
    this.rdata = rdata;
    this.rdataLength = rdata.length;
    return true;
  }

  /** Ends the pass before its end: what the iterator holds is given back. */
  close(): void {
    this.#records.return?.();
  }
}
