/** AXFR (RFC 5936): a whole zone, from one consistent snapshot. */
import type { ResourceRecord } from "../wire/record.ts";
import type { ZoneSnapshot } from "../zone/ports.ts";

/**
 * The records of a transfer in order: the SOA, everything else, the same SOA again (RFC 5936 §2.2). Drawn from the
 * snapshot as they are asked for; closing it is the caller's.
 */
export function* axfrRecords(snapshot: ZoneSnapshot): Generator<ResourceRecord, void, undefined> {
  yield snapshot.soa;
  yield* snapshot.records();
  yield snapshot.soa;
}
