/** A zone that ages, and its times. */
import type { Name } from "../../wire/name.ts";
import { type AgeingRules, type RegisteredRecord, staleFrom } from "../../zone/registration.ts";
import type { ZoneView } from "../../zone/view.ts";
import { nextTimeOfDay } from "./time-of-day.ts";

export interface ServedAgeingZone {
  readonly apex: Name;
  readonly ageing: AgeingRules;
  readonly view: ZoneView;
}

export interface ZoneTimes {
  readonly apex: Name;
  /** Seconds since 1970 UTC: nothing is stale before. */
  notBefore: number;
  /** Seconds since 1970 UTC: leases run from here, where they began before. */
  leasesFrom: number;
  /** Seconds since 1970 UTC: when it was last written that the zone takes refreshes. */
  seen: number;
  /** When its stale records go next, in milliseconds since 1970 UTC. */
  next: number;
}

/** When a record's lease ends, in seconds since 1970 UTC; undefined where it has none. */
export function leaseEnd({ refreshed, lease }: RegisteredRecord, times: ZoneTimes): number | undefined {
  return lease === undefined ? undefined : Math.max(refreshed, times.leasesFrom) + lease;
}

/** When a record goes unless it is refreshed, in milliseconds since 1970 UTC. */
export function departureOf(
  record: RegisteredRecord,
  rules: AgeingRules,
  times: ZoneTimes,
  now: number,
): number {
  const ends = leaseEnd(record, times);
  if (ends !== undefined) return ends * 1000;
  const stale = 1000 * Math.max(staleFrom(record.refreshed, rules), times.notBefore);
  return nextTimeOfDay(rules.at, Math.max(stale, now) - 1);
}
