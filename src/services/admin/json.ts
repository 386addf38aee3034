/** Records, differences and history as the control socket carries them. */
import type { DiffJson, HistoryJson, RecordJson } from "../../control/verbs.ts";
import { typeToText } from "../../wire/iana/type.ts";
import type { Name } from "../../wire/name.ts";
import { rdataToText } from "../../wire/rdata/rdata.ts";
import { soaSerial, withSerial } from "../../wire/rdata/soa.ts";
import { sameBytes } from "../../wire/record.ts";
import type { ResourceRecord } from "../../wire/record.ts";
import type { Difference } from "../../zone/algebra.ts";
import type { HistoryEntry } from "../../zone/ports.ts";

/** Characters of the records that one difference lists; beyond it they are only counted. */
const MAX_DIFF_TEXT = 256 * 1024;

export function recordJson(record: ResourceRecord): RecordJson {
  return {
    name: record.name.toString(),
    ttl: record.ttl,
    type: typeToText(record.type),
    data: rdataToText(record.type, record.rdata),
  };
}

/** Characters a record takes, about. */
export function recordJsonSize({ name, data }: RecordJson): number {
  return name.length + data.length + 60;
}

/**
 * A difference in canonical order. The SOA is in it where more than its serial changed.
 * @param owner only the records of this name
 */
export function diffJson(difference: Difference, owner?: Name): DiffJson {
  const concerned = (record: ResourceRecord): boolean => owner === undefined || record.name.equals(owner);
  const { soaBefore, soaAfter } = difference;
  const soas = soaChanged(soaBefore, soaAfter) ? ([[soaBefore], [soaAfter]] as const) : ([[], []] as const);
  const removed = [...soas[0], ...difference.removed].filter(concerned);
  const added = [...soas[1], ...difference.added].filter(concerned);
  return {
    removed: listed(removed, MAX_DIFF_TEXT / 2),
    added: listed(added, MAX_DIFF_TEXT / 2),
    removedCount: removed.length,
    addedCount: added.length,
  };
}

/** Whether two SOAs of a zone differ in more than the serial. */
export function soaChanged(before: ResourceRecord, after: ResourceRecord): boolean {
  const rdata = withSerial(before.rdata, soaSerial(after.rdata));
  return (
    before.ttl !== after.ttl ||
    !sameBytes(rdata, after.rdata) ||
    !sameBytes(before.name.wire, after.name.wire)
  );
}

/** An entry of the history; undefined where it does not concern the owner. */
export function historyJson(entry: HistoryEntry, owner?: Name): HistoryJson | undefined {
  const { id, origin, serialBefore, serialAfter, changeset } = entry;
  const { removedCount, addedCount } = entry;
  const diff =
    changeset === undefined
      ? { removed: [], added: [], removedCount, addedCount }
      : diffJson(changeset, owner);
  if (owner !== undefined && diff.removed.length + diff.added.length === 0) return undefined;
  return {
    id,
    at: origin.at,
    actor: {
      kind: origin.actor.kind,
      name: origin.actor.name,
      ...(origin.actor.from === undefined ? {} : { from: origin.actor.from }),
    },
    cause: origin.cause,
    ...(origin.note === undefined ? {} : { note: origin.note }),
    ...(serialBefore === undefined ? {} : { serialBefore }),
    serialAfter,
    diff,
  };
}

function listed(records: readonly ResourceRecord[], most: number): RecordJson[] {
  const list: RecordJson[] = [];
  let size = 0;
  // A difference that would be cut short is not worth sorting whole.
  const ordered = records.length > 20_000 ? records : records.toSorted(byOwnerAndType);
  for (const record of ordered) {
    const json = recordJson(record);
    size += recordJsonSize(json);
    if (size > most) break;
    list.push(json);
  }
  return list;
}

function byOwnerAndType(a: ResourceRecord, b: ResourceRecord): number {
  return a.name.compare(b.name) || a.type - b.type;
}
