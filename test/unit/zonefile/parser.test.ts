/** The parser's two forms, and that work grows with the text and not faster. */
import { describe, expect, test } from "vitest";
import { Name } from "../../../src/wire/name.ts";
import { parseZone, parseZoneInSteps } from "../../../src/zonefile/parser.ts";
import { ZoneLexer } from "../../../src/zonefile/lexer.ts";
import { lines, parse } from "../../support/zonefile.ts";

const origin = Name.parse("smb.example.");

/** Entries as arrays of fields, and the faults. */
function cut(text: string): { entries: string[][]; faults: string[] } {
  const faults: string[] = [];
  const lexer = new ZoneLexer(text, (code, line, column) => faults.push(`${line}:${column} ${code}`));
  const entries: string[][] = [];
  while (lexer.next()) entries.push(Array.from({ length: lexer.count }, (_, i) => lexer.rawField(i)));
  return { entries, faults };
}

describe("parseZoneInSteps", () => {
  test("stops on the way, and ends with what parseZone returns", () => {
    let text = "$TTL 60\n";
    for (let i = 0; i < 6000; i++) text += `host${i} A 10.0.${i >> 8}.${i & 255}\n`;
    const steps = parseZoneInSteps(text, { file: "zone", origin });
    const seen: number[] = [];
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) seen.push(step.value);
    expect(seen).toEqual([1000, 2000, 3000, 4000, 5000, 6000]);
    expect(lines(step.value.records)).toEqual(lines(parseZone(text, { file: "zone", origin }).records));
  });
});

describe("records", () => {
  test("do not share octets that a later record could change", () => {
    const { records } = parse("$TTL 60\na A 192.0.2.1\nb A 192.0.2.2\na A 192.0.2.3\n");
    expect(records.map(({ rdata }) => [...rdata])).toEqual([1, 2, 3].map((i) => [192, 0, 2, i]));
    expect(records[0]!.name.equals(records[2]!.name)).toBe(true);
  });

  test("many of one RRset, in any order of names", () => {
    let text = "$TTL 60\n";
    for (let i = 0; i < 3000; i++)
      text += `${i % 2 === 0 ? "a" : "A"} A 10.0.${i >> 8}.${i & 255}\nb${i} A 192.0.2.1\n`;
    const { records, problems } = parse(text + text.slice(8));
    expect(records).toHaveLength(6000);
    expect(problems.every(({ code }) => code === "ZONEFILE_DUPLICATE" || code === "ZONEFILE_LIMIT")).toBe(
      true,
    );
  });

  test("long RDATA and long names", () => {
    const text = `$TTL 60\n${`${"x".repeat(60)}.`.repeat(3)}y TXT ${`"${"t".repeat(255)}" `.repeat(200)}\n`;
    const { records, problems } = parse(text);
    expect(problems).toEqual([]);
    expect(records[0]!.rdata).toHaveLength(256 * 200);
  });
});

describe("ZoneLexer", () => {
  test("a lone carriage return is a control character, one before a line feed or the end is not", () => {
    expect(cut("a b\r\nc\r")).toEqual({ entries: [["a", "b"], ["c"]], faults: [] });
    expect(cut("a\rb\n").faults).toEqual(["1:2 ZONEFILE_CHARACTER"]);
  });

  test("a backslash before the line end does not join lines", () => {
    expect(cut("a \\\nb").entries).toEqual([["a", "\\"], ["b"]]);
  });

  test("an open parenthesis is survived a few times, and then the file ends", () => {
    const { entries, faults } = cut("a (\nb\n".repeat(1000));
    expect(faults.slice(0, 2)).toEqual(["1:3 ZONEFILE_PARENTHESIS", "3:3 ZONEFILE_PARENTHESIS"]);
    expect(faults).toHaveLength(8);
    expect(entries.length).toBeLessThan(20);
  });
});
