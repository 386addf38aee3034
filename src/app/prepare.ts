/** What a configuration names and has to be read before anything is changed by it: the keytab, the files of new zones. */
import type { Config } from "../config/config.ts";
import type { Problem } from "../config/problem.ts";
import { hasErrors, problemToText } from "../config/problem.ts";
import type { Kerberos, PreparedKeys } from "../services/kerberos.ts";
import { readNewZones } from "../services/zone-files.ts";
import type { NewZone } from "../services/zone-files.ts";
import type { ZoneStore } from "../zone/ports.ts";

/** A start that failed through the operator's doing: every mistake, ready to be printed. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly problems: readonly Problem[];

  constructor(message: string, problems: readonly Problem[] = []) {
    super(message);
    this.problems = problems;
  }
}

/** Reads the keytab where one is configured. @throws StartError */
export function prepareKeys(config: Config, kerberos: Kerberos): PreparedKeys {
  const keys = kerberos.prepare(config);
  if ("code" in keys) throw new StartError(keys.message, [keys]);
  return keys;
}

/** Reads the files of zones that the store does not have. @throws StartError */
export async function prepareZones(
  config: Config,
  store: Pick<ZoneStore, "zones">,
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void },
): Promise<readonly NewZone[]> {
  const { zones, problems } = await readNewZones(config, store, log);
  if (hasErrors(problems)) throw new StartError("a zone file has mistakes", problems);
  for (const problem of problems) log.warn({ code: problem.code }, problemToText(problem));
  return zones;
}
