/** The parts of the zone image that no lookup shows: epochs, the heap, tables, and threads that read while one writes. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { record, type ResourceRecord } from "../../../src/wire/record.ts";
import { Epochs } from "../../../src/zone/image/epochs.ts";
import { ImageError, ZoneImage } from "../../../src/zone/image/image.ts";
import { UNIT } from "../../../src/zone/image/layout.ts";
import { ImageHeap } from "../../../src/zone/image/heap.ts";
import { allocateImageBuffer, ImageMemory } from "../../../src/zone/image/memory.ts";
import { ImageReader } from "../../../src/zone/image/reader.ts";
import { soaRecord, ZoneModel } from "../../support/model.ts";
import { Random } from "../../support/mutate.ts";
import { SEED } from "../../support/zones.ts";

const APEX = Name.parse("example.");

function host(text: string, value: number): ResourceRecord {
  return record(Name.parse(text), RrType.A, 60, Uint8Array.of(192, 0, 2, value));
}

/** A name in one of its versions: the version stands in an A record and in as many TXT records as it calls for. */
function versioned(name: Name, version: number): ResourceRecord[] {
  const octets = [version >> 24, version >> 16, version >> 8, version];
  const count = 1 + (version % 5);
  return [
    record(name, RrType.A, 60, Uint8Array.from(octets)),
    ...Array.from({ length: count }, (_, i) => record(name, RrType.TXT, 60, Uint8Array.of(5, ...octets, i))),
  ];
}

describe("epochs", () => {
  test("a retired epoch is over once every reader that was in it has left", () => {
    const epochs = new Epochs();
    epochs.enter(0);
    const tag = epochs.advance();
    epochs.enter(1); // after the publication
    expect(epochs.isOver(tag)).toBe(false);
    epochs.leave(0);
    expect(epochs.isOver(tag)).toBe(true);
  });

  test.each([
    ["2^31", 0x7fff_fffe],
    ["2^32", -3],
  ])("the count goes on past %s: an old reader still counts, a new one does not", (_what, first) => {
    const epochs = new Epochs(undefined, first);
    epochs.enter(0);
    const tags = Array.from({ length: 6 }, () => epochs.advance());
    expect(tags).not.toContain(0);
    expect(tags.map((tag) => epochs.isOver(tag))).toEqual(tags.map(() => false));
    epochs.enter(1);
    epochs.leave(0);
    expect(tags.map((tag) => epochs.isOver(tag))).toEqual(tags.map(() => true));
    const last = epochs.advance();
    expect(epochs.isOver(last)).toBe(false);
  });

  test("other threads see the same count", () => {
    const epochs = new Epochs(undefined, 7);
    const other = new Epochs(epochs.buffer);
    other.enter(5);
    expect(epochs.isOver(epochs.advance())).toBe(false);
    other.leave(5);
    expect(epochs.advance()).toBe(8);
  });
});

describe("the heap", () => {
  test("no block lies across a length the buffer had: an old view that reaches its start reaches its end", () => {
    const memory = new ImageMemory(allocateImageBuffer());
    const heap = new ImageHeap(memory, new Epochs());
    const random = new Random(5);
    const lengths = new Set([memory.buffer.byteLength]);
    const blocks: [number, number][] = [];
    for (let i = 0; i < 5000; i++) {
      const units = ImageHeap.unitsFor(1 + random.below(i % 100 === 0 ? 50_000 : 2000));
      blocks.push([heap.allocate(units) * UNIT, units * UNIT]);
      lengths.add(memory.buffer.byteLength);
    }
    expect(lengths.size).toBeGreaterThan(3);
    for (const length of lengths) {
      expect(blocks.filter(([start, size]) => start < length && start + size > length)).toEqual([]);
    }
    const sorted = blocks.toSorted(([a], [b]) => a - b);
    expect(sorted.filter(([start], i) => i > 0 && sorted[i - 1]![0] + sorted[i - 1]![1] > start)).toEqual([]);
  });

  test("blocks come back only after their epoch, and none is handed out twice", () => {
    const epochs = new Epochs();
    const heap = new ImageHeap(new ImageMemory(allocateImageBuffer()), epochs);
    const first = heap.allocate(4);
    epochs.enter(0);
    heap.retire(first, 4);
    heap.publish();
    const second = heap.allocate(4);
    expect(second).not.toBe(first);
    epochs.leave(0);
    heap.publish();
    expect([heap.allocate(4), heap.allocate(4)]).toContain(first);
  });

  test("what goes while it is pinned is kept until the pin is let go; what went before is not", () => {
    const heap = new ImageHeap(new ImageMemory(allocateImageBuffer()), new Epochs());
    const [before, after] = [heap.allocate(4), heap.allocate(4)];
    heap.retire(before, 4);
    heap.publish();
    const pin = heap.pin();
    heap.retire(after, 4);
    heap.publish();
    expect(heap.allocate(4)).toBe(before);
    expect(heap.allocate(4)).not.toBe(after);
    pin.letGo();
    heap.publish();
    expect(heap.allocate(4)).toBe(after);
  });

  test("the oldest of pins that keep more than they may is let go, and no newer one", () => {
    const heap = new ImageHeap(new ImageMemory(allocateImageBuffer()), new Epochs());
    const megabyte = ImageHeap.unitsFor(2 ** 20);
    const renew = (times: number): void => {
      for (let i = 0; i < times; i++) {
        heap.retire(heap.allocate(megabyte), megabyte);
        heap.publish();
      }
    };
    const oldest = heap.pin();
    renew(40);
    const newer = heap.pin();
    expect([oldest.isHeld, newer.isHeld]).toEqual([true, true]);
    renew(40);
    expect([oldest.isHeld, newer.isHeld]).toEqual([false, true]);
    const used = heap.usedBytes;
    renew(1000);
    expect(newer.isHeld).toBe(false);
    expect(heap.usedBytes).toBeLessThan(used * 2);
  });

  test("sizes are rounded up by at most a quarter, and the rounded size is its own rounding", () => {
    for (let octets = 1; octets < 200_000; octets += 37) {
      const units = ImageHeap.unitsFor(octets);
      expect(units * UNIT).toBeGreaterThanOrEqual(octets);
      expect(units * UNIT).toBeLessThanOrEqual(Math.max(octets + UNIT, octets * 1.26));
      expect(ImageHeap.unitsFor(units * UNIT)).toBe(units);
    }
  });

  test("thousands of zones fit one process", () => {
    const images = Array.from({ length: 2000 }, (_, i) => ZoneImage.build(APEX, [soaRecord(APEX, i)], SEED));
    expect(images.at(-1)!.nodeCount).toBe(1);
  });
});

describe("building", () => {
  test("needs the SOA, and everything within the zone", () => {
    const a = record(Name.parse("a.example."), RrType.A, 60, Uint8Array.of(192, 0, 2, 1));
    expect(() => ZoneImage.build(APEX, [a], SEED)).toThrow(ImageError);
    const stray = record(Name.parse("a.test."), RrType.A, 60, Uint8Array.of(192, 0, 2, 1));
    expect(() => ZoneImage.build(APEX, [soaRecord(APEX, 1), stray], SEED)).toThrow(ImageError);
  });

  test("a reader attaches to an image and to nothing else", () => {
    expect(() => ImageReader.attach(new SharedArrayBuffer(1024))).toThrow("no zone image");
  });
});

describe("letter case", () => {
  test("an owner keeps the case it was first written in, and loses it with its last record", () => {
    const model = new ZoneModel(soaRecord(APEX, 1));
    const image = ZoneImage.build(APEX, [model.soa], SEED);
    const name = Name.parse("host.example.");
    const publish = (removed: ResourceRecord[], added: ResourceRecord[]): string => {
      const changeset = model.change(removed, added);
      image.publish([changeset]);
      model.apply(changeset);
      return image.storedName(name).toString();
    };
    expect(publish([], [host("Host.example.", 1)])).toBe("Host.example.");
    expect(publish([], [host("HOST.example.", 2)])).toBe("Host.example.");
    expect(publish([], [host("x.hOST.example.", 3)])).toBe("Host.example.");
  });

  test("an empty non-terminal has no case of its own", () => {
    const below = host("x.HOST.example.", 1);
    const image = ZoneImage.build(APEX, [soaRecord(APEX, 1), below], SEED);
    expect(image.storedName(Name.parse("hosT.example.")).toString()).toBe("hosT.example.");
    const model = new ZoneModel(soaRecord(APEX, 1), [below]);
    image.publish([model.change([], [host("Host.example.", 2)])]);
    expect(image.storedName(Name.parse("hosT.example.")).toString()).toBe("Host.example.");
  });
});

describe("threads", () => {
  test("a thread that reads while another writes never sees half a name, a freed block or a missing name", async () => {
    const epochs = new Epochs();
    const model = new ZoneModel(soaRecord(APEX, 1));
    // Names that stay but change, each with a version in two RRsets; and names that come and go around them.
    const steady = Array.from({ length: 20 }, (_, i) => Name.parse(`steady-${i}`, APEX));
    const image = ZoneImage.build(
      APEX,
      [model.soa, ...steady.flatMap((name) => versioned(name, 0))],
      SEED,
      epochs,
    );
    const control = new Int32Array(new SharedArrayBuffer(12));
    const worker = new Worker(new URL("./image-reader.ts", import.meta.url), {
      workerData: {
        image: image.buffer,
        epochs: epochs.buffer,
        control,
        seed: SEED,
        names: steady.map(({ wire }) => wire),
      },
      execArgv: [],
    });
    const ended = once(worker, "message");
    const failed = once(worker, "error").then(([error]) => Promise.reject(error as Error));
    failed.catch(() => undefined);
    while (Atomics.load(control, 0) === 0) await new Promise((resolve) => void setImmediate(resolve));

    const random = new Random(1);
    let { soa } = model;
    const current = steady.map(() => 0);
    const transient = new Map<number, ResourceRecord>();
    for (let version = 1; version <= 10_000; version++) {
      const i = random.below(steady.length);
      const soaAfter = soaRecord(APEX, version + 1);
      const removed = versioned(steady[i]!, current[i]!);
      const added = versioned(steady[i]!, version);
      current[i] = version;
      const k = random.below(5000);
      const there = transient.get(k);
      if (there === undefined) {
        const rdata = new Uint8Array(1 + random.below(200));
        const fresh = record(Name.parse(`t${k}.${k % 7}`, APEX), RrType.NULL, 60, rdata);
        transient.set(k, fresh);
        added.push(fresh);
      } else {
        transient.delete(k);
        removed.push(there);
      }
      image.publish(
        [model.change(removed, added, soaAfter)].map((set) => ({ ...set, soaBefore: soa, soaAfter })),
      );
      soa = soaAfter;
    }
    Atomics.store(control, 1, 1);
    const [report] = (await Promise.race([ended, failed])) as [{ reads: number; wrong: string[] }];
    expect(report.wrong).toEqual([]);
    expect(report.reads).toBeGreaterThan(1000);
    await worker.terminate();
  });
});
