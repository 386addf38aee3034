/** What update rules are made of, and what is asked of them. `policy.ts` decides by them. */
import type { ResourceRecord } from "../wire/record.ts";
import { Name, NameSyntaxError } from "../wire/name.ts";
import type { Network } from "./acl.ts";

/** Owner names: one, or all that are below one. */
export interface NamePattern {
  /** As the configuration has it. */
  readonly text: string;
  readonly name: Name;
  /** True: every name below `name`, and not `name`. False: `name` alone. */
  readonly below: boolean;
}

/**
 * How far a rule goes beside its names and types.
 *
 * - `self`: the requester's own host name; `self-sub`: that and what is below it (see `own-name.ts`)
 * - `source`: addresses that are the packet's own source address, and PTRs at its reverse name (see `source-scope.ts`)
 */
export type RuleScope = "self" | "self-sub" | "source";
export const RULE_SCOPES: readonly RuleScope[] = ["self", "self-sub", "source"];

/** One `[[zone.update]]`. */
export interface UpdateRule {
  /** Its place in the zone's list, from 1, for messages. */
  readonly index: number;
  readonly key?: Name;
  /** Exact, or with one `*`: see `matchesPrincipal`. */
  readonly principal?: string;
  readonly net?: Network;
  /** Undefined: every name of the zone that is not guarded. */
  readonly names?: readonly NamePattern[];
  /** Undefined, or with `ANY` among them: every type. */
  readonly types?: readonly number[];
  /** Only in rules that allow. */
  readonly scope?: RuleScope;
  /** As the configuration says; {@link takesUdp} has the default. */
  readonly udp?: boolean;
  /** Whether `scope = "source"` may take other addresses of the name away. */
  readonly replace?: boolean;
  readonly allow: boolean;
  /** Asks whose the name is: who wrote it first owns it, see protocol/update-owner.ts. */
  readonly own?: boolean;
  /** What is added under the rule never ages. */
  readonly static?: boolean;
}

/** What the policy must know of a zone. */
export interface PolicyZone {
  readonly apex: Name;
  /** The hosts that the NS records of its apex and its SOA name as servers. */
  readonly nameServers: readonly Name[];
  /** Whether a name has a record that no update made; undefined: it is not known of any. */
  readonly hasStatic?: ((name: Name) => boolean) | undefined;
}

/** One RRset that an update would change. A record both removed and added gets another TTL. */
export interface RrSetChange {
  /** The owner. */
  readonly name: Name;
  /** `ANY` where it is asked about all types at once. */
  readonly type: number;
  readonly removed: readonly Pick<ResourceRecord, "rdata">[];
  readonly added: readonly Pick<ResourceRecord, "rdata">[];
}

/**
 * Whether a rule holds for updates that come over UDP, where anyone can forge the source address: as the rule says, and
 * else not where it believes that address. No packet from elsewhere has a loopback address for its source (RFC 1122
 * §3.2.1.3), so unsigned updates from there are taken.
 */
export function takesUdp(rule: UpdateRule): boolean {
  if (rule.udp !== undefined) return rule.udp;
  return rule.scope !== "source" && (!isForUnsigned(rule) || isLoopback(rule.net!));
}

/** Whether a rule allows something to unsigned updates: to whoever sends from its network. */
export function isForUnsigned({ key, principal, net, scope, allow }: UpdateRule): boolean {
  const isSelf = scope === "self" || scope === "self-sub";
  return allow && net !== undefined && key === undefined && principal === undefined && !isSelf;
}

function isLoopback({ base, length }: Network): boolean {
  if (base.length === 1) return base[0]! >>> 24 === 127 && length >= 8;
  return length === 128 && base.join() === "0,0,0,1";
}

/**
 * Reads an entry of a rule's `names`: `node1`, `node1.smb.example`, `*.smb.example` or `*` for all below, `@` for the
 * apex. A name that ends in the apex or in a dot is absolute, any other is relative to the apex. The wildcard record
 * `*.smb.example` itself is written `\*.smb.example`.
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
  if (!name.isWithin(apex))
    throw new NameSyntaxError(`${shortName(name)} is outside the zone ${shortName(apex)}`);
  return { text, name, below };
}

/** Whether an owner name is one that the pattern means. */
export function matchesName(pattern: NamePattern, owner: Name): boolean {
  return pattern.below ? owner.isBelow(pattern.name) : owner.equals(pattern.name);
}

/** A name without its final dot, as people write it. */
export function shortName(name: Name): string {
  const text = name.toString();
  return name.isRoot ? text : text.slice(0, -1);
}
