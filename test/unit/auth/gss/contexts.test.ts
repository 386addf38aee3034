/** The table of contexts: whose place a new one may take, what becomes of the old, and that nothing leaks. */
import { describe, expect, test } from "vitest";
import { GssContext } from "../../../../src/auth/gss/context.ts";
import { GssContexts } from "../../../../src/auth/gss/contexts.ts";
import { GSS_TSIG } from "../../../../src/auth/gss/algorithm.ts";
import { Name } from "../../../../src/wire/name.ts";
import { Random } from "../../../support/mutate.ts";

const NOW = 1_800_000_000;

function table(contexts: number, contextsPerAddress: number) {
  const released: string[] = [];
  const contextTable = new GssContexts({ contexts, contextsPerAddress });
  const made = new Map<string, GssContext>();
  const add = (name: string, address: string, principal = name, now = NOW, expires = now + 3600): boolean => {
    const session = {
      getMic: () => new Uint8Array(28),
      verifyMic: () => "right" as const,
      release: () => void released.push(name),
    };
    const keyName = Name.parse(`${name}.`);
    const context = new GssContext({
      keyName,
      algorithmName: GSS_TSIG,
      principal,
      address,
      expires,
      session,
    });
    made.set(name, context);
    return contextTable.add(context, now);
  };
  const has = (name: string, now = NOW): boolean =>
    contextTable.find(Name.parse(`${name}.`), GSS_TSIG, now) !== undefined;
  const touch = (name: string, now: number): void => contextTable.touch(made.get(name)!, now);
  return { contexts: contextTable, released, add, has, touch };
}

describe("room for one address", () => {
  test("a host that negotiates anew takes the place of its own oldest context", () => {
    const { contexts, add, has } = table(100, 2);
    expect(add("a1", "192.0.2.1", "A")).toBe(true);
    expect(add("b1", "192.0.2.1", "B")).toBe(true);
    expect(add("a2", "192.0.2.1", "A")).toBe(true);
    expect([has("a1"), has("b1"), has("a2"), contexts.evicted]).toEqual([false, true, true, 1]);
  });

  test("another principal there takes a place only from one that is idle", () => {
    const { add, has, touch } = table(100, 2);
    add("a", "192.0.2.1");
    add("b", "192.0.2.1");
    expect(add("c", "192.0.2.1", "C", NOW + 59)).toBe(false);
    touch("a", NOW + 50);
    expect(add("c", "192.0.2.1", "C", NOW + 60)).toBe(true);
    expect([has("a", NOW + 60), has("b", NOW + 60), has("c", NOW + 60)]).toEqual([true, false, true]);
  });

  test("other addresses are not concerned", () => {
    const { add, has } = table(100, 1);
    add("a", "192.0.2.1");
    expect(add("b", "192.0.2.2")).toBe(true);
    expect(has("a")).toBe(true);
  });
});

describe("room for one principal", () => {
  test("whoever has many addresses takes his own places, and not all there are", () => {
    const { contexts, add, has } = table(10, 3);
    for (let i = 0; i < 50; i++) {
      expect(add(`a${i}`, `2001:db8::${i}`, "A")).toBe(true);
      expect(contexts.size).toBeLessThanOrEqual(3);
    }
    expect([has("a46"), has("a47"), has("a48"), has("a49")]).toEqual([false, true, true, true]);
    expect(add("b", "2001:db8::b", "B")).toBe(true);
    expect(contexts.size).toBe(4);
  });

  test("his oldest goes, wherever it is, though another there is idle", () => {
    const { add, has, touch } = table(10, 2);
    add("b", "192.0.2.1", "B");
    add("a1", "192.0.2.1", "A", NOW + 100);
    add("a2", "192.0.2.2", "A", NOW + 100);
    touch("a1", NOW + 101);
    expect(add("a3", "192.0.2.3", "A", NOW + 102)).toBe(true);
    expect([has("a1"), has("a2"), has("a3"), has("b")]).toEqual([true, false, true, true]);
  });
});

describe("room in all", () => {
  test("the least recently used goes where it has been idle, and else nobody comes in", () => {
    const { add, has, touch } = table(2, 2);
    add("a", "192.0.2.1");
    add("b", "192.0.2.2");
    expect(add("c", "192.0.2.3", "C", NOW + 1)).toBe(false);
    touch("a", NOW + 30);
    expect(add("c", "192.0.2.3", "C", NOW + 60)).toBe(true);
    expect([has("a", NOW + 60), has("b", NOW + 60)]).toEqual([true, false]);
  });

  test("what has expired makes room at once", () => {
    const { contexts, add } = table(1, 1);
    add("a", "192.0.2.1", "A", NOW, NOW + 5);
    expect(add("b", "192.0.2.2", "B", NOW + 5)).toBe(true);
    expect(contexts.evicted).toBe(0);
  });
});

describe("what leaves", () => {
  test("is not found any more, and is given back a minute later, once", () => {
    const { contexts, add, has, released } = table(10, 10);
    add("a", "192.0.2.1");
    contexts.delete(Name.parse("A."), NOW);
    contexts.delete(Name.parse("a."), NOW);
    contexts.sweep(NOW + 59);
    expect([has("a"), contexts.held, released]).toEqual([false, 1, []]);
    contexts.sweep(NOW + 60);
    contexts.sweep(NOW + 120);
    expect([contexts.held, released]).toEqual([0, ["a"]]);
  });

  test("waits for no more than the table has places", () => {
    const { contexts, add, released } = table(2, 2);
    for (let i = 0; i < 10; i++) add(`a${i}`, "192.0.2.1", "A");
    expect(contexts.held).toBeLessThanOrEqual(5);
    expect(released.length).toBeGreaterThanOrEqual(5);
  });

  test("a clock set back keeps nothing for ever", () => {
    const { contexts, add, released } = table(2, 2);
    add("a", "192.0.2.1");
    contexts.delete(Name.parse("a."), NOW);
    contexts.sweep(NOW - 86_400);
    expect(released).toEqual(["a"]);
  });

  test("nor does one set back keep contexts for longer than they were to live", () => {
    const { contexts, add, has } = table(2, 2);
    add("a", "192.0.2.1");
    add("b", "192.0.2.2");
    contexts.sweep(NOW - 30);
    expect(has("a", NOW - 30)).toBe(true);
    expect(add("c", "192.0.2.3", "C", NOW - 86_400)).toBe(true);
    expect([has("a", NOW - 86_400), has("c", NOW - 86_400), contexts.size]).toEqual([false, true, 1]);
  });

  test("closing gives everything back", () => {
    const { contexts, add, released } = table(10, 10);
    add("a", "192.0.2.1");
    add("b", "192.0.2.1");
    contexts.delete(Name.parse("a."), NOW);
    contexts.clear();
    expect([contexts.held, released.toSorted()]).toEqual([0, ["a", "b"]]);
  });
});

test("whatever happens, the bounds hold and every context is given back once", () => {
  const random = new Random(20_260);
  const { contexts, add, has, released, touch } = table(20, 4);
  let refused = 0;
  let now = NOW;
  for (let i = 0; i < 5000; i++) {
    now += random.below(20);
    const address = `192.0.2.${random.below(12)}`;
    const expires = now + 1 + random.below(600);
    if (!add(`k${i}`, address, `p${random.below(30)}`, now, expires)) refused++;
    const earlier = `k${random.below(i + 1)}`;
    if (random.below(3) === 0 && has(earlier, now)) touch(earlier, now);
    if (random.below(5) === 0) contexts.delete(Name.parse(`${earlier}.`), now);
    expect(contexts.size).toBeLessThanOrEqual(20);
    expect(contexts.held).toBeLessThanOrEqual(41);
  }
  contexts.clear();
  expect(new Set(released).size).toBe(released.length);
  expect(released.length + refused).toBe(5000);
});
