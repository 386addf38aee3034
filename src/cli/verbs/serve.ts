/** `rollcall serve`: runs the server in the foreground. */
import type { Command } from "commander";
import { withCommon } from "../command.ts";
import type { CommonOptions } from "../command.ts";

export function addServe(program: Command, setExit: (code: number) => void): void {
  const command = program
    .command("serve")
    .description("run the server in the foreground; SIGHUP reloads, SIGTERM and SIGINT stop");
  withCommon(command, ["rollcall serve", "rollcall serve --config /etc/rollcall/rollcall.toml"]).action(
    async ({ config, json }: CommonOptions) => {
      // Loaded only here: every other command starts without the store and the sockets.
      const { serve } = await import("../../app.ts");
      setExit(await serve({ config, json: json === true }));
    },
  );
}
