/** The administrator's verbs: what `rollcall zone …`, `status`, `reload` and `stop` do inside the server. */
import type { VerbHandlers } from "../control/dispatch.ts";
import { scavengeZone, staleRecords } from "./admin/ageing.ts";
import type { AdminContext } from "./admin/context.ts";
import { importZone } from "./admin/import.ts";
import { exportZone, showZone, status, zoneHistory, zoneSummaries } from "./admin/look.ts";
import { zoneOwner } from "./admin/owner.ts";
import { rollbackZone } from "./admin/rollback.ts";

export type { AdminContext } from "./admin/context.ts";

/** One handler for every verb of the control socket. */
export function adminHandlers(context: AdminContext): VerbHandlers {
  return {
    status: () => status(context),
    reload: () => context.reload(),
    stop: () => {
      // The answer leaves before the server begins to stop.
      setImmediate(context.stop);
      return { pid: process.pid };
    },
    "zone.list": () => ({ zones: zoneSummaries(context) }),
    "zone.show": (args, request) => showZone(context, args, request),
    "zone.export": (args, request) => exportZone(context, args, request),
    "zone.import": (args, request) => importZone(context, args, request),
    "zone.history": (args, request) => zoneHistory(context, args, request),
    "zone.rollback": (args) => rollbackZone(context, args),
    "zone.stale": (args, request) => staleRecords(context, args, request),
    "zone.scavenge": (args) => scavengeZone(context, args),
    "zone.owner": (args, request) => zoneOwner(context, args, request),
  };
}
