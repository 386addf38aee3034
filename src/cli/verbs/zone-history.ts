/** `rollcall zone history`: who changed what, when and why. */
import type { Command } from "commander";
import type { HistoryJson } from "../../control/verbs.ts";
import { Name } from "../../wire/name.ts";
import { diffSummary, diffText } from "../diff-text.ts";
import { ask, countArgument, instantArgument, nameArgument, ownerArgument, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { harmless, paint, print, printError, printJson } from "../output.ts";
import { agoToText, instantToText } from "../time.ts";

interface HistoryOptions extends ServerOptions {
  readonly limit: number;
  readonly owner?: string;
  readonly since?: number;
}

export function addZoneHistory(zone: Command): void {
  const command = zone
    .command("history")
    .description("show who changed what, when and why; newest first")
    .argument("<zone>", "zone, e.g. smb.example", nameArgument)
    .option("-l, --limit <count>", "changes to show", countArgument, 20)
    .option("-o, --owner <host>", "only changes of this name; without a final dot it is relative to the zone")
    .option(
      "-s, --since <time>",
      `not older than this: 2026-03-01, "2026-03-01 14:30" or 2h`,
      instantArgument,
    );
  withServer(command, [
    "rollcall zone history smb.example",
    "rollcall zone history smb.example --owner node1 --since 2d",
    "rollcall zone history smb.example --limit 1000 --json",
  ]).action(showHistory);
}

async function showHistory(zone: string, options: HistoryOptions): Promise<void> {
  const owner = options.owner === undefined ? undefined : ownerArgument(options.owner, Name.parse(zone));
  const { limit, since } = options;
  const entries: HistoryJson[] = [];
  const now = Date.now();
  const result = await ask(
    options,
    "zone.history",
    { zone, limit, owner, since },
    {
      onData: (part) => {
        const read = part as HistoryJson[];
        if (options.json !== true) return print(read.map((entry) => entryText(entry, now)).join(""));
        entries.push(...read);
        return undefined;
      },
    },
  );
  if (options.json === true) return printJson({ zone: result.zone, entries, more: result.more });
  if (result.shown === 0) return print(`No such changes of ${zone} are remembered.\n`);
  if (result.more) printError(`Older changes are there too: --limit ${limit * 2} shows more.`);
}

function entryText(entry: HistoryJson, now: number): string {
  const { at, actor, cause, note, serialBefore, serialAfter, diff } = entry;
  const serials = serialBefore === undefined ? `serial ${serialAfter}` : `${serialBefore} → ${serialAfter}`;
  const from = actor.from === undefined || actor.from === actor.name ? "" : ` from ${actor.from}`;
  const who = harmless(`${actor.kind} ${actor.name}${from}`);
  const why = note === undefined ? cause : harmless(`${cause}: ${note}`);
  const head = `${paint("bold", serials)}  ${instantToText(at)} (${agoToText(at, now)})  ${who}  ${paint("cyan", why)}\n`;
  const lines = diffText(diff, "    ");
  return `${head}${lines === "" ? `    ${diffSummary(diff)}\n` : lines}`;
}
