/** `rollcall zone list`: the zones in the store, served or not. */
import type { Command } from "commander";
import { ask, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { changedText, zoneState } from "./server.ts";

export function addZoneList(zone: Command): void {
  const list = zone.command("list").description("list the zones");
  withServer(list, ["rollcall zone list", "rollcall zone list --json"]).action(
    async (options: ServerOptions) => {
      const result = await ask(options, "zone.list", {});
      if (options.json === true) return printJson(result);
      if (result.zones.length === 0) return print("No zones.\n");
      const now = Date.now();
      const rows = result.zones.map((each) => [
        each.name,
        String(each.serial),
        String(each.records),
        zoneState(each),
        changedText(each, now),
      ]);
      const columns = [
        { title: "ZONE" },
        { title: "SERIAL", right: true },
        { title: "RECORDS", right: true },
        { title: "STATE" },
        { title: "CHANGED" },
      ];
      return print(table(columns, rows));
    },
  );
}
