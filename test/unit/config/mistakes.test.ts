/** Every kind of mistake in a configuration: its code, its line and column, and that the advice helps. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import type { ConfigProblem } from "../../../src/config/problem.ts";
import { keytabFile } from "../../support/keytab.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rollcall-config-"));
  writeFileSync(join(folder, "smb.example.zone"), "; looked for, not read\n");
  const key = `key "dhcp.smb.example" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"; };\n`;
  writeFileSync(join(folder, "keys.conf"), key, { mode: 0o600 });
  writeFileSync(join(folder, "same.conf"), key, { mode: 0o600 });
  writeFileSync(join(folder, "open.conf"), key);
  chmodSync(join(folder, "open.conf"), 0o644);
  const broken = `key "a" {\n  algorithm hmac-md5;\n  secret "!!";\n};\n`;
  writeFileSync(join(folder, "broken.conf"), broken, { mode: 0o600 });
  writeFileSync(join(folder, "plain"), "");
  const entry = { components: ["DNS", "ns1.smb.example"], realm: "SMB.EXAMPLE", version: 1, encryption: 18 };
  writeFileSync(join(folder, "dns.keytab"), keytabFile(entry), { mode: 0o640 });
  writeFileSync(join(folder, "rc4.keytab"), keytabFile({ ...entry, encryption: 23 }), { mode: 0o600 });
  const web = { ...entry, components: ["HTTP", "ns1.smb.example"] };
  writeFileSync(join(folder, "http.keytab"), keytabFile(web), { mode: 0o600 });
  writeFileSync(join(folder, "empty.keytab"), keytabFile(), { mode: 0o600 });
  writeFileSync(join(folder, "open.keytab"), keytabFile(entry));
  chmodSync(join(folder, "open.keytab"), 0o644);
  mkdirSync(join(folder, "folder.zone"));
});

afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string) {
  const path = join(folder, "rollcall.toml");
  writeFileSync(path, text);
  return loadConfig(path);
}

const HEAD = `listen = ["127.0.0.1:0"]\ndata = "data"\nkeys = ["keys.conf"]\n`;
const GSS = `[gss]\nkeytab = "dns.keytab"\n`;
const ZONE = `${HEAD}[[zone]]\nname = "smb.example"\n`;

const FORWARD = `[[forward]]\nupstreams = ["192.0.2.1"]\nclients = ["10.0.0.0/8"]\n`;

interface Mistake {
  readonly name: string;
  readonly text: string;
  /** Code, line, and a part of message or advice. */
  readonly expected: readonly (readonly [code: string, line: number | undefined, says: string])[];
}

const MISTAKES: readonly Mistake[] = [
  {
    name: "a time of day that is none",
    text: `${ZONE}[zone.ageing]\nat = "24:00"\n`,
    expected: [["CONFIG_TIME", 7, `"24:00" is not a time of day`]],
  },
  {
    name: "ageing that hosts cannot keep up with",
    text: `${ZONE}[zone.ageing]\nrefresh = "23h"\n`,
    expected: [["CONFIG_VALUE", 7, "once in 24 hours"]],
  },
  {
    name: "leases that would have to be longer than the longest",
    text: `${ZONE}[zone.ageing]\nmin_lease = "2h"\nmax_lease = "1h"\nmax_key_lease = "90m"\n`,
    expected: [
      ["CONFIG_VALUE", 8, "shorter than min_lease"],
      ["CONFIG_VALUE", 9, "shorter than min_lease"],
    ],
  },
  {
    name: "an owner and an exemption for those who may not write",
    text: `${ZONE}[[zone.update]]\nkey = "dhcp.smb.example"\nallow = false\nown = true\nstatic = true\n`,
    expected: [
      ["CONFIG_RULE", 9, "own says nothing in a rule that forbids"],
      ["CONFIG_RULE", 10, "static says nothing in a rule that forbids"],
    ],
  },
  {
    name: "a forward without upstreams or clients",
    text: `${ZONE}[[forward]]\nnames = ["corp.example"]\n`,
    expected: [
      ["CONFIG_MISSING", 6, `"upstreams" is missing`],
      ["CONFIG_MISSING", 6, `"clients" is missing`],
    ],
  },
  {
    name: "a forward with nobody to ask, nobody to ask for, and a name that is none",
    text: `${ZONE}[[forward]]\nnames = ["*.a"]\nupstreams = ["0.0.0.0", "dns.example"]\nclients = ["all"]\n`,
    expected: [
      ["CONFIG_NAME", 7, `cannot be named "*.a"`],
      ["CONFIG_ADDRESS", 8, "nobody can be asked"],
      ["CONFIG_ADDRESS", 8, "not a numeric"],
      ["CONFIG_NETWORK", 9, "all"],
    ],
  },
  {
    name: "a forward within a zone, an upstream twice, and a name forwarded twice",
    text: `${ZONE}[[forward]]
names = ["sub.smb.example", "corp.example"]
upstreams = ["192.0.2.1", "192.0.2.1:53"]
clients = ["10.0.0.0/8"]
[[forward]]
names = ["corp.example"]
upstreams = ["192.0.2.2"]
clients = ["10.0.0.0/8"]
`,
    expected: [
      ["CONFIG_FORWARD", 7, "within the zone smb.example"],
      ["CONFIG_DUPLICATE", 8, "listed twice"],
      ["CONFIG_DUPLICATE", 11, "corp.example is forwarded twice"],
    ],
  },
  {
    name: "two forwards for everything, and unknown names beside",
    text: `unknown = "nxdomain"\n${ZONE}${FORWARD}${FORWARD}`,
    expected: [
      ["CONFIG_FORWARD", 1, "no name is unknown"],
      ["CONFIG_DUPLICATE", 10, "forwarded twice"],
    ],
  },
  {
    name: "a forward for everybody",
    text: `${ZONE}${FORWARD.replace("10.0.0.0/8", '0.0.0.0/0", "::/0", "::ffff:0:0/96')}`,
    expected: [
      ["CONFIG_FORWARD", 8, `"0.0.0.0/0" is everybody`],
      ["CONFIG_FORWARD", 8, `"::/0" is everybody`],
      ["CONFIG_FORWARD", 8, `"::ffff:0:0/96" is everybody`],
    ],
  },
  {
    name: "an upstream that is this server",
    text: `listen = ["127.0.0.1:53", "0.0.0.0:5300"]\ndata = "data"
[[forward]]\nupstreams = ["127.0.0.1", "127.0.0.9:5300", "127.0.0.1:5301"]\nclients = ["10.0.0.0/8"]\n`,
    expected: [
      ["CONFIG_FORWARD", 4, "127.0.0.1:53 is this server itself"],
      ["CONFIG_FORWARD", 4, "127.0.0.9:5300 is this server itself"],
    ],
  },
  {
    name: "unknown names treated in an unknown way",
    text: `unknown = "nxdomian"\nempty_zones = "yes"\n${ZONE}`,
    expected: [
      ["CONFIG_VALUE", 1, `Did you mean "nxdomain"?`],
      ["CONFIG_TYPE", 2, "true or false"],
    ],
  },
  {
    name: "not TOML",
    text: `listen = ["127.0.0.1:0"\ndata = "x"`,
    expected: [["CONFIG_SYNTAX", 2, "not valid TOML"]],
  },
  {
    name: "nothing at all",
    text: "",
    expected: [
      ["CONFIG_MISSING", 1, `"listen" is missing`],
      ["CONFIG_MISSING", 1, `"data" is missing`],
      ["CONFIG_NO_ZONES", 1, "[[zone]]"],
    ],
  },
  {
    name: "an unknown key",
    text: `lisen = []\n${ZONE}`,
    expected: [["CONFIG_UNKNOWN_KEY", 1, `Did you mean "listen"?`]],
  },
  {
    name: "an unknown section",
    text: `${ZONE}\n[serever]\nversion = ""\n`,
    expected: [["CONFIG_UNKNOWN_KEY", 7, `Did you mean "server"?`]],
  },
  {
    name: "an unknown key of a rule",
    text: `${ZONE}[[zone.update]]\nkey = "dhcp.smb.example"\ntype = ["A"]\n`,
    expected: [["CONFIG_UNKNOWN_KEY", 8, `Did you mean "types"?`]],
  },
  {
    name: "an unknown key within braces",
    text: `${ZONE}transfer = [\n  { net = "127.0.0.1" },\n  { nett = "::1", net = "::1" },\n]`,
    expected: [["CONFIG_UNKNOWN_KEY", 8, `Did you mean "net"?`]],
  },
  {
    name: "a number for text",
    text: ZONE.replace(`"data"`, "3"),
    expected: [["CONFIG_TYPE", 2, "text in quotes was expected"]],
  },
  {
    name: "text for a list",
    text: ZONE.replace(`["127.0.0.1:0"]`, `"127.0.0.1"`),
    expected: [["CONFIG_TYPE", 1, "a list in brackets was expected"]],
  },
  {
    name: "a table for a list of zones",
    text: `${HEAD}[zone]\nname = "a"\n`,
    expected: [["CONFIG_TYPE", 4, "a list in brackets was expected"]],
  },
  {
    name: "a fraction of a thread",
    text: `threads = 1.5\n${ZONE}`,
    expected: [["CONFIG_TYPE", 1, "whole number"]],
  },
  {
    name: "too many threads",
    text: `threads = 65\n${ZONE}`,
    expected: [["CONFIG_VALUE", 1, "64 is the most"]],
  },
  {
    name: "a negative count",
    text: `${ZONE}[limits]\ntransfers = -1\n`,
    expected: [["CONFIG_VALUE", 7, "1 is the least"]],
  },
  {
    name: "no address to listen on",
    text: ZONE.replace(`["127.0.0.1:0"]`, "[]"),
    expected: [["CONFIG_VALUE", 1, "at least one entry"]],
  },
  {
    name: "a host name to listen on",
    text: ZONE.replace("127.0.0.1:0", "localhost:53"),
    expected: [["CONFIG_ADDRESS", 1, `"localhost" is not a numeric`]],
  },
  {
    name: "a port too high",
    text: ZONE.replace("127.0.0.1:0", "127.0.0.1:65536"),
    expected: [["CONFIG_ADDRESS", 1, "0 to 65535"]],
  },
  {
    name: "IPv6 with a port and no brackets",
    text: ZONE.replace("127.0.0.1:0", "2001:db8::1:65536"),
    expected: [["CONFIG_ADDRESS", 1, "write [2001:db8::1]:65536"]],
  },
  {
    name: "brackets around IPv4",
    text: ZONE.replace("127.0.0.1:0", "[127.0.0.1]:53"),
    expected: [["CONFIG_ADDRESS", 1, "not an IPv6 address"]],
  },
  {
    name: "one address twice in two spellings",
    text: ZONE.replace(`["127.0.0.1:0"]`, `[\n  "[::1]:53",\n  "0:0::1",\n]`),
    expected: [["CONFIG_DUPLICATE", 3, "the first is on line 2"]],
  },
  {
    name: "a log level",
    text: `${ZONE}[log]\nlevel = "warning"\n`,
    expected: [["CONFIG_VALUE", 7, `Did you mean "warn"?`]],
  },
  {
    name: "a duration without a unit",
    text: `${ZONE}[limits]\ntcp_idle = "30"\n`,
    expected: [["CONFIG_DURATION", 7, "30s"]],
  },
  {
    name: "a duration too short",
    text: `${ZONE}[limits]\ntcp_idle = "1ms"\n`,
    expected: [["CONFIG_DURATION", 7, "1s is the least"]],
  },
  {
    name: "a size without a unit",
    text: `${ZONE}[journal]\nmax_size = "64"\n`,
    expected: [["CONFIG_SIZE", 7, "64MiB"]],
  },
  {
    name: "a zone's own journal",
    text: `${ZONE}journal = { max_age = "1y", max_sise = "1GiB" }\n`,
    expected: [
      ["CONFIG_DURATION", 6, "30d"],
      ["CONFIG_UNKNOWN_KEY", 6, "max_size"],
    ],
  },
  {
    name: "an identity too long",
    text: `${ZONE}[server]\nidentity = "${"x".repeat(256)}"\n`,
    expected: [["CONFIG_VALUE", 7, "255 octets"]],
  },
  {
    name: "a data directory that is a file",
    text: ZONE.replace(`"data"`, `"plain"`),
    expected: [["CONFIG_DATA", 2, "not a directory"]],
  },
  {
    name: "a data directory too deep for a socket",
    text: ZONE.replace(`"data"`, `"${"d/".repeat(60)}"`),
    expected: [["CONFIG_DATA", 2, "shorter path"]],
  },
  {
    name: "a zone without a name",
    text: `${HEAD}[[zone]]\nfile = "smb.example.zone"\n`,
    expected: [["CONFIG_MISSING", 4, `"name" is missing`]],
  },
  {
    name: "a bad zone name",
    text: `${HEAD}[[zone]]\nname = "smb..example"\n`,
    expected: [["CONFIG_NAME", 5, "empty label"]],
  },
  {
    name: "a wildcard for a zone",
    text: `${HEAD}[[zone]]\nname = "*.example"\n`,
    expected: [["CONFIG_NAME", 5, "wildcards are records"]],
  },
  {
    name: "one zone twice",
    text: `${ZONE}[[zone]]\nname = "SMB.example."\n`,
    expected: [["CONFIG_DUPLICATE", 7, "the first is on line 5"]],
  },
  {
    name: "a zone file that is not there",
    text: `${ZONE}file = "smb.exampel.zone"\n`,
    expected: [["CONFIG_ZONE_FILE", 6, "does not exist"]],
  },
  {
    name: "a zone file that is a directory",
    text: `${ZONE}file = "folder.zone"\n`,
    expected: [["CONFIG_ZONE_FILE", 6, "is not a file"]],
  },
  {
    name: "a secondary by name",
    text: `${ZONE}notify = ["ns2.smb.example"]\n`,
    expected: [["CONFIG_ADDRESS", 6, "not a numeric"]],
  },
  {
    name: "a secondary's port 0",
    text: `${ZONE}notify = ["192.0.2.1:0"]\n`,
    expected: [["CONFIG_ADDRESS", 6, "port 0"]],
  },
  {
    name: "one secondary twice",
    text: `${ZONE}notify = ["192.0.2.1",\n { address = "192.0.2.1:53" }]\n`,
    expected: [["CONFIG_DUPLICATE", 7, "192.0.2.1:53"]],
  },
  {
    name: "a secondary's unknown key",
    text: `${ZONE}notify = [{ address = "192.0.2.1", key = "dhpc.smb.example" }]\n`,
    expected: [["CONFIG_KEY_UNKNOWN", 6, `Did you mean "dhcp.smb.example"?`]],
  },
  {
    name: "a transfer entry for nobody",
    text: `${ZONE}transfer = [{}]\n`,
    expected: [["CONFIG_RULE", 6, "names nobody"]],
  },
  {
    name: "a network with host bits",
    text: `${ZONE}transfer = [{ net = "192.0.2.1/24" }]\n`,
    expected: [["CONFIG_NETWORK", 6, "192.0.2.0/24"]],
  },
  {
    name: "a rule for nobody",
    text: `${ZONE}[[zone.update]]\nnames = ["node1"]\n`,
    expected: [["CONFIG_RULE", 6, "names nobody"]],
  },
  {
    name: "a scope that is none",
    text: `${ZONE}[[zone.update]]\nkey = "dhcp.smb.example"\nscope = "sefl"\n`,
    expected: [["CONFIG_VALUE", 8, `Did you mean "self"?`]],
  },
  {
    name: "a prohibition with a scope, over TCP only",
    text: `${ZONE}[[zone.update]]\nallow = false\nscope = "self"\nudp = false\n`,
    expected: [
      ["CONFIG_RULE", 8, "has no scope"],
      ["CONFIG_RULE", 9, "must hold over UDP too"],
    ],
  },
  {
    name: "replace without the scope it belongs to",
    text: `${ZONE}[[zone.update]]\nkey = "dhcp.smb.example"\nreplace = true\n`,
    expected: [["CONFIG_RULE", 8, `belongs to scope = "source"`]],
  },
  {
    name: "the sender's address for nobody",
    text: `${ZONE}[[zone.update]]\nscope = "source"\n`,
    expected: [["CONFIG_RULE", 6, "names nobody"]],
  },
  {
    name: "the sender's address in a TXT",
    text: `${ZONE}[[zone.update]]\nnet = "127.0.0.1"\nscope = "source"\ntypes = ["A", "TXT"]\n`,
    expected: [["CONFIG_RULE", 9, "not about TXT"]],
  },
  {
    name: "a key that is no host's",
    text: `${ZONE.replace("smb.example", "other.example")}[[zone.update]]\nkey = "dhcp.smb.example"\nscope = "self"\n`,
    expected: [["CONFIG_RULE", 7, "is not named like a host of other.example"]],
  },
  {
    name: "unsigned updates that may come over UDP or not",
    text: `${ZONE}[[zone.update]]\nnet = "192.0.2.0/24"\n[[zone.update]]\nnet = "::/0"\n`,
    expected: [
      ["CONFIG_UNSIGNED_UDP", 7, "udp = true"],
      ["CONFIG_UNSIGNED_UDP", 9, "from ::/0 are kept out"],
    ],
  },
  {
    name: "hosts that can add their addresses to each other's names",
    text: `${ZONE}${[
      "",
      'names = ["*.lan"]\n',
      'names = ["a"]\n',
      "own = false\n",
      "own = true\n",
      'types = ["PTR"]\n',
    ]
      .map((more) => `[[zone.update]]\nnet = "10.0.0.0/8"\nscope = "source"\n${more}`)
      .join("")}`,
    expected: [
      ["CONFIG_SHARED_NAMES", 8, "own = true"],
      ["CONFIG_SHARED_NAMES", 11, "own = true"],
    ],
  },
  {
    name: "reverse records without a reverse zone",
    text: `${ZONE}ptr = true\n`,
    expected: [["CONFIG_PTR", 6, "no reverse zone is served here"]],
  },
  {
    name: "reverse records of a reverse zone",
    text: `${HEAD}[[zone]]\n[[zone]]\nname = "2.0.192.in-addr.arpa"\nptr = true\n`,
    expected: [
      ["CONFIG_MISSING", 4, `"name" is missing`],
      ["CONFIG_VALUE", 7, "Move it to the forward zone"],
    ],
  },
  {
    name: "a rule for a principal, and no [gss]",
    text: `${ZONE}[[zone.update]]\nprincipal = "NODE1$@SMB.EXAMPLE"\n`,
    expected: [["CONFIG_GSS", 7, `Add [gss] with keytab`]],
  },
  {
    name: "a rule for what is no principal",
    text: `${HEAD}${GSS}[[zone]]\nname = "smb.example"\n[[zone.update]]\nprincipal = "NODE1$"\n`,
    expected: [["CONFIG_PRINCIPAL", 9, `Write "NODE1$@SMB.EXAMPLE"`]],
  },
  {
    name: "[gss] without a keytab",
    text: `${HEAD}[gss]\ncontexts = 0\n[[zone]]\nname = "smb.example"\n`,
    expected: [
      ["CONFIG_MISSING", 4, `"keytab" is missing`],
      ["CONFIG_VALUE", 5, "1 is the least"],
    ],
  },
  {
    name: "a keytab that is not there",
    text: `${HEAD}[gss]\nkeytab = "none.keytab"\n[[zone]]\nname = "smb.example"\n`,
    expected: [["CONFIG_KEYTAB", 5, "does not exist"]],
  },
  {
    name: "a keytab that is none",
    text: `${HEAD}[gss]\nkeytab = "keys.conf"\n[[zone]]\nname = "smb.example"\n`,
    expected: [["CONFIG_KEYTAB", 5, "it is not a keytab"]],
  },
  {
    name: "a keytab without keys",
    text: `${HEAD}[gss]\nkeytab = "empty.keytab"\n[[zone]]\nname = "smb.example"\n`,
    expected: [["CONFIG_KEYTAB", 5, "has no keys"]],
  },
  {
    name: "a keytab that everybody may read",
    text: `${HEAD}[gss]\nkeytab = "open.keytab"\n[[zone]]\nname = "smb.example"\n`,
    expected: [["CONFIG_KEY_MODE", 5, "chmod 600"]],
  },
  {
    name: "a keytab with RC4 alone",
    text: `${HEAD}[gss]\nkeytab = "rc4.keytab"\n[[zone]]\nname = "smb.example"\n`,
    expected: [["CONFIG_KEYTAB", 5, "enctypes set"]],
  },
  {
    name: "a keytab without a key that hosts would ask for",
    text: `${HEAD}[gss]\nkeytab = "http.keytab"\n[[zone]]\nname = "smb.example"\n`,
    expected: [["CONFIG_KEYTAB", 5, "It has keys of HTTP/ns1.smb.example@SMB.EXAMPLE"]],
  },
  {
    name: "a principal that the keytab has no key of",
    text: `${HEAD}${GSS}principal = "DNS/ns2.smb.example@SMB.EXAMPLE"\n[[zone]]\nname = "smb.example"\n`,
    expected: [["CONFIG_KEYTAB", 5, "It has keys of DNS/ns1.smb.example@SMB.EXAMPLE"]],
  },
  {
    name: "a pattern for the server's own principal",
    text: `${HEAD}${GSS}principal = "DNS/*@SMB.EXAMPLE"\n[[zone]]\nname = "smb.example"\n`,
    expected: [["CONFIG_PRINCIPAL", 6, "leave it out"]],
  },
  {
    name: "a rule's unknown key",
    text: `${ZONE}[[zone.update]]\nkey = "other"\n`,
    expected: [["CONFIG_KEY_UNKNOWN", 7, "no key file holds"]],
  },
  {
    name: "a rule's type",
    text: `${ZONE}[[zone.update]]\nkey = "dhcp.smb.example"\ntypes = ["A", "AAAAA"]\n`,
    expected: [["CONFIG_RECORD_TYPE", 8, `Did you mean "AAAA"?`]],
  },
  {
    name: "a rule's meta type",
    text: `${ZONE}[[zone.update]]\nkey = "dhcp.smb.example"\ntypes = ["AXFR"]\n`,
    expected: [["CONFIG_RECORD_TYPE", 8, "AXFR"]],
  },
  {
    name: "a rule's names",
    text: `${ZONE}[[zone.update]]\nkey = "dhcp.smb.example"\nnames = ["a..b"]\n`,
    expected: [["CONFIG_NAME", 8, "empty label"]],
  },
  {
    name: "a rule that allows perhaps",
    text: `${ZONE}[[zone.update]]\nnet = "10.0.0.0/8"\nallow = "yes"\n`,
    expected: [["CONFIG_TYPE", 8, "true or false"]],
  },
  {
    name: "a key file that is not there",
    text: ZONE.replace("keys.conf", "kyes.conf"),
    expected: [["CONFIG_KEY_FILE", 3, "rollcall key generate"]],
  },
  {
    name: "a key file that others can read",
    text: ZONE.replace("keys.conf", "open.conf"),
    expected: [["CONFIG_KEY_MODE", 3, "chmod 600"]],
  },
  {
    name: "near that names nothing, or nothing that is a network",
    text: `${ZONE}near = ["subnets", "10.1.2.3/16"]\nnear_ipv4 = 33\n[[zone]]\nname = "b"\nnear = []\nnear_ipv6 = 64\n`,
    expected: [
      ["CONFIG_NETWORK", 6, `"subnet"`],
      ["CONFIG_NETWORK", 6, "10.1.0.0/16"],
      ["CONFIG_VALUE", 7, "32 is the most"],
      ["CONFIG_VALUE", 10, "is empty"],
    ],
  },
  {
    name: "a prefix length of a subnet that near does not name",
    text: `${ZONE}near = "10.1.0.0/16"\nnear_ipv4 = 24\n`,
    expected: [["CONFIG_VALUE", 7, `Write near = "subnet"`]],
  },
  {
    name: "NetBIOS names for nobody",
    text: `${ZONE}[netbios]\nlisten = []\n`,
    expected: [
      ["CONFIG_MISSING", 6, `"clients" is missing`],
      ["CONFIG_MISSING", 6, `"suffixes" is missing`],
      ["CONFIG_VALUE", 7, `"listen" is empty`],
    ],
  },
  {
    name: "NetBIOS over IPv6, of other zones, fed where nobody may",
    text: `${ZONE}[netbios]
listen = ["127.0.0.1", "127.0.0.1:137", "[::1]"]
clients = ["2001:db8::/32", "10.0.0.1/8"]
suffixes = ["smb.example", "lab.example"]
domains = [{ name = "SIXTEEN-LETTERS!", dns = "smb.example" }, { name = "lab", dns = "x..y" }]
`,
    expected: [
      ["CONFIG_ADDRESS", 7, "IPv4 alone"],
      ["CONFIG_NETWORK", 8, "IPv4 alone"],
      ["CONFIG_NETWORK", 8, "10.0.0.0/8"],
      ["CONFIG_NAME", 10, "1 to 15"],
      ["CONFIG_NAME", 10, "x..y"],
    ],
  },
  {
    name: "NetBIOS names for everybody",
    text: `${ZONE}[netbios]\nlisten = ["127.0.0.1"]\nclients = ["0.0.0.0/0"]\nsuffixes = ["smb.example"]\n`,
    expected: [["CONFIG_NETBIOS", 8, "0.0.0.0/0 is everybody"]],
  },
  {
    name: "NetBIOS names of zones that are not here, fed to one that takes none",
    text: `${ZONE}[netbios]
listen = ["127.0.0.1", "127.0.0.1:137"]
clients = ["10.0.0.0/8"]
suffixes = ["hosts.smb.example", "lab.example"]
domains = [{ name = "LAB", dns = "lab.example" }]
feed = true
`,
    expected: [
      ["CONFIG_DUPLICATE", 7, "127.0.0.1:137 is listed twice"],
      ["CONFIG_NETBIOS", 9, "lab.example is in no zone here"],
      ["CONFIG_NETBIOS", 10, "lab.example is in no zone here"],
      ["CONFIG_NETBIOS", 11, "no rule of smb.example takes unsigned updates"],
    ],
  },
  {
    name: "one key file twice",
    text: ZONE.replace(`"keys.conf"`, `"keys.conf", "./keys.conf"`),
    expected: [["CONFIG_DUPLICATE", 3, "listed twice"]],
  },
  {
    name: "one key in two files",
    text: ZONE.replace(`"keys.conf"`, `"keys.conf", "same.conf"`),
    expected: [["KEYFILE_DUPLICATE", 1, "dhcp.smb.example"]],
  },
  {
    name: "a bad key file",
    text: ZONE.replace("keys.conf", "broken.conf"),
    expected: [
      ["KEYFILE_MD5", 2, "weak"],
      ["KEYFILE_SECRET", 3, "base64"],
    ],
  },
];

describe("a mistake is named by code and line", () => {
  test.each(MISTAKES)("$name", ({ text, expected }) => {
    const { config, problems } = load(text);
    expect(problems.map(({ code, line }) => [code, line])).toEqual(
      expected.map(([code, line]) => [code, line]),
    );
    problems.forEach((problem, index) => {
      expect(`${problem.message} ${problem.advice ?? ""}`).toContain(expected[index]![2]);
    });
    expect(config === undefined).toBe(problems.some(({ severity }) => severity === "error"));
  });

  test("a file that is not there", () => {
    const { config, problems } = loadConfig(join(folder, "none.toml"));
    expect(config).toBeUndefined();
    expect(problems).toMatchObject([{ code: "CONFIG_READ" }]);
    expect(problems[0]!.line).toBeUndefined();
    expect(problems[0]!.message).toContain("no such file");
  });
});

test("mistakes all over a file are told at once, in the order of their lines", () => {
  const { problems } = load(
    [
      `listen = ["127.0.0.1:x", 3]`,
      `data = 5`,
      `keys = ["keys.conf"]`,
      `[[zone]]`,
      `name = "smb.example"`,
      `notify = ["nowhere", { address = "192.0.2.1", key = "none" }]`,
      `transfer = [{ net = "10.0.0.0/33", key = "none" }]`,
      `bogus = 1`,
      `[[zone.update]]`,
      `key = "none"`,
      `names = ["..", "ok", "a..b"]`,
      `types = ["Q"]`,
      `allow = 1`,
      `[[zone]]`,
      `name = "x..y"`,
    ].join("\n"),
  );
  const places = problems.map(({ code, line, column }: ConfigProblem) => `${code} ${line}:${column}`);
  expect(places).toEqual([
    "CONFIG_ADDRESS 1:11",
    "CONFIG_TYPE 1:26",
    "CONFIG_TYPE 2:8",
    "CONFIG_ADDRESS 6:11",
    "CONFIG_KEY_UNKNOWN 6:53",
    "CONFIG_NETWORK 7:21",
    "CONFIG_KEY_UNKNOWN 7:42",
    "CONFIG_UNKNOWN_KEY 8:1",
    "CONFIG_KEY_UNKNOWN 10:7",
    "CONFIG_NAME 11:10",
    "CONFIG_NAME 11:22",
    "CONFIG_RECORD_TYPE 12:10",
    "CONFIG_TYPE 13:9",
    "CONFIG_NAME 15:8",
  ]);
});

test("a key file that cannot be read is not made worse by every rule that names its keys", () => {
  const { problems } = load(
    `${ZONE.replace("keys.conf", "open.conf")}[[zone.update]]\nkey = "dhcp.smb.example"\n`,
  );
  expect(problems.map(({ code }) => code)).toEqual(["CONFIG_KEY_MODE"]);
});
