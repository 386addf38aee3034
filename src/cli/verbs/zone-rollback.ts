/** `rollcall zone rollback`: brings back an earlier state of a zone, or of one name in it, as a new change. */
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { RollbackResult } from "../../control/verbs.ts";
import { Name } from "../../wire/name.ts";
import { diffSummary, diffText } from "../diff-text.ts";
import {
  ask,
  instantArgument,
  nameArgument,
  operatorName,
  ownerArgument,
  usageError,
  withServer,
} from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { CommandError, print, printError, printJson } from "../output.ts";
import { instantToText } from "../time.ts";

type Target = { readonly serial: number } | { readonly at: number };

interface RollbackOptions extends ServerOptions {
  readonly to: Target;
  readonly owner?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

export function addZoneRollback(zone: Command): void {
  const command = zone
    .command("rollback")
    .description("bring back an earlier state, as a new change that secondaries get too")
    .argument("<zone>", "zone, e.g. smb.example", nameArgument)
    .requiredOption(
      "--to <serial|time>",
      `serial as zone history shows it, or 2026-03-01, "2026-03-01 14:30", 2h (ago)`,
      targetArgument,
    )
    .option(
      "-o, --owner <host>",
      "only this name; everything else stays; without a final dot it is relative to the zone",
    )
    .option("--dry-run", "show the difference and change nothing")
    .option("-y, --yes", "do not ask");
  withServer(command, [
    "rollcall zone rollback smb.example --to 2026030107 --dry-run",
    `rollcall zone rollback smb.example --to 2h --owner node1`,
    `rollcall zone rollback smb.example --to "2026-03-01 14:30" --yes`,
  ]).action(rollbackZone);
}

async function rollbackZone(zone: string, options: RollbackOptions): Promise<void> {
  const owner = options.owner === undefined ? undefined : ownerArgument(options.owner, Name.parse(zone));
  if (options.json === true && options.dryRun !== true && options.yes !== true) {
    throw usageError("with --json a rollback cannot ask", "Add --yes, or --dry-run.");
  }
  const actor = operatorName();
  const wanted = { zone, owner, actor, ...options.to };
  const plan = await ask(options, "zone.rollback", { ...wanted, dryRun: true });
  if (options.json !== true) await print(planText(plan, owner));
  if (options.dryRun === true || plan.outcome === "unchanged") {
    if (options.json === true) await printJson(plan);
    return;
  }
  if (options.yes !== true && !(await confirmed()))
    throw new CommandError("ROLLBACK_DECLINED", "nothing was changed");
  // What was shown is what is done: the server refuses where the zone has moved on meanwhile.
  const result = await ask(options, "zone.rollback", { ...wanted, dryRun: false, expect: plan.serialBefore });
  if (options.json === true) return printJson(result);
  return print(
    `${zone} rolled back: ${diffSummary(result.diff)}, serial ${result.serialBefore} to ${result.serialAfter}.\n`,
  );
}

function planText(plan: RollbackResult, owner: string | undefined): string {
  const what = owner === undefined ? plan.zone : `${owner} in ${plan.zone}`;
  const state = `serial ${plan.toSerial}${plan.toAt === undefined ? "" : ` of ${instantToText(plan.toAt)}`}`;
  if (plan.outcome === "unchanged") return `${what} is as it was at ${state} already: nothing to do.\n`;
  return `${diffText(plan.diff)}This brings ${what} back to ${state}: ${diffSummary(plan.diff)}, undoing ${plan.undone} ${plan.undone === 1 ? "change" : "changes"}.\n`;
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw usageError(
      "a rollback asks before it changes anything, and nobody is there to answer",
      "Add --yes, or --dry-run.",
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question("Do it? [y/N] ");
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    printError("");
    return false;
  } finally {
    terminal.close();
  }
}

function targetArgument(text: string): Target {
  if (/^[0-9]{1,10}$/.test(text) && Number(text) <= 0xffff_ffff) return { serial: Number(text) };
  return { at: instantArgument(text) };
}
