/** Loads the key files that the configuration names. Secrets are refused where others than their owner may read them. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseKeyFile } from "../auth/keyfile.ts";
import type { TsigKey } from "../auth/tsig/key.ts";
import { Mistake } from "./mistake.ts";
import type { ProblemCollector } from "./mistake.ts";

/** Permission bits of group and others: a key file may have none of them. */
const OTHERS = 0o077;

/** Octets of a key file: thousands of keys. */
const MAX_KEY_FILE = 4 * 1024 * 1024;

/**
 * Reads every key file; their mistakes go to `problems`.
 * @param folder what relative paths are relative to
 * @param paths the configuration's `keys`
 * @returns the keys by `Name.key`, and whether every file could be read without a mistake
 */
export function loadKeyFiles(
  folder: string,
  paths: readonly unknown[],
  allowMd5: boolean,
  problems: ProblemCollector,
): { keys: ReadonlyMap<string, TsigKey>; complete: boolean } {
  const keys = new Map<string, TsigKey>();
  let complete = true;
  const read = new Set<string>();
  paths.forEach((path, index) => {
    if (typeof path !== "string" || path === "") return;
    const file = resolve(folder, path);
    if (read.has(file)) {
      const advice = "Remove one of the two.";
      problems.add(
        ["keys", index],
        new Mistake("CONFIG_DUPLICATE", `the key file ${file} is listed twice`, advice),
      );
      return;
    }
    read.add(file);
    const text = readSecret(file);
    if (text instanceof Mistake) {
      problems.add(["keys", index], text);
      complete = false;
      return;
    }
    const parsed = parseKeyFile(text, file, { allowMd5, known: keys });
    for (const key of parsed.keys) keys.set(key.name.key, key);
    for (const problem of parsed.problems) problems.addForeign({ severity: "error", ...problem });
    if (parsed.problems.length > 0) complete = false;
  });
  return { keys, complete };
}

/** The text of a file that only its owner can read. */
function readSecret(file: string): string | Mistake {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      return new Mistake(
        "CONFIG_KEY_FILE",
        `the key file ${file} does not exist`,
        `Paths are relative to the configuration file. This makes one: rollcall key generate NAME --out ${file}`,
      );
    }
    return new Mistake(
      "CONFIG_KEY_FILE",
      `the key file cannot be read: ${message}`,
      "Let the server's user own it.",
    );
  }
  try {
    // Of the open file, so that nobody can put another in its place between the look and the read.
    const { mode, size } = fstatSync(fd);
    if (process.platform !== "win32" && (mode & OTHERS) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, "0");
      return new Mistake(
        "CONFIG_KEY_MODE",
        `the key file ${file} has mode ${octal}: others than its owner may read or change the secrets in it`,
        `Run: chmod 600 ${file}`,
      );
    }
    if (size > MAX_KEY_FILE)
      return new Mistake("CONFIG_KEY_FILE", `the key file ${file} is over ${MAX_KEY_FILE} octets`);
    return readFileSync(fd, "utf8");
  } catch (error) {
    return new Mistake("CONFIG_KEY_FILE", `the key file ${file} cannot be read: ${(error as Error).message}`);
  } finally {
    closeSync(fd);
  }
}
