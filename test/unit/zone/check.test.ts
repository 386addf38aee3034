/** What an import refuses and what it warns of. Errors are those of named-checkzone or nsd-checkzone. */
import { describe, expect, test } from "vitest";
import { Name } from "../../../src/wire/name.ts";
import { checkZone, checkZoneInSteps } from "../../../src/zone/check.ts";
import { parse, zoneText } from "../../support/zonefile.ts";

const HEAD = "$TTL 300\n@ SOA ns1 h 1 3600 600 604800 30\n@ NS ns1\nns1 A 192.0.2.1\n";

/** `severity code owner type` of each problem with a zone. */
function check(text: string, origin = "smb.example."): string[] {
  const { records, hasErrors, problems } = parse(text, origin);
  if (hasErrors) throw new Error(problems.map(({ message }) => message).join("\n"));
  return checkZone(Name.parse(origin), records).map(
    ({ severity, code, owner, type }) => `${severity} ${code} ${owner} ${type ?? "-"}`,
  );
}

describe("zones with nothing to complain of", () => {
  const cases: [what: string, text: string][] = [
    ["the least", ""],
    ["targets elsewhere", "@ NS ns.example.net.\n@ MX 1 mx.example.net.\n_a._tcp SRV 0 0 1 x.example.net."],
    ["a target by wildcard", "@ MX 1 any.w\n*.w A 192.0.2.3"],
    ["a target behind a delegation", "@ MX 1 a.sub\nsub NS ns.example.net."],
    ["no mail, no service (RFC 7505, RFC 2782)", "@ MX 0 .\n_a._tcp SRV 0 0 0 ."],
    ["a delegation with glue", "sub NS ns.sub\nns.sub A 192.0.2.9\nns.sub AAAA 2001:db8::9"],
    ["glue at the cut itself", "sub NS sub\nsub A 192.0.2.9"],
    ["glue of another delegation", "sub NS ns.other\nother NS ns.other\nns.other A 192.0.2.9"],
    ["a signed delegation", `sub NS ns.example.net.\nsub DS 1 8 2 ${"00".repeat(32)}`],
    ["a DNAME with other data", "d DNAME x.example.\nd A 192.0.2.3"],
    ["CNAMEs to anywhere", "a CNAME b\nb CNAME nowhere\nc CNAME x.example."],
    ["a wildcard CNAME", "*.w CNAME ns1"],
  ];
  test.each(cases)("%s", (_what, text) => {
    expect(check(HEAD + text)).toEqual([]);
  });

  test("the wildcard zone of RFC 4592 has one target without an address", () => {
    expect(check(zoneText("rfc4592-section-2.2.1.zone"), "example.")).toEqual([
      "warning ZONE_TARGET_NO_ADDRESS _ssh._tcp.host2.example. SRV",
    ]);
  });

  test("the root zone of RFC 1034 §6.1", () => {
    expect(check(zoneText("rfc1034-section-6.1.zone"), ".")).toEqual([]);
  });
});

describe("errors", () => {
  const soa = "$TTL 300\n@ SOA ns1 h 1 3600 600 604800 30\n";
  const cases: [what: string, text: string, expected: string[]][] = [
    ["no SOA", "$TTL 300\n@ NS ns1\nns1 A 192.0.2.1", ["ZONE_SOA_MISSING smb.example. -"]],
    ["two SOAs", `${HEAD}@ SOA ns1 h 2 3600 600 604800 30`, ["ZONE_SOA_MULTIPLE smb.example. SOA"]],
    [
      "an SOA below the apex",
      `${HEAD}x SOA ns1 h 1 3600 600 604800 30`,
      ["ZONE_SOA_MISPLACED x.smb.example. SOA"],
    ],
    ["no NS", `${soa}ns1 A 192.0.2.1`, ["ZONE_NS_MISSING smb.example. -"]],
    ["nothing at all", "", ["ZONE_SOA_MISSING smb.example. -", "ZONE_NS_MISSING smb.example. -"]],
    ["out of zone", `${HEAD}a.example. A 192.0.2.1`, ["ZONE_OUT_OF_ZONE a.example. A"]],
    [
      "out of zone, by a label's middle",
      `${HEAD}xsmb.example. A 192.0.2.1`,
      ["ZONE_OUT_OF_ZONE xsmb.example. A"],
    ],
    [
      "CNAME and other data",
      `${HEAD}a CNAME b\nA A 192.0.2.1\na TXT x`,
      ["ZONE_CNAME_AND_OTHER A.smb.example. A"],
    ],
    ["CNAME after other data", `${HEAD}a A 192.0.2.1\na CNAME b`, ["ZONE_CNAME_AND_OTHER a.smb.example. A"]],
    ["several CNAMEs", `${HEAD}a CNAME b\na CNAME c`, ["ZONE_CNAME_MULTIPLE a.smb.example. CNAME"]],
    ["several DNAMEs", `${HEAD}a DNAME b\na DNAME c`, ["ZONE_DNAME_MULTIPLE a.smb.example. DNAME"]],
    ["a DNAME at a cut", `${HEAD}a DNAME b\na NS ns1`, ["ZONE_DNAME_AND_NS a.smb.example. DNAME"]],
    [
      "data below a DNAME",
      `${HEAD}d DNAME x.example.\na.b.d A 192.0.2.1`,
      ["ZONE_BELOW_DNAME a.b.d.smb.example. A"],
    ],
    ["an NS without an address", `${HEAD}@ NS ns2`, ["ZONE_NS_NO_ADDRESS smb.example. NS"]],
    ["an NS that is an address", `${HEAD}@ NS 192.0.2.1`, ["ZONE_NS_NO_ADDRESS smb.example. NS"]],
    ["an NS that is an alias", `${HEAD}@ NS al\nal CNAME ns1`, ["ZONE_NS_ALIAS smb.example. NS"]],
    [
      "an NS that is an alias by wildcard",
      `${HEAD}@ NS al.w\n*.w CNAME ns1`,
      ["ZONE_NS_ALIAS smb.example. NS"],
    ],
    [
      "a wildcard does not reach a name that exists",
      `${HEAD}@ NS al\na.al A 192.0.2.1\n* A 192.0.2.1`,
      ["ZONE_NS_NO_ADDRESS smb.example. NS"],
    ],
  ];
  test.each(cases)("%s", (_what, text, expected) => {
    expect(check(text).filter((problem) => problem.startsWith("error"))).toEqual(
      expected.map((line) => `error ${line}`),
    );
  });
});

describe("warnings", () => {
  const cases: [what: string, text: string, expected: string[]][] = [
    ["an MX without an address", "@ MX 1 mx", ["ZONE_TARGET_NO_ADDRESS smb.example. MX"]],
    ["an MX that is an alias", "@ MX 1 mx\nmx CNAME ns1", ["ZONE_TARGET_ALIAS smb.example. MX"]],
    [
      "an SRV without an address",
      "_a._tcp SRV 0 0 1 x\nx TXT y",
      ["ZONE_TARGET_NO_ADDRESS _a._tcp.smb.example. SRV"],
    ],
    [
      "an SRV below a DNAME",
      "_a._tcp SRV 0 0 1 x.d\nd DNAME e",
      ["ZONE_TARGET_ALIAS _a._tcp.smb.example. SRV"],
    ],
    ["a delegation without glue", "sub NS ns.sub", ["ZONE_NS_NO_GLUE sub.smb.example. NS"]],
    [
      "a delegation to a host without an address",
      "sub NS nobody",
      ["ZONE_NS_NO_ADDRESS sub.smb.example. NS"],
    ],
    ["a delegation to an alias", "sub NS al\nal CNAME ns1", ["ZONE_NS_ALIAS sub.smb.example. NS"]],
    [
      "data below a cut",
      "sub NS ns.example.net.\nwww.sub A 192.0.2.1\nwww.sub TXT x",
      ["ZONE_OCCLUDED www.sub.smb.example. A"],
    ],
    ["data at a cut", "sub NS ns.example.net.\nsub TXT x", ["ZONE_OCCLUDED sub.smb.example. TXT"]],
    [
      "a cut below a cut",
      "sub NS ns.example.net.\na.sub NS ns.example.net.",
      ["ZONE_OCCLUDED a.sub.smb.example. NS"],
    ],
    [
      "a DS where nothing is delegated",
      `sub DS 1 8 2 ${"00".repeat(32)}`,
      ["ZONE_DS_WITHOUT_NS sub.smb.example. DS"],
    ],
    ["a wildcard NS", "*.w NS ns.example.net.", ["ZONE_WILDCARD_NS *.w.smb.example. NS"]],
    ["a wildcard DNAME", "*.w DNAME x.example.", ["ZONE_WILDCARD_DNAME *.w.smb.example. DNAME"]],
  ];
  test.each(cases)("%s", (_what, text, expected) => {
    expect(check(HEAD + text)).toEqual(expected.map((line) => `warning ${line}`));
  });

  const apexes: [what: string, soa: string, code: string][] = [
    ["MNAME without an address", "@ SOA nobody h 1 3600 600 604800 30", "ZONE_MNAME_NO_ADDRESS"],
    ["MNAME that is an alias", "al CNAME ns1\n@ SOA al h 1 3600 600 604800 30", "ZONE_MNAME_NO_ADDRESS"],
    ["EXPIRE below REFRESH", "@ SOA ns1 h 1 3600 600 4000 30", "ZONE_SOA_TIMES"],
    ["MINIMUM of a week", "@ SOA ns1 h 1 3600 600 604800 604800", "ZONE_SOA_TIMES"],
    ["TTL 0", "@ 0 SOA ns1 h 1 3600 600 604800 30", "ZONE_TTL_ZERO"],
  ];
  test.each(apexes)("%s", (_what, soa, code) => {
    expect(check(`$TTL 300\n${soa}\n@ NS ns1\nns1 A 192.0.2.1\n`)).toEqual([
      `warning ${code} smb.example. SOA`,
    ]);
  });

  test("an RRset that no answer can carry, its records apart from each other", () => {
    const text = "x".repeat(250);
    const lines = Array.from({ length: 250 }, (_, i) => `big TXT "${text}${i}"\nother${i} A 192.0.2.9`);
    expect(check(`${HEAD}${lines.slice(0, 240).join("\n")}`)).toEqual([]);
    expect(check(`${HEAD}${lines.join("\n")}`)).toEqual(["error ZONE_RRSET_TOO_LARGE big.smb.example. TXT"]);
  });

  test("an MNAME elsewhere cannot be judged", () => {
    expect(check("$TTL 300\n@ SOA x.example. h 1 3600 600 604800 30\n@ NS ns1\nns1 A 192.0.2.1")).toEqual([]);
  });
});

describe("the list", () => {
  test("has the place of each record where the parser knows it", () => {
    const { records, positions } = parse(`${HEAD}a A 192.0.2.1\na A 192.0.2.1\na CNAME b\n@ MX 1 nobody\n`);
    const problems = checkZone(Name.parse("smb.example."), records, { positions });
    expect(problems).toEqual([
      {
        code: "ZONE_CNAME_AND_OTHER",
        severity: "error",
        owner: "a.smb.example.",
        type: "A",
        message: "the name has a CNAME, which must be alone (RFC 1034 §3.6.2)",
        file: "zone",
        line: 5,
      },
      {
        code: "ZONE_TARGET_NO_ADDRESS",
        severity: "warning",
        owner: "smb.example.",
        type: "MX",
        message: "its target nobody.smb.example. has no A or AAAA",
        file: "zone",
        line: 8,
      },
    ]);
  });

  test("has an end", () => {
    const text = Array.from({ length: 20 }, (_, i) => `a${i}.example. A 192.0.2.1\n@ MX ${i} nobody\n`).join(
      "",
    );
    const problems = checkZone(Name.parse("smb.example."), parse(HEAD + text).records, { maxProblems: 2 });
    expect(problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "error ZONE_OUT_OF_ZONE",
      "error ZONE_OUT_OF_ZONE",
      "warning ZONE_TARGET_NO_ADDRESS",
      "warning ZONE_TARGET_NO_ADDRESS",
      "error ZONE_MORE",
      "warning ZONE_MORE",
    ]);
    expect(problems[4]!.message).toBe("18 more errors are not listed");
  });
});

test("a large zone is checked in steps, with the same result", () => {
  let text = `${HEAD}bad CNAME x\nbad A 192.0.2.1\n`;
  for (let i = 0; i < 8000; i++) text += `_s${i}._tcp SRV 0 0 1 h${i}\n`;
  const { records } = parse(text, "smb.example.");
  const apex = Name.parse("smb.example.");
  const checking = checkZoneInSteps(apex, records);
  const checked: number[] = [];
  let step = checking.next();
  for (; step.done !== true; step = checking.next()) checked.push(step.value);
  expect(checked.length).toBeGreaterThan(4);
  expect(checked).toEqual(checked.toSorted((a, b) => a - b));
  expect(checked.at(-1)).toBe(records.length);
  expect(step.value).toEqual(checkZone(apex, records));
  expect(step.value[0]).toMatchObject({ code: "ZONE_CNAME_AND_OTHER" });
});
