/** The zone and the ways to try an update on it that the tests of RFC 2136 share. */
import { Rcode, rcodeToText } from "../../../src/wire/iana/code.ts";
import { rdataToText } from "../../../src/wire/rdata/rdata.ts";
import { soaSerial } from "../../../src/wire/rdata/soa.ts";
import { typeToText } from "../../../src/wire/iana/type.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import type { ChangeOrigin } from "../../../src/zone/changeset.ts";
import {
  judgeUpdate,
  readUpdate,
  type UpdateContext,
  type UpdateVerdict,
} from "../../../src/protocol/update.ts";
import { ORIGIN, rr, updateMessage, type UpdateParts } from "../../support/rr.ts";
import { ZoneFake } from "../../support/zone-fake.ts";

export const SOA = "@ 3600 SOA ns1 hostmaster 100 900 300 86400 30";

export const ZONE: readonly string[] = [
  SOA,
  "@ 3600 NS ns1",
  "@ 3600 NS ns2",
  '@ 300 TXT "the cluster"',
  "ns1 3600 A 192.0.2.1",
  "ns2 3600 A 192.0.2.2",
  "Node1 1200 A 192.0.2.11",
  "Node1 1200 AAAA 2001:db8::11",
  "files 60 A 192.0.2.21",
  "files 60 A 192.0.2.22",
  "alias 300 CNAME files",
  "moved 300 DNAME other.example.",
  "_smb._tcp.files 60 SRV 0 0 445 files",
  "sub 300 NS ns.sub",
  "ns.sub 300 A 192.0.2.99",
  "* 300 A 192.0.2.200",
];

export const origin: ChangeOrigin = {
  actor: { kind: "key", name: "host.key.", from: "192.0.2.11" },
  at: 1_700_000_000_000,
  cause: "update",
};

export function zoneOf(lines: readonly string[] = ZONE): ZoneFake {
  return new ZoneFake(lines.map(rr));
}

export const everything: UpdateContext = {
  policy: () => ({ allow: true, reason: "everything is allowed" }),
  known: true,
  limits: { recordsPerRrset: 100, typesPerName: 100, recordsPerZone: 1_000 },
  origin,
};

/** What an update to a zone ends in. */
export interface Outcome {
  readonly rcode: string;
  /** Undefined where nothing changed. */
  readonly serial: number | undefined;
  readonly removed: readonly string[];
  readonly added: readonly string[];
  readonly reason: string | undefined;
  readonly verdict: UpdateVerdict | undefined;
  /** The zone afterwards. */
  readonly zone: ZoneFake;
}

/** Reads and judges an update, and applies what it changes. */
export function update(
  parts: UpdateParts,
  options: { zone?: readonly string[]; context?: Partial<UpdateContext> } = {},
): Outcome {
  const zone = zoneOf(options.zone);
  const nothing = { serial: undefined, removed: [], added: [], zone };
  const read = readUpdate(updateMessage(parts));
  if (!read.ok)
    return { ...nothing, rcode: rcodeToText(read.rcode), reason: read.reason, verdict: undefined };
  const verdict = judgeUpdate(read.request, zone, { ...everything, ...options.context });
  if (verdict.kind === "refused") {
    return { ...nothing, rcode: rcodeToText(verdict.rcode), reason: verdict.reason, verdict };
  }
  if (verdict.kind === "unchanged") {
    return { ...nothing, rcode: rcodeToText(Rcode.NOERROR), reason: undefined, verdict };
  }
  const { changeset } = verdict;
  zone.publish([changeset]);
  return {
    rcode: rcodeToText(Rcode.NOERROR),
    serial: soaSerial(changeset.soaAfter.rdata),
    removed: changeset.removed.map(text),
    added: changeset.added.map(text),
    reason: undefined,
    verdict,
    zone,
  };
}

/** `OWNER TTL TYPE RDATA`, names relative to the zone. */
export function text(record: ResourceRecord): string {
  const owner = record.name.toRelative(ORIGIN);
  return `${owner} ${record.ttl} ${typeToText(record.type)} ${rdataToText(record.type, record.rdata, ORIGIN)}`;
}

/** All records but the SOA of a zone, sorted. */
export function contents(zone: ZoneFake): string[] {
  return zone.records
    .map(text)
    .filter((one) => !one.includes(" SOA "))
    .toSorted();
}
