/** Positions of keys and values in TOML text. */
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { locateToml } from "../../../src/config/toml-position.ts";
import type { TomlPath } from "../../../src/config/toml-position.ts";

const TEXT = `# a comment with = and [brackets]
plain = 1
"quoted key" = "# no comment"
dotted.'a.b'.c = true
multi = """
listen = "not a key"
""""
after = ''' it's '''
list = [ "x", # ] not the end
  [1, 2], { inner = "y", deep.er = 3 },
]
[table.sub]
key = 2026-01-01
[[zone]]
name = "one"
[[zone.update]]
net = "a"
[[zone.update]]
net = "b"
[[zone]]
name = "two"
update = [{ net = "c" }]
`;

const PLACES: readonly (readonly [TomlPath, string])[] = [
  [["plain"], "2:9"],
  [["quoted key"], "3:16"],
  [["dotted", "a.b", "c"], "4:18"],
  [["multi"], "5:9"],
  [["after"], "8:9"],
  [["list", 0], "9:10"],
  [["list", 1, 1], "10:7"],
  [["list", 2, "inner"], "10:21"],
  [["list", 2, "deep", "er"], "10:36"],
  [["table", "sub", "key"], "13:7"],
  [["zone", 0, "name"], "15:8"],
  [["zone", 0, "update", 0, "net"], "17:7"],
  [["zone", 0, "update", 1, "net"], "19:7"],
  [["zone", 1, "name"], "21:8"],
  [["zone", 1, "update", 0, "net"], "22:19"],
  [["zone", 1], "20:1"],
  [["zone", 1, "missing", "deeper"], "20:1"],
  [["nothing"], "1:1"],
];

describe("the value of a path", () => {
  const positions = locateToml(TEXT);
  test("the text is TOML", () => expect(parse(TEXT)["after"]).toBe(" it's "));
  test.each(PLACES)("%j stands at %s", (path, place) => {
    const { line, column } = positions.value(path);
    expect(`${line}:${column}`).toBe(place);
  });
  test("a key stands before its value", () =>
    expect(positions.key(["zone", 1, "name"])).toEqual({ line: 21, column: 1 }));
});
