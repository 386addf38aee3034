/**
 * `zone import`: makes a zone what the uploaded records say. A zone that is there already is not replaced: the difference
 * becomes one changeset, so that secondaries get it by IXFR and the history shows it.
 */
import type { RecordLimits } from "../../config/config.ts";
import { hasErrors } from "../../config/problem.ts";
import type { Problem } from "../../config/problem.ts";
import { checkedZoneInSteps } from "../../config/zone-source.ts";
import type { Arguments } from "../../control/dispatch.ts";
import { ControlError } from "../../control/protocol.ts";
import type { ControlRequest } from "../../control/server.ts";
import type { ImportResult } from "../../control/verbs.ts";
import { RrType, typeToText } from "../../wire/iana/type.ts";
import type { Name } from "../../wire/name.ts";
import { soaSerial, withSerial } from "../../wire/rdata/soa.ts";
import type { ResourceRecord } from "../../wire/record.ts";
import type { RecordChanges } from "../../zone/algebra.ts";
import type { ChangeOrigin, Changeset } from "../../zone/changeset.ts";
import { isAhead, nextSerial } from "../../zone/serial.ts";
import { byOwner, diffInOrder } from "../../zone/ordered-diff.ts";
import { sortInSteps } from "../../zone/owner-order.ts";
import type { ZoneView } from "../../zone/view.ts";
import { parseZone } from "../../zonefile/parser.ts";
import { changeFailure, nameOf, notServed } from "./context.ts";
import type { AdminContext } from "./context.ts";
import { diffJson, soaChanged } from "./json.ts";
import { atOnce, breathe, inTurns } from "../turns.ts";

/** Owners that one step looks at. */
const OWNERS_PER_STEP = 2000;
/** Comparisons made beforehand; a zone that changes during each of them is compared while its updates wait. */
const MAX_COMPARISONS = 3;

export async function importZone(
  context: AdminContext,
  args: Arguments<"zone.import">,
  request: ControlRequest,
): Promise<ImportResult> {
  const result = await importUpload(context, args, request);
  context.released(result.records);
  return result;
}

async function importUpload(
  context: AdminContext,
  args: Arguments<"zone.import">,
  request: ControlRequest,
): Promise<ImportResult> {
  const apex = nameOf(args.text("zone"));
  const file = args.text("file");
  const dryRun = args.flag("dryRun");
  const limits = context.zoneConfig(apex)?.limits ?? context.limits();
  const records = await readUpload(apex, file, limits, request);
  await request.progress({ step: "checking the zone" });
  const problems = await inTurns(checkedZoneInSteps(apex, records, file));
  if (hasErrors(problems)) {
    throw new ControlError("ZONE_PROBLEMS", `the records do not make a zone ${apex.toString()}`, {
      advice: "Nothing was changed.",
      problems,
    });
  }
  const sorted = await inTurns(sortInSteps(records, apex));
  await inTurns(checkLimitsInSteps(sorted, apex, limits));
  const actor = { kind: "operator", name: args.text("actor") } as const;
  const exists = context.store.zones().some((zone) => zone.apex.equals(apex));
  const result = await (exists ? change : create)(context, {
    apex,
    records: sorted,
    origin: { actor, at: context.now(), note: file },
    dryRun,
    warnings: problems,
    tell: (step) => request.progress({ step }),
  });
  if (!dryRun && result.outcome !== "unchanged") {
    const { outcome, serialBefore, serialAfter, diff } = result;
    const counts = { removed: diff.removedCount, added: diff.addedCount };
    context.log.info(
      { zone: result.zone, outcome, serialBefore, serialAfter, ...counts, actor: actor.name },
      "zone imported",
    );
  }
  return result;
}

/** Parses the upload piece by piece, each of whole lines, with everybody else's turn in between. */
async function readUpload(
  apex: Name,
  file: string,
  limits: RecordLimits,
  request: ControlRequest,
): Promise<ResourceRecord[]> {
  const records: ResourceRecord[] = [];
  let pieces = 0;
  for await (const piece of request.upload()) {
    const parsed = parseZone(piece, { file, origin: apex });
    if (parsed.hasErrors) {
      throw new ControlError("ZONE_PROBLEMS", `the records for ${apex.toString()} cannot be read`, {
        problems: parsed.problems,
      });
    }
    for (const record of parsed.records) records.push(record);
    if (records.length > limits.recordsPerZone)
      throw overLimit("the zone", "records_per_zone", limits.recordsPerZone);
    if (++pieces % 16 === 0) await request.progress({ step: `${records.length} records read` });
    await breathe();
  }
  return records;
}

/**
 * The caps that hold for updates hold for imports too: else the next update would be refused for what it did not do.
 * @param records in canonical order of owners
 * @throws ControlError, while iterating
 */
function* checkLimitsInSteps(
  records: readonly ResourceRecord[],
  apex: Name,
  limits: RecordLimits,
): Generator<void, void, undefined> {
  let owners = 0;
  for (const group of byOwner(records, apex)) {
    if (++owners % OWNERS_PER_STEP === 0) yield;
    if (group.records.length < Math.min(limits.recordsPerRrset, limits.typesPerName)) continue;
    const types = new Map<number, number>();
    if (group.key === "") types.set(RrType.SOA, 1); // the apex has one beside these
    for (const { name, type } of group.records) {
      const count = (types.get(type) ?? 0) + 1;
      types.set(type, count);
      if (count > limits.recordsPerRrset) {
        const rrset = `${name.toString()} ${typeToText(type)}`;
        throw overLimit(rrset, "records_per_rrset", limits.recordsPerRrset);
      }
      if (types.size > limits.typesPerName)
        throw overLimit(name.toString(), "types_per_name", limits.typesPerName);
    }
  }
}

function overLimit(what: string, key: string, limit: number): ControlError {
  return new ControlError(
    "ZONE_LIMIT",
    `${what} has more than ${limit} of what ${key} counts; nothing was changed`,
    {
      advice: `Raise ${key} in [limits] of the configuration if this is meant, and reload.`,
    },
  );
}

/** An import whose records are good. */
interface Import {
  readonly apex: Name;
  /** In canonical order of owners. */
  readonly records: readonly ResourceRecord[];
  readonly origin: Omit<ChangeOrigin, "cause">;
  readonly dryRun: boolean;
  readonly warnings: readonly Problem[];
  readonly tell: (step: string) => Promise<void>;
}

async function create(context: AdminContext, zone: Import): Promise<ImportResult> {
  const { apex, records, dryRun, tell } = zone;
  const serial = soaSerial(soaOf(records).rdata);
  if (!dryRun) {
    const origin = { ...zone.origin, cause: "create" } as const;
    await context.createZone(apex, records, origin, (written) =>
      tell(`${written} of ${records.length} records written`),
    );
  }
  return {
    zone: apex.toString(),
    outcome: "created",
    dryRun,
    serialAfter: serial,
    serialNote: "The serial is that of the file.",
    records: records.length,
    diff: { removed: [], added: [], removedCount: 0, addedCount: records.length },
    served: context.zoneConfig(apex) !== undefined,
    warnings: zone.warnings,
  };
}

async function change(context: AdminContext, zone: Import): Promise<ImportResult> {
  const { apex, tell } = zone;
  if (context.publishedZone(apex) === undefined) throw notServed(apex);
  try {
    // A large zone is compared beforehand, in turns with its updates; it counts if none has changed it in between.
    for (let comparisons = 0; comparisons < MAX_COMPARISONS; comparisons++) {
      await tell("comparing with the zone");
      const compared = await compare(context, zone);
      const result = await submit(context, zone, (view) =>
        soaSerial(view.soa.rdata) === compared.serial ? compared.difference : undefined,
      );
      if (result !== undefined) return result;
    }
    const result = await submit(context, zone, () => {
      // Alone in its batch, the job sees the committed zone: its records are those of the store.
      const snapshot = context.store.snapshot(apex);
      try {
        return atOnce(diffInOrder(snapshot.records(), zone.records, apex));
      } finally {
        snapshot.close();
      }
    });
    return result!;
  } catch (error) {
    throw changeFailure(error, apex);
  }
}

/** What the zone of the store and the records differ in, and the serial at which they do. */
async function compare(
  { store }: AdminContext,
  { apex, records }: Import,
): Promise<{ serial: number; difference: RecordChanges }> {
  const snapshot = store.snapshot(apex);
  try {
    const difference = await inTurns(diffInOrder(snapshot.records(), records, apex));
    return { serial: soaSerial(snapshot.soa.rdata), difference };
  } finally {
    snapshot.close();
  }
}

/**
 * Has the zone changed by a difference.
 * @param differenceOf what the records differ in from a view; where it does not know, nothing is changed
 */
function submit(
  context: AdminContext,
  zone: Import,
  differenceOf: (view: ZoneView) => RecordChanges | undefined,
): Promise<ImportResult | undefined> {
  const { apex, records, dryRun, warnings } = zone;
  return context.changes.submit({
    apex,
    exclusive: true,
    judge: (view) => {
      const difference = differenceOf(view);
      if (difference === undefined) return { result: undefined };
      const { changeset, serialNote } = planImport(view, zone, difference);
      const serialBefore = soaSerial(view.soa.rdata);
      const empty = { removed: [], added: [], removedCount: 0, addedCount: 0 };
      const result: ImportResult = {
        zone: apex.toString(),
        outcome: changeset === undefined ? "unchanged" : "changed",
        dryRun,
        serialBefore,
        serialAfter: changeset === undefined ? serialBefore : soaSerial(changeset.soaAfter.rdata),
        serialNote,
        records: records.length,
        diff: changeset === undefined ? empty : diffJson(changeset),
        served: true,
        warnings,
      };
      return { changeset: dryRun ? undefined : changeset, result };
    },
  });
}

/** The changeset that makes the zone of the view what the records say; none where it is that already. */
function planImport(
  view: ZoneView,
  zone: Import,
  { removed, added }: RecordChanges,
): { changeset: Changeset | undefined; serialNote: string } {
  const soa = soaOf(zone.records);
  const current = soaSerial(view.soa.rdata);
  const wanted = soaSerial(soa.rdata);
  const takesFile = isAhead(wanted, current);
  if (removed.length + added.length === 0 && !takesFile && !soaChanged(view.soa, soa)) {
    return { changeset: undefined, serialNote: "Nothing differs." };
  }
  const serial = takesFile ? wanted : nextSerial(current);
  const serialNote = takesFile
    ? "The serial is that of the file, which is ahead of the zone's."
    : `The file's serial ${wanted} is not ahead of ${current}, so the next one was taken (RFC 1982).`;
  const soaAfter = { ...soa, rdata: withSerial(soa.rdata, serial) };
  const origin = { ...zone.origin, cause: "import" } as const;
  return {
    changeset: { zone: view.apex, soaBefore: view.soa, soaAfter, removed, added, origin },
    serialNote,
  };
}

/** The SOA of records that were checked to have one. */
function soaOf(records: readonly ResourceRecord[]): ResourceRecord {
  const soa = records.find(({ type }) => type === RrType.SOA);
  if (soa === undefined) throw new Error("records without an SOA passed the check of a zone");
  return soa;
}
