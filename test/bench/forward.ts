/**
 * `npm run bench:forward`: processor time for an answer of another server from the cache, Rollcall beside unbound, on one
 * core each in turn. Both forward everything to a third server, which knows all names; the load and that server share
 * the other core. Rounds alternate, and the ratio is taken round by round.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { dig } from "../support/clients.ts";
import { freePort } from "../support/free-port.ts";
import { INSTALL_COMMAND, missingPrograms } from "../support/peers.ts";
import { eventually } from "../support/process.ts";
import { dnsperf } from "./load/dnsperf.ts";
import { CLIENT_CORE, PinnedProgram, pinMyself, SERVER_CORE } from "./load/pinned.ts";
import { ratio, spread, spreadText } from "./report/statistics.ts";
import { write } from "./servers/server.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
/** Names that are asked for, all of them in the cache. */
const NAMES = 1000;
const SECONDS = 4;
const OUTSTANDING = 100;
const QUICK_SECONDS = 1;

interface Server {
  readonly name: string;
  /** Writes what it needs. @returns its command */
  readonly configure: (directory: string, port: number, upstream: number) => readonly string[];
}

const COMMON = `  do-daemonize: no
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
`;

const upstream: Server = {
  name: "upstream",
  configure: (directory, port) => [
    "unbound",
    "-d",
    "-c",
    write(
      directory,
      "unbound.conf",
      `server:\n  interface: 127.0.0.1\n  port: ${port}\n${COMMON}  local-zone: "corp.example." redirect
  local-data: "corp.example. 3600 IN A 192.0.2.1"\nremote-control:\n  control-enable: no\n`,
    ),
  ],
};

const unbound: Server = {
  name: "unbound",
  configure: (directory, port, to) => [
    "unbound",
    "-d",
    "-c",
    write(
      directory,
      "unbound.conf",
      `server:\n  interface: 127.0.0.1\n  port: ${port}\n  num-threads: 1\n${COMMON}  do-not-query-localhost: no
forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@${to}\nremote-control:\n  control-enable: no\n`,
    ),
  ],
};

const rollcall: Server = {
  name: "rollcall",
  configure(directory, port, to) {
    const config = `listen = ["127.0.0.1:${port}"]\ndata = "data"\nthreads = 1
[[forward]]\nupstreams = ["127.0.0.1:${to}"]\nclients = ["127.0.0.0/8"]\n`;
    return [process.execPath, MAIN, "serve", "--config", write(directory, "rollcall.toml", config)];
  },
};

/** A server that runs and answers. */
interface Started {
  readonly name: string;
  readonly port: number;
  readonly program: PinnedProgram;
}

async function start(server: Server, root: string, core: number, to: number): Promise<Started> {
  const directory = mkdtempSync(join(root, `${server.name}-`));
  const port = await freePort();
  const command = server.configure(directory, port, to);
  const program = new PinnedProgram(core, command, directory, join(directory, "log"));
  await eventually(
    `${server.name} answers`,
    async () =>
      program.hasEnded || (await dig({ port }, "www.corp.example", "A", "+tries=1", "+time=1")).status,
    (answer) => answer === true || answer === "NOERROR",
  );
  if (program.hasEnded) throw new Error(`${server.name} has ended:\n${program.lastWords}`);
  return { name: server.name, port, program };
}

/** Microseconds of processor time for a query. */
async function measure({ name, port, program }: Started, root: string, seconds: number): Promise<number> {
  const before = program.processorTime;
  const { result } = await dnsperf({
    port,
    dataFile: join(root, "names"),
    seconds,
    args: ["-q", String(OUTSTANDING)],
    output: join(root, "dnsperf"),
  });
  const wrong = result.lost + result.completed - (result.rcodes["NOERROR"] ?? 0);
  if (wrong > result.sent / 1000) throw new Error(`${name}: ${wrong} of ${result.sent} queries went wrong`);
  return ((program.processorTime - before) / result.completed) * 1e6;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { quick: { type: "boolean", default: false }, rounds: { type: "string", default: "5" } },
  });
  const missing = missingPrograms(["unbound", "dnsperf", "taskset", "dig"]);
  if (missing.length > 0) {
    process.stderr.write(`not installed: ${missing.join(", ")}; run: ${INSTALL_COMMAND}\n`);
    return 1;
  }
  const seconds = values.quick ? QUICK_SECONDS : SECONDS;
  const rounds = values.quick ? 2 : Number(values.rounds);
  const root = mkdtempSync(join(tmpdir(), "rollcall-bench-"));
  const started: Started[] = [];
  try {
    await pinMyself(CLIENT_CORE);
    const names = Array.from({ length: NAMES }, (_, i) => `host${i}.corp.example A\n`);
    write(root, "names", names.join(""));
    const third = await start(upstream, root, CLIENT_CORE, 0);
    started.push(third);
    for (const server of [unbound, rollcall]) {
      started.push(await start(server, root, SERVER_CORE, third.port));
    }
    const [, theirs, ours] = started;
    const figures: Record<string, number[]> = { unbound: [], rollcall: [] };
    for (let round = -1; round < rounds; round++) {
      for (const server of [theirs!, ours!]) {
        const figure = await measure(server, root, seconds);
        // The first fills the caches and is warm-up.
        if (round >= 0) figures[server.name]!.push(figure);
      }
    }
    for (const [name, values_] of Object.entries(figures)) {
      process.stdout.write(
        `${name.padEnd(9)} ${spreadText(spread(values_), 2)} µs of processor time a query\n`,
      );
    }
    const between = ratio(figures["rollcall"]!, figures["unbound"]!);
    process.stdout.write(`rollcall / unbound ${between === undefined ? "-" : spreadText(between, 2)}\n`);
    return 0;
  } finally {
    for (const { program } of started) await program.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

process.exitCode = await main();
