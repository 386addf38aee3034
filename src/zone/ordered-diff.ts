/** What two large zones differ in, owner by owner: both are in canonical order, and so nothing of them is remembered. */
import { RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { diffRecords } from "./algebra.ts";
import type { RecordChanges } from "./algebra.ts";
import { ownerKeyText } from "./owner-key.ts";

/** Owners that one step compares: a millisecond or two. */
const OWNERS_PER_STEP = 1000;

/** The records of one owner, SOAs left out. */
export interface OwnerGroup {
  /** The owner's sort key. */
  readonly key: string;
  readonly records: readonly ResourceRecord[];
}

/** The records of each owner together; they must come so. */
export function* byOwner(
  records: Iterable<ResourceRecord>,
  apex: Name,
): Generator<OwnerGroup, void, undefined> {
  let owner: Name | undefined;
  let group: { key: string; records: ResourceRecord[] } | undefined;
  for (const rr of records) {
    if (rr.type === RrType.SOA) continue;
    if (group === undefined || owner !== rr.name) {
      const key = ownerKeyText(rr.name, apex);
      owner = rr.name;
      if (group?.key !== key) {
        if (group !== undefined) yield group;
        group = { key, records: [] };
      }
    }
    group.records.push(rr);
  }
  if (group !== undefined) yield group;
}

/**
 * {@link diffRecords} of records that are in canonical order of owners on both sides, in steps of a millisecond or two.
 * @returns yields how many owners are compared so far
 */
export function* diffInOrder(
  before: Iterable<ResourceRecord>,
  after: Iterable<ResourceRecord>,
  apex: Name,
): Generator<number, RecordChanges, undefined> {
  const removed: ResourceRecord[] = [];
  const added: ResourceRecord[] = [];
  const olds = byOwner(before, apex);
  const news = byOwner(after, apex);
  let old = next(olds);
  let fresh = next(news);
  for (let owners = 1; old !== undefined || fresh !== undefined; owners++) {
    if (owners % OWNERS_PER_STEP === 0) yield owners;
    const hasOld = old !== undefined && (fresh === undefined || old.key <= fresh.key);
    const hasNew = fresh !== undefined && (old === undefined || fresh.key <= old.key);
    const difference = diffRecords(hasOld ? old!.records : [], hasNew ? fresh!.records : []);
    for (const rr of difference.removed) removed.push(rr);
    for (const rr of difference.added) added.push(rr);
    if (hasOld) old = next(olds);
    if (hasNew) fresh = next(news);
  }
  return { removed, added };
}

function next(groups: Iterator<OwnerGroup>): OwnerGroup | undefined {
  const step = groups.next();
  return step.done === true ? undefined : step.value;
}
