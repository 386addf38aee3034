/** What every command shares: its options, how it reaches the server, and how it fails. */
import { resolve } from "node:path";
import { userInfo } from "node:os";
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { dataDirectoryOf } from "../config/server-location.ts";
import { control } from "../control/client.ts";
import type { RequestOptions } from "../control/client.ts";
import { controlSocketPath } from "../config/paths.ts";
import type { VerbArgs, VerbName, VerbResult } from "../control/verbs.ts";
import { Name, NameSyntaxError } from "../wire/name.ts";
import { typeFromText } from "../wire/iana/type.ts";
import { CommandError, Exit } from "./output.ts";
import { parseInstant } from "./time.ts";

/** Options of every command. */
export interface CommonOptions {
  readonly json?: true;
  readonly config: string;
}

/** Options of commands that talk to the server. */
export interface ServerOptions extends CommonOptions {
  readonly socket?: string;
}

/** The configuration file where none is named. */
const DEFAULT_CONFIG = "rollcall.toml";

/** Adds `--json` and `--config`, and examples to the help. */
export function withCommon(command: Command, examples: readonly string[]): Command {
  command
    .option("-c, --config <file>", "configuration file", DEFAULT_CONFIG)
    .option("--json", "print JSON for programs");
  return withExamples(command, examples);
}

/** Adds examples to the help. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText(
    "after",
    `\nExamples:\n${examples.map((example) => `  $ ${example}`).join("\n")}`,
  );
}

/** Adds what commands need that talk to the running server. */
export function withServer(command: Command, examples: readonly string[]): Command {
  return withCommon(command, examples).option(
    "--socket <path>",
    "control socket (default: control.sock in the configuration's data directory)",
  );
}

/** Sends one request to the server that the options mean. @throws ControlError, CommandError */
export function ask<V extends VerbName>(
  options: ServerOptions,
  verb: V,
  args: VerbArgs<V>,
  request: RequestOptions = {},
): Promise<VerbResult<V>> {
  return control(socketOf(options), verb, args, request);
}

/** The control socket that the options mean: given, or in the data directory of the configuration. */
function socketOf(options: ServerOptions): string {
  if (options.socket !== undefined) return resolve(options.socket);
  const found = dataDirectoryOf(options.config);
  if (typeof found === "string") return controlSocketPath(found);
  throw new CommandError(found.code, found.message, { advice: found.advice, problems: [] });
}

/** The name of whoever types the command, for the history. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number without a name.
    return `uid ${process.getuid?.() ?? "?"}`;
  }
}

/** Reads a zone or owner name as an argument. */
export function nameArgument(text: string): string {
  try {
    return Name.parse(text).toString();
  } catch (error) {
    if (error instanceof NameSyntaxError)
      throw new InvalidArgumentError(`"${text}" is not a domain name: ${error.message}.`);
    throw error;
  }
}

/** Reads an owner name of a zone: relative to it, unless it ends in a dot or in the zone's name. */
export function ownerArgument(text: string, apex: Name): string {
  try {
    const absolute = text === "@" ? apex : Name.parse(text);
    const name = absolute.isWithin(apex) ? absolute : Name.parse(text, apex);
    if (name.isWithin(apex)) return name.toString();
    throw usageError(`${name.toString()} is not in the zone ${apex.toString()}`);
  } catch (error) {
    if (error instanceof NameSyntaxError)
      throw usageError(`"${text}" is not a domain name: ${error.message}`);
    throw error;
  }
}

/** Reads a record type as an option. */
export function typeArgument(text: string): string {
  if (typeFromText(text) === undefined) {
    throw new InvalidArgumentError(`"${text}" is not a record type: A, SRV or TYPE65280 were expected, say.`);
  }
  return text.toUpperCase();
}

/** Reads a count as an option. */
export function countArgument(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError(`"${text}" is not a count: 1 to 999999 was expected.`);
  }
  return Number(text);
}

/** Reads an instant as an option. */
export function instantArgument(text: string): number {
  const at = parseInstant(text, Date.now());
  if (at === undefined) {
    throw new InvalidArgumentError(
      `"${text}" is not a time: 2026-03-01, "2026-03-01 14:30", 2026-03-01T14:30:00Z or 2h (ago) was expected.`,
    );
  }
  return at;
}

/** A mistake in how a command was typed: exit code 2. */
export function usageError(message: string, advice?: string): CommandError {
  return new CommandError("USAGE", message, { advice, exit: Exit.USAGE });
}
