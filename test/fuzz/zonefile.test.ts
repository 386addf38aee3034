/**
 * Zone files that nobody meant to write: the parser never throws, always ends, and every record it lets through can be
 * printed and read again. Seeded, so that a failure can be repeated.
 */
import { expect, test } from "vitest";
import { Name } from "../../src/wire/name.ts";
import { checkRdata } from "../../src/wire/rdata/rdata.ts";
import { checkZone } from "../../src/zone/check.ts";
import { parseZone } from "../../src/zonefile/parser.ts";
import { printZone } from "../../src/zonefile/printer.ts";
import { zoneText } from "../support/zonefile.ts";

const ROUNDS = 4000;
const SEED = 20_250_701;

/** Mulberry32: small, and the same everywhere. */
function randomSource(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const corpus = [
  zoneText("rfc1034-section-6.1.zone"),
  zoneText("rfc1035-section-5.3.zone"),
  zoneText("rfc4592-section-2.2.1.zone"),
  '$TTL 1h\n$ORIGIN sub\n$GENERATE 1-20/3 h${0,3,x}-$ 60 IN A 192.0.2.${1}\n$INCLUDE a b\na TXT "x\\032\\"y" ( z ; c\n )\n',
  'a 60 HTTPS 1 . alpn="h2,h3" port=443 key65000="a b"\nb 5 LOC 1 2 3 N 4 5 6 E 7m\nc 5 TYPE65280 \\# 3 01 0203\nd 5 CAA 0 issue "x"\n',
  'e 5 NAPTR 1 2 "u" "s" "!^.*$!x!" .\nf 5 TLSA 3 1 1 00112233\ng 5 SSHFP 1 1 00\nh 5 DHCID AAAA\ni 5 URI 1 2 "x:y"\nj 5 RP a b\n',
  '"q" 5 A 192.0.2.1\n$$a 5 A 192.0.2.1\n\\# 5 A 192.0.2.1\n@ [AGE:12] 5 A 192.0.2.1\n',
];

const pieces = [
  "(",
  ")",
  '"',
  ";",
  "\\",
  "\n",
  "\r\n",
  "\r",
  "\t",
  " ",
  "@",
  "$",
  ".",
  "..",
  "*",
  "\u0000",
  "ü",
  "\uFEFF",
  "\uD800",
  "$INCLUDE x",
  "$GENERATE 1-9 $ A 192.0.2.$",
  "$GENERATE 0-65535 ${0,255,n} TXT $",
  "$ORIGIN .",
  "$ORIGIN a.b.c",
  "$TTL 0",
  "${",
  "${-1,9,X}",
  "\\000",
  "\\999",
  "\\#",
  "\\# 0",
  "\\# 65536 00",
  "TYPE65535",
  "CLASS255",
  "4294967296",
  "1w1d1h1m1s",
  "SOA",
  "NS",
  "SVCB",
  "alpn=",
  'a="',
  "x".repeat(64),
  "a.".repeat(130),
  "\n  ",
  "\n$",
  "IN",
  "[AGE:1]",
];

function mutate(text: string, random: (below: number) => number): string {
  let out = text;
  for (let edits = 1 + random(6); edits > 0; edits--) {
    const at = random(out.length + 1);
    switch (random(5)) {
      case 0:
        out = out.slice(0, at) + pieces[random(pieces.length)]! + out.slice(at);
        break;
      case 1:
        out = out.slice(0, at) + out.slice(at + 1 + random(12));
        break;
      case 2:
        out =
          out.slice(0, at) +
          String.fromCharCode(random(random(4) === 0 ? 0x10000 : 0x80)) +
          out.slice(at + 1);
        break;
      case 3: {
        const from = random(out.length + 1);
        out = out.slice(0, at) + out.slice(from, from + random(60)) + out.slice(at);
        break;
      }
      default:
        out = out.slice(0, at);
    }
  }
  return out;
}

test(`${ROUNDS} mutated zone files`, { timeout: 120_000 }, () => {
  const random = randomSource(SEED);
  const origin = Name.parse("smb.example.");
  let withRecords = 0;
  let withErrors = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const text = mutate(corpus[random(corpus.length)]!, random);
    const source =
      random(3) === 0 ? new TextEncoder().encode(text).subarray(0, 1 + random(text.length + 1)) : text;
    let included = 0;
    const { records, problems, hasErrors } = parseZone(source, {
      file: "zone",
      origin,
      include: () => (++included < 20 ? corpus[included % corpus.length]! : ""),
      maxProblems: 50,
    });
    expect(problems.length, `round ${round}`).toBeLessThanOrEqual(102);
    for (const { line, column, message } of problems) {
      expect(line > 0 && column > 0 && message !== "", `round ${round}: ${line}:${column} ${message}`).toBe(
        true,
      );
    }
    for (const { type, rdata } of records) checkRdata(type, rdata);
    checkZone(origin, records);
    const some = records.slice(0, 100);
    const again = parseZone([...printZone(origin, some)].join("\n"), { file: "again", origin });
    expect(again.problems, `round ${round}`).toEqual([]);
    expect(again.records.length, `round ${round}`).toBe(some.length);
    if (records.length > 0) withRecords++;
    if (hasErrors) withErrors++;
  }
  // The mutations must reach both sides, or the test says nothing.
  expect(withRecords).toBeGreaterThan(ROUNDS / 4);
  expect(withErrors).toBeGreaterThan(ROUNDS / 4);
});
