/** What is wrong with a master file: every mistake, each with its place, what was expected and what was found. */
import { describe, expect, test } from "vitest";
import { lines, parse, places } from "../../support/zonefile.ts";

/** One mistake each, in the second line, with its column and a part of the message. */
const cases: [text: string, place: string, message: string][] = [
  ["a 60 BOGUS x", "6 ZONEFILE_TYPE", 'a class or record type was expected, and "BOGUS" was found'],
  ["a 60 IN BOGUS x", "9 ZONEFILE_TYPE", 'a record type was expected, and "BOGUS" was found'],
  ["a", "2 ZONEFILE_TYPE", "the record ends"],
  ["a IN", "5 ZONEFILE_TYPE", "the record ends"],
  ["a 192.0.2.1", "3 ZONEFILE_TTL", "is the type missing?"],
  ["a 1x A 192.0.2.1", "3 ZONEFILE_TTL", "a TTL such as 3600 or 1h30m"],
  ["a 2147483648 A 192.0.2.1", "3 ZONEFILE_TTL", "at most 2147483647"],
  ["a 60 60 A 192.0.2.1", "6 ZONEFILE_TTL", "a second TTL"],
  ["a IN IN A 192.0.2.1", "6 ZONEFILE_CLASS", "a second class"],
  ["a CH A 192.0.2.1", "3 ZONEFILE_CLASS", 'class IN was expected, and "CH" was found'],
  ["a CLASS4 A 192.0.2.1", "3 ZONEFILE_CLASS", "class IN was expected"],
  ["a ANY x", "3 ZONEFILE_TYPE", "no type that a zone can hold"],
  ["a OPT x", "3 ZONEFILE_TYPE", "no type that a zone can hold"],
  ["a TYPE0 x", "3 ZONEFILE_TYPE", "no type that a zone can hold"],
  ["a A 192.0.2.256", "5 ZONEFILE_RDATA", "an IPv4 address"],
  ["a A", "4 ZONEFILE_RDATA", "an IPv4 address"],
  ["a A 192.0.2.1 x", "15 ZONEFILE_RDATA", "the end of the A record"],
  ["a MX 5 a..b", "8 ZONEFILE_RDATA", "empty label"],
  ["a MX ten b", "6 ZONEFILE_RDATA", '"ten"'],
  ["a..b A 192.0.2.1", "3 ZONEFILE_OWNER", "empty label"],
  [`${"a".repeat(64)} A 192.0.2.1`, "64 ZONEFILE_OWNER", "63 octets"],
  ["bücher A 192.0.2.1", "2 ZONEFILE_OWNER", ""],
  ['a TXT "open', "7 ZONEFILE_QUOTE", `a closing '"' was expected`],
  ['a HTTPS 1 . alpn="h2', "18 ZONEFILE_QUOTE", `a closing '"' was expected`],
  ["a A 192.0.2.1 )", "15 ZONEFILE_PARENTHESIS", 'no "(" is open'],
  ["a A ( 192.0.2.1", "5 ZONEFILE_PARENTHESIS", "never closed"],
  ["a A 192.0.2.1\u0000", "14 ZONEFILE_CHARACTER", "0x00"],
  ["a\u0007b A 192.0.2.1", "2 ZONEFILE_CHARACTER", "0x07"],
];

describe("one mistake", () => {
  test.each(cases)("%j", (text, place, message) => {
    const { problems, hasErrors } = parse(`$TTL 60\n${text}\nz A 192.0.2.9\n`);
    expect(places(problems)).toEqual([`2:${place}`]);
    expect(problems[0]!.message).toContain(message);
    expect(problems[0]!.severity).toBe("error");
    expect(hasErrors).toBe(true);
  });

  test.each(cases)("what follows %j is read", (text) => {
    expect(lines(parse(`$TTL 60\n${text}\nz A 192.0.2.9\n`).records)).toContain(
      "z.smb.example. 60 IN A 192.0.2.9",
    );
  });
});

test("a first record without an owner", () => {
  const { problems, records } = parse("$TTL 60\n A 192.0.2.1\n A 192.0.2.2\nz A 192.0.2.9\n");
  expect(places(problems)).toEqual(["2:2 ZONEFILE_OWNER"]);
  expect(records).toHaveLength(1);
});

test("records that inherit a bad owner are checked, and not given to another", () => {
  const { problems, records } = parse(
    "$TTL 60\na A 192.0.2.1\nb..c A 192.0.2.2\n A 192.0.2.3\n A nonsense\n",
  );
  expect(places(problems)).toEqual(["3:3 ZONEFILE_OWNER", "5:4 ZONEFILE_RDATA"]);
  expect(lines(records)).toEqual(["a.smb.example. 60 IN A 192.0.2.1"]);
});

test("the place within parentheses is that of the field", () => {
  const { problems } = parse("$TTL 60\n@ SOA ns h (\n 1 ; serial\n 3600\n often\n 1w 30 )\nz A 1\n");
  expect(places(problems)).toEqual(["5:2 ZONEFILE_RDATA", "7:5 ZONEFILE_RDATA"]);
});

test("all mistakes of a file, in its order", () => {
  const { problems } = parse(
    '$TTL x\na 60 A 1\n$BOGUS\nb 60 TXT "\nc 60 CH A 192.0.2.1\nd 60 A (\ne 60 A 2\n',
  );
  expect(places(problems)).toEqual([
    "1:6 ZONEFILE_DIRECTIVE",
    "2:8 ZONEFILE_RDATA",
    "3:1 ZONEFILE_DIRECTIVE",
    "4:10 ZONEFILE_QUOTE",
    "5:6 ZONEFILE_CLASS",
    "6:8 ZONEFILE_PARENTHESIS",
    "7:8 ZONEFILE_RDATA",
  ]);
});

test("octets that are not UTF-8 are told once", () => {
  const octets = Uint8Array.from([...new TextEncoder().encode("a 60 TXT "), 0xfc, 0x0a, 0x62, 0x20]);
  expect(places(parse(octets).problems)[0]).toBe("1:10 ZONEFILE_ENCODING");
});

test("UTF-16 is an error, and not a zone of odd names", () => {
  const octets = Uint8Array.from(Buffer.from("\uFEFFa 60 A 192.0.2.1\r\n", "utf16le"));
  expect(parse(octets)).toMatchObject({ hasErrors: true, records: [] });
});

test("errors are listed up to a limit, and the last says so", () => {
  const { problems } = parse("a 60 A x\n".repeat(50), "smb.example.", { maxProblems: 3 });
  expect(problems).toHaveLength(4);
  expect(problems[3]).toMatchObject({ code: "ZONEFILE_LIMIT", severity: "error", line: 3 });
});

test("warnings are listed up to a limit, and the file is read to its end", () => {
  const text = `${"a 60 A 192.0.2.1\n".repeat(10)}b 60 A 192.0.2.2\n`;
  const { problems, records, hasErrors } = parse(text, "smb.example.", { maxProblems: 3 });
  expect(records).toHaveLength(2);
  expect(hasErrors).toBe(false);
  expect(problems.map(({ code }) => code)).toEqual([
    ...Array.from({ length: 3 }, () => "ZONEFILE_DUPLICATE"),
    "ZONEFILE_LIMIT",
  ]);
  expect(problems[3]!.message).toContain("6 more");
});
