/** Zones that the configuration gives a file and the store does not have yet: read together, then created. */
import type { Config } from "../config/config.ts";
import type { Problem } from "../config/problem.ts";
import { loadZoneFile } from "../config/zone-source.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { ZoneStore } from "../zone/ports.ts";

/** A zone that is to be created from its file. */
export interface NewZone {
  readonly apex: Name;
  readonly file: string;
  readonly records: readonly ResourceRecord[];
}

/**
 * Reads the files of all zones that the store does not have.
 * @returns what is wrong with any of them, too: where that is an error none is to be created
 */
export function readNewZones(
  config: Config,
  store: Pick<ZoneStore, "zones">,
): { readonly zones: readonly NewZone[]; readonly problems: readonly Problem[] } {
  const known = new Set(store.zones().map(({ apex }) => apex.key));
  const problems: Problem[] = [];
  const zones: NewZone[] = [];
  for (const { apex, file } of config.zones) {
    if (file === undefined || known.has(apex.key)) continue;
    const loaded = loadZoneFile(file, apex);
    problems.push(...loaded.problems);
    zones.push({ apex, file, records: loaded.records });
  }
  return { zones, problems };
}

/**
 * Creates zones in the store.
 * @param at milliseconds since 1970 UTC
 * @throws what the store throws; the zones before are there then, and are not read again
 */
export function createZones(
  zones: readonly NewZone[],
  store: Pick<ZoneStore, "create">,
  log: { info(fields: object, message: string): void },
  at: number,
): void {
  for (const { apex, file, records } of zones) {
    const actor = { kind: "operator", name: "configuration" } as const;
    const stored = store.create(apex, records, { actor, at, cause: "create", note: file });
    log.info(
      { zone: apex.toString(), file, serial: stored.serial, records: stored.recordCount },
      "zone created from its file",
    );
  }
}
