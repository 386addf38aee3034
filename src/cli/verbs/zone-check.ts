/** `rollcall zone check`: a zone file's mistakes, without a server. */
import type { Command } from "commander";
import { hasErrors } from "../../config/problem.ts";
import { loadZoneFile } from "../../config/zone-source.ts";
import { Name } from "../../wire/name.ts";
import { nameArgument, withExamples } from "../command.ts";
import { Exit, paint, print, printError, printJson, printProblems } from "../output.ts";

export function addZoneCheck(zone: Command, setExit: (code: number) => void): void {
  const check = zone
    .command("check")
    .description("list every mistake of a zone file; needs no server")
    .argument("<zone>", "zone that the file is for, e.g. smb.example", nameArgument)
    .argument("<file>", "zone file")
    .option("--json", "print JSON for programs");
  withExamples(check, [
    "rollcall zone check smb.example zones/smb.example.zone",
    "rollcall zone check 2.0.192.in-addr.arpa reverse.zone --json",
  ]).action(async (name: string, file: string, { json }: { json?: true }) => {
    const { records, problems } = loadZoneFile(file, Name.parse(name));
    const ok = !hasErrors(problems);
    if (json === true) {
      await printJson({ ok, zone: name, file, records: records.length, problems });
    } else {
      printProblems(problems);
      if (ok) await print(`${paint("green", "OK")}: ${file}: ${records.length} records for ${name}\n`);
      else printError(`${file}: not usable for ${name}`);
    }
    setExit(ok ? Exit.DONE : Exit.FAILED);
  });
}
