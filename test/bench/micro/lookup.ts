/** Answers without sockets: a hit, no data, a name error, an SRV with its addresses, a wildcard, addresses in turn and by place, a refusal. */
import { QueryAnswerer } from "../../../src/protocol/query.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { nearNetworks } from "../../../src/zone/near.ts";
import { ZoneSet } from "../../../src/zone/zone-set.ts";
import { queryOctets, SEED } from "../../support/zones.ts";
import type { Step, Steps } from "./steps.ts";
import { APEX, hostName, hostZone } from "./zone.ts";

/** Different questions asked in turn: more than the processor's caches hold of the larger zone. */
const MOST_QUESTIONS = 65_536;
/** Questions for each name, where there are few. */
const ABOUT_EACH = 8;

/** @param hosts names in the zone, about */
export function lookupSteps(hosts: number): Steps {
  const count = Math.min(MOST_QUESTIONS, ABOUT_EACH * hosts);
  const image = hostZone(hosts);
  const answerer = new QueryAnswerer(new ZoneSet(SEED, [{ apex: APEX, reader: image.reader }]), {
    identity: "",
  });
  const networks = [
    { base: [0x0a01_0000], length: 16 },
    { base: undefined, length: 24 },
  ];
  const zones = new ZoneSet(SEED, [{ apex: APEX, reader: image.reader, near: nearNetworks(networks, []) }]);
  const byPlace = new QueryAnswerer(zones, { identity: "" });
  byPlace.client.setOctets(Uint8Array.of(10, 1, 2, 99), 0, 4);
  const ask = (name: (i: number) => Name, type: number, edns = true): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => {
      // Far apart in the zone, so that neighbours in time are not neighbours in memory.
      const which = Number((BigInt(i) * 2_654_435_761n) % BigInt(hosts));
      return queryOctets(name(which), type, edns ? { edns: { payload: 1232 } } : {});
    });
  const cap = ask(() => Name.parse("cap", APEX), RrType.A);
  const kinds: [what: string, questions: Uint8Array[], by?: QueryAnswerer][] = [
    ["A, found", ask(hostName, RrType.A)],
    ["A, found, no EDNS", ask(hostName, RrType.A, false)],
    ["AAAA, mostly no data", ask(hostName, RrType.AAAA)],
    ["A, name error", ask((i) => Name.parse(`gone${i}`, APEX), RrType.A)],
    ["SRV with addresses", ask(() => Name.parse("_smb._tcp", APEX), RrType.SRV)],
    ["A by a wildcard", ask((i) => Name.parse(`x${i}.apps`, APEX), RrType.A)],
    ["A, four in turn", cap],
    ["A, four by place", cap, byPlace],
    ["refused", ask((i) => Name.parse(`x${i}.elsewhere.test.`), RrType.A)],
  ];
  const out = new Uint8Array(65_535);
  const step = ([what, questions, by = answerer]: (typeof kinds)[number]): Step => ({
    name: `answer, ${hosts.toLocaleString("en-GB")} names: ${what}`,
    operations: count,
    pass: () => {
      for (const question of questions) by.answer(question, question.length, out, 1232, true);
    },
  });
  return { steps: kinds.map(step) };
}
