/**
 * Whether records make a zone that can be served: what an import refuses, and what it warns of.
 *
 * Errors are what BIND and NSD refuse to load as well, or what no answer could be right for. Warnings are what will
 * hurt somebody later. Linear in the records; memory grows with aliases, delegations and targets only.
 */
import { RrType } from "../wire/iana/type.ts";
import { nameOfKey } from "../wire/name.ts";
import type { Name } from "../wire/name.ts";
import { rdataNames } from "../wire/rdata/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { TargetCheck } from "./check-targets.ts";
import { ZoneProblemList } from "./problem.ts";
import type { ZoneProblem, ZoneRecordPositions } from "./problem.ts";
import { TargetResolution } from "./resolution.ts";
import { MAX_RRSET_OCTETS, overfullRrsets } from "./rrset-size.ts";

export type { ZoneProblem, ZoneProblemCode } from "./problem.ts";

export interface CheckZoneOptions {
  /** Where each record stood, as a zone-file parser tells. */
  readonly positions?: ZoneRecordPositions | undefined;
  /** Errors, and warnings, that are listed at most. */
  readonly maxProblems?: number | undefined;
}

/**
 * Checks the records of a zone.
 * @param records all of them, of class IN, no record twice
 * @returns errors first, then warnings, each in the order of the records; empty for a faultless zone
 */
export function checkZone(
  apex: Name,
  records: readonly ResourceRecord[],
  options: CheckZoneOptions = {},
): ZoneProblem[] {
  const checking = checkZoneInSteps(apex, records, options);
  for (;;) {
    const step = checking.next();
    if (step.done === true) return step.value;
  }
}

/** {@link checkZone} in steps of some milliseconds: yields how many records are checked so far. */
export function checkZoneInSteps(
  apex: Name,
  records: readonly ResourceRecord[],
  options: CheckZoneOptions = {},
): Generator<number, ZoneProblem[], undefined> {
  return new ZoneCheck(apex, records, options).steps();
}

/** Records that one step looks at. */
const RECORDS_PER_STEP = 1000;

const DEFAULT_MAX_PROBLEMS = 200;
/** RFC 2308 §5: negative answers kept for more than a day have been found problematic. */
const MAX_SENSIBLE_MINIMUM = 86_400;

class ZoneCheck {
  readonly #apex: Name;
  readonly #records: readonly ResourceRecord[];
  readonly #problems: ZoneProblemList;

  /** Indexes of the apex SOAs. */
  readonly #soas: number[] = [];
  #apexHasNs = false;
  /** Keys of delegated names, and of names with a DNAME or CNAME. */
  readonly #cuts = new Set<string>();
  readonly #dnames = new Set<string>();
  readonly #cnames = new Set<string>();
  /** Keys of NS targets: their addresses below a cut are glue. */
  readonly #nsTargets = new Set<string>();
  readonly #resolution: TargetResolution;
  readonly #targets: TargetCheck;
  /** Keys already complained of, one set a kind, so that a name with many records gets one line. */
  readonly #toldMixed = new Set<string>();
  readonly #toldHidden = new Set<string>();

  constructor(apex: Name, records: readonly ResourceRecord[], options: CheckZoneOptions) {
    this.#apex = apex;
    this.#records = records;
    this.#problems = new ZoneProblemList(
      apex,
      records,
      options.positions,
      options.maxProblems ?? DEFAULT_MAX_PROBLEMS,
    );
    this.#resolution = new TargetResolution(apex, this.#cuts, this.#dnames);
    this.#targets = new TargetCheck(apex, records, this.#problems, this.#resolution);
  }

  *steps(): Generator<number, ZoneProblem[], undefined> {
    const { length } = this.#records;
    for (let index = 0; index < length; index++) {
      this.#gather(index);
      if (index % RECORDS_PER_STEP === 0) yield 0;
    }
    for (let index = 0; index < length; index++) {
      this.#place(index);
      if (index % RECORDS_PER_STEP === 0) yield index;
    }
    for (const index of overfullRrsets(this.#records)) {
      const message = `the records of this name and type take more than ${MAX_RRSET_OCTETS} octets, and no answer holds them`;
      this.#problems.error("ZONE_RRSET_TOO_LARGE", index, message);
    }
    this.#checkApex();
    yield length;
    for (const [count, index] of this.#targets.indexes.entries()) {
      this.#targets.check(index);
      if (count % RECORDS_PER_STEP === 0) yield length;
    }
    return this.#problems.finish();
  }

  //------- First pass: what decides about other names -------------------------

  #gather(index: number): void {
    const { name, type, rdata } = this.#records[index]!;
    switch (type) {
      case RrType.SOA:
        if (name.equals(this.#apex)) {
          this.#soas.push(index);
          this.#resolution.watch(rdataNames(type, rdata)[0]!);
        } else if (name.isWithin(this.#apex)) {
          this.#problems.error("ZONE_SOA_MISPLACED", index, "an SOA belongs at the apex of its zone only");
        }
        break;
      case RrType.NS:
        this.#gatherNs(index);
        break;
      case RrType.CNAME:
        if (this.#cnames.has(name.key)) {
          this.#problems.error("ZONE_CNAME_MULTIPLE", index, "a name has one CNAME at most (RFC 2181 §10.1)");
        } else {
          this.#cnames.add(name.key);
        }
        break;
      case RrType.DNAME:
        if (this.#dnames.has(name.key)) {
          this.#problems.error("ZONE_DNAME_MULTIPLE", index, "a name has one DNAME at most (RFC 6672 §2.4)");
        } else {
          this.#dnames.add(name.key);
        }
        if (name.isWildcard) {
          this.#problems.warning(
            "ZONE_WILDCARD_DNAME",
            index,
            "servers differ in what a wildcard DNAME means (RFC 4592 §4.4)",
          );
        }
        break;
      case RrType.MX:
      case RrType.SRV:
        this.#targets.add(index, rdataNames(type, rdata)[0]!);
        break;
      default:
    }
  }

  #gatherNs(index: number): void {
    const { name, type, rdata } = this.#records[index]!;
    const target = rdataNames(type, rdata)[0]!;
    this.#nsTargets.add(target.key);
    this.#targets.add(index, target);
    if (name.equals(this.#apex)) this.#apexHasNs = true;
    else this.#cuts.add(name.key);
    if (name.isWildcard) {
      this.#problems.warning(
        "ZONE_WILDCARD_NS",
        index,
        "a wildcard cannot delegate, and BIND refuses such a zone (RFC 4592 §4.2)",
      );
    }
  }

  //------- Second pass: where each record stands ------------------------------

  #place(index: number): void {
    const record = this.#records[index]!;
    const { name, type } = record;
    if (!name.isWithin(this.#apex)) {
      this.#problems.error(
        "ZONE_OUT_OF_ZONE",
        index,
        `the name is not within the zone ${this.#apex.toString()}`,
      );
      return;
    }
    const { key } = name;
    this.#resolution.note(key, type);
    if (
      type !== RrType.CNAME &&
      !maySitBesideCname(type) &&
      this.#cnames.has(key) &&
      !this.#toldMixed.has(key)
    ) {
      this.#toldMixed.add(key);
      this.#problems.error(
        "ZONE_CNAME_AND_OTHER",
        index,
        "the name has a CNAME, which must be alone (RFC 1034 §3.6.2)",
      );
    }
    if (type === RrType.DNAME && this.#cuts.has(key)) {
      this.#problems.error(
        "ZONE_DNAME_AND_NS",
        index,
        "a name that is delegated cannot have a DNAME (RFC 6672 §2.3)",
      );
    }
    if (type === RrType.DS && !this.#cuts.has(key)) {
      this.#problems.warning(
        "ZONE_DS_WITHOUT_NS",
        index,
        "a DS belongs to a delegation, and the name has no NS (RFC 4035 §2.4)",
      );
    }
    if (record.ttl === 0 && (type === RrType.SOA || type === RrType.NS)) {
      this.#problems.warning("ZONE_TTL_ZERO", index, "with TTL 0 every query of every resolver comes here");
    }
    if (this.#cuts.size > 0 || this.#dnames.size > 0) this.#checkHidden(index, key);
  }

  /** What stands at or below a zone cut, or below a DNAME, is never found. */
  #checkHidden(index: number, key: string): void {
    const { type } = this.#records[index]!;
    const isGlue = (type === RrType.A || type === RrType.AAAA) && this.#nsTargets.has(key);
    if (this.#cuts.has(key) && !isGlue && !belongsAtCut(type)) {
      this.#hidden(index, key, "ZONE_OCCLUDED", "the name is delegated: only NS, DS and glue belong here");
      return;
    }
    const end = key.length - this.#apex.wire.length;
    for (let at = 0; at < end;) {
      at += key.charCodeAt(at) + 1;
      const ancestor = key.slice(at);
      if (this.#dnames.has(ancestor)) {
        const dname = nameOfKey(ancestor).toString();
        this.#hidden(
          index,
          key,
          "ZONE_BELOW_DNAME",
          `nothing may stand below the DNAME ${dname} (RFC 6672 §2.4)`,
        );
        return;
      }
      if (at < end && !isGlue && this.#cuts.has(ancestor)) {
        const cut = nameOfKey(ancestor).toString();
        this.#hidden(
          index,
          key,
          "ZONE_OCCLUDED",
          `${cut} is delegated: only glue belongs below it, and this is none`,
        );
        return;
      }
    }
  }

  #hidden(index: number, key: string, code: "ZONE_OCCLUDED" | "ZONE_BELOW_DNAME", message: string): void {
    if (this.#toldHidden.has(key)) return;
    this.#toldHidden.add(key);
    if (code === "ZONE_OCCLUDED") this.#problems.warning(code, index, message);
    else this.#problems.error(code, index, message);
  }

  //------- The apex -----------------------------------------------------------

  #checkApex(): void {
    const [first, ...more] = this.#soas;
    if (first === undefined)
      this.#problems.error(
        "ZONE_SOA_MISSING",
        undefined,
        "a zone has one SOA at its apex, and this has none",
      );
    for (const index of more) {
      this.#problems.error(
        "ZONE_SOA_MULTIPLE",
        index,
        "a zone has one SOA, and this is another (RFC 1035 §5.2)",
      );
    }
    if (!this.#apexHasNs) {
      this.#problems.error(
        "ZONE_NS_MISSING",
        undefined,
        "a zone has an NS at its apex, and this has none (RFC 1034 §4.2.1)",
      );
    }
    if (first === undefined) return;
    this.#targets.checkMname(first);
    this.#checkTimes(first);
  }

  #checkTimes(index: number): void {
    const { rdata } = this.#records[index]!;
    const numbers = new DataView(rdata.buffer, rdata.byteOffset + rdata.length - 16, 16);
    const refresh = numbers.getUint32(0);
    const retry = numbers.getUint32(4);
    const expire = numbers.getUint32(8);
    const minimum = numbers.getUint32(12);
    if (expire <= refresh + retry) {
      const message = `EXPIRE ${expire} is not above REFRESH and RETRY: secondaries would drop the zone after one failure (RFC 1912 §2.2)`;
      this.#problems.warning("ZONE_SOA_TIMES", index, message);
    }
    if (minimum > MAX_SENSIBLE_MINIMUM) {
      const message = `MINIMUM ${minimum} makes resolvers deny a new name for more than a day (RFC 2308 §5)`;
      this.#problems.warning("ZONE_SOA_TIMES", index, message);
    }
  }
}

/** DNSSEC's records go with a CNAME (RFC 4034 §2.5, §3, §4). */
function maySitBesideCname(type: number): boolean {
  return type === RrType.RRSIG || type === RrType.NSEC || type === RrType.KEY;
}

/** What the parent answers for at a zone cut (RFC 4035 §2.4–2.6). A DNAME there is reported by itself. */
function belongsAtCut(type: number): boolean {
  return (
    type === RrType.NS ||
    type === RrType.DS ||
    type === RrType.RRSIG ||
    type === RrType.NSEC ||
    type === RrType.DNAME
  );
}
