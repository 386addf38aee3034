/** A throw-away MIT Kerberos realm: its own configuration, database and port, nothing of the machine's. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { Daemon, run } from "./process.ts";

const REALM = "SMB.EXAMPLE";
/** What the suites that need a realm need installed. */
export const KDC_PROGRAMS = ["krb5kdc", "kdb5_util", "kadmin.local", "kinit", "klist", "nsupdate"] as const;

export class Kdc {
  readonly directory: string;
  /** For every program that is to know the realm. */
  readonly env: NodeJS.ProcessEnv;
  #daemon: Daemon | undefined;

  private constructor(directory: string) {
    this.directory = directory;
    this.env = {
      ...process.env,
      KRB5_CONFIG: join(directory, "krb5.conf"),
      KRB5_KDC_PROFILE: join(directory, "kdc.conf"),
      KRB5RCACHEDIR: directory,
      KRB5CCNAME: `FILE:${join(directory, "nobody.ccache")}`,
    };
  }

  static async start(): Promise<Kdc> {
    const directory = mkdtempSync(join(tmpdir(), "rollcall-kdc-"));
    const kdc = new Kdc(directory);
    try {
      await kdc.#up();
    } catch (error) {
      await kdc.remove();
      throw error;
    }
    return kdc;
  }

  async #up(): Promise<void> {
    const port = await freePort();
    const { directory } = this;
    mkdirSync(join(directory, "db"));
    writeFileSync(
      join(directory, "krb5.conf"),
      `[libdefaults]
 default_realm = ${REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
[realms]
 ${REALM} = {
  kdc = 127.0.0.1:${port}
 }
[domain_realm]
 .smb.example = ${REALM}
 smb.example = ${REALM}
`,
    );
    writeFileSync(
      join(directory, "kdc.conf"),
      `[realms]
 ${REALM} = {
  database_name = ${directory}/db/principal
  key_stash_file = ${directory}/db/stash
  acl_file = ${directory}/db/acl
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
 }
[logging]
 kdc = STDERR
`,
    );
    await this.#run("kdb5_util", "create", "-s", "-P", "throw-away", "-r", REALM);
    this.#daemon = new Daemon("krb5kdc", "/usr/sbin/krb5kdc", ["-n", "-r", REALM], { env: this.env });
    await this.#daemon.line((line) => line.includes("commencing operation"));
  }

  /** Makes a principal, or gives it new keys, and writes them to a keytab of that name in the realm's folder. */
  async keytab(file: string, ...principals: string[]): Promise<string> {
    const path = join(this.directory, file);
    for (const principal of principals) {
      await run("kadmin.local", ["-r", REALM, "-q", `addprinc -randkey ${principal}`], { env: this.env });
      await this.#run("kadmin.local", "-r", REALM, "-q", `ktadd -k ${path} ${principal}`);
    }
    return path;
  }

  /**
   * Logs a principal in with a keytab of its own.
   * @param lifetime of its tickets: `10s`, `10h`
   * @returns the environment of its programs
   */
  async login(principal: string, lifetime = "1h"): Promise<NodeJS.ProcessEnv> {
    const file = principal.replaceAll(/\W/g, "_");
    const path = await this.keytab(`${file}.keytab`, principal);
    const env = { ...this.env, KRB5CCNAME: `FILE:${join(this.directory, `${file}.ccache`)}` };
    const { code, stderr } = await run("kinit", ["-k", "-t", path, "-l", lifetime, principal], { env });
    if (code !== 0) throw new Error(`kinit: ${stderr}`);
    return env;
  }

  async #run(program: string, ...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await run(program, args, { env: this.env });
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${stdout}${stderr}`);
  }

  async remove(): Promise<void> {
    await this.#daemon?.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
