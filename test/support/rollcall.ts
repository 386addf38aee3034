/** A Rollcall server of its own for a test: its own folder, free ports, started the way an operator starts it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { controlSocketPath } from "../../src/config/paths.ts";
import { control } from "../../src/control/client.ts";
import type { RequestOptions } from "../../src/control/client.ts";
import type { RecordJson, ServerStatus, VerbArgs, VerbName, VerbResult } from "../../src/control/verbs.ts";
import { Daemon, run } from "./process.ts";
import type { Finished } from "./process.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");

export interface RollcallOptions {
  /** Lines of the configuration beside `listen` and `data`; `[[zone]]` sections last, as TOML asks. */
  readonly config?: string;
  /** Further files to lie beside the configuration: zone files, key files. Those named *.conf get mode 0600. */
  readonly files?: Readonly<Record<string, string>>;
  /** Addresses to listen on; port 0 takes a free one. */
  readonly listen?: readonly string[];
  /** Environment variables of the process beside those of the test. */
  readonly env?: NodeJS.ProcessEnv;
  /** Program and arguments that run the process, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

/** A small zone with everything the tests ask for; `$ORIGIN` is not set, so it serves for any apex. */
export const SMALL_ZONE = `$TTL 300
@       IN SOA ns1 hostmaster 1 900 60 1209600 30
@       IN NS  ns1
ns1     IN A   192.0.2.53
        IN AAAA 2001:db8::53
fs1     IN A   192.0.2.1
fs2     IN A   192.0.2.2
`;

export class RollcallServer {
  readonly directory: string;
  /** Port of the first address, UDP and TCP. */
  port = 0;
  /** All addresses, with their ports. */
  addresses: readonly string[] = [];
  readonly #env: NodeJS.ProcessEnv;
  readonly #prefix: readonly string[];
  #daemon: Daemon | undefined;

  private constructor(directory: string, { env = {}, prefix = [] }: RollcallOptions) {
    this.directory = directory;
    this.#env = { ...process.env, ...env };
    this.#prefix = prefix;
  }

  /** Writes configuration and files into a new folder and starts the server there. */
  static async start(options: RollcallOptions = {}): Promise<RollcallServer> {
    const server = RollcallServer.prepare(options);
    try {
      await server.up();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Only writes the files. */
  static prepare(options: RollcallOptions = {}): RollcallServer {
    const directory = mkdtempSync(join(tmpdir(), "rollcall-test-"));
    const server = new RollcallServer(directory, options);
    for (const [name, text] of Object.entries(options.files ?? {})) {
      writeFileSync(join(directory, name), text, { mode: name.endsWith(".conf") ? 0o600 : 0o644 });
    }
    server.configure(options);
    return server;
  }

  get configFile(): string {
    return join(this.directory, "rollcall.toml");
  }

  get daemon(): Daemon {
    return this.#daemon!;
  }

  /** Writes the configuration anew; a running server takes it with {@link reload} or a signal. */
  configure({ config = "", listen = ["127.0.0.1:0"] }: RollcallOptions): void {
    writeFileSync(this.configFile, `listen = ${JSON.stringify(listen)}\ndata = "data"\n${config}`);
  }

  /** Starts the process and waits until it says it is ready. */
  async up(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** Starts the process and does not wait for anything. */
  launch(): void {
    const serve = [process.execPath, MAIN, "serve", "--config", this.configFile];
    const [program, ...args] = [...this.#prefix, ...serve];
    const daemon = new Daemon("rollcall", program!, args, { cwd: this.directory, env: this.#env });
    this.#daemon = daemon;
  }

  /** Waits until it says it is ready. */
  async ready(): Promise<void> {
    const line = await this.daemon.line((text) => text.includes('"msg":"ready"'));
    const ready = JSON.parse(line) as { listen: string[] };
    this.addresses = ready.listen;
    this.port = Number(ready.listen[0]!.split(":").at(-1));
  }

  /** Runs a command of the command line on this server: an import of a large zone beside other work takes its time. */
  cli(...args: string[]): Promise<Finished> {
    const options = { cwd: this.directory, timeout: 120_000 };
    return run(process.execPath, [MAIN, ...args, "--config", this.configFile], options);
  }

  /** Runs a command with `--json` and gives what it printed. @throws where it does not end well */
  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.cli(...args, "--json");
    if (code !== 0) throw new Error(`rollcall ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Asks over the control socket, as the command line does but without a process for each question. */
  control<V extends VerbName>(
    verb: V,
    args: VerbArgs<V>,
    options: RequestOptions = {},
  ): Promise<VerbResult<V>> {
    return control(controlSocketPath(join(this.directory, "data")), verb, args, options);
  }

  status(): Promise<ServerStatus> {
    return this.control("status", {});
  }

  /** The records of a zone as the server shows them, `OWNER TTL TYPE DATA`, sorted. */
  async records(zone: string): Promise<string[]> {
    const records: RecordJson[] = [];
    const onData = (part: unknown): void => void records.push(...(part as RecordJson[]));
    await this.control("zone.show", { zone: `${zone}.` }, { onData });
    return records.map(({ name, ttl, type, data }) => `${name} ${ttl} ${type} ${data}`).toSorted();
  }

  /** All log lines so far, parsed. */
  get log(): Record<string, unknown>[] {
    return this.daemon.output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Waits for a log line. */
  async logged(match: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const line = await this.daemon.line(
      (text) => text.startsWith("{") && match(JSON.parse(text) as Record<string, unknown>),
    );
    return JSON.parse(line) as Record<string, unknown>;
  }

  /** Ends the process; its folder stays, so that {@link up} can start it again. Resolves with the exit code. */
  async down(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    return (await this.#daemon?.stop(signal)) ?? null;
  }

  /** Ends the process and removes its folder. */
  async remove(): Promise<void> {
    await this.down();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
