/** NSD as a secondary. */
import { keysOf, writeIn } from "./secondary.ts";
import type { SecondaryProgram } from "./secondary.ts";

export const nsd: SecondaryProgram = {
  name: "nsd",
  keepsCase: false,
  asksOverUdp: true,
  savesLate: true,
  // Where a difference comes while it takes up the one before, it may lose count.
  restarting: /soa serial \d+ update failed, restarting transfer/,
  configure(directory, { primary, zones, address = "127.0.0.1", port }) {
    const keyClauses = keysOf(zones).map(
      ({ name, algorithm, secret }) => `key:
    name: "${name}"
    algorithm: ${algorithm}
    secret: "${secret}"
`,
    );
    const zoneClauses = zones.map(({ name, key, udp }) => {
      const who = key?.name ?? "NOKEY";
      return `zone:
    name: "${name}"
    zonefile: "${name}.zone"
    allow-notify: ${primary.address} ${who}
    request-xfr: ${udp === true ? "UDP " : ""}${primary.address}@${primary.port} ${who}
    outgoing-interface: ${address}
    provide-xfr: 127.0.0.0/8 NOKEY
    provide-xfr: ::1 NOKEY
`;
    });
    const config = `server:
    ip-address: ${address}@${port}
    server-count: 1
    username: ""
    zonesdir: "${directory}"
    database: ""
    zonelistfile: "${directory}/zone.list"
    pidfile: "${directory}/nsd.pid"
    xfrdfile: "${directory}/xfrd.state"
    xfrdir: "${directory}"
    zonefiles-write: 1
    xfrd-reload-timeout: 0
    verbosity: 3
remote-control:
    control-enable: no
${keyClauses.join("")}${zoneClauses.join("")}`;
    return ["-d", "-c", writeIn(directory, "nsd.conf", config)];
  },
};
