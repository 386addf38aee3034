/** First come, first served: rules with `own = true`, through the whole of an update, with batches and everything that ends it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { UpdateRule } from "../../../src/auth/update-rule.ts";
import { parseNetwork } from "../../../src/auth/acl.ts";
import { Name } from "../../../src/wire/name.ts";
import type { NameOwner } from "../../../src/zone/registration.ts";
import { name, ORIGIN } from "../../support/rr.ts";
import { DAY, Registry, RULES } from "../../support/registry.ts";

const rules: UpdateRule[] = [
  { index: 1, key: Name.parse("admin"), allow: true },
  { index: 2, key: Name.parse("one"), allow: true, own: true },
  { index: 3, key: Name.parse("two"), allow: true, own: true },
  { index: 4, principal: "*$@SMB.EXAMPLE", allow: true, own: true },
  { index: 5, net: parseNetwork("192.0.2.0/24")!, allow: true, own: true },
];
const A = (owner: string, address: string): string => `${owner} 300 IN A ${address}`;
const told = (owner: string): string =>
  `${owner}.smb.example. belongs to another client, which registered it first`;

let registry: Registry;
beforeEach(() => {
  registry = new Registry({ rules, records: ["fs1 300 A 192.0.2.1"] });
});
afterEach(() => registry.remove());

const ownerOf = (text: string): string | undefined => {
  const owner = registry.store.owners.of(ORIGIN, name(text));
  return owner && `${owner.kind} ${owner.name}`;
};
const give = (text: string, owner: Pick<NameOwner, "kind" | "name"> | undefined): boolean =>
  registry.store.owners.give(ORIGIN, name(text), owner && { ...owner, since: registry.now });
const add = async (owner: string, address: string, who: string): Promise<string> =>
  (await registry.add([A(owner, address)], who)).rcode;
const clear = async (owner: string, who: string): Promise<string> =>
  (await registry.update({ updates: [`${owner} 0 ANY ANY`] }, who)).rcode;

describe("a name belongs to who wrote it first", () => {
  test.each([
    ["a key", "key one", "key two", "key one."],
    ["a principal", "principal FS9$@SMB.EXAMPLE", "principal FS8$@SMB.EXAMPLE", "principal FS9$@SMB.EXAMPLE"],
    ["an address", "address 192.0.2.7", "address 192.0.2.8", "address 192.0.2.7"],
  ])("%s", async (_, first, second, owner) => {
    expect(await add("h", "192.0.2.7", first)).toBe("NOERROR");
    expect(ownerOf("H")).toBe(owner);
    expect(await registry.add([A("h", "192.0.2.8")], second)).toMatchObject({
      rcode: "REFUSED",
      ede: told("h"),
    });
    expect(await clear("h", second)).toBe("REFUSED");
    expect(await add("h", "192.0.2.9", first)).toBe("NOERROR");
    expect(await clear("h", first)).toBe("NOERROR");
  });

  test("whole: another type at it is not for others either, and names below it are", async () => {
    await add("h", "192.0.2.7", "key one");
    expect((await registry.add(["h 300 IN TXT mine"], "key two")).rcode).toBe("REFUSED");
    expect(await add("below.h", "192.0.2.8", "key two")).toBe("NOERROR");
  });

  test("letter case of keys, principals and the name aside; a principal of another realm is another", async () => {
    await add("h", "192.0.2.7", "key one");
    expect(await add("H", "192.0.2.8", "key ONE")).toBe("NOERROR");
    await add("p", "192.0.2.7", "principal FS9$@SMB.EXAMPLE");
    expect(await add("p", "192.0.2.8", "principal fs9$@SMB.EXAMPLE")).toBe("NOERROR");
  });

  test("a key and an address of the same name are not the same", async () => {
    registry.configure(
      [...rules, { index: 6, key: Name.parse("192.0.2.7"), allow: true, own: true }],
      undefined,
    );
    await add("h", "192.0.2.7", "address 192.0.2.7");
    expect(await add("h", "192.0.2.8", "key 192.0.2.7")).toBe("REFUSED");
  });

  test("the log says whose it is, the client is not told", async () => {
    await add("h", "192.0.2.7", "key one");
    const { ede } = await registry.add([A("h", "192.0.2.8")], "key two");
    expect(ede).not.toContain("one");
    expect(registry.log.at(-1)).toMatchObject({ reason: "h.smb.example. belongs to key one.", rule: 3 });
  });

  test("an update that would change a name of another changes none", async () => {
    await add("h", "192.0.2.7", "key one");
    const { rcode } = await registry.add([A("mine", "192.0.2.8"), A("h", "192.0.2.8")], "key two");
    expect(rcode).toBe("REFUSED");
    expect(registry.records).not.toContain("mine.smb.example. 300 A 192.0.2.8");
    expect(ownerOf("mine")).toBeUndefined();
  });

  test("two that come together: the first has it, the second is refused", async () => {
    const both = [
      registry.add([A("h", "192.0.2.7")], "key one"),
      registry.add([A("h", "192.0.2.8")], "key two"),
    ];
    expect((await Promise.all(both)).map(({ rcode }) => rcode)).toEqual(["NOERROR", "REFUSED"]);
    expect(ownerOf("h")).toBe("key one.");
  });

  test("a removal and a new registration that come together: it changes hands", async () => {
    await add("h", "192.0.2.7", "key one");
    const both = [
      registry.update({ updates: ["h 0 ANY ANY"] }, "key one"),
      registry.add([A("h", "192.0.2.8")], "key two"),
      registry.add([A("h", "192.0.2.9")], "key one"),
    ];
    expect((await Promise.all(both)).map(({ rcode }) => rcode)).toEqual(["NOERROR", "NOERROR", "REFUSED"]);
    expect(ownerOf("h")).toBe("key two.");
  });

  test("saying what is so already is nobody's offence", async () => {
    await add("h", "192.0.2.7", "key one");
    expect(await add("h", "192.0.2.7", "key two")).toBe("NOERROR");
    expect(ownerOf("h")).toBe("key one.");
  });
});

describe("it is free again", () => {
  test.each([
    ["when the owner removes its last record", async () => void (await clear("h", "key one"))],
    ["when a rule above removes it", async () => void (await clear("h", "key admin"))],
    ["when the operator releases it", async () => void give("h", undefined)],
  ])("%s", async (_, end) => {
    await add("h", "192.0.2.7", "key one");
    await end();
    expect(ownerOf("h")).toBeUndefined();
    expect(await add("h", "192.0.2.8", "key two")).toBe("NOERROR");
    expect(ownerOf("h")).toBe("key two.");
  });

  test("when it ages out", async () => {
    registry.configure(rules, RULES);
    await add("h", "192.0.2.7", "key one");
    await registry.pass(15 * DAY);
    expect(ownerOf("h")).toBeUndefined();
    expect(await add("h", "192.0.2.8", "key two")).toBe("NOERROR");
  });

  test("not while any record of it is left", async () => {
    await registry.add([A("h", "192.0.2.7"), "h 300 IN TXT x"], "key one");
    await registry.update({ updates: ["h 0 ANY A"] }, "key one");
    expect(await add("h", "192.0.2.8", "key two")).toBe("REFUSED");
  });
});

describe("rules without own", () => {
  test("stand above it: they change what others own, and it stays theirs", async () => {
    await add("h", "192.0.2.7", "key one");
    expect(await add("h", "192.0.2.9", "key admin")).toBe("NOERROR");
    expect(ownerOf("h")).toBe("key one.");
    expect(await add("h", "192.0.2.10", "key one")).toBe("NOERROR");
  });

  test("make owners too: what they register is not the first's who comes under one with own", async () => {
    await add("h", "192.0.2.7", "key admin");
    expect(ownerOf("h")).toBe("key admin.");
    expect(await registry.add([A("h", "192.0.2.8")], "key two")).toMatchObject({
      rcode: "REFUSED",
      ede: told("h"),
    });
    give("h", undefined);
    expect(await add("h", "192.0.2.8", "key two")).toBe("NOERROR");
    expect(ownerOf("h")).toBe("key two.");
  });

  test("claim no name that is there already, whoever it is of", async () => {
    give("fs1", undefined);
    expect(await add("fs1", "192.0.2.8", "key admin")).toBe("NOERROR");
    expect(ownerOf("fs1")).toBeUndefined();
  });

  test("two that come together, by a rule without own and one with: the first has it", async () => {
    const both = [
      registry.add([A("h", "192.0.2.7")], "key admin"),
      registry.add([A("h", "192.0.2.8")], "key two"),
    ];
    expect((await Promise.all(both)).map(({ rcode }) => rcode)).toEqual(["NOERROR", "REFUSED"]);
  });
});

describe("what no update made", () => {
  test("is not to be claimed", async () => {
    expect(await registry.add([A("fs1", "192.0.2.8")], "key one")).toMatchObject({
      rcode: "REFUSED",
      ede: "fs1.smb.example. has records that no client registered: the operator has to give it away",
    });
    expect(await clear("fs1", "key one")).toBe("REFUSED");
  });

  test("is the operator's to give", async () => {
    expect(give("fs1", { kind: "key", name: "one." })).toBe(true);
    expect(await add("fs1", "192.0.2.8", "key one")).toBe("NOERROR");
    expect(await add("fs1", "192.0.2.9", "key two")).toBe("REFUSED");
    expect(give("fs1", { kind: "principal", name: "FS1$@SMB.EXAMPLE" })).toBe(true);
    expect(await add("fs1", "192.0.2.9", "key one")).toBe("REFUSED");
    expect(await add("fs1", "192.0.2.9", "principal FS1$@SMB.EXAMPLE")).toBe("NOERROR");
  });

  test("has to be there to be given", () => {
    expect(give("nowhere", { kind: "key", name: "one." })).toBe(false);
    expect(ownerOf("nowhere")).toBeUndefined();
  });
});

test("a restart forgets nobody, and a zone without owners is asked for none", async () => {
  await add("h", "192.0.2.7", "key one");
  await registry.restart(1000);
  expect(await add("h", "192.0.2.8", "key two")).toBe("REFUSED");
  expect(registry.store.owners.list(ORIGIN, 10).map((each) => each.name.toString())).toEqual([
    "h.smb.example.",
  ]);
});

test("refreshing is for the owner", async () => {
  registry.configure(rules, RULES);
  await add("h", "192.0.2.7", "key one");
  await registry.pass(8 * DAY);
  await add("h", "192.0.2.7", "key two");
  await registry.pass(8 * DAY);
  expect(registry.records).not.toContain("h.smb.example. 300 A 192.0.2.7");
});
