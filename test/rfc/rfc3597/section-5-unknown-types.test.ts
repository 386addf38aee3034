/** RFC 3597: unknown types kept as they are, and their text. */
import { describe, expect, test } from "vitest";
import { typeFromText, typeToText } from "../../../src/wire/iana/type.ts";
import { rdataKey, rdataNames, rdataToText, readRdata, writeRdata } from "../../../src/wire/rdata/rdata.ts";
import { WireReader } from "../../../src/wire/reader.ts";
import { Name } from "../../../src/wire/name.ts";
import { WireWriter } from "../../../src/wire/writer.ts";
import { hex, parseRdata, reprint, toHex, typeNumber } from "../../support/rdata.ts";

/** RDATA `before`, a pointer to `a.`, `after`, read from a message. */
function readPointer(type: string, before: string, after: string): string {
  const bytes = hex(`0161 00 ${before} c000 ${after}`);
  return toHex(readRdata(typeNumber(type), new WireReader(bytes, 3), bytes.length - 3));
}

const key = (type: string, text: string): string => rdataKey(typeNumber(type), parseRdata(type, text));

const found = (type: string, text: string): string[] =>
  rdataNames(typeNumber(type), parseRdata(type, text)).map(String);

describe("§5 text", () => {
  test.each([
    ["TYPE731", "\\# 6 abcdef 012345", "\\# 6 ABCDEF012345"],
    ["TYPE62347", "\\# 0", "\\# 0"],
    ["WINS", "\\# 3 010203", "\\# 3 010203"],
    ["A", "\\# 4 0A000001", "10.0.0.1"],
    ["NS", "\\# 3 01 61 00", "a."],
  ])("%s %s", (type, text, printed) => {
    expect(reprint(type, text)).toBe(printed);
  });

  test.each([
    ["TYPE731", "\\#", /length/],
    ["TYPE731", "\\# 1", /RDATA was expected/],
    ["TYPE731", "\\# 2 ab", /says 2 octets, and 1 follow/],
    ["TYPE731", "\\# 1 abc", /pairs/],
    ["TYPE731", "\\# 0 ab", /nothing may follow/],
    ["TYPE731", "\\# 65536 ab", /65535/],
    ["TYPE731", "abcd", /TYPE731 in the form/],
    ["A", "\\# 3 0a0000", /A RDATA that ends too early/],
    ["NS", "\\# 2 c000", /pointer/],
  ])("%s %s is refused", (type, text, message) => {
    expect(() => parseRdata(type, text)).toThrow(message);
  });

  test("type mnemonics and TYPEn", () => {
    expect(typeFromText("type1")).toBe(1);
    expect(typeFromText("TYPE65535")).toBe(65_535);
    expect(typeFromText("TYPE65536")).toBeUndefined();
    expect(typeFromText("NOSUCH")).toBeUndefined();
    expect(typeToText(731)).toBe("TYPE731");
  });
});

describe("§4 compression", () => {
  const owner = Name.parse("a.");

  test.each([
    ["NS", "", ""],
    ["MX", "0001", ""],
    ["SOA", "00", "00000001 00000001 00000001 00000001 00000001"],
    ["RP", "00", ""],
    ["AFSDB", "0001", ""],
    ["RT", "0001", ""],
    ["SIG", "000000000000000000000000000000000000", "ab"],
    ["PX", "0001 00", ""],
    ["NXT", "", "0001"],
    ["NAPTR", "0001 0001 00 00 00", ""],
    ["KX", "0001", ""],
    ["SRV", "0001 0001 0001", ""],
    ["DNAME", "", ""],
  ])("a compressed name in %s is expanded when read", (type, before, after) => {
    expect(readPointer(type, before, after)).toBe(toHex(hex(`${before} 0161 00 ${after}`)));
  });

  test.each([
    ["SVCB", "0001"],
    ["HTTPS", "0001"],
  ])("one in %s is refused", (type, before) => {
    expect(() => readPointer(type, before, "")).toThrow(expect.objectContaining({ code: "WIRE_NAME" }));
  });

  test("in an unknown type such octets are no pointer", () => {
    expect(readPointer("TYPE731", "", "")).toBe("c000");
  });

  test.each([
    ["NS", "a.", "c000"],
    ["CNAME", "b.a.", "0162c000"],
    ["MX", "1 a.", "0001c000"],
    ["SRV", "0 0 1 a.", "000000000001016100"],
    ["DNAME", "a.", "016100"],
    ["RP", "a. a.", "016100016100"],
    ["SVCB", "1 a.", "0001016100"],
  ])("%s %s is written as %s behind an owner a.", (type, text, wire) => {
    const writer = new WireWriter();
    writer.name(owner, true);
    writeRdata(typeNumber(type), parseRdata(type, text), writer);
    expect(toHex(writer.finish().subarray(3))).toBe(wire);
  });
});

describe("§6 comparison", () => {
  test("names of the listed types compare without case, all other octets with it", () => {
    for (const [type, lower, upper] of [
      ["NS", "ns.a.", "NS.A."],
      ["MX", "1 ns.a.", "1 NS.A."],
      ["SRV", "0 0 1 ns.a.", "0 0 1 NS.A."],
      ["SOA", "n.a. h.a. 1 1 1 1 1", "N.a. H.A. 1 1 1 1 1"],
      ["NAPTR", '1 1 "U" "x" "" a.', '1 1 "U" "x" "" A.'],
    ] as const) {
      expect(key(type, upper)).toBe(key(type, lower));
    }
    expect(key("TXT", "a")).not.toBe(key("TXT", "A"));
    expect(key("NAPTR", '1 1 "U" "x" "" a.')).not.toBe(key("NAPTR", '1 1 "u" "x" "" a.'));
    expect(key("SVCB", "1 a.")).not.toBe(key("SVCB", "1 A."));
    expect(rdataKey(731, hex("41"))).not.toBe(rdataKey(731, hex("61")));
  });

  test("the names found inside", () => {
    expect(found("SRV", "0 0 1 Host.a.")).toEqual(["Host.a."]);
    expect(found("SOA", "a. b. 1 1 1 1 1")).toEqual(["a.", "b."]);
    expect(found("HTTPS", "1 . port=1")).toEqual(["."]);
    expect(found("TXT", "a.")).toEqual([]);
    expect(rdataNames(731, hex("016100"))).toEqual([]);
    expect(rdataToText(731, hex("016100"))).toBe("\\# 3 016100");
  });
});
