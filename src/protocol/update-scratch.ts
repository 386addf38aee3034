/**
 * Where an update is tried out: working copies of the names it touches, changed record by record as RFC 2136 §3.4.2
 * says, and then compared with the zone. The zone itself is never touched, so an update that is refused half way leaves
 * nothing to undo.
 */
import { isSingleton, RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { ResourceRecord, RrSet } from "../wire/record.ts";
import { record, sameBytes } from "../wire/record.ts";
import { isAhead } from "../zone/serial.ts";
import type { ZoneView } from "../zone/view.ts";
import type { UpdateOperation } from "./update-prescan.ts";

/** One RRset that would differ afterwards. */
export interface RrSetDifference {
  readonly name: Name;
  readonly type: number;
  /** Records before and after. */
  readonly before: number;
  readonly after: number;
  /** Octets of all RDATA before and after. */
  readonly octetsBefore: number;
  readonly octetsAfter: number;
  /** Exactly as stored. */
  readonly removed: readonly ResourceRecord[];
  readonly added: readonly ResourceRecord[];
  /** Whether all its records come anew because the TTL does, and not only those that the update adds. */
  readonly ttlChanged: boolean;
}

/** One name that would differ afterwards, with its number of types before and after. */
export interface NameDifference {
  readonly name: Name;
  readonly typesBefore: number;
  readonly typesAfter: number;
  readonly rrsets: readonly RrSetDifference[];
}

/** An RRset being changed. */
interface WorkingSet {
  ttl: number;
  /** By {@link identity}. Octets taken over from the zone are the very arrays the view gave. */
  readonly records: Map<string, Uint8Array>;
}

/** A name being changed. At the apex without its SOA, which {@link Scratch} keeps apart. */
interface WorkingName {
  readonly name: Name;
  readonly isApex: boolean;
  readonly stored: ReadonlyMap<number, RrSet>;
  /** Only the RRsets touched; one that was emptied stays, empty. */
  readonly touched: Map<number, WorkingSet>;
}

export class Scratch {
  readonly #view: ZoneView;
  readonly #names = new Map<string, WorkingName>();
  #soa: ResourceRecord | undefined;

  constructor(view: ZoneView) {
    this.#view = view;
  }

  /** The SOA that the update itself set, its serial ahead of the zone's; undefined where it set none. */
  get soa(): ResourceRecord | undefined {
    return this.#soa;
  }

  /** Applies one line of an update section. None can fail: what RFC 2136 forbids it ignores (§7.2). */
  apply(operation: UpdateOperation): void {
    switch (operation.kind) {
      case "add":
        this.#add(operation);
        return;
      case "delete-rrset":
        this.#deleteRrSet(operation.name, operation.type);
        return;
      case "delete-name":
        this.#deleteName(operation.name);
        return;
      case "delete-record":
        this.#deleteRecord(operation);
    }
  }

  /** What differs from the zone, the SOA apart. RRsets that came back to what they were are not in it. */
  differences(): NameDifference[] {
    const differences: NameDifference[] = [];
    for (const node of this.#names.values()) {
      const rrsets: RrSetDifference[] = [];
      for (const [type, working] of node.touched) {
        const difference = compare(node.name, type, node.stored.get(type), working);
        if (difference !== undefined) rrsets.push(difference);
      }
      if (rrsets.length === 0) continue;
      const soa = node.isApex ? 1 : 0;
      let typesAfter = node.stored.size;
      for (const { before, after } of rrsets) typesAfter += Number(after > 0) - Number(before > 0);
      differences.push({
        name: node.name,
        typesBefore: node.stored.size + soa,
        typesAfter: typesAfter + soa,
        rrsets,
      });
    }
    return differences;
  }

  /** RFC 2136 §3.4.2.2. */
  #add(operation: Extract<UpdateOperation, { kind: "add" }>): void {
    const { type, ttl, rdata } = operation;
    const node = this.#node(operation.name);
    if (type === RrType.SOA) {
      if (node.isApex) this.#setSoa(operation);
      return;
    }
    // A CNAME stands alone, whichever of the two was there first; for DNAME RFC 6672 §5.2 says the same.
    if (type === RrType.CNAME ? hasOtherThanCname(node) : present(node, RrType.CNAME)) return;
    const working = this.#touch(node, type);
    const id = identity(type, rdata, operation.key);
    const existing = working.records.get(id);
    if (existing === undefined || !sameRecord(type, existing, rdata)) {
      // CNAME, DNAME (RFC 6672 §5.2) and WKS replace; the rest are appended.
      if (isSingleton(type)) working.records.clear();
      working.records.set(id, rdata);
    }
    // One TTL for the whole RRset (RFC 2181 §5.2): that of the newest.
    working.ttl = ttl;
  }

  /** RFC 2136 §3.4.2.2 and §3.6: only forwards, as RFC 1982 counts. */
  #setSoa(operation: Extract<UpdateOperation, { kind: "add" }>): void {
    const current = this.#soa ?? this.#view.soa;
    if (!isAhead(soaSerial(operation.rdata), soaSerial(current.rdata))) return;
    this.#soa = record(this.#view.soa.name, RrType.SOA, operation.ttl, operation.rdata);
  }

  /** RFC 2136 §3.4.2.3, a TYPE other than ANY. */
  #deleteRrSet(name: Name, type: number): void {
    const node = this.#node(name);
    if (node.isApex && (type === RrType.SOA || type === RrType.NS)) return;
    if (present(node, type)) this.#touch(node, type).records.clear();
  }

  /** RFC 2136 §3.4.2.3, TYPE ANY. */
  #deleteName(name: Name): void {
    const node = this.#node(name);
    for (const type of typesOf(node)) {
      if (node.isApex && type === RrType.NS) continue;
      this.#touch(node, type).records.clear();
    }
  }

  /** RFC 2136 §3.4.2.4. */
  #deleteRecord(operation: Extract<UpdateOperation, { kind: "delete-record" }>): void {
    const { type, rdata } = operation;
    const node = this.#node(operation.name);
    if (type === RrType.SOA || !present(node, type)) return;
    const { records } = this.#touch(node, type);
    const id = identity(type, rdata, operation.key);
    const existing = records.get(id);
    if (existing === undefined || !sameRecord(type, existing, rdata)) return;
    // The last name server of a zone stays.
    if (node.isApex && type === RrType.NS && records.size === 1) return;
    records.delete(id);
  }

  #node(name: Name): WorkingName {
    let node = this.#names.get(name.key);
    if (node === undefined) {
      const isApex = name.equals(this.#view.apex);
      const stored = new Map<number, RrSet>();
      for (const rrset of this.#view.rrsets(name)) {
        if (rrset.type !== RrType.SOA) stored.set(rrset.type, rrset);
      }
      node = { name: this.#view.storedName(name), isApex, stored, touched: new Map() };
      this.#names.set(name.key, node);
    }
    return node;
  }

  #touch(node: WorkingName, type: number): WorkingSet {
    let working = node.touched.get(type);
    if (working === undefined) {
      const stored = node.stored.get(type);
      const records = new Map<string, Uint8Array>();
      for (const rdata of stored?.rdatas ?? []) records.set(identity(type, rdata), rdata);
      working = { ttl: stored?.ttl ?? 0, records };
      node.touched.set(type, working);
    }
    return working;
  }
}

function present(node: WorkingName, type: number): boolean {
  const working = node.touched.get(type);
  return working === undefined ? node.stored.has(type) : working.records.size > 0;
}

function typesOf(node: WorkingName): number[] {
  const types = new Set([...node.stored.keys(), ...node.touched.keys()]);
  return [...types].filter((type) => present(node, type));
}

function hasOtherThanCname(node: WorkingName): boolean {
  return node.isApex || typesOf(node).some((type) => type !== RrType.CNAME);
}

/** What makes two records of one RRset the same slot: their RDATA, but for WKS address and protocol (RFC 2136 §1.1.5). */
function identity(type: number, rdata: Uint8Array, key: string = rdataKey(type, rdata)): string {
  return type === RrType.WKS ? key.slice(0, 5) : key;
}

/** Whether two records of the same {@link identity} are equal as RFC 2136 §1.1.1 compares. */
function sameRecord(type: number, a: Uint8Array, b: Uint8Array): boolean {
  return type !== RrType.WKS || sameBytes(a, b);
}

function compare(
  name: Name,
  type: number,
  stored: RrSet | undefined,
  working: WorkingSet,
): RrSetDifference | undefined {
  const before = stored?.rdatas.length ?? 0;
  const after = working.records.size;
  const ttlChanged = stored !== undefined && after > 0 && stored.ttl !== working.ttl;
  /** Identities of those that stay as they are. */
  let kept: Set<string> | undefined;
  const removed: ResourceRecord[] = [];
  for (const rdata of stored?.rdatas ?? []) {
    const id = identity(type, rdata);
    const now = working.records.get(id);
    if (!ttlChanged && now !== undefined && sameRecord(type, now, rdata)) {
      (kept ??= new Set()).add(id);
    } else {
      removed.push(record(name, type, stored!.ttl, rdata));
    }
  }
  const added: ResourceRecord[] = [];
  for (const [id, rdata] of working.records) {
    if (kept?.has(id) !== true) added.push(record(name, type, working.ttl, rdata));
  }
  if (removed.length === 0 && added.length === 0) return undefined;
  return {
    name,
    type,
    before,
    after,
    octetsBefore: octetsOf(stored?.rdatas ?? []),
    octetsAfter: octetsOf(working.records.values()),
    removed,
    added,
    ttlChanged,
  };
}

function octetsOf(rdatas: Iterable<Uint8Array>): number {
  let octets = 0;
  for (const rdata of rdatas) octets += rdata.length;
  return octets;
}
