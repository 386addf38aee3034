/**
 * Dynamic update (RFC 2136): from a message to a verdict, and from a verdict to a reply. Pure: a verdict that changes
 * something is a changeset, which others commit and publish before the client hears of it.
 *
 * The order in which things are told (RFC 2136 §3.1 to §3.4) is: the form of the zone section; whether the zone is served
 * here (the caller's part); whether any rule knows the requester; prerequisites; the form of the update section;
 * permission; limits. Two choices within the RFC's freedom (§3.3 leaves permission to the implementation):
 * a requester that no rule knows is refused before the prerequisites, so that they are no oracle for strangers;
 * and permission is asked for what would differ in the end, so it comes after the prescan. Windows hosts delete and add
 * the same address again at every refresh, and this must be NOERROR even for one that may not change it.
 */
import type { Decision } from "../auth/policy.ts";
import type { RrSetChange, UpdateRule } from "../auth/update-rule.ts";
import { edeOption, type ExtendedError } from "../wire/edns.ts";
import { Ede, Opcode, Rcode } from "../wire/iana/code.ts";
import { RrType, typeToText } from "../wire/iana/type.ts";
import { encodeMessage, Flag, type Message } from "../wire/message.ts";
import type { Name } from "../wire/name.ts";
import { rdataKey } from "../wire/rdata/rdata.ts";
import { soaSerial, withSerial } from "../wire/rdata/soa.ts";
import { record, type ResourceRecord } from "../wire/record.ts";
import { type UpdateLease, updateLeaseOption } from "../wire/update-lease.ts";
import type { Changeset, ChangeOrigin } from "../zone/changeset.ts";
import type { AgeingRules, Refresh } from "../zone/registration.ts";
import { MAX_RRSET_OCTETS, RECORD_OVERHEAD } from "../zone/rrset-size.ts";
import { nextSerial } from "../zone/serial.ts";
import type { ZoneView } from "../zone/view.ts";
import { ednsOfReply } from "./reply.ts";
import { checkOwner, type Ownership } from "./update-owner.ts";
import { checkPrerequisites } from "./update-prerequisite.ts";
import { refusal, type UpdateRefusal, type UpdateRequest } from "./update-prescan.ts";
import { findRefreshes, grantLease, leaseOf } from "./update-refresh.ts";
import { type NameDifference, type RrSetDifference, Scratch } from "./update-scratch.ts";

export type { Ownership } from "./update-owner.ts";
export { readUpdate, refusal, type UpdateRefusal, type UpdateRequest } from "./update-prescan.ts";

/** How large an update may make things. What is over a limit already may shrink, and may not grow. */
export interface UpdateLimits {
  readonly recordsPerRrset: number;
  readonly typesPerName: number;
  readonly recordsPerZone: number;
}

/** Who asks, and what holds for them. */
export interface UpdateContext {
  /** What the zone's rules say of one RRset that would differ. */
  readonly policy: (change: RrSetChange) => Decision;
  /** Whether any of the zone's rules could match this requester. */
  readonly known: boolean;
  readonly limits: UpdateLimits;
  readonly origin: ChangeOrigin;
  /** Who owns which name: for rules with `own = true`. */
  readonly ownership?: Ownership | undefined;
  /** How the zone ages: leases are granted and refreshes found only where it does. */
  readonly ageing?: AgeingRules | undefined;
}

export type UpdateVerdict =
  | ({ readonly kind: "refused"; readonly rule?: UpdateRule | undefined } & UpdateRefusal)
  | ({ readonly kind: "unchanged" } & Refreshing)
  | ({ readonly kind: "change"; readonly changeset: Changeset } & Refreshing);

/** What an update of a zone that ages keeps alive. */
export interface Refreshing {
  /** Records that stay as they are and that the update refreshes; undefined where the zone does not age. */
  readonly refreshes?: readonly Refresh[] | undefined;
  /** The lease granted to what the update adds and refreshes, where it asked for one. */
  readonly lease?: UpdateLease | undefined;
}

/**
 * Judges an update against a zone. Changes nothing and can be repeated: the same request on the same view gives the same
 * verdict.
 */
export function judgeUpdate(request: UpdateRequest, view: ZoneView, context: UpdateContext): UpdateVerdict {
  if (!context.known) return refuseStranger(context.policy(anythingAt(view.apex)));
  const unmet = checkPrerequisites(request, view);
  if (unmet !== undefined) return refused(unmet);
  if (request.updateFault !== undefined) return refused(request.updateFault);

  const lease = context.ageing && request.lease && grantLease(request.lease, context.ageing);
  const scratch = new Scratch(view);
  for (const operation of request.operations) scratch.apply(operation);
  const differences = scratch.differences();
  if (differences.length === 0 && scratch.soa === undefined) {
    return { kind: "unchanged", ...refreshing(request, view, { removed: [], added: [] }, lease, context) };
  }

  const permission = checkPermission(differences, scratch.soa, context);
  if ("kind" in permission) return permission;
  const changeset = buildChangeset(request, view, differences, scratch.soa, permission, lease, context);
  const tooMuch = checkLimits(differences, changeset, view, context.limits);
  if (tooMuch !== undefined) return refused(tooMuch);
  return { kind: "change", changeset, ...refreshing(request, view, changeset, lease, context) };
}

/**
 * The verdict on a requester that no rule knows: the same whatever is asked and whatever the zone holds, so that it can
 * be given before anything else is looked at.
 * @param decision what the zone's rules say of {@link anythingAt} its apex
 */
export function refuseStranger(decision: Decision): UpdateVerdict {
  return forbidden(decision);
}

/** What is asked of the policy where nothing is known of the change. */
export function anythingAt(apex: Name): RrSetChange {
  return { name: apex, type: RrType.ANY, removed: [], added: [] };
}

/** What a client is told of its update. */
export interface UpdateOutcome {
  readonly rcode: number;
  readonly ede?: ExtendedError | undefined;
  /** What was granted (RFC 9664 §4.3). */
  readonly lease?: UpdateLease | undefined;
}

/**
 * The reply to an update (RFC 2136 §3.8): the request's ID and opcode, its zone section where there was one, none of the
 * rest, and for a client that speaks EDNS the reason of a refusal. Unsigned: the dispatcher signs it.
 */
export function updateReply(message: Message, outcome: UpdateOutcome): Uint8Array {
  const { rcode, ede, lease } = outcome;
  const options = ede === undefined ? [] : [edeOption(ede)];
  if (lease !== undefined) options.push(updateLeaseOption(lease));
  return encodeMessage({
    id: message.header.id,
    flags: Flag.QR | (Opcode.UPDATE << 11),
    rcode,
    questions: message.questions.length === 1 ? message.questions : [],
    edns: ednsOfReply(message, options),
  });
}

function refused(why: UpdateRefusal): UpdateVerdict {
  return { kind: "refused", ...why };
}

function forbidden({ rule, reason }: Decision, what = ""): UpdateVerdict {
  const ede = { code: Ede.PROHIBITED, text: reason };
  return { kind: "refused", rcode: Rcode.REFUSED, ede, reason: `${what}${reason}`, rule };
}

/** What an update that may be made brings with it. */
interface Permission {
  /** Names that the requester owns from now on. */
  readonly claimed: readonly Name[] | undefined;
  /** RRsets whose rules say that what is added never ages. */
  readonly fixed: ReadonlySet<object> | undefined;
}

/** RFC 2136 §3.3: every RRset that would differ must be one the requester may change, whether by adding or deleting. */
function checkPermission(
  differences: readonly NameDifference[],
  soa: ResourceRecord | undefined,
  context: UpdateContext,
): UpdateVerdict | Permission {
  let claimed: Name[] | undefined;
  let fixed: Set<object> | undefined;
  for (const { name, typesBefore, typesAfter, rrsets } of differences) {
    let owning: UpdateRule | undefined;
    for (const rrset of rrsets) {
      const decision = context.policy(rrset);
      if (!decision.allow) return forbidden(decision, `${name.toString()} ${typeToText(rrset.type)}: `);
      if (decision.rule?.own === true) owning = decision.rule;
      if (decision.rule?.static === true) (fixed ??= new Set()).add(rrset);
    }
    if (context.ownership === undefined) continue;
    if (owning === undefined) {
      // Whoever comes by another rule came as well: a name that is a domain member's is not a stranger's to claim.
      if (typesBefore === 0 && typesAfter > 0) (claimed ??= []).push(name);
      continue;
    }
    const whose = checkOwner(name, typesBefore > 0, context.origin.actor, context.ownership);
    if (typeof whose === "object") return { kind: "refused", rule: owning, ...whose };
    if (whose === "free" && typesAfter > 0) (claimed ??= []).push(name);
  }
  if (soa !== undefined) {
    const decision = context.policy({ name: soa.name, type: RrType.SOA, removed: [], added: [soa] });
    if (!decision.allow) return forbidden(decision, `${soa.name.toString()} SOA: `);
  }
  return { claimed, fixed };
}

/** What would be said to an update that added a record, of one that is there and that it names again. */
export function decideOnPresent(
  { name, type, rdata }: Pick<ResourceRecord, "name" | "type" | "rdata">,
  { policy, ownership, origin }: Pick<UpdateContext, "policy" | "ownership" | "origin">,
): Pick<Decision, "allow" | "rule"> {
  const { allow, rule } = policy({ name, type, removed: [{ rdata }], added: [{ rdata }] });
  const asksOwner = allow && rule?.own === true && ownership !== undefined;
  if (!asksOwner) return { allow, ...(rule && { rule }) };
  return { allow: typeof checkOwner(name, true, origin.actor, ownership) === "string", rule };
}

/** What a granted update keeps from ageing. */
function refreshing(
  request: UpdateRequest,
  view: ZoneView,
  { removed, added }: Pick<Changeset, "removed" | "added">,
  lease: UpdateLease | undefined,
  context: UpdateContext,
): Refreshing {
  const { ageing, origin } = context;
  if (ageing === undefined) return {};
  const mayRefresh = (name: Name, type: number, rdata: Uint8Array): boolean => {
    const { allow, rule } = decideOnPresent({ name, type, rdata }, context);
    return allow && rule?.static !== true;
  };
  const at = Math.floor(origin.at / 1000);
  const refreshes = findRefreshes(request, view, removed, mayRefresh, lease, at);
  // Who names again what is another's is told that all is well, and promised nothing.
  return { refreshes, lease: added.length === 0 && refreshes.length === 0 ? undefined : lease };
}

/** Caps against floods of records (compare CVE-2024-1737, CVE-2016-6170). */
function checkLimits(
  differences: readonly NameDifference[],
  changeset: Changeset,
  view: ZoneView,
  limits: UpdateLimits,
): UpdateRefusal | undefined {
  for (const { name, typesBefore, typesAfter, rrsets } of differences) {
    if (typesAfter > typesBefore && typesAfter > limits.typesPerName) {
      return overLimit(
        `${name.toString()} would have ${typesAfter} types`,
        "types_per_name",
        limits.typesPerName,
      );
    }
    for (const { type, before, after, octetsBefore, octetsAfter } of rrsets) {
      if (after > before && after > limits.recordsPerRrset) {
        const what = `${name.toString()} ${typeToText(type)} would have ${after} records`;
        return overLimit(what, "records_per_rrset", limits.recordsPerRrset);
      }
      const size = octetsAfter + after * RECORD_OVERHEAD;
      if (octetsAfter > octetsBefore && size > MAX_RRSET_OCTETS) {
        const what = `${name.toString()} ${typeToText(type)} would have ${size} octets`;
        return refusal(
          Rcode.REFUSED,
          Ede.PROHIBITED,
          `${what}, and no answer holds more than ${MAX_RRSET_OCTETS}`,
        );
      }
    }
  }
  const growth = changeset.added.length - changeset.removed.length;
  if (growth > 0 && view.recordCount + growth > limits.recordsPerZone) {
    const what = `the zone would have ${view.recordCount + growth} records`;
    return overLimit(what, "records_per_zone", limits.recordsPerZone);
  }
  return undefined;
}

function overLimit(what: string, option: string, limit: number): UpdateRefusal {
  return refusal(Rcode.REFUSED, Ede.PROHIBITED, `${what}, and ${option} is ${limit}`);
}

function buildChangeset(
  request: UpdateRequest,
  view: ZoneView,
  differences: readonly NameDifference[],
  soa: ResourceRecord | undefined,
  { claimed, fixed }: Permission,
  lease: UpdateLease | undefined,
  { origin }: UpdateContext,
): Changeset {
  const { soa: soaBefore } = view;
  const { name, ttl, rdata } = soaBefore;
  const rrsets = differences.flatMap((difference) => difference.rrsets);
  const lifetimes: (number | undefined)[] = [];
  for (const rrset of rrsets) {
    const { type, added, ttlChanged } = rrset;
    const lifetime = fixed?.has(rrset) === true ? undefined : lease === undefined ? 0 : leaseOf(type, lease);
    const isNamed = ttlChanged ? namedBy(request, rrset) : undefined;
    for (const rr of added) lifetimes.push(isNamed === undefined || isNamed(rr) ? lifetime : undefined);
  }
  return {
    zone: view.apex,
    soaBefore,
    // RFC 2136 §3.6: the server moves the serial where the update itself did not.
    soaAfter: soa ?? record(name, RrType.SOA, ttl, withSerial(rdata, nextSerial(soaSerial(rdata)))),
    removed: rrsets.flatMap(({ removed }) => removed),
    added: rrsets.flatMap(({ added }) => added),
    lifetimes,
    claimed,
    origin,
  };
}

/** Tells of a record of an RRset whether the update adds it, or only its neighbours and so its TTL. */
function namedBy(request: UpdateRequest, rrset: RrSetDifference): (rr: ResourceRecord) => boolean {
  const keys = new Set<string>();
  for (const operation of request.operations) {
    const { kind, name } = operation;
    if (kind === "add" && operation.type === rrset.type && name.equals(rrset.name)) keys.add(operation.key);
  }
  return ({ type, rdata }) => keys.has(rdataKey(type, rdata));
}
