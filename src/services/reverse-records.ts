/** The changes of reverse zones that go along with a change of addresses, in one commit with it (`ptr = true`). */
import type { Name } from "../wire/name.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import { isReverseApex } from "../wire/reverse.ts";
import type { Changeset, ChangeOrigin } from "../zone/changeset.ts";
import type { AddressChanges } from "../zone/pointers.ts";
import { pointerChangesets } from "../zone/pointers.ts";
import type { ZoneView } from "../zone/view.ts";
import type { ServedZones } from "./zones.ts";

/** What is to change in reverse zones. */
export interface ReverseChanges {
  readonly changesets: readonly Changeset[];
  /** Why they cannot be made; the changesets are then not to be used. */
  readonly problem?: string;
}

/**
 * What follows in the reverse zones served here from addresses that came, stayed and went.
 *
 * @param other a zone as the change under way is to find it, see `ChangeJob`
 * @param origin that of the change of the addresses
 * @param changeset the change of the addresses; undefined where they were only registered again
 */
export function reverseChanges(
  zones: Pick<ServedZones, "enclosing" | "get">,
  other: (apex: Name) => ZoneView | undefined,
  addresses: AddressChanges,
  origin: ChangeOrigin,
  changeset: Changeset | undefined,
): ReverseChanges {
  const reverseZone = (name: Name): ZoneView | undefined => {
    const apex = zones.enclosing(name);
    return apex !== undefined && isReverseApex(apex) ? other(apex) : undefined;
  };
  const note =
    changeset === undefined
      ? "addresses registered again"
      : `with ${changeset.zone.toString()} serial ${soaSerial(changeset.soaAfter.rdata)}`;
  const changesets = pointerChangesets(addresses, reverseZone, { ...origin, cause: "ptr", note });
  for (const { zone, added, removed } of changesets) {
    const records = other(zone)!.recordCount + added.length - removed.length;
    const most = zones.get(zone)?.config.limits.recordsPerZone ?? Infinity;
    if (added.length <= removed.length || records <= most) continue;
    return {
      changesets,
      problem: `${zone.toString()} would have ${records} records, and records_per_zone is ${most}`,
    };
  }
  return { changesets };
}
