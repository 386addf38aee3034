/** AXFR (RFC 5936): a whole zone, from one consistent snapshot. */
import type { RecordCursor } from "../wire/cursor.ts";
import { ObjectCursor } from "../wire/cursor.ts";
import type { ZoneSnapshot } from "../zone/ports.ts";

/**
 * The records of a transfer in order: the SOA, everything else, the same SOA again (RFC 5936 §2.2). Drawn from the
 * snapshot as they are asked for; closing it is the caller's.
 */
export function axfrCursors(snapshot: ZoneSnapshot): RecordCursor[] {
  return [new ObjectCursor([snapshot.soa]), snapshot.cursor(), new ObjectCursor([snapshot.soa])];
}
