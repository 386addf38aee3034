/** Zones that the configuration gives a file and the store does not have yet: read together, then created. */
import type { Config } from "../config/config.ts";
import type { Problem } from "../config/problem.ts";
import { loadZoneFileInSteps } from "../config/zone-source.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { ZoneStore } from "../zone/ports.ts";
import { inTurns } from "./turns.ts";

/** Milliseconds between two lines that tell how far a large zone has come. */
const TELL_INTERVAL = 2_000;

/** A zone that is to be created from its file. */
export interface NewZone {
  readonly apex: Name;
  readonly file: string;
  readonly records: readonly ResourceRecord[];
}

interface Log {
  info(fields: object, message: string): void;
}

/**
 * Reads the files of all zones that the store does not have.
 * @returns what is wrong with any of them, too: where that is an error none is to be created
 */
export async function readNewZones(
  config: Config,
  store: Pick<ZoneStore, "zones">,
  log: Log,
): Promise<{ readonly zones: readonly NewZone[]; readonly problems: readonly Problem[] }> {
  const known = new Set(store.zones().map(({ apex }) => apex.key));
  const problems: Problem[] = [];
  const zones: NewZone[] = [];
  for (const { apex, file } of config.zones) {
    if (file === undefined || known.has(apex.key)) continue;
    const tell = nowAndThen((fields, message) =>
      log.info({ zone: apex.toString(), file, ...fields }, message),
    );
    const loaded = await inTurns(loadZoneFileInSteps(file, apex), ({ doing, records }) =>
      tell({ records }, `${doing} a zone file`),
    );
    for (const problem of loaded.problems) problems.push(problem);
    zones.push({ apex, file, records: loaded.records });
  }
  return { zones, problems };
}

/**
 * Creates zones in the store.
 * @param at milliseconds since 1970 UTC
 * @throws what the store throws; the zones before are there then, and are not read again
 */
export async function createZones(
  zones: readonly NewZone[],
  store: Pick<ZoneStore, "createInSteps">,
  log: Log,
  at: number,
): Promise<void> {
  for (const { apex, file, records } of zones) {
    const zone = apex.toString();
    const actor = { kind: "operator", name: "configuration" } as const;
    const creating = store.createInSteps(apex, records, { actor, at, cause: "create", note: file });
    const tell = nowAndThen((fields, message) => log.info({ zone, file, ...fields }, message));
    const stored = await inTurns(creating, (written) =>
      tell({ written, records: records.length }, "creating a zone from its file"),
    );
    log.info(
      { zone, file, serial: stored.serial, records: stored.recordCount },
      "zone created from its file",
    );
  }
}

/** Passes on what it is told, no more often than an operator wants to read it, and nothing of what takes no time. */
function nowAndThen(tell: (fields: object, message: string) => void): typeof tell {
  let next = performance.now() + TELL_INTERVAL;
  return (fields, message) => {
    const now = performance.now();
    if (now < next) return;
    next = now + TELL_INTERVAL;
    tell(fields, message);
  };
}
