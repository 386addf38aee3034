/** RFC 2930 §2: the TKEY record as octets. */
import { expect, test } from "vitest";
import { decodeMessage, encodeMessage } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { readTkey, writeTkey } from "../../../src/wire/tkey.ts";
import { WireWriter } from "../../../src/wire/writer.ts";
import { hex } from "../../support/rdata.ts";

const fields = {
  keyName: Name.parse("1234.sig-host."),
  algorithm: Name.parse("gss-tsig."),
  inception: 1,
  expiration: 0xffff_ffff,
  mode: 3,
  error: 0,
  key: hex("60820102"),
  other: new Uint8Array(0),
};

test("what is written is read, from the answer or the additional section", () => {
  for (const [index, section] of [
    ["answers", 6],
    ["additionals", 10],
  ] as const) {
    const writer = new WireWriter();
    writer.bytes(encodeMessage({ id: 1, flags: 0, rcode: 0 }));
    writeTkey(writer, fields);
    writer.patchU16(section, 1);
    const records = decodeMessage(writer.finish())[index];
    expect(records).toHaveLength(1);
    expect(readTkey(records[0]!)).toEqual(fields);
  }
});

test("a compressed algorithm name is expanded, though the class is ANY", () => {
  const bytes = hex(
    "0001 0000 0001 0000 0000 0001  08 6773732d74736967 00 00f9 00ff  c00c 00f9 00ff 00000000 0014 c00c 00000001 00000002 0003 0000 0002 abcd 0000",
  );
  expect(readTkey(decodeMessage(bytes).additionals[0]!)).toMatchObject({
    algorithm: Name.parse("gss-tsig."),
    key: hex("abcd"),
  });
});

test("a key longer than the record is refused", () => {
  const bytes = hex(
    "0001 0000 0000 0000 0000 0001 00 00f9 00ff 00000000 0011 00 00000001 00000002 0003 0000 0009 0000",
  );
  expect(() => decodeMessage(bytes)).toThrow(expect.objectContaining({ code: "WIRE_RDATA" }));
});
