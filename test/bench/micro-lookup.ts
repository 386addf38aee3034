/**
 * What one answer costs, without sockets: nanoseconds for a hit, a name error, an SRV with its addresses and a name that
 * a wildcard covers, a name with four addresses in turn and by place, in zones of two sizes; and octets of image a name takes.
 *
 *     node test/bench/micro-lookup.ts [HOSTS …]
 */
import { QueryAnswerer } from "../../src/protocol/query.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { record } from "../../src/wire/record.ts";
import { ZoneImage } from "../../src/zone/image/image.ts";
import { nearNetworks } from "../../src/zone/near.ts";
import { ZoneSet } from "../../src/zone/zone-set.ts";
import { soaRecord, ZoneModel } from "../support/model.ts";
import { queryOctets, SEED } from "../support/zones.ts";

const APEX = Name.parse("smb.example.");
/** Different questions asked in turn: more than the processor's caches hold of the larger zone. */
const QUESTIONS = 65_536;
const ROUNDS = 12;

function host(i: number): Name {
  return Name.parse(`host${i}`, APEX);
}

function* zone(hosts: number): Generator<ResourceRecord> {
  yield soaRecord(APEX, 1);
  const ns = Name.parse("ns1", APEX);
  yield record(APEX, RrType.NS, 3600, ns.wire);
  yield record(ns, RrType.A, 3600, Uint8Array.of(192, 0, 2, 53));
  yield record(Name.parse("*.apps", APEX), RrType.A, 60, Uint8Array.of(192, 0, 2, 60));
  const cap = Name.parse("cap", APEX);
  for (let i = 0; i < 4; i++) yield record(cap, RrType.A, 60, Uint8Array.of(10, 1, i, 1));
  const smb = Name.parse("_smb._tcp", APEX);
  for (let i = 0; i < 2; i++)
    yield record(smb, RrType.SRV, 60, Uint8Array.of(0, 0, 0, 0, 1, 189, ...host(i).wire));
  for (let i = 0; i < hosts; i++) {
    const name = host(i);
    yield record(name, RrType.A, 1200, Uint8Array.of(10, i >> 16, i >> 8, i));
    if (i % 4 === 0) yield record(name, RrType.AAAA, 1200, new Uint8Array(16));
  }
}

/** Processor time of this process so far, in nanoseconds: a busy machine does not blur it as it does the clock. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Nanoseconds an answer, the best of several rounds. */
function measure(answerer: QueryAnswerer, questions: readonly Uint8Array[]): number {
  const out = new Uint8Array(65_535);
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = cpu();
    for (const question of questions) answerer.answer(question, question.length, out, 1232, true);
    best = Math.min(best, (cpu() - start) / questions.length);
  }
  return best;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const sizes = process.argv.slice(2).map(Number);
for (const hosts of sizes.length > 0 ? sizes : [10_000, 1_000_000]) {
  const started = cpu();
  const image = ZoneImage.build(APEX, zone(hosts), SEED);
  const took = (cpu() - started) / 1e6;
  print(
    `${hosts.toLocaleString("en")} hosts: built in ${took.toFixed(0)} ms (${((took * 1000) / hosts).toFixed(2)} µs a host)`,
  );
  print(
    `  ${(image.usedBytes / image.nodeCount).toFixed(1)} octets a name in use, ${(image.buffer.byteLength / image.nodeCount).toFixed(1)} taken`,
  );
  const answerer = new QueryAnswerer(new ZoneSet(SEED, [{ apex: APEX, reader: image.reader }]), {
    identity: "",
  });
  const ipv4 = [
    { base: [0x0a01_0000], length: 16 },
    { base: undefined, length: 24 },
  ];
  const zones = new ZoneSet(SEED, [{ apex: APEX, reader: image.reader, near: nearNetworks(ipv4, []) }]);
  const byPlace = new QueryAnswerer(zones, { identity: "" });
  byPlace.client.setOctets(Uint8Array.of(10, 1, 2, 99), 0, 4);
  const ask = (name: (i: number) => Name, type: number, edns = true): Uint8Array[] =>
    Array.from({ length: QUESTIONS }, (_, i) => {
      // Far apart in the zone, so that neighbours in time are not neighbours in memory.
      const which = Number((BigInt(i) * 2_654_435_761n) % BigInt(hosts));
      return queryOctets(name(which), type, edns ? { edns: { payload: 1232 } } : {});
    });
  const cap = ask(() => Name.parse("cap", APEX), RrType.A);
  const rows: [what: string, questions: Uint8Array[], by?: QueryAnswerer][] = [
    ["A, found", ask(host, RrType.A)],
    ["A, found, no EDNS", ask(host, RrType.A, false)],
    ["AAAA, mostly no data", ask(host, RrType.AAAA)],
    ["A, name error", ask((i) => Name.parse(`gone${i}`, APEX), RrType.A)],
    ["SRV with addresses", ask(() => Name.parse("_smb._tcp", APEX), RrType.SRV)],
    ["A by a wildcard", ask((i) => Name.parse(`x${i}.apps`, APEX), RrType.A)],
    ["A, four in turn", cap],
    ["A, four by place", cap, byPlace],
    ["refused", ask((i) => Name.parse(`x${i}.elsewhere.test.`), RrType.A)],
  ];
  // All kinds before any is measured: a server's code has seen them all.
  for (const [, questions, by = answerer] of rows) measure(by, questions);
  for (const [what, questions, by = answerer] of rows)
    print(`  ${what.padEnd(24)} ${measure(by, questions).toFixed(0).padStart(6)} ns`);

  // A change as an update makes it: one address replaced.
  const model = new ZoneModel(image.soa);
  const changes = Array.from({ length: 20_000 }, (_, i) => {
    const owner = host((i * 37) % hosts);
    const before = image.rrset(owner, RrType.A)!;
    const changeset = model.change(
      [record(owner, RrType.A, before.ttl, before.rdatas[0]!)],
      [record(owner, RrType.A, before.ttl, Uint8Array.of(172, 16, i >> 8, i))],
    );
    model.soa = changeset.soaAfter;
    return changeset;
  }).slice(0, Math.min(20_000, hosts));
  const start = cpu();
  for (const change of changes) image.publish([change]);
  print(
    `  ${"publish one change".padEnd(24)} ${((cpu() - start) / changes.length).toFixed(0).padStart(6)} ns`,
  );
}
