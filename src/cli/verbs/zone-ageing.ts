/** `rollcall zone stale` and `rollcall zone scavenge`: what ageing takes away, and when. */
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { durationToText, parseDuration } from "../../config/quantity.ts";
import type { StaleJson } from "../../control/verbs.ts";
import { ask, nameArgument, operatorName, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { harmless, print, printError, printJson } from "../output.ts";
import { table } from "../table.ts";
import { agoToText, instantToText } from "../time.ts";

interface StaleOptions extends ServerOptions {
  readonly within?: number;
}

export function addZoneAgeing(zone: Command): void {
  const stale = zone
    .command("stale")
    .description("show which records go, and when, unless they are refreshed")
    .argument("<zone>", "zone, e.g. smb.example", nameArgument)
    .option(
      "-w, --within <duration>",
      "those that go within this time, e.g. 7d (default: with the next scavenging)",
      durationArgument,
    );
  withServer(stale, [
    "rollcall zone stale smb.example",
    "rollcall zone stale smb.example --within 7d --json",
  ]).action(showStale);
  const scavenge = zone
    .command("scavenge")
    .description("remove stale records now, as a change that can be rolled back")
    .argument("<zone>", "zone, e.g. smb.example", nameArgument);
  withServer(scavenge, ["rollcall zone scavenge smb.example"]).action(scavengeZone);
}

async function showStale(zone: string, options: StaleOptions): Promise<void> {
  const now = Date.now();
  const until = options.within === undefined ? undefined : now + options.within;
  const records: StaleJson[] = [];
  const onData = (part: unknown): void => void records.push(...(part as StaleJson[]));
  const result = await ask(options, "zone.stale", { zone, until }, { onData });
  if (options.json === true) return printJson({ ...result, records });
  const by = instantToText(result.until);
  if (records.length === 0) return print(`No record of ${zone} goes until ${by}.\n`);
  const rows = records.map(({ goes, refreshed, lease, name, type, data }) => [
    goes <= now ? "now" : instantToText(goes),
    agoToText(refreshed, now),
    lease === undefined ? "" : durationToText(lease * 1000),
    harmless(name),
    type,
    harmless(data),
  ]);
  const titles = ["goes", "refreshed", "lease", "name", "type", "data"];
  await print(
    table(
      titles.map((title) => ({ title })),
      rows,
    ),
  );
  printError(`${count(records.length)} until ${by}, unless they are refreshed.`);
}

async function scavengeZone(zone: string, options: ServerOptions): Promise<void> {
  const result = await ask(options, "zone.scavenge", { zone, actor: operatorName() });
  if (options.json === true) return printJson(result);
  await print(`${zone} has lost ${count(result.removed)}.\n`);
  if (result.notBefore === undefined) return;
  printError(
    `Nothing is stale before ${instantToText(result.notBefore)}: until then hosts may refresh what they could not before.`,
  );
}

function count(records: number): string {
  return records === 1 ? "1 record" : `${records} records`;
}

function durationArgument(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) {
    throw new InvalidArgumentError(`"${text}" is not a duration: 12h, 7d or 2w were expected, say.`);
  }
  return duration;
}
