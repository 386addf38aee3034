/** RFC 8945 §4.2 and §5.1: the TSIG record as octets. */
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeMessage } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { tsigLength, writeTsig } from "../../../src/wire/tsig.ts";
import { WireWriter } from "../../../src/wire/writer.ts";
import { hex } from "../../support/rdata.ts";

const fields = {
  keyName: Name.parse("Key.example."),
  algorithm: Name.parse("hmac-sha256."),
  timeSigned: 0x1234_5678_9abc,
  fudge: 300,
  mac: hex("0102030405"),
  originalId: 0xabcd,
  error: 18,
  other: hex("000000000001"),
};

function withTsig(counts: [number, number], change: (writer: WireWriter) => void): Uint8Array {
  const question = { name: Name.parse("example."), type: 6, class: 1 };
  const writer = new WireWriter();
  writer.bytes(encodeMessage({ id: 1, flags: 0, rcode: 0, questions: [question] }));
  change(writer);
  writer.patchU16(6, counts[0]);
  writer.patchU16(10, counts[1]);
  return writer.finish();
}

function code(bytes: Uint8Array): unknown {
  try {
    decodeMessage(bytes);
    return "ok";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

test("what is written is read, with the place where it began", () => {
  const bytes = withTsig([0, 1], (writer) => writeTsig(writer, fields));
  const { tsig, additionals } = decodeMessage(bytes);
  expect(additionals).toEqual([]);
  expect(tsig).toEqual({ ...fields, start: 25 });
  expect(bytes.length - 25).toBe(tsigLength(fields.keyName, fields.algorithm, 5, 6));
});

const record = (rrClass: string, ttl: string, rdata: string): string =>
  `036b657900 00fa ${rrClass} ${ttl} ${(hex(rdata).length + 0x10000).toString(16).slice(1)} ${rdata}`;

describe("refused", () => {
  const a = "0161 00 0001 0001 00000000 0004 01020304";
  const rdata = "00 000000000001 012c 0001 aa 0001 0000 0000";
  test.each([
    ["well formed", record("00ff", "00000000", rdata), [0, 1], "ok"],
    ["a record behind it", record("00ff", "00000000", rdata) + a, [0, 2], "WIRE_TSIG"],
    [
      "a second one",
      record("00ff", "00000000", rdata) + record("00ff", "00000000", rdata),
      [0, 2],
      "WIRE_TSIG",
    ],
    ["in the answer section", record("00ff", "00000000", rdata), [1, 0], "WIRE_TSIG"],
    ["class IN", record("0001", "00000000", rdata), [0, 1], "WIRE_TSIG"],
    ["a TTL", record("00ff", "00000001", rdata), [0, 1], "WIRE_TSIG"],
    ["a TTL with the top bit", record("00ff", "80000000", rdata), [0, 1], "WIRE_TSIG"],
    [
      "a MAC longer than the record",
      record("00ff", "00000000", "00 000000000001 012c 00ff aa 0001 0000 0000"),
      [0, 1],
      "WIRE_RDATA",
    ],
    ["octets left", record("00ff", "00000000", `${rdata} 00`), [0, 1], "WIRE_RDATA"],
    ["empty RDATA", record("00ff", "00000000", ""), [0, 1], "WIRE_RDATA"],
  ] as const)("%s", (_, text, counts, expected) => {
    expect(code(withTsig([...counts], (writer) => writer.bytes(hex(text))))).toBe(expected);
  });
});
