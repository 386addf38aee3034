/**
 * A zone as it will be once pending changesets are published: what the updates of one batch are judged against, each
 * seeing the changes of those before it. The view underneath is not touched and must not change meanwhile.
 */
import { RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord, RrSet } from "../wire/record.ts";
import { latin1 } from "../wire/rdata/rdata.ts";
import { sameBytes } from "../wire/record.ts";
import type { Actor, Changeset } from "./changeset.ts";
import type { ZoneView } from "./view.ts";

/** A changeset that does not follow from the zone it is applied to: a mistake of whoever built it. */
export class ChangesetMismatch extends Error {
  override readonly name = "ChangesetMismatch";
}

interface OverlayName {
  readonly name: Name;
  readonly rrsets: readonly RrSet[];
}

export class OverlayView implements ZoneView {
  readonly #base: ZoneView;
  /** Names that pending changesets touched, by key; all their RRsets but the SOA, none where the name is gone. */
  readonly #names = new Map<string, OverlayName>();
  /** Names that pending changesets gave to somebody or, emptied, to nobody. */
  readonly #owners = new Map<string, Actor | null>();
  #soa: ResourceRecord;
  /** The apex's RRsets beside the SOA, as the base gives them: nearly every changeset leaves them alone. */
  #apexSets: readonly RrSet[] | undefined;
  #recordCount: number;

  constructor(base: ZoneView) {
    this.#base = base;
    this.#soa = base.soa;
    this.#recordCount = base.recordCount;
  }

  get apex(): Name {
    return this.#base.apex;
  }

  get soa(): ResourceRecord {
    return this.#soa;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  rrsets(name: Name): readonly RrSet[] {
    const isApex = name.equals(this.apex);
    const others = this.#otherRrsets(name, isApex);
    return isApex ? [this.#soaSet(), ...others] : others;
  }

  rrset(name: Name, type: number): RrSet | undefined {
    if (name.equals(this.apex)) {
      if (type === RrType.SOA) return this.#soaSet();
      return find(this.#otherRrsets(name, true), type);
    }
    const changed = this.#names.get(name.key);
    return changed === undefined ? this.#base.rrset(name, type) : find(changed.rrsets, type);
  }

  #otherRrsets(name: Name, isApex: boolean): readonly RrSet[] {
    const changed = this.#names.get(name.key);
    if (changed !== undefined) return changed.rrsets;
    if (!isApex) return this.#base.rrsets(name);
    return (this.#apexSets ??= this.#base.rrsets(name).filter(({ type }) => type !== RrType.SOA));
  }

  #soaSet(): RrSet {
    const { ttl, rdata } = this.#soa;
    return { type: RrType.SOA, ttl, rdatas: [rdata] };
  }

  storedName(name: Name): Name {
    const changed = this.#names.get(name.key);
    if (changed === undefined) return this.#base.storedName(name);
    return changed.rrsets.length > 0 || name.equals(this.apex) ? changed.name : name;
  }

  pendingOwner(name: Name): Actor | null | undefined {
    const changed = this.#owners.get(name.key);
    return changed === undefined ? this.#base.pendingOwner?.(name) : changed;
  }

  /**
   * Lays one more changeset over the view: all of it, or none where it throws.
   * @throws ChangesetMismatch where it is of another zone or state, removes what is not there or adds what is
   */
  apply(changeset: Changeset): void {
    const { soaBefore, soaAfter, removed, added } = changeset;
    if (!changeset.zone.equals(this.apex)) {
      throw new ChangesetMismatch(`a changeset of ${changeset.zone.toString()} for ${this.apex.toString()}`);
    }
    if (!sameBytes(soaBefore.rdata, this.#soa.rdata)) {
      throw new ChangesetMismatch(`a changeset of ${this.apex.toString()} that starts from another SOA`);
    }
    const drafts = new Map<string, Draft>();
    const draftOf = (name: Name): Draft => {
      let draft = drafts.get(name.key);
      if (draft === undefined) {
        const rrsets = this.#otherRrsets(name, name.equals(this.apex));
        // A name that is not there yet takes the case of the record that creates it.
        drafts.set(name.key, (draft = { name: this.storedName(name), rrsets }));
      }
      return draft;
    };

    for (const { name, type, ttl, rdatas } of grouped(removed)) {
      const draft = draftOf(name);
      const left = without(find(draft.rrsets, type), ttl, rdatas);
      if (left === undefined) throw mismatch("removes records that are not there", name, type);
      draft.rrsets = replaced(draft.rrsets, left);
    }
    for (const { name, type, ttl, rdatas } of grouped(added)) {
      const draft = draftOf(name);
      const present = find(draft.rrsets, type);
      if (present !== undefined && present.ttl !== ttl) throw mismatch("gives an RRset two TTLs", name, type);
      const all = present === undefined ? rdatas : [...present.rdatas, ...rdatas];
      if (all.length > 1 && new Set(all.map(latin1)).size !== all.length) {
        throw mismatch("adds records that are there already", name, type);
      }
      draft.rrsets = replaced(draft.rrsets, { type, ttl, rdatas: all });
    }
    for (const [key, draft] of drafts) {
      this.#names.set(key, draft);
      if (draft.rrsets.length === 0 && !draft.name.equals(this.apex)) this.#owners.set(key, null);
    }
    for (const name of changeset.claimed ?? []) this.#owners.set(name.key, changeset.origin.actor);
    this.#soa = soaAfter;
    this.#recordCount += added.length - removed.length;
  }
}

/** A name that a changeset touches, on its way to be an {@link OverlayName}. */
interface Draft {
  readonly name: Name;
  rrsets: readonly RrSet[];
}

// A name has few RRsets: to look through them is quicker than to keep them by type.

function find(rrsets: readonly RrSet[], type: number): RrSet | undefined {
  for (const rrset of rrsets) if (rrset.type === type) return rrset;
  return undefined;
}

/** The same with an RRset in the place of the one of its type; without either where it is empty. */
function replaced(rrsets: readonly RrSet[], rrset: RrSet): RrSet[] {
  const others = rrsets.filter(({ type }) => type !== rrset.type);
  if (rrset.rdatas.length > 0) others.push(rrset);
  return others;
}

interface Group {
  readonly name: Name;
  readonly type: number;
  readonly ttl: number;
  readonly rdatas: Uint8Array[];
}

/** Records by owner, type and TTL, in order of first appearance. */
function grouped(records: readonly ResourceRecord[]): Iterable<Group> {
  if (records.length <= 1) return records.map((rr) => ({ ...rr, rdatas: [rr.rdata] }));
  const groups = new Map<string, Group>();
  for (const { name, type, ttl, rdata } of records) {
    const id = `${type} ${ttl} ${name.key}`;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { name, type, ttl, rdatas: [rdata] });
    else group.rdatas.push(rdata);
  }
  return groups.values();
}

/** An RRset without some of its records; undefined where they are not all in it, or with another TTL. */
function without(rrset: RrSet | undefined, ttl: number, gone: readonly Uint8Array[]): RrSet | undefined {
  if (rrset === undefined || rrset.ttl !== ttl) return undefined;
  if (rrset.rdatas.length === 1 && gone.length === 1 && sameBytes(rrset.rdatas[0]!, gone[0]!)) {
    return { type: rrset.type, ttl, rdatas: [] };
  }
  const keys = new Set(gone.map(latin1));
  const rdatas = rrset.rdatas.filter((rdata) => !keys.has(latin1(rdata)));
  if (rrset.rdatas.length - rdatas.length !== gone.length) return undefined;
  return { type: rrset.type, ttl, rdatas };
}

function mismatch(what: string, name: Name, type: number): ChangesetMismatch {
  return new ChangesetMismatch(`a changeset that ${what}: ${name.toString()}, type ${type}`);
}
