/**
 * What a server is to the benchmark. Each is set up with one zone, updates signed with one key, and everything else as
 * the program has it by default, but for what its file says. What is measured with a setting changed is not what people
 * run.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../support/process.ts";
import type { KeyText } from "../../support/secondary.ts";

/** What a server needs to know to be set up. */
export interface Setup {
  /** A folder of its own, with the zone in `zoneFile`. */
  readonly directory: string;
  /** UDP and TCP on 127.0.0.1. */
  readonly port: number;
  readonly zoneFile: string;
  readonly key: KeyText;
  /** Ports on 127.0.0.1 that are to be told of changes. */
  readonly notify: readonly number[];
}

export interface ServerProgram {
  readonly name: string;
  /** What must be installed; none where it is this checkout. */
  readonly binaries: readonly string[];
  readonly takesUpdates: boolean;
  /** Whether it also takes them, at a rate that can be measured, with a million names. */
  readonly takesUpdatesToMillion: boolean;
  /** Seconds until an update counts as unanswered. */
  readonly updatePatience: number;
  /** Whether its first start reads the zone file into a store of its own, which later starts find there. */
  readonly importsAtStart: boolean;
  /** What is done once before the program can start: the filling of its database. */
  readonly prepare?: (setup: Setup) => Promise<void>;
  /** Writes the configuration. @returns the program and its arguments: it is to stay in the foreground */
  readonly configure: (setup: Setup) => readonly [program: string, ...args: string[]];
  readonly version: () => Promise<string>;
}

/** The first line of what a program says with these arguments. */
export async function firstLine(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(program, args);
  return `${stdout}\n${stderr}`.trim().split("\n")[0]!.trim();
}

/** Writes a file into a server's folder. @returns its path */
export function write(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
