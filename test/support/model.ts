/**
 * A naive model of zones, for tests: a map of records, changed by changesets the plain way. What is clever elsewhere
 * is held against it.
 */
import * as fc from "fast-check";
import { RrType, typeToText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { rdataToText } from "../../src/wire/rdata/rdata.ts";
import { soaSerial, withSerial, writeSoa } from "../../src/wire/rdata/soa.ts";
import { record, type ResourceRecord, type RrSet } from "../../src/wire/record.ts";
import { identical, recordKey } from "../../src/zone/algebra.ts";
import type { Changeset, ChangeOrigin } from "../../src/zone/changeset.ts";
import { nextSerial } from "../../src/zone/serial.ts";
import type { ZoneView } from "../../src/zone/view.ts";

export const someOrigin: ChangeOrigin = {
  actor: { kind: "key", name: "dhcp.smb.example.", from: "192.0.2.7:5353" },
  at: 1_800_000_000_000,
  cause: "update",
};

/** An SOA of plausible fields. */
export function soaRecord(apex: Name, serial: number, refresh = 3600): ResourceRecord {
  const rdata = writeSoa({
    mname: Name.parse("ns1", apex),
    rname: Name.parse("hostmaster", apex),
    serial,
    refresh,
    retry: 600,
    expire: 604_800,
    minimum: 60,
  });
  return record(apex, RrType.SOA, 3600, rdata);
}

/** An A record below (or, for `@`, at) the apex. */
export function aRecord(apex: Name, owner: string, address: string, ttl = 300): ResourceRecord {
  return record(Name.parse(owner, apex), RrType.A, ttl, Uint8Array.from(address.split("."), Number));
}

/** A zone as a map. */
export class ZoneModel {
  readonly apex: Name;
  soa: ResourceRecord;
  readonly records: Map<string, ResourceRecord>;

  constructor(soa: ResourceRecord, records: Iterable<ResourceRecord> = []) {
    this.apex = soa.name;
    this.soa = soa;
    this.records = new Map();
    for (const rr of records) this.records.set(recordKey(rr), rr);
  }

  get serial(): number {
    return soaSerial(this.soa.rdata);
  }

  clone(): ZoneModel {
    return new ZoneModel(this.soa, this.records.values());
  }

  /** A changeset from the present state, with the next serial; not applied. */
  change(
    removed: readonly ResourceRecord[],
    added: readonly ResourceRecord[],
    soaAfter: ResourceRecord = this.soa,
    origin: ChangeOrigin = someOrigin,
  ): Changeset {
    const rdata = withSerial(soaAfter.rdata, nextSerial(this.serial));
    return { zone: this.apex, soaBefore: this.soa, soaAfter: { ...soaAfter, rdata }, removed, added, origin };
  }

  /** @throws Error where the changeset does not fit, to the octet */
  apply(changeset: Pick<Changeset, "soaBefore" | "soaAfter" | "removed" | "added">): this {
    if (!identical(changeset.soaBefore, this.soa)) throw new Error("the changeset starts from another SOA");
    for (const rr of changeset.removed) {
      const present = this.records.get(recordKey(rr));
      if (present === undefined || !identical(present, rr))
        throw new Error(`nothing to remove: ${recordToLine(rr)}`);
      this.records.delete(recordKey(rr));
    }
    for (const rr of changeset.added) {
      if (this.records.has(recordKey(rr))) throw new Error(`there already: ${recordToLine(rr)}`);
      this.records.set(recordKey(rr), rr);
    }
    this.soa = changeset.soaAfter;
    return this;
  }

  /** Every record as a line of text, sorted, the SOA first: for comparison. */
  lines(): string[] {
    return [recordToLine(this.soa), ...recordsToLines(this.records.values())];
  }

  /** The model as the zone view that update processing and rollback see. */
  view(): ZoneView {
    const all = (name: Name): ResourceRecord[] =>
      [...this.records.values(), this.soa].filter((rr) => rr.name.equals(name));
    const rrsets = (name: Name): RrSet[] =>
      [...Map.groupBy(all(name), (rr) => rr.type)].map(([type, members]) => ({
        type,
        ttl: members[0]!.ttl,
        rdatas: members.map((rr) => rr.rdata),
      }));
    return {
      apex: this.apex,
      soa: this.soa,
      recordCount: this.records.size + 1,
      rrsets,
      rrset: (name, type) => rrsets(name).find((rrset) => rrset.type === type),
      storedName: (name) => all(name)[0]?.name ?? name,
    };
  }
}

/** `host.example. 300 A 192.0.2.1`, in the case the record has. */
export function recordToLine(rr: ResourceRecord): string {
  return `${rr.name.toString()} ${rr.ttl} ${typeToText(rr.type)} ${rdataToText(rr.type, rr.rdata)}`;
}

/** The lines of records, sorted. */
export function recordsToLines(records: Iterable<ResourceRecord>): string[] {
  return [...records].map(recordToLine).toSorted();
}

/** One wish of a random change; {@link changesetOf} makes a changeset of several. */
export interface Wish {
  readonly kind: "put" | "delete";
  readonly owner: string;
  readonly type: "A" | "TXT" | "PTR";
  readonly value: number;
  readonly ttl: number;
}

/** Wishes over few names and values, so that they meet often; some differ in letter case alone. */
export const wishes: fc.Arbitrary<Wish[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("put", "put", "delete"),
    owner: fc.constantFrom("@", "a", "A", "b", "a.b", "*.b", "\\000.c", "\\001.c", "c"),
    type: fc.constantFrom("A", "TXT", "PTR"),
    value: fc.nat(3),
    ttl: fc.constantFrom(60, 300),
  }),
  { minLength: 1, maxLength: 6 },
);

/** A row of changes, each from the state the one before leaves, of a zone that begins with nothing but its SOA. */
export const history: fc.Arbitrary<Wish[][]> = fc.array(wishes, { minLength: 1, maxLength: 12 });

/**
 * The changeset that fulfils the wishes, in the way an update would: an RRset has one TTL, the last one wished; a name
 * keeps the case it has. May be without records.
 */
export function changesetOf(model: ZoneModel, list: readonly Wish[]): Changeset {
  const wished = model.clone();
  for (const wish of list) {
    const name = Name.parse(wish.owner, model.apex);
    const rr = record(wished.view().storedName(name), RrType[wish.type], wish.ttl, wishedRdata(wish));
    const key = recordKey(rr);
    if (wish.kind === "delete") {
      wished.records.delete(key);
      continue;
    }
    if (!wished.records.has(key)) wished.records.set(key, rr);
    for (const [other, member] of wished.records) {
      if (member.type === rr.type && member.name.equals(rr.name))
        wished.records.set(other, { ...member, ttl: rr.ttl });
    }
  }
  const gone = (from: ZoneModel, to: ZoneModel): ResourceRecord[] =>
    [...from.records]
      .filter(([key, rr]) => !(to.records.has(key) && identical(to.records.get(key)!, rr)))
      .map(([, rr]) => rr);
  return model.change(gone(model, wished), gone(wished, model));
}

function wishedRdata({ type, value }: Wish): Uint8Array {
  if (type === "A") return Uint8Array.of(192, 0, 2, value);
  if (type === "TXT") return Uint8Array.of(1, 0x41 + value);
  // Two of the four are one name in two cases.
  return Name.parse(["host.example.", "HOST.example.", "other.example.", "third.example."][value]!).wire;
}
