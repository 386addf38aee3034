/** `zone stale` and `zone scavenge`: what would go from a zone that ages, and that it goes now. */
import type { Arguments } from "../../control/dispatch.ts";
import { ControlError } from "../../control/protocol.ts";
import type { ControlRequest } from "../../control/server.ts";
import type { StaleJson, VerbResult } from "../../control/verbs.ts";
import type { Departure } from "../ageing.ts";
import type { Name } from "../../wire/name.ts";
import { changeFailure, notServed, storedZone } from "./context.ts";
import type { AdminContext } from "./context.ts";
import { recordJson } from "./json.ts";

export async function staleRecords(
  context: AdminContext,
  args: Arguments<"zone.stale">,
  request: ControlRequest,
): Promise<VerbResult<"zone.stale">> {
  const { apex } = servedZone(context, args.text("zone"));
  const until = args.optionalNumber("until");
  const found = await context.ageing.departures(apex, until);
  if (found === undefined) throw doesNotAge(apex);
  let shown = 0;
  for await (const piece of found.records) {
    shown += piece.length;
    if (piece.length > 0) await request.data(piece.map(staleJson));
  }
  return { zone: apex.toString(), until: found.until, shown };
}

export async function scavengeZone(
  context: AdminContext,
  args: Arguments<"zone.scavenge">,
): Promise<VerbResult<"zone.scavenge">> {
  const { apex } = servedZone(context, args.text("zone"));
  const actor = { kind: "operator", name: args.text("actor") } as const;
  try {
    const done = await context.ageing.scavenge(apex, { actor });
    if (done === undefined) throw doesNotAge(apex);
    const early = context.now() < done.notBefore;
    return { zone: apex.toString(), removed: done.removed, ...(early ? { notBefore: done.notBefore } : {}) };
  } catch (error) {
    throw changeFailure(error, apex);
  }
}

function servedZone(context: AdminContext, text: string): { readonly apex: Name } {
  const zone = storedZone(context, text);
  if (context.publishedZone(zone.apex) === undefined) throw notServed(zone.apex);
  return zone;
}

function doesNotAge(apex: Name): ControlError {
  return new ControlError("ZONE_NOT_AGEING", `the records of ${apex.toString()} do not age`, {
    advice: "Give the zone a section [zone.ageing] in the configuration, then: rollcall reload",
  });
}

function staleJson({ record, refreshed, lease, goes }: Departure): StaleJson {
  return {
    ...recordJson(record),
    refreshed: refreshed * 1000,
    ...(lease === undefined ? {} : { lease }),
    goes,
  };
}
