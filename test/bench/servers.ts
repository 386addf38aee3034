/**
 * The servers as they are set up for the benchmark: one zone, updates signed with one key, everything else as the program
 * has it by default, but for what the comments say. What is measured with a setting changed is not what people run.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { KeyText } from "../support/secondary.ts";
import { run } from "../support/process.ts";
import { ZONE } from "./workload.ts";

/** What a server needs to know to be set up. */
export interface Setup {
  /** A folder of its own, with the zone in `zoneFile`. */
  readonly directory: string;
  /** UDP and TCP on 127.0.0.1. */
  readonly port: number;
  readonly zoneFile: string;
  readonly key: KeyText;
  /** Ports on 127.0.0.1 that are to be told of changes. */
  readonly notify: readonly number[];
}

export interface ServerProgram {
  readonly name: string;
  /** What must be installed; undefined where it is this checkout. */
  readonly binary: string | undefined;
  readonly takesUpdates: boolean;
  /** Writes the configuration. @returns the program and its arguments: it is to stay in the foreground */
  readonly configure: (setup: Setup) => readonly [program: string, ...args: string[]];
  readonly version: () => Promise<string>;
}

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");

async function firstLine(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(program, args);
  return `${stdout}\n${stderr}`.trim().split("\n")[0]!.trim();
}

function keyClause({ name, algorithm, secret }: KeyText): string {
  return `key "${name}" { algorithm ${algorithm}; secret "${secret}"; };\n`;
}

function write(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const rollcall: ServerProgram = {
  name: "rollcall",
  binary: undefined,
  takesUpdates: true,
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

const named: ServerProgram = {
  name: "named",
  binary: "named",
  takesUpdates: true,
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

const knotd: ServerProgram = {
  name: "knotd",
  binary: "knotd",
  takesUpdates: true,
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

const nsd: ServerProgram = {
  name: "nsd",
  binary: "nsd",
  takesUpdates: false,
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
`;
    return ["nsd", "-d", "-c", write(directory, "nsd.conf", config)];
  },
  version: () => firstLine("nsd", "-v"),
};

/** All servers, Rollcall first. */
export const SERVERS: readonly ServerProgram[] = [rollcall, named, knotd, nsd];

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
