/** Why a rule does not match, and why none did: for the Extended DNS Error, the log and `rollcall explain`. */
import { RrType, typeToText } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import type { Requester } from "./acl.ts";
import { GUARDED, guardAgainst } from "./guarded-name.ts";
import { ownName } from "./own-name.ts";
import { matchesPrincipal } from "./principal.ts";
import type { Condition } from "./rule-match.ts";
import { CONDITIONS, isSigned, missOf } from "./rule-match.ts";
import { outsideSource } from "./source-scope.ts";
import type { PolicyZone, RrSetChange, UpdateRule } from "./update-rule.ts";
import { shortName } from "./update-rule.ts";

/** Why a rule fails on a condition, as the end of a sentence that begins with "rule 1". */
export function explainMiss(
  rule: UpdateRule,
  condition: Condition,
  requester: Requester,
  zone: PolicyZone,
  change: RrSetChange,
): string {
  switch (condition) {
    case "who":
      return otherWho(rule, requester);
    case "transport":
      return "takes updates over TCP only";
    case "names":
      return nearName(rule, change.name) ?? `does not cover ${shortName(change.name)}`;
    case "guard": {
      const guard = GUARDED[guardAgainst(rule, zone, change) ?? "apex"];
      return `does not list ${shortName(change.name)} among its names, as ${guard} must be`;
    }
    case "types":
      return `covers ${(rule.types ?? []).map(typeToText).join(", ")} only`;
    case "scope":
      return outsideScope(rule, requester, zone, change);
  }
}

/** Why no rule matched: the nearest miss, which is the one that got furthest through its conditions. */
export function explainRefusal(
  rules: readonly UpdateRule[],
  requester: Requester,
  zone: PolicyZone,
  change: RrSetChange,
): string {
  const allowing = rules.filter((rule) => rule.allow);
  if (allowing.length === 0) return "the zone takes no updates";
  const misses = allowing.map((rule) => missOf(rule, requester, zone, change)!);
  const furthest = CONDITIONS.findLast((condition) => misses.includes(condition))!;
  const nearest = allowing.filter((_, i) => misses[i] === furthest);
  switch (furthest) {
    case "who":
      return explainWho(nearest, requester);
    case "names":
      for (const rule of nearest) {
        const near = nearName(rule, change.name);
        if (near !== undefined) return `rule ${rule.index} ${near}`;
      }
      return `no update rule lets ${who(requester)} change ${shortName(change.name)}`;
    case "types": {
      const types = [...new Set(nearest.flatMap((rule) => rule.types ?? []))].map(typeToText);
      const listed = types.length > 6 ? `the ${types.length} types of` : `${types.join(", ")} by`;
      return `${who(requester)} may change only ${listed} ${ruleList(nearest)}, not ${typeWord(change.type)}`;
    }
    default:
      return `rule ${nearest[0]!.index} ${explainMiss(nearest[0]!, furthest, requester, zone, change)}`;
  }
}

/** `all types`, or the mnemonic of one. */
export function typeWord(type: number): string {
  return type === RrType.ANY ? "all types" : typeToText(type);
}

//------------ Who -----------------------------------------------------------

function otherWho({ key, principal, net, scope }: UpdateRule, requester: Requester): string {
  if (key !== undefined && requester.key?.equals(key) !== true) return `is for key ${shortName(key)}`;
  if (principal !== undefined && !isPrincipal(principal, requester)) return `is for principal ${principal}`;
  if (net !== undefined && !net.contains(requester.address)) return `is for ${net.text}`;
  return scope === "self" || scope === "self-sub" ? "is for keys" : "is for unsigned updates";
}

function isPrincipal(pattern: string, { principal }: Requester): boolean {
  return principal !== undefined && matchesPrincipal(pattern, principal);
}

function explainWho(rules: readonly UpdateRule[], requester: Requester): string {
  for (const rule of rules) {
    if (rule.net === undefined) continue;
    const inside = rule.net.contains(requester.address);
    if (rule.key !== undefined && requester.key?.equals(rule.key) === true && !inside) {
      const from = requester.address === "" ? "elsewhere" : requester.address;
      return `rule ${rule.index} takes ${who(requester)} from ${rule.net.text}, not from ${from}`;
    }
    if (rule.key === undefined && rule.principal === undefined && isSigned(requester) && inside) {
      return `no update rule matches ${who(requester)}; rule ${rule.index} ${otherWho(rule, requester)}`;
    }
  }
  return `no update rule matches ${who(requester)}`;
}

/** A requester, in the words of a refusal. */
function who(requester: Requester): string {
  if (requester.principal !== undefined) return `principal ${requester.principal}`;
  if (requester.key !== undefined) return `key ${shortName(requester.key)}`;
  return `unsigned updates from ${requester.address}`;
}

//------------ Names and scope -----------------------------------------------

/** Where one pattern was meant and its counterpart written. */
function nearName(rule: UpdateRule, owner: Name): string | undefined {
  for (const pattern of rule.names ?? []) {
    const name = shortName(pattern.name);
    if (pattern.below && owner.equals(pattern.name)) {
      return `covers names below ${name}, not ${name} itself: add "${name}"`;
    }
    if (!pattern.below && owner.isBelow(pattern.name)) {
      return `covers ${name} alone: write "*.${name}" for the names below it`;
    }
  }
  return undefined;
}

function outsideScope(rule: UpdateRule, requester: Requester, zone: PolicyZone, change: RrSetChange): string {
  if (rule.scope === "source") {
    return outsideSource(requester, change, rule.replace === true) ?? "is about the sender's own address";
  }
  const own = ownName(requester, zone.apex);
  if (own === undefined) {
    return `lets hosts change their own names, and ${who(requester)} is no host of ${shortName(zone.apex)}`;
  }
  const below = rule.scope === "self-sub" ? " and what is below it" : "";
  return `lets ${who(requester)} change ${shortName(own)}${below} only`;
}

function ruleList(rules: readonly UpdateRule[]): string {
  return `${rules.length === 1 ? "rule" : "rules"} ${rules.map((rule) => rule.index).join(", ")}`;
}
