/** A server to update: keys of every algorithm, a forward and a reverse zone, rules of every kind. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { RollcallServer } from "./rollcall.ts";

/** Algorithms whose keys a server takes without further ado (RFC 8945 §6). */
export const ALGORITHMS = ["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"] as const;

/** The name of the key that {@link startUpdateServer} makes for an algorithm. */
export function keyNameOf(algorithm: string): string {
  return `${algorithm}.key.example`;
}

/** A secret that is the same in every run, as base64. */
export function secretOf(keyName: string): string {
  return createHash("sha512").update(keyName).digest("base64");
}

/** The argument of `-y`, with the right secret or another. */
export function inlineKey(
  algorithm: string,
  keyName = keyNameOf(algorithm),
  secret = secretOf(keyName),
): string {
  return `${algorithm}:${keyName}:${secret}`;
}

/** A key file of one key. */
export function keyFile(algorithm: string, keyName = keyNameOf(algorithm)): string {
  return `key "${keyName}" {\n\talgorithm ${algorithm};\n\tsecret "${secretOf(keyName)}";\n};\n`;
}

/** The key that may change everything. */
export const MASTER = inlineKey("hmac-sha256");

export const FORWARD_ZONE = `$TTL 300
@       IN SOA ns1 hostmaster 100 900 60 1209600 30
@       IN NS  ns1
@       IN NS  ns2
ns1     IN A   192.0.2.53
ns2     IN A   192.0.2.54
fs1     IN A   192.0.2.1
        IN A   192.0.2.2
        IN TXT "first file server"
alias   IN CNAME fs1
deep.er IN A   192.0.2.9
`;

const REVERSE_ZONE = `$TTL 300
@       IN SOA ns1.smb.example. hostmaster.smb.example. 7 900 60 1209600 30
@       IN NS  ns1.smb.example.
1       IN PTR fs1.smb.example.
`;

export interface UpdateServerOptions {
  /** Keys of these algorithms, each allowed everything that the tests change. */
  readonly algorithms?: readonly string[];
  /** Top-level tables of the configuration. */
  readonly tables?: string;
  /** Further lines of smb.example's `[[zone]]`, and its `[[zone.update]]` sections before those of the keys. */
  readonly rules?: string;
  /** The same for the reverse zone. */
  readonly reverse?: string;
  readonly listen?: readonly string[];
  /** Names of further keys, hmac-sha256, without a rule of their own. */
  readonly keys?: readonly string[];
}

/** Starts it; each key also lies in a file of its own, see {@link keyPath}. */
export function startUpdateServer(options: UpdateServerOptions = {}): Promise<RollcallServer> {
  const { algorithms = ALGORITHMS, tables = "", rules = "", reverse = "", keys = [], listen } = options;
  const files: Record<string, string> = { "smb.zone": FORWARD_ZONE, "reverse.zone": REVERSE_ZONE };
  for (const algorithm of algorithms) files[`${algorithm}.conf`] = keyFile(algorithm);
  for (const key of keys) files[`${key}.conf`] = keyFile("hmac-sha256", key);
  // What is guarded must be listed by name.
  const keyRules = algorithms
    .map((algorithm) => `[[zone.update]]\nkey = "${keyNameOf(algorithm)}"\nnames = NAMES\n`)
    .join("");
  const transfer = `transfer = [{ net = "127.0.0.0/8" }, { net = "::1/128" }]`;
  const config = `keys = ${JSON.stringify([...algorithms, ...keys].map((name) => `${name}.conf`))}
${tables}
[[zone]]
name = "smb.example"
file = "smb.zone"
${transfer}
${rules}
${keyRules.replaceAll("NAMES", String.raw`["*", "@", "ns1", "ns2", "wpad", "\\*", "\\*.w.nsupdate", "\\*.w.knsupdate"]`)}
[[zone]]
name = "2.0.192.in-addr.arpa"
file = "reverse.zone"
${transfer}
${reverse}
${keyRules.replaceAll("NAMES", `["*", "@"]`)}
`;
  return RollcallServer.start({ config, files, ...(listen === undefined ? {} : { listen }) });
}

/** The file of a key, for `nsupdate -k`. */
export function keyPath(server: RollcallServer, name: string): string {
  return join(server.directory, `${name}.conf`);
}
