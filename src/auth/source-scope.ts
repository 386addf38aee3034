/**
 * The scope `source`: a host may set its own address and the name of that address, proven by where its packets come from.
 *
 * What comes must be the source address, and what goes too: without a credential nobody can tell a host that lets go of its
 * old address from one that takes away another's. A rule with `replace` believes it all the same. At the reverse name of
 * its address everything may come and go: the address says whose it is.
 */
import { RrType } from "../wire/iana/type.ts";
import { ipv4ToText, ipv6ToText } from "../wire/rdata/address.ts";
import { sameBytes } from "../wire/record.ts";
import { reverseName } from "../wire/reverse.ts";
import type { Requester } from "./acl.ts";
import { addressOctets } from "./acl.ts";
import type { RrSetChange } from "./update-rule.ts";

/** The types that the scope is about. */
export const SOURCE_TYPES: readonly number[] = [RrType.A, RrType.AAAA, RrType.PTR];

/**
 * What keeps a change out of the scope, as the end of a sentence that begins with "rule 1"; undefined where it is in it.
 * @param replace whether addresses other than the requester's may go
 */
export function outsideSource(
  requester: Requester,
  change: RrSetChange,
  replace: boolean,
): string | undefined {
  const { type, name } = change;
  const from = requester.address;
  const source = addressOctets(from);
  if (source === undefined) return "is about the sender's address, and none is known";
  if (!SOURCE_TYPES.includes(type)) return "is about A, AAAA and PTR only";
  if (type === RrType.PTR) {
    if (name.equals(reverseName(source))) return undefined;
    return `lets ${from} name its own address only, at ${reverseName(source).toString()}`;
  }
  const isOwn = ({ rdata }: { rdata: Uint8Array }): boolean => sameBytes(rdata, source);
  // A record that goes and comes gets another TTL, as the RRset it shares with the requester's address must.
  const stranger = change.added.find((one) => !isOwn(one) && !holds(change.removed, one.rdata));
  if (stranger !== undefined)
    return `lets ${from} set its own address only, not ${addressText(stranger.rdata)}`;
  const gone = change.removed.find((one) => !isOwn(one) && !holds(change.added, one.rdata));
  if (gone !== undefined && !replace) {
    return `lets ${from} take away its own address only, not ${addressText(gone.rdata)}`;
  }
  if (gone !== undefined || [...change.added, ...change.removed].some(isOwn)) return undefined;
  return `lets ${from} change its own address only, and it is not among those of ${name.toString()}`;
}

function holds(list: RrSetChange["added"], wanted: Uint8Array): boolean {
  return list.some(({ rdata }) => sameBytes(rdata, wanted));
}

function addressText(rdata: Uint8Array): string {
  return rdata.length === 4 ? ipv4ToText(rdata) : ipv6ToText(rdata);
}
