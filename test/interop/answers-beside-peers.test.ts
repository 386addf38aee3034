/**
 * The same zones, the same questions: what named and knotd answer is what Rollcall answers, but for the differences
 * listed here, each with its reason. RCODE, AA, answer and authority are compared, modulo order and letter case.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeMessage, type Message } from "../../src/wire/message.ts";
import { typeFromText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { freePort } from "../support/free-port.ts";
import { describeWith } from "../support/peers.ts";
import { Daemon, eventually, findProgram } from "../support/process.ts";
import { askTcp, askUdp } from "../support/sockets.ts";
import { answerText, queryOctets, recordsOf, rrText, serve } from "../support/zones.ts";

const TRICKY = `
$TTL 600
@               3600 SOA   ns hostmaster 1 900 300 86400 60
                     NS    ns
                     NS    ns.other.test.
                     A     192.0.2.1
ns                   A     192.0.2.2
host                 A     192.0.2.3
host                 A     192.0.2.4
HOST                 TXT   "two cases"
deep.ent             A     192.0.2.5
alias                CNAME host
alias2               CNAME alias
gone                 CNAME nowhere
nodata               CNAME text
text                 TXT   "only text"
outside              CNAME host.other.test.
loop1                CNAME loop2
loop2                CNAME loop1
self                 CNAME self
*.wild               A     192.0.2.6
*.wild               TXT   "wild"
exact.wild           TXT   "exact"
below.ent.wild       A     192.0.2.7
*.walias             CNAME host
*.wgone              CNAME nowhere
sub.*.star           TXT   "not a wildcard"
sub                  NS    ns.sub
                     NS    ns
ns.sub               A     192.0.2.8
hidden.sub           A     192.0.2.9
tosub                CNAME www.sub
signed               NS    ns
                     DS    1 13 2 ${"ab".repeat(32)}
child                NS    ns
tochild              CNAME www.child
moved                DNAME new
moved                TXT   "the owner stays"
host.new             A     192.0.2.10
www.new              CNAME host
away                 DNAME other.test.
long                 DNAME ${"t".repeat(60)}
tomoved              CNAME host.moved
mail                 MX    10 host
mail                 MX    20 mx.other.test.
_srv._tcp            SRV   0 0 445 host
odd                  TYPE65280 \\# 3 010203
`;
const CHILD = `
$TTL 600
@               3600 SOA   ns.tricky.example. hostmaster 1 900 300 86400 60
                     NS    ns.tricky.example.
www                  A     192.0.2.20
up                   CNAME host.tricky.example.
`;

const zones: readonly (readonly [origin: string, text: string])[] = [
  ["smb.example.", readFileSync(new URL("../../zones/smb.example.zone", import.meta.url), "utf8")],
  [
    "2.0.192.in-addr.arpa.",
    readFileSync(new URL("../../zones/2.0.192.in-addr.arpa.zone", import.meta.url), "utf8"),
  ],
  ["tricky.example.", TRICKY],
  ["child.tricky.example.", CHILD],
];

const TYPES = ["A", "AAAA", "NS", "CNAME", "SOA", "TXT", "MX", "SRV", "PTR", "DNAME", "DS", "TYPE65280"];

/** Names to ask for: every owner, every name above one, one beside it, one and two below it; and names of no zone. */
function names(): string[] {
  const all = new Map<string, string>();
  const note = (name: Name): void => void all.set(name.key, name.toString());
  for (const [origin, text] of zones) {
    const apex = Name.parse(origin);
    for (const { name: owner } of recordsOf(origin, text)) {
      for (let name = owner; !name.equals(apex); name = name.parent!) {
        note(name);
        note(name.parent!.child("beside"));
        note(name.parent!.child("*"));
      }
      note(owner.child("below"));
      note(owner.child("host").child("a"));
    }
    note(apex);
  }
  for (const other of [".", "example.", "test.", "other.test."]) note(Name.parse(other));
  const l63 = "l".repeat(63);
  note(Name.parse(`${l63}.${l63}.${l63}.long.tricky.example.`)); // YXDOMAIN
  return [...all.values()];
}

interface Answer {
  readonly rcode: string;
  readonly flags: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
}

function lower(lines: readonly string[]): string[] {
  return lines.map((line) => line.toLowerCase()).toSorted();
}

function comparable(message: Message): Answer {
  const { rcode, flags, answer, authority } = answerText(message);
  return { rcode, flags, answer: lower(answer), authority: lower(authority) };
}

/** Why a peer may answer otherwise. */
interface Excuse {
  readonly reason: string;
  readonly applies: (ours: Answer, theirs: Answer, name: Name, type: string) => boolean;
}

interface PeerKind {
  readonly program: string;
  readonly configure: (directory: string, port: number) => string[];
  readonly excuses: readonly Excuse[];
}

const staysInZone: Excuse = {
  reason:
    "an alias is not followed into another zone, though it is served here (RFC 1034 §4.3.2 step 3a says it is)",
  applies: (ours, theirs, name) =>
    ["tochild.tricky.example.", "up.child.tricky.example."].includes(name.toString()) &&
    theirs.rcode === "NOERROR" &&
    theirs.answer.every((line) => ours.answer.includes(line)),
};

const fileOf = (origin: string): string => `${origin.slice(0, -1)}.zone`;

const named: PeerKind = {
  program: "named",
  configure(directory, port) {
    const clauses = zones.map(
      ([origin]) => `zone "${origin}" { type primary; file "${fileOf(origin)}"; check-names ignore; };\n`,
    );
    writeFileSync(
      join(directory, "named.conf"),
      `options {
  directory "${directory}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  minimal-responses yes;
  empty-zones-enable no;
  notify no;
  check-integrity no;
  zero-no-soa-ttl no;
  managed-keys-directory "${directory}";
};
controls { };
${clauses.join("")}`,
    );
    return ["-g", "-n", "1", "-c", join(directory, "named.conf")];
  },
  excuses: [
    staysInZone,
    {
      reason:
        "aliases in a ring: SERVFAIL with the aliases, where knotd and RFC 1034 §3.6.2 leave it to the resolver",
      applies: (ours, theirs) =>
        theirs.rcode === "SERVFAIL" &&
        JSON.stringify({ ...theirs, rcode: "NOERROR" }) === JSON.stringify(ours),
    },
  ],
};

const knotd: PeerKind = {
  program: "knotd",
  configure(directory, port) {
    const clauses = zones.map(([origin]) => `  - domain: ${origin}\n    file: "${fileOf(origin)}"\n`);
    writeFileSync(
      join(directory, "knot.conf"),
      `server:
    rundir: "${directory}"
    listen: 127.0.0.1@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "${directory}/db"
template:
  - id: default
    storage: "${directory}"
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
${clauses.join("")}`,
    );
    return ["-c", join(directory, "knot.conf")];
  },
  excuses: [
    staysInZone,
    {
      reason: "a name that a DNAME makes too long: NXDOMAIN, where RFC 6672 §2.2 says YXDOMAIN",
      applies: (ours, theirs) =>
        ours.rcode === "YXDOMAIN" &&
        theirs.rcode === "NXDOMAIN" &&
        ours.answer.join() === theirs.answer.join(),
    },
  ],
};

for (const kind of [named, knotd]) {
  describeWith([kind.program], `answers beside ${kind.program}`, () => {
    const directory = mkdtempSync(join(tmpdir(), `rollcall-answers-${kind.program}-`));
    let daemon: Daemon;
    let where: { address: string; port: number };

    beforeAll(async () => {
      // Record by record: knotd knows no $GENERATE, and how zone files are read is tested elsewhere.
      for (const [origin, text] of zones) {
        const records = recordsOf(origin, text);
        writeFileSync(join(directory, fileOf(origin)), `${records.map(rrText).join("\n")}\n`);
      }
      where = { address: "127.0.0.1", port: await freePort() };
      daemon = new Daemon(kind.program, findProgram(kind.program)!, kind.configure(directory, where.port), {
        cwd: directory,
      });
      const last = queryOctets(Name.parse(zones.at(-1)![0]), 6);
      await eventually(
        `${kind.program} serves`,
        () =>
          askTcp(where, last).then(
            (reply) => reply !== undefined && decodeMessage(reply).header.rcode === 0,
            () => false,
          ),
        (serves) => serves,
      );
    });
    afterAll(async () => {
      await daemon.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    test("every name of the zones and around them, by every type", async () => {
      const served = serve(...zones);
      const differences: string[] = [];
      const used = new Set<string>();
      let asked = 0;
      for (const name of names()) {
        for (const type of TYPES) {
          const octets = queryOctets(Name.parse(name), typeFromText(type)!, { edns: { payload: 1232 } });
          const theirs = comparable(decodeMessage(await askUdp(where, octets)));
          const ours = comparable(served.ask(`${name} ${type}`, { edns: { payload: 1232 } }));
          asked++;
          if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
          const excuse = kind.excuses.find(({ applies }) => applies(ours, theirs, Name.parse(name), type));
          if (excuse === undefined)
            differences.push(
              `${name} ${type}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`,
            );
          else used.add(excuse.reason);
        }
      }
      expect(asked).toBeGreaterThan(1000);
      expect(differences).toEqual([]);
      expect([...used].toSorted()).toEqual(kind.excuses.map(({ reason }) => reason).toSorted());
    });
  });
}
