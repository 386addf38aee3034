/** The name servers of a zone, from whoever knows them best: the running server, else the file the zone started from. */
import type { Config } from "../config/config.ts";
import { zoneConfigOf } from "../config/config.ts";
import { loadZoneFile } from "../config/zone-source.ts";
import { ControlError } from "../control/protocol.ts";
import type { RecordJson } from "../control/verbs.ts";
import { RrType } from "../wire/iana/type.ts";
import { Name } from "../wire/name.ts";
import { rdataNames } from "../wire/rdata/rdata.ts";
import { ask } from "./command.ts";
import type { ServerOptions } from "./command.ts";

export interface KnownNameServers {
  readonly from: "server" | "file" | "nowhere";
  readonly names: readonly Name[];
}

/** The targets of the NS records at a zone's apex and its SOA's MNAME. */
export async function nameServersOf(
  options: ServerOptions,
  config: Config,
  apex: Name,
): Promise<KnownNameServers> {
  try {
    const names: Name[] = [];
    const zone = apex.toString();
    const onData = (part: unknown): void => {
      for (const { type, data } of part as RecordJson[]) {
        if (type === "NS" || type === "SOA") names.push(Name.parse(data.split(" ")[0]!));
      }
    };
    await ask(options, "zone.show", { zone, name: zone }, { onData });
    return { from: "server", names };
  } catch (error) {
    // Whatever it is that keeps the server from telling, the explanation does without.
    if (!(error instanceof ControlError)) throw error;
  }
  const file = zoneConfigOf(config, apex)?.file;
  if (file === undefined) return { from: "nowhere", names: [] };
  const { records } = loadZoneFile(file, apex);
  const names = records
    .filter(({ name, type }) => name.equals(apex) && (type === RrType.NS || type === RrType.SOA))
    .flatMap(({ type, rdata }) => rdataNames(type, rdata).slice(0, 1));
  return { from: names.length > 0 ? "file" : "nowhere", names };
}
