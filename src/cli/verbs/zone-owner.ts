/** `rollcall zone owner`: who owns names that rules with `own = true` let the first writer have. */
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import type { OwnerJson } from "../../control/verbs.ts";
import { Name } from "../../wire/name.ts";
import { ask, nameArgument, operatorName, ownerArgument, usageError, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { harmless, print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { instantToText } from "../time.ts";

interface Who {
  readonly giveKind: string;
  readonly giveName: string;
}

interface OwnerOptions extends ServerOptions {
  readonly give?: Who;
  readonly release?: true;
}

export function addZoneOwner(zone: Command): void {
  const owner = zone
    .command("owner")
    .description("show who owns a name, release it or give it away")
    .argument("<zone>", "zone, e.g. smb.example", nameArgument)
    .argument(
      "[name]",
      "owner name; without a final dot it is relative to the zone (default: all that are owned)",
    )
    .option("--give <who>", "give it to key:NAME, principal:HOST$@REALM or address:192.0.2.1", whoArgument)
    .option("--release", "let the next one who writes it have it");
  withServer(owner, [
    "rollcall zone owner smb.example",
    "rollcall zone owner smb.example fs1",
    "rollcall zone owner smb.example fs1 --give key:fs1.smb.example",
    "rollcall zone owner smb.example fs1 --release",
  ]).action(zoneOwner);
}

async function zoneOwner(zone: string, text: string | undefined, options: OwnerOptions): Promise<void> {
  const { give, release } = options;
  if (give !== undefined && release === true) throw usageError("a name is either given or released");
  if (text === undefined && (give !== undefined || release === true)) {
    throw usageError("which name is to be given or released?", "Name it after the zone.");
  }
  const name = text === undefined ? undefined : ownerArgument(text, Name.parse(zone));
  const owners: OwnerJson[] = [];
  const onData = (part: unknown): void => void owners.push(...(part as OwnerJson[]));
  const args = { zone, name, release, ...give, actor: operatorName() };
  const result = await ask(options, "zone.owner", args, { onData });
  if (options.json === true) return printJson({ zone: result.zone, owners });
  if (owners.length === 0)
    return print(`${name ?? `No name of ${zone}`} has ${name === undefined ? "an" : "no"} owner.\n`);
  const rows = owners.map(({ name: owned, owner, since }) => [
    harmless(owned),
    harmless(`${owner.kind} ${owner.name}`),
    instantToText(since),
  ]);
  return print(table([{ title: "name" }, { title: "owner" }, { title: "since" }], rows));
}

function whoArgument(text: string): Who {
  const match = /^(key|principal|address):(.+)$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError(
      `"${text}" names nobody: key:fs1.smb.example, principal:FS1$@SMB.EXAMPLE or address:192.0.2.1 were expected, say.`,
    );
  }
  return { giveKind: match[1]!, giveName: match[2]! };
}
