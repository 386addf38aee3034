/** The verbs that only look: status, zone list, show, export and history. Long ones let the thread go between pieces. */
import type { Arguments } from "../../control/dispatch.ts";
import { ControlError } from "../../control/protocol.ts";
import type { ControlRequest } from "../../control/server.ts";
import type { HistoryJson, RecordJson, VerbResult, ZoneSummary } from "../../control/verbs.ts";
import { typeFromText } from "../../wire/iana/type.ts";
import type { Name } from "../../wire/name.ts";
import { soaSerial } from "../../wire/rdata/soa.ts";
import { record } from "../../wire/record.ts";
import type { ResourceRecord } from "../../wire/record.ts";
import type { StoredZone, ZoneSnapshot } from "../../zone/ports.ts";
import type { ZoneView } from "../../zone/view.ts";
import { printZone } from "../../zonefile/printer.ts";
import { nameOf, storedZone } from "./context.ts";
import type { AdminContext } from "./context.ts";
import { historyJson, recordJson, recordJsonSize } from "./json.ts";
import { breathe } from "../turns.ts";

/** Characters of one part of a long result. */
const PART = 64 * 1024;
/** Records looked at before others have their turn. */
const TURN = 5000;
/** Entries of the history read at once. */
const HISTORY_PAGE = 50;
/** Most entries that one request shows. */
const MAX_HISTORY = 1_000_000;

export function zoneSummaries(context: AdminContext): ZoneSummary[] {
  return context.store
    .zones()
    .map((zone) => zoneSummary(context, zone))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function zoneSummary(context: AdminContext, { apex, serial, recordCount }: StoredZone): ZoneSummary {
  return {
    name: apex.toString(),
    serial,
    records: recordCount,
    served: context.publishedZone(apex) !== undefined,
    dynamic: context.zoneConfig(apex)?.update.some((rule) => rule.allow) ?? false,
    ...lastChange(context, apex),
  };
}

/** A damaged store is to be told of, with all the rest: now is when the operator looks. */
function lastChange({ store }: AdminContext, apex: Name): Pick<ZoneSummary, "changedAt" | "fault"> {
  try {
    const [last] = store.history(apex, { limit: 1 });
    return last === undefined ? {} : { changedAt: last.origin.at };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

export function status(context: AdminContext): VerbResult<"status"> {
  const zones = context.store.zones().map((zone) => ({
    ...zoneSummary(context, zone),
    secondaries: context.secondaries(zone.apex),
  }));
  return { ...context.status(), zones: zones.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

export async function showZone(
  context: AdminContext,
  args: Arguments<"zone.show">,
  request: ControlRequest,
): Promise<VerbResult<"zone.show">> {
  const zone = storedZone(context, args.text("zone"));
  const nameText = args.optionalText("name");
  const typeText = args.optionalText("type");
  const name = nameText === undefined ? undefined : nameOf(nameText);
  const type = typeText === undefined ? undefined : typeFromText(typeText);
  if (typeText !== undefined && type === undefined) {
    throw new ControlError("CONTROL_ARGUMENT", `"${typeText}" is not a record type`);
  }
  const view = context.publishedZone(zone.apex)?.view;
  const isWanted = (each: ResourceRecord): boolean =>
    (name === undefined || each.name.equals(name)) && (type === undefined || each.type === type);
  // One name of a zone that is served is found at once; all else is read from one consistent state.
  if (name !== undefined && view !== undefined) {
    const records = recordsAt(view, name).filter(isWanted).map(recordJson);
    await request.data(records);
    return { zone: zone.apex.toString(), serial: soaSerial(view.soa.rdata), shown: records.length };
  }
  return withSnapshot(context, zone, async (snapshot) => {
    let shown = 0;
    let part: RecordJson[] = [];
    let size = 0;
    let looked = 0;
    for (const each of wholeZone(snapshot)) {
      if (++looked % TURN === 0) await breathe();
      if (!isWanted(each)) continue;
      const json = recordJson(each);
      part.push(json);
      shown++;
      size += recordJsonSize(json);
      if (size < PART) continue;
      await request.data(part);
      part = [];
      size = 0;
    }
    if (part.length > 0) await request.data(part);
    return { zone: zone.apex.toString(), serial: soaSerial(snapshot.soa.rdata), shown };
  });
}

export async function exportZone(
  context: AdminContext,
  args: Arguments<"zone.export">,
  request: ControlRequest,
): Promise<VerbResult<"zone.export">> {
  const zone = storedZone(context, args.text("zone"));
  return withSnapshot(context, zone, async (snapshot) => {
    let part = "";
    for (const line of printZone(zone.apex, wholeZone(snapshot), { inOrder: true })) {
      part += `${line}\n`;
      if (part.length < PART) continue;
      await request.data(part);
      await breathe();
      part = "";
    }
    if (part !== "") await request.data(part);
    return {
      zone: zone.apex.toString(),
      serial: soaSerial(snapshot.soa.rdata),
      records: snapshot.recordCount,
    };
  });
}

export async function zoneHistory(
  context: AdminContext,
  args: Arguments<"zone.history">,
  request: ControlRequest,
): Promise<VerbResult<"zone.history">> {
  const { apex } = storedZone(context, args.text("zone"));
  const limit = Math.min(args.optionalNumber("limit") ?? 20, MAX_HISTORY);
  const ownerText = args.optionalText("owner");
  const owner = ownerText === undefined ? undefined : nameOf(ownerText);
  const since = args.optionalNumber("since");
  let shown = 0;
  let before: number | undefined;
  for (;;) {
    const page = context.store.history(apex, {
      limit: HISTORY_PAGE,
      ...(before === undefined ? {} : { before }),
      ...(since === undefined ? {} : { since }),
    });
    let part: HistoryJson[] = [];
    for (const entry of page) {
      const json = historyJson(entry, owner);
      if (json === undefined) continue;
      if (shown === limit) {
        if (part.length > 0) await request.data(part);
        return { zone: apex.toString(), shown, more: true };
      }
      part.push(json);
      shown++;
      // An entry may list a large difference: several of those are a part of their own each.
      if (json.diff.removed.length + json.diff.added.length > 100) {
        await request.data(part);
        part = [];
      }
    }
    if (part.length > 0) await request.data(part);
    before = page.at(-1)?.id;
    // A page may be short before the end: the store bounds it by its octets too.
    if (before === undefined) return { zone: apex.toString(), shown, more: false };
    await breathe();
  }
}

/** A zone's records, the SOA first. */
function* wholeZone(snapshot: ZoneSnapshot): Generator<ResourceRecord> {
  yield snapshot.soa;
  yield* snapshot.records();
}

async function withSnapshot<T>(
  context: AdminContext,
  zone: StoredZone,
  use: (snapshot: ZoneSnapshot) => Promise<T>,
): Promise<T> {
  const snapshot = context.store.snapshot(zone.apex);
  try {
    return await use(snapshot);
  } finally {
    snapshot.close();
  }
}

function recordsAt(view: ZoneView, name: ResourceRecord["name"]): ResourceRecord[] {
  const owner = view.storedName(name);
  return view
    .rrsets(name)
    .toSorted((a, b) => a.type - b.type)
    .flatMap(({ type, ttl, rdatas }) => rdatas.map((rdata) => record(owner, type, ttl, rdata)));
}
