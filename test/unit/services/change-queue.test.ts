import { describe, expect, test } from "vitest";
import {
  type ChangeJob,
  ChangeQueue,
  type ChangeQueueDeps,
  CommitFailed,
  type PublishedZone,
  QueueClosed,
  QueueFull,
  ZoneGone,
} from "../../../src/services/change-queue.ts";
import { soaSerial, withSerial } from "../../../src/wire/rdata/soa.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import type { Changeset } from "../../../src/zone/changeset.ts";
import type { ZoneView } from "../../../src/zone/view.ts";
import { name, ORIGIN, rr } from "../../support/rr.ts";
import { ZoneFake } from "../../support/zone-fake.ts";

/** A store whose every commit waits to be let through or failed. */
class StoreFake {
  readonly batches: (readonly Changeset[])[] = [];
  #verdicts: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #arrivals: (() => void)[] = [];

  commit(batch: readonly Changeset[]): Promise<void> {
    this.batches.push(batch);
    const done = new Promise<void>((resolve, reject) => this.#verdicts.push({ resolve, reject }));
    this.#arrivals.shift()?.();
    return done;
  }

  /** The next commit that is under way, or will be. */
  async #next(): Promise<{ resolve: () => void; reject: (error: unknown) => void }> {
    if (this.#verdicts.length === 0) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    return this.#verdicts.shift()!;
  }

  async arrived(): Promise<void> {
    if (this.#verdicts.length === 0) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  async succeed(): Promise<void> {
    (await this.#next()).resolve();
  }

  async fail(error: unknown): Promise<void> {
    (await this.#next()).reject(error);
  }
}

const OTHER = Name.parse("other.example.");

function zoneFake(apex: string): ZoneFake {
  const soa = `${apex} 60 SOA ns1.smb.example. hostmaster.smb.example. 1 900 300 86400 30`;
  return new ZoneFake([rr(soa), rr(`${apex} 60 NS ns1.smb.example.`)]);
}

function setUp(options: Partial<ChangeQueueDeps> = {}) {
  const store = new StoreFake();
  const zones = new Map([ORIGIN, OTHER].map((apex) => [apex.key, zoneFake(apex.toString())]));
  const events: string[] = [];
  const failures: { error: unknown; jobs: number }[] = [];
  const published = new Map<string, PublishedZone>();
  for (const [key, zone] of zones) {
    published.set(key, {
      view: zone,
      publish: (changesets) => {
        events.push(`publish ${changesets.length} of ${zone.apex.toString()}`);
        zone.publish(changesets);
      },
    });
  }
  const queue = new ChangeQueue({
    store,
    zone: (apex) => published.get(apex.key),
    maxQueued: 1_000,
    maxBatch: 100,
    onCommitted: (changesets) => events.push(`committed ${changesets.length}`),
    onFailure: (error, jobs) => failures.push({ error, jobs }),
    ...options,
  });
  return {
    queue,
    store,
    zone: zones.get(ORIGIN.key)!,
    other: zones.get(OTHER.key)!,
    published,
    events,
    failures,
  };
}

function serialOf(view: ZoneView): number {
  return soaSerial(view.soa.rdata);
}

function bump(view: ZoneView, added: string[] = []): Changeset {
  const soaAfter = { ...view.soa, rdata: withSerial(view.soa.rdata, serialOf(view) + 1) };
  return {
    zone: view.apex,
    soaBefore: view.soa,
    soaAfter,
    removed: [],
    added: added.map(rr),
    origin: { actor: { kind: "operator", name: "test" }, at: 0, cause: "update" },
  };
}

/** A job that adds a record, and results in the serial it makes. */
function add(owner: string, more: Partial<ChangeJob<number>> = {}): ChangeJob<number> {
  const apex = more.apex ?? ORIGIN;
  return {
    apex,
    judge: (view) => {
      const changeset = bump(view, [`${owner} 60 A 192.0.2.1`]);
      return { changeset, result: soaSerial(changeset.soaAfter.rdata) };
    },
    ...more,
  };
}

/** A job that only looks whether a name is there. */
function look(owner: string, apex = ORIGIN): ChangeJob<boolean> {
  return { apex, judge: (view) => ({ result: view.rrset(name(owner), RrType.A) !== undefined }) };
}

/** A promise's state without waiting for it. */
function watch(promise: Promise<unknown>): { state: string } {
  const seen = { state: "pending" };
  promise.then(
    () => (seen.state = "resolved"),
    () => (seen.state = "rejected"),
  );
  return seen;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("group commit", () => {
  test("jobs of one turn go together, each judged against those before it", async () => {
    const { queue, store, zone } = setUp();
    const results = Promise.all([
      queue.submit(add("a")),
      queue.submit(add("b")),
      queue.submit(look("b")),
      queue.submit(look("c")),
    ]);
    await store.succeed();
    expect(await results).toEqual([2, 3, true, false]);
    expect(store.batches.map((batch) => batch.length)).toEqual([2]);
    expect(serialOf(zone)).toBe(3);
    expect(queue.depth).toBe(0);
  });

  test("jobs of the following turns join while they keep coming", async () => {
    const { queue, store } = setUp();
    const results: Promise<number>[] = [queue.submit(add("a"))];
    setImmediate(() => results.push(queue.submit(add("c"))));
    results.push(queue.submit(add("b")));
    await store.succeed();
    await queue.idle();
    expect(await Promise.all(results)).toEqual([2, 3, 4]);
    expect(store.batches.map((batch) => batch.length)).toEqual([3]);
  });

  test("jobs that arrive during a commit go together in the next", async () => {
    const { queue, store } = setUp();
    const first = queue.submit(add("a"));
    await store.arrived();
    const later = [queue.submit(add("b")), queue.submit(add("c"))];
    await turn();
    later.push(queue.submit(add("d")));
    await turn();
    expect(store.batches).toHaveLength(1);
    await store.succeed();
    expect(await first).toBe(2);
    await store.succeed();
    expect(await Promise.all(later)).toEqual([3, 4, 5]);
    expect(store.batches.map((batch) => batch.length)).toEqual([1, 3]);
  });

  test("a batch holds maxBatch jobs at most", async () => {
    const { queue, store } = setUp({ maxBatch: 2 });
    const results = Promise.all(["a", "b", "c", "d", "e"].map((owner) => queue.submit(add(owner))));
    for (let i = 0; i < 3; i++) await store.succeed();
    expect(await results).toEqual([2, 3, 4, 5, 6]);
    expect(store.batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
  });

  test("an exclusive job is alone in its batch, and the order stays", async () => {
    const { queue, store } = setUp();
    const results = Promise.all([
      queue.submit(add("a")),
      queue.submit(add("b")),
      queue.submit(add("import", { exclusive: true })),
      queue.submit(add("c")),
    ]);
    for (let i = 0; i < 3; i++) await store.succeed();
    expect(await results).toEqual([2, 3, 4, 5]);
    expect(store.batches.map((batch) => batch.length)).toEqual([2, 1, 1]);
  });

  test("one commit for all zones, one publication for each", async () => {
    const { queue, store, zone, other, events } = setUp();
    const results = Promise.all([
      queue.submit(add("a")),
      queue.submit(add("x.other.example.", { apex: OTHER })),
      queue.submit(add("b")),
    ]);
    await store.succeed();
    expect(await results).toEqual([2, 2, 3]);
    expect(events).toEqual(["publish 2 of smb.example.", "publish 1 of other.example.", "committed 3"]);
    expect([serialOf(zone), serialOf(other)]).toEqual([3, 2]);
  });
});

describe("commit, publish, answer: in that order (RFC 2136 §3.5)", () => {
  test("nothing is visible and nobody answered before the commit", async () => {
    const { queue, store, zone, events } = setUp();
    const job = queue.submit(add("a"));
    const rests = queue.submit(look("a"));
    const seen = [watch(job), watch(rests)];
    await store.arrived();
    await turn();
    expect(serialOf(zone)).toBe(1);
    expect(seen.map(({ state }) => state)).toEqual(["pending", "pending"]);
    expect(queue.depth).toBe(2);
    const atAnswer = job.then(() => [...events, serialOf(zone)]);
    await store.succeed();
    expect(await atAnswer).toEqual(["publish 1 of smb.example.", "committed 1", 2]);
    expect(await rests).toBe(true);
  });

  test("what rests on no pending change is answered at once", async () => {
    const { queue, store } = setUp();
    const before = queue.submit(look("a"));
    const elsewhere = queue.submit(look("a", OTHER));
    const change = watch(queue.submit(add("a")));
    expect(await before).toBe(false);
    expect(await elsewhere).toBe(false);
    expect(change.state).toBe("pending");
    await store.succeed();
    await queue.idle();
    expect(change.state).toBe("resolved");
  });

  test("a batch without changes commits nothing", async () => {
    const { queue, store, events } = setUp();
    expect(await queue.submit(look("a"))).toBe(false);
    await queue.idle();
    expect(store.batches).toEqual([]);
    expect(events).toEqual([]);
  });
});

/** Adds a record here and one there. */
const both = (owner: string, there: (view: ZoneView) => Changeset): ChangeJob<number> => ({
  apex: ORIGIN,
  judge: (view, other) => {
    const changeset = bump(view, [`${owner} 60 A 192.0.2.1`]);
    return { changeset, also: [there(other(OTHER)!)], result: soaSerial(changeset.soaAfter.rdata) };
  },
});
const along = (owner: string) =>
  both(owner, (view) => bump(view, [`${owner}.other.example. 60 A 192.0.2.1`]));

describe("a job that changes several zones", () => {
  test("does so in one commit, each zone seen as those before it leave it", async () => {
    const { queue, store, zone, other, events } = setUp();
    const jobs = [along("a"), add("x.other.example.", { apex: OTHER }), along("b")];
    const results = Promise.all(jobs.map((job) => queue.submit(job)));
    await store.succeed();
    expect(await results).toEqual([2, 3, 3]);
    expect(events).toEqual(["publish 2 of smb.example.", "publish 3 of other.example.", "committed 5"]);
    expect([serialOf(zone), serialOf(other)]).toEqual([3, 4]);
  });

  test("changes none of them where one of its changesets does not fit", async () => {
    const { queue, store, zone, other } = setUp();
    const stale = { ...bump(other), soaBefore: bump(other).soaAfter };
    const settled = Promise.allSettled([
      queue.submit(both("a", () => stale)),
      queue.submit(look("a")),
      queue.submit(add("b")),
    ]);
    await store.succeed();
    expect(await settled).toMatchObject([{ status: "rejected" }, { value: false }, { value: 2 }]);
    expect([serialOf(zone), serialOf(other)]).toEqual([2, 1]);
  });

  test("takes one changeset for each zone", async () => {
    const { queue, store } = setUp();
    const twice: ChangeJob<number> = {
      apex: ORIGIN,
      judge: (view) => ({ changeset: bump(view), also: [bump(view)], result: 0 }),
    };
    await expect(queue.submit(twice)).rejects.toThrow("two changesets");
    expect(store.batches).toEqual([]);
  });

  test("may change only another zone than its own; an apex without a zone is told", async () => {
    const { queue, store, zone, other } = setUp();
    const elsewhere: ChangeJob<boolean> = {
      apex: ORIGIN,
      judge: (_, of) => ({ also: [bump(of(OTHER)!)], result: of(Name.parse("none.example.")) === undefined }),
    };
    const done = queue.submit(elsewhere);
    const rests = watch(queue.submit(look("a", OTHER)));
    await store.arrived();
    expect(rests.state).toBe("pending");
    await store.succeed();
    expect(await done).toBe(true);
    expect([serialOf(zone), serialOf(other)]).toEqual([1, 2]);
  });

  test("fails where any of its zones cannot be published, and where it looked at such a one", async () => {
    const { queue, store, published, failures } = setUp();
    const broken = new Error("out of memory");
    published.set(OTHER.key, {
      view: published.get(OTHER.key)!.view,
      publish: () => {
        throw broken;
      },
    });
    const looks: ChangeJob<number> = {
      apex: ORIGIN,
      judge: (_, of) => ({ result: serialOf(of(OTHER)!) }),
    };
    const settled = Promise.allSettled([
      queue.submit(along("a")),
      queue.submit(looks),
      queue.submit(add("b")),
    ]);
    await store.succeed();
    expect(await settled).toMatchObject([
      { status: "rejected", reason: { name: "CommitFailed", cause: broken } },
      { status: "rejected", reason: { name: "CommitFailed", cause: broken } },
      { status: "fulfilled", value: 3 },
    ]);
    expect(failures).toEqual([{ error: broken, jobs: 2 }]);
    expect(queue.depth).toBe(0);
  });
});

describe("failures", () => {
  test("a failed commit fails all that rests on it, shows nothing, and the queue goes on", async () => {
    const { queue, store, zone, events, failures } = setUp();
    const early = queue.submit(look("a"));
    const jobs = [queue.submit(add("a")), queue.submit(look("a")), queue.submit(add("b"))];
    const settled = Promise.allSettled(jobs);
    const full = new Error("the disk is full");
    await store.fail(full);
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { name: "CommitFailed", cause: full } });
    }
    expect(await early).toBe(false);
    expect(events).toEqual([]);
    expect(serialOf(zone)).toBe(1);
    expect(failures).toEqual([{ error: full, jobs: 3 }]);

    const again = queue.submit(add("a"));
    await store.succeed();
    expect(await again).toBe(2);
  });

  test("a store that throws at once is a failed commit too", async () => {
    const { queue } = setUp({
      store: {
        commit: () => {
          throw new Error("closed");
        },
      },
    });
    await expect(queue.submit(add("a"))).rejects.toThrow(CommitFailed);
    await queue.idle();
    expect(queue.depth).toBe(0);
  });

  test("a judge that throws loses its own job alone", async () => {
    const { queue, store } = setUp();
    const bug = new Error("a bug");
    const jobs = [
      queue.submit(add("a")),
      queue.submit<never>({
        apex: ORIGIN,
        judge: () => {
          throw bug;
        },
      }),
      queue.submit(add("b")),
    ];
    const settled = Promise.allSettled(jobs);
    await store.succeed();
    expect(await settled).toEqual([
      { status: "fulfilled", value: 2 },
      { status: "rejected", reason: bug },
      { status: "fulfilled", value: 3 },
    ]);
  });

  test("so does one whose changeset does not fit", async () => {
    const { queue, store, zone } = setUp();
    const stale = bump(zone);
    const settled = Promise.allSettled([
      queue.submit(add("a")),
      queue.submit({ apex: ORIGIN, judge: () => ({ changeset: stale, result: 0 }) }),
      queue.submit(add("b")),
    ]);
    await store.succeed();
    expect((await settled).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(store.batches[0]).toHaveLength(2);
  });

  test("a zone that cannot be published takes no more changes until it is loaded again; others do", async () => {
    const { queue, store, published, zone, failures } = setUp();
    const broken = new Error("out of memory");
    const working = published.get(ORIGIN.key)!;
    published.set(ORIGIN.key, {
      view: zone,
      publish: () => {
        throw broken;
      },
    });
    const settled = Promise.allSettled([
      queue.submit(add("a")),
      queue.submit(add("x.other.example.", { apex: OTHER })),
    ]);
    await store.succeed();
    expect((await settled).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(failures).toEqual([{ error: broken, jobs: 1 }]);
    await expect(queue.submit(add("b"))).rejects.toThrow(CommitFailed);
    expect(store.batches).toHaveLength(1);

    zone.publish(store.batches[0]!.slice(0, 1));
    published.set(ORIGIN.key, working);
    const again = queue.submit(add("b"));
    await store.succeed();
    expect(await again).toBe(3);
  });

  test("a hook that throws is reported and costs nobody the answer", async () => {
    const bug = new Error("a bug");
    const { queue, store, failures } = setUp({
      onCommitted: () => {
        throw bug;
      },
    });
    const job = queue.submit(add("a"));
    await store.succeed();
    expect(await job).toBe(2);
    expect(failures).toEqual([{ error: bug, jobs: 0 }]);
  });

  test("a zone that is not served", async () => {
    const { queue } = setUp();
    await expect(queue.submit(look("a", Name.parse("gone.example.")))).rejects.toThrow(ZoneGone);
  });
});

describe("bounds", () => {
  test("what is beyond maxQueued is refused, waiting and under way counted alike", async () => {
    const { queue, store } = setUp({ maxQueued: 2 });
    const first = queue.submit(add("a"));
    await store.arrived();
    const second = queue.submit(add("b"));
    await expect(queue.submit(add("c"))).rejects.toThrow(QueueFull);
    await store.succeed();
    await first;
    const fourth = queue.submit(add("d"));
    await store.succeed();
    expect(await Promise.all([second, fourth])).toEqual([3, 4]);
  });

  test("one source can hold half of the queue", async () => {
    const { queue, store } = setUp({ maxQueued: 4 });
    const from = (owner: string, source: string): Promise<number> => queue.submit(add(owner, { source }));
    const jobs = [from("a", "192.0.2.1"), from("b", "192.0.2.1")];
    await expect(from("c", "192.0.2.1")).rejects.toThrow(QueueFull);
    jobs.push(from("d", "192.0.2.2"));
    await store.succeed();
    expect(await Promise.all(jobs)).toEqual([2, 3, 4]);
    const again = from("e", "192.0.2.1");
    await store.succeed();
    expect(await again).toBe(5);
  });

  test("close finishes what is queued and takes nothing new", async () => {
    const { queue, store } = setUp({ maxBatch: 1 });
    const jobs = [queue.submit(add("a")), queue.submit(add("b"))];
    const closed = queue.close();
    const seen = watch(closed);
    await expect(queue.submit(add("c"))).rejects.toThrow(QueueClosed);
    await store.succeed();
    expect(await jobs[0]).toBe(2);
    expect(seen.state).toBe("pending");
    await store.succeed();
    expect(await jobs[1]).toBe(3);
    await closed;
    await queue.close();
  });

  test("an idle queue is idle at once", async () => {
    const { queue } = setUp();
    await queue.idle();
    expect(queue.depth).toBe(0);
  });
});
