/** AXFR (RFC 5936): a whole zone, from one consistent snapshot. */
import type { RecordCursor } from "../wire/cursor.ts";
import { ObjectCursor } from "../wire/cursor.ts";
import type { ResourceRecord } from "../wire/record.ts";

/** One consistent state of a zone, unaffected by later changes. Close it, always. */
export interface TransferSnapshot {
  readonly soa: ResourceRecord;
  /** Every record but the SOA, those of one owner together. */
  cursor(): RecordCursor;
  close(): void;
}

/**
 * The records of a transfer in order: the SOA, everything else, the same SOA again (RFC 5936 §2.2). Drawn from the
 * snapshot as they are asked for; closing it is the caller's.
 */
export function axfrCursors(snapshot: TransferSnapshot): RecordCursor[] {
  return [new ObjectCursor([snapshot.soa]), snapshot.cursor(), new ObjectCursor([snapshot.soa])];
}
