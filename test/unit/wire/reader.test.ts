import { describe, expect, test } from "vitest";
import { WireReader } from "../../../src/wire/reader.ts";
import { hex } from "../../support/rdata.ts";

const short: unknown = expect.objectContaining({ code: "WIRE_SHORT" });
const badName: unknown = expect.objectContaining({ code: "WIRE_NAME" });

describe("numbers", () => {
  test("of each size, in network order", () => {
    const reader = new WireReader(hex("01 0203 04050607 08090a0b0c0d"));
    expect([reader.u8(), reader.u16(), reader.u32(), reader.u48()]).toEqual([
      1, 0x0203, 0x04050607, 0x08090a0b0c0d,
    ]);
    expect(reader.remaining).toBe(0);
  });

  test("do not read past the end, and leave the place as it was", () => {
    const reader = new WireReader(hex("010203040506"), 0, 3);
    expect(() => reader.u32()).toThrow(short);
    expect(() => reader.u48()).toThrow(short);
    expect(() => reader.take(4)).toThrow(short);
    expect(reader.offset).toBe(0);
    expect(reader.take(3)).toEqual(hex("010203"));
    expect(() => reader.u8()).toThrow(short);
  });
});

describe("names", () => {
  test("do not run past `end`, even where the message goes on", () => {
    const bytes = hex("0161 0162 00");
    expect(() => new WireReader(bytes, 0, 4).name()).toThrow(short);
    expect(() => new WireReader(bytes, 0, 3).name()).toThrow(short);
    expect(() => new WireReader(bytes, 0, 4).plainName()).toThrow(short);
    expect(() => new WireReader(hex("016100 c000"), 3, 4).name()).toThrow(short);
  });

  test("leave the reader behind the pointer, not behind its target", () => {
    const reader = new WireReader(hex("016100 0162c000 07"), 3);
    expect(reader.name().toString()).toBe("b.a.");
    expect(reader.u8()).toBe(7);
  });

  test("may share labels across several pointers", () => {
    const reader = new WireReader(hex("016100 0162c000 0163c003"), 7);
    expect(reader.name().toString()).toBe("c.b.a.");
  });

  test("are those before them where they are nothing but a pointer there", () => {
    const reader = new WireReader(hex("016100 0162c000 c003 c003 c000"));
    const [a, ba, again, onceMore, aAgain] = Array.from({ length: 5 }, () => reader.name());
    expect([again, onceMore].map(String)).toEqual(["b.a.", "b.a."]);
    expect(again).toBe(ba);
    expect(aAgain).toEqual(a);
    expect(reader.remaining).toBe(0);
  });

  test("a plain name has no pointer", () => {
    expect(() => new WireReader(hex("016100 c000"), 3).plainName()).toThrow(badName);
  });

  test("do not change with the buffer they were read from", () => {
    const bytes = Buffer.from("0161000162c000", "hex");
    const names = [
      new WireReader(bytes).name(),
      new WireReader(bytes, 3).name(),
      new WireReader(bytes).plainName(),
    ];
    bytes.fill(0x7a);
    expect(names.map(String)).toEqual(["a.", "b.a.", "a."]);
  });

  test("a message has only so many pointers to follow", () => {
    // A chain of pointers, each to the one before: following it over and over costs a bounded amount of work.
    const links = 8000;
    const bytes = new Uint8Array(1 + 2 * links);
    for (let i = 0; i < links; i++) {
      const target = i === 0 ? 0 : 1 + 2 * (i - 1);
      bytes[1 + 2 * i] = 0xc0 | (target >> 8);
      bytes[2 + 2 * i] = target & 0xff;
    }
    const reader = new WireReader(bytes);
    const readLast = (): unknown => {
      reader.offset = bytes.length - 2;
      return reader.name();
    };
    for (let i = 0; i < 8; i++) expect(readLast()).toMatchObject({ isRoot: true });
    expect(readLast).toThrow(badName);
  });
});
