/** `zone rollback`: an earlier state of a zone, or of one name in it, comes back as a new changeset. */
import type { Arguments } from "../../control/dispatch.ts";
import { ControlError } from "../../control/protocol.ts";
import type { RollbackResult } from "../../control/verbs.ts";
import type { Name } from "../../wire/name.ts";
import { soaSerial, withSerial } from "../../wire/rdata/soa.ts";
import type { ChangeOrigin, Changeset } from "../../zone/changeset.ts";
import type { HistoryEntry } from "../../zone/ports.ts";
import { recordKey } from "../../zone/algebra.ts";
import { planRollback } from "../../zone/rollback.ts";
import { nextSerial } from "../../zone/serial.ts";
import type { ZoneView } from "../../zone/view.ts";
import { changeFailure, nameOf, notServed, storedZone } from "./context.ts";
import type { AdminContext } from "./context.ts";
import { diffJson } from "./json.ts";
import { breathe } from "../turns.ts";

/** Entries of the history read at once. */
const HISTORY_PAGE = 50;

interface Target {
  readonly serial: number;
  /** When the zone came to have it; undefined where the journal does not say. */
  readonly at?: number | undefined;
}

export async function rollbackZone(
  context: AdminContext,
  args: Arguments<"zone.rollback">,
): Promise<RollbackResult> {
  const { apex } = storedZone(context, args.text("zone"));
  if (context.publishedZone(apex) === undefined) throw notServed(apex);
  const ownerText = args.optionalText("owner");
  const owner = ownerText === undefined ? undefined : nameOf(ownerText);
  const target = await findTarget(context, apex, args.optionalNumber("serial"), args.optionalNumber("at"));
  const dryRun = args.flag("dryRun");
  const expected = args.optionalNumber("expect");
  const actor = { kind: "operator", name: args.text("actor") } as const;
  const origin: ChangeOrigin = { actor, at: context.now(), cause: "rollback" };

  const judge = (view: ZoneView) => {
    const serial = soaSerial(view.soa.rdata);
    if (expected !== undefined && serial !== expected) {
      const message = `${apex.toString()} has gone from serial ${expected} to ${serial} since the difference was shown`;
      return {
        result: new ControlError("ZONE_CHANGED", message, {
          advice: "Look at the new difference and decide again.",
        }),
      };
    }
    const plan = plannedChangeset(context, view, target.serial, owner, origin);
    if (plan instanceof ControlError) return { result: plan };
    const { changeset, undone } = plan;
    const result: RollbackResult = {
      zone: apex.toString(),
      outcome: changeset === undefined ? "unchanged" : "changed",
      dryRun,
      serialBefore: serial,
      serialAfter: changeset === undefined ? serial : soaSerial(changeset.soaAfter.rdata),
      toSerial: target.serial,
      ...(target.at === undefined ? {} : { toAt: target.at }),
      undone,
      diff:
        changeset === undefined
          ? { removed: [], added: [], removedCount: 0, addedCount: 0 }
          : diffJson(changeset),
    };
    return { changeset: dryRun ? undefined : changeset, result };
  };
  let result: RollbackResult | ControlError;
  try {
    result = await context.changes.submit<RollbackResult | ControlError>({ apex, exclusive: true, judge });
  } catch (error) {
    throw changeFailure(error, apex);
  }
  if (result instanceof ControlError) throw result;
  if (!dryRun && result.outcome === "changed") {
    const { serialBefore, serialAfter, toSerial, undone } = result;
    const zone = result.zone;
    context.log.info(
      { zone, toSerial, owner: owner?.toString(), undone, serialBefore, serialAfter, actor: actor.name },
      "zone rolled back",
    );
  }
  return result;
}

function plannedChangeset(
  context: AdminContext,
  view: ZoneView,
  toSerial: number,
  owner: Name | undefined,
  origin: ChangeOrigin,
): { changeset: Changeset | undefined; undone: number } | ControlError {
  const chain = context.store.changesSince(view.apex, toSerial);
  if (chain === undefined)
    return unreachable(
      context,
      view.apex,
      `the journal of ${view.apex.toString()} does not hold serial ${toSerial}`,
    );
  const { removed, added, soa } = planRollback(chain, view, owner);
  if (removed.length + added.length === 0 && soa === undefined) return { changeset: undefined, undone: 0 };
  const undone = chain.filter((changeset) => owner === undefined || concerns(changeset, owner));
  const serial = nextSerial(soaSerial(view.soa.rdata));
  const base = soa ?? view.soa;
  const soaAfter = { ...base, rdata: withSerial(base.rdata, serial) };
  // What ageing had taken away ages again, from now on; all else that an operator brings back is static.
  const aged = new Set(
    chain.flatMap(({ origin: { cause }, removed }) => (cause === "ageing" ? removed : [])).map(recordKey),
  );
  const lifetimes = added.map((rr) => (aged.has(recordKey(rr)) ? 0 : undefined));
  const noted = { ...origin, note: note(toSerial, owner, undone) };
  return {
    changeset: { zone: view.apex, soaBefore: view.soa, soaAfter, removed, added, lifetimes, origin: noted },
    undone: undone.length,
  };
}

/** `node1.smb.example. back to serial 12, undoing 3 changes (13 to 15)` */
function note(toSerial: number, owner: Name | undefined, undone: readonly Changeset[]): string {
  const what = owner === undefined ? "" : `${owner.toString()} `;
  const serials = undone.map((changeset) => soaSerial(changeset.soaAfter.rdata));
  const first = serials[0];
  const range = serials.length > 1 ? `${first} to ${serials.at(-1)}` : `${first ?? "SOA"}`;
  return `${what}back to serial ${toSerial}, undoing ${undone.length} ${undone.length === 1 ? "change" : "changes"} (${range})`;
}

function concerns({ removed, added, zone }: Changeset, owner: Name): boolean {
  // Every changeset changes the SOA, which is the apex's; that alone does not make it one of the apex.
  return (
    [...removed, ...added].some((record) => record.name.equals(owner)) ||
    (owner.equals(zone) && removed.length + added.length === 0)
  );
}

/** The serial that is meant, and since when the zone had it. @throws ControlError */
async function findTarget(
  context: AdminContext,
  apex: Name,
  serial: number | undefined,
  at: number | undefined,
): Promise<Target> {
  if ((serial === undefined) === (at === undefined)) {
    throw new ControlError("CONTROL_ARGUMENT", "either a serial or a time must be given to go back to");
  }
  let reachable = false;
  for await (const entry of newestFirst(context, apex)) {
    const found = serial === undefined ? entry.origin.at <= at! : entry.serialAfter === serial;
    if (found) return { serial: entry.serialAfter, at: entry.origin.at };
    if (reachable) break;
    reachable = serial !== undefined && entry.serialBefore === serial;
  }
  // The state before the oldest change that is kept can be reached, though nobody knows since when it stood.
  if (reachable) return { serial: serial! };
  const what = serial === undefined ? `to ${new Date(at!).toISOString()}` : `to serial ${serial}`;
  throw unreachable(context, apex, `the journal of ${apex.toString()} does not reach back ${what}`);
}

async function* newestFirst(context: AdminContext, apex: Name): AsyncGenerator<HistoryEntry> {
  let before: number | undefined;
  for (;;) {
    const page = context.store.history(apex, {
      limit: HISTORY_PAGE,
      ...(before === undefined ? {} : { before }),
    });
    yield* page;
    before = page.at(-1)?.id;
    // A page may be short before the end: the store bounds it by its octets too.
    if (before === undefined) return;
    await breathe();
  }
}

function unreachable(context: AdminContext, apex: Name, message: string): ControlError {
  return new ControlError("HISTORY_UNREACHABLE", message, {
    advice: `See which serials there are: rollcall zone history ${apex.toString()} --limit 1000`,
  });
}
