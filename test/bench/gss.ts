/**
 * `npm run bench:gss`: updates a second that a host of a Kerberos realm signs (GSS-TSIG), Rollcall beside BIND, each on
 * one core in turn. A realm of the benchmark's own gives the tickets; one client, on the other core, keeps fifty updates
 * outstanding in one context and checks that each was granted. Each replaces a host's one address by another.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createSocket } from "node:dgram";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { GSS_TSIG } from "../../src/auth/gss/algorithm.ts";
import { signMessage } from "../../src/auth/tsig/digest.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { Opcode, Rcode, rcodeToText } from "../../src/wire/iana/code.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { record } from "../../src/wire/record.ts";
import { readTkey } from "../../src/wire/tkey.ts";
import { freePort } from "../support/free-port.ts";
import { tkeyQuery } from "../support/gss.ts";
import { GssInitiator } from "../support/gss-initiator.ts";
import { Kdc, KDC_PROGRAMS } from "../support/kdc.ts";
import { INSTALL_COMMAND, missingPrograms } from "../support/peers.ts";
import { dig } from "../support/clients.ts";
import { eventually } from "../support/process.ts";
import { askTcp } from "../support/sockets.ts";
import { deleteRrset } from "../support/update-client.ts";
import { CLIENT_CORE, PinnedProgram, pinMyself, SERVER_CORE } from "./load/pinned.ts";
import { CLUSTER, HOSTS, ZONE } from "./load/workload.ts";
import { ratio, spread, spreadText } from "./report/statistics.ts";
import { write } from "./servers/server.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
const SERVICE = "DNS/ns1.smb.example";
const CLIENT = "UPDATER$";
const OUTSTANDING = 50;
const WARM_UP = 1000;
const SECONDS = 4;
const QUICK_SECONDS = 1;
/** Milliseconds after which an update that has no answer is sent again. */
const PATIENCE = 1000;

const APEX = Name.parse(`${ZONE}.`);

interface Server {
  readonly name: string;
  /** Writes what it needs into its folder, in which are the zone and the keytab. @returns its command */
  readonly configure: (directory: string, port: number) => readonly string[];
}

const rollcall: Server = {
  name: "rollcall",
  configure(directory, port) {
    const config = `listen = ["127.0.0.1:${port}"]\ndata = "data"\n[gss]\nkeytab = "dns.keytab"
[[zone]]\nname = "${ZONE}"\nfile = "zone"\n[[zone.update]]\nprincipal = "${CLIENT}@SMB.EXAMPLE"\n`;
    return [process.execPath, MAIN, "serve", "--config", write(directory, "rollcall.toml", config)];
  },
};

const named: Server = {
  name: "named",
  configure(directory, port) {
    const config = `options {\n  directory "${directory}";\n  pid-file none;\n  lock-file none;\n  session-keyfile none;
  listen-on port ${port} { 127.0.0.1; };\n  listen-on-v6 { none; };\n  recursion no;\n  dnssec-validation no;
  tkey-gssapi-keytab "${directory}/dns.keytab";\n};\ncontrols { };\nzone "${ZONE}" {\n  type primary;\n  file "zone";
  notify no;\n  update-policy { grant "${CLIENT}@SMB.EXAMPLE" zonesub ANY; };\n};\n`;
    return ["named", "-g", "-n", "1", "-c", write(directory, "named.conf", config)];
  },
};

/** What one server did. */
interface Figures {
  readonly perSecond: number;
  /** Of processor time for each update. */
  readonly microseconds: number;
}

/** One host's context with a server, and updates signed with it. */
class Registrar {
  readonly #initiator: GssInitiator;
  readonly #context: ReturnType<GssInitiator["macContext"]>;
  readonly #keyName: Name;
  readonly #socket = createSocket("udp4");
  /** By ID: what tells that it was granted, or how it was not. */
  readonly #waiting = new Map<number, (rcode: number) => void>();
  #id = 0;
  #sent = 0;

  private constructor(initiator: GssInitiator, keyName: Name) {
    this.#initiator = initiator;
    this.#keyName = keyName;
    this.#context = initiator.macContext(keyName, GSS_TSIG);
    this.#socket.on("message", (bytes) => {
      const { id, rcode } = decodeMessage(bytes).header;
      const told = this.#waiting.get(id);
      this.#waiting.delete(id);
      told?.(rcode);
    });
  }

  static async negotiate(env: NodeJS.ProcessEnv, port: number): Promise<Registrar> {
    const initiator = new GssInitiator(env, `${SERVICE}@SMB.EXAMPLE`);
    const keyName = Name.parse(`${process.pid}-${port}.sig-ns1.smb.example.`);
    const answer = decodeMessage((await askTcp({ port }, tkeyQuery({ keyName, key: initiator.step() })))!);
    initiator.step(readTkey(answer.answers[0]!).key);
    const registrar = new Registrar(initiator, keyName);
    await new Promise<void>((done) => registrar.#socket.connect(port, "127.0.0.1", done));
    return registrar;
  }

  /** Keeps updates outstanding until it is time. @returns how many were granted */
  async run(until: () => boolean): Promise<number> {
    let granted = 0;
    const one = async (): Promise<void> => {
      while (!until()) {
        const rcode = await this.#update();
        if (rcode !== Rcode.NOERROR) throw new Error(`an update was answered ${rcodeToText(rcode)}`);
        granted++;
      }
    };
    await Promise.all(Array.from({ length: OUTSTANDING }, one));
    return granted;
  }

  close(): void {
    this.#socket.close();
    this.#initiator.release();
  }

  /** @returns its RCODE; one that gets lost is sent again, the same */
  async #update(): Promise<number> {
    const id = (this.#id = (this.#id + 1) & 0xffff);
    const count = this.#sent++;
    const name = Name.parse(`host${count % HOSTS}`, APEX);
    const address = Uint8Array.of(172, 16 + (Math.floor(count / HOSTS) % 16), count >> 8, count);
    const request = encodeMessage({
      id,
      flags: Opcode.UPDATE << 11,
      rcode: 0,
      questions: [{ name: APEX, type: RrType.SOA, class: RrClass.IN }],
      authorities: [deleteRrset(name, RrType.A), record(name, RrType.A, 300, address)],
    });
    const stamp = {
      keyName: this.#keyName,
      algorithm: GSS_TSIG,
      timeSigned: Math.floor(Date.now() / 1000),
      fudge: 300,
      originalId: id,
      error: 0,
      other: new Uint8Array(0),
    };
    const { message } = signMessage(this.#context, request, undefined, stamp, "variables");
    return new Promise((resolve_) => {
      const timer = setInterval(() => this.#socket.send(message), PATIENCE);
      this.#waiting.set(id, (rcode) => {
        clearInterval(timer);
        resolve_(rcode);
      });
      this.#socket.send(message);
    });
  }
}

async function measure(
  server: Server,
  root: string,
  keytab: string,
  env: NodeJS.ProcessEnv,
  seconds: number,
): Promise<Figures> {
  const directory = mkdtempSync(join(root, `${server.name}-`));
  mkdirSync(join(directory, "data"));
  copyFileSync(keytab, join(directory, "dns.keytab"));
  write(directory, "zone", [...CLUSTER.zone()].join(""));
  const port = await freePort();
  const program = new PinnedProgram(
    SERVER_CORE,
    server.configure(directory, port),
    directory,
    join(directory, "log"),
  );
  try {
    await eventually(
      `${server.name} answers`,
      async () => program.hasEnded || (await dig({ port }, ZONE, "SOA", "+tries=1", "+time=1")).status,
      (answer) => answer === true || answer === "NOERROR",
    );
    if (program.hasEnded) throw new Error(`${server.name} has ended:\n${program.lastWords}`);
    const registrar = await Registrar.negotiate(env, port);
    try {
      let left = WARM_UP;
      await registrar.run(() => left-- <= 0);
      const before = program.processorTime;
      const started = performance.now();
      const granted = await registrar.run(() => performance.now() - started >= seconds * 1000);
      const took = (performance.now() - started) / 1000;
      return {
        perSecond: granted / took,
        microseconds: ((program.processorTime - before) / granted) * 1e6,
      };
    } finally {
      registrar.close();
    }
  } finally {
    await program.stop();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { quick: { type: "boolean", default: false }, rounds: { type: "string", default: "3" } },
  });
  const missing = missingPrograms([...KDC_PROGRAMS, "named", "taskset", "dig"]);
  if (missing.length > 0) {
    process.stderr.write(`not installed: ${missing.join(", ")}; run: ${INSTALL_COMMAND}\n`);
    return 1;
  }
  const rounds = values.quick ? 2 : Number(values.rounds);
  const root = mkdtempSync(join(tmpdir(), "rollcall-bench-"));
  await pinMyself(CLIENT_CORE);
  const kdc = await Kdc.start();
  try {
    Object.assign(process.env, kdc.env);
    const keytab = await kdc.keytab("dns.keytab", SERVICE);
    const env = await kdc.login(CLIENT);
    const figures: Record<string, Figures[]> = { named: [], rollcall: [] };
    for (let round = 0; round < rounds; round++) {
      for (const server of round % 2 === 0 ? [named, rollcall] : [rollcall, named]) {
        process.stderr.write(`round ${round + 1} of ${rounds}, ${server.name}\n`);
        const seconds = values.quick ? QUICK_SECONDS : SECONDS;
        figures[server.name]!.push(await measure(server, root, keytab, env, seconds));
      }
    }
    for (const [name, all] of Object.entries(figures)) {
      const rate = spreadText(spread(all.map(({ perSecond }) => perSecond)), 0);
      const cost = spreadText(spread(all.map(({ microseconds }) => microseconds)), 0);
      process.stdout.write(
        `${name.padEnd(9)} ${rate} GSS-signed updates/s, ${cost} µs of processor time each\n`,
      );
    }
    const rateOf = (name: string): number[] => figures[name]!.map(({ perSecond }) => perSecond);
    const between = ratio(rateOf("rollcall"), rateOf("named"));
    process.stdout.write(`rollcall / named ${between === undefined ? "-" : spreadText(between, 2)}\n`);
    return 0;
  } finally {
    await kdc.remove();
    rmSync(root, { recursive: true, force: true });
  }
}

process.exitCode = await main();
