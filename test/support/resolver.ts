/**
 * RFC 1034 §4.3.2 done the plain way, over a map of records: the second opinion that the zone image's answers are held
 * against. It knows nothing of messages, sizes or order.
 */
import { Rcode } from "../../src/wire/iana/code.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name, nameOfKey } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { record } from "../../src/wire/record.ts";

export interface PlainZone {
  readonly apex: Name;
  readonly records: readonly ResourceRecord[];
}

export interface PlainAnswer {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** Steps of one alias chain; the same bound that the server has. */
const MAX_STEPS = 16;

interface LoadedZone {
  readonly apex: Name;
  /** Records by owner; an empty non-terminal has none. */
  readonly names: ReadonlyMap<string, readonly ResourceRecord[]>;
}

export class PlainResolver {
  readonly #zones: readonly LoadedZone[];

  constructor(zones: readonly PlainZone[]) {
    this.#zones = zones.map(({ apex, records }) => {
      const names = new Map<string, ResourceRecord[]>([[apex.key, []]]);
      for (const rr of records) {
        for (let name: Name = rr.name; !name.equals(apex); name = name.parent!) {
          if (!names.has(name.key)) names.set(name.key, []);
        }
        names.get(rr.name.key)!.push(rr);
      }
      return { apex, names };
    });
  }

  /** @param type any QTYPE but ANY */
  answer(qname: Name, type: number): PlainAnswer {
    const answers: ResourceRecord[] = [];
    const chain: Name[] = [];
    let name = qname;
    let zone = type === RrType.DS ? this.#zoneOfDs(qname) : this.#zoneOf(qname);
    if (zone === undefined) return empty(Rcode.REFUSED, false);
    for (;;) {
      if (chain.length === MAX_STEPS || chain.some((earlier) => earlier.equals(name))) break;
      if (zone === undefined) break;
      chain.push(name);
      const found = this.#lookup(zone, name, type);
      switch (found.kind) {
        case "referral": {
          const additionals = this.#addressesFor(found.records);
          return {
            rcode: 0,
            authoritative: chain.length > 1,
            answers,
            authorities: found.records,
            additionals,
          };
        }
        case "redirect": {
          answers.push(...found.records);
          if (type === RrType.CNAME && found.target !== undefined) return { ...empty(0, true), answers };
          if (found.target === undefined) return { ...empty(Rcode.YXDOMAIN, true), answers };
          name = found.target;
          zone = this.#zoneOf(name);
          continue;
        }
        case "negative": {
          const soa = at(zone, zone.apex).find((rr) => rr.type === RrType.SOA)!;
          const minimum = new DataView(soa.rdata.slice(-4).buffer).getUint32(0);
          return {
            rcode: found.exists ? 0 : Rcode.NXDOMAIN,
            authoritative: true,
            answers,
            authorities: [{ ...soa, ttl: Math.min(soa.ttl, minimum) }],
            additionals: type === RrType.SOA ? this.#addressesFor([soa]) : [],
          };
        }
        case "data":
          answers.push(...found.records);
          return { ...empty(0, true), answers, additionals: this.#addressesFor(found.records) };
      }
    }
    return { ...empty(0, true), answers };
  }

  #lookup(zone: LoadedZone, name: Name, type: number): Lookup {
    const path = ancestors(name, zone.apex);
    for (const place of path) {
      const here = at(zone, place);
      const below = !place.equals(name);
      const cut = here.filter((rr) => rr.type === RrType.NS);
      if (cut.length > 0 && !place.equals(zone.apex) && (below || type !== RrType.DS)) {
        return { kind: "referral", records: cut };
      }
      const dname = here.find((rr) => rr.type === RrType.DNAME);
      if (dname !== undefined && below) {
        const target = name.withSuffix(place, Name.fromTrustedWire(dname.rdata));
        if (target === undefined) return { kind: "redirect", records: [dname], target };
        const alias = record(name, RrType.CNAME, dname.ttl, target.wire);
        return { kind: "redirect", records: [dname, alias], target };
      }
    }
    let here = zone.names.get(name.key);
    if (here === undefined) {
      const encloser = path.findLast((place) => zone.names.has(place.key))!;
      here = wildcardOf(zone, encloser)?.map((rr) => ({ ...rr, name }));
    }
    if (here === undefined) return { kind: "negative", exists: false };
    const alias = here.find((rr) => rr.type === RrType.CNAME);
    if (alias !== undefined && type !== RrType.CNAME) {
      return { kind: "redirect", records: [alias], target: Name.fromTrustedWire(alias.rdata) };
    }
    const records = here.filter((rr) => rr.type === type);
    return records.length > 0 ? { kind: "data", records } : { kind: "negative", exists: true };
  }

  #zoneOf(name: Name): LoadedZone | undefined {
    return this.#zones
      .filter(({ apex }) => name.isWithin(apex))
      .toSorted((a, b) => b.apex.labelCount - a.apex.labelCount)[0];
  }

  /** The zone above a cut, where it is served and has the cut; otherwise as for any type. */
  #zoneOfDs(name: Name): LoadedZone | undefined {
    const zone = this.#zoneOf(name);
    if (zone === undefined || !zone.apex.equals(name) || name.isRoot) return zone;
    const above = this.#zoneOf(name.parent!);
    const delegated = above !== undefined && at(above, name).some((rr) => rr.type === RrType.NS);
    return delegated ? above : zone;
  }

  /** A and AAAA of the hosts that records name. */
  #addressesFor(records: readonly ResourceRecord[]): ResourceRecord[] {
    const hosts = new Map<string, Name>();
    for (const { type, rdata } of records) {
      const skip = SKIP[type];
      if (skip === undefined) continue;
      const end = type === RrType.SOA ? nameEnd(rdata) : rdata.length;
      const host = Name.fromTrustedWire(rdata.slice(skip, end));
      if (!hosts.has(host.key)) hosts.set(host.key, host);
    }
    return [...hosts.values()].flatMap((host) => {
      const zone = this.#zoneOf(host);
      const here = zone === undefined ? [] : at(zone, host);
      return here
        .filter(({ type }) => type === RrType.A || type === RrType.AAAA)
        .map((rr) => ({ ...rr, name: host }));
    });
  }
}

/** Octets before the name in the RDATA of the types that have additional section processing. */
const SKIP: Readonly<Record<number, number>> = {
  [RrType.NS]: 0,
  [RrType.SOA]: 0,
  [RrType.MX]: 2,
  [RrType.SRV]: 6,
};

type Lookup =
  | { readonly kind: "referral" | "data"; readonly records: readonly ResourceRecord[] }
  | {
      readonly kind: "redirect";
      readonly records: readonly ResourceRecord[];
      readonly target: Name | undefined;
    }
  | { readonly kind: "negative"; readonly exists: boolean };

function empty(rcode: number, authoritative: boolean): PlainAnswer {
  return { rcode, authoritative, answers: [], authorities: [], additionals: [] };
}

function at(zone: LoadedZone, name: Name): readonly ResourceRecord[] {
  return zone.names.get(name.key) ?? [];
}

function wildcardOf(zone: LoadedZone, encloser: Name): readonly ResourceRecord[] | undefined {
  return encloser.wire.length > 253 ? undefined : zone.names.get(nameOfKey(`\u0001*${encloser.key}`).key);
}

/** From the apex down to the name itself. */
function ancestors(name: Name, apex: Name): Name[] {
  const path = [name];
  while (!path[0]!.equals(apex)) path.unshift(path[0]!.parent!);
  return path;
}

function nameEnd(rdata: Uint8Array): number {
  let end = 0;
  while (rdata[end] !== 0) end += rdata[end]! + 1;
  return end + 1;
}
