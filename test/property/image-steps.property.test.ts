/**
 * Every state of the image that a reader can meet while changesets are being published. A reader comes upon a change
 * through an atomic store alone, so the image is looked at after each of them, as another thread would look.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RrType, typeToText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { type ResourceRecord, record } from "../../src/wire/record.ts";
import { Epochs } from "../../src/zone/image/epochs.ts";
import { NameScratch } from "../../src/zone/image/hash.ts";
import { ZoneImage } from "../../src/zone/image/image.ts";
import { ENTRY_BYTES, Node, NodeFlag } from "../../src/zone/image/layout.ts";
import { ImageReader, NOT_FOUND } from "../../src/zone/image/reader.ts";
import { soaRecord, ZoneModel } from "../support/model.ts";
import { SEED } from "../support/zones.ts";

const APEX = Name.parse("example.");

/** What a name has: its RRsets as text; an empty non-terminal has the empty text. */
type Contents = ReadonlyMap<string, { readonly name: Name; readonly text: string }>;

/** Every name of a model, empty non-terminals among them. */
function contentsOf(model: ZoneModel): Contents {
  const contents = new Map<string, { name: Name; text: string }>();
  const byName = Map.groupBy([model.soa, ...model.records.values()], (rr) => rr.name.key);
  for (const [, records] of byName) {
    const owner = records[0]!.name;
    const text = records
      .map(({ type, rdata }) => `${typeToText(type)} ${Buffer.from(rdata).toString("hex")}`)
      .toSorted()
      .join(", ");
    contents.set(owner.key, { name: owner, text });
    for (let name = owner; !name.equals(APEX);) {
      name = name.parent!;
      if (!byName.has(name.key)) contents.set(name.key, { name, text: "" });
    }
  }
  return contents;
}

/** Another thread's eyes. */
class Watcher {
  readonly #scratch = new NameScratch(SEED);
  readonly #reader: ImageReader;

  constructor(image: ZoneImage) {
    this.#reader = ImageReader.attach(image.buffer);
  }

  /** What a name has, or undefined where it does not exist. */
  read(name: Name): string | undefined {
    const reader = this.#reader;
    this.#scratch.load(name.wire, 0, name.wire.length);
    const node = reader.find(this.#scratch, 0);
    if (node === NOT_FOUND) return undefined;
    const flags = reader.flags(node);
    if ((flags & NodeFlag.NS) !== 0 && (flags & NodeFlag.APEX) === 0 && reader.cuts < 1)
      return "a cut nobody counts";
    if ((flags & NodeFlag.DNAME) !== 0 && reader.dnames < 1) return "a DNAME nobody counts";
    if (name.isWildcard && reader.wildcards < 1) return "a wildcard nobody counts";
    return this.#readNode(node);
  }

  /** The apex by the short way, which negative answers go. It is swapped by a store of its own. */
  readApex(): string {
    return this.#readNode(this.#reader.apex());
  }

  #readNode(node: number): string {
    const reader = this.#reader;
    const lines: string[] = [];
    for (let i = 0; i < reader.rrsetCount(node); i++) {
      lines.push(...this.#readSet(node, (node + Node.DIRECTORY + i * ENTRY_BYTES) / 4));
    }
    return lines.toSorted().join(", ");
  }

  #readSet(node: number, entry: number): string[] {
    const { u8, u32 } = this.#reader.memory;
    const type = u32[entry]! & 0xffff;
    let at = node + u32[entry + 2]!;
    return Array.from({ length: u32[entry]! >>> 16 }, () => {
      const rdata = at + 12;
      at = rdata + ((u8[at + 10]! << 8) | u8[at + 11]!);
      return `${typeToText(type)} ${Buffer.from(u8.subarray(rdata, at)).toString("hex")}`;
    });
  }
}

/** Runs `change`, and `look` after every atomic store into the image's memory. */
function watched(image: ZoneImage, change: () => void, look: () => void): void {
  const { store } = Atomics;
  Atomics.store = ((array: Int32Array, index: number, value: number) => {
    const stored = store(array, index, value);
    if (array.buffer === image.buffer) look();
    return stored;
  }) as typeof Atomics.store;
  try {
    change();
  } finally {
    Atomics.store = store;
  }
}

/** What is wrong with what the watcher sees amid a change from one to the other. */
function faults(watcher: Watcher, before: Contents, after: Contents): string[] {
  const wrong: string[] = [];
  const apex = watcher.read(APEX);
  if (![before, after].some((contents) => contents.get(APEX.key)!.text === watcher.readApex()))
    wrong.push(`the apex has ${watcher.readApex()}`);
  const newSerial = apex === after.get(APEX.key)!.text && apex !== before.get(APEX.key)!.text;
  for (const { name } of new Map([...before, ...after]).values()) {
    const seen = watcher.read(name);
    const allowed = newSerial
      ? [after.get(name.key)?.text]
      : [before.get(name.key)?.text, after.get(name.key)?.text];
    // A name may be an empty non-terminal on its way to or from being nothing.
    if (allowed.includes(undefined) && seen === "") allowed.push("");
    if (!allowed.includes(seen)) wrong.push(`${name.toString()} has ${seen}, not ${allowed.join(" or ")}`);
    if (seen !== undefined && !name.equals(APEX) && watcher.read(name.parent!) === undefined)
      wrong.push(`${name.toString()} is there, and nothing above it`);
  }
  return wrong;
}

const OWNERS = ["a", "b", "a.b", "c.b", "*.b", "x.y.a.b", "x.y.c", "z.y.c", "@"];
const RDATA: readonly (readonly [type: number, rdata: Uint8Array])[] = [
  [RrType.A, Uint8Array.of(192, 0, 2, 1)],
  [RrType.A, Uint8Array.of(192, 0, 2, 2)],
  [RrType.TXT, new Uint8Array(300).fill(1)],
  [RrType.NS, Name.parse("ns.example.").wire],
  [RrType.DNAME, Name.parse("other.example.").wire],
];

/** A row of publications, each of one changeset or several, each of which turns some records over: there or not. */
const publications = fc.array(
  fc.array(
    fc.uniqueArray(fc.tuple(fc.constantFrom(...OWNERS), fc.nat(RDATA.length - 1)), {
      minLength: 1,
      maxLength: 10,
      selector: ([owner, which]) => `${owner} ${which}`,
    }),
    { minLength: 1, maxLength: 3 },
  ),
  { minLength: 1, maxLength: 6 },
);

test("a name is what it was or what it will be; one that stays is always there; the new serial comes last", () => {
  fc.assert(
    fc.property(publications, (rows) => {
      const model = new ZoneModel(soaRecord(APEX, 1));
      const image = ZoneImage.build(APEX, [model.soa], SEED, new Epochs());
      const watcher = new Watcher(image);
      for (const row of rows) {
        const before = contentsOf(model);
        const changesets = row.map((turned) => {
          const removed: ResourceRecord[] = [];
          const added: ResourceRecord[] = [];
          for (const [owner, which] of turned) {
            const [type, rdata] = RDATA[which]!;
            const name = owner === "@" ? APEX : Name.parse(owner, APEX);
            const rr = record(name, type, 60, rdata);
            (watchedHas(model, rr) ? removed : added).push(rr);
          }
          const changeset = model.change(removed, added);
          model.apply(changeset);
          return changeset;
        });
        const after = contentsOf(model);
        let looks = 0;
        const wrong: string[] = [];
        watched(
          image,
          () => image.publish(changesets),
          () => {
            looks++;
            wrong.push(...faults(watcher, before, after));
          },
        );
        expect(wrong).toEqual([]);
        expect(looks).toBeGreaterThan(0);
        expect(faults(watcher, after, after)).toEqual([]);
      }
    }),
    { numRuns: 400 },
  );
});

function watchedHas(model: ZoneModel, rr: ResourceRecord): boolean {
  return [...model.records.values()].some(
    ({ name, type, rdata }) =>
      name.equals(rr.name) && type === rr.type && Buffer.compare(rdata, rr.rdata) === 0,
  );
}

test("names that stay are there at every step of tables that grow and shrink and memory that grows", () => {
  const steady = Array.from({ length: 10 }, (_, i) =>
    record(Name.parse(`s${i}.${i % 3}.deep`, APEX), RrType.A, 60, Uint8Array.of(10, 0, 0, i)),
  );
  const model = new ZoneModel(soaRecord(APEX, 1), steady);
  const image = ZoneImage.build(APEX, [model.soa, ...steady], SEED, new Epochs());
  const watcher = new Watcher(image);
  const expected = contentsOf(new ZoneModel(model.soa, steady));
  const missing = new Set<string>();
  const lengths = new Set<number>();
  const look = (): void => {
    lengths.add(image.buffer.byteLength);
    for (const [, { name, text }] of expected) {
      if (name.equals(APEX)) continue;
      const seen = watcher.read(name);
      if (seen !== text) missing.add(`${name.toString()} has ${seen}`);
    }
  };
  for (let round = 0; round < 3; round++) {
    const passing = Array.from({ length: 700 }, (_, i) =>
      record(Name.parse(`p${round}-${i}.deep`, APEX), RrType.NULL, 60, new Uint8Array(1 + ((i * 37) % 900))),
    );
    for (const [removed, added] of [
      [[], passing],
      [passing, []],
    ] as const) {
      const changeset = model.change(removed, added);
      model.apply(changeset);
      watched(image, () => image.publish([changeset]), look);
    }
  }
  expect([...missing]).toEqual([]);
  expect(lengths.size).toBeGreaterThan(1);
});
