/** Knot DNS as a secondary. */
import { keysOf, writeIn } from "./secondary.ts";
import type { SecondaryProgram } from "./secondary.ts";

export const knotd: SecondaryProgram = {
  name: "knotd",
  keepsCase: false,
  asksOverUdp: false,
  savesLate: false,
  configure(directory, { primary, zones, address = "127.0.0.1", port }) {
    const keys = keysOf(zones);
    const suffixes = [undefined, ...keys].map((key) => ({
      key,
      suffix: key === undefined ? "plain" : key.name,
    }));
    const remotes = suffixes.map(
      ({ key, suffix }) => `  - id: "primary-${suffix}"
    address: ${primary.address}@${primary.port}
    via: ${address}
${key === undefined ? "" : `    key: "${key.name}"\n`}`,
    );
    const rules = suffixes.map(
      ({ key, suffix }) => `  - id: "notify-${suffix}"
    address: ${primary.address}
${key === undefined ? "" : `    key: "${key.name}"\n`}    action: notify
`,
    );
    const zoneItems = zones.map(({ name, key }) => {
      const suffix = key?.name ?? "plain";
      return `  - domain: "${name}"\n    master: "primary-${suffix}"\n    acl: ["notify-${suffix}", "transfer"]\n`;
    });
    const keyItems = keys.map(
      ({ name, algorithm, secret }) =>
        `  - id: "${name}"\n    algorithm: ${algorithm}\n    secret: ${secret}\n`,
    );
    const config = `server:
    rundir: "${directory}"
    listen: ${address}@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 2
database:
    storage: "${directory}"
    journal-db-max-size: 64M
    kasp-db-max-size: 16M
    timer-db-max-size: 16M
    catalog-db-max-size: 16M
control:
    listen: "${directory}/knot.sock"
log:
  - target: stderr
    any: debug
${keyItems.length === 0 ? "" : `key:\n${keyItems.join("")}`}remote:
${remotes.join("")}acl:
${rules.join("")}  - id: "transfer"
    address: [127.0.0.0/8, ::1]
    action: transfer
template:
  - id: default
    storage: "${directory}"
    zonefile-sync: 0
zone:
${zoneItems.join("")}`;
    return ["-c", writeIn(directory, "knot.conf", config)];
  },
};
