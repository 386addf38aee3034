/** `rollcall zone export`: a zone as a zone file. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { finished } from "node:stream/promises";
import type { Command } from "commander";
import { ask, nameArgument, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { CommandError, print, printError, printJson } from "../output.ts";

interface ExportOptions extends ServerOptions {
  readonly out?: string;
}

export function addZoneExport(zone: Command): void {
  const command = zone
    .command("export")
    .description("print a zone as a zone file, sorted, from one consistent state")
    .argument("<zone>", "zone, e.g. smb.example", nameArgument)
    .option("-o, --out <file>", "write to a file instead; it appears whole or not at all");
  withServer(command, [
    "rollcall zone export smb.example > smb.example.zone",
    "rollcall zone export smb.example --out backup/smb.example.zone",
    "rollcall zone export smb.example --json | jq -r .text",
  ]).action(exportZone);
}

async function exportZone(zone: string, options: ExportOptions): Promise<void> {
  if (options.out !== undefined) return exportToFile(zone, options.out, options);
  const parts: string[] = [];
  const result = await ask(
    options,
    "zone.export",
    { zone },
    {
      onData: (part) => {
        if (options.json !== true) return print(String(part));
        parts.push(String(part));
        return undefined;
      },
    },
  );
  if (options.json === true) await printJson({ ...result, text: parts.join("") });
}

async function exportToFile(zone: string, out: string, options: ExportOptions): Promise<void> {
  const partial = `${out}.${process.pid}.part`;
  const file = createWriteStream(partial, { flags: "wx" });
  try {
    await once(file, "open");
    const result = await ask(
      options,
      "zone.export",
      { zone },
      {
        onData: async (part) => {
          if (!file.write(String(part))) await once(file, "drain");
        },
      },
    );
    file.end();
    await finished(file);
    await rename(partial, out);
    if (options.json === true) await printJson({ ...result, file: out });
    else printError(`${out}: ${result.records} records, serial ${result.serial}`);
  } catch (error) {
    file.destroy();
    await rm(partial, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof Error && "syscall" in error) {
      throw new CommandError(
        "EXPORT_WRITE",
        `${out} cannot be written: ${code === "ENOENT" ? "there is no such directory" : message}`,
      );
    }
    throw error;
  }
}
