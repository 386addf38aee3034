/**
 * Names that no host is to take by a rule that was meant for hosts: who holds them receives others' traffic. A rule grants
 * them only where its `names` lists them one by one.
 *
 * | guarded                                    | because                                                             |
 * |--------------------------------------------|---------------------------------------------------------------------|
 * | the apex                                   | SOA, NS, MX and what else speaks for the zone                        |
 * | hosts named by its NS and SOA, and names above them | updates and transfers go there; a cut or DNAME above would hide them |
 * | `wpad`, `isatap`, leftmost at any depth    | Windows asks for them unbidden and believes what it gets (CVE-2009-0093) |
 * | a `*` label at any depth                   | a wildcard answers for every name that is not there (RFC 4592)       |
 * | `_msdcs` and below, at any depth           | domain members find their controllers there ([MS-ADTS] §6.3.6.1)    |
 * | for `scope = "source"`: what the operator put there | an address beside a file server's own gets half of its clients |
 *
 * A pattern such as `*._msdcs` or `*.dc._msdcs` lists what is below `_msdcs` well enough: nobody writes it unawares.
 */
import { RrType } from "../wire/iana/type.ts";
import { LOWER, type Name } from "../wire/name.ts";
import { sameBytes } from "../wire/record.ts";
import type { PolicyZone, RrSetChange, UpdateRule } from "./update-rule.ts";

export type Guard = "apex" | "server" | "wpad" | "isatap" | "wildcard" | "_msdcs" | "operator";

/** What each guard is about, to be said of a name. */
export const GUARDED: Readonly<Record<Guard, string>> = {
  apex: "the zone's apex",
  server: "the name of a name server",
  wpad: "wpad",
  isatap: "isatap",
  wildcard: "a wildcard",
  _msdcs: "_msdcs and what is below it",
  operator: "a name with records that no client registered",
};

/** What keeps a rule that allows from a change; undefined where nothing does. */
export function guardAgainst(rule: UpdateRule, zone: PolicyZone, change: RrSetChange): Guard | undefined {
  const { name } = change;
  const guard = guardOf(name, zone);
  if (guard !== undefined) return grants(rule, name, guard, zone) ? undefined : guard;
  return joinsOperators(rule, zone, change) && !grants(rule, name, "operator", zone) ? "operator" : undefined;
}

/**
 * Whether a host without another proof than its address would put it beside those of the operator, or take these away. A
 * rule with `own` asks whose the name is by itself; what comes under one with `static` looks like the operator's later.
 */
function joinsOperators(rule: UpdateRule, zone: PolicyZone, change: RrSetChange): boolean {
  const { name, type, added, removed } = change;
  if (rule.scope !== "source" || rule.own === true || rule.static === true || type === RrType.PTR)
    return false;
  // A record that goes and comes gets another TTL, as its RRset must.
  const differs = hasOther(added, removed) || (rule.replace === true && hasOther(removed, added));
  return differs && zone.hasStatic?.(name) === true;
}

function hasOther(list: RrSetChange["added"], than: RrSetChange["added"]): boolean {
  return list.some(({ rdata }) => !than.some((each) => sameBytes(each.rdata, rdata)));
}

/** Why an owner name is guarded in a zone it is within; undefined where it is not. */
export function guardOf(owner: Name, zone: PolicyZone): Guard | undefined {
  const end = owner.wire.length - zone.apex.wire.length;
  if (end === 0) return "apex";
  if (isLabel(owner, 0, "wpad")) return "wpad";
  if (isLabel(owner, 0, "isatap")) return "isatap";
  let domainControllers = false;
  for (let at = 0; at < end; at += owner.wire[at]! + 1) {
    if (isLabel(owner, at, "*")) return "wildcard";
    domainControllers ||= isLabel(owner, at, "_msdcs");
  }
  if (zone.nameServers.some((host) => host.isWithin(owner))) return "server";
  return domainControllers ? "_msdcs" : undefined;
}

/** Whether a rule's names grant an owner name that is guarded. */
function grants(rule: UpdateRule, owner: Name, guard: Guard, zone: PolicyZone): boolean {
  return (
    rule.names?.some(({ name, below }) => {
      if (!below) return name.equals(owner);
      return guard === "_msdcs" && owner.isBelow(name) && guardOf(name, zone) === "_msdcs";
    }) ?? false
  );
}

/** Whether the label at an offset of a name's wire form is this one, in any case. */
function isLabel(name: Name, at: number, label: string): boolean {
  if (name.wire[at] !== label.length) return false;
  for (let i = 0; i < label.length; i++)
    if (LOWER[name.wire[at + 1 + i]!] !== label.charCodeAt(i)) return false;
  return true;
}
