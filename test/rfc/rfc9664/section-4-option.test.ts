/** RFC 9664 §4: the option in updates and their replies. What leases do to records is in test/unit/services/ageing.test.ts. */
import { describe, expect, test } from "vitest";
import { judgeUpdate, readUpdate, updateReply } from "../../../src/protocol/update.ts";
import { grantLease } from "../../../src/protocol/update-refresh.ts";
import { EdnsOption, Rcode } from "../../../src/wire/iana/code.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import type { UpdateLease } from "../../../src/wire/update-lease.ts";
import { readUpdateLease, updateLeaseOption } from "../../../src/wire/update-lease.ts";
import type { AgeingRules } from "../../../src/zone/registration.ts";
import { updateMessage } from "../../support/rr.ts";
import { everything, zoneOf } from "../rfc2136/support.ts";

const rules: AgeingRules = {
  noRefresh: 0,
  refresh: 86_400_000,
  at: 0,
  minLease: 30_000,
  maxLease: 86_400_000,
  maxKeyLease: 604_800_000,
};
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const request = (hex: string | undefined, updates: readonly string[] = ["new 60 IN A 192.0.2.7"]) => {
  const options = hex === undefined ? [] : [{ code: EdnsOption.UPDATE_LEASE, data: bytes(hex) }];
  const edns = { udpPayload: 1232, version: 0, extendedRcode: 0, dnssecOk: false, options };
  return updateMessage({ updates, edns });
};

const judged = (hex: string | undefined, ageing: AgeingRules | undefined, updates?: readonly string[]) => {
  const read = readUpdate(request(hex, updates));
  if (!read.ok) throw new Error(read.reason);
  return judgeUpdate(read.request, zoneOf(), { ...everything, ageing });
};
const reply = (lease: UpdateLease | undefined, rcode: number = Rcode.NOERROR): string[] => {
  const message = updateReply(request("00000e10"), { rcode, lease });
  const options = decodeMessage(message).edns!.options.filter(({ code }) => code === 2);
  return options.map(({ data }) => Buffer.from(data).toString("hex"));
};

describe("RFC 9664 §4: the option", () => {
  test.each<[string, string, UpdateLease]>([
    ["of four octets", "00000e10", { lease: 3600 }],
    ["of eight octets", "00000e10000151800".slice(0, 16), { lease: 3600, keyLease: 86_400 }],
    ["with the largest values", "ffffffffffffffff", { lease: 0xffffffff, keyLease: 0xffffffff }],
  ])("%s", (_, hex, lease) => {
    expect(readUpdateLease(bytes(hex))).toEqual(lease);
    expect(Buffer.from(updateLeaseOption(lease).data).toString("hex")).toBe(hex);
    expect(updateLeaseOption(lease).code).toBe(2);
    const read = readUpdate(request(hex));
    expect(read).toMatchObject({ ok: true, request: { lease } });
  });

  test.each(["", "00", "000e10", "00000e1000", "00000e1000000e1000"])("of %j octets is malformed", (hex) => {
    expect(readUpdate(request(hex))).toMatchObject({ ok: false, rcode: Rcode.FORMERR });
  });
});

describe("RFC 9664 §4.3: a server", () => {
  test.each<[string, UpdateLease, UpdateLease]>([
    ["what is within the bounds", { lease: 3600, keyLease: 172_800 }, { lease: 3600, keyLease: 172_800 }],
    ["more where it is too little", { lease: 0, keyLease: 29 }, { lease: 30, keyLease: 30 }],
    ["less where it is too much", { lease: 86_401, keyLease: 604_801 }, { lease: 86_400, keyLease: 604_800 }],
    ["one lease for KEY records too, where one was asked", { lease: 604_800 }, { lease: 86_400 }],
  ])("grants %s", (_, asked, granted) => {
    expect(grantLease(asked, rules)).toEqual(granted);
  });

  test("answers in the variant it was asked in, and only where the update succeeds and asks", () => {
    expect(reply({ lease: 3600 })).toEqual(["00000e10"]);
    expect(reply({ lease: 3600, keyLease: 1 })).toEqual(["00000e1000000001"]);
    expect(reply(undefined)).toEqual([]);
    expect(judged("00000e10", rules)).toMatchObject({ kind: "change", lease: { lease: 3600 } });
    expect(judged(undefined, rules)).toMatchObject({ kind: "change", lease: undefined });
    expect(judged("00000e10", undefined)).not.toHaveProperty("lease");
  });

  test("gives KEY records their own lease, and all others the other", () => {
    const updates = ["new 60 IN A 192.0.2.7", String.raw`new 60 IN KEY \# 5 0200030DFF`];
    const verdict = judged("00000e1000015180", rules, updates);
    expect(verdict).toMatchObject({ changeset: { lifetimes: [3600, 86_400] } });
    expect(judged("00000e10", rules, updates)).toMatchObject({ changeset: { lifetimes: [3600, 3600] } });
  });

  test("grants nothing to who names again what it may not change, nor to who only takes away", () => {
    const read = readUpdate(request("00000e10", ["Node1 1200 IN A 192.0.2.11"]));
    if (!read.ok) throw new Error(read.reason);
    const verdict = judgeUpdate(read.request, zoneOf(), {
      ...everything,
      ageing: rules,
      policy: () => ({ allow: false, reason: "a rule denies it" }),
    });
    expect(verdict).toEqual({ kind: "unchanged", refreshes: [], lease: undefined });
    expect(judged("00000e10", rules, ["node1 0 ANY A"])).toMatchObject({ kind: "change", lease: undefined });
  });

  test("§5.3: acknowledges a refresh, and changes nothing by it", () => {
    expect(judged("00000e10", rules, ["Node1 1200 IN A 192.0.2.11"])).toMatchObject({
      kind: "unchanged",
      lease: { lease: 3600 },
      refreshes: [{ lease: 3600, refreshed: 1_700_000_000 }],
    });
  });
});
