/** Loads the key files that the configuration names. Secrets are refused where others than their owner may read them. */
import { resolve } from "node:path";
import { parseKeyFile } from "../auth/keyfile.ts";
import type { TsigKey } from "../auth/tsig/key.ts";
import { Mistake } from "./mistake.ts";
import type { ProblemCollector } from "./mistake.ts";
import type { SecretFileKind } from "./secret-file.ts";
import { readSecretFile } from "./secret-file.ts";

/** A key file is its owner's alone. */
const KEY_FILE: SecretFileKind = {
  name: "key file",
  code: "CONFIG_KEY_FILE",
  forbidden: 0o077,
  exposed: "others than its owner may read or change the secrets in it",
  missingAdvice: (file) =>
    `Paths are relative to the configuration file. This makes one: rollcall key generate NAME --out ${file}`,
  deniedAdvice: "Let the server's user own it.",
};

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
    const octets = readSecretFile(file, KEY_FILE);
    if (octets instanceof Mistake) {
      problems.add(["keys", index], octets);
      complete = false;
      return;
    }
    const parsed = parseKeyFile(new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets), file, {
      allowMd5,
      known: keys,
    });
    for (const key of parsed.keys) keys.set(key.name.key, key);
    for (const problem of parsed.problems) problems.addForeign({ severity: "error", ...problem });
    if (parsed.problems.length > 0) complete = false;
  });
  return { keys, complete };
}
