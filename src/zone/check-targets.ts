/**
 * Whether what a zone's records point at can be found: the MNAME of its SOA, and the hosts that its NS, MX and SRV name.
 * Of the names within the zone alone; what is beyond it nobody here knows.
 */
import { RrType } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import { rdataNames } from "../wire/rdata/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { ZoneProblemList } from "./problem.ts";
import type { TargetResolution } from "./resolution.ts";

export class TargetCheck {
  /** Indexes of the records whose targets are to be looked at. */
  readonly indexes: number[] = [];
  readonly #apex: Name;
  readonly #records: readonly ResourceRecord[];
  readonly #problems: ZoneProblemList;
  readonly #resolution: TargetResolution;

  /** @param resolution told of every record before the first check */
  constructor(
    apex: Name,
    records: readonly ResourceRecord[],
    problems: ZoneProblemList,
    resolution: TargetResolution,
  ) {
    this.#apex = apex;
    this.#records = records;
    this.#problems = problems;
    this.#resolution = resolution;
  }

  /** Takes the NS, MX or SRV at an index for a check of its target to come. */
  add(index: number, target: Name): void {
    this.indexes.push(index);
    this.#resolution.watch(target);
  }

  /** Checks the MNAME of the apex SOA, which is at an index. */
  checkMname(index: number): void {
    const { type, rdata } = this.#records[index]!;
    const mname = rdataNames(type, rdata)[0]!;
    const how = this.#resolution.resolve(mname);
    // Windows hosts send their updates to the address of MNAME and nowhere else, if they can help it.
    if (how === "nothing" || how === "alias") {
      const what = how === "alias" ? "is an alias" : "has no address";
      const message = `MNAME ${mname.toString()} ${what}: Windows hosts send their updates to its address`;
      this.#problems.warning("ZONE_MNAME_NO_ADDRESS", index, message);
    }
  }

  /** Checks the target of the NS, MX or SRV at an index. */
  check(index: number): void {
    const { name, type, rdata } = this.#records[index]!;
    if (!name.isWithin(this.#apex)) return;
    const target = rdataNames(type, rdata)[0]!;
    // "." says that there is no such service (RFC 7505 §3, RFC 2782).
    if (target.isRoot && type !== RrType.NS) return;
    if (type === RrType.NS) this.#checkNs(index, name, target);
    else this.#checkPointer(index, target);
  }

  #checkPointer(index: number, target: Name): void {
    const how = this.#resolution.resolve(target);
    if (how === "alias") {
      const message = `its target ${target.toString()} is an alias, which it must not be (RFC 2181 §10.3)`;
      this.#problems.warning("ZONE_TARGET_ALIAS", index, message);
    } else if (how === "nothing") {
      this.#problems.warning(
        "ZONE_TARGET_NO_ADDRESS",
        index,
        `its target ${target.toString()} has no A or AAAA`,
      );
    }
  }

  /** At the apex these are errors, as in BIND: the zone's own servers could not be found. A delegation only harms itself. */
  #checkNs(index: number, name: Name, target: Name): void {
    const isApex = name.equals(this.#apex);
    const tell = isApex
      ? this.#problems.error.bind(this.#problems)
      : this.#problems.warning.bind(this.#problems);
    if (!isApex && target.isWithin(name)) {
      if (this.#resolution.hasAddress(target)) return;
      tell(
        "ZONE_NS_NO_GLUE",
        index,
        `the delegation needs the address of ${target.toString()} as glue (RFC 1034 §4.2.1)`,
      );
      return;
    }
    const how = this.#resolution.resolve(target);
    if (how === "alias") {
      tell(
        "ZONE_NS_ALIAS",
        index,
        `its target ${target.toString()} is an alias, which it must not be (RFC 2181 §10.3)`,
      );
    } else if (how === "nothing") {
      tell("ZONE_NS_NO_ADDRESS", index, `its target ${target.toString()} has no A or AAAA`);
    }
  }
}
