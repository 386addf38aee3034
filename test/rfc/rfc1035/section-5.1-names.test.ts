/** RFC 1035 §5.1 and §2.3.4: names as text. */
import { describe, expect, test } from "vitest";
import { Name, NameSyntaxError } from "../../../src/wire/name.ts";
import { toHex } from "../../support/rdata.ts";

const origin = Name.parse("Example.COM.");

describe("reading", () => {
  test.each([
    [".", "00"],
    ["a.", "016100"],
    ["a", "0161076578616d706c6503636f6d00"],
    ["@", "076578616d706c6503636f6d00"],
    ["\\@.", "014000"],
    ["a\\.b.", "03612e6200"],
    ["\\097.", "016100"],
    ["\\000\\255.", "0200ff00"],
    ["\\\\.", "015c00"],
    ["*.a.", "012a016100"],
    ["_smb._tcp.", "045f736d62045f74637000"],
  ])("%s", (text, wire) => {
    expect(toHex(Name.parse(text, Name.parse("example.com.")).wire)).toBe(wire);
  });

  test.each([
    ["", /empty/],
    ["..", /empty label/],
    ["a..b", /empty label/],
    [".a", /empty label/],
    ["a\\", /backslash/],
    ["a\\25", /not an octet/],
    ["a\\256.", /not an octet/],
    ["bücher.example.", /xn--/],
    ["漢字.", /xn--/],
    [`${"a".repeat(64)}.`, /63 octets/],
    ["a.".repeat(128), /255 octets/],
  ])("%j is refused", (text, message) => {
    expect(() => Name.parse(text, origin)).toThrow(NameSyntaxError);
    expect(() => Name.parse(text, origin)).toThrow(message);
  });

  test("the longest label and the longest name are accepted", () => {
    expect(Name.parse(`${"a".repeat(63)}.`).wire).toHaveLength(65);
    expect(Name.parse("a.".repeat(127)).wire).toHaveLength(255);
  });
});

describe("printing", () => {
  test.each([
    [".", "."],
    ["a.b.", "a.b."],
    ["A.b.", "A.b."],
    ["a\\.b.", "a\\.b."],
    ["\\032.", "\\032."],
    ['\\;\\(\\)\\@\\$\\"\\\\.', '\\;\\(\\)\\@\\$\\"\\\\.'],
    ["\\127\\200.", "\\127\\200."],
  ])("%s", (text, printed) => {
    expect(Name.parse(text).toString()).toBe(printed);
  });

  test.each([
    ["Example.com.", "@"],
    ["www.EXAMPLE.com.", "www"],
    ["a.b.example.com.", "a.b"],
    ["example.net.", "example.net."],
    ["badexample.com.", "badexample.com."],
    ["com.", "com."],
  ])("%s below Example.COM. is %s", (text, relative) => {
    expect(Name.parse(text).toRelative(origin)).toBe(relative);
  });
});
