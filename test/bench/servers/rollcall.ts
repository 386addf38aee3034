import { resolve } from "node:path";
import { keyClause } from "../../support/secondary.ts";
import { ZONE } from "../load/workload.ts";
import type { ServerProgram } from "./server.ts";
import { firstLine, write } from "./server.ts";

const MAIN = resolve(import.meta.dirname, "../../../src/cli/main.ts");

/** This checkout, as `npm start` runs it. */
export const rollcall: ServerProgram = {
  name: "rollcall",
  binaries: [],
  takesUpdates: true,
  takesUpdatesToMillion: true,
  updatePatience: 1,
  importsAtStart: true,
  configure({ directory, port, zoneFile, key, notify }) {
    write(directory, "keys.conf", keyClause(key));
    const config = `listen = ["127.0.0.1:${port}"]
data = "data"
keys = ["keys.conf"]
[[zone]]
name = "${ZONE}"
file = "${zoneFile}"
notify = [${notify.map((other) => `"127.0.0.1:${other}"`).join(", ")}]
transfer = [{ net = "127.0.0.0/8" }]
[[zone.update]]
key = "${key.name}"
`;
    return [process.execPath, MAIN, "serve", "--config", write(directory, "rollcall.toml", config)];
  },
  version: async () =>
    `Rollcall ${await firstLine(process.execPath, MAIN, "--version")}, Node ${process.version}`,
};
