/** `[netbios]`. */
import type { UpdateRule } from "../auth/update-rule.ts";
import { takesUdp } from "../auth/update-rule.ts";
import type { Name } from "../wire/name.ts";
import type { NetbiosConfig, ZoneConfig } from "./config.ts";
import { shown } from "./leaf.ts";
import { checkListen } from "./listen.ts";
import { Mistake } from "./mistake.ts";
import type { ProblemCollector } from "./mistake.ts";
import { NetbiosDomainSchema, NetbiosSchema } from "./schema.ts";
import { asTable, listAt } from "./toml.ts";
import type { TomlPath } from "./toml-position.ts";

/**
 * Undefined where there is no `[netbios]`, or it has a mistake.
 * @param table of the whole configuration; @param zones those of it that have none
 */
export function readNetbios(
  table: Record<string, unknown>,
  zones: readonly ZoneConfig[],
  problems: ProblemCollector,
): NetbiosConfig | undefined {
  const value = table["netbios"];
  if (value === undefined) return undefined;
  const path = ["netbios"];
  const read = problems.read(NetbiosSchema, value, path);
  const domains = listAt(asTable(value), "domains").flatMap((entry, index) => {
    const domain = problems.read(NetbiosDomainSchema, entry, [...path, "domains", index]);
    return domain === undefined ? [] : [{ label: domain.name, dns: domain.dns }];
  });
  if (read === undefined) return undefined;
  checkListen(problems, [...path, "listen"], read.listen);
  read.clients.forEach(({ text, length }, index) => {
    if (length > 0) return;
    const message = `${text} is everybody: whoever reaches the port could register names`;
    const advice = "List the networks that the hosts are in.";
    problems.add([...path, "clients", index], new Mistake("CONFIG_NETBIOS", message, advice));
  });
  // A zone with a mistake of its own may be the one that is meant.
  if (zones.length === listAt(table, "zone").length) {
    const check = (name: Name, at: TomlPath): void => {
      if (zones.some(({ apex }) => name.isWithin(apex))) return;
      const advice = "Name a zone of the configuration, or a name within one.";
      problems.add(at, new Mistake("CONFIG_NETBIOS", `${shown(name)} is in no zone here`, advice));
    };
    read.suffixes.forEach((name, index) => check(name, [...path, "suffixes", index]));
    domains.forEach(({ dns }, index) => check(dns, [...path, "domains", index, "dns"]));
    checkFeed(problems, zones, read.feed ? read.suffixes[0] : undefined);
  }
  return {
    listen: read.listen,
    clients: read.clients,
    suffixes: read.suffixes,
    domains,
    feed: read.feed,
    maxTtl: read.max_ttl,
    registrations: read.registrations,
    registrationsPerClient: read.registrations_per_client,
  };
}

function checkFeed(problems: ProblemCollector, zones: readonly ZoneConfig[], suffix: Name | undefined): void {
  if (suffix === undefined) return;
  const fed = zones
    .filter(({ apex }) => suffix.isWithin(apex))
    .toSorted((a, b) => b.apex.labelCount - a.apex.labelCount)[0];
  if (fed === undefined || fed.update.some(takesUnsignedUdp)) return;
  const message = `no rule of ${shown(fed.apex)} takes unsigned updates by UDP, which is what registrations are fed as`;
  const advice = `Add [[zone.update]] with net = "…" for the clients and udp = true to that zone, or leave feed out.`;
  problems.add(["netbios", "feed"], new Mistake("CONFIG_NETBIOS", message, advice), "value", "warning");
}

/** Whether a rule could allow what is fed from registrations. */
function takesUnsignedUdp(rule: UpdateRule): boolean {
  const signed = rule.key !== undefined || rule.principal !== undefined;
  return rule.allow && !signed && rule.net !== undefined && takesUdp(rule);
}
