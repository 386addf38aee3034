/** What update prerequisites, changes and diffs need to see of a zone: its image, or an image with pending changes laid over. */
import type { Name } from "../wire/name.ts";
import type { ResourceRecord, RrSet } from "../wire/record.ts";
import type { Actor } from "./changeset.ts";

/** What is given of a zone stays as it is, also when the zone changes: RDATA are copies, or nobody writes to them any more. */
export interface ZoneView {
  readonly apex: Name;
  /** The apex SOA; a zone always has one. */
  readonly soa: ResourceRecord;
  /** Records in the zone, the SOA among them. */
  readonly recordCount: number;
  /** The RRsets of a name, in no order; empty where the name has none or does not exist. */
  rrsets(name: Name): readonly RrSet[];
  /** The RRset of a name and type, where there is one. */
  rrset(name: Name, type: number): RrSet | undefined;
  /** The owner name in the case it is stored in; the argument itself where the name does not exist. */
  storedName(name: Name): Name;
  /**
   * Who owns a name by changes that are not committed yet, `null` where they make it nobody's; undefined where they say
   * nothing of it. Absent where there are no such changes: the store knows.
   */
  pendingOwner?(name: Name): Actor | null | undefined;
}
