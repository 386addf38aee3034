/** What `ptr = true` needs: a zone of addresses, and a reverse zone to put the records in. */
import type { Name } from "../wire/name.ts";
import { isReverseApex } from "../wire/reverse.ts";
import { Mistake } from "./mistake.ts";

/** What is wrong with `ptr = true` in the zone at `apex`, all zones being these; undefined where nothing is. */
export function ptrMistake(
  apex: Name,
  zones: readonly { readonly apex: Name }[],
): { readonly mistake: Mistake; readonly severity: "error" | "warning" } | undefined {
  if (isReverseApex(apex)) {
    const message = "ptr belongs to the zone of the addresses, and this one holds the reverse names";
    return {
      mistake: new Mistake("CONFIG_VALUE", message, "Move it to the forward zone."),
      severity: "error",
    };
  }
  if (zones.some((zone) => isReverseApex(zone.apex))) return undefined;
  const message = `no reverse zone is served here, so ptr = true in ${apex.toString()} does nothing`;
  const advice = `Add one: [[zone]] with name = "2.0.192.in-addr.arpa" for 192.0.2.0/24, say.`;
  return { mistake: new Mistake("CONFIG_PTR", message, advice), severity: "warning" };
}
