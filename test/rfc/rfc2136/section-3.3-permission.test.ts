/** RFC 2136 §3.3: permission, limits, and the order in which things are told. */
import { describe, expect, test } from "vitest";
import { Ede } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import type { UpdateContext } from "../../../src/protocol/update.ts";
import { name } from "../../support/rr.ts";
import { update, ZONE } from "./support.ts";

/** May change A and AAAA of node1, and nothing else. */
const node1Only: Partial<UpdateContext> = {
  policy: ({ name: owner, type }) => {
    const allow = owner.equals(name("node1")) && (type === RrType.A || type === RrType.AAAA);
    return { allow, reason: allow ? "rule 1" : "no rule allows it" };
  },
};
const stranger: Partial<UpdateContext> = {
  known: false,
  policy: () => ({ allow: false, reason: "no update rule matches key other" }),
};

function limited(limits: Partial<UpdateContext["limits"]>): { context: Partial<UpdateContext> } {
  return {
    context: { limits: { recordsPerRrset: 100, typesPerName: 100, recordsPerZone: 1_000, ...limits } },
  };
}

describe("§3.3.1 every RRset that would differ must be allowed", () => {
  test.each([
    ["adding what is allowed", ["node1 1200 IN A 192.0.2.12"], "NOERROR"],
    ["adding another type", ["node1 60 IN TXT x"], "REFUSED"],
    ["adding at another name", ["files 60 IN A 192.0.2.23"], "REFUSED"],
    ["one good, one bad", ["node1 1200 IN A 192.0.2.12", "files 60 IN A 192.0.2.23"], "REFUSED"],
    ["deleting an RRset of another", ["files 0 ANY A"], "REFUSED"],
    ["deleting a record of another", ["files 0 NONE A 192.0.2.21"], "REFUSED"],
    ["deleting another's name", ["files 0 ANY ANY"], "REFUSED"],
    ["deleting all of a name, every type of it allowed", ["node1 0 ANY ANY"], "NOERROR"],
    ["changing a TTL of another", ["files 90 IN A 192.0.2.21"], "REFUSED"],
    ["setting the SOA", ["@ 60 IN SOA ns1 hostmaster 200 900 300 86400 30"], "REFUSED"],
  ])("%s: %s %s", (_, updates, rcode) => {
    const outcome = update({ updates }, { context: node1Only });
    expect(outcome.rcode).toBe(rcode);
    expect(outcome.serial).toBe(rcode === "NOERROR" ? 101 : undefined);
  });

  test("deleting all of a name needs every type that would go", () => {
    const zone = [...ZONE, "node1 60 TXT keep"];
    const outcome = update({ updates: ["node1 0 ANY ANY"] }, { zone, context: node1Only });
    expect(outcome.rcode).toBe("REFUSED");
    expect(outcome.reason).toBe("Node1.smb.example. TXT: no rule allows it");
  });

  test.each([
    ["what is there already", ["files 60 IN A 192.0.2.21"]],
    ["deleting what is not there", ["files 0 ANY AAAA", "nobody 0 ANY ANY", "files 0 NONE A 192.0.2.99"]],
    ["what the protocol ignores", ["alias 60 IN A 192.0.2.5", "@ 0 ANY SOA", "@ 0 ANY NS"]],
    ["what comes back in the end", ["files 0 NONE A 192.0.2.21", "files 60 IN A 192.0.2.21"]],
  ])("no right is needed for %s", (_, updates) => {
    expect(update({ updates }, { context: node1Only }).verdict).toEqual({ kind: "unchanged" });
  });

  test("the client is told the reason by an Extended DNS Error (RFC 8914 §4.19)", () => {
    const { verdict } = update({ updates: ["files 0 ANY A"] }, { context: node1Only });
    expect(verdict).toMatchObject({
      kind: "refused",
      reason: "files.smb.example. A: no rule allows it",
      ede: { code: Ede.PROHIBITED, text: "no rule allows it" },
    });
  });
});

describe("a requester that no rule knows", () => {
  test.each([
    ["with a good update", { updates: ["h 60 IN A 192.0.2.5"] }],
    ["with a change of nothing", { updates: ["files 60 IN A 192.0.2.21"] }],
    ["with a prerequisite that is met", { prerequisites: ["node1 0 ANY A"] }],
    ["with a prerequisite that is not", { prerequisites: ["node1 0 NONE A"] }],
    ["with a malformed update", { updates: ["h 60 ANY A"] }],
  ])("%s learns nothing but REFUSED", (_, parts) => {
    const { rcode, verdict } = update(parts, { context: stranger });
    expect(rcode).toBe("REFUSED");
    const text = "no update rule matches key other";
    expect(verdict).toMatchObject({ reason: text, ede: { code: Ede.PROHIBITED, text } });
  });
});

describe("§3.1 to §3.4: which of several faults is told", () => {
  const malformed = "h 60 CH A 192.0.2.5";
  const elsewhere = "h.other.example. 60 IN A 192.0.2.5";
  const forbidden = "files 0 ANY A";
  test.each([
    ["prerequisite before prescan", ["node1 0 NONE A"], [malformed], "YXRRSET"],
    ["prerequisite before permission", ["node1 0 NONE A"], [forbidden], "YXRRSET"],
    ["form of a prerequisite before prescan", ["x.example. 0 ANY A"], [malformed], "NOTZONE"],
    ["prescan before permission, which is judged by effect", [], [forbidden, malformed], "FORMERR"],
    ["prescan goes by order", [], [elsewhere, malformed], "NOTZONE"],
    ["prescan goes by order, turned", [], [malformed, elsewhere], "FORMERR"],
    ["all met, all well formed", ["node1 0 ANY A"], [forbidden], "REFUSED"],
  ])("%s", (_, prerequisites, updates, rcode) => {
    expect(update({ prerequisites, updates }, { context: node1Only }).rcode).toBe(rcode);
  });
});

/** The RDATA of a TXT record of so many octets. */
function long(octets: number): string {
  return String.raw`\# ${octets} ` + "0161".repeat(octets / 2);
}

describe("limits", () => {
  test.each([
    [{ recordsPerRrset: 2 }, ["files 60 IN A 192.0.2.23"], "records_per_rrset is 2"],
    [{ typesPerName: 2 }, ["node1 60 IN TXT x"], "types_per_name is 2"],
    [{ typesPerName: 3 }, ["@ 60 IN MX 10 files"], "types_per_name is 3"],
    [{ recordsPerZone: ZONE.length }, ["h 60 IN A 192.0.2.5"], `records_per_zone is ${ZONE.length}`],
  ])("%o is named in the refusal", (limits, updates, named) => {
    const outcome = update({ updates }, limited(limits));
    expect(outcome.rcode).toBe("REFUSED");
    expect(outcome.reason).toContain(named);
    expect(outcome.verdict).toMatchObject({ ede: { code: Ede.PROHIBITED, text: outcome.reason } });
  });

  test("an RRset that no answer could hold is refused, be it of one record or of many", () => {
    expect(update({ updates: [`h 60 IN TXT ${long(63_900)}`] }).serial).toBe(101);
    for (const updates of [
      [`h 60 IN TXT ${long(64_100)}`],
      [`h 60 IN TXT ${long(32_000)}`, `h 60 IN TXT ${long(32_100)}`],
    ]) {
      const outcome = update({ updates });
      expect(outcome.rcode).toBe("REFUSED");
      expect(outcome.reason).toMatch(/^h\.smb\.example\. TXT would have 64\d{3} octets, and no answer/);
      expect(outcome.verdict).toMatchObject({ ede: { code: Ede.PROHIBITED, text: outcome.reason } });
    }
  });

  test("one that an import has made so large may shrink", () => {
    const zone = [...ZONE, `h 60 TXT ${long(40_000)}`, `h 60 TXT ${long(40_002)}`, "h 60 TXT small"];
    expect(update({ updates: ["h 0 NONE TXT small"] }, { zone }).serial).toBe(101);
    expect(update({ updates: ["h 60 IN TXT more"] }, { zone }).rcode).toBe("REFUSED");
  });

  test.each([
    [{ recordsPerRrset: 3 }, ["files 60 IN A 192.0.2.23"]],
    [{ typesPerName: 3 }, ["node1 60 IN TXT x"]],
    [{ recordsPerZone: ZONE.length + 1 }, ["h 60 IN A 192.0.2.5"]],
  ])("%o may be reached", (limits, updates) => {
    expect(update({ updates }, limited(limits)).serial).toBe(101);
  });

  test.each([
    [{ recordsPerRrset: 1 }, ["files 0 NONE A 192.0.2.21"]],
    [{ recordsPerRrset: 1 }, ["files 0 NONE A 192.0.2.21", "files 60 IN A 192.0.2.23"]],
    [{ typesPerName: 1 }, ["node1 1200 IN A 192.0.2.12"]],
    [{ recordsPerZone: 5 }, ["files 0 NONE A 192.0.2.21"]],
    [{ recordsPerZone: 5 }, ["files 0 NONE A 192.0.2.21", "h 60 IN A 192.0.2.5"]],
  ])("what is over %o already may shrink or stay as large", (limits, updates) => {
    expect(update({ updates }, limited(limits)).serial).toBe(101);
  });
});
