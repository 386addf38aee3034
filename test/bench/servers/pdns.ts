import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { run } from "../../support/process.ts";
import { ZONE } from "../load/workload.ts";
import type { ServerProgram, Setup } from "./server.ts";
import { firstLine, write } from "./server.ts";

/** Where Debian's pdns-backend-sqlite3 keeps the tables' definition. */
const SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";
/** Milliseconds that loading a million names may take. */
const LOAD_PATIENCE = 180_000;

/** PowerDNS with its SQLite backend, the one of its stores that is like Rollcall's: WAL, and an fsync a transaction. */
export const pdns: ServerProgram = {
  name: "pdns",
  binaries: ["pdns_server", "pdnsutil"],
  takesUpdates: true,
  // An update takes it seconds then: of 400 none was answered within five.
  takesUpdatesToMillion: false,
  // In PowerDNS' favour: with 400 outstanding an update waits some two seconds, and all would count as unanswered.
  updatePatience: 5,
  importsAtStart: false,
  async prepare(setup) {
    const { directory, zoneFile, key, notify } = setup;
    const database = new Database(databaseFile(directory));
    database.exec(readFileSync(SCHEMA, "utf8"));
    database.close();
    configuration(setup);
    const utility = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await run("pdnsutil", ["--config-dir", directory, ...args], {
        timeout: LOAD_PATIENCE,
      });
      if (code !== 0) throw new Error(`pdnsutil ${args[0]} ended with ${code}: ${stderr.trim()}`);
    };
    await utility("load-zone", ZONE, zoneFile);
    await utility("set-kind", ZONE, "primary");
    await utility("import-tsig-key", key.name, key.algorithm, key.secret);
    await utility("set-meta", ZONE, "TSIG-ALLOW-DNSUPDATE", key.name);
    if (notify.length > 0) {
      await utility("set-meta", ZONE, "NOTIFY-DNSUPDATE", "1");
      await utility("set-meta", ZONE, "ALSO-NOTIFY", ...notify.map((other) => `127.0.0.1:${other}`));
    }
  },
  configure(setup) {
    configuration(setup);
    return ["pdns_server", `--config-dir=${setup.directory}`];
  },
  version: async () => (await firstLine("pdns_server", "--version")).replace(/^.*?PowerDNS/, "PowerDNS"),
};

function databaseFile(directory: string): string {
  return join(directory, "pdns.sqlite");
}

function configuration({ directory, port }: Setup): void {
  // In PowerDNS' favour: max-tcp-connections, whose 20 may still count the connections of a load before; and
  // max-queue-length, since it ends itself when 5,000 questions wait, as they do behind many updates.
  // only-notify: no one but ALSO-NOTIFY. security-poll-suffix: it would ask its makers whether it is up to date.
  const config = `launch=gsqlite3
gsqlite3-database=${databaseFile(directory)}
local-address=127.0.0.1
local-port=${port}
socket-dir=${directory}
daemon=no
guardian=no
disable-syslog=yes
security-poll-suffix=
primary=yes
only-notify=
max-tcp-connections=100
max-queue-length=100000
allow-axfr-ips=127.0.0.0/8
dnsupdate=yes
`;
  write(directory, "pdns.conf", config);
}
