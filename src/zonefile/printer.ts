/**
 * Records to master-file text (RFC 1035 §5.1), so that two prints of a zone differ in the lines of what has changed:
 * canonical order, each line with its owner, nothing aligned by what other lines hold.
 *
 * Other servers read it too, so types without a presentation form here are printed as RFC 3597 §5 has it.
 */
import { classToText } from "../wire/iana/class.ts";
import { RrType, typeToText } from "../wire/iana/type.ts";
import { LOWER } from "../wire/name.ts";
import type { Name } from "../wire/name.ts";
import { rdataNames, rdataToText } from "../wire/rdata/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { compareAtOwner, inCanonicalOrder } from "./order.ts";

/** Columns of the owner and of the TTL; longer ones push the rest of their own line to the right. */
const OWNER_WIDTH = 23;
const TTL_WIDTH = 7;
const TYPE_WIDTH = 7;

export interface PrintZoneOptions {
  /**
   * Says that `records` come owner by owner in canonical order, the apex first. They are then printed as they come,
   * and a zone of any size takes no memory.
   */
  readonly inOrder?: boolean | undefined;
}

/**
 * The lines of a zone file, without line ends: `$ORIGIN`, `$TTL` (that of the SOA), the SOA, and all else.
 * Reading it back gives the same records.
 * @param records the SOA among them; their RDATA must be of their types
 */
export function* printZone(
  apex: Name,
  records: Iterable<ResourceRecord>,
  options: PrintZoneOptions = {},
): Generator<string, void, undefined> {
  yield `$ORIGIN ${apex.toString()}`;
  let defaultTtl: number | undefined;
  const ordered = options.inOrder === true ? sortedByOwner(records) : inCanonicalOrder(records);
  for (const record of ordered) {
    if (record.type === RrType.SOA && defaultTtl === undefined) {
      defaultTtl = record.ttl;
      yield `$TTL ${defaultTtl}`;
      yield* soaLines(record, apex);
      continue;
    }
    const owner = relativeText(record.name, apex).padEnd(OWNER_WIDTH);
    const ttl = (record.ttl === defaultTtl ? "" : String(record.ttl)).padEnd(TTL_WIDTH);
    yield `${owner} ${ttl} ${classToText(record.class)} ${typeAndRdata(record, apex)}`;
  }
}

/**
 * One record on one line: owner, TTL, class, type, RDATA, a single space between. For logs, the command line and diffs.
 * @param origin names are relative to it where it is given
 */
export function recordToText(record: ResourceRecord, origin?: Name): string {
  const owner = origin === undefined ? record.name.toString() : relativeText(record.name, origin);
  const rdata = rdataText(record, origin);
  const line = `${owner} ${record.ttl} ${classToText(record.class)} ${typeText(record.type, rdata)}`;
  return rdata === "" ? line : `${line} ${rdata}`;
}

/** Sorts what stands at each owner; the owners stay in the order in which they come. */
function* sortedByOwner(records: Iterable<ResourceRecord>): Generator<ResourceRecord, void, undefined> {
  let group: ResourceRecord[] = [];
  for (const record of records) {
    const first = group[0];
    if (first !== undefined && !first.name.equals(record.name)) {
      yield* group.toSorted(compareAtOwner);
      group = [];
    }
    group.push(record);
  }
  yield* group.toSorted(compareAtOwner);
}

/** The SOA with a line for each number: the serial changes often, and nothing else with it. */
function* soaLines(soa: ResourceRecord, apex: Name): Generator<string, void, undefined> {
  const [mname, rname, ...numbers] = rdataText(soa, apex).split(" ");
  const owner = relativeText(soa.name, apex).padEnd(OWNER_WIDTH);
  yield `${owner} ${"".padEnd(TTL_WIDTH)} IN ${"SOA".padEnd(TYPE_WIDTH)} ${mname} ${rname} (`;
  const indent = "".padEnd(OWNER_WIDTH + TTL_WIDTH + TYPE_WIDTH + 6);
  const meanings = ["serial", "refresh", "retry", "expire", "minimum: how long a negative answer is kept"];
  for (const [i, meaning] of meanings.entries()) yield `${indent}${numbers[i]!.padEnd(10)} ; ${meaning}`;
  yield `${indent})`;
}

function typeAndRdata(record: ResourceRecord, apex: Name): string {
  const rdata = rdataText(record, apex);
  return `${typeText(record.type, rdata).padEnd(TYPE_WIDTH)} ${rdata}`;
}

function relativeText(name: Name, origin: Name): string {
  return keepsCase(name, origin) ? name.toRelative(origin) : name.toString();
}

function rdataText({ type, rdata }: ResourceRecord, origin: Name | undefined): string {
  const relative = origin !== undefined && rdataNames(type, rdata).every((name) => keepsCase(name, origin));
  return rdataToText(type, rdata, relative ? origin : undefined);
}

/**
 * Whether a name, written relative to `origin` and read again, is the same in every octet. A name that ends in the
 * origin in other case is not; case is kept, and for the targets of later types than RFC 3597's it makes other RDATA.
 */
function keepsCase({ wire }: Name, origin: Name): boolean {
  const suffix = wire.length - origin.wire.length;
  for (let i = origin.wire.length - 1; i >= 0 && suffix + i >= 0; i--) {
    const octet = wire[suffix + i]!;
    if (octet !== origin.wire[i]) return LOWER[octet] !== LOWER[origin.wire[i]!];
  }
  return true;
}

/** `TYPEn` before generic RDATA: a mnemonic that another server knows would not help it, one that it does not would stop it. */
function typeText(type: number, rdata: string): string {
  return rdata.startsWith("\\#") ? `TYPE${type}` : typeToText(type);
}
