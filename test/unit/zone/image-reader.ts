/** The reading thread of image.test.ts: looks names up as fast as it can, and checks that each is whole. */
import { parentPort, workerData } from "node:worker_threads";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Epochs } from "../../../src/zone/image/epochs.ts";
import type { HashSeed } from "../../../src/zone/image/hash.ts";
import { NameScratch } from "../../../src/zone/image/hash.ts";
import { RECORD_HEAD } from "../../../src/zone/image/layout.ts";
import { ImageReader, NOT_FOUND } from "../../../src/zone/image/reader.ts";

interface Data {
  readonly image: SharedArrayBuffer;
  readonly epochs: SharedArrayBuffer;
  /** [0] reading has begun, [1] stop. */
  readonly control: Int32Array;
  readonly seed: HashSeed;
  readonly names: readonly Uint8Array[];
}

const { image, epochs: epochsBuffer, control, seed, names } = workerData as Data;
const reader = ImageReader.attach(image);
const epochs = new Epochs(epochsBuffer);
const scratch = new NameScratch(seed);
const wrong: string[] = [];
let reads = 0;

/** The version in the first four octets of RDATA at `at` (after a length octet in TXT). */
function versionAt(at: number): number {
  const { u8 } = reader.memory;
  return (u8[at]! << 24) | (u8[at + 1]! << 16) | (u8[at + 2]! << 8) | u8[at + 3]!;
}

function check(wire: Uint8Array): string | undefined {
  scratch.load(wire, 0, wire.length);
  const node = reader.find(scratch, 0);
  if (node === NOT_FOUND) return "a name is missing";
  const { u32 } = reader.memory;
  const a = reader.findRrset(node, RrType.A);
  const txt = reader.findRrset(node, RrType.TXT);
  if (a === NOT_FOUND || txt === NOT_FOUND) return "an RRset is missing";
  const version = versionAt(node + u32[a / 4 + 2]! + RECORD_HEAD);
  if (u32[txt / 4]! >>> 16 !== 1 + (version % 5)) return `version ${version} has another version's TXT count`;
  const text = versionAt(node + u32[txt / 4 + 2]! + RECORD_HEAD + 1);
  return text === version ? undefined : `version ${version} beside ${text}`;
}

Atomics.store(control, 0, 1);
while (Atomics.load(control, 1) === 0 && wrong.length < 10) {
  epochs.enter(0);
  for (const wire of names) {
    const fault = check(wire);
    if (fault !== undefined) wrong.push(fault);
    reads++;
  }
  epochs.leave(0);
}
parentPort!.postMessage({ reads, wrong });
