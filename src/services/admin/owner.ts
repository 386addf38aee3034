/** `zone owner`: who owns which name, and the operator's right to release it or give it away. */
import { plainAddress } from "../../auth/acl.ts";
import { isPrincipalPattern } from "../../auth/principal.ts";
import type { Arguments } from "../../control/dispatch.ts";
import { ControlError } from "../../control/protocol.ts";
import type { ControlRequest } from "../../control/server.ts";
import type { OwnerJson, VerbResult } from "../../control/verbs.ts";
import type { Name } from "../../wire/name.ts";
import type { NameOwner } from "../../zone/registration.ts";
import { nameOf, storedZone } from "./context.ts";
import type { AdminContext } from "./context.ts";
import { breathe } from "../turns.ts";

/** Owners read at once. */
const PAGE = 500;

export async function zoneOwner(
  context: AdminContext,
  args: Arguments<"zone.owner">,
  request: ControlRequest,
): Promise<VerbResult<"zone.owner">> {
  const { apex } = storedZone(context, args.text("zone"));
  const text = args.optionalText("name");
  if (text === undefined) return { zone: apex.toString(), shown: await list(context, apex, request) };
  const name = nameOf(text);
  if (!name.isWithin(apex)) {
    throw new ControlError("CONTROL_ARGUMENT", `${name.toString()} is not in the zone ${apex.toString()}`);
  }
  const { owners } = context.store;
  const kind = args.optionalText("giveKind");
  if (kind !== undefined || args.flag("release")) {
    const owner = kind === undefined ? undefined : newOwner(kind, args.text("giveName"), context.now());
    const before = owners.of(apex, name);
    if (!owners.give(apex, name, owner)) {
      throw new ControlError("ZONE_NO_RECORDS", `${name.toString()} has no records, and so no owner`);
    }
    const fields = { zone: apex.toString(), name: name.toString(), actor: args.text("actor") };
    context.log.info(
      {
        ...fields,
        before: before && `${before.kind} ${before.name}`,
        owner: owner && `${owner.kind} ${owner.name}`,
      },
      owner === undefined ? "name released" : "name given away",
    );
  }
  const owner = owners.of(apex, name);
  if (owner !== undefined) await request.data([ownerJson(name, owner)]);
  const isStatic = context.store.registrations.hasStatic(apex, name);
  return { zone: apex.toString(), shown: owner === undefined ? 0 : 1, static: isStatic };
}

async function list(context: AdminContext, apex: Name, request: ControlRequest): Promise<number> {
  let shown = 0;
  for (let after: Name | undefined; ;) {
    const page = context.store.owners.list(apex, PAGE, after);
    if (page.length > 0) await request.data(page.map(({ name, owner }) => ownerJson(name, owner)));
    shown += page.length;
    if (page.length < PAGE) return shown;
    after = page.at(-1)!.name;
    await breathe();
  }
}

/** @throws ControlError */
function newOwner(kind: string, name: string, since: number): NameOwner {
  switch (kind) {
    case "key":
      return { kind, name: nameOf(name).toString(), since };
    case "principal":
      // One without its realm would be nobody's.
      if (isPrincipalPattern(name) && !name.includes("*")) return { kind, name, since };
      throw new ControlError("CONTROL_ARGUMENT", `"${name}" is no principal: HOST$@REALM was expected, say`);
    case "address": {
      const address = plainAddress(name);
      if (address !== undefined) return { kind, name: address, since };
      throw new ControlError("CONTROL_ARGUMENT", `"${name}" is not a numeric address`);
    }
    default:
      throw new ControlError("CONTROL_ARGUMENT", `"${kind}" is neither key, principal nor address`);
  }
}

function ownerJson(name: Name, { kind, name: owner, since }: NameOwner): OwnerJson {
  return { name: name.toString(), owner: { kind, name: owner }, since };
}
