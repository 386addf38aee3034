/**
 * The only currency: one value that describes every change of a zone. Update processing, import and rollback build
 * them, the store commits them, the journal is the list of them, IXFR serves them.
 */
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";

/** What made a change. */
export type ChangeCause = "create" | "update" | "ptr" | "import" | "rollback" | "transfer" | "ageing";

/** Who made a change. */
export interface Actor {
  readonly kind: "key" | "principal" | "token" | "operator" | "address" | "server";
  /** Key name, principal, user name or address, as text; of the server itself what it was about. */
  readonly name: string;
  /** The address it came from, where it came over the network. */
  readonly from?: string | undefined;
}

/** Who, when and why: what every changeset carries beside its records. */
export interface ChangeOrigin {
  readonly actor: Actor;
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
  readonly cause: ChangeCause;
  /** Free text for the history: file name, rollback target. */
  readonly note?: string | undefined;
}

/**
 * One change of one zone, in the shape of an IXFR difference (RFC 1995 §4): the SOA before and what goes away, the SOA
 * after and what comes. All records are of class IN, within the zone, and `removed` holds exactly the records as stored.
 */
export interface Changeset {
  readonly zone: Name;
  readonly soaBefore: ResourceRecord;
  readonly soaAfter: ResourceRecord;
  /** Without the SOA. */
  readonly removed: readonly ResourceRecord[];
  /** Without the SOA. */
  readonly added: readonly ResourceRecord[];
  /**
   * Of each added record, in their order, how long it lives unless it is refreshed: seconds of its lease, 0 where the
   * zone's ageing decides; undefined where it is as it was (one whose TTL changes), and static where it is new. Kept
   * beside the zone, and never transferred. Absent: every added record is static.
   */
  readonly lifetimes?: readonly (number | undefined)[] | undefined;
  /** Names that belong to the origin's actor from now on. A name without records belongs to nobody. */
  readonly claimed?: readonly Name[] | undefined;
  readonly origin: ChangeOrigin;
}
