/**
 * NetBIOS names that zones know: hosts by their A records, the controllers of a domain by the SRV records that its
 * members find them by. Reads zone views; asks nobody.
 */
import { RrType } from "../wire/iana/type.ts";
import { Name, NameSyntaxError } from "../wire/name.ts";
import { ipv4ToText } from "../wire/rdata/address.ts";
import type { ZoneView } from "../zone/view.ts";
import type { NetbiosName } from "./name.ts";
import { Suffix } from "./name.ts";
import { MAX_HELD } from "./registrations.ts";

/** Aliases followed for one name. */
const MAX_ALIASES = 8;
/** Where the target stands in the RDATA of an SRV record (RFC 2782). */
const SRV_TARGET = 6;

/** A domain of Windows: its NetBIOS name, and the DNS name that its controllers are found by. */
export interface NetbiosDomain {
  /** Upper case. */
  readonly label: string;
  readonly dns: Name;
}

/** What the zones say of a name. */
export interface FoundName {
  /** Dotted quads; never empty. */
  readonly addresses: readonly string[];
  /** Seconds: the least of the records that led there. */
  readonly ttl: number;
  readonly group: boolean;
}

export interface ZoneNamesSettings {
  /** A host's label is looked for below each, in order. */
  readonly suffixes: readonly Name[];
  readonly domains: readonly NetbiosDomain[];
}

/** The zone served here that holds a name: the one with the longest apex. */
export type ZoneOfName = (name: Name) => ZoneView | undefined;

/** What the zones know of a NetBIOS name; undefined where they know nothing. */
export function findInZones(
  name: NetbiosName,
  settings: ZoneNamesSettings,
  zoneOf: ZoneOfName,
): FoundName | undefined {
  if (name.scoped) return undefined;
  switch (name.suffix) {
    case Suffix.WORKSTATION:
    case Suffix.SERVER:
      return findHost(name, settings, zoneOf);
    case Suffix.DOMAIN_CONTROLLERS:
      return findControllers(name, "dc", settings, zoneOf);
    case Suffix.DOMAIN_MASTER:
      return findControllers(name, "pdc", settings, zoneOf);
    default:
      return undefined;
  }
}

/** The domain name that a host's NetBIOS name stands for below a suffix; undefined where it can stand for none. */
export function hostName(name: NetbiosName, suffix: Name): Name | undefined {
  // `*` asks for anything; octets above 0x7e mean another letter in each code page.
  if (name.scoped || !/^[!-~]+$/.test(name.label) || name.label === "*") return undefined;
  try {
    return suffix.child(name.label.toLowerCase());
  } catch (error) {
    if (error instanceof NameSyntaxError) return undefined; // the suffix is too long for it
    throw error;
  }
}

function findHost(
  name: NetbiosName,
  { suffixes }: ZoneNamesSettings,
  zoneOf: ZoneOfName,
): FoundName | undefined {
  for (const suffix of suffixes) {
    const owner = hostName(name, suffix);
    const found = owner && addressesOf(owner, zoneOf);
    if (found !== undefined) return { ...found, group: false };
  }
  return undefined;
}

/** By the records of MS-ADTS §6.3.2.3: `_ldap._tcp.dc._msdcs` names all controllers, `pdc` the first. */
function findControllers(
  name: NetbiosName,
  which: "dc" | "pdc",
  { domains }: ZoneNamesSettings,
  zoneOf: ZoneOfName,
): FoundName | undefined {
  const label = name.label.toUpperCase();
  const domain = domains.find((each) => each.label === label);
  if (domain === undefined) return undefined;
  const owner = Name.parse(`_ldap._tcp.${which}._msdcs`, domain.dns);
  const records = visible(owner, zoneOf)?.rrset(owner, RrType.SRV);
  if (records === undefined) return undefined;
  const addresses = new Set<string>();
  let { ttl } = records;
  for (const rdata of records.rdatas.slice(0, MAX_HELD)) {
    const found = addressesOf(Name.fromTrustedWire(rdata.subarray(SRV_TARGET)), zoneOf);
    if (found === undefined) continue;
    ttl = Math.min(ttl, found.ttl);
    for (const address of found.addresses) addresses.add(address);
  }
  if (addresses.size === 0) return undefined;
  return { addresses: [...addresses].slice(0, MAX_HELD), ttl, group: which === "dc" };
}

/** The A records of a name or of the one that it is an alias of. */
function addressesOf(
  owner: Name,
  zoneOf: ZoneOfName,
): { readonly addresses: string[]; readonly ttl: number } | undefined {
  let name = owner;
  let ttl = Infinity;
  for (let hops = 0; hops <= MAX_ALIASES; hops++) {
    const view = visible(name, zoneOf);
    if (view === undefined) return undefined;
    const a = view.rrset(name, RrType.A);
    if (a !== undefined) {
      return { addresses: a.rdatas.map((rdata) => ipv4ToText(rdata)), ttl: Math.min(ttl, a.ttl) };
    }
    const alias = view.rrset(name, RrType.CNAME);
    if (alias === undefined) return undefined;
    ttl = Math.min(ttl, alias.ttl);
    name = Name.fromTrustedWire(alias.rdatas[0]!);
  }
  return undefined;
}

/** The zone that a name is in, unless it is delegated away: what is there then is glue, and not ours to tell. */
function visible(name: Name, zoneOf: ZoneOfName): ZoneView | undefined {
  const view = zoneOf(name);
  if (view === undefined) return undefined;
  for (let at = name; !at.equals(view.apex); at = at.parent!) {
    if (view.rrset(at, RrType.NS) !== undefined) return undefined;
  }
  return view;
}
