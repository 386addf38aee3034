/**
 * The update policy of a zone: which requester may change which names, types and addresses (RFC 2136 §3.3, RFC 3007 §3.1).
 *
 * Rules stand in order and the first that matches decides; where none does, the update is refused. A rule matches
 * when its who, its transport, its names, its scope and its types all do.
 *
 * | who                     | the rule is for                                                     |
 * |-------------------------|---------------------------------------------------------------------|
 * | `key`, `principal`      | requests so signed                                                  |
 * | `key` + `net`           | requests so signed, from there                                      |
 * | `net`, allowing         | unsigned requests from there                                        |
 * | `net`, `allow = false`  | all requests from there: no signature slips past a prohibition      |
 * | `self` or `self-sub` without `key` or `principal` | requests signed with any TSIG key, from the `net` if there is one |
 * | nothing else, allowing  | nobody                                                              |
 * | nothing, `allow = false`| everybody                                                           |
 *
 * A signed request gets nothing from an allowing rule that names only a network: whoever presents a key has that
 * key's rights, so a key confined to some names stays confined to them wherever it is used from.
 */
import type { Requester } from "./acl.ts";
import { explainMiss, explainRefusal, typeWord } from "./policy-reason.ts";
import { isFor, missOf, takesTransport } from "./rule-match.ts";
import type { PolicyZone, RrSetChange, UpdateRule } from "./update-rule.ts";
import { shortName } from "./update-rule.ts";

/** What the policy says of one change. */
export interface Decision {
  readonly allow: boolean;
  /** The rule that decided; undefined where none matched. */
  readonly rule?: UpdateRule;
  /** English, one short line, fit for an Extended DNS Error and the log. */
  readonly reason: string;
}

/** A rule that was looked at on the way to a decision. */
export interface ConsideredRule {
  readonly rule: UpdateRule;
  /** Why it does not match, the end of a sentence that begins with "rule 1"; undefined for the one that decided. */
  readonly miss: string | undefined;
}

/**
 * Decides on one change: an addition or deletion of records of one name and type.
 *
 * Ask once for each RRset that a delete-all (RFC 2136 §2.5.3) would remove. Asked about type ANY, only a rule for
 * every type allows, and a rule against any type forbids.
 */
export function decideUpdate(
  rules: readonly UpdateRule[],
  requester: Requester,
  zone: PolicyZone,
  change: RrSetChange,
): Decision {
  for (const rule of rules) {
    if (missOf(rule, requester, zone, change) !== undefined) continue;
    const reason = rule.allow
      ? `rule ${rule.index} allows it`
      : `rule ${rule.index} denies ${typeWord(change.type)} at ${shortName(change.name)}`;
    return { allow: rule.allow, rule, reason };
  }
  return { allow: false, reason: explainRefusal(rules, requester, zone, change) };
}

/** {@link decideUpdate}, and how it came to that: every rule up to the one that decided. */
export function explainUpdate(
  rules: readonly UpdateRule[],
  requester: Requester,
  zone: PolicyZone,
  change: RrSetChange,
): { readonly decision: Decision; readonly considered: readonly ConsideredRule[] } {
  const decision = decideUpdate(rules, requester, zone, change);
  const end = decision.rule === undefined ? rules.length : rules.indexOf(decision.rule) + 1;
  const considered = rules.slice(0, end).map((rule) => {
    const condition = missOf(rule, requester, zone, change);
    const miss = condition && explainMiss(rule, condition, requester, zone, change);
    return { rule, miss };
  });
  return { decision, considered };
}

/** Whether any rule that allows something is for this requester, whatever the name and type. */
export function knowsRequester(rules: readonly UpdateRule[], requester: Requester): boolean {
  return rules.some((rule) => rule.allow && isFor(rule, requester) && takesTransport(rule, requester));
}
