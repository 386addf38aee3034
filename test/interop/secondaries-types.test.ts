/**
 * Records of every type on their way to BIND, Knot and NSD, by AXFR and by IXFR: all read the RDATA of types they know, so
 * that they would notice an octet out of place, and must take what they do not know as it is (RFC 3597).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RrType, typeToText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { record } from "../../src/wire/record.ts";
import { recordToText } from "../../src/zonefile/printer.ts";
import { typedRdata, zoneTypes } from "../support/arbitrary.ts";
import { freePort } from "../support/free-port.ts";
import { knotd } from "../support/knotd.ts";
import { named } from "../support/named.ts";
import { nsd } from "../support/nsd.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import type { SecondaryProgram } from "../support/secondary.ts";
import { Secondary, zoneLines } from "../support/secondary.ts";

const ZONE = "types.example";
/** Not SOA, which is there once; not NXT, whose bitmap BIND looks into; not NULL, which Knot wants to have an octet. */
const leftOut: readonly number[] = [RrType.SOA, RrType.NXT, RrType.NULL];
const generated = zoneTypes.filter((type) => !leftOut.includes(type));
const PER_TYPE = 4;

/** Types that are opaque to Rollcall and not to the others, so that the RDATA must be right. */
const byHand: readonly (readonly [type: string, rdata: string])[] = [
  ["NULL", "00"],
  ["WKS", "c0000201 06 0000004000000080"],
  ["KEY", "0100 03 08 0301000142"],
  ["CERT", "0001 1234 08 3082010203"],
  ["APL", "0001 18 03 c00002 0002 20 84 20010db8"],
  ["IPSECKEY", "0a 01 02 c0000226 010203040506"],
  ["IPSECKEY", "0a 03 02 02677707657861 6d706c6500 010203040506"],
  ["RRSIG", "0001 08 03 0000003c 6553f100 65000000 1234 05747970657307657861 6d706c6500 0102030405060708"],
  ["NSEC", "0474797065 076578616d706c6500 0006 400000000003"],
  // Its owner is a hash.
  ["NSEC3", "01 00 0000 02 abcd 14 000102030405060708090a0b0c0d0e0f10111213 0006 400000000003"],
  ["NXT", "0474797065076578616d706c6500 62000008"],
  ["NSEC3PARAM", "01 00 0000 02 abcd"],
  ["CSYNC", "00000042 0003 0004 60000008"],
  // Nobody's.
  ["TYPE731", "abcdef012345"],
  ["TYPE65534", ""],
];

function handLines(): string[] {
  return byHand.map(([type, hex], i) => {
    const digits = hex.replaceAll(" ", "");
    const owner = type === "NSEC3" ? "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" : `byhand${i}`;
    return `${owner} 60 IN ${type} \\# ${digits.length / 2} ${digits}`;
  });
}

/** A zone file with some records of each type. */
function zoneFile(serial: number, seed: number): string {
  const lines = generated.flatMap((type) => {
    const fixed = fc.sample(typedRdata([type]), { numRuns: PER_TYPE, seed: 1 });
    const [other] = fc.sample(typedRdata([type]), { numRuns: 1, seed });
    return [other!, ...fixed.slice(1)].map(({ rdata }, i) =>
      recordToText(record(Name.parse(`t${type}-${i}.${ZONE}.`), type, 300 + i, rdata)),
    );
  });
  return `${SMALL_ZONE.replace("hostmaster 1 ", `hostmaster ${serial} `)}${[...lines, ...handLines()].join("\n")}\n`;
}

for (const program of [named, knotd, nsd]) {
  describeWith([program.name, "dig"], `records of every type at ${program.name}`, () => suite(program));
}

function suite(program: SecondaryProgram): void {
  let primary: RollcallServer;
  let secondary: Secondary;

  beforeAll(async () => {
    const port = await freePort();
    primary = await RollcallServer.start({
      files: { "first.zone": zoneFile(1, 1) },
      config: `[[zone]]
name = "${ZONE}"
file = "first.zone"
notify = ["127.0.0.1:${port}"]
transfer = [{ net = "127.0.0.0/8" }]
`,
    });
    const at = { address: "127.0.0.1", port: primary.port };
    secondary = await Secondary.start(program, { primary: at, port, zones: [{ name: ZONE }] });
  });

  afterAll(async () => {
    await secondary?.remove();
    await primary?.remove();
  });

  test("RFC 5936, RFC 3597: by AXFR", async () => {
    await secondary.reaches(ZONE, 1);
    const lines = await zoneLines(secondary, ZONE, program.keepsCase);
    expect(lines).toEqual(await zoneLines(primary, ZONE, program.keepsCase));
    for (const type of generated) {
      const owners = lines.filter((line) => line.startsWith(`t${type}-`));
      expect([typeToText(type), owners.length]).toEqual([typeToText(type), PER_TYPE]);
    }
    expect(lines.filter((line) => line.includes(".types.example. 60 IN "))).toHaveLength(byHand.length);
  });

  test("RFC 1995, RFC 3597: by IXFR", async () => {
    const file = join(primary.directory, "second.zone");
    writeFileSync(file, zoneFile(2, 2));
    expect(await primary.cli("zone", "import", ZONE, file)).toMatchObject({ code: 0 });
    await secondary.reaches(ZONE, 2);
    const { kind } = await primary.logged(({ msg, to }) => msg === "transfer" && to === 2);
    expect(kind).toBe("ixfr");
    expect(await zoneLines(secondary, ZONE, program.keepsCase)).toEqual(
      await zoneLines(primary, ZONE, program.keepsCase),
    );
  });
}
