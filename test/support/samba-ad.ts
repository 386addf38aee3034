/**
 * A throw-away Active Directory domain of Samba's, in a network of its own: its controller, and hosts that join it. It has
 * no DNS of its own; whoever serves the domain's zone is its resolver.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NetworkNamespace } from "./netns.ts";
import { Daemon, eventually, run } from "./process.ts";
import type { Finished } from "./process.ts";

export const AD_PROGRAMS = [
  "samba",
  "samba-tool",
  "samba_dnsupdate",
  "net",
  "dig",
  "ip",
  "nsupdate",
] as const;
/** Of the network's addresses: the controller's, the name server's, the host's. */
export const CONTROLLER = "10.77.0.1";
export const NAME_SERVER = "10.77.0.2";
export const HOST = "10.77.0.3";
const PASSWORD = "Throw-away 1";

export class SambaDomain {
  readonly directory: string;
  readonly network: NetworkNamespace;
  #daemon: Daemon | undefined;

  private constructor() {
    this.directory = mkdtempSync(join(tmpdir(), "rollcall-ad-"));
    this.network = new NetworkNamespace([CONTROLLER, NAME_SERVER, HOST].map((address) => `${address}/32`));
  }

  /** Why there can be none here; undefined where there can. */
  static obstacle(): string | undefined {
    const provision = "/usr/share/samba/setup/provision.ldif";
    return existsSync(provision) ? NetworkNamespace.obstacle() : "samba-ad-provision is not installed";
  }

  /** Makes the domain SMB.EXAMPLE; {@link up} starts its controller. */
  static async provision(): Promise<SambaDomain> {
    const domain = new SambaDomain();
    try {
      await domain.#provision();
    } catch (error) {
      await domain.remove();
      throw error;
    }
    return domain;
  }

  async #provision(): Promise<void> {
    const { directory, network } = this;
    // Programs inside find their resolver here.
    const etc = join("/etc/netns", network.name);
    mkdirSync(etc, { recursive: true });
    writeFileSync(join(etc, "resolv.conf"), `nameserver ${NAME_SERVER}\nsearch smb.example\n`);
    writeFileSync(
      join(directory, "krb5.conf"),
      `[libdefaults]
 default_realm = SMB.EXAMPLE
 dns_lookup_realm = false
 dns_lookup_kdc = true
 rdns = false
[domain_realm]
 .smb.example = SMB.EXAMPLE
`,
    );
    const options = [`interfaces=${CONTROLLER}`, "bind interfaces only=yes"];
    await this.run(
      "samba-tool",
      "domain",
      "provision",
      "--realm=SMB.EXAMPLE",
      "--domain=SMB",
      `--adminpass=${PASSWORD}`,
      "--server-role=dc",
      "--dns-backend=NONE",
      "--host-name=dc1",
      `--host-ip=${CONTROLLER}`,
      `--targetdir=${join(directory, "dc")}`,
      ...options.map((option) => `--option=${option}`),
    );
    // It is to register when it is told to.
    const text = readFileSync(this.#configuration, "utf8");
    const quiet = text.replace(", dnsupdate", "").replace(/log file = .*/, "log file = /dev/null");
    writeFileSync(this.#configuration, quiet);
  }

  get #configuration(): string {
    return join(this.directory, "dc/etc/smb.conf");
  }

  /** Makes an account with a service's principal, and gives its keytab. */
  async service(account: string, principal: string, keytab: string): Promise<void> {
    const config = ["-s", this.#configuration];
    await this.run("samba-tool", "user", "create", account, "--random-password", ...config);
    await this.run("samba-tool", "spn", "add", principal, account, ...config);
    await this.run("samba-tool", "domain", "exportkeytab", keytab, `--principal=${principal}`, ...config);
  }

  /** Starts the controller. */
  async up(): Promise<void> {
    const [program, ...prefix] = this.network.prefix;
    const args = [...prefix, "samba", "-F", "-s", this.#configuration, "--debug-stdout"];
    this.#daemon = new Daemon("samba", program!, args, { env: this.#env });
    await eventually(
      "the controller's services",
      async () => (await this.network.run("ss", ["-lnt"])).stdout,
      (sockets) => [88, 389, 445].every((port) => sockets.includes(`${CONTROLLER}:${port} `)),
      60_000,
    );
  }

  /** A host joins the domain. @returns its configuration file */
  async join(name: string): Promise<string> {
    const home = join(this.directory, name);
    const folders = ["private", "lock", "state", "cache"];
    for (const folder of folders) mkdirSync(join(home, folder), { recursive: true });
    const file = join(home, "smb.conf");
    writeFileSync(
      file,
      `[global]
 workgroup = SMB
 realm = SMB.EXAMPLE
 security = ADS
 netbios name = ${name}
 private dir = ${home}/private
 lock directory = ${home}/lock
 state directory = ${home}/state
 cache directory = ${home}/cache
 pid directory = ${home}
 interfaces = ${HOST}/24
 bind interfaces only = yes
 log file = /dev/null
`,
    );
    await this.run("net", "ads", "join", "--no-dns-updates", "-s", file, "-U", `Administrator%${PASSWORD}`);
    return file;
  }

  /** `net ads dns …` as a host. */
  netDns(configuration: string, ...args: string[]): Promise<Finished> {
    return this.#try("net", "ads", "dns", ...args, "-P", "-s", configuration);
  }

  /** The controller registers all its names. What it and nsupdate print is in order on stdout. */
  dnsUpdate(): Promise<Finished> {
    const options = ["--all-names", "--use-nsupdate", "--verbose"];
    const command = 'PYTHONUNBUFFERED=1 exec samba_dnsupdate "$@" 2>&1';
    return this.#try("sh", "-c", command, "sh", "-s", this.#configuration, ...options);
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, KRB5_CONFIG: join(this.directory, "krb5.conf"), KRB5RCACHEDIR: this.directory };
  }

  #try(program: string, ...args: string[]): Promise<Finished> {
    const [first, ...prefix] = this.network.prefix;
    return run(first!, [...prefix, program, ...args], { env: this.#env, timeout: 120_000 });
  }

  /** Runs a program inside. @throws where it fails */
  async run(program: string, ...args: string[]): Promise<Finished> {
    const finished = await this.#try(program, ...args);
    const { code, stdout, stderr } = finished;
    if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    return finished;
  }

  async remove(): Promise<void> {
    await this.#daemon?.stop();
    rmSync(join("/etc/netns", this.network.name), { recursive: true, force: true });
    this.network[Symbol.dispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
