/**
 * First come, first served: in a zone that has a rule with `own = true` a name belongs to whoever wrote it first, by
 * whichever rule, and nobody else may change it under a rule with `own` until it is gone or the operator gives it away.
 * Rules without `own` stand above that.
 */
import { lowerCase, samePrincipal } from "../auth/principal.ts";
import { Ede, Rcode } from "../wire/iana/code.ts";
import type { Name } from "../wire/name.ts";
import type { Actor } from "../zone/changeset.ts";
import { refusal, type UpdateRefusal } from "./update-prescan.ts";

/** Who owns names, as the zone is when the update is judged. */
export interface Ownership {
  of(name: Name): Pick<Actor, "kind" | "name"> | undefined;
  /** Whether a name has a record that no update made. */
  hasStatic(name: Name): boolean;
}

/**
 * What a rule with `own = true` says of a name.
 * @param inUse whether the name has records
 * @returns whose it is: the actor's already, or nobody's; else why it is refused. The client is not told who the other is
 */
export function checkOwner(
  name: Name,
  inUse: boolean,
  actor: Actor,
  ownership: Ownership,
): "own" | "free" | UpdateRefusal {
  const owner = ownership.of(name);
  if (owner !== undefined) {
    if (sameActor(owner, actor)) return "own";
    const text = `${name.toString()} belongs to another client, which registered it first`;
    const told = refusal(Rcode.REFUSED, Ede.PROHIBITED, text);
    return { ...told, reason: `${name.toString()} belongs to ${owner.kind} ${owner.name}` };
  }
  if (inUse && ownership.hasStatic(name)) {
    const text = `${name.toString()} has records that no client registered: the operator has to give it away`;
    return refusal(Rcode.REFUSED, Ede.PROHIBITED, text);
  }
  return "free";
}

/** Names of keys and addresses compare without regard to case, principals as in the rules. */
function sameActor(a: Pick<Actor, "kind" | "name">, b: Pick<Actor, "kind" | "name">): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind === "principal" ? samePrincipal(a.name, b.name) : lowerCase(a.name) === lowerCase(b.name);
}
