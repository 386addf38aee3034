/** RFC 1035 §4.1: the message, its header, names and compression, octet by octet. */
import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage, Flag, readHeader } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { hex, toHex } from "../../support/rdata.ts";

const header = (counts: string): string => `0001 0000 ${counts}`;
const question = "01 61 00 0001 0001"; // a. A IN, its name at octet 12

const twoQuestions = (second: string): string =>
  `${header("0002 0000 0000 0000") + question} ${second} 0001 0001`;

/** A question whose name is a label, `length` octets long in all, and a pointer to octet 12. */
const pointing = (length: number): string =>
  `${(length - 1).toString(16).padStart(2, "0")}${"62".repeat(length - 1)} c00c 0001 0001`;

/** What decoding gives: "ok" or the code of the fault. */
function outcome(text: string): unknown {
  try {
    decodeMessage(hex(text));
    return "ok";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

describe("§4.1.1 header", () => {
  test("is twelve octets, its fields where the RFC draws them", () => {
    expect(readHeader(hex("abcd ad83 0001 0002 0003 0004"))).toEqual({
      id: 0xabcd,
      flags: 0xad83,
      opcode: 5,
      rcode: 3,
      questionCount: 1,
      answerCount: 2,
      authorityCount: 3,
      additionalCount: 4,
    });
    expect(Flag.QR | Flag.AA | Flag.TC | Flag.RD | Flag.RA | Flag.AD | Flag.CD).toBe(0x87b0);
  });

  test.each(["", "00", "abcd ad83 0001 0002 0003 00"])("of fewer octets is refused: %j", (text) => {
    expect(outcome(text)).toBe("WIRE_SHORT");
  });
});

describe("§4.1 sections", () => {
  test.each([
    ["nothing but a header", header("0000 0000 0000 0000"), "ok"],
    ["one question", header("0001 0000 0000 0000") + question, "ok"],
    ["a question that is not there", header("0001 0000 0000 0000"), "WIRE_SHORT"],
    ["65535 questions that are not there", header("ffff ffff ffff ffff") + question, "WIRE_SHORT"],
    ["a question cut in its type", `${header("0001 0000 0000 0000")} 01 61 00 00`, "WIRE_SHORT"],
    ["an answer", `${header("0001 0001 0000 0000") + question} c00c 0001 0001 00000e10 0004 c0000201`, "ok"],
    [
      "RDLENGTH past the end",
      `${header("0001 0001 0000 0000") + question} c00c 0001 0001 00000e10 0005 c0000201`,
      "WIRE_SHORT",
    ],
    [
      "an A of three octets",
      `${header("0001 0001 0000 0000") + question} c00c 0001 0001 00000e10 0003 c00002`,
      "WIRE_RDATA",
    ],
    [
      "an A of five octets",
      `${header("0001 0001 0000 0000") + question} c00c 0001 0001 00000e10 0005 c000020101`,
      "WIRE_RDATA",
    ],
  ])("%s", (_, text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  test("octets after the last record are counted, not refused: some Windows servers send two", () => {
    expect(decodeMessage(hex(`${header("0001 0000 0000 0000") + question} 0000`)).trailing).toBe(2);
  });

  test("a TTL above 2^31-1 counts as 0 (RFC 2181 §8)", () => {
    const text = `${header("0001 0001 0000 0000") + question} c00c 0001 0001 80000000 0004 c0000201`;
    expect(decodeMessage(hex(text)).answers[0]!.ttl).toBe(0);
  });
});

describe("§4.1.4 compression", () => {
  test.each([
    ["a pointer to an earlier name", "c00c", "ok"],
    ["a label, then a pointer", "0162 c00c", "ok"],
    ["a pointer to the root label", "c00e", "ok"],
    ["a pointer to itself", "c013", "WIRE_NAME"],
    ["a pointer forwards", "c015", "WIRE_NAME"],
    ["a pointer behind the message", "ffff", "WIRE_NAME"],
    ["a loop by way of a label", "0162 c013", "WIRE_NAME"],
    ["half a pointer at the end", "c0", "WIRE_SHORT"],
    ["label type 01", "4161 00", "WIRE_NAME"],
    ["label type 10", "8161 00", "WIRE_NAME"],
  ])("%s", (_, second, expected) => {
    const text =
      expected === "WIRE_SHORT"
        ? `${header("0002 0000 0000 0000") + question} ${second}`
        : twoQuestions(second);
    expect(outcome(text)).toBe(expected);
  });

  test("a name of 255 octets is read, one of 256 is not, however it is written", () => {
    const label63 = `3f${"61".repeat(63)}`;
    const long = label63.repeat(3); // 192 octets
    const name = (last: number): string =>
      `${long}${(last - 1).toString(16).padStart(2, "0")}${"62".repeat(last - 1)}00`;
    expect(outcome(`${header("0001 0000 0000 0000") + name(62)} 0001 0001`)).toBe("ok");
    expect(outcome(`${header("0001 0000 0000 0000") + name(63)} 0001 0001`)).toBe("WIRE_NAME");
    // The same by a pointer: 62 octets of labels before the 193 of the first name fit, 63 do not.
    const first = `${header("0002 0000 0000 0000") + long}00 0001 0001`;
    expect(outcome(first + pointing(62))).toBe("ok");
    expect(outcome(first + pointing(63))).toBe("WIRE_NAME");
  });

  test("names in RDATA are compressed for RFC 1035's types, and expanded when read", () => {
    const name = Name.parse("ns.example.");
    const rr = { name: Name.parse("example."), type: RrType.NS, class: 1, ttl: 60, rdata: name.wire };
    const bytes = encodeMessage({ id: 1, flags: 0, rcode: 0, answers: [rr] });
    expect(toHex(bytes)).toBe(
      toHex(hex("0001 0000 0000 0001 0000 0000 076578616d706c6500 0002 0001 0000003c 0005 026e73c00c")),
    );
    expect(decodeMessage(bytes).answers[0]).toEqual(rr);
  });
});
