/** Real servers as upstreams: unbound with local data, and named with a zone that it also recurses for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dig } from "./clients.ts";
import { freePort } from "./free-port.ts";
import { Daemon, eventually, findProgram } from "./process.ts";
import { writeIn } from "./secondary.ts";

/** Records of corp.example as both serve them: `OWNER TTL TYPE RDATA`, all absolute. */
const CORP: readonly string[] = [
  "corp.example. 600 SOA ns.corp.example. h.corp.example. 1 3600 600 86400 45",
  "corp.example. 600 NS ns.corp.example.",
  "ns.corp.example. 600 A 192.0.2.53",
  "www.corp.example. 300 A 192.0.2.1",
  "www.corp.example. 300 A 192.0.2.2",
  "www.corp.example. 300 AAAA 2001:db8::1",
  "alias.corp.example. 120 CNAME www.corp.example.",
  "short.corp.example. 1 A 192.0.2.9",
  "_ldap._tcp.corp.example. 600 SRV 0 100 389 ns.corp.example.",
  ...Array.from({ length: 40 }, (_, i) => `big.corp.example. 300 TXT "${String(i).padStart(60, "x")}"`),
];

/** How to run one kind of upstream server. */
interface ResolverProgram {
  readonly name: string;
  readonly configure: (directory: string, port: number) => string[];
}

export const unbound: ResolverProgram = {
  name: "unbound",
  configure(directory, port) {
    const data = CORP.map((record) => `  local-data: '${record}'\n`).join("");
    const config = `server:
  interface: 127.0.0.1
  port: ${port}
  num-threads: 1
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
  local-zone: "corp.example." static
${data}remote-control:
  control-enable: no
`;
    return ["-d", "-c", writeIn(directory, "unbound.conf", config)];
  },
};

export const recursiveNamed: ResolverProgram = {
  name: "named",
  configure(directory, port) {
    writeIn(directory, "corp.zone", `${CORP.join("\n")}\n`);
    const config = `options {
  directory "${directory}";
  pid-file none;
  lock-file none;
  session-keyfile none;
  managed-keys-directory "${directory}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion yes;
  allow-recursion { 127.0.0.0/8; };
  dnssec-validation no;
  minimal-responses no;
};
controls { };
zone "." { type hint; file "/dev/null"; };
zone "corp.example" { type primary; file "corp.zone"; };
`;
    return ["-g", "-n", "1", "-c", writeIn(directory, "named.conf", config)];
  },
};

/** An upstream server of a real program, in a folder of its own. */
export class Resolver {
  readonly port: number;
  readonly #program: ResolverProgram;
  readonly #directory: string;
  #daemon: Daemon | undefined;

  private constructor(program: ResolverProgram, port: number) {
    this.#program = program;
    this.port = port;
    this.#directory = mkdtempSync(join(tmpdir(), `rollcall-${program.name}-`));
  }

  static async start(program: ResolverProgram): Promise<Resolver> {
    const resolver = new Resolver(program, await freePort());
    try {
      await resolver.up();
    } catch (error) {
      await resolver.remove();
      throw error;
    }
    return resolver;
  }

  /** Address and port, as the configuration has them. */
  get text(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts the process and waits until it answers. */
  async up(): Promise<void> {
    const args = this.#program.configure(this.#directory, this.port);
    const path = findProgram(this.#program.name)!;
    this.#daemon = new Daemon(this.#program.name, path, args, { cwd: this.#directory });
    await eventually(
      `${this.#program.name} answers`,
      async () => (await dig(this, "www.corp.example", "A", "+tries=1", "+time=1")).status,
      (status) => status === "NOERROR",
    );
  }

  async down(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#daemon?.stop(signal);
  }

  async remove(): Promise<void> {
    await this.down("SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
