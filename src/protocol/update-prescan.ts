/**
 * What an UPDATE message asks, read out of its sections and checked for form (RFC 2136 §2.3 to §2.5, §3.1, §3.2.5,
 * §3.4.1). Nothing here looks at a zone.
 *
 * A fault in the zone section ends the exchange at once. Faults in the two other sections are kept with the request,
 * because §3.2 to §3.4 fix which answer comes first when several things are wrong: an unmet prerequisite is told before
 * a malformed update section.
 *
 * RFC 3597 §5 lifts the demand of §3.4.1.2 that unrecognised types be refused: they are opaque data here.
 */
import type { ExtendedError } from "../wire/edns.ts";
import { WireError } from "../wire/error.ts";
import { classToText, RrClass } from "../wire/iana/class.ts";
import { Ede, EdnsOption, Rcode } from "../wire/iana/code.ts";
import { isMetaType, RrType, typeToText } from "../wire/iana/type.ts";
import type { Message } from "../wire/message.ts";
import type { Name } from "../wire/name.ts";
import { checkRdata, rdataKey } from "../wire/rdata/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { readUpdateLease, type UpdateLease } from "../wire/update-lease.ts";

/** Why a wish is not granted: what the client is told, and a sentence for the log. */
export interface UpdateRefusal {
  readonly rcode: number;
  readonly ede?: ExtendedError | undefined;
  readonly reason: string;
}

/** One prerequisite that does not depend on values (RFC 2136 §2.4.1, §2.4.3 to §2.4.5). */
export interface Prerequisite {
  readonly must: "exist" | "not-exist";
  readonly name: Name;
  /** `ANY` where it asks about the name and not about one RRset. */
  readonly type: number;
}

/** A whole RRset that must be there, no more and no less (RFC 2136 §2.4.2). */
export interface ExpectedRrSet {
  readonly name: Name;
  readonly type: number;
  /** `rdataKey` of each member. */
  readonly keys: ReadonlySet<string>;
}

/** One line of the update section (RFC 2136 §2.5). */
export type UpdateOperation =
  | {
      readonly kind: "add";
      readonly name: Name;
      readonly type: number;
      readonly ttl: number;
      readonly rdata: Uint8Array;
      readonly key: string;
    }
  | { readonly kind: "delete-rrset"; readonly name: Name; readonly type: number }
  | { readonly kind: "delete-name"; readonly name: Name }
  | {
      readonly kind: "delete-record";
      readonly name: Name;
      readonly type: number;
      readonly rdata: Uint8Array;
      readonly key: string;
    };

/** An update, ready to be judged as often as needed. Holds no view of the message it came in. */
export interface UpdateRequest {
  /** Apex of the zone to be changed. */
  readonly zone: Name;
  /** In the order of the message, up to the first malformed one. */
  readonly prerequisites: readonly Prerequisite[];
  readonly expected: readonly ExpectedRrSet[];
  readonly prerequisiteFault: UpdateRefusal | undefined;
  /** Empty where {@link updateFault} is set. */
  readonly operations: readonly UpdateOperation[];
  readonly updateFault: UpdateRefusal | undefined;
  /** How long what is added is to live (RFC 9664 §4). */
  readonly lease?: UpdateLease | undefined;
}

/**
 * Reads a decoded UPDATE message.
 * @returns a request, or the refusal where the zone section is not one SOA question (FORMERR) of class IN (NOTAUTH)
 */
export function readUpdate(
  message: Message,
): { readonly ok: true; readonly request: UpdateRequest } | ({ readonly ok: false } & UpdateRefusal) {
  const [zone, ...others] = message.questions;
  // RFC 2136 §3.1.1
  if (zone === undefined || others.length > 0) {
    return {
      ok: false,
      ...formerr(`the zone section holds ${message.questions.length} records and not one`),
    };
  }
  if (zone.type !== RrType.SOA) {
    return {
      ok: false,
      ...formerr(`the zone section's type is ${typeToText(zone.type)} and not SOA`),
    };
  }
  if (zone.class !== RrClass.IN) {
    const reason = `no zone of class ${classToText(zone.class)} is served here`;
    return { ok: false, ...refusal(Rcode.NOTAUTH, Ede.NOT_AUTHORITATIVE, reason) };
  }
  const option = message.edns?.options.find(({ code }) => code === EdnsOption.UPDATE_LEASE);
  const lease = option && readUpdateLease(option.data);
  if (option !== undefined && lease === undefined) {
    // RFC 9664 §4
    return { ok: false, ...formerr(`an Update Lease of ${option.data.length} octets and not of 4 or 8`) };
  }
  const checked = readPrerequisites(message.answers, zone.name);
  const changes = readOperations(message.authorities, zone.name);
  return {
    ok: true,
    request: {
      zone: zone.name,
      prerequisites: checked.prerequisites,
      expected: checked.expected,
      prerequisiteFault: checked.fault,
      operations: changes.operations,
      updateFault: changes.fault,
      lease,
    },
  };
}

/** A refusal whose EXTRA-TEXT is its reason. */
export function refusal(rcode: number, ede: number, reason: string): UpdateRefusal {
  return { rcode, ede: { code: ede, text: reason }, reason };
}

function formerr(reason: string): UpdateRefusal {
  return refusal(Rcode.FORMERR, Ede.OTHER, reason);
}

function readPrerequisites(
  records: readonly ResourceRecord[],
  zone: Name,
): { prerequisites: Prerequisite[]; expected: ExpectedRrSet[]; fault: UpdateRefusal | undefined } {
  const prerequisites: Prerequisite[] = [];
  const expected = new Map<string, { name: Name; type: number; keys: Set<string> }>();
  for (const rr of records) {
    const fault = prerequisiteFault(rr, zone);
    if (fault !== undefined) return { prerequisites, expected: [...expected.values()], fault };
    if (rr.class === RrClass.IN) {
      const id = `${rr.type} ${rr.name.key}`;
      let rrset = expected.get(id);
      if (rrset === undefined) expected.set(id, (rrset = { name: rr.name, type: rr.type, keys: new Set() }));
      rrset.keys.add(rdataKey(rr.type, rr.rdata));
      continue;
    }
    const must = rr.class === RrClass.ANY ? "exist" : "not-exist";
    prerequisites.push({ must, name: rr.name, type: rr.type });
  }
  return { prerequisites, expected: [...expected.values()], fault: undefined };
}

/** The checks of form of RFC 2136 §3.2.5, in its order. */
function prerequisiteFault(rr: ResourceRecord, zone: Name): UpdateRefusal | undefined {
  if (rr.ttl !== 0) return formerr(`prerequisite ${describe(rr)}: its TTL is not 0`);
  if (!rr.name.isWithin(zone)) return notZone("prerequisite", rr, zone);
  switch (rr.class) {
    case RrClass.ANY:
    case RrClass.NONE:
      if (rr.rdata.length > 0) return formerr(`prerequisite ${describe(rr)}: its RDATA is not empty`);
      if (rr.type !== RrType.ANY && isMetaType(rr.type)) return formerr(metaType("prerequisite", rr));
      return undefined;
    case RrClass.IN:
      return isMetaType(rr.type) ? formerr(metaType("prerequisite", rr)) : undefined;
    default:
      return formerr(`prerequisite ${describe(rr)}: class ${classToText(rr.class)} is not allowed`);
  }
}

function readOperations(
  records: readonly ResourceRecord[],
  zone: Name,
): { operations: UpdateOperation[]; fault: UpdateRefusal | undefined } {
  const operations: UpdateOperation[] = [];
  for (const rr of records) {
    const fault = operationFault(rr, zone);
    if (fault !== undefined) return { operations: [], fault };
    operations.push(readOperation(rr));
  }
  return { operations, fault: undefined };
}

function readOperation(rr: ResourceRecord): UpdateOperation {
  const { name, type, ttl, rdata } = rr;
  if (rr.class === RrClass.ANY) {
    return type === RrType.ANY ? { kind: "delete-name", name } : { kind: "delete-rrset", name, type };
  }
  const key = rdataKey(type, rdata);
  return rr.class === RrClass.IN
    ? { kind: "add", name, type, ttl, rdata, key }
    : { kind: "delete-record", name, type, rdata, key };
}

/** The prescan of RFC 2136 §3.4.1.2 and §3.4.1.3. */
function operationFault(rr: ResourceRecord, zone: Name): UpdateRefusal | undefined {
  if (!rr.name.isWithin(zone)) return notZone("update", rr, zone);
  switch (rr.class) {
    case RrClass.IN:
      return isMetaType(rr.type) ? formerr(metaType("update", rr)) : undefined;
    case RrClass.ANY:
      if (rr.ttl !== 0) return formerr(`update ${describe(rr)}: the TTL of a deletion is not 0`);
      if (rr.rdata.length > 0) return formerr(`update ${describe(rr)}: its RDATA is not empty`);
      if (rr.type !== RrType.ANY && isMetaType(rr.type)) return formerr(metaType("update", rr));
      return undefined;
    case RrClass.NONE:
      if (rr.ttl !== 0) return formerr(`update ${describe(rr)}: the TTL of a deletion is not 0`);
      if (isMetaType(rr.type)) return formerr(metaType("update", rr));
      // §2.5.4 wants the RDATA of the record to be deleted; the decoder lets an empty one through for prerequisites.
      if (rr.rdata.length === 0 && !mayBeEmpty(rr.type)) {
        return formerr(`update ${describe(rr)}: the record to be deleted has no RDATA`);
      }
      return undefined;
    default:
      return formerr(`update ${describe(rr)}: class ${classToText(rr.class)} is not allowed`);
  }
}

function mayBeEmpty(type: number): boolean {
  try {
    checkRdata(type, new Uint8Array(0));
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function notZone(section: string, rr: ResourceRecord, zone: Name): UpdateRefusal {
  return refusal(
    Rcode.NOTZONE,
    Ede.OTHER,
    `${section} ${describe(rr)}: the name is not within ${zone.toString()}`,
  );
}

function metaType(section: string, rr: ResourceRecord): string {
  return `${section} ${describe(rr)}: no zone can hold this type`;
}

function describe(rr: ResourceRecord): string {
  return `${rr.name.toString()} ${typeToText(rr.type)}`;
}
