/** A reading thread of the image's stress test: looks names up as fast as it can, and checks that each is whole. */
import { parentPort, workerData } from "node:worker_threads";
import { RrType } from "../../src/wire/iana/type.ts";
import type { Name } from "../../src/wire/name.ts";
import { Epochs } from "../../src/zone/image/epochs.ts";
import { NameScratch } from "../../src/zone/image/hash.ts";
import { RECORD_HEAD } from "../../src/zone/image/layout.ts";
import { ImageReader, NOT_FOUND } from "../../src/zone/image/reader.ts";
import { APEX, EMPTY, NEVER, PULSE, Shared, STEADY, textCount } from "./image-stress.ts";
import type { ReaderReport, ReaderStart } from "./image-stress.ts";

class Fault extends Error {}

class StressReader {
  readonly #reader: ImageReader;
  readonly #scratch: NameScratch;
  /** The newest generation seen of each steady name, and of the serial. */
  readonly #seen: number[] = STEADY.map(() => 0);
  #serial = 0;
  reads = 0;

  constructor({ image, seed }: ReaderStart) {
    this.#reader = ImageReader.attach(image);
    this.#scratch = new NameScratch(seed);
  }

  /** One look at every name. @throws Fault */
  round(): void {
    const serial = this.#serialOf(this.#reader.apex());
    if (serial < this.#serial) throw new Fault(`the serial went back from ${this.#serial} to ${serial}`);
    this.#serial = serial;
    const pulse = this.#generation(PULSE);
    if (pulse < serial) throw new Fault(`serial ${serial} before generation ${pulse} of what it stands for`);
    for (const [i, name] of STEADY.entries()) {
      const generation = this.#generation(name);
      if (generation < this.#seen[i]!)
        throw new Fault(`${name.toString()} went back from ${this.#seen[i]} to ${generation}`);
      this.#seen[i] = generation;
    }
    for (const name of EMPTY) {
      const node = this.#find(name);
      if (node === NOT_FOUND) throw new Fault(`${name.toString()} was missing`);
      if (this.#reader.rrsetCount(node) !== 0) throw new Fault(`${name.toString()} owns something`);
    }
    for (const name of NEVER) {
      if (this.#find(name) !== NOT_FOUND) throw new Fault(`${name.toString()} was there`);
    }
    if (this.#find(APEX) === NOT_FOUND) throw new Fault("the apex was missing");
  }

  #find({ wire }: Name): number {
    this.reads++;
    this.#scratch.load(wire, 0, wire.length);
    return this.#reader.find(this.#scratch, 0);
  }

  /** The generation that all records of a name are of. @throws Fault where they are not of one */
  #generation(name: Name): number {
    const node = this.#find(name);
    if (node === NOT_FOUND) throw new Fault(`${name.toString()} was missing`);
    const { u8 } = this.#reader.memory;
    const a = this.#rrset(name, node, RrType.A, 1);
    const generation = u32(u8, a + RECORD_HEAD);
    const srv = this.#rrset(name, node, RrType.SRV, 1);
    const expect = (what: string, found: number): void => {
      if (found !== generation)
        throw new Fault(`${name.toString()}: ${what} of ${found} beside ${generation}`);
    };
    expect("SRV", u32(u8, srv + RECORD_HEAD));
    const { wire } = name;
    for (let i = 0; i < wire.length; i++) {
      if (u8[srv + RECORD_HEAD + 6 + i] !== wire[i]) throw new Fault(`${name.toString()}: another's SRV`);
    }
    const count = textCount(generation);
    let at = this.#rrset(name, node, RrType.TXT, count);
    for (let i = 0; i < count; i++) {
      expect("TXT", u32(u8, at + RECORD_HEAD + 1));
      const index = (u8[at + RECORD_HEAD + 5]! << 8) | u8[at + RECORD_HEAD + 6]!;
      if (index !== i) throw new Fault(`${name.toString()}: TXT ${index} in the place of ${i}`);
      at += RECORD_HEAD + ((u8[at + 10]! << 8) | u8[at + 11]!);
    }
    // Still the same: the block was nobody else's meanwhile.
    expect("A, read again,", u32(u8, a + RECORD_HEAD));
    return generation;
  }

  /** Where an RRset's records begin. @throws Fault where it has not so many */
  #rrset(name: Name, node: number, type: number, count: number): number {
    const entry = this.#reader.findRrset(node, type);
    if (entry === NOT_FOUND) throw new Fault(`${name.toString()} has no RRset ${type}`);
    const { u32: words } = this.#reader.memory;
    const found = words[entry / 4]! >>> 16;
    if (found !== count) throw new Fault(`${name.toString()} has ${found} of type ${type}, not ${count}`);
    return node + words[entry / 4 + 2]!;
  }

  #serialOf(apex: number): number {
    const { u8, u32: words } = this.#reader.memory;
    const entry = this.#reader.findRrset(apex, RrType.SOA) / 4;
    const end = apex + words[entry + 2]! + words[entry + 3]!;
    return u32(u8, end - 20);
  }
}

function u32(u8: Uint8Array, at: number): number {
  return ((u8[at]! << 24) | (u8[at + 1]! << 16) | (u8[at + 2]! << 8) | u8[at + 3]!) >>> 0;
}

const start = workerData as ReaderStart;
const shared = new Int32Array(start.shared);
const epochs = new Epochs(start.epochs);
const reader = new StressReader(start);
const faults: string[] = [];
let rounds = 0;
Atomics.add(shared, Shared.BEGUN, 1);
Atomics.notify(shared, Shared.BEGUN);
while (Atomics.load(shared, Shared.STOP) === 0) {
  epochs.enter(start.reader);
  try {
    reader.round();
    rounds++;
  } catch (error) {
    faults.push(error instanceof Fault ? error.message : String((error as Error).stack));
    Atomics.store(shared, Shared.STOP, 1);
  }
  epochs.leave(start.reader);
}
parentPort!.postMessage({ rounds, reads: reader.reads, faults } satisfies ReaderReport);
