/** Whatever hosts do and whenever: records go when a naive model of ageing says so, names are owned as it says. */
import * as fc from "fast-check";
import { test, expect } from "vitest";
import type { UpdateRule } from "../../src/auth/update-rule.ts";
import { Name } from "../../src/wire/name.ts";
import { name, ORIGIN } from "../support/rr.ts";
import { DAY, HOUR, Registry, RULES, START } from "../support/registry.ts";

process.env["TZ"] = "UTC";

const rules: UpdateRule[] = [
  { index: 1, key: Name.parse("admin"), allow: true, static: true },
  { index: 2, key: Name.parse("plain"), allow: true },
  { index: 3, key: Name.parse("one"), allow: true, own: true },
  { index: 4, key: Name.parse("two"), allow: true, own: true },
];
const WHO = ["admin", "plain", "one", "two"] as const;
type Who = (typeof WHO)[number];

const record = fc.record({
  owner: fc.constantFrom("a", "b"),
  octet: fc.constantFrom(1, 2),
  ttl: fc.constantFrom(60, 60, 90),
});
type RecordOf = typeof record extends fc.Arbitrary<infer T> ? T : never;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      who: fc.constantFrom(...WHO),
      record,
      lease: fc.constantFrom(undefined, undefined, 3600, 80_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), who: fc.constantFrom(...WHO), record }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), hours: fc.constantFrom(1, 5, 24, 100, 200) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Seconds since the start. */
interface Kept {
  ttl: number;
  /** Undefined: static. */
  refreshed: number | undefined;
  lease: number | undefined;
}

class Model {
  now = 0;
  /** By owner and last octet. */
  readonly records = new Map<string, Kept>();
  readonly owners = new Map<string, Who>();
  #next = 15 * 3600;
  readonly #notBefore = RULES.refresh / 1000;

  run(one: Step): void {
    if (one.kind === "pass") this.#pass(one.hours * 3600);
    else if (one.kind === "add") this.#add(one.who, one.record, one.lease);
    else this.#delete(one.who, one.record);
  }

  #add(who: Who, { owner, octet, ttl }: RecordOf, lease: number | undefined): void {
    const key = `${owner} ${octet}`;
    const present = this.records.get(key);
    const differs = present === undefined || present.ttl !== ttl;
    const whose = this.#whose(who, owner);
    if (differs && whose === "other") return;
    if (present !== undefined && !differs && (who === "admin" || whose === "other")) return;
    if (differs && (whose === "free" || !this.#inUse(owner))) this.owners.set(owner, who);
    for (const [other, kept] of this.records) if (other.startsWith(`${owner} `)) kept.ttl = ttl;
    if (present === undefined) {
      this.records.set(key, {
        ttl,
        refreshed: who === "admin" ? undefined : this.now,
        lease: who === "admin" ? undefined : lease,
      });
    } else if (present.refreshed !== undefined && who !== "admin") {
      const isLate = this.now - present.refreshed >= RULES.noRefresh / 1000;
      if (!differs && lease === undefined && present.lease === undefined && !isLate) return;
      present.refreshed = this.now;
      present.lease = lease;
    }
  }

  #delete(who: Who, { owner, octet }: RecordOf): void {
    if (!this.records.has(`${owner} ${octet}`) || this.#whose(who, owner) === "other") return;
    const wasFree = this.#whose(who, owner) === "free";
    this.#remove(`${owner} ${octet}`);
    if (wasFree && this.#inUse(owner)) this.owners.set(owner, who);
  }

  #whose(who: Who, owner: string): "own" | "free" | "other" | "above" {
    if (who === "admin" || who === "plain") return "above";
    const has = this.owners.get(owner);
    if (has !== undefined) return has === who ? "own" : "other";
    const isFixed = [...this.records].some(
      ([key, { refreshed }]) => key.startsWith(`${owner} `) && refreshed === undefined,
    );
    return isFixed ? "other" : "free";
  }

  #pass(seconds: number): void {
    this.now += seconds;
    for (const [key, { refreshed, lease }] of this.records) {
      if (refreshed !== undefined && lease !== undefined && refreshed + lease <= this.now) this.#remove(key);
    }
    if (this.now < this.#next) return;
    while (this.#next <= this.now) this.#next += 86_400;
    if (this.now < this.#notBefore) return;
    const life = (RULES.noRefresh + RULES.refresh) / 1000;
    for (const [key, { refreshed, lease }] of this.records) {
      if (refreshed !== undefined && lease === undefined && refreshed + life <= this.now) this.#remove(key);
    }
  }

  #remove(key: string): void {
    this.records.delete(key);
    const owner = key.split(" ")[0]!;
    if (!this.#inUse(owner)) this.owners.delete(owner);
  }

  #inUse(owner: string): boolean {
    return [...this.records.keys()].some((key) => key.startsWith(`${owner} `));
  }

  get lines(): string[] {
    return Array.from(this.records, ([key, { ttl }]) => {
      const [owner, octet] = key.split(" ");
      return `${owner}.smb.example. ${ttl} A 192.0.2.${octet}`;
    }).toSorted();
  }
}

/** A refresh that is not written yet, and then a neighbour that brings another TTL. */
const REFRESHED_NEIGHBOUR: Step[] = [
  { kind: "add", who: "two", record: { owner: "a", octet: 2, ttl: 60 }, lease: undefined },
  { kind: "add", who: "two", record: { owner: "a", octet: 2, ttl: 60 }, lease: 80_000 },
  { kind: "add", who: "admin", record: { owner: "a", octet: 1, ttl: 90 }, lease: undefined },
  { kind: "pass", hours: 24 },
];

test("records and owners are what the model says after every step", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const registry = new Registry({ ageing: RULES, rules });
      const model = new Model();
      try {
        for (const one of steps) {
          model.run(one);
          if (one.kind === "pass") await registry.pass(one.hours * HOUR);
          else {
            const { owner, octet, ttl } = one.record;
            const data = `A 192.0.2.${octet}`;
            const updates = [one.kind === "add" ? `${owner} ${ttl} IN ${data}` : `${owner} 0 NONE ${data}`];
            const lease =
              one.kind === "add" && one.lease !== undefined ? { lease: { lease: one.lease } } : {};
            await registry.update({ updates, ...lease }, `key ${one.who}`);
          }
          expect(registry.records).toEqual(model.lines);
          for (const owner of ["a", "b"]) {
            const has = registry.store.owners.of(ORIGIN, name(owner))?.name;
            expect(has).toBe(model.owners.has(owner) ? `${model.owners.get(owner)}.` : undefined);
          }
          expect(registry.now - START).toBe(model.now * 1000);
        }
      } finally {
        await registry.remove();
      }
    }),
    { numRuns: 100, examples: [[REFRESHED_NEIGHBOUR]] },
  );
}, 120_000);

test("the intervals of the model are those of the rules", () => {
  expect([RULES.noRefresh, RULES.refresh]).toEqual([7 * DAY, 7 * DAY]);
});
