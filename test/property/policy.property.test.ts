/** Random rules, requesters and changes: what is explained is what is decided, and what the scopes promise holds. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Requester } from "../../src/auth/acl.ts";
import { decideUpdate, explainUpdate, knowsRequester } from "../../src/auth/policy.ts";
import { guardOf } from "../../src/auth/guarded-name.ts";
import { ownName } from "../../src/auth/own-name.ts";
import type { RrSetChange, UpdateRule } from "../../src/auth/update-rule.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { POLICY_ZONE, rules } from "../support/policy.ts";
import type { RuleText } from "../support/policy.ts";

const KEYS = ["node1.smb.example", "node2.smb.example", "dhcp.other.example"];
const PRINCIPALS = ["NODE1$@SMB.EXAMPLE", "host/node2.smb.example@SMB.EXAMPLE", "admin@SMB.EXAMPLE"];
const NETS = ["192.0.2.0/24", "192.0.2.1", "2001:db8::/32", "0.0.0.0/0"];
const OWNERS = ["@", "node1", "node2", "a.node1", "ns1", "wpad", String.raw`\*`, "_msdcs", "x._msdcs"];
const ADDRESSES = ["192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8::1", "::ffff:192.0.2.1"];

const some = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** One of so many values, mostly absent. */
const seldom = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const ruleText: fc.Arbitrary<RuleText> = fc
  .record({
    key: seldom(some(...KEYS)),
    principal: seldom(some("*$@SMB.EXAMPLE", "host/*@SMB.EXAMPLE", "admin@SMB.EXAMPLE")),
    net: seldom(some(...NETS)),
    names: seldom(fc.subarray([...OWNERS, "*", "*.node1", "*._msdcs"], { minLength: 1 })),
    types: seldom(fc.subarray(["A", "AAAA", "TXT", "ANY"], { minLength: 1 })),
    scope: seldom(some("self" as const, "self-sub" as const, "source" as const)),
    udp: seldom(fc.boolean()),
    replace: seldom(fc.boolean()),
    allow: some(true, true, true, false),
  })
  .map((text) => Object.fromEntries(Object.entries(text).filter(([, value]) => value !== undefined)));

const requester: fc.Arbitrary<Requester> = fc
  .record({
    address: some(...ADDRESSES),
    transport: some("udp" as const, "tcp" as const),
    who: some<Pick<Requester, "key" | "principal">>(
      {},
      ...KEYS.map((key) => ({ key: Name.parse(key) })),
      ...PRINCIPALS.map((principal) => ({ principal })),
    ),
  })
  .map(({ who, ...rest }) => ({ ...rest, ...who }));

const address = fc.integer({ min: 1, max: 3 }).map((last) => ({ rdata: Uint8Array.of(192, 0, 2, last) }));
const change: fc.Arbitrary<RrSetChange> = fc.record({
  name: some(...OWNERS).map((owner) => Name.parse(owner, POLICY_ZONE.apex)),
  type: some(RrType.A, RrType.AAAA, RrType.TXT, RrType.ANY),
  added: fc.array(address, { maxLength: 3 }),
  removed: fc.array(address, { maxLength: 3 }),
});

const list = fc.array(ruleText, { maxLength: 6 }).map((texts) => rules(...texts));

/** What a rule says and an allowed change does not keep to, told without the code that decides. */
function brokenPromise(rule: UpdateRule, who: Requester, what: RrSetChange): string | undefined {
  const own = ownName(who, POLICY_ZONE.apex);
  if (rule.udp !== true && who.transport === "udp" && who.key === undefined && who.principal === undefined) {
    return "udp";
  }
  if (rule.scope === "self" && own?.equals(what.name) !== true) return "self";
  if (rule.scope === "self-sub" && (own === undefined || !what.name.isWithin(own))) return "self-sub";
  if (rule.scope === "source") {
    if (rule.udp !== true && who.transport === "udp") return "udp";
    const kept = what.removed.map(({ rdata }) => rdata.join("."));
    const came = what.added.map(({ rdata }) => rdata.join(".")).filter((text) => !kept.includes(text));
    if (came.some((text) => who.address.replace("::ffff:", "") !== text)) return "source";
  }
  if (guardOf(what.name, POLICY_ZONE) === undefined) return undefined;
  const listed = rule.names?.some(({ name, below }) => !below && name.equals(what.name)) === true;
  const below = rule.names?.some(({ text }) => text === "*._msdcs") === true && what.name.labelCount > 3;
  return listed || below ? undefined : "guard";
}

describe("for any rules", () => {
  test("the explanation ends with the rule that decides, and every rule before it says why it does not", () => {
    fc.assert(
      fc.property(list, requester, change, (all, who, what) => {
        const { decision, considered } = explainUpdate(all, who, POLICY_ZONE, what);
        expect(decision).toEqual(decideUpdate(all, who, POLICY_ZONE, what));
        const deciding = considered.filter(({ miss }) => miss === undefined);
        expect(deciding.map(({ rule }) => rule)).toEqual(decision.rule === undefined ? [] : [decision.rule]);
        expect(considered.map(({ rule }) => rule)).toEqual(all.slice(0, decision.rule?.index));
        // One rule alone: it decides if and only if nothing is said against it.
        for (const { rule, miss } of considered) {
          expect(decideUpdate([rule], who, POLICY_ZONE, what).rule).toBe(
            miss === undefined ? rule : undefined,
          );
          expect(miss).not.toBe("");
        }
        expect(decision.reason).not.toBe("");
        expect(decision.reason).not.toContain("undefined");
      }),
      { numRuns: 3000, seed: 42 },
    );
  });

  test("what is allowed keeps to what the rule that allows it promises", () => {
    let allowed = 0;
    fc.assert(
      fc.property(list, requester, change, (all, who, what) => {
        const { allow, rule } = decideUpdate(all, who, POLICY_ZONE, what);
        if (!allow) return;
        allowed++;
        expect(knowsRequester(all, who)).toBe(true);
        expect(brokenPromise(rule!, who, what)).toBeUndefined();
      }),
      { numRuns: 5000, seed: 43 },
    );
    expect(allowed).toBeGreaterThan(100);
  });
});
