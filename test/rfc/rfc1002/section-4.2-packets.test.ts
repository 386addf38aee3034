/** RFC 1002 §4.1 and §4.2: names and packets, octet by octet. */
import { describe, expect, test } from "vitest";
import type { NameOutcome } from "../../../src/netbios/name-service.ts";
import { NameService } from "../../../src/netbios/name-service.ts";
import { netbiosName, netbiosNameToText, readNetbiosName } from "../../../src/netbios/name.ts";
import { readPacket } from "../../../src/netbios/packet.ts";
import { Registrations } from "../../../src/netbios/registrations.ts";
import { parseNetwork } from "../../../src/auth/acl.ts";
import { bytes, encodedName, hex, query, registration } from "../../support/netbios.ts";

const keyOf = (label: string, suffix: number, scope = ""): string =>
  readNetbiosName(bytes(encodedName(label, suffix, scope)), 0)!.key;

describe("§4.1 names", () => {
  test("the name of RFC 1001 §14.1 is written in letters from A on", () => {
    // "The NetBIOS name" is 16 octets there; 0x54 is FE, 0x68 GI …
    const wire = readNetbiosName(bytes(`20 ${hex(Buffer.from("FEGIGFCAEOGFHEECEJEPFDCAGOGBGNGF"))} 00`), 0)!;
    expect([wire.label, wire.suffix]).toEqual(["The NetBIOS nam", 0x65]);
  });

  test.each([
    ["FS1", 0x20, "FS1<20>"],
    ["", 0x00, "<00>"],
    ["\x01\x02__MSBROWSE__\x02", 0x01, "\\001\\002__MSBROWSE__\\002<01>"],
    ["FIFTEEN-LETTERS", 0x1c, "FIFTEEN-LETTERS<1c>"],
  ])("%j <%s>", (label, suffix, text) => {
    const name = netbiosName(label, suffix);
    expect(hex(name.wire)).toBe(encodedName(label, suffix));
    expect(readNetbiosName(name.wire, 0)).toEqual(name);
    expect(netbiosNameToText(name)).toBe(text);
  });

  test("case does not tell names apart, suffix and scope do", () => {
    expect(keyOf("fs1", 0x20, "Lab.example")).toBe(keyOf("FS1", 0x20, "lab.Example"));
    expect(new Set([keyOf("FS1", 0x20), keyOf("FS1", 0), keyOf("FS1", 0x20, "lab")]).size).toBe(3);
  });

  test.each([
    ["too few letters", "1e 4142"],
    ["a letter beyond P", `20 ${"41".repeat(31)}51 00`],
    ["a letter before A", `20 40${"41".repeat(31)} 00`],
    ["no end", `20 ${"41".repeat(32)}`],
    ["a pointer for a scope", `20 ${"41".repeat(32)} c00c`],
    ["longer than 255 octets", `20 ${"41".repeat(32)} ${`3f${"61".repeat(63)}`.repeat(4)} 00`],
  ])("%s is no name", (_, text) => {
    expect(readNetbiosName(bytes(text), 0)).toBeUndefined();
  });
});

const FS1 = "20 4547464444424341434143414341434143414341434143414341434143414341 00";
const REST = "0020 0001";
const NOW = 1_000_000;

const registrations = new Registrations({ inAll: 10, perClient: 10 });
const service = new NameService(
  { clients: [parseNetwork("192.0.2.0/24")!], maxTtl: 3600 },
  registrations,
  ({ label }) => (label === "FS1" ? { addresses: ["192.0.2.1"], ttl: 300, group: false } : undefined),
);

function reply(request: Uint8Array): string {
  const outcome: NameOutcome = service.handle(request, "192.0.2.9", NOW);
  if (!("bytes" in outcome)) throw new Error(JSON.stringify(outcome));
  return hex(outcome.bytes);
}

const one = (text: string): string => text.replaceAll(/\s/g, "");

describe("§4.2 packets", () => {
  test("§4.2.12 and §4.2.13: a query and its positive answer", () => {
    expect(hex(query("FS1"))).toBe(one(`1234 0100 0001 0000 0000 0000 ${FS1} ${REST}`));
    expect(reply(query("FS1"))).toBe(
      one(`1234 8580 0000 0001 0000 0000 ${FS1} ${REST} 0000012c 0006 6000 c0000201`),
    );
  });

  test("§4.2.14: the negative answer has type NULL and no data", () => {
    const gone = encodedName("GONE", 0x20);
    expect(reply(query("GONE"))).toBe(one(`1234 8583 0000 0001 0000 0000 ${gone} 000a 0001 00000000 0000`));
  });

  // NODE2 registers and refreshes, then releases: the data come back as they were, with the time granted.
  const node2 = encodedName("NODE2", 0);
  const granted = `0000 0001 0000 0000 ${node2} ${REST} 00000e10 0006 6000 c0000209`;
  test.each([
    ["§4.2.2 registration", "2900", `ad80 ${granted}`],
    ["§4.2.4 refresh", "4000", `ad80 ${granted}`],
    ["refresh by opcode 9", "4800", `ad80 ${granted}`],
    ["multi-homed registration", "7900", `ad80 ${granted}`],
    ["§4.2.9 release", "3000", `b400 ${granted.replace("00000e10", "00000000")}`],
  ])("%s", (_, flags, answer) => {
    expect(reply(registration("NODE2", "192.0.2.9", { flags, suffix: 0 }))).toBe(one(`1234 ${answer}`));
  });

  test("§4.2.16: WACK repeats the flags of the request", () => {
    registrations.add(netbiosName("TAKEN", 0), { flags: 0x6000, address: "192.0.2.7" }, "192.0.2.7", NOW + 1);
    const taken = encodedName("TAKEN", 0);
    expect(reply(registration("TAKEN", "192.0.2.9", { suffix: 0 }))).toBe(
      one(`1234 bc00 0000 0001 0000 0000 ${taken} ${REST} 00000005 0002 2900`),
    );
  });

  test("a record that repeats the name in full is read as well as one with a pointer", () => {
    const full = bytes(
      `1234 2900 0001 0000 0000 0001 ${FS1} ${REST} ${FS1} ${REST} 00000000 0006 6000 c0000209`,
    );
    expect(readPacket(full)!.record).toEqual({ ttl: 0, entries: [{ flags: 0x6000, address: "192.0.2.9" }] });
  });

  test("at most 85 addresses: 576 octets hold no more (RFC 1002 §4.2.1)", () => {
    const addresses = Array.from({ length: 200 }, (_, i) => `10.0.0.${i}`);
    const many = new NameService(service.settings, registrations, () => ({
      addresses,
      ttl: 1,
      group: false,
    }));
    const outcome = many.handle(query("MANY"), "192.0.2.9", NOW) as { bytes: Uint8Array };
    expect(outcome.bytes.length).toBe(12 + 34 + 10 + 85 * 6);
  });
});
