import { keyClause } from "../../support/secondary.ts";
import { ZONE } from "../load/workload.ts";
import type { ServerProgram } from "./server.ts";
import { firstLine, write } from "./server.ts";

/** BIND 9. */
export const named: ServerProgram = {
  name: "named",
  binaries: ["named"],
  takesUpdates: true,
  takesUpdatesToMillion: true,
  updatePatience: 1,
  importsAtStart: false,
  configure({ directory, port, zoneFile, key, notify }) {
    const notifyClause =
      notify.length === 0
        ? "notify no;"
        : `notify explicit; also-notify { ${notify.map((other) => `127.0.0.1 port ${other}; `).join("")}};`;
    const config = `options {
  directory "${directory}";
  pid-file none;
  lock-file none;
  session-keyfile none;
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  tcp-listen-queue 100;
  allow-transfer { 127.0.0.0/8; };
};
controls { };
${keyClause(key)}zone "${ZONE}" {
  type primary;
  file "${zoneFile}";
  allow-update { key "${key.name}"; };
  ${notifyClause}
};
`;
    // tcp-listen-queue, in BIND's favour: with its 10, some of the 20 connections opened at once take a second.
    // -g: in the foreground with the log to standard error, at its usual level. One core: one worker.
    return ["named", "-g", "-n", "1", "-c", write(directory, "named.conf", config)];
  },
  version: () => firstLine("named", "-V"),
};
