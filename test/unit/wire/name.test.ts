import { describe, expect, test } from "vitest";
import { Name, NameSyntaxError, nameOfKey } from "../../../src/wire/name.ts";
import { hex } from "../../support/rdata.ts";

const n = (text: string): Name => Name.parse(text);

describe("Name", () => {
  test.each([
    ["a.b.example.", "example.", true, true],
    ["example.", "EXAMPLE.", true, false],
    ["example.", "a.example.", false, false],
    ["badexample.", "example.", false, false],
    ["a.", ".", true, true],
    [".", ".", true, false],
    // The octets of "\003com." end like those of "com.", and are one label.
    ["a\\003com.", "com.", false, false],
  ])("%s within %s: %s, below: %s", (name, ancestor, within, below) => {
    expect(n(name).isWithin(n(ancestor))).toBe(within);
    expect(n(name).isBelow(n(ancestor))).toBe(below);
  });

  test("labels, parent and child", () => {
    const name = n("Host.smb.example.");
    expect(name.labelCount).toBe(3);
    expect(name.labels().map((label) => Buffer.from(label).toString())).toEqual(["Host", "smb", "example"]);
    expect(name.parent!.toString()).toBe("smb.example.");
    expect(Name.root.parent).toBeUndefined();
    expect(Name.root.labelCount).toBe(0);
    expect(Name.root.isRoot).toBe(true);
    expect(n("smb.example.").child("Host").wire).toEqual(name.wire);
    expect(n("*.a.").isWildcard).toBe(true);
    expect(n("**.a.").isWildcard).toBe(false);
  });

  test.each([
    ["", /1 to 63/],
    ["x".repeat(64), /1 to 63/],
  ])("child %j is refused", (label, message) => {
    expect(() => Name.root.child(label)).toThrow(NameSyntaxError);
    expect(() => Name.root.child(label)).toThrow(message);
  });

  test("a child that makes the name too long is refused", () => {
    const long = n("a.".repeat(126)); // 253 octets
    expect(long.child("b").wire).toHaveLength(255);
    expect(() => long.child("bb")).toThrow(/255 octets/);
  });

  test("withSuffix replaces the end, or says that it does not fit", () => {
    expect(n("a.b.old.").withSuffix(n("old."), n("new.example."))!.toString()).toBe("a.b.new.example.");
    expect(n("old.").withSuffix(n("old."), n("new."))!.toString()).toBe("new.");
    expect(n("a.".repeat(120)).withSuffix(n("a."), n(`${"b".repeat(40)}.`))).toBeUndefined();
  });

  test("a key stands for the name in lower case", () => {
    expect(nameOfKey(n("HOST.Example.").key).toString()).toBe("host.example.");
  });

  test.each(["", "01", "0161", "c000", "4000", "0000", "016100 00"])("octets %j are no name", (text) => {
    expect(() => Name.fromWire(hex(text))).toThrow(expect.objectContaining({ name: "WireError" }));
  });

  test("JSON shows the text", () => {
    expect(JSON.stringify({ name: n("a.") })).toBe('{"name":"a."}');
  });
});
