import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { WireReader } from "../../../src/wire/reader.ts";
import { record } from "../../../src/wire/record.ts";
import { MAX_MESSAGE_LENGTH, WireWriter } from "../../../src/wire/writer.ts";
import { toHex } from "../../support/rdata.ts";

const n = (text: string): Name => Name.parse(text);
const full: unknown = expect.objectContaining({ code: "WIRE_FULL" });

/** What names, written with compression, look like. */
function written(...texts: string[]): string {
  const writer = new WireWriter();
  for (const text of texts) writer.name(n(text), true);
  return toHex(writer.finish());
}

describe("compression", () => {
  test.each([
    ["the whole name", ["a.b.", "a.b."], "0161016200 c000"],
    ["a suffix", ["a.b.", "c.b."], "0161016200 0163c002"],
    ["a suffix of a pointer's name", ["a.b.", "c.b.", "d.c.b."], "0161016200 0163c002 0164c005"],
    ["never the root", [".", ".", "a.", "."], "00 00 016100 00"],
    ["no label's tail", ["ab.", "b."], "02616200 016200"],
  ])("%s", (_, texts, expected) => {
    expect(written(...texts)).toBe(expected.replaceAll(" ", ""));
  });

  test("a name in another case is not pointed to: it would lose its own", () => {
    expect(written("a.b.", "A.b.", "a.B.", "a.b.")).toBe(
      ["0161016200", "0141c002", "0161014200", "c000"].join(""),
    );
  });

  test("a name written without compression can be pointed to", () => {
    const writer = new WireWriter();
    writer.name(n("a."), false);
    writer.name(n("a."), false);
    writer.name(n("a."), true);
    expect(toHex(writer.finish())).toBe("016100016100c000");
  });

  test("nothing beyond octet 0x3fff is pointed to", () => {
    const writer = new WireWriter();
    writer.bytes(new Uint8Array(0x3fff));
    writer.name(n("a.b."), true); // "a" at 0x3fff, "b" beyond
    const at = writer.length;
    writer.name(n("a.b."), true);
    writer.name(n("c.b."), true);
    writer.name(n("c.b."), true);
    expect(toHex(writer.finish().subarray(at))).toBe("ffff 0163016200 0163016200".replaceAll(" ", ""));
  });

  test("what was rewound is not pointed to, and what was there before still is", () => {
    const writer = new WireWriter();
    writer.name(n("a.b."), true);
    const mark = writer.mark();
    writer.name(n("c.d.b."), true);
    writer.rewind(mark);
    writer.name(n("d.b."), true);
    writer.name(n("c.d.b."), true);
    expect(toHex(writer.finish())).toBe("0161016200 0164c002 0163c005".replaceAll(" ", ""));
  });
});

describe("limits", () => {
  test("grows from its first capacity octet by octet", () => {
    const writer = new WireWriter(MAX_MESSAGE_LENGTH, 1);
    for (let i = 0; i < 600; i++) writer.u8(i & 0xff);
    writer.u16(0xabcd);
    writer.u32(0x01020304);
    writer.u48(0x0102_0304_0506);
    const bytes = writer.finish();
    expect(bytes).toHaveLength(612);
    expect(bytes[599]).toBe(599 & 0xff);
    expect(toHex(bytes.subarray(600))).toBe("abcd01020304010203040506");
  });

  test("a message of 65535 octets can be written, and not one more", () => {
    const writer = new WireWriter();
    writer.bytes(new Uint8Array(MAX_MESSAGE_LENGTH));
    expect(writer.length).toBe(MAX_MESSAGE_LENGTH);
    expect(() => writer.u8(0)).toThrow(full);
    expect(writer.length).toBe(MAX_MESSAGE_LENGTH);
  });

  test("a record that does not fit can be taken back whole", () => {
    const writer = new WireWriter(60);
    const address = record(n("host.example."), RrType.A, 60, Uint8Array.of(192, 0, 2, 1));
    writer.record(address);
    const mark = writer.mark();
    expect(() => writer.record(record(n("a.host.example."), RrType.TXT, 60, new Uint8Array(20)))).toThrow(
      full,
    );
    writer.rewind(mark);
    writer.record(address);
    const reader = new WireReader(writer.finish());
    reader.offset = mark;
    expect(reader.name().toString()).toBe("host.example.");
    expect(writer.length).toBe(mark + 16);
  });

  test("RDLENGTH counts what was written, compressed", () => {
    const writer = new WireWriter();
    writer.record(record(n("a.example."), RrType.CNAME, 1, n("b.example.").wire));
    expect(toHex(writer.finish())).toBe(
      "016107 6578616d706c6500 0005 0001 00000001 0004 0162c002".replaceAll(" ", ""),
    );
  });
});
