/** RFC 2136 §3.8: the reply. */
import { describe, expect, test } from "vitest";
import { updateReply } from "../../../src/protocol/update.ts";
import { readEde } from "../../../src/wire/edns.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { Ede, EdnsOption, Opcode, Rcode } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import { ORIGIN, updateMessage } from "../../support/rr.ts";

const soa = { name: ORIGIN, type: RrType.SOA, class: RrClass.IN };
const edns = { udpPayload: 4096, version: 0, extendedRcode: 0, dnssecOk: false, options: [] };
const parts = { prerequisites: ["node1 0 ANY A"], updates: ["node1 60 IN TXT x"] };
const ede = { code: Ede.PROHIBITED, text: "no rule allows it" };

describe("RFC 2136 §3.8", () => {
  test("ID and opcode are the request's, QR is set, the zone section is copied and nothing else", () => {
    const request = updateMessage(parts);
    const reply = decodeMessage(updateReply(request, { rcode: Rcode.NOERROR }));
    expect(reply.header).toMatchObject({ id: request.header.id, opcode: Opcode.UPDATE, flags: 0xa800 });
    expect(reply.questions).toHaveLength(1);
    expect(reply.questions[0]!.name.equals(ORIGIN)).toBe(true);
    expect([reply.answers, reply.authorities, reply.additionals]).toEqual([[], [], []]);
    expect(reply.edns).toBeUndefined();
  });

  test("a refusal gives its reason to a client that sent an OPT record", () => {
    const reply = decodeMessage(
      updateReply(updateMessage({ ...parts, edns }), { rcode: Rcode.REFUSED, ede }),
    );
    expect(reply.header.rcode).toBe(Rcode.REFUSED);
    const option = reply.edns!.options.find(({ code }) => code === EdnsOption.EDE);
    expect(readEde(option!.data)).toEqual(ede);
  });

  test("and to no other: an OPT record is not sent unasked (RFC 6891 §7)", () => {
    const reply = decodeMessage(updateReply(updateMessage(parts), { rcode: Rcode.REFUSED, ede }));
    expect(reply.edns).toBeUndefined();
  });

  test.each([[[]], [[soa, soa]]])("a zone section that is none is not copied", (zone) => {
    const reply = decodeMessage(updateReply(updateMessage({ ...parts, zone }), { rcode: Rcode.FORMERR }));
    expect(reply.header.rcode).toBe(Rcode.FORMERR);
    expect(reply.questions).toEqual([]);
  });
});
