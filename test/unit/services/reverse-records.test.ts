/** Reverse records beside what else changes addresses or bounds zones: ageing, starts, a reverse zone that is full. */
import { afterEach, describe, expect, test } from "vitest";
import type { UpdateRule } from "../../../src/auth/update-rule.ts";
import { Name } from "../../../src/wire/name.ts";
import { name, ORIGIN } from "../../support/rr.ts";
import type { RegistryOptions } from "../../support/registry.ts";
import { DAY, Registry, REVERSE, RULES } from "../../support/registry.ts";

const anyHost: UpdateRule[] = [{ index: 1, key: Name.parse("host"), allow: true }];
const NODE = "node1 1200 IN A 192.0.2.11";
const pointer = "11.2.0.192.in-addr.arpa. 1200 PTR node1.smb.example.";

let registry: Registry;
function open(options: Partial<RegistryOptions> = {}): Registry {
  registry = new Registry({ rules: anyHost, reverse: {}, ...options });
  return registry;
}
afterEach(() => registry.remove());

describe("ageing", () => {
  test("of an address takes its PTR along, in the same commit", async () => {
    open({ ageing: RULES });
    await registry.add([NODE, "node2 1200 IN A 192.0.2.12"]);
    await registry.pass(8 * DAY);
    await registry.add([NODE]);
    await registry.pass(8 * DAY);
    expect(registry.records).toEqual(["node1.smb.example. 1200 A 192.0.2.11"]);
    expect(registry.pointers).toEqual([pointer]);
    const [entry] = registry.store.history(REVERSE, { limit: 1 });
    expect(entry!.origin).toMatchObject({
      cause: "ptr",
      actor: { kind: "server", name: "ageing" },
      note: "with smb.example. serial 3",
    });
  });

  test("of the reverse zone leaves PTRs to their addresses", async () => {
    open({ ageing: RULES, reverse: { ageing: RULES } });
    await registry.add([NODE]);
    for (let week = 0; week < 6; week++) {
      await registry.pass(7 * DAY);
      await registry.add([NODE]);
    }
    expect(registry.pointers).toEqual([pointer]);
    await registry.pass(20 * DAY);
    expect([registry.records, registry.pointers]).toEqual([[], []]);
  });
});

test("both zones are stored: a start finds them as they were", async () => {
  open();
  await registry.add([NODE]);
  await registry.crash(1000);
  expect(registry.pointers).toEqual([pointer]);
  await registry.update({ updates: ["node1 0 ANY A"] });
  expect(registry.pointers).toEqual([]);
});

test("an address registered again by who may not change its name brings no PTR: a name of another", async () => {
  const rules = ["one", "two"].map((key, i) => ({
    index: i + 1,
    key: Name.parse(key),
    own: true,
    allow: true,
  }));
  open({ rules, records: ["fs1 300 A 192.0.2.1"] });
  expect((await registry.add(["fs1 300 IN A 192.0.2.1"], "key two")).rcode).toBe("NOERROR");
  expect(registry.pointers).toEqual([]);
  registry.store.owners.give(ORIGIN, name("fs1"), { kind: "key", name: "one.", since: registry.now });
  expect((await registry.add(["fs1 300 IN A 192.0.2.1"], "key two")).rcode).toBe("NOERROR");
  expect(registry.pointers).toEqual([]);
  expect((await registry.add(["fs1 300 IN A 192.0.2.1"], "key one")).rcode).toBe("NOERROR");
  expect(registry.pointers).toEqual(["1.2.0.192.in-addr.arpa. 300 PTR fs1.smb.example."]);
});

test("where the reverse zone is full the update is refused, and neither zone changes", async () => {
  open({ reverse: { recordsPerZone: 3 } });
  expect((await registry.add([NODE])).rcode).toBe("NOERROR");
  const { rcode, ede } = await registry.add(["node2 1200 IN A 192.0.2.12"]);
  expect([rcode, ede]).toEqual([
    "REFUSED",
    "2.0.192.in-addr.arpa. would have 4 records, and records_per_zone is 3",
  ]);
  expect(registry.records).toEqual(["node1.smb.example. 1200 A 192.0.2.11"]);
  expect(registry.pointers).toEqual([pointer]);
  // One that leaves as many as there were is taken.
  const moved = { updates: ["node1 0 ANY A", "node2 1200 IN A 192.0.2.12"] };
  expect((await registry.update(moved)).rcode).toBe("NOERROR");
  expect(registry.pointers).toEqual(["12.2.0.192.in-addr.arpa. 1200 PTR node2.smb.example."]);
});
