/** Carries updates from the dispatcher through the change queue to their replies (RFC 2136 §3). */
import type { Requester } from "../auth/acl.ts";
import { decideUpdate, knowsRequester } from "../auth/policy.ts";
import type { PolicyZone } from "../auth/update-rule.ts";
import type { Peer } from "../protocol/context.ts";
import { peerToText } from "../protocol/context.ts";
import type { Outcome } from "../protocol/dispatch.ts";
import type {
  Ownership,
  Refreshing,
  UpdateContext,
  UpdateOutcome as UpdateReply,
  UpdateVerdict,
} from "../protocol/update.ts";
import { anythingAt, judgeUpdate, refusal, refuseStranger } from "../protocol/update.ts";
import { addressChanges } from "../protocol/update-pointers.ts";
import { Ede, Rcode } from "../wire/iana/code.ts";
import type { Name } from "../wire/name.ts";
import { soaSerial } from "../wire/rdata/soa.ts";
import type { Actor, Changeset, ChangeOrigin } from "../zone/changeset.ts";
import { nameServersOf } from "../zone/name-servers.ts";
import type { ZoneStore } from "../zone/ports.ts";
import { registeredBy } from "../zone/registration.ts";
import type { ZoneView } from "../zone/view.ts";
import type { ChangeQueue, JobVerdict } from "./change-queue.ts";
import { CommitFailed, QueueClosed, QueueFull, ZoneGone } from "./change-queue.ts";
import type { Ageing } from "./ageing.ts";
import { reverseChanges } from "./reverse-records.ts";
import type { RefusalLog } from "./refusal-log.ts";
import type { ServedZones } from "./zones.ts";

/** Names listed in the log line of one update. */
const MAX_LOGGED_NAMES = 5;

export interface UpdateCounters {
  received: number;
  changed: number;
  unchanged: number;
  refused: number;
  failed: number;
}

export interface UpdaterDeps {
  readonly queue: ChangeQueue;
  readonly zones: ServedZones;
  /** What is known of names and records beside their contents. */
  readonly store: Pick<ZoneStore, "owners" | "registrations">;
  readonly ageing: Pick<Ageing, "noted">;
  readonly refusals: RefusalLog;
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
}

const NO_ERROR: { readonly rcode: number } = { rcode: Rcode.NOERROR };

/** What became of an update, and of reverse zones with it. */
interface Judged {
  readonly verdict: UpdateVerdict;
  readonly reverse?: readonly Changeset[];
}

type UpdateOutcome = Extract<Outcome, { kind: "update" }>;

export class Updater {
  readonly counters: UpdateCounters = { received: 0, changed: 0, unchanged: 0, refused: 0, failed: 0 };
  readonly #deps: UpdaterDeps;

  constructor(deps: UpdaterDeps) {
    this.#deps = deps;
  }

  /** Judges and commits an update. Resolves with the reply to send; never rejects. */
  async handle(outcome: UpdateOutcome, peer: Peer): Promise<Uint8Array> {
    this.counters.received++;
    const answer = await this.#decide(outcome, peer);
    return outcome.reply(answer, Math.floor(this.#deps.now() / 1000));
  }

  async #decide(outcome: UpdateOutcome, peer: Peer): Promise<UpdateReply> {
    const { request, requester } = outcome;
    const started = performance.now();
    const rules = outcome.zone.update;
    const { registrations } = this.#deps.store;
    if (!knowsRequester(rules, requester)) {
      // Before the queue: a flood from strangers is to cost those whom a rule knows no place in it (CVE-2022-3094).
      const apex = request.zone;
      const decision = decideUpdate(rules, requester, { apex, nameServers: [] }, anythingAt(apex));
      return this.#judged(refuseStranger(decision), outcome, peer, started);
    }
    try {
      const { verdict, reverse = [] } = await this.#deps.queue.submit({
        apex: request.zone,
        source: requester.address,
        judge: (view, other): JobVerdict<Judged> => {
          // Looked up when it is judged: a reload may have changed the rules since the packet came.
          const zone = this.#deps.zones.get(request.zone);
          if (zone === undefined) throw new ZoneGone(request.zone);
          // Only for those who change something: reading the name servers costs more than the rules themselves.
          let facts: PolicyZone | undefined;
          const origin: ChangeOrigin = { actor: actorOf(requester), at: this.#deps.now(), cause: "update" };
          const policy: UpdateContext["policy"] = (change) => {
            facts ??= {
              apex: view.apex,
              nameServers: nameServersOf(view),
              hasStatic: (name) => registrations.hasStatic(view.apex, name),
            };
            return decideUpdate(zone.update, requester, facts, change);
          };
          const context: UpdateContext = {
            policy,
            known: knowsRequester(zone.update, requester),
            limits: zone.config.limits,
            origin,
            ownership: zone.update.some(({ own }) => own === true) ? this.#ownership(view) : undefined,
            ageing: zone.config.ageing,
          };
          const verdict = judgeUpdate(request, view, context);
          const changeset = verdict.kind === "change" ? verdict.changeset : undefined;
          if (!zone.config.ptr || verdict.kind === "refused") return { changeset, result: { verdict } };
          const addresses = addressChanges(request, view, changeset, context);
          const reverse = reverseChanges(this.#deps.zones, other, addresses, origin, changeset);
          if (reverse.problem !== undefined) {
            const full = refusal(Rcode.REFUSED, Ede.PROHIBITED, reverse.problem);
            return { result: { verdict: { kind: "refused", ...full } } };
          }
          const { changesets } = reverse;
          return { changeset, also: changesets, result: { verdict, reverse: changesets } };
        },
      });
      for (const changeset of reverse) {
        this.#deps.log.info({ ...summary(changeset), ...by(requester, peer) }, "reverse records");
      }
      return this.#judged(verdict, outcome, peer, started);
    } catch (error) {
      return this.#failed(error, outcome, peer);
    }
  }

  /** Who owns names once what this view shows is committed. */
  #ownership(view: ZoneView): Ownership {
    const { owners, registrations } = this.#deps.store;
    return {
      of: (name) => {
        const pending = view.pendingOwner?.(name);
        return pending === undefined ? owners.of(view.apex, name) : (pending ?? undefined);
      },
      hasStatic: (name) => registrations.hasStatic(view.apex, name),
    };
  }

  #judged(verdict: UpdateVerdict, outcome: UpdateOutcome, peer: Peer, started: number): UpdateReply {
    const zone = outcome.request.zone;
    switch (verdict.kind) {
      case "refused": {
        this.counters.refused++;
        const { rcode, reason, ede, rule } = verdict;
        const { key, principal } = outcome.requester;
        const extra = rule === undefined ? {} : { rule: rule.index };
        const refusal = { exchange: "update", rcode, reason, name: zone, key, principal };
        this.#deps.refusals.write(refusal, peer, extra);
        return { rcode, ede };
      }
      case "unchanged":
        this.counters.unchanged++;
        this.#deps.log.info(
          { zone: zone.toString(), ...by(outcome.requester, peer) },
          "update changes nothing",
        );
        return this.#granted(zone, undefined, verdict);
      case "change": {
        this.counters.changed++;
        const { changeset } = verdict;
        // One literal and no spreads: thousands of these a second are a good part of all garbage there is.
        const line = {
          zone: changeset.zone.toString(),
          serial: soaSerial(changeset.soaAfter.rdata),
          removed: changeset.removed.length,
          added: changeset.added.length,
          names: firstOwners(changeset),
          peer: peerToText(peer),
          transport: peer.transport,
          key: outcome.requester.key?.toString(),
          principal: outcome.requester.principal,
          milliseconds: Math.round((performance.now() - started) * 10) / 10,
        };
        this.#deps.log.info(line, "update");
        return this.#granted(zone, changeset, verdict);
      }
    }
  }

  #granted(zone: Name, changeset: Changeset | undefined, { refreshes, lease }: Refreshing): UpdateReply {
    // At once, before the next batch is judged: ageing must not find stale what was refreshed just now.
    if (refreshes !== undefined) {
      const registered = changeset === undefined ? [] : registeredBy(changeset);
      this.#deps.ageing.noted(zone, registered, refreshes, lease);
    }
    return lease === undefined ? NO_ERROR : { rcode: Rcode.NOERROR, lease };
  }

  #failed(error: unknown, outcome: UpdateOutcome, peer: Peer): UpdateReply {
    const name = outcome.request.zone;
    const { key, principal } = outcome.requester;
    const refuse = (rcode: number, code: number, reason: string) => {
      this.counters.refused++;
      this.#deps.refusals.write({ exchange: "update", rcode, reason, name, key, principal }, peer);
      return { rcode, ede: { code, text: reason } };
    };
    if (error instanceof QueueFull) return refuse(Rcode.REFUSED, Ede.OTHER, error.message);
    if (error instanceof ZoneGone) return refuse(Rcode.NOTAUTH, Ede.NOT_AUTHORITATIVE, error.message);
    if (error instanceof QueueClosed) return refuse(Rcode.SERVFAIL, Ede.NOT_READY, error.message);
    this.counters.failed++;
    // A failed commit is logged once for its whole batch by the queue's onFailure; anything else is a bug.
    if (!(error instanceof CommitFailed)) {
      this.#deps.log.error(
        { zone: name.toString(), ...by(outcome.requester, peer), err: error },
        "update failed",
      );
    }
    return { rcode: Rcode.SERVFAIL, ede: { code: Ede.OTHER, text: "the change could not be stored" } };
  }
}

function actorOf(requester: Requester): Actor {
  const { address, key, principal } = requester;
  if (principal !== undefined) return { kind: "principal", name: principal, from: address };
  if (key !== undefined) return { kind: "key", name: key.toString(), from: address };
  return { kind: "address", name: address, from: address };
}

function by(requester: Requester, peer: Peer): object {
  const { key, principal } = requester;
  return {
    peer: peerToText(peer),
    transport: peer.transport,
    ...(key === undefined ? {} : { key: key.toString() }),
    ...(principal === undefined ? {} : { principal }),
  };
}

/** What a changeset did, for a log line. */
export function summary(changeset: Changeset): object {
  const { zone, soaAfter, removed, added } = changeset;
  return {
    zone: zone.toString(),
    serial: soaSerial(soaAfter.rdata),
    removed: removed.length,
    added: added.length,
    names: firstOwners(changeset),
  };
}

/** The first few names of a change; a large one is not gone through for the rest. */
function firstOwners({ removed, added }: Changeset): string[] {
  const names: Name[] = [];
  for (const records of [removed, added]) {
    for (const { name } of records) {
      if (names.some((known) => known.equals(name))) continue;
      names.push(name);
      if (names.length === MAX_LOGGED_NAMES) return names.map((each) => each.toString());
    }
  }
  return names.map((each) => each.toString());
}
