/** RFC 6891 §6.1: the OPT record. */
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeMessage } from "../../../src/wire/message.ts";
import { hex, toHex } from "../../support/rdata.ts";

const head = (additionals: number): string => `0001 0000 0000 0000 0000 000${additionals}`;

function outcome(text: string): unknown {
  try {
    return decodeMessage(hex(text)).edns;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

test("§6.1.2, §6.1.3: fields are found in class and TTL", () => {
  expect(outcome(`${head(1)} 00 0029 04d0 01 00 8000 0006 0003 0002 abcd`)).toEqual({
    udpPayload: 1232,
    extendedRcode: 1,
    version: 0,
    dnssecOk: true,
    options: [{ code: 3, data: hex("abcd") }],
  });
});

describe("§6.1.1, §6.1.2: refused", () => {
  test.each([
    ["an owner that is not the root", `${head(1)} 0161 00 0029 04d0 00000000 0000`],
    ["a second OPT", `${head(2)} 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000`],
    ["an option header cut short", `${head(1)} 00 0029 04d0 00000000 0003 000300`],
    ["an option longer than the record", `${head(1)} 00 0029 04d0 00000000 0004 0003 0001`],
    ["an OPT in the answer section", "0001 0000 0000 0001 0000 0000 00 0029 04d0 00000000 0000"],
    ["an OPT in the authority section", "0001 0000 0000 0000 0001 0000 00 0029 04d0 00000000 0000"],
  ])("%s", (_, text) => {
    expect(outcome(text)).toBe("WIRE_EDNS");
  });
});

describe("§6.1.3", () => {
  test("options of another version are left unread, so that BADVERS can be answered", () => {
    expect(outcome(`${head(1)} 00 0029 04d0 00 01 0000 0003 000300`)).toMatchObject({
      version: 1,
      options: [],
    });
  });

  test("an RCODE above 15 is split between header and OPT", () => {
    const edns = { udpPayload: 1232, version: 0, extendedRcode: 0, dnssecOk: false, options: [] };
    const bytes = encodeMessage({ id: 1, flags: 0x8000, rcode: 16, edns });
    expect(toHex(bytes)).toBe(toHex(hex("0001 8000 0000 0000 0000 0001 00 0029 04d0 01 00 0000 0000")));
  });

  test("a payload size below 512 is reported as sent: what it means is the answerer's business (§6.2.3)", () => {
    expect(outcome(`${head(1)} 00 0029 0001 00000000 0000`)).toMatchObject({ udpPayload: 1 });
  });
});
