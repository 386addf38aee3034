/** `rollcall config check`: every mistake of the configuration, its key files and its zone files at once. */
import type { Command } from "commander";
import { loadConfig } from "../../config/load.ts";
import { hasErrors } from "../../config/problem.ts";
import type { Problem } from "../../config/problem.ts";
import { loadZoneFile } from "../../config/zone-source.ts";
import { withCommon } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { Exit, paint, print, printError, printJson, printProblems } from "../output.ts";

export function addConfigCommands(program: Command, setExit: (code: number) => void): void {
  const config = program.command("config").description("look at the configuration");
  const check = config
    .command("check")
    .description("list every mistake of the configuration, its key files and its zone files");
  withCommon(check, [
    "rollcall config check",
    "rollcall config check --config zones/rollcall.toml --json",
  ]).action(async (options: CommonOptions) => setExit(await checkConfig(options)));
}

async function checkConfig(options: CommonOptions): Promise<number> {
  const { config, problems: found, zoneFiles } = loadConfig(options.config);
  const problems: Problem[] = [...found];
  for (const { file, apex } of zoneFiles) problems.push(...loadZoneFile(file, apex).problems);
  const ok = !hasErrors(problems);
  if (options.json === true) {
    await printJson({ ok, file: options.config, problems });
  } else {
    printProblems(problems);
    const errors = problems.filter(({ severity }) => severity === "error").length;
    const warnings = problems.length - errors;
    const tally = [count(errors, "error"), count(warnings, "warning")]
      .filter((part) => part !== "")
      .join(" and ");
    if (config !== undefined && ok) {
      const zones = count(config.zones.length, "zone") || "no zones";
      const keys = count(config.keys.size, "key") || "no keys";
      await print(
        `${paint("green", "OK")}: ${options.config}: ${zones}, ${keys}${tally === "" ? "" : `, ${tally}`}\n`,
      );
    } else {
      printError(`${options.config}: ${tally}`);
    }
  }
  return ok ? Exit.DONE : Exit.FAILED;
}

function count(number: number, noun: string): string {
  if (number === 0) return "";
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
