/**
 * `rollcall zone import`: makes a zone what a zone file says. The file is read and checked here, with the caller's
 * rights and paths, and goes to the server record by record; there the difference becomes one change.
 */
import { basename } from "node:path";
import type { Command } from "commander";
import { hasErrors } from "../../config/problem.ts";
import { loadZoneFileInSteps, zoneTextPieces } from "../../config/zone-source.ts";
import type { LoadedZone } from "../../config/zone-source.ts";
import type { ImportResult } from "../../control/verbs.ts";
import { Name } from "../../wire/name.ts";
import { diffSummary, diffText } from "../diff-text.ts";
import { ask, nameArgument, operatorName, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { CommandError, ProgressLine, print, printError, printJson, printProblems } from "../output.ts";

interface ImportOptions extends ServerOptions {
  readonly dryRun?: true;
}

export function addZoneImport(zone: Command): void {
  const command = zone
    .command("import")
    .description("make a zone what a zone file says; the difference is committed as one change")
    .argument("<zone>", "zone, e.g. smb.example", nameArgument)
    .argument("<file>", "zone file")
    .option("--dry-run", "show the difference and change nothing");
  withServer(command, [
    "rollcall zone import smb.example smb.example.zone --dry-run",
    "rollcall zone import smb.example smb.example.zone",
  ]).action(importZone);
}

async function importZone(zone: string, file: string, options: ImportOptions): Promise<void> {
  const progress = new ProgressLine();
  const { records, problems } = load(file, zone, progress);
  if (hasErrors(problems)) {
    const advice = "Nothing was changed. Correct the file and import it again.";
    throw new CommandError("ZONE_PROBLEMS", `${file} has errors`, { advice, problems });
  }
  let result: ImportResult;
  try {
    const args = { zone, file: basename(file), dryRun: options.dryRun === true, actor: operatorName() };
    result = await ask(options, "zone.import", args, {
      upload: zoneTextPieces(records, (sent) =>
        progress.show(
          `${sent.toLocaleString("en-GB")} of ${records.length.toLocaleString("en-GB")} records sent`,
        ),
      ),
      onProgress: (value) => progress.show(stepText(value)),
    });
  } finally {
    progress.clear();
  }
  // The server looks at the zone too, but does not see the file's lines.
  const known = new Set(problems.map(({ code, message }) => `${code} ${message}`));
  const further = result.warnings.filter(({ code, message }) => !known.has(`${code} ${message}`));
  const warnings = [...problems, ...further];
  if (options.json === true) return printJson({ ...result, warnings });
  printProblems(warnings);
  return print(resultText(result));
}

function load(file: string, zone: string, progress: ProgressLine): LoadedZone {
  const loading = loadZoneFileInSteps(file, Name.parse(zone));
  try {
    let step = loading.next();
    for (; step.done !== true; step = loading.next()) {
      const { doing, records } = step.value;
      progress.show(`${doing} ${file}: ${records.toLocaleString("en-GB")} records`);
    }
    return step.value;
  } finally {
    progress.clear();
  }
}

function stepText(value: unknown): string {
  const { step } = (typeof value === "object" && value !== null ? value : {}) as { step?: unknown };
  return typeof step === "string" ? step : "working";
}

function resultText(result: ImportResult): string {
  const { zone, outcome, dryRun, diff } = result;
  if (outcome === "unchanged")
    return `${zone} is as the file says already: nothing changed, serial ${result.serialAfter}.\n`;
  if (!result.served) {
    printError(
      `The configuration does not name ${zone} yet: it is kept but not served. Add a [[zone]] and reload.`,
    );
  }
  if (outcome === "created") {
    const verb = dryRun ? "would be created" : "created";
    return `${zone} ${verb}: ${result.records.toLocaleString("en-GB")} records, serial ${result.serialAfter}.\n`;
  }
  const verb = dryRun ? "would change" : "changed";
  return (
    diffText(diff) +
    `${zone} ${verb}: ${diffSummary(diff)}, serial ${result.serialBefore ?? "?"} to ${result.serialAfter}.\n${result.serialNote}\n`
  );
}
