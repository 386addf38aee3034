/** `rollcall zone show`: the records of a zone, or those of one name or type. */
import type { Command } from "commander";
import type { RecordJson } from "../../control/verbs.ts";
import { Name } from "../../wire/name.ts";
import { ask, nameArgument, ownerArgument, typeArgument, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { Exit, CommandError, harmless, print, printJson } from "../output.ts";

interface ShowOptions extends ServerOptions {
  readonly name?: string;
  readonly type?: string;
}

export function addZoneShow(zone: Command): void {
  const show = zone
    .command("show")
    .description("show the records of a zone")
    .argument("<zone>", "zone, e.g. smb.example", nameArgument)
    .option(
      "-n, --name <owner>",
      "only this name; without a final dot it is relative to the zone, @ is the zone itself",
    )
    .option("-t, --type <type>", "only this type, e.g. SRV", typeArgument);
  withServer(show, [
    "rollcall zone show smb.example",
    "rollcall zone show smb.example --name node1",
    "rollcall zone show smb.example --type SRV --json",
  ]).action(showZone);
}

async function showZone(zone: string, options: ShowOptions): Promise<void> {
  const apex = Name.parse(zone);
  const name = options.name === undefined ? undefined : ownerArgument(options.name, apex);
  const collected: RecordJson[] = [];
  const result = await ask(
    options,
    "zone.show",
    { zone, name, type: options.type },
    {
      onData: (part) => {
        const records = part as RecordJson[];
        if (options.json !== true) return print(linesOf(records));
        for (const record of records) collected.push(record);
        return undefined;
      },
    },
  );
  if (options.json === true) return printJson({ ...result, records: collected });
  if (result.shown === 0) {
    const what = [options.type, name === undefined ? "" : `at ${name}`]
      .filter((part) => part !== undefined && part !== "")
      .join(" ");
    throw new CommandError("ZONE_NO_RECORDS", `${zone} has no such records: ${what}`, { exit: Exit.FAILED });
  }
}

/** Owners and types in columns as far as they are short; data last, whatever its length. */
function linesOf(records: readonly RecordJson[], prefix = ""): string {
  return records.map((each) => `${prefix}${harmless(recordLine(each))}\n`).join("");
}

export function recordLine({ name, ttl, type, data }: RecordJson): string {
  return `${name.padEnd(32)} ${String(ttl).padStart(6)} ${type.padEnd(6)} ${data}`;
}
