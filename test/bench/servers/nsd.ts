import { ZONE } from "../load/workload.ts";
import type { ServerProgram } from "./server.ts";
import { firstLine, write } from "./server.ts";

/** NSD, which takes no updates. */
export const nsd: ServerProgram = {
  name: "nsd",
  binaries: ["nsd"],
  takesUpdates: false,
  takesUpdatesToMillion: false,
  updatePatience: 1,
  importsAtStart: false,
  configure({ directory, port, zoneFile }) {
    // rrl-ratelimit 0, in NSD's favour: it would answer each client 200 times a second.
    const config = `server:
    ip-address: 127.0.0.1@${port}
    username: ""
    zonesdir: "${directory}"
    database: ""
    zonelistfile: "${directory}/zone.list"
    pidfile: "${directory}/nsd.pid"
    xfrdfile: "${directory}/xfrd.state"
    xfrdir: "${directory}"
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: "${ZONE}"
    zonefile: "${zoneFile}"
    provide-xfr: 127.0.0.0/8 NOKEY
`;
    return ["nsd", "-d", "-c", write(directory, "nsd.conf", config)];
  },
  version: () => firstLine("nsd", "-v"),
};
