/** Which address records an update has made come, stay and go: what the reverse records are to follow (`ptr = true`). */
import { rdataKey } from "../wire/rdata/rdata.ts";
import { record, sameBytes, type ResourceRecord } from "../wire/record.ts";
import type { Changeset } from "../zone/changeset.ts";
import type { AddressChanges } from "../zone/pointers.ts";
import { isAddress } from "../zone/pointers.ts";
import type { ZoneView } from "../zone/view.ts";
import { decideOnPresent, type UpdateContext } from "./update.ts";
import type { UpdateRequest } from "./update-prescan.ts";

/**
 * The addresses that an accepted update took away, brought, or registered again. Those that were there already count only
 * where the requester may change them: an update that changes nothing is accepted from everybody a rule knows.
 *
 * @param view the zone before the update
 * @param changeset what it changes; undefined where it changes nothing
 * @param context that it was judged by
 */
export function addressChanges(
  request: UpdateRequest,
  view: ZoneView,
  changeset: Changeset | undefined,
  context: Pick<UpdateContext, "policy" | "ownership" | "origin">,
): AddressChanges {
  const removed = (changeset?.removed ?? []).filter(isAddress);
  const held = (changeset?.added ?? []).filter(isAddress);
  const here = new Set(held.map(keyOf));
  const gone = removed.filter((one) => !here.has(keyOf(one)));
  const seen = new Set([...removed, ...held].map(keyOf));
  for (const operation of request.operations) {
    if (operation.kind !== "add" || !isAddress(operation)) continue;
    const rrset = view.rrset(operation.name, operation.type);
    if (rrset?.rdatas.some((rdata) => sameBytes(rdata, operation.rdata)) !== true) continue;
    const { type, rdata } = operation;
    const again = record(view.storedName(operation.name), type, rrset.ttl, rdata);
    if (seen.has(keyOf(again))) continue;
    seen.add(keyOf(again));
    if (decideOnPresent(again, context).allow) held.push(again);
  }
  return { gone, held };
}

/** The same for records that are the same but for their TTL. */
function keyOf({ type, name, rdata }: ResourceRecord): string {
  return `${rdataKey(type, rdata)} ${name.key}`;
}
