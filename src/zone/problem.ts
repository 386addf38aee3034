/** What can be wrong with the records of a zone, and the bounded list that `check.ts` makes of it. */
import { typeToText } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";

/** Stable codes: tests, `--json` and the documentation use them. */
export type ZoneProblemCode =
  | "ZONE_SOA_MISSING" // no SOA at the apex (RFC 1035 §5.2)
  | "ZONE_SOA_MULTIPLE" // more than one SOA (RFC 1035 §5.2)
  | "ZONE_SOA_MISPLACED" // an SOA elsewhere than at the apex
  | "ZONE_NS_MISSING" // no NS at the apex (RFC 1034 §4.2.1)
  | "ZONE_OUT_OF_ZONE" // an owner that is not within the zone
  | "ZONE_CNAME_AND_OTHER" // a CNAME that is not alone at its name (RFC 1034 §3.6.2)
  | "ZONE_CNAME_MULTIPLE" // several CNAMEs at a name (RFC 2181 §10.1)
  | "ZONE_DNAME_MULTIPLE" // several DNAMEs at a name (RFC 6672 §2.4)
  | "ZONE_DNAME_AND_NS" // a DNAME at a zone cut (RFC 6672 §2.3)
  | "ZONE_BELOW_DNAME" // data below a DNAME (RFC 6672 §2.4)
  | "ZONE_NS_ALIAS" // an NS whose target is an alias (RFC 2181 §10.3)
  | "ZONE_NS_NO_ADDRESS" // an NS whose target is in the zone and has no address
  | "ZONE_NS_NO_GLUE" // a delegation to a host below it without that host's address (RFC 1034 §4.2.1)
  | "ZONE_TARGET_ALIAS" // an MX or SRV whose target is an alias (RFC 2181 §10.3, RFC 2782)
  | "ZONE_TARGET_NO_ADDRESS" // an MX or SRV whose target is in the zone and has no address
  | "ZONE_OCCLUDED" // data at or below a zone cut that no answer can hold
  | "ZONE_DS_WITHOUT_NS" // a DS where nothing is delegated (RFC 4035 §2.4)
  | "ZONE_WILDCARD_NS" // an NS at a wildcard (RFC 4592 §4.2)
  | "ZONE_WILDCARD_DNAME" // a DNAME at a wildcard (RFC 4592 §4.4)
  | "ZONE_MNAME_NO_ADDRESS" // the SOA's MNAME is in the zone and cannot be resolved
  | "ZONE_SOA_TIMES" // SOA times that contradict each other or hold for too long
  | "ZONE_TTL_ZERO" // an SOA or NS that no cache may keep
  | "ZONE_RRSET_TOO_LARGE" // an RRset that no answer can carry
  | "ZONE_MORE"; // problems that were left out of the list

export interface ZoneProblem {
  readonly code: ZoneProblemCode;
  readonly severity: "error" | "warning";
  /** Presentation form, absolute. */
  readonly owner: string;
  /** Mnemonic or `TYPEn` of the record meant; undefined where it is the name or the whole zone. */
  readonly type?: string | undefined;
  readonly message: string;
  /** Where the record stood, where the caller knows. */
  readonly file?: string | undefined;
  /** 1-based. */
  readonly line?: number | undefined;
}

/** Where the record at an index stood, as a zone-file parser tells. */
export interface ZoneRecordPositions {
  at(index: number): { file: string; line: number };
}

/** Collects problems, at most `max` errors and as many warnings; the rest are counted. */
export class ZoneProblemList {
  readonly #apex: Name;
  readonly #records: readonly ResourceRecord[];
  readonly #positions: ZoneRecordPositions | undefined;
  readonly #max: number;
  readonly #errors: ZoneProblem[] = [];
  readonly #warnings: ZoneProblem[] = [];
  #errorCount = 0;
  #warningCount = 0;

  constructor(
    apex: Name,
    records: readonly ResourceRecord[],
    positions: ZoneRecordPositions | undefined,
    max: number,
  ) {
    this.#apex = apex;
    this.#records = records;
    this.#positions = positions;
    this.#max = Math.max(1, max);
  }

  /** @param index of the record meant; undefined for the zone as a whole */
  error(code: ZoneProblemCode, index: number | undefined, message: string): void {
    if (++this.#errorCount <= this.#max) this.#errors.push(this.#problem("error", code, index, message));
  }

  warning(code: ZoneProblemCode, index: number | undefined, message: string): void {
    if (++this.#warningCount <= this.#max)
      this.#warnings.push(this.#problem("warning", code, index, message));
  }

  /** Errors, then warnings, then how many were left out of either. */
  finish(): ZoneProblem[] {
    return [
      ...this.#errors,
      ...this.#warnings,
      ...this.#leftOut("error", this.#errorCount),
      ...this.#leftOut("warning", this.#warningCount),
    ];
  }

  #problem(
    severity: ZoneProblem["severity"],
    code: ZoneProblemCode,
    index: number | undefined,
    message: string,
  ): ZoneProblem {
    if (index === undefined) return { code, severity, owner: this.#apex.toString(), message };
    const { name, type } = this.#records[index]!;
    const problem = { code, severity, owner: name.toString(), type: typeToText(type), message };
    return this.#positions === undefined ? problem : { ...problem, ...this.#positions.at(index) };
  }

  #leftOut(severity: ZoneProblem["severity"], count: number): ZoneProblem[] {
    if (count <= this.#max) return [];
    const message = `${count - this.#max} more ${severity}s are not listed`;
    return [{ code: "ZONE_MORE", severity, owner: this.#apex.toString(), message }];
  }
}
