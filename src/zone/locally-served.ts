/**
 * Zones that have no business leaving a site, as the IANA registry "Locally-Served DNS Zones" lists them (RFC 6303,
 * RFC 7793, RFC 8375, RFC 9462, RFC 9665), and names that are no domain names at all (RFC 6761, RFC 6762, RFC 7686): each served as a zone
 * with nothing in it, so that who asks for an address of a private network gets an answer, at once, and from here.
 */
import { RrType } from "../wire/iana/type.ts";
import { Name } from "../wire/name.ts";
import { writeSoa } from "../wire/rdata/soa.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { record } from "../wire/record.ts";

/** TTL of SOA and NS, and of negative answers, in seconds (RFC 6303 §3 has 10800; a host that comes to exist is to be seen sooner). */
const TTL = 10_800;
const NEGATIVE_TTL = 300;

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** RFC 6303 §4: private, loopback, link-local and documentation addresses, and their kin. */
const REVERSE: readonly string[] = [
  "10.in-addr.arpa.",
  ...range(16, 31).map((octet) => `${octet}.172.in-addr.arpa.`),
  "168.192.in-addr.arpa.",
  ...range(64, 127).map((octet) => `${octet}.100.in-addr.arpa.`), // RFC 7793
  "0.in-addr.arpa.",
  "127.in-addr.arpa.",
  "254.169.in-addr.arpa.",
  "2.0.192.in-addr.arpa.",
  "100.51.198.in-addr.arpa.",
  "113.0.203.in-addr.arpa.",
  "255.255.255.255.in-addr.arpa.",
  `${"0.".repeat(32)}ip6.arpa.`,
  `1.${"0.".repeat(31)}ip6.arpa.`,
  "d.f.ip6.arpa.",
  ...["8", "9", "a", "b"].map((digit) => `${digit}.e.f.ip6.arpa.`),
  "8.b.d.0.1.0.0.2.ip6.arpa.",
];

/** Names that no server of the public tree knows: multicast DNS, Tor, tests, homes. */
const SPECIAL: readonly string[] = [
  "localhost.", // RFC 6761 §6.3
  "local.", // RFC 6762 §22.1
  "invalid.", // RFC 6761 §6.4
  "test.", // RFC 6761 §6.2
  "onion.", // RFC 7686
  "alt.", // RFC 9476
  "home.arpa.", // RFC 8375
  "resolver.arpa.", // RFC 9462 §6.4: another server's encrypted ways in are not this one's
  "service.arpa.", // RFC 9665
];

/** The apexes of all automatic zones. */
export const LOCALLY_SERVED: readonly Name[] = [...REVERSE, ...SPECIAL].map((text) => Name.parse(text));

const NOBODY = Name.parse("nobody.invalid.");
const LOCALHOST = Name.parse("localhost.");
const LOOPBACK_V4 = Uint8Array.of(127, 0, 0, 1);
const LOOPBACK_V6 = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0));
/** Names of the loopback addresses, by the zone they are in. */
const LOOPBACK_NAMES: ReadonlyMap<string, Name> = new Map(
  [
    ["127.in-addr.arpa.", "1.0.0.127.in-addr.arpa."],
    [`1.${"0.".repeat(31)}ip6.arpa.`, `1.${"0.".repeat(31)}ip6.arpa.`],
  ].map(([zone, name]) => [Name.parse(zone!).key, Name.parse(name!)]),
);

/**
 * The records of an automatic zone: SOA and NS at its apex, both naming the zone itself, which has no address, so that
 * updates for it go nowhere (RFC 6303 §3); in `localhost` the loopback addresses (RFC 6761 §6.3).
 * @param below zones and names that are answered for otherwise, within this one: they get a delegation, so that the names
 * above them exist (RFC 8020)
 */
export function emptyZoneRecords(apex: Name, below: readonly Name[]): ResourceRecord[] {
  const soa = {
    mname: apex,
    rname: NOBODY,
    serial: 1,
    refresh: 3600,
    retry: 1200,
    expire: 604_800,
    minimum: NEGATIVE_TTL,
  };
  const records = [
    record(apex, RrType.SOA, TTL, writeSoa(soa)),
    record(apex, RrType.NS, TTL, apex.wire),
    ...below.map((name) => record(name, RrType.NS, TTL, name.wire)),
  ];
  if (apex.equals(LOCALHOST)) {
    for (const owner of [apex, apex.child("*")]) {
      records.push(record(owner, RrType.A, TTL, LOOPBACK_V4), record(owner, RrType.AAAA, TTL, LOOPBACK_V6));
    }
  }
  const loopback = LOOPBACK_NAMES.get(apex.key);
  if (loopback !== undefined) records.push(record(loopback, RrType.PTR, TTL, LOCALHOST.wire));
  return records;
}
