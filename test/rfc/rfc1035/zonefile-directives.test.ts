/** The directives of master files: RFC 1035 §5.1 ($ORIGIN, $INCLUDE), RFC 2308 §4 ($TTL), BIND's $GENERATE. */
import { describe, expect, test } from "vitest";
import { lines, parse, places, recordsOf } from "../../support/zonefile.ts";

const generated = (text: string): string[] => lines(recordsOf(`$TTL 60\n${text}`));
const owners = (text: string): string[] => recordsOf(`$TTL 60\n${text}`).map(({ name }) => name.toString());

describe("$ORIGIN", () => {
  test("absolute, relative to the one before, in any case", () => {
    const text =
      "$ORIGIN sub\na A 192.0.2.1\n$origin deep\na A 192.0.2.1\n$ORIGIN other.example.\n@ A 192.0.2.1\n$ORIGIN .\na A 192.0.2.1";
    expect(owners(text)).toEqual(["a.sub.smb.example.", "a.deep.sub.smb.example.", "other.example.", "a."]);
  });

  test("an inherited owner stays what it was", () => {
    expect(owners("a A 192.0.2.1\n$ORIGIN sub\n A 192.0.2.2\na A 192.0.2.1")).toEqual([
      "a.smb.example.",
      "a.smb.example.",
      "a.sub.smb.example.",
    ]);
  });

  test.each(["$ORIGIN", "$ORIGIN a b", "$ORIGIN a..b", "$ORIGIN " + "a".repeat(64)])(
    "%s is an error",
    (text) => {
      expect(parse(text).problems).toMatchObject([
        { code: "ZONEFILE_DIRECTIVE", severity: "error", line: 1 },
      ]);
    },
  );
});

describe("$TTL", () => {
  test.each(["$TTL", "$TTL x", "$TTL 2147483648", "$TTL -1", "$TTL 1 2"])("%s is an error", (text) => {
    expect(parse(text).problems).toMatchObject([{ code: "ZONEFILE_DIRECTIVE", severity: "error", line: 1 }]);
  });
});

describe("$INCLUDE", () => {
  const files: Record<string, string> = {
    plain: "b A 192.0.2.2\n$ORIGIN elsewhere.example.\nc A 192.0.2.3\n$TTL 5\n",
    inherits: "  A 192.0.2.9\n",
    loop: "$INCLUDE loop2\n",
    loop2: "$INCLUDE loop\n",
    faulty: "\nx A 192.0.2.300\n",
  };
  const include = (file: string): string => {
    const text = files[file];
    if (text === undefined) throw new Error("there is no such file");
    return text;
  };
  const read = (text: string) => parse(`$TTL 60\n${text}`, "smb.example.", { include });

  test("origin and owner are restored, $TTL goes on holding", () => {
    const { records, problems } = read("a A 192.0.2.1\n$INCLUDE plain\n AAAA 2001:db8::1\nd A 192.0.2.4");
    expect(problems).toEqual([]);
    expect(lines(records)).toEqual([
      "a.smb.example. 60 IN A 192.0.2.1",
      "b.smb.example. 60 IN A 192.0.2.2",
      "c.elsewhere.example. 60 IN A 192.0.2.3",
      "a.smb.example. 5 IN AAAA 2001:db8::1",
      "d.smb.example. 5 IN A 192.0.2.4",
    ]);
  });

  test("with an origin, relative to the one in force", () => {
    expect(lines(read("$INCLUDE plain sub").records)[0]).toBe("b.sub.smb.example. 60 IN A 192.0.2.2");
  });

  test("an included file may begin with a record that inherits its owner", () => {
    expect(lines(read("a A 192.0.2.1\n$INCLUDE inherits").records)[1]).toBe(
      "a.smb.example. 60 IN A 192.0.2.9",
    );
  });

  test("problems carry the file they are in, and the name the callback gives it", () => {
    expect(read("$INCLUDE faulty").problems).toMatchObject([
      { file: "faulty", line: 2, code: "ZONEFILE_RDATA" },
    ]);
    const named = parse("$INCLUDE faulty", "smb.example.", {
      include: (file) => ({ file: `/zones/${file}`, text: include(file) }),
    });
    expect(named.problems).toMatchObject([{ file: "/zones/faulty", line: 2 }]);
  });

  test("a file that cannot be read, and what follows it", () => {
    const { problems } = read("$INCLUDE nowhere\na A 192.0.2.300");
    expect(places(problems)).toEqual(["2:10 ZONEFILE_INCLUDE", "3:5 ZONEFILE_RDATA"]);
    expect(problems[0]!.message).toContain("there is no such file");
  });

  test("files that include each other are stopped", () => {
    expect(read("$INCLUDE loop").problems).toMatchObject([{ file: "loop2", code: "ZONEFILE_INCLUDE" }]);
  });

  test("depth is bounded", () => {
    let depth = 0;
    const { problems } = parse("$INCLUDE f0", "smb.example.", { include: () => `$INCLUDE f${++depth}\n` });
    expect(problems).toMatchObject([{ code: "ZONEFILE_INCLUDE", file: "f15" }]);
  });

  test("files that multiply are stopped", () => {
    let count = 0;
    const { hasErrors } = parse("$INCLUDE a\n", "smb.example.", {
      include: () => ({ file: `f${++count}`, text: "$INCLUDE a\n$INCLUDE b\n" }),
    });
    expect(hasErrors).toBe(true);
    expect(count).toBeLessThanOrEqual(10_000);
  });

  test("without a callback it is an error", () => {
    expect(parse("$INCLUDE plain").problems).toMatchObject([{ code: "ZONEFILE_INCLUDE" }]);
  });

  test("a quoted file name keeps its blanks", () => {
    const asked: string[] = [];
    parse('$INCLUDE "my zone.txt"\n$INCLUDE a\\ b', "smb.example.", {
      include: (file) => {
        asked.push(file);
        return "";
      },
    });
    expect(asked).toEqual(["my zone.txt", "a b"]);
  });
});

describe("$GENERATE", () => {
  const cases: [text: string, expected: string[]][] = [
    ["$GENERATE 1-3 host$ A 192.0.2.$", [1, 2, 3].map((i) => `host${i}.smb.example. 60 IN A 192.0.2.${i}`)],
    ["$GENERATE 0-6/3 h$ 5 IN A 192.0.2.$", [0, 3, 6].map((i) => `h${i}.smb.example. 5 IN A 192.0.2.${i}`)],
    ["$GENERATE 1-2 h$ IN 5 A 192.0.2.$", [1, 2].map((i) => `h${i}.smb.example. 5 IN A 192.0.2.${i}`)],
    ["$GENERATE 7-7 h${0,3} A 192.0.2.${10}", ["h007.smb.example. 60 IN A 192.0.2.17"]],
    ["$GENERATE 20-20 h${-10,2} A 192.0.2.${-19}", ["h10.smb.example. 60 IN A 192.0.2.1"]],
    [
      "$GENERATE 255-255 h${0,0,x}-${0,4,X}-${0,0,o}-${0,5,d} A 192.0.2.$",
      ["hff-00FF-377-00255.smb.example. 60 IN A 192.0.2.255"],
    ],
    ["$GENERATE 27-27 ${0,7,n}.x PTR h${0,3,N}", ["b.1.0.0.x.smb.example. 60 IN PTR hB.1.smb.example."]],
    [String.raw`$GENERATE 1-1 h$$\$$ A 192.0.2.$`, [String.raw`h\$\$1.smb.example. 60 IN A 192.0.2.1`]],
    ['$GENERATE 1-2 @ MX "$ mx$"', [1, 2].map((i) => `smb.example. 60 IN MX ${i} mx${i}.smb.example.`)],
    [
      "$GENERATE 1-2 _s$._tcp SRV 0 $ 445 h$",
      [1, 2].map((i) => `_s${i}._tcp.smb.example. 60 IN SRV 0 ${i} 445 h${i}.smb.example.`),
    ],
    ['$GENERATE 1-1 h TXT a "b $"', ['h.smb.example. 60 IN TXT "a" "b 1"']],
    ["$ORIGIN sub\n$GENERATE 1-1 h$ CNAME @", ["h1.sub.smb.example. 60 IN CNAME sub.smb.example."]],
  ];
  test.each(cases)("%s", (text, expected) => {
    expect(generated(text)).toEqual(expected);
  });

  test("the owner before it is inherited behind it", () => {
    expect(generated("a A 192.0.2.1\n$GENERATE 1-1 h$ A 192.0.2.$\n TXT x").at(-1)).toBe(
      'a.smb.example. 60 IN TXT "x"',
    );
  });

  const faults: [text: string, code: string][] = [
    ["$GENERATE", "ZONEFILE_DIRECTIVE"],
    ["$GENERATE 1-2 h$ A", "ZONEFILE_DIRECTIVE"],
    ["$GENERATE 2-1 h$ A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 1 h$ A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 1-2/0 h$ A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 0-99999999999 h$ A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 0-65536 h$ A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 1-2 h${ A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 1-2 h${0,1,q} A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 1-2 h${0,999} A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 1-2 h${-5} A 192.0.2.$", "ZONEFILE_GENERATE"],
    ["$GENERATE 1-2 h..$ A 192.0.2.$", "ZONEFILE_OWNER"],
    ["$GENERATE 254-300 h$ A 192.0.2.$", "ZONEFILE_RDATA"],
    ["$GENERATE 1-2 h$ CH A 192.0.2.$", "ZONEFILE_CLASS"],
    ["$GENERATE 1-2 h$ BOGUS 192.0.2.$", "ZONEFILE_TYPE"],
  ];
  test.each(faults)("%s is one error", (text, code) => {
    const { problems } = parse(`$TTL 60\n\n${text}\n`);
    expect(problems.map((problem) => [problem.code, problem.line])).toEqual([[code, 3]]);
  });
});

test("an unknown directive says which are known", () => {
  const { problems } = parse("$TTL 60\n$BOGUS x\na A 192.0.2.1\n");
  expect(places(problems)).toEqual(["2:1 ZONEFILE_DIRECTIVE"]);
  expect(problems[0]!.message).toContain("$ORIGIN, $TTL, $INCLUDE or $GENERATE was expected");
});
