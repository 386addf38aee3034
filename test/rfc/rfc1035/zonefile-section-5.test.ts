/** RFC 1035 §5, master files: entries, special characters, and the examples the RFCs give. */
import { describe, expect, test } from "vitest";
import { lines, parse, recordsOf, zoneText } from "../../support/zonefile.ts";

const HEAD = "$TTL 300\n";
/** The records of text below a `$TTL 300`, as lines relative to nothing. */
const read = (text: string): string[] => lines(recordsOf(HEAD + text));

describe("§5.1 entries", () => {
  const cases: [what: string, text: string, expected: string[]][] = [
    ["relative names get the origin", "a A 192.0.2.1", ["a.smb.example. 300 IN A 192.0.2.1"]],
    ["names that end in a dot do not", "a.example. A 192.0.2.1", ["a.example. 300 IN A 192.0.2.1"]],
    ["@ is the origin", "@ MX 5 @", ["smb.example. 300 IN MX 5 smb.example."]],
    ["the root as owner", ". NS a.", [". 300 IN NS a."]],
    ["case is kept", "FileServer A 192.0.2.1", ["FileServer.smb.example. 300 IN A 192.0.2.1"]],
    [
      "a blank start inherits the owner",
      "a A 192.0.2.1\n A 192.0.2.2\n\n; between\n\tA 192.0.2.3",
      [1, 2, 3].map((i) => `a.smb.example. 300 IN A 192.0.2.${i}`),
    ],
    ["TTL before class", "a 60 IN A 192.0.2.1", ["a.smb.example. 60 IN A 192.0.2.1"]],
    ["class before TTL", "a IN 60 A 192.0.2.1", ["a.smb.example. 60 IN A 192.0.2.1"]],
    ["TTL alone", "a 60 A 192.0.2.1", ["a.smb.example. 60 IN A 192.0.2.1"]],
    [
      "TTL and class without owner",
      "a A 192.0.2.1\n IN 300 A 192.0.2.2",
      [1, 2].map((i) => `a.smb.example. 300 IN A 192.0.2.${i}`),
    ],
    ["class and type in lower case", "a in a 192.0.2.1", ["a.smb.example. 300 IN A 192.0.2.1"]],
    ["CLASS1 is IN", "a CLASS1 A 192.0.2.1", ["a.smb.example. 300 IN A 192.0.2.1"]],
    ["time units", "a 1w2d3h4m5s A 192.0.2.1", ["a.smb.example. 788645 IN A 192.0.2.1"]],
    ["an owner that looks like a TTL", "10 A 192.0.2.1", ["10.smb.example. 300 IN A 192.0.2.1"]],
    ["an owner that looks like a type", "MX A 192.0.2.1", ["MX.smb.example. 300 IN A 192.0.2.1"]],
    ["an owner that looks like a class", "IN A 192.0.2.1", ["IN.smb.example. 300 IN A 192.0.2.1"]],
    [
      "Windows' ageing stamp is passed over",
      "a [AGE:3565432] 60 A 192.0.2.1",
      ["a.smb.example. 60 IN A 192.0.2.1"],
    ],
    [
      "Windows' line ends",
      "a A 192.0.2.1\r\n  A 192.0.2.2\r\n",
      [1, 2].map((i) => `a.smb.example. 300 IN A 192.0.2.${i}`),
    ],
    ["no line end at the end", "a A 192.0.2.1", ["a.smb.example. 300 IN A 192.0.2.1"]],
    ["an empty file", "", []],
    ["nothing but comments", "; a\n  ; b\n\n", []],
  ];
  test.each(cases)("%s", (_what, text, expected) => {
    expect(read(text)).toEqual(expected);
  });
});

describe("§5.1 special characters", () => {
  const cases: [what: string, text: string, expected: string[]][] = [
    ["a comment ends the entry", "a A 192.0.2.1;comment", ["a.smb.example. 300 IN A 192.0.2.1"]],
    ["parentheses join lines", "a MX ( 5 ; five\n\n b )", ["a.smb.example. 300 IN MX 5 b.smb.example."]],
    ["parentheses without blanks", "a MX(5\nb)", ["a.smb.example. 300 IN MX 5 b.smb.example."]],
    [
      "column 1 within parentheses is no owner",
      "a MX (\n5\nb\n)",
      ["a.smb.example. 300 IN MX 5 b.smb.example."],
    ],
    ["parentheses within parentheses", "a MX ((5)\nb)", ["a.smb.example. 300 IN MX 5 b.smb.example."]],
    ["parentheses before the type", "a ( 60\n IN ) A 192.0.2.1", ["a.smb.example. 60 IN A 192.0.2.1"]],
    ["quotes keep blanks and specials", 'a TXT "a b;(c)" "d"', ['a.smb.example. 300 IN TXT "a b;(c)" "d"']],
    ["quoted strings may touch", 'a TXT "a""b"', ['a.smb.example. 300 IN TXT "a" "b"']],
    ["an empty quoted string", 'a TXT ""', ['a.smb.example. 300 IN TXT ""']],
    ['\\" within quotes', String.raw`a TXT "a\"b\\"`, [String.raw`a.smb.example. 300 IN TXT "a\"b\\"`]],
    ["\\X without quotes", String.raw`a TXT a\ b\;c`, ['a.smb.example. 300 IN TXT "a b;c"']],
    ["\\DDD in strings", String.raw`a TXT \097\200`, [String.raw`a.smb.example. 300 IN TXT "a\200"`]],
    [
      "\\DDD in names",
      String.raw`\097\032b A 192.0.2.1`,
      [String.raw`a\032b.smb.example. 300 IN A 192.0.2.1`],
    ],
    [
      "a dot within a label",
      String.raw`a\.b A 192.0.2.1`,
      [String.raw`a\.b.smb.example. 300 IN A 192.0.2.1`],
    ],
    [
      "an owner that begins with a dollar",
      String.raw`\$a A 192.0.2.1`,
      [String.raw`\$a.smb.example. 300 IN A 192.0.2.1`],
    ],
    [
      "an owner that is an at sign",
      String.raw`\@ A 192.0.2.1`,
      [String.raw`\@.smb.example. 300 IN A 192.0.2.1`],
    ],
    ["text beyond ASCII is UTF-8", 'a TXT "Büro"', [String.raw`a.smb.example. 300 IN TXT "B\195\188ro"`]],
    [
      "quotes in SvcParams (RFC 9460 §2.1)",
      'a HTTPS 1 . alpn="h2,h3" port=8443',
      ['a.smb.example. 300 IN HTTPS 1 . alpn="h2,h3" port=8443'],
    ],
  ];
  test.each(cases)("%s", (_what, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test("a byte order mark is dropped", () => {
    const octets = new TextEncoder().encode("\uFEFFa 60 A 192.0.2.1");
    expect(lines(parse(octets).records)).toEqual(["a.smb.example. 60 IN A 192.0.2.1"]);
    expect(lines(parse("\uFEFFa 60 A 192.0.2.1").records)).toEqual(["a.smb.example. 60 IN A 192.0.2.1"]);
  });
});

describe("RFC 3597 §5 unknown types", () => {
  const cases: [text: string, expected: string][] = [
    [String.raw`a TYPE65280 \# 3 010203`, String.raw`a.smb.example. 300 IN TYPE65280 \# 3 010203`],
    [
      String.raw`a TYPE65280 \# 3 ( 01 02` + "\n03 )",
      String.raw`a.smb.example. 300 IN TYPE65280 \# 3 010203`,
    ],
    [String.raw`a TYPE65280 \# 0`, String.raw`a.smb.example. 300 IN TYPE65280 \# 0`],
    [String.raw`a TYPE1 192.0.2.1`, "a.smb.example. 300 IN A 192.0.2.1"],
    [String.raw`a type1 \# 4 c0000201`, "a.smb.example. 300 IN A 192.0.2.1"],
    [String.raw`a A \# 4 C0000201`, "a.smb.example. 300 IN A 192.0.2.1"],
    // Windows' own types are opaque, and printed so that other servers can read them.
    [String.raw`a TYPE65281 \# 4 01020304`, String.raw`a.smb.example. 300 IN TYPE65281 \# 4 01020304`],
  ];
  test.each(cases)("%s", (text, expected) => {
    expect(read(text)).toEqual([expected]);
  });
});

describe("the TTL of a record that states none", () => {
  const soa = "@ SOA ns h 1 3600 600 604800 30\n";
  const cases: [what: string, text: string, ttls: number[], warnings: number][] = [
    ["$TTL (RFC 2308 §4)", `$TTL 1h\n${soa}a 60 A 192.0.2.1\nb A 192.0.2.1`, [3600, 60, 3600], 0],
    ["a later $TTL holds from there", "$TTL 1h\na A 192.0.2.1\n$TTL 5\nb A 192.0.2.1", [3600, 5], 0],
    [
      "the last one stated (RFC 1035 §5.1)",
      "a 60 A 192.0.2.1\nb A 192.0.2.1\nc 5 A 192.0.2.1\nd A 192.0.2.1",
      [60, 60, 5, 5],
      1,
    ],
    ["the SOA's MINIMUM", `${soa}a A 192.0.2.1\nb A 192.0.2.1`, [30, 30, 30], 1],
  ];
  test.each(cases)("%s", (_what, text, ttls, warnings) => {
    const { records, problems } = parse(text);
    expect(records.map(({ ttl }) => ttl)).toEqual(ttls);
    expect(problems.map(({ code, severity }) => `${severity} ${code}`)).toEqual(
      Array.from({ length: warnings }, () => "warning ZONEFILE_TTL_ASSUMED"),
    );
  });

  test("none at all is an error", () => {
    expect(parse("a A 192.0.2.1").problems).toMatchObject([
      { code: "ZONEFILE_TTL", severity: "error", line: 1 },
    ]);
  });

  test("the caller's default holds until $TTL", () => {
    const { records, problems } = parse("a A 192.0.2.1\n$TTL 5\nb A 192.0.2.1", "smb.example.", {
      defaultTtl: 77,
    });
    expect(records.map(({ ttl }) => ttl)).toEqual([77, 5]);
    expect(problems).toEqual([]);
  });
});

describe("RFC 2181 §5 RRsets", () => {
  test("§5.2 TTLs that differ become that of the first", () => {
    const { records, problems } = parse("a 60 A 192.0.2.1\nb 5 A 192.0.2.1\nA 90 A 192.0.2.2\na 90 TXT x");
    expect(records.map(({ ttl }) => ttl)).toEqual([60, 5, 60, 90]);
    expect(problems).toMatchObject([{ code: "ZONEFILE_TTL_DIFFERS", severity: "warning", line: 3 }]);
  });

  test("§5 a record stands there once, whatever the case of its names", () => {
    const { records, positions, problems } = parse("$TTL 60\na NS b\nx A 192.0.2.1\nA NS B\na NS c");
    expect(lines(records)).toEqual([
      "a.smb.example. 60 IN NS b.smb.example.",
      "x.smb.example. 60 IN A 192.0.2.1",
      "a.smb.example. 60 IN NS c.smb.example.",
    ]);
    expect(problems).toMatchObject([{ code: "ZONEFILE_DUPLICATE", severity: "warning", line: 4 }]);
    expect(records.map((_, i) => positions.at(i).line)).toEqual([2, 3, 5]);
  });
});

describe("the zones RFCs give as examples", () => {
  test("RFC 1034 §6.1, the root zone", () => {
    const { records, problems, hasErrors } = parse(zoneText("rfc1034-section-6.1.zone"), ".");
    expect(hasErrors).toBe(false);
    expect(problems.map(({ code }) => code)).toEqual(["ZONEFILE_TTL_ASSUMED", "ZONEFILE_TTL_ASSUMED"]);
    expect(lines(records)).toEqual([
      ". 86400 IN SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400",
      ". 86400 IN NS A.ISI.EDU.",
      ". 86400 IN NS C.ISI.EDU.",
      ". 86400 IN NS SRI-NIC.ARPA.",
      "MIL. 86400 IN NS SRI-NIC.ARPA.",
      "MIL. 86400 IN NS A.ISI.EDU.",
      "EDU. 86400 IN NS SRI-NIC.ARPA.",
      "EDU. 86400 IN NS C.ISI.EDU.",
      "SRI-NIC.ARPA. 86400 IN A 26.0.0.73",
      "SRI-NIC.ARPA. 86400 IN A 10.0.0.51",
      "SRI-NIC.ARPA. 86400 IN MX 0 SRI-NIC.ARPA.",
      'SRI-NIC.ARPA. 86400 IN HINFO "DEC-2060" "TOPS20"',
      "ACC.ARPA. 86400 IN A 26.6.0.65",
      'ACC.ARPA. 86400 IN HINFO "PDP-11/70" "UNIX"',
      "ACC.ARPA. 86400 IN MX 10 ACC.ARPA.",
      "USC-ISIC.ARPA. 86400 IN CNAME C.ISI.EDU.",
      "73.0.0.26.IN-ADDR.ARPA. 86400 IN PTR SRI-NIC.ARPA.",
      "65.0.6.26.IN-ADDR.ARPA. 86400 IN PTR ACC.ARPA.",
      "51.0.0.10.IN-ADDR.ARPA. 86400 IN PTR SRI-NIC.ARPA.",
      "52.0.0.10.IN-ADDR.ARPA. 86400 IN PTR C.ISI.EDU.",
      "103.0.3.26.IN-ADDR.ARPA. 86400 IN PTR A.ISI.EDU.",
      "A.ISI.EDU. 86400 IN A 26.3.0.103",
      "C.ISI.EDU. 86400 IN A 10.0.0.52",
    ]);
  });

  test("§5.3, with the file it includes", () => {
    const asked: string[][] = [];
    const { records, positions, problems } = parse(zoneText("rfc1035-section-5.3.zone"), "ISI.EDU.", {
      include: (file, from) => {
        asked.push([file, from]);
        return zoneText("rfc1035-section-5.3-mailboxes.zone");
      },
    });
    expect(asked).toEqual([["<SUBSYS>ISI-MAILBOXES.TXT", "zone"]]);
    expect(problems.map(({ code }) => code)).toEqual(["ZONEFILE_TTL_ASSUMED"]);
    expect(lines(records)).toEqual([
      String.raw`ISI.EDU. 60 IN SOA VENERA.ISI.EDU. Action\.domains.ISI.EDU. 20 7200 600 3600000 60`,
      "ISI.EDU. 60 IN NS A.ISI.EDU.",
      "ISI.EDU. 60 IN NS VENERA.ISI.EDU.",
      "ISI.EDU. 60 IN NS VAXA.ISI.EDU.",
      "ISI.EDU. 60 IN MX 10 VENERA.ISI.EDU.",
      "ISI.EDU. 60 IN MX 20 VAXA.ISI.EDU.",
      "A.ISI.EDU. 60 IN A 26.3.0.103",
      "VENERA.ISI.EDU. 60 IN A 10.1.0.52",
      "VENERA.ISI.EDU. 60 IN A 128.9.0.32",
      "VAXA.ISI.EDU. 60 IN A 10.2.0.27",
      "VAXA.ISI.EDU. 60 IN A 128.9.0.33",
      "MOE.ISI.EDU. 60 IN MB A.ISI.EDU.",
      "LARRY.ISI.EDU. 60 IN MB A.ISI.EDU.",
      "CURLEY.ISI.EDU. 60 IN MB A.ISI.EDU.",
      "STOOGES.ISI.EDU. 60 IN MG MOE.ISI.EDU.",
      "STOOGES.ISI.EDU. 60 IN MG LARRY.ISI.EDU.",
      "STOOGES.ISI.EDU. 60 IN MG CURLEY.ISI.EDU.",
    ]);
    expect(positions.at(0)).toEqual({ file: "zone", line: 1 });
    expect(positions.at(16)).toEqual({ file: "<SUBSYS>ISI-MAILBOXES.TXT", line: 6 });
  });

  test("RFC 4592 §2.2.1, the wildcard zone", () => {
    const { records, problems } = parse(zoneText("rfc4592-section-2.2.1.zone"), "example.");
    expect(problems).toEqual([]);
    expect(records).toHaveLength(11);
    expect(lines(records)[5]).toBe('sub.*.example. 3600 IN TXT "this is not a wildcard"');
  });
});
