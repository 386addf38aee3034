/** The zone image holds what a plain map holds, whatever happens to it, and its answers are those of the plain algorithm. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Rcode } from "../../src/wire/iana/code.ts";
import { RrType, typeToText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { record } from "../../src/wire/record.ts";
import { Epochs } from "../../src/zone/image/epochs.ts";
import { ImageError, ZoneImage } from "../../src/zone/image/image.ts";
import { ImageReader, NOT_FOUND } from "../../src/zone/image/reader.ts";
import { NameScratch } from "../../src/zone/image/hash.ts";
import type { Message } from "../../src/wire/message.ts";
import { changesetOf, history, recordToLine, soaRecord, type Wish, ZoneModel } from "../support/model.ts";
import { Random } from "../support/mutate.ts";
import { type PlainAnswer, PlainResolver } from "../support/resolver.ts";
import { SEED, Served } from "../support/zones.ts";

const APEX = Name.parse("Example.");

function imageOfModel(model: ZoneModel): ZoneImage {
  return ZoneImage.build(model.apex, [model.soa, ...model.records.values()], SEED);
}

/** Every name that exists: owners, and the empty non-terminals above them. */
function namesOf(model: ZoneModel): Map<string, Name> {
  const names = new Map<string, Name>([[model.apex.key, model.apex]]);
  for (const { name: owner } of model.records.values()) {
    for (let name = owner; !name.equals(model.apex); name = name.parent!) names.set(name.key, name);
  }
  return names;
}

/** An image's records at a name, as sorted lines. */
function linesAt(image: ZoneImage, name: Name): string[] {
  const owner = image.storedName(name);
  return image
    .rrsets(name)
    .flatMap(({ type, ttl, rdatas }) => rdatas.map((rdata) => recordToLine(record(owner, type, ttl, rdata))))
    .toSorted();
}

/** Holds an image against its model, at every name of the model and at those of `others`. */
function expectSame(
  image: ZoneImage,
  model: ZoneModel,
  others: readonly Name[],
  reader = image.reader,
): void {
  const all = [model.soa, ...model.records.values()];
  const byName = Map.groupBy(all, (rr) => rr.name.key);
  const names = namesOf(model);
  const scratch = new NameScratch(SEED);
  for (const name of [...names.values(), ...others]) {
    const expected = (byName.get(name.key) ?? []).map(recordToLine).toSorted();
    expect(linesAt(image, name)).toEqual(expected);
    scratch.load(name.wire, 0, name.wire.length);
    expect(reader.find(scratch, 0) !== NOT_FOUND).toBe(names.has(name.key));
  }
  expect(image.recordCount).toBe(all.length);
  expect(image.nodeCount).toBe(names.size);
  expect(recordToLine(image.soa)).toBe(recordToLine(model.soa));
  const owners = (type: number): number =>
    [...byName.values()].filter((rrs) => rrs.some((rr) => rr.type === type)).length;
  const apexNs = all.some((rr) => rr.type === RrType.NS && rr.name.equals(model.apex)) ? 1 : 0;
  expect(reader.cuts).toBe(owners(RrType.NS) - apexNs);
  expect(reader.dnames).toBe(owners(RrType.DNAME));
  expect(reader.wildcards).toBe([...names.values()].filter((name) => name.isWildcard).length);
}

const mentioned = (wishes: readonly Wish[]): Name[] => wishes.map(({ owner }) => Name.parse(owner, APEX));

describe("image and model", () => {
  test("are the same after any row of changesets, published one by one or together", () => {
    fc.assert(
      fc.property(history, fc.boolean(), (rows, together) => {
        const model = new ZoneModel(soaRecord(APEX, 1));
        const image = imageOfModel(model);
        const watcher = ImageReader.attach(image.buffer);
        const changesets = [];
        for (const wishes of rows) {
          const changeset = changesetOf(model, wishes);
          model.apply(changeset);
          if (together) changesets.push(changeset);
          else {
            image.publish([changeset]);
            expectSame(image, model, mentioned(wishes), watcher);
          }
        }
        image.publish(changesets);
        expectSame(image, model, mentioned(rows.flat()), watcher);
        expect(image.recordCount).toBe(model.records.size + 1);
      }),
      { numRuns: 150 },
    );
  });

  test("are the same when built from records in any order", () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), (rows, order) => {
        const model = new ZoneModel(soaRecord(APEX, 1));
        for (const wishes of rows) model.apply(changesetOf(model, wishes));
        const shuffled = [model.soa, ...model.records.values()]
          .map((rr) => ({ rr, key: order.next().value as number }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ rr }) => rr);
        const image = ZoneImage.build(APEX, shuffled, SEED);
        expectSame(image, model, []);
        expect(image.recordCount).toBe(shuffled.length);
      }),
      { numRuns: 100 },
    );
  });

  test("a changeset that does not fit changes nothing", () => {
    const model = new ZoneModel(soaRecord(APEX, 1));
    const image = imageOfModel(model);
    const [a, b, outside] = ["a.example.", "b.example.", "a.test."].map((name) =>
      record(Name.parse(name), RrType.A, 60, Uint8Array.of(192, 0, 2, 1)),
    );
    const first = model.change([], [a!]);
    model.apply(first);
    image.publish([first]);
    for (const wrong of [
      model.change([], [b!, a!]), // there already
      model.change([a!, b!], []), // not there
      model.change([], [b!, outside!]),
      { ...model.change([], [b!]), soaBefore: soaRecord(APEX, 9, 1) },
    ]) {
      expect(() => image.publish([wrong])).toThrow(ImageError);
      expectSame(image, model, [b!.name]);
    }
    const right = model.change([a!], [b!]);
    image.publish([right]);
    expectSame(image, model.apply(right), [a!.name]);
  });
});

describe("a long life", () => {
  /** Hosts that come and go at random, with one to four records of a few sizes each. */
  class Churn {
    readonly model = new ZoneModel(soaRecord(APEX, 1));
    readonly random: Random;
    readonly #byHost = new Map<number, ResourceRecord[]>();

    constructor(seed: number) {
      this.random = new Random(seed);
    }

    change(hosts: number): ReturnType<ZoneModel["change"]> {
      const host = this.random.below(hosts);
      const removed = this.#byHost.get(host) ?? [];
      const added: ResourceRecord[] = [];
      if (removed.length === 0 || this.random.below(2) === 0) {
        const name = Name.parse(
          `host-${host}.rack${host % 97}.${host % 3 === 0 ? "Deep.deeper." : ""}site`,
          APEX,
        );
        for (let i = this.random.below(4); i >= 0; i--) {
          added.push(record(name, RrType.A, 60, Uint8Array.of(10, i, this.random.below(256), 1)));
        }
        if (this.random.below(8) === 0)
          added.push(record(name, RrType.TXT, 60, new Uint8Array(1 + this.random.below(1400))));
      }
      this.#byHost.set(host, added);
      return this.model.change(removed, added);
    }
  }

  test("growing by thousands of names and shrinking to none keeps every name findable, then gone", () => {
    const model = new ZoneModel(soaRecord(APEX, 1));
    const image = imageOfModel(model);
    const watcher = ImageReader.attach(image.buffer);
    const hosts = Array.from({ length: 5000 }, (_, i) =>
      record(Name.parse(`h${i}.${i % 100}.net`, APEX), RrType.A, 60, Uint8Array.of(10, 0, i >> 8, i & 255)),
    );
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < hosts.length; i += 50) {
        const changeset = model.change([], hosts.slice(i, i + 50));
        model.apply(changeset);
        image.publish([changeset]);
      }
      expectSame(image, model, [], watcher);
      for (let i = 0; i < hosts.length; i += 50) {
        const changeset = model.change(hosts.slice(i, i + 50), []);
        model.apply(changeset);
        image.publish([changeset]);
      }
      expectSame(
        image,
        model,
        hosts.slice(0, 100).map(({ name }) => name),
        watcher,
      );
      expect(image.nodeCount).toBe(1);
    }
  });

  test("memory stays bounded under endless updates, and in proportion to what is held", () => {
    const churn = new Churn(7);
    const { model } = churn;
    const image = imageOfModel(model);
    const size: number[] = [];
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 5000; i++) {
        const changeset = churn.change(2000);
        model.apply(changeset);
        image.publish([changeset]);
      }
      size.push(image.buffer.byteLength);
    }
    expectSame(image, model, []);
    // 60,000 updates of 2,000 hosts: what the first rounds took serves all others.
    expect(size.at(-1)).toBe(size[5]);
    let octets = 0;
    for (const { name, rdata } of model.records.values()) octets += name.wire.length + rdata.length + 40;
    expect(image.usedBytes).toBeLessThan(octets * 2);
  });

  test("a reader that stays in an old epoch sees what it entered with, and holds memory only that long", () => {
    const churn = new Churn(11);
    const { model } = churn;
    const epochs = new Epochs();
    const image = ZoneImage.build(APEX, [model.soa], SEED, epochs);
    const host = record(Name.parse("kept", APEX), RrType.A, 60, Uint8Array.of(192, 0, 2, 1));
    const first = model.change([], [host]);
    model.apply(first);
    image.publish([first]);
    const watcher = ImageReader.attach(image.buffer);
    const scratch = new NameScratch(SEED);
    scratch.load(host.name.wire, 0, host.name.wire.length);
    epochs.enter(3);
    const node = watcher.find(scratch, 0);
    const before = watcher.memory.u8.slice(node, node + 64);
    for (let i = 0; i < 500; i++) {
      const changeset = i === 0 ? model.change([host], []) : churn.change(5);
      model.apply(changeset);
      image.publish([changeset]);
    }
    expect(watcher.memory.u8.slice(node, node + 64)).toEqual(before);
    expect(watcher.find(scratch, 0)).toBe(NOT_FOUND);
    const held = image.usedBytes;
    epochs.leave(3);
    image.publish([]);
    expect(image.usedBytes).toBeLessThan(held / 4);
  });
});

//------- Answers

const labels = fc.constantFrom("a", "b", "A", "*", "c", "sub");
const owners = fc
  .array(labels, { minLength: 0, maxLength: 4 })
  .map((parts) => parts.join("."))
  .chain((left) =>
    fc
      .constantFrom("example.", "sub.example.", "other.")
      .map((right) => (left === "" ? right : `${left}.${right}`)),
  );
const targets = fc.oneof(owners, fc.constantFrom("a.elsewhere.", "."));

/** One record of a kind that lookups care about. */
const records = fc.oneof(
  fc
    .tuple(owners, fc.integer({ min: 1, max: 4 }))
    .map(([owner, value]) => record(Name.parse(owner), RrType.A, 60, Uint8Array.of(192, 0, 2, value))),
  owners.map((owner) => record(Name.parse(owner), RrType.AAAA, 60, new Uint8Array(16))),
  fc
    .tuple(owners, fc.constantFrom(RrType.NS, RrType.CNAME, RrType.DNAME), targets)
    .map(([owner, type, target]) => record(Name.parse(owner), type, 60, Name.parse(target).wire)),
  fc
    .tuple(owners, targets)
    .map(([owner, target]) =>
      record(Name.parse(owner), RrType.MX, 60, Uint8Array.of(0, 10, ...Name.parse(target).wire)),
    ),
  fc
    .tuple(owners, targets)
    .map(([owner, target]) =>
      record(
        Name.parse(owner),
        RrType.SRV,
        60,
        Uint8Array.of(0, 0, 0, 0, 1, 189, ...Name.parse(target).wire),
      ),
    ),
);

const APEXES = ["example.", "sub.example.", "other.", "."].map((text) => Name.parse(text));

/** The records sorted into zones, as a store would hold them: one CNAME or DNAME a name, a CNAME alone, none twice. */
function zonesOf(
  all: readonly ResourceRecord[],
  apexes: readonly Name[],
): { apex: Name; records: ResourceRecord[] }[] {
  return apexes.map((apex) => {
    const kept = new Map<string, ResourceRecord>();
    const types = new Map<string, Set<number>>();
    const owned = all
      .filter((rr) => rr.name.isWithin(apex))
      .toSorted((a, b) => Number(b.type === RrType.CNAME) - Number(a.type === RrType.CNAME));
    for (const rr of [soaRecord(apex, 1), ...owned]) {
      const here = types.get(rr.name.key) ?? new Set();
      if (here.has(RrType.CNAME) || (rr.type === RrType.CNAME && here.size > 0)) continue;
      if (rr.type === RrType.DNAME && here.has(RrType.DNAME)) continue;
      types.set(rr.name.key, here.add(rr.type));
      kept.set(`${rr.name.key} ${rr.type} ${Buffer.from(rr.rdata).toString("latin1").toLowerCase()}`, rr);
    }
    return { apex, records: [...kept.values()] };
  });
}

/** Records as sorted lines, without case. */
function lines(rrs: readonly ResourceRecord[]): string[] {
  return rrs.map((rr) => recordToLine(rr).toLowerCase()).toSorted();
}

/** What of an answer is compared: everything but order, and the case that an owner takes over from the question. */
function comparable(answer: PlainAnswer): object {
  return {
    rcode: answer.rcode,
    authoritative: answer.authoritative,
    answers: lines(answer.answers),
    authorities: lines(answer.authorities),
    additionals: lines(answer.additionals),
  };
}

const ofMessage = ({ header, answers, authorities, additionals }: Message): PlainAnswer => ({
  rcode: header.rcode,
  authoritative: (header.flags & 0x0400) !== 0,
  answers,
  authorities,
  additionals,
});

const TYPES = [
  RrType.A,
  RrType.AAAA,
  RrType.NS,
  RrType.CNAME,
  RrType.DNAME,
  RrType.MX,
  RrType.SRV,
  RrType.SOA,
  RrType.DS,
  RrType.TXT,
];

describe("answers", () => {
  test("are those of the plain algorithm, for any zones and questions", () => {
    fc.assert(
      fc.property(
        fc.array(records, { minLength: 1, maxLength: 25 }),
        fc.subarray(APEXES, { minLength: 1 }),
        fc.array(fc.tuple(owners, fc.constantFrom(...TYPES)), { minLength: 20, maxLength: 40 }),
        (all, apexes, questions) => {
          const zones = zonesOf(all, apexes);
          const served = new Served(zones.map(({ apex, records: rrs }) => ZoneImage.build(apex, rrs, SEED)));
          const plain = new PlainResolver(zones);
          const targetsAsked = all.map(({ name }) => [name.toString(), RrType.A] as const);
          for (const [name, type] of [...questions, ...targetsAsked]) {
            const question = `${name} ${typeToText(type)}`;
            const expected = plain.answer(Name.parse(name), type);
            const got = ofMessage(served.ask(question, { tcp: true }));
            expect({ question, ...comparable(got) }).toEqual({ question, ...comparable(expected) });
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test("over UDP are the same, or fewer additional records, or TC", () => {
    fc.assert(
      fc.property(
        fc.array(records, { minLength: 10, maxLength: 60 }),
        fc.array(fc.tuple(owners, fc.constantFrom(...TYPES)), { minLength: 10, maxLength: 30 }),
        (all, questions) => {
          const zones = zonesOf(all, APEXES.slice(0, 2));
          const served = new Served(zones.map(({ apex, records: rrs }) => ZoneImage.build(apex, rrs, SEED)));
          for (const [name, type] of questions) {
            const question = `${name} ${typeToText(type)}`;
            const message = served.ask(question);
            if ((message.header.flags & 0x0200) !== 0) continue;
            const udp = comparable(ofMessage(message)) as { additionals: string[] };
            const tcp = comparable(ofMessage(served.ask(question, { tcp: true }))) as {
              additionals: string[];
            };
            expect({ ...udp, additionals: [] }).toEqual({ ...tcp, additionals: [] });
            expect(tcp.additionals).toEqual(expect.arrayContaining(udp.additionals));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test("the plain algorithm is not empty talk: the questions above meet every kind of answer", () => {
    const zones = zonesOf(fc.sample(records, { numRuns: 40, seed: 3 }), APEXES.slice(0, 3));
    const plain = new PlainResolver(zones);
    const kinds = new Set<string>();
    for (const name of fc.sample(owners, { numRuns: 300, seed: 4 })) {
      for (const type of TYPES) {
        const answer = plain.answer(Name.parse(name), type);
        kinds.add(`${answer.rcode} ${answer.authoritative} ${answer.answers.length > 0}`);
      }
    }
    kinds.add(`${plain.answer(Name.parse("x.test."), 1).rcode}`);
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        "0 true true",
        "0 true false",
        "0 false false",
        `${Rcode.NXDOMAIN} true false`,
        `${Rcode.REFUSED}`,
      ]),
    );
  });
});
