/** RFC 8914 §2: the Extended DNS Error option. */
import { expect, test } from "vitest";
import { edeOption, MAX_EXTRA_TEXT, readEde } from "../../../src/wire/edns.ts";
import { hex, toHex } from "../../support/rdata.ts";

test("INFO-CODE, then EXTRA-TEXT", () => {
  const option = edeOption({ code: 18, text: "no rule" });
  expect(option.code).toBe(15);
  expect(toHex(option.data)).toBe("00126e6f2072756c65");
  expect(readEde(option.data)).toEqual({ code: 18, text: "no rule" });
});

test("an empty text is allowed", () => {
  expect(toHex(edeOption({ code: 0, text: "" }).data)).toBe("0000");
  expect(readEde(hex("0000"))).toEqual({ code: 0, text: "" });
});

test("a long text is cut between characters", () => {
  const { data } = edeOption({ code: 0, text: `${"a".repeat(MAX_EXTRA_TEXT - 1)}é` });
  expect(readEde(data)).toEqual({ code: 0, text: "a".repeat(MAX_EXTRA_TEXT - 1) });
});

test("a final NUL is no part of the text", () => {
  expect(readEde(hex("0001 616200"))).toEqual({ code: 1, text: "ab" });
});

test("fewer than two octets are no error at all", () => {
  expect(readEde(hex("00"))).toBeUndefined();
});
