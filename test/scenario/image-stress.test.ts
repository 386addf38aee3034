/**
 * Threads that read an image while it changes as fast as it can: no name half changed, none missing that is always
 * there, none that never is, no generation going back. ROLLCALL_STRESS_SECONDS says for how long; without it some
 * thousands of publications.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { type ResourceRecord, record } from "../../src/wire/record.ts";
import type { Changeset } from "../../src/zone/changeset.ts";
import { Epochs } from "../../src/zone/image/epochs.ts";
import { ZoneImage } from "../../src/zone/image/image.ts";
import { APEX, EMPTY, generationOf, PULSE, Shared, SHARED_WORDS, STEADY } from "../support/image-stress.ts";
import type { ReaderReport, ReaderStart } from "../support/image-stress.ts";
import { soaRecord, someOrigin } from "../support/model.ts";
import { Random } from "../support/mutate.ts";
import { SEED } from "../support/zones.ts";

const SECONDS = Number(process.env["ROLLCALL_STRESS_SECONDS"] ?? 0);
const PUBLICATIONS = 6_000;
const READERS = 2;
/** Hosts of which some are there and some not: what makes the table grow and fill with graves. */
const PASSING = 6000;

/** The side that changes the image. */
class Writer {
  readonly image: ZoneImage;
  readonly #random = new Random(SECONDS === 0 ? 11 : Date.now());
  #soa = soaRecord(APEX, 0);
  #number = 0;
  #pulse = generationOf(PULSE, 0);
  readonly #steady = STEADY.map((name) => generationOf(name, 0));
  /** The one name below each empty non-terminal. */
  readonly #below = EMPTY.map((name, i) => this.#host(`b${i}`, name));
  readonly #passing = new Map<number, ResourceRecord[]>();
  /** Whether hosts tend to come, or to go. */
  #growing = true;

  constructor(epochs: Epochs) {
    const records = [this.#soa, ...this.#pulse, ...this.#steady.flat(), ...this.#below.flat()];
    this.image = ZoneImage.build(APEX, records, SEED, epochs);
  }

  /** Publishes one changeset, or a few together. */
  publish(): void {
    const together = this.#random.below(8) === 0 ? 1 + this.#random.below(3) : 1;
    this.image.publish(Array.from({ length: together }, () => this.#change()));
  }

  #change(): Changeset {
    const number = ++this.#number;
    const removed = [...this.#pulse];
    this.#pulse = generationOf(PULSE, number);
    const added = [...this.#pulse];
    const i = this.#random.below(STEADY.length);
    removed.push(...this.#steady[i]!);
    this.#steady[i] = generationOf(STEADY[i]!, number);
    added.push(...this.#steady[i]);
    if (this.#random.below(4) === 0) {
      const e = this.#random.below(EMPTY.length);
      removed.push(...this.#below[e]!);
      this.#below[e] = this.#host(`b${number}`, EMPTY[e]!);
      added.push(...this.#below[e]);
    }
    for (let hosts = this.#random.below(6); hosts > 0; hosts--) this.#pass(removed, added);
    const soaBefore = this.#soa;
    this.#soa = soaRecord(APEX, number);
    return { zone: APEX, soaBefore, soaAfter: this.#soa, removed, added, origin: someOrigin };
  }

  /** A host comes, or goes, or changes. */
  #pass(removed: ResourceRecord[], added: ResourceRecord[]): void {
    if (this.#passing.size > PASSING * 0.9) this.#growing = false;
    if (this.#passing.size < PASSING * 0.1) this.#growing = true;
    const host = this.#random.below(PASSING);
    const there = this.#passing.get(host);
    // One changeset names a record once.
    if (added.some((rr) => rr.name.equals(this.#nameOf(host)))) return;
    if (there === undefined) {
      if (!this.#growing && this.#random.below(4) > 0) return;
      const fresh = this.#host(`p${host}`, this.#parentOf(host));
      this.#passing.set(host, fresh);
      added.push(...fresh);
    } else if (!this.#growing || this.#random.below(4) === 0) {
      this.#passing.delete(host);
      removed.push(...there);
    }
  }

  #nameOf(host: number): Name {
    return Name.parse(`p${host}`, this.#parentOf(host));
  }

  #parentOf(host: number): Name {
    return host % 3 === 0 ? Name.parse(`sub${host % 50}.Deep`, APEX) : APEX;
  }

  #host(label: string, parent: Name): ResourceRecord[] {
    const rdata = new Uint8Array(1 + this.#random.below(this.#random.below(50) === 0 ? 30_000 : 300)).fill(
      0xee,
    );
    return [record(Name.parse(label, parent), RrType.NULL, 60, rdata)];
  }
}

async function allBegun(shared: Int32Array<SharedArrayBuffer>): Promise<void> {
  for (;;) {
    const begun = Atomics.load(shared, Shared.BEGUN);
    if (begun === READERS) return;
    await Atomics.waitAsync(shared, Shared.BEGUN, begun).value;
  }
}

test(
  "readers meet whole names alone, all that are always there and none that never is",
  { timeout: 60_000 + SECONDS * 2000 },
  async () => {
    const epochs = new Epochs();
    const writer = new Writer(epochs);
    const { image } = writer;
    const shared = new Int32Array(new SharedArrayBuffer(SHARED_WORDS * 4));
    const workers = Array.from({ length: READERS }, (_, reader) => {
      const start: ReaderStart = {
        reader,
        image: image.buffer,
        epochs: epochs.buffer,
        shared: shared.buffer,
        seed: SEED,
      };
      return new Worker(new URL("../support/image-stress-reader.ts", import.meta.url), { workerData: start });
    });
    const reports = Promise.all(
      workers.map(async (worker) => (await once(worker, "message"))[0] as ReaderReport),
    );
    await Promise.race([allBegun(shared), reports]);

    const end = Date.now() + SECONDS * 1000;
    let publications = 0;
    while (Atomics.load(shared, Shared.STOP) === 0) {
      writer.publish();
      publications++;
      if (SECONDS === 0 ? publications >= PUBLICATIONS : publications % 500 === 0 && Date.now() >= end) break;
    }
    Atomics.store(shared, Shared.STOP, 1);
    const all = await reports;
    await Promise.all(workers.map((worker) => worker.terminate()));

    expect(all.flatMap(({ faults }) => faults)).toEqual([]);
    for (const { rounds } of all) expect(rounds).toBeGreaterThan(100);
    // Blocks were used again: what was written in all is many times what is held.
    expect(image.buffer.byteLength).toBeLessThan(64 * 1024 ** 2);
    expect(image.nodeCount).toBeGreaterThan(STEADY.length + EMPTY.length);
    if (SECONDS > 0) {
      const reads = all.map((report) => report.reads).join(" and ");
      process.stderr.write(
        `image stress: ${publications} publications, ${reads} names read, ${image.buffer.byteLength} octets\n`,
      );
    }
  },
);
