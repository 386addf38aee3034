/**
 * Reverse records that follow address records (RFC 1035 §3.5, RFC 3596 §2.5): what is to change in the reverse zones when
 * addresses of names come, stay and go.
 *
 * A PTR is touched only where it points to the very name whose address went, and made only where the reverse name has
 * none: what somebody set by hand, or another name came by first, stays.
 */
import { RrType } from "../wire/iana/type.ts";
import { keyOfWire, type Name } from "../wire/name.ts";
import { soaSerial, withSerial } from "../wire/rdata/soa.ts";
import { record, type ResourceRecord } from "../wire/record.ts";
import { reverseName } from "../wire/reverse.ts";
import type { Changeset, ChangeOrigin } from "./changeset.ts";
import { nextSerial } from "./serial.ts";
import type { ZoneView } from "./view.ts";

/** Address records (A, AAAA) of a zone. */
export interface AddressChanges {
  /** Those that are not there any more. */
  readonly gone: readonly ResourceRecord[];
  /** Those that have come, or were registered again. */
  readonly held: readonly ResourceRecord[];
}

/** Whether a record is one that has a reverse name. */
export function isAddress({ type }: Pick<ResourceRecord, "type">): boolean {
  return type === RrType.A || type === RrType.AAAA;
}

/** A reverse name whose PTRs are being worked on. */
interface Pointer {
  readonly view: ZoneView;
  readonly name: Name;
  readonly before: readonly ResourceRecord[];
  after: readonly ResourceRecord[];
}

/**
 * The changes of reverse zones that follow from address records.
 *
 * @param reverseZone the reverse zone served here that a reverse name belongs to, the longest match; undefined: none
 * @returns one changeset for every zone that changes
 */
export function pointerChangesets(
  { gone, held }: AddressChanges,
  reverseZone: (name: Name) => ZoneView | undefined,
  origin: ChangeOrigin,
): Changeset[] {
  const places = new Places();
  const pointers = new Map<string, Pointer>();
  const pointerOf = (address: ResourceRecord): Pointer | undefined => {
    const name = reverseName(address.rdata);
    const known = pointers.get(name.key);
    if (known !== undefined) return known;
    const view = reverseZone(name);
    if (view === undefined) return undefined;
    const before = pointersAt(view, name);
    const pointer: Pointer = { view, name, before, after: before };
    pointers.set(name.key, pointer);
    return pointer;
  };
  for (const address of gone) {
    const pointer = pointerOf(address);
    if (pointer !== undefined) pointer.after = pointer.after.filter((each) => !pointsTo(each, address.name));
  }
  for (const address of held) {
    // A wildcard is no host, and nothing could be asked of the name a PTR would give.
    if (address.name.isWildcard) continue;
    const pointer = pointerOf(address);
    if (pointer === undefined || pointer.after.length > 0 || !places.canHold(pointer)) continue;
    pointer.after = [record(pointer.name, RrType.PTR, address.ttl, address.name.wire.slice())];
  }
  return changesetsOf(pointers.values(), origin);
}

function changesetsOf(pointers: Iterable<Pointer>, origin: ChangeOrigin): Changeset[] {
  const zones = new Map<ZoneView, { removed: ResourceRecord[]; added: ResourceRecord[] }>();
  for (const { view, before, after } of pointers) {
    const removed = before.filter((each) => !after.includes(each));
    const added = after.filter((each) => !before.includes(each));
    if (removed.length + added.length === 0) continue;
    const changes = zones.get(view);
    if (changes === undefined) zones.set(view, { removed, added });
    else {
      changes.removed.push(...removed);
      changes.added.push(...added);
    }
  }
  return Array.from(zones, ([view, changes]) => {
    const { name, ttl } = view.soa;
    const rdata = view.soa.rdata.slice();
    return {
      zone: view.apex,
      soaBefore: record(name, RrType.SOA, ttl, rdata),
      soaAfter: record(name, RrType.SOA, ttl, withSerial(rdata, nextSerial(soaSerial(rdata)))),
      ...changes,
      origin,
    };
  });
}

function pointersAt(view: ZoneView, name: Name): ResourceRecord[] {
  const rrset = view.rrset(name, RrType.PTR);
  if (rrset === undefined) return [];
  const stored = view.storedName(name);
  // Copies: the view's octets may be memory that is used again once the change is published.
  return rrset.rdatas.map((rdata) => record(stored, RrType.PTR, rrset.ttl, rdata.slice()));
}

function pointsTo({ rdata }: ResourceRecord, name: Name): boolean {
  return keyOfWire(rdata) === name.key;
}

/** Whether a PTR at a name would be the zone's to answer with: no alias (RFC 2317), no cut, no DNAME above. */
class Places {
  /** By name: whether neither it nor anything above it leads elsewhere. Addresses of one network share most of these. */
  readonly #open = new Map<string, boolean>();

  canHold({ view, name }: Pointer): boolean {
    return view.rrset(name, RrType.CNAME) === undefined && this.#isOpen(view, name);
  }

  #isOpen(view: ZoneView, name: Name): boolean {
    if (name.equals(view.apex)) return true;
    let open = this.#open.get(name.key);
    if (open === undefined) {
      const parent = name.parent!;
      const ends = view.rrset(name, RrType.NS) ?? view.rrset(parent, RrType.DNAME);
      open = ends === undefined && this.#isOpen(view, parent);
      this.#open.set(name.key, open);
    }
    return open;
  }
}
