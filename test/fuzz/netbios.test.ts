/** Mutants of real packets of the NetBIOS name service: nothing is thrown, and no reply goes where none may. */
import { expect, test } from "vitest";
import { parseNetwork } from "../../src/auth/acl.ts";
import { NameService } from "../../src/netbios/name-service.ts";
import { Registrations } from "../../src/netbios/registrations.ts";
import { fuzz, fuzzSettings } from "../support/mutate.ts";
import { query, registration, replyText } from "../support/netbios.ts";

const LIMITS = { inAll: 50, perClient: 20 };
const corpus = [
  query("FS1"),
  query("SMB", { suffix: 0x1c }),
  query("FS1", { type: "0021" }),
  query("FS1", { scope: "lab.example" }),
  registration("NODE1", "192.0.2.21"),
  registration("NODE1", "192.0.2.22", { flags: "7900", suffix: 0 }),
  registration("WORK", "192.0.2.21", { nbFlags: "e000", suffix: 0 }),
  registration("NODE1", "192.0.2.21", { flags: "4000" }),
  registration("NODE1", "192.0.2.21", { flags: "3000" }),
];

test("replies are well formed, bounded, of the request's ID, and none goes to a response or a broadcast", () => {
  const registrations = new Registrations(LIMITS);
  const service = new NameService(
    { clients: [parseNetwork("192.0.2.0/24")!], maxTtl: 3600 },
    registrations,
    ({ label }) => (label === "FS1" ? { addresses: ["192.0.2.1"], ttl: 300, group: false } : undefined),
  );
  const kinds = new Set<string>();
  let now = 0;
  fuzz(corpus, fuzzSettings(30_000), (mutant, random) => {
    now += random.below(5000);
    let outcome = service.handle(mutant, `192.0.2.${20 + random.below(8)}`, now);
    kinds.add(outcome.kind);
    expect(registrations.size).toBeLessThanOrEqual(LIMITS.inAll);
    if (random.below(100) === 0) registrations.expire(now);
    if (outcome.kind === "silence") return;
    expect(mutant.length).toBeGreaterThanOrEqual(12 + 34 + 4);
    expect(mutant[2]! & 0x80, "a response").toBe(0);
    expect(mutant[3]! & 0x10, "a broadcast").toBe(0);
    for (let settled = false; ; settled = true) {
      expect(outcome.bytes.subarray(0, 2)).toEqual(mutant.subarray(0, 2));
      expect(outcome.bytes.length).toBeLessThanOrEqual(576);
      expect(replyText(outcome.bytes).flags).toMatch(/^(?:8580|8583|ad8[012356]|b40[016]|bc00)$/);
      if (settled || outcome.kind !== "challenge") return;
      const owned = random.pick([undefined, [outcome.owner], [outcome.owner, outcome.address]]);
      outcome = outcome.settle(owned, now);
      expect(["registered", "refused"]).toContain(outcome.kind);
      if (outcome.kind === "silence") return;
    }
  });
  expect([...kinds].toSorted()).toEqual([
    "answer",
    "challenge",
    "refused",
    "registered",
    "released",
    "silence",
  ]);
});
