/**
 * The update policy of a zone: which requester may change which names and types (RFC 2136 §3.3, RFC 3007 §3.1).
 *
 * Rules stand in order and the first that matches decides; where none does, the update is refused. A rule matches
 * when its who, its names and its types all do.
 *
 * | who                     | the rule is for                                                     |
 * |-------------------------|---------------------------------------------------------------------|
 * | `key`, `principal`      | requests so signed                                                  |
 * | `key` + `net`           | requests so signed, from there                                      |
 * | `net`, allowing         | unsigned requests from there                                        |
 * | `net`, `allow = false`  | all requests from there: no signature slips past a prohibition      |
 * | nothing, allowing       | nobody                                                              |
 * | nothing, `allow = false`| everybody                                                           |
 *
 * A signed request gets nothing from an allowing rule that names only a network: whoever presents a key has that
 * key's rights, so a key confined to some names stays confined to them wherever it is used from.
 */
import { RrType, typeToText } from "../wire/iana/type.ts";
import { Name, NameSyntaxError } from "../wire/name.ts";
import type { Network, Requester } from "./acl.ts";
import { matchesPrincipal } from "./principal.ts";

/** Owner names: one, or all that are below one. */
export interface NamePattern {
  /** As the configuration has it. */
  readonly text: string;
  readonly name: Name;
  /** True: every name below `name`, and not `name`. False: `name` alone. */
  readonly below: boolean;
}

/** One `[[zone.update]]`. */
export interface UpdateRule {
  /** Its place in the zone's list, from 1, for messages. */
  readonly index: number;
  readonly key?: Name;
  /** Exact, or with one `*`: see `matchesPrincipal`. */
  readonly principal?: string;
  readonly net?: Network;
  /** Undefined: every name of the zone. */
  readonly names?: readonly NamePattern[];
  /** Undefined, or with `ANY` among them: every type. */
  readonly types?: readonly number[];
  readonly allow: boolean;
}

/** What the policy says of one change. */
export interface Decision {
  readonly allow: boolean;
  /** The rule that decided; undefined where none matched. */
  readonly rule?: UpdateRule;
  /** English, one short line, fit for an Extended DNS Error and the log. */
  readonly reason: string;
}

/**
 * Reads an entry of a rule's `names`: `node1`, `node1.smb.example`, `*.smb.example` or `*` for all below, `@` for the
 * apex. A name that ends in the apex or in a dot is absolute, any other is relative to the apex. The wildcard record
 * `*.smb.example` itself is among those below, and is written `\*.smb.example` to be meant alone.
 *
 * @throws NameSyntaxError where it is no name, or outside the zone
 */
export function parseNamePattern(text: string, apex: Name): NamePattern {
  if (text === "*") return { text, name: apex, below: true };
  const below = text.startsWith("*.");
  const rest = below ? text.slice(2) : text;
  if (below && rest === "") throw new NameSyntaxError("a name was expected after `*.`", 2);
  const absolute = rest === "@" ? apex : Name.parse(rest);
  // "\." at the end is an escaped dot, and so no sign of an absolute name; parsing against the apex tells.
  const name = absolute.isWithin(apex) ? absolute : Name.parse(rest, apex);
  if (!name.isWithin(apex)) throw new NameSyntaxError(`${short(name)} is outside the zone ${short(apex)}`);
  return { text, name, below };
}

/** Whether an owner name is one that the pattern means. */
export function matchesName(pattern: NamePattern, owner: Name): boolean {
  return pattern.below ? owner.isBelow(pattern.name) : owner.equals(pattern.name);
}

/**
 * Decides on one change: an addition or deletion of records of `type` at `owner`.
 *
 * Ask once for each RRset that a delete-all (RFC 2136 §2.5.3) would remove. Asked about type ANY, only a rule for
 * every type allows, and a rule against any type forbids.
 */
export function decideUpdate(
  rules: readonly UpdateRule[],
  requester: Requester,
  owner: Name,
  type: number,
): Decision {
  for (const rule of rules) {
    if (!matchesWho(rule, requester) || !matchesNames(rule, owner) || !matchesType(rule, type)) continue;
    const reason = rule.allow
      ? `rule ${rule.index} allows it`
      : `rule ${rule.index} denies ${typeWord(type)} at ${short(owner)}`;
    return { allow: rule.allow, rule, reason };
  }
  return { allow: false, reason: explain(rules, requester, owner, type) };
}

/** Whether any rule that allows something is for this requester, whatever the name and type. */
export function knowsRequester(rules: readonly UpdateRule[], requester: Requester): boolean {
  return rules.some((rule) => rule.allow && matchesWho(rule, requester));
}

function matchesWho(rule: UpdateRule, requester: Requester): boolean {
  const { key, principal, net } = rule;
  if (key !== undefined && requester.key?.equals(key) !== true) return false;
  if (principal !== undefined) {
    if (requester.principal === undefined || !matchesPrincipal(principal, requester.principal)) return false;
  }
  if (net !== undefined && !net.contains(requester.address)) return false;
  // See the table above: without a credential a rule allows the unsigned only, and denies all.
  if (key !== undefined || principal !== undefined || !rule.allow) return true;
  return net !== undefined && !isSigned(requester);
}

function matchesNames(rule: UpdateRule, owner: Name): boolean {
  return rule.names === undefined || rule.names.some((pattern) => matchesName(pattern, owner));
}

function matchesType(rule: UpdateRule, type: number): boolean {
  const { types } = rule;
  if (types === undefined || types.includes(type) || types.includes(RrType.ANY)) return true;
  return type === RrType.ANY && !rule.allow;
}

function isSigned(requester: Requester): boolean {
  return requester.key !== undefined || requester.principal !== undefined;
}

//------------ Why no rule matched -------------------------------------------

/** The nearest miss: a rule for this requester and name before one for this requester before any other. */
function explain(rules: readonly UpdateRule[], requester: Requester, owner: Name, type: number): string {
  const allowing = rules.filter((rule) => rule.allow);
  if (allowing.length === 0) return "the zone takes no updates";
  const own = allowing.filter((rule) => matchesWho(rule, requester));
  if (own.length === 0) return explainWho(allowing, requester);

  const here = own.filter((rule) => matchesNames(rule, owner));
  if (here.length > 0) {
    const types = [...new Set(here.flatMap((rule) => rule.types ?? []))].map(typeToText);
    const listed = types.length > 6 ? `the ${types.length} types of` : `${types.join(", ")} by`;
    return `${who(requester)} may change only ${listed} ${ruleList(here)}, not ${typeWord(type)}`;
  }
  for (const rule of own) {
    for (const pattern of rule.names ?? []) {
      if (pattern.below && owner.equals(pattern.name)) {
        return `rule ${rule.index} covers names below ${short(owner)}, not ${short(owner)} itself: add "${short(owner)}"`;
      }
      if (!pattern.below && owner.isBelow(pattern.name)) {
        const name = short(pattern.name);
        return `rule ${rule.index} covers ${name} alone: write "*.${name}" for the names below it`;
      }
    }
  }
  return `no update rule lets ${who(requester)} change ${short(owner)}`;
}

function explainWho(rules: readonly UpdateRule[], requester: Requester): string {
  for (const rule of rules) {
    if (rule.net === undefined) continue;
    const inside = rule.net.contains(requester.address);
    if (rule.key !== undefined && requester.key?.equals(rule.key) === true && !inside) {
      return `rule ${rule.index} takes ${who(requester)} from ${rule.net.text}, not from ${requester.address}`;
    }
    if (rule.key === undefined && rule.principal === undefined && isSigned(requester) && inside) {
      return `no update rule matches ${who(requester)}; rule ${rule.index} is for unsigned updates`;
    }
  }
  return `no update rule matches ${who(requester)}`;
}

function who(requester: Requester): string {
  if (requester.principal !== undefined) return `principal ${requester.principal}`;
  if (requester.key !== undefined) return `key ${short(requester.key)}`;
  return `unsigned updates from ${requester.address}`;
}

function ruleList(rules: readonly UpdateRule[]): string {
  return `${rules.length === 1 ? "rule" : "rules"} ${rules.map((rule) => rule.index).join(", ")}`;
}

function typeWord(type: number): string {
  return type === RrType.ANY ? "all types" : typeToText(type);
}

/** A name without its final dot, as people write it. */
function short(name: Name): string {
  const text = name.toString();
  return name.isRoot ? text : text.slice(0, -1);
}
