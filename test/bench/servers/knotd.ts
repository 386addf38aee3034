import { ZONE } from "../load/workload.ts";
import type { ServerProgram } from "./server.ts";
import { firstLine, write } from "./server.ts";

/** Knot DNS. */
export const knotd: ServerProgram = {
  name: "knotd",
  binaries: ["knotd"],
  takesUpdates: true,
  takesUpdatesToMillion: true,
  updatePatience: 1,
  importsAtStart: false,
  configure({ directory, port, zoneFile, key, notify }) {
    const remotes = notify.map((other) => `  - id: "remote-${other}"\n    address: 127.0.0.1@${other}\n`);
    const ids = notify.map((other) => `"remote-${other}"`).join(", ");
    const config = `server:
    rundir: "${directory}"
    listen: 127.0.0.1@${port}
    udp-workers: 1
database:
    storage: "${directory}"
key:
  - id: "${key.name}"
    algorithm: ${key.algorithm}
    secret: ${key.secret}
${remotes.length === 0 ? "" : `remote:\n${remotes.join("")}`}acl:
  - id: "update"
    key: "${key.name}"
    action: update
  - id: "transfer"
    address: 127.0.0.0/8
    action: transfer
zone:
  - domain: "${ZONE}"
    file: "${zoneFile}"
    zonefile-sync: -1
    acl: ["update", "transfer"]
${remotes.length === 0 ? "" : `    notify: [${ids}]\n`}`;
    // zonefile-sync -1, in Knot's favour: by default it writes the whole zone file again after changes.
    return ["knotd", "-c", write(directory, "knot.conf", config)];
  },
  version: () => firstLine("knotd", "-V"),
};

/** Knot DNS as the secondary that the delay is measured at, whoever the primary is. */
export function configureSecondary(
  directory: string,
  port: number,
  primary: number,
): readonly [string, ...string[]] {
  const config = `server:
    rundir: "${directory}"
    listen: 127.0.0.1@${port}
    udp-workers: 1
database:
    storage: "${directory}"
remote:
  - id: "primary"
    address: 127.0.0.1@${primary}
acl:
  - id: "notify"
    address: 127.0.0.1
    action: notify
zone:
  - domain: "${ZONE}"
    file: "${directory}/secondary.zone"
    zonefile-sync: -1
    master: "primary"
    acl: "notify"
`;
  return ["knotd", "-c", write(directory, "secondary.conf", config)];
}
