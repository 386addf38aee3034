/** A zone held in plain maps: the simplest thing that is a ZoneView, for tests and as a model to compare with. */
import { RrType } from "../../src/wire/iana/type.ts";
import type { Name } from "../../src/wire/name.ts";
import { rdataKey } from "../../src/wire/rdata/rdata.ts";
import type { ResourceRecord, RrSet } from "../../src/wire/record.ts";
import { sameBytes } from "../../src/wire/record.ts";
import type { Changeset } from "../../src/zone/changeset.ts";
import type { ZoneView } from "../../src/zone/view.ts";

/** A list of records, asked one by one. */
export class ZoneFake implements ZoneView {
  readonly apex: Name;
  records: ResourceRecord[];

  /** @throws Error where there is not exactly one SOA */
  constructor(records: Iterable<ResourceRecord>) {
    this.records = [...records];
    const soas = this.records.filter(({ type }) => type === RrType.SOA);
    if (soas.length !== 1) throw new Error(`a zone has one SOA, and this has ${soas.length}`);
    this.apex = soas[0]!.name;
  }

  get soa(): ResourceRecord {
    return this.records.find(({ type }) => type === RrType.SOA)!;
  }

  get recordCount(): number {
    return this.records.length;
  }

  rrsets(name: Name): readonly RrSet[] {
    const types = new Set(this.#at(name).map(({ type }) => type));
    return Array.from(types, (type) => this.rrset(name, type)!);
  }

  rrset(name: Name, type: number): RrSet | undefined {
    const members = this.#at(name).filter((rr) => rr.type === type);
    if (members.length === 0) return undefined;
    return { type, ttl: members[0]!.ttl, rdatas: members.map(({ rdata }) => rdata) };
  }

  storedName(name: Name): Name {
    return this.#at(name)[0]?.name ?? name;
  }

  /** Applies changesets, each of which must fit exactly. @throws Error where one does not */
  publish(changesets: readonly Changeset[]): void {
    for (const { soaBefore, soaAfter, removed, added } of changesets) {
      let records = this.records;
      for (const gone of [soaBefore, ...removed]) {
        const left = records.filter((rr) => !sameRecord(rr, gone));
        if (left.length !== records.length - 1) throw new Error(`not there once: ${keyOf(gone)}`);
        records = left;
      }
      for (const fresh of [soaAfter, ...added]) {
        if (records.some((rr) => keyOf(rr) === keyOf(fresh)))
          throw new Error(`already there: ${keyOf(fresh)}`);
        records = [...records, fresh];
      }
      this.records = records;
    }
  }

  #at(name: Name): ResourceRecord[] {
    return this.records.filter((rr) => rr.name.equals(name));
  }
}

function sameRecord(a: ResourceRecord, b: ResourceRecord): boolean {
  return (
    a.type === b.type && a.ttl === b.ttl && sameBytes(a.name.wire, b.name.wire) && sameBytes(a.rdata, b.rdata)
  );
}

function keyOf(rr: ResourceRecord): string {
  return `${rr.name.toString().toLowerCase()} ${rr.type} ${rdataKey(rr.type, rr.rdata)}`;
}

/** Every record of a view at the given names, as sorted text, to compare two views by. */
export function dump(view: ZoneView, names: readonly Name[]): string[] {
  const lines: string[] = [];
  for (const name of names) {
    for (const { type, ttl, rdatas } of view.rrsets(name)) {
      for (const rdata of rdatas) {
        lines.push(
          `${view.storedName(name).toString()} ${ttl} TYPE${type} ${Buffer.from(rdata).toString("hex")}`,
        );
      }
    }
  }
  return lines.toSorted();
}
