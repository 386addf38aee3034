/** Zone files against the real programs: BIND reads a file as we do, and BIND, NSD and Knot load what we print. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Name } from "../../src/wire/name.ts";
import { checkZone } from "../../src/zone/check.ts";
import { printZone } from "../../src/zonefile/printer.ts";
import { describeWith } from "../support/peers.ts";
import { lines, parse, recordsOf, zoneText } from "../support/zonefile.ts";

const sample = (file: string): string =>
  readFileSync(new URL(`../../zones/${file}`, import.meta.url), "utf8");

const HEAD = "$TTL 300\n@ SOA ns1 h 1 3600 600 604800 30\n@ NS ns1\nns1 A 192.0.2.1\n";

/** Everything the text form has, in ways that invite a second reading. */
const everything = String.raw`$TTL 1h30m
@ IN SOA ns1 host\.master ( 1 2h
  3600 ; retry
  1w 30 )
  NS ns1
 NS ns2.example.net.
ns1 IN 60 A 192.0.2.1
 60 IN A 192.0.2.2
*.w TXT "a b" c\;d "q\"uo\092te" "\200" ""
svc SVCB 1 . alpn="h2,h3" port=853
x TYPE65280 \# 3 01 ( 02
03 )
y TYPE1 \# 4 C0000201
a\.b\@\$\(x\032y TXT x
$ORIGIN sub
@ AAAA 2001:db8::1
$GENERATE 1-3 h\${0,3}-$ A 192.0.2.$
$GENERATE 10-30/10 $ 300 IN PTR host\${-5,4,x}.\${0,7,n}.x.
$GENERATE 1-2 m MX "$ mx$.\${1}"
$GENERATE 254-256 p\${0,5,N}q\${0,0,o}-$$ TXT "$"
$TTL 7
last TXT unquoted \097b
`.replaceAll("\\${", "${");

const zones: readonly (readonly [origin: string, text: string])[] = [
  ["smb.example.", sample("smb.example.zone")],
  ["2.0.192.in-addr.arpa.", sample("2.0.192.in-addr.arpa.zone")],
  [".", zoneText("rfc1034-section-6.1.zone")],
  ["example.", zoneText("rfc4592-section-2.2.1.zone")],
  ["every.example.", everything],
];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rollcall-zonefile-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string): string {
  const file = join(folder, "zone");
  writeFileSync(file, text.endsWith("\n") ? text : `${text}\n`);
  return file;
}

function run(
  program: string,
  args: readonly string[],
): { status: number | null; said: string; stdout: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { status, said: stdout + stderr, stdout };
}

const printed = (origin: string, text: string): string =>
  [...printZone(Name.parse(origin), recordsOf(text, origin))].join("\n");

/** BIND's own checks of names and targets off: what is compared is how the text is read. */
const LENIENT = ["-k", "ignore", "-i", "none", "-n", "ignore", "-r", "ignore"];

describeWith(["named-compilezone", "named-checkzone"], "zone files and BIND", () => {
  test.each(zones)("%s is read alike", (origin, text) => {
    const form = ["-f", "text", "-F", "text", "-s", "full", "-o", "-"];
    const { status, stdout, said } = run("named-compilezone", [
      "-q",
      ...LENIENT,
      ...form,
      origin,
      write(text),
    ]);
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" });
    expect(lines(recordsOf(stdout, origin)).toSorted()).toEqual(lines(recordsOf(text, origin)).toSorted());
  });

  test.each(zones)("%s loads as we print it", (origin, text) => {
    const { status, said } = run("named-checkzone", [...LENIENT, origin, write(printed(origin, text))]);
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" });
  });

  const refused: readonly (readonly [what: string, text: string])[] = [
    ["no SOA", "$TTL 300\n@ NS ns1\nns1 A 192.0.2.1"],
    ["no NS", "$TTL 300\n@ SOA ns1 h 1 3600 600 604800 30\nns1 A 192.0.2.1"],
    ["two SOAs", `${HEAD}@ SOA ns1 h 2 3600 600 604800 30`],
    ["an SOA below the apex", `${HEAD}x SOA ns1 h 1 3600 600 604800 30`],
    ["CNAME and other data", `${HEAD}a CNAME b\na A 192.0.2.1`],
    ["several CNAMEs", `${HEAD}a CNAME b\na CNAME c`],
    ["several DNAMEs", `${HEAD}a DNAME b\na DNAME c`],
    ["an NS without an address", `${HEAD}@ NS ns2`],
    ["an NS that is an alias", `${HEAD}@ NS al\nal CNAME ns1`],
    ["an NS below a DNAME", `${HEAD}@ NS a.d\nd DNAME x.example.`],
    ["a class other than IN", `${HEAD}a CH A 192.0.2.1`],
    ["an unknown type", `${HEAD}a BOGUS x`],
    ["a bad address", `${HEAD}a A 192.0.2.256`],
    ["a field too many", `${HEAD}a A 192.0.2.1 x`],
    ["a label too long", `${HEAD}${"a".repeat(64)} A 192.0.2.1`],
    ["an open quote", `${HEAD}a TXT "x`],
    ["an open parenthesis", `${HEAD}a MX ( 1 ns1`],
    ["a parenthesis too many", `${HEAD}a MX 1 ns1 )`],
    ["an unknown directive", `${HEAD}$BOGUS x`],
    ["a TTL too large", `${HEAD}a 4294967296 A 192.0.2.1`],
    ["a meta type", `${HEAD}a ANY x`],
  ];
  test.each(refused)("refused by both: %s", (_what, text) => {
    expect(run("named-checkzone", ["smb.example", write(text)]).status).toBe(1);
    const { records, hasErrors } = parse(text);
    const severities = checkZone(Name.parse("smb.example."), records).map(({ severity }) => severity);
    expect(hasErrors || severities.includes("error")).toBe(true);
  });
});

describeWith(["nsd-checkzone"], "zone files and NSD", () => {
  test.each(zones)("%s loads as we print it", (origin, text) => {
    const { status, said } = run("nsd-checkzone", [origin, write(printed(origin, text))]);
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" });
  });
});

describeWith(["knotc"], "zone files and Knot", () => {
  test.each(zones)("%s loads as we print it", (origin, text) => {
    const config = join(folder, "knot.conf");
    const lines = [
      "database:",
      `  storage: ${folder}`,
      "zone:",
      `  - domain: ${origin}`,
      `    storage: ${folder}`,
    ];
    writeFileSync(
      config,
      [...lines, `    file: ${write(printed(origin, text))}`, "    semantic-checks: on", ""].join("\n"),
    );
    const { status, said } = run("knotc", ["-c", config, "-b", "zone-check", origin]);
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" });
  });
});
