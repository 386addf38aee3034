/** Whether a zone meets an update's prerequisites (RFC 2136 §3.2). */
import { Ede, Rcode } from "../wire/iana/code.ts";
import { RrType, typeToText } from "../wire/iana/type.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import type { ZoneView } from "../zone/view.ts";
import type { ExpectedRrSet, Prerequisite, UpdateRefusal, UpdateRequest } from "./update-prescan.ts";
import { refusal } from "./update-prescan.ts";

/**
 * The refusal of the first prerequisite that is malformed or not met; undefined where all are met. As in the pseudo code
 * of §3.2.5 the whole-RRset comparisons come last, after every record of the section has been checked for form.
 * Wildcards and aliases are not followed (§1.1.3, §1.1.4).
 */
export function checkPrerequisites(request: UpdateRequest, view: ZoneView): UpdateRefusal | undefined {
  for (const prerequisite of request.prerequisites) {
    const rcode = checkOne(prerequisite, view);
    if (rcode !== Rcode.NOERROR) return unmet(rcode, describe(prerequisite));
  }
  if (request.prerequisiteFault !== undefined) return request.prerequisiteFault;
  for (const rrset of request.expected) {
    if (!holds(rrset, view)) {
      // RFC 2136 §3.2.3
      return unmet(
        Rcode.NXRRSET,
        `${rrset.name.toString()} ${typeToText(rrset.type)} has exactly the records given`,
      );
    }
  }
  return undefined;
}

function checkOne(prerequisite: Prerequisite, view: ZoneView): number {
  const { must, name, type } = prerequisite;
  // A name that only has names below it is not in use (RFC 2136 §2.4.4, §2.4.5).
  const exists = type === RrType.ANY ? view.rrsets(name).length > 0 : view.rrset(name, type) !== undefined;
  if (exists === (must === "exist")) return Rcode.NOERROR;
  // RFC 2136 §3.2.1, §3.2.2
  if (must === "exist") return type === RrType.ANY ? Rcode.NXDOMAIN : Rcode.NXRRSET;
  return type === RrType.ANY ? Rcode.YXDOMAIN : Rcode.YXRRSET;
}

/** Set equality, TTL ignored (RFC 2136 §1.1.1, §2.4.2). */
function holds(expected: ExpectedRrSet, view: ZoneView): boolean {
  const stored = view.rrset(expected.name, expected.type);
  if (stored === undefined || stored.rdatas.length !== expected.keys.size) return false;
  return stored.rdatas.every((rdata) => expected.keys.has(rdataKey(expected.type, rdata)));
}

function unmet(rcode: number, what: string): UpdateRefusal {
  return refusal(rcode, Ede.OTHER, `prerequisite not met: ${what}`);
}

function describe({ must, name, type }: Prerequisite): string {
  if (type === RrType.ANY) return `${name.toString()} is ${must === "exist" ? "" : "not "}in use`;
  return `${name.toString()} ${typeToText(type)} ${must === "exist" ? "exists" : "does not exist"}`;
}
