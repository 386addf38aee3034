/**
 * Group commit: the one way by which zones change. Jobs that arrive together are judged one after another, each against
 * the zone and the changes of those before it; their changesets are committed as one; only then are they published, and
 * only then does anybody hear of it (RFC 2136 §3.5, §3.7).
 *
 * Batches form by themselves. While one is being committed the next one gathers; when the queue is idle a job waits for
 * no more than the packets that are in the socket already.
 */
import type { Changeset } from "../zone/changeset.ts";
import { OverlayView } from "../zone/overlay.ts";
import type { CommitPort } from "../zone/ports.ts";
import type { ZoneView } from "../zone/view.ts";
import type { Name } from "../wire/name.ts";

/** A zone being served: what it is now, and the way to make it what it will be. */
export interface PublishedZone {
  /** Must not change but by {@link publish}. */
  readonly view: ZoneView;
  /** Makes committed changesets visible, in order. Called once a batch. */
  publish(changesets: readonly Changeset[]): void;
}

/** One wish to change a zone. */
export interface ChangeJob<T> {
  readonly apex: Name;
  /** Who it comes from, e.g. an address. One source can fill half of the queue at most, so that it shuts nobody out. */
  readonly source?: string | undefined;
  /** Whether it is to be alone in its batch, as imports and rollbacks are: they are large, and their failure is theirs. */
  readonly exclusive?: boolean | undefined;
  /**
   * Decides, against the zone as it will be when everything queued before is done. Must not change anything and must give
   * the same again for the same view. Throwing is a fault of the program and ends this job alone.
   *
   * @param other another zone in the same state; undefined where none is served at that apex
   */
  judge(view: ZoneView, other: (apex: Name) => ZoneView | undefined): JobVerdict<T>;
}

/** What a job is to change, and what is told when that is durable and visible. */
export interface JobVerdict<T> {
  readonly changeset?: Changeset | undefined;
  /** What is to change in other zones, one changeset for each at most. All are committed together with `changeset`, or none. */
  readonly also?: readonly Changeset[] | undefined;
  readonly result: T;
}

export interface ChangeQueueDeps {
  readonly store: CommitPort;
  /** The zone served at an apex; undefined where there is none (any more). */
  readonly zone: (apex: Name) => PublishedZone | undefined;
  /** Jobs that may be waiting or under way. */
  readonly maxQueued: number;
  /** Jobs in one commit. */
  readonly maxBatch: number;
  /** Called after publication and before the jobs hear of it: the place to notify secondaries from. */
  readonly onCommitted?: ((changesets: readonly Changeset[]) => void) | undefined;
  /** Called with what went wrong and how many jobs it cost. */
  readonly onFailure?: ((error: unknown, jobs: number) => void) | undefined;
}

/** The queue is full, or this source's share of it: the client is to be refused and may try again. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}

/** The queue takes nothing more, because the server is stopping. */
export class QueueClosed extends Error {
  override readonly name = "QueueClosed";
  constructor() {
    super("the server is stopping and takes no changes");
  }
}

/** The zone is no longer served here. */
export class ZoneGone extends Error {
  override readonly name = "ZoneGone";
  constructor(apex: Name) {
    super(`the zone ${apex.toString()} is not served here any more`);
  }
}

/** The batch could not be committed or made visible (`cause` says why): a server failure for every job resting on it. */
export class CommitFailed extends Error {
  override readonly name = "CommitFailed";
  constructor(cause: unknown) {
    super(`the change could not be committed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** Turns of the event loop that a forming batch may wait while each brings more jobs. */
const MAX_GATHER_TURNS = 4;

/** A job and its promise, the type of its result hidden. */
interface QueuedJob {
  readonly job: Pick<ChangeJob<unknown>, "apex" | "source" | "exclusive">;
  /** Judges, and gives the way to tell the result. */
  readonly judge: (
    view: ZoneView,
    other: (apex: Name) => ZoneView | undefined,
  ) => { changesets: readonly Changeset[]; answer: () => void };
  readonly reject: (error: unknown) => void;
}

/** A zone within the batch under way. */
interface BatchZone {
  readonly published: PublishedZone;
  readonly changesets: Changeset[];
  /** Made with the first changeset. */
  overlay: OverlayView | undefined;
}

/** A job whose result holds only if the batch is committed. */
interface Pledge {
  readonly entry: QueuedJob;
  readonly answer: () => void;
  /** Those it was judged by, and those it changes. */
  readonly zones: readonly BatchZone[];
}

export class ChangeQueue {
  readonly #deps: ChangeQueueDeps;
  #waiting: QueuedJob[] = [];
  /** Jobs taken from the queue and not answered yet. */
  #underWay = 0;
  #perSource = new Map<string, number>();
  /** Whether a batch is forming or being committed. */
  #busy = false;
  #closed = false;
  #idleWaiters: (() => void)[] = [];
  /** Zones whose publication failed: what they show is not what is committed, so nothing may be judged by it. */
  readonly #stale = new WeakSet<PublishedZone>();

  constructor(deps: ChangeQueueDeps) {
    this.#deps = deps;
  }

  /** Jobs waiting or under way. */
  get depth(): number {
    return this.#waiting.length + this.#underWay;
  }

  /**
   * Queues a job.
   * @returns its result, once everything it rests on is durable and visible
   * @throws (rejects) QueueFull, QueueClosed, ZoneGone, CommitFailed, or what `judge` threw
   */
  submit<T>(job: ChangeJob<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new QueueClosed());
    const full = this.#full(job.source);
    if (full !== undefined) return Promise.reject(full);
    return new Promise<T>((resolve, reject) => {
      this.#count(job.source, 1);
      const judge: QueuedJob["judge"] = (view, other) => {
        const { changeset, also = [], result } = job.judge(view, other);
        return {
          changesets: changeset === undefined ? also : [changeset, ...also],
          answer: () => resolve(result),
        };
      };
      this.#waiting.push({ job, judge, reject });
      if (this.#busy) return;
      this.#busy = true;
      this.#gather(1, this.#waiting.length);
    });
  }

  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Takes nothing more and resolves when everything queued is done. */
  close(): Promise<void> {
    this.#closed = true;
    return this.idle();
  }

  #full(source: string | undefined): QueueFull | undefined {
    const { maxQueued } = this.#deps;
    if (this.depth >= maxQueued)
      return new QueueFull(`${maxQueued} changes are waiting already: try again later`);
    const share = Math.ceil(maxQueued / 2);
    if (source !== undefined && (this.#perSource.get(source) ?? 0) >= share) {
      return new QueueFull(`${share} changes of this client are waiting already: try again later`);
    }
    return undefined;
  }

  #count(source: string | undefined, change: 1 | -1): void {
    if (source === undefined) return;
    const count = (this.#perSource.get(source) ?? 0) + change;
    if (count === 0) this.#perSource.delete(source);
    else this.#perSource.set(source, count);
  }

  /** Lets a turn of the event loop pass, and more while they bring jobs: those join the batch. */
  #gather(turn: number, seen: number): void {
    setImmediate(() => {
      const now = this.#waiting.length;
      if (now > seen && now < this.#deps.maxBatch && turn < MAX_GATHER_TURNS) this.#gather(turn + 1, now);
      else void this.#work();
    });
  }

  async #work(): Promise<void> {
    await this.#runBatch(this.#takeBatch());
    if (this.#waiting.length > 0) {
      // By way of the event loop, so that replies go out and packets come in between two batches.
      this.#gather(1, this.#waiting.length);
      return;
    }
    this.#busy = false;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #takeBatch(): QueuedJob[] {
    let length = 1;
    if (this.#waiting[0]!.job.exclusive !== true) {
      const limit = Math.min(this.#waiting.length, this.#deps.maxBatch);
      while (length < limit && this.#waiting[length]!.job.exclusive !== true) length++;
    }
    const batch = this.#waiting.splice(0, length);
    this.#underWay = batch.length;
    return batch;
  }

  async #runBatch(batch: readonly QueuedJob[]): Promise<void> {
    const zones = new Map<string, BatchZone>();
    const changesets: Changeset[] = [];
    const pledges: Pledge[] = [];
    for (const entry of batch) {
      try {
        const zone = this.#zoneOf(entry.job.apex, zones);
        const judgedBy = [zone];
        const other = (apex: Name): ZoneView | undefined => {
          if (this.#deps.zone(apex) === undefined) return undefined;
          const found = this.#zoneOf(apex, zones);
          if (!judgedBy.includes(found)) judgedBy.push(found);
          return found.overlay ?? found.published.view;
        };
        const judged = entry.judge(zone.overlay ?? zone.published.view, other);
        for (const changed of this.#lay(judged.changesets, zones)) {
          if (!judgedBy.includes(changed)) judgedBy.push(changed);
        }
        changesets.push(...judged.changesets);
        // What was judged by published zones alone is durable already and need not wait.
        if (judgedBy.every(({ overlay }) => overlay === undefined)) this.#settle(entry, judged.answer);
        else pledges.push({ entry, answer: judged.answer, zones: judgedBy });
      } catch (error) {
        this.#settle(entry, () => entry.reject(error));
      }
    }
    if (changesets.length === 0) return;

    try {
      await this.#deps.store.commit(changesets);
    } catch (error) {
      this.#fail(pledges, error);
      return;
    }
    const failures = this.#publish(zones.values());
    this.#report(0, () => this.#deps.onCommitted?.(changesets));
    const broken = (pledge: Pledge): BatchZone | undefined => pledge.zones.find((zone) => failures.has(zone));
    for (const [zone, error] of failures) {
      this.#fail(
        pledges.filter((pledge) => broken(pledge) === zone),
        error,
      );
    }
    for (const pledge of pledges) {
      if (broken(pledge) === undefined) this.#settle(pledge.entry, pledge.answer);
    }
  }

  /**
   * Lays the changesets of one job over their zones: all of them, or none where it throws. Gives the zones.
   * @throws ChangesetMismatch where one does not follow from its zone's view; ZoneGone, CommitFailed
   */
  #lay(changesets: readonly Changeset[], zones: Map<string, BatchZone>): readonly BatchZone[] {
    const targets = changesets.map((changeset) => this.#zoneOf(changeset.zone, zones));
    if (targets.length > 1) {
      if (new Set(targets).size < targets.length) throw new Error("a job changes one zone by two changesets");
      // One that fits leaves its mark at once: all must be known to fit before the first is laid.
      targets.forEach((zone, i) =>
        new OverlayView(zone.overlay ?? zone.published.view).apply(changesets[i]!),
      );
    }
    targets.forEach((zone, i) => {
      // Throws where the changeset does not follow from the view, and then leaves the overlay as it was.
      const overlay = zone.overlay ?? new OverlayView(zone.published.view);
      overlay.apply(changesets[i]!);
      zone.overlay = overlay;
      zone.changesets.push(changesets[i]!);
    });
    return targets;
  }

  #zoneOf(apex: Name, zones: Map<string, BatchZone>): BatchZone {
    let zone = zones.get(apex.key);
    if (zone === undefined) {
      const published = this.#deps.zone(apex);
      if (published === undefined) throw new ZoneGone(apex);
      if (this.#stale.has(published)) {
        throw new CommitFailed(new Error(`the zone ${apex.toString()} must be loaded again`));
      }
      zones.set(apex.key, (zone = { published, changesets: [], overlay: undefined }));
    }
    return zone;
  }

  /** @returns the zones that could not be made to show what was committed */
  #publish(zones: Iterable<BatchZone>): Map<BatchZone, unknown> {
    const failures = new Map<BatchZone, unknown>();
    for (const zone of zones) {
      if (zone.changesets.length === 0) continue;
      try {
        zone.published.publish(zone.changesets);
      } catch (error) {
        this.#stale.add(zone.published);
        failures.set(zone, error);
      }
    }
    return failures;
  }

  #fail(pledges: readonly Pledge[], error: unknown): void {
    const failed = new CommitFailed(error);
    for (const { entry } of pledges) this.#settle(entry, () => entry.reject(failed));
    this.#report(pledges.length, () => {
      throw error;
    });
  }

  #settle(entry: QueuedJob, how: () => void): void {
    this.#underWay--;
    this.#count(entry.job.source, -1);
    how();
  }

  /** Runs a hook; what it throws is reported and stops nothing. */
  #report(jobs: number, hook: () => void): void {
    try {
      hook();
    } catch (error) {
      try {
        this.#deps.onFailure?.(error, jobs);
      } catch {
        // Whoever is told of failures has failed: there is nobody left to tell, and the queue goes on.
      }
    }
  }
}
