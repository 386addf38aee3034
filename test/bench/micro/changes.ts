/** What becomes of an update behind its parsing: judged, committed, published. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judgeUpdate, readUpdate } from "../../../src/protocol/update.ts";
import type { UpdateContext, UpdateRequest, UpdateVerdict } from "../../../src/protocol/update.ts";
import { openStore } from "../../../src/store/open.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import type { Changeset } from "../../../src/zone/changeset.ts";
import { OverlayView } from "../../../src/zone/overlay.ts";
import type { ZoneView } from "../../../src/zone/view.ts";
import { someOrigin } from "../../support/model.ts";
import { updateOctets } from "./messages.ts";
import type { Step, Steps } from "./steps.ts";
import { APEX, hostRecords, hostZone } from "./zone.ts";

const HOSTS = 10_000;
const UPDATES = 1_000;
/** Updates in one commit: a lone one, and what gathers under more and more load. */
const BATCHES = [1, 10, 50, 200] as const;
/** Commits in one pass, at most: each waits for the disk. */
const COMMITS = 100;

const CONTEXT: UpdateContext = {
  policy: () => ({ allow: true, reason: "everything is allowed" }),
  known: true,
  limits: { recordsPerRrset: 1_000, typesPerName: 100, recordsPerZone: 10_000_000 },
  origin: someOrigin,
};

function request(host: number, generation: number): UpdateRequest {
  const read = readUpdate(decodeMessage(updateOctets(host, generation)));
  if (!read.ok) throw new Error(read.reason);
  return read.request;
}

function judged(one: UpdateRequest, view: ZoneView, kind: UpdateVerdict["kind"]): UpdateVerdict {
  const verdict = judgeUpdate(one, view, CONTEXT);
  if (verdict.kind !== kind) throw new Error(`an update was to be ${kind} and is ${verdict.kind}`);
  return verdict;
}

function changed(one: UpdateRequest, view: ZoneView): Changeset {
  const verdict = judged(one, view, "change");
  if (verdict.kind !== "change") throw new Error(verdict.kind);
  return verdict.changeset;
}

export function changeSteps(): Steps {
  const image = hostZone(HOSTS);
  const renewals = Array.from({ length: UPDATES }, (_, host) => request(host, 0));
  const moves = Array.from({ length: UPDATES }, (_, host) => request(host, 1));
  const judging: Step[] = [
    {
      name: "judge: an address replaced",
      operations: UPDATES,
      pass: () => {
        for (const one of moves) judged(one, image, "change");
      },
    },
    {
      name: "judge: nothing changed",
      operations: UPDATES,
      pass: () => {
        for (const one of renewals) judged(one, image, "unchanged");
      },
    },
    {
      name: "judge: batches of 50 on one another",
      operations: UPDATES,
      pass: () => {
        for (let at = 0; at < UPDATES; at += 50) {
          const overlay = new OverlayView(image);
          for (const one of moves.slice(at, at + 50)) overlay.apply(changed(one, overlay));
        }
      },
    },
  ];
  const publishing = publishStep();
  const committing = commitSteps();
  return { steps: [...judging, publishing, ...committing.steps], close: () => committing.close?.() };
}

/** Makes changesets that follow from one another without end: each host's address replaced by its next. */
function* changes(view: OverlayView): Generator<Changeset, never> {
  for (let n = 0; ; n++) {
    const changeset = changed(request(n % HOSTS, 1 + (Math.floor(n / HOSTS) % 200)), view);
    view.apply(changeset);
    yield changeset;
  }
}

/** The next ones: how many passes there will be is not known before, so that they are made as they are needed. */
function take(source: Generator<Changeset, never>, count: number): Changeset[] {
  return Array.from({ length: count }, () => source.next().value);
}

function publishStep(): Step {
  const image = hostZone(HOSTS);
  const source = changes(new OverlayView(hostZone(HOSTS)));
  let next: readonly Changeset[] = [];
  return {
    name: "publish: a change",
    operations: UPDATES,
    before: () => (next = take(source, UPDATES)),
    pass: () => {
      for (const changeset of next) image.publish([changeset]);
    },
  };
}

/** Into a store on the disk; processor time alone, since the disk's is the disk's. */
function commitSteps(): Steps {
  const directory = mkdtempSync(join(tmpdir(), "rollcall-micro-"));
  const store = openStore(directory);
  store.create(APEX, hostRecords(HOSTS), { ...someOrigin, cause: "create" });
  const source = changes(new OverlayView(hostZone(HOSTS)));
  const step = (size: number): Step => {
    const commits = Math.min(COMMITS, UPDATES / size);
    let next: readonly (readonly Changeset[])[] = [];
    return {
      name: `commit: an update, in batches of ${size}`,
      operations: commits * size,
      before: () => (next = Array.from({ length: commits }, () => take(source, size))),
      pass: async () => {
        for (const batch of next) await store.commit(batch);
      },
    };
  };
  return {
    steps: BATCHES.map(step),
    close: () => {
      store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
