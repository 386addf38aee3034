/** The tree of commands, and the one place where a failure becomes an exit code. */
import { Command, CommanderError } from "commander";
import { ControlError } from "../control/protocol.ts";
import { ROLLCALL_VERSION } from "../config/version.ts";
import { CommandError, Exit, paintError, printError, printJson, printProblems } from "./output.ts";
import { addConfigCommands } from "./verbs/config.ts";
import { addExplain } from "./verbs/explain.ts";
import { addKeyCommands } from "./verbs/key.ts";
import { addQuery } from "./verbs/query.ts";
import { addServe } from "./verbs/serve.ts";
import { addServerCommands } from "./verbs/server.ts";
import { addZoneAgeing } from "./verbs/zone-ageing.ts";
import { addZoneCheck } from "./verbs/zone-check.ts";
import { addZoneExport } from "./verbs/zone-export.ts";
import { addZoneHistory } from "./verbs/zone-history.ts";
import { addZoneImport } from "./verbs/zone-import.ts";
import { addZoneList } from "./verbs/zone-list.ts";
import { addZoneOwner } from "./verbs/zone-owner.ts";
import { addZoneRollback } from "./verbs/zone-rollback.ts";
import { addZoneShow } from "./verbs/zone-show.ts";

const EXIT_HELP = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 server unreachable.
Every command takes --json and explains itself with --help.`;

/** Builds the whole tree. `setExit` receives the exit code of commands that end well but not with 0. */
export function buildProgram(setExit: (code: number) => void): Command {
  const program = new Command("rollcall")
    .description("Authoritative DNS server with built-in dynamic updates for Windows SMB file clusters.")
    .version(ROLLCALL_VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "explain a command")
    .showSuggestionAfterError()
    .addHelpText("after", EXIT_HELP);
  addServe(program, setExit);
  addConfigCommands(program, setExit);
  addKeyCommands(program);
  const zone = program.command("zone").description("look at zones and change them");
  addZoneList(zone);
  addZoneShow(zone);
  addZoneImport(zone);
  addZoneExport(zone);
  addZoneCheck(zone, setExit);
  addZoneHistory(zone);
  addZoneRollback(zone);
  addZoneAgeing(zone);
  addZoneOwner(zone);
  addServerCommands(program, setExit);
  addQuery(program, setExit);
  addExplain(program, setExit);
  return program;
}

/**
 * Runs a command line.
 * @param argv without the program's own name
 * @returns the exit code
 */
export async function run(argv: readonly string[]): Promise<number> {
  // Somebody who has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(Exit.DONE);
    throw error;
  });
  let exit: number = Exit.DONE;
  const program = buildProgram((code) => (exit = code));
  overrideExits(program);
  try {
    await program.parseAsync(argv, { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.DONE : Exit.USAGE;
    return report(error, argv.includes("--json"));
  }
}

/** Commander is to throw, not to end the process, in every command of the tree. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExits(child);
}

/** Shows what ended a command and says how to exit. */
async function report(error: unknown, json: boolean): Promise<number> {
  if (!(error instanceof CommandError || error instanceof ControlError)) throw error;
  const { code, message, advice, problems } = error;
  if (json) {
    await printJson({ error: { code, message, ...(advice === undefined ? {} : { advice }), problems } });
  } else {
    printProblems(problems);
    printError(`${paintError("red", "rollcall:")} ${message} [${code}]`);
    if (advice !== undefined) printError(`    ${advice}`);
  }
  if (error instanceof CommandError) return error.exit;
  return code === "CONTROL_UNREACHABLE" ? Exit.UNREACHABLE : Exit.FAILED;
}
