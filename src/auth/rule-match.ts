/** Whether one rule matches one change, and if not, what it fails on. */
import { RrType } from "../wire/iana/type.ts";
import type { Requester } from "./acl.ts";
import { guardAgainst } from "./guarded-name.ts";
import { ownName } from "./own-name.ts";
import { matchesPrincipal } from "./principal.ts";
import { outsideSource } from "./source-scope.ts";
import type { PolicyZone, RrSetChange, UpdateRule } from "./update-rule.ts";
import { matchesName, takesUdp } from "./update-rule.ts";

/** The conditions of a rule, in the order in which they are looked at. */
export const CONDITIONS = ["who", "transport", "names", "scope", "guard", "types"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** The first condition of a rule that a change does not meet; undefined where the rule matches. */
export function missOf(
  rule: UpdateRule,
  requester: Requester,
  zone: PolicyZone,
  change: RrSetChange,
): Condition | undefined {
  if (!isFor(rule, requester)) return "who";
  if (!takesTransport(rule, requester)) return "transport";
  if (!coversName(rule, change)) return "names";
  if (!isInScope(rule, requester, zone, change)) return "scope";
  if (rule.allow && guardAgainst(rule, zone, change) !== undefined) return "guard";
  return coversType(rule, change) ? undefined : "types";
}

/** Whether a rule is for a requester, wherever its other conditions lead. */
export function isFor(rule: UpdateRule, requester: Requester): boolean {
  const { key, principal, net, scope } = rule;
  if (key !== undefined && requester.key?.equals(key) !== true) return false;
  if (principal !== undefined) {
    if (requester.principal === undefined || !matchesPrincipal(principal, requester.principal)) return false;
  }
  if (net !== undefined && !net.contains(requester.address)) return false;
  // See the table of policy.ts: without a credential a rule allows the unsigned only, and denies all.
  if (key !== undefined || principal !== undefined || !rule.allow) return true;
  if (scope === "self" || scope === "self-sub") return requester.key !== undefined;
  return net !== undefined && !isSigned(requester);
}

export function takesTransport(rule: UpdateRule, requester: Requester): boolean {
  return requester.transport === "tcp" || takesUdp(rule);
}

export function isSigned(requester: Requester): boolean {
  return requester.key !== undefined || requester.principal !== undefined;
}

function coversName(rule: UpdateRule, { name }: RrSetChange): boolean {
  return rule.names === undefined || rule.names.some((pattern) => matchesName(pattern, name));
}

function coversType(rule: UpdateRule, { type }: RrSetChange): boolean {
  const { types } = rule;
  if (types === undefined || types.includes(type) || types.includes(RrType.ANY)) return true;
  return type === RrType.ANY && !rule.allow;
}

function isInScope(rule: UpdateRule, requester: Requester, zone: PolicyZone, change: RrSetChange): boolean {
  const { scope, replace } = rule;
  if (scope === undefined) return true;
  if (scope === "source") return outsideSource(requester, change, replace === true) === undefined;
  const own = ownName(requester, zone.apex);
  if (own === undefined) return false;
  return scope === "self" ? change.name.equals(own) : change.name.isWithin(own);
}
