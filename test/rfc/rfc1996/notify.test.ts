/** NOTIFY as a primary speaks it: the request (RFC 1996 §3, §4.5) and which answers count (§4.7). */
import { describe, expect, test } from "vitest";
import { encodeNotify, readNotifyResponse } from "../../../src/protocol/notify.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { Opcode, Rcode } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import type { MessageParts } from "../../../src/wire/message.ts";
import { decodeMessage, encodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { recordToLine, soaRecord } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
const soa = soaRecord(apex, 42);

describe("RFC 1996 §4.5: the request", () => {
  test("AA, the SOA asked for and given as a hint, no OPT", () => {
    const message = decodeMessage(encodeNotify(0x1234, apex, soa));
    expect(message.header).toMatchObject({
      id: 0x1234,
      flags: Flag.AA | (Opcode.NOTIFY << 11),
      additionalCount: 0,
    });
    expect(message.questions).toHaveLength(1);
    expect(message.questions[0]).toMatchObject({ type: RrType.SOA, class: RrClass.IN });
    expect(message.questions[0]!.name.equals(apex)).toBe(true);
    expect(message.answers.map(recordToLine)).toEqual([recordToLine(soa)]);
    expect(message.edns).toBeUndefined();
  });

  test("without a hint the answer section is empty (§3.7)", () => {
    expect(decodeMessage(encodeNotify(1, apex, undefined)).answers).toEqual([]);
  });

  test("fits an unextended datagram even with names of the greatest length", () => {
    const label = "x".repeat(60);
    const long = Name.parse(`${label}.${label}.${label}.${label}.`);
    expect(encodeNotify(1, long, soaRecord(long.parent!, 1)).length).toBeLessThan(512);
  });
});

describe("RFC 1996 §4.7: the response", () => {
  const answer = (parts: Partial<MessageParts>): ReturnType<typeof readNotifyResponse> => {
    const bytes = encodeMessage({
      id: 7,
      flags: Flag.QR | Flag.AA | (Opcode.NOTIFY << 11),
      rcode: 0,
      questions: [{ name: apex, type: RrType.SOA, class: RrClass.IN }],
      ...parts,
    });
    return readNotifyResponse(decodeMessage(bytes), 7, apex);
  };

  test.each<[what: string, parts: Partial<MessageParts>, says: ReturnType<typeof readNotifyResponse>]>([
    ["the question back: acknowledged", {}, { rcode: 0, serial: undefined }],
    ["without AA, as some", { flags: Flag.QR | (Opcode.NOTIFY << 11) }, { rcode: 0, serial: undefined }],
    [
      "in another letter case",
      { questions: [{ name: Name.parse("SMB.example."), type: RrType.SOA, class: 1 }] },
      { rcode: 0, serial: undefined },
    ],
    ["with an SOA: its serial", { answers: [soa] }, { rcode: 0, serial: 42 }],
    [
      "with the SOA of another zone",
      { answers: [soaRecord(Name.parse("example."), 9)] },
      { rcode: 0, serial: undefined },
    ],
    ["NOTAUTH", { rcode: Rcode.NOTAUTH }, { rcode: Rcode.NOTAUTH, serial: undefined }],
    [
      "FORMERR with nothing but a header",
      { rcode: Rcode.FORMERR, questions: [] },
      { rcode: Rcode.FORMERR, serial: undefined },
    ],
    ["NOERROR with nothing but a header", { questions: [] }, undefined],
    ["another ID", { id: 8 }, undefined],
    ["a request", { flags: Opcode.NOTIFY << 11 }, undefined],
    ["another opcode", { flags: Flag.QR }, undefined],
    [
      "another zone",
      { questions: [{ name: Name.parse("example."), type: RrType.SOA, class: 1 }] },
      undefined,
    ],
    ["another type", { questions: [{ name: apex, type: RrType.NS, class: 1 }] }, undefined],
  ])("%s", (_, parts, says) => {
    expect(answer(parts)).toEqual(says);
  });
});
