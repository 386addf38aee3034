/** RFC 2136 §2.3, §3.1: the zone section. */
import { describe, expect, test } from "vitest";
import { readUpdate } from "../../../src/protocol/update.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { rcodeToText } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { ORIGIN, updateMessage } from "../../support/rr.ts";

const soa = { name: ORIGIN, type: RrType.SOA, class: RrClass.IN };

describe("RFC 2136 §3.1.1", () => {
  test.each([
    ["no zone at all", [], "FORMERR"],
    ["two zones", [soa, soa], "FORMERR"],
    ["a type other than SOA", [{ ...soa, type: RrType.A }], "FORMERR"],
    ["type ANY", [{ ...soa, type: RrType.ANY }], "FORMERR"],
    ["class CH, of which there is no zone", [{ ...soa, class: RrClass.CH }], "NOTAUTH"],
    ["class ANY", [{ ...soa, class: RrClass.ANY }], "NOTAUTH"],
    ["class NONE", [{ ...soa, class: RrClass.NONE }], "NOTAUTH"],
    ["a wrong type before a wrong class", [{ ...soa, type: RrType.A, class: RrClass.CH }], "FORMERR"],
  ])("%s", (_, zone, rcode) => {
    const read = readUpdate(updateMessage({ zone, updates: ["host 60 IN A 192.0.2.5"] }));
    expect(read.ok).toBe(false);
    if (read.ok) return;
    expect(rcodeToText(read.rcode)).toBe(rcode);
    expect(read.ede?.text).toBe(read.reason);
  });

  test("exactly one SOA of class IN names the zone", () => {
    const read = readUpdate(updateMessage({}));
    expect(read.ok && read.request.zone.toString()).toBe("smb.example.");
  });
});
