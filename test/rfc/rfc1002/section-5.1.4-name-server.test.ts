/** RFC 1002 §5.1.4: what a name server does with what it is sent, and what it must not. */
import { beforeEach, describe, expect, test } from "vitest";
import { parseNetwork } from "../../../src/auth/acl.ts";
import type { NameOutcome } from "../../../src/netbios/name-service.ts";
import { NameService } from "../../../src/netbios/name-service.ts";
import { netbiosName } from "../../../src/netbios/name.ts";
import { Registrations } from "../../../src/netbios/registrations.ts";
import { findInZones } from "../../../src/netbios/zone-names.ts";
import { Name } from "../../../src/wire/name.ts";
import { bytes, query, registration, replyText } from "../../support/netbios.ts";
import { imageOf } from "../../support/zones.ts";

const ZONE = `$TTL 300
@       IN SOA ns1 hostmaster 1 900 60 1209600 30
@       IN NS  ns1
ns1     IN A   192.0.2.53
fs1     IN A   192.0.2.1
cap     60 IN A 192.0.2.1
cap     60 IN A 192.0.2.2
files   IN CNAME alias
alias   30 IN CNAME cap
outside IN CNAME elsewhere.test.
loop    IN CNAME loop
v6      IN AAAA 2001:db8::1
wpad    IN A   192.0.2.66
isatap  IN A   192.0.2.66
sub     IN NS  ns1.sub
ns1.sub IN A   192.0.2.54
*       IN A   192.0.2.99
dc1     IN A   192.0.2.10
dc2     IN A   192.0.2.11
_ldap._tcp.dc._msdcs  IN SRV 0 0 389 dc1
_ldap._tcp.dc._msdcs  IN SRV 0 0 389 dc2
_ldap._tcp.pdc._msdcs IN SRV 0 0 389 dc1
`;
const HOUR = 3_600_000;
const image = imageOf("smb.example.", ZONE);
const zoneOf = (name: Name) => (name.isWithin(image.apex) ? image : undefined);
const zones = {
  suffixes: [Name.parse("sub.smb.example."), Name.parse("smb.example."), Name.parse("elsewhere.test.")],
  domains: [{ label: "SMB", dns: Name.parse("smb.example.") }],
};

let now = 0;
let registrations: Registrations;
let service: NameService;
beforeEach(() => {
  now = 1_000_000_000_000;
  registrations = new Registrations({ inAll: 20, perClient: 6 });
  const settings = { clients: [parseNetwork("192.0.2.0/24")!, parseNetwork("198.51.100.7")!], maxTtl: 3600 };
  service = new NameService(settings, registrations, (name) => findInZones(name, zones, zoneOf));
});

function send(request: Uint8Array, from = "192.0.2.9"): NameOutcome {
  return service.handle(request, from, now);
}

/** Flags of the reply and its addresses; or why there is none. */
function told(outcome: NameOutcome): string {
  if (outcome.kind === "silence") return `silence: ${outcome.why}`;
  const { flags, addresses } = replyText(outcome.bytes);
  return [flags, ...addresses].join(", ");
}

const register = (
  label: string,
  address: string,
  options: Parameters<typeof registration>[2] = {},
  from = address,
) => told(send(registration(label, address, options), from));
const ask = (label: string, suffix = 0x20): string => told(send(query(label, { suffix })));

describe("queries are answered from the zones", () => {
  test.each([
    ["a host, as file server", "FS1", 0x20, "8580, 6000 192.0.2.1"],
    ["a host, as workstation", "fs1", 0x00, "8580, 6000 192.0.2.1"],
    ["not with another suffix", "FS1", 0x03, "8583"],
    ["an alias of an alias", "FILES", 0x20, "8580, 6000 192.0.2.1, 6000 192.0.2.2"],
    ["not an alias that leads out of the zones", "OUTSIDE", 0x20, "8583"],
    ["not an alias that leads to itself", "LOOP", 0x20, "8583"],
    ["not a host without IPv4", "V6", 0x20, "8583"],
    ["not what is delegated away", "NS1", 0x20, "8580, 6000 192.0.2.53"],
    ["not by a wildcard", "ANYTHING", 0x20, "8583"],
    ["not the wildcard itself", "*", 0x20, "8583"],
    ["never WPAD, though the zone has it", "WPAD", 0x20, "8583"],
    ["never ISATAP", "isatap", 0x00, "8583"],
    ["the controllers of a domain, as a group", "SMB", 0x1c, "8580, e000 192.0.2.10, e000 192.0.2.11"],
    ["its first controller", "smb", 0x1b, "8580, 6000 192.0.2.10"],
    ["not those of another domain", "LAB", 0x1c, "8583"],
  ])("%s", (_, label, suffix, answer) => {
    expect(ask(label, suffix)).toBe(answer);
  });

  test("with the least TTL on the way", () => {
    expect(replyText((send(query("FILES")) as { bytes: Uint8Array }).bytes).ttl).toBe(30);
  });

  test("several addresses begin with another one each time", () => {
    const firsts = [1, 2, 3, 4].map(() => ask("CAP").split(", ")[1]);
    expect(new Set(firsts)).toEqual(new Set(["6000 192.0.2.1", "6000 192.0.2.2"]));
  });

  test("a name within a scope is another name", () => {
    expect(told(send(query("FS1", { scope: "lab" })))).toBe("8583");
  });

  test("a registration does not come before the zone", () => {
    expect(register("FS1", "192.0.2.66")).toBe("ad80, 6000 192.0.2.66");
    expect(ask("FS1")).toBe("8580, 6000 192.0.2.1");
  });
});

describe("silence", () => {
  const request = query("FS1");
  test.each([
    ["a stranger", request, "203.0.113.1", "stranger"],
    ["a stranger who registers", registration("X", "192.0.2.9"), "203.0.113.1", "stranger"],
    ["a packet to everybody", query("FS1", { flags: "0110" }), undefined, "broadcast"],
    [
      "a registration by broadcast",
      registration("X", "192.0.2.9", { flags: "2910" }),
      undefined,
      "broadcast",
    ],
    ["a response", query("FS1", { flags: "8580" }), undefined, "response"],
    ["a node status request", query("FS1", { type: "0021" }), undefined, "unsupported"],
    ["an opcode that is none", query("FS1", { flags: "5000" }), undefined, "unsupported"],
    ["a WACK that nobody asked for", query("FS1", { flags: "3800" }), undefined, "unsupported"],
    ["half a header", request.subarray(0, 11), undefined, "malformed"],
    ["a header alone", request.subarray(0, 12), undefined, "malformed"],
    ["a name cut short", request.subarray(0, 40), undefined, "malformed"],
    ["two questions", bytes(`1234 0100 0002 0000 0000 0000 ${"00".repeat(8)}`), undefined, "malformed"],
  ])("meets %s", (_, packet, from, why) => {
    expect(told(send(packet, from))).toBe(`silence: ${why}`);
    expect(registrations.size).toBe(0);
  });
});

describe("registration", () => {
  test("a host is found until its time is up", () => {
    expect(register("NODE1", "192.0.2.21")).toBe("ad80, 6000 192.0.2.21");
    now += HOUR / 2;
    const reply = send(query("NODE1")) as { bytes: Uint8Array };
    expect(replyText(reply.bytes)).toEqual({ flags: "8580", ttl: 1800, addresses: ["6000 192.0.2.21"] });
    now += HOUR / 2;
    expect(ask("NODE1")).toBe("8583");
    expect(registrations.expire(now)).toHaveLength(1);
    expect([registrations.size, registrations.names]).toEqual([0, 0]);
  });

  test.each([
    [0, 3600],
    [60, 600],
    [1200, 1200],
    [300_000, 3600],
    [0xffff_ffff, 3600],
  ])("%d seconds wanted, %d granted", (ttl, granted) => {
    const { bytes: reply } = send(registration("NODE1", "192.0.2.9", { ttl })) as { bytes: Uint8Array };
    expect(replyText(reply).ttl).toBe(granted);
  });

  test.each(["2900", "4000", "4800", "7900"])(
    "flags %s renew it, and begin it where it is not known",
    (flags) => {
      register("NODE1", "192.0.2.9", { flags });
      now += HOUR - 1;
      expect(register("NODE1", "192.0.2.9", { flags })).toBe("ad80, 6000 192.0.2.9");
      now += HOUR - 1;
      expect(ask("NODE1")).toBe("8580, 6000 192.0.2.9");
      expect(registrations.size).toBe(1);
    },
  );

  test("a host with several addresses registers them one by one", () => {
    register("NODE1", "192.0.2.21", { flags: "7900" });
    expect(register("NODE1", "192.0.2.22", { flags: "7900" }, "192.0.2.21")).toBe("ad80, 6000 192.0.2.22");
    expect(ask("NODE1")).toBe("8580, 6000 192.0.2.21, 6000 192.0.2.22");
  });

  test("a group's members are not listed, those of a domain's controllers are", () => {
    for (const address of ["192.0.2.21", "192.0.2.22"]) {
      register("WORK", address, { suffix: 0x00, nbFlags: "e000" });
      register("LAB", address, { suffix: 0x1c, nbFlags: "e000" });
    }
    expect(ask("WORK", 0)).toBe("8580, e000 255.255.255.255");
    expect(ask("LAB", 0x1c)).toBe("8580, e000 192.0.2.21, e000 192.0.2.22");
  });

  test("of a group 25 members are kept, those who registered last", () => {
    registrations.limits = { inAll: 1000, perClient: 1000 };
    for (let i = 1; i <= 30; i++) register("LAB", `192.0.2.${i}`, { suffix: 0x1c, nbFlags: "e000" });
    const answer = ask("LAB", 0x1c);
    expect(answer.split(", ")).toHaveLength(26);
    expect(answer).not.toContain("192.0.2.5,");
    expect(answer).toContain("192.0.2.30");
  });

  test.each([
    ["WPAD", "192.0.2.9", {}, "ad85, 6000 192.0.2.9"],
    ["isatap", "192.0.2.9", { suffix: 0 }, "ad85, 6000 192.0.2.9"],
    ["SMB", "192.0.2.9", { suffix: 0x1d }, "ad80, 6000 192.0.2.9"],
    ["NODE1", "203.0.113.1", {}, "ad80, 6000 203.0.113.1"],
    ["NODE1", "0.0.0.0", {}, "ad80, 6000 0.0.0.0"],
  ])("%s at %s is not kept", (label, address, options, answer) => {
    expect(register(label, address, options, "192.0.2.9")).toBe(answer);
    expect(registrations.size).toBe(0);
  });

  test.each([
    ["no record", query("NODE1", { flags: "2900" })],
    [
      "two addresses",
      bytes(hexOf(registration("NODE1", "192.0.2.9")).replace("0006", "000c") + "6000c0000208"),
    ],
    ["a record cut short", registration("NODE1", "192.0.2.9").subarray(0, 66)],
  ])("with %s is malformed", (_, packet) => {
    expect(told(send(packet)).slice(0, 4)).toBe("ad81");
    expect(registrations.size).toBe(0);
  });

  test("limits: of one client, in all; a renewal needs no room", () => {
    for (let i = 0; i < 6; i++) register(`A${i}`, "192.0.2.21");
    expect(register("A6", "192.0.2.21")).toBe("ad85, 6000 192.0.2.21");
    expect(register("A5", "192.0.2.21")).toBe("ad80, 6000 192.0.2.21");
    for (let i = 0; i < 14; i++) register(`B${i}`, `192.0.2.${30 + i}`);
    expect(register("C", "192.0.2.60")).toBe("ad82, 6000 192.0.2.60");
    expect(register("B13", "192.0.2.43")).toBe("ad80, 6000 192.0.2.43");
    expect(registrations.size).toBe(20);
  });
});

function hexOf(packet: Uint8Array): string {
  return Buffer.from(packet).toString("hex");
}

function challenge(label: string, address: string): Extract<NameOutcome, { kind: "challenge" }> {
  const outcome = send(registration(label, address), address);
  if (outcome.kind !== "challenge") throw new Error(`${outcome.kind}, and a challenge was expected`);
  return outcome;
}

describe("conflicts", () => {
  test("the owner is asked; where it defends its name, the newcomer is refused", () => {
    register("NODE1", "192.0.2.21");
    const { owner, settle, bytes: wait } = challenge("NODE1", "192.0.2.22");
    expect([owner, hexOf(wait).slice(4, 8)]).toEqual(["192.0.2.21", "bc00"]);
    expect(told(settle(["192.0.2.21"], now))).toBe("ad86, 6000 192.0.2.22");
    expect(ask("NODE1")).toBe("8580, 6000 192.0.2.21");
  });

  test("where it denies or keeps silent, the newcomer has the name", () => {
    register("NODE1", "192.0.2.21");
    const settled = challenge("NODE1", "192.0.2.22").settle(undefined, now);
    expect(told(settled)).toBe("ad80, 6000 192.0.2.22");
    expect(settled).toMatchObject({ lost: [{ address: "192.0.2.21", source: "192.0.2.21" }] });
    expect(ask("NODE1")).toBe("8580, 6000 192.0.2.22");
  });

  test("where it has the other address too, it is one host", () => {
    register("NODE1", "192.0.2.21");
    const { settle } = challenge("NODE1", "192.0.2.22");
    expect(told(settle(["192.0.2.21", "192.0.2.22"], now))).toBe("ad80, 6000 192.0.2.22");
    expect(ask("NODE1")).toBe("8580, 6000 192.0.2.21, 6000 192.0.2.22");
  });

  test("somebody else's word on the owner's address is the owner's to confirm", () => {
    register("NODE1", "192.0.2.21");
    expect(send(registration("NODE1", "192.0.2.21"), "192.0.2.66").kind).toBe("challenge");
  });

  test.each([
    { what: "another host", nbFlags: "6000", answer: "8580, 6000 192.0.2.23" },
    { what: "a group", nbFlags: "e000", answer: "8580, e000 255.255.255.255" },
  ])("$what that registered it while its owner was asked, keeps it", ({ nbFlags, answer }) => {
    for (const owned of [undefined, ["192.0.2.22"]]) {
      registrations.clear();
      register("NODE1", "192.0.2.21");
      const { settle } = challenge("NODE1", "192.0.2.22");
      send(registration("NODE1", "192.0.2.21", { flags: "3000" }), "192.0.2.21");
      register("NODE1", "192.0.2.23", { nbFlags });
      expect(told(settle(owned, now))).toBe("ad86, 6000 192.0.2.22");
      expect(ask("NODE1")).toBe(answer);
    }
  });

  test("a host and a group never have one name", () => {
    register("NODE1", "192.0.2.21");
    expect(register("NODE1", "192.0.2.22", { nbFlags: "e000" })).toBe("ad86, e000 192.0.2.22");
    register("WORK", "192.0.2.21", { nbFlags: "e000" });
    expect(register("WORK", "192.0.2.22")).toBe("ad86, 6000 192.0.2.22");
  });

  test("an owner whose time is up is not asked", () => {
    register("NODE1", "192.0.2.21", { suffix: 0 });
    now += HOUR;
    expect(register("NODE1", "192.0.2.22", { suffix: 0, nbFlags: "e000" })).toBe("ad80, e000 192.0.2.22");
    expect(registrations.expire(now)).toMatchObject([{ address: "192.0.2.21", group: false }]);
  });
});

const release = (address: string, from = address): NameOutcome =>
  send(registration("NODE1", address, { flags: "3000" }), from);

describe("release", () => {
  test("takes the name away; again, it is released well", () => {
    register("NODE1", "192.0.2.21");
    expect(release("192.0.2.21")).toMatchObject({ kind: "released", lost: { address: "192.0.2.21" } });
    expect(ask("NODE1")).toBe("8583");
    expect(told(release("192.0.2.21"))).toBe("b400, 6000 192.0.2.21");
    expect(registrations.size).toBe(0);
  });

  test("is refused to others", () => {
    register("NODE1", "192.0.2.21");
    expect(told(release("192.0.2.21", "192.0.2.66"))).toBe("b406, 6000 192.0.2.21");
    expect(ask("NODE1")).toBe("8580, 6000 192.0.2.21");
  });

  test("of an address that the name does not have leaves the name", () => {
    register("NODE1", "192.0.2.21");
    expect(told(release("192.0.2.22"))).toBe("b400, 6000 192.0.2.22");
    expect(ask("NODE1")).toBe("8580, 6000 192.0.2.21");
  });

  test("without an address is malformed", () => {
    expect(told(send(query("NODE1", { flags: "3000" })))).toBe("b401");
  });
});

test("a registered name that a zone came to have later is the zone's", () => {
  registrations.add(
    netbiosName("FS1", 0),
    { flags: 0x6000, address: "192.0.2.66" },
    "192.0.2.66",
    now + HOUR,
  );
  expect(ask("FS1", 0)).toBe("8580, 6000 192.0.2.1");
});
