/** A server as dig and kdig see it: both families, both transports, who it says it is, and what it refuses. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dig, kdig, nsupdate } from "../support/clients.ts";
import type { Where } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { hasIpv6 } from "../support/sockets.ts";

const V6 = await hasIpv6();
const ZONE = `[[zone]]
name = "smb.example"
file = "smb.zone"
transfer = [{ net = "::1/128" }]
[[zone.update]]
net = "::1/128"
names = ["*.v6.smb.example"]
[[zone.update]]
net = "127.0.0.0/8"
names = ["*.v4.smb.example"]
`;

describeWith(["dig", "kdig", "nsupdate"], "dig and kdig", () => {
  let server: RollcallServer;
  const families: [string, () => Where][] = [
    ["IPv4", () => server],
    ...(V6
      ? [["IPv6", () => ({ address: "::1", port: portOf(server.addresses[1]!) })] as [string, () => Where]]
      : []),
  ];
  beforeAll(async () => {
    server = await RollcallServer.start({
      config: `[server]\nidentity = "node-1.smb.example"\nversion = "Rollcall of the lab"\n${ZONE}`,
      files: { "smb.zone": SMALL_ZONE },
      listen: V6 ? ["127.0.0.1:0", "[::1]:0"] : ["127.0.0.1:0"],
    });
  });
  afterAll(() => server.remove());

  describe.each(families)("%s", (family, where) => {
    test.each(["+notcp", "+tcp"])(
      "%s: answers, authoritative, from the address that was asked",
      async (transport) => {
        for (const program of [dig, kdig]) {
          const printed = await program(where(), "fs1.smb.example", "A", transport);
          expect(printed).toMatchObject({
            status: "NOERROR",
            answer: ["fs1.smb.example. 300 IN A 192.0.2.1"],
          });
          expect(printed.flags).toEqual(expect.arrayContaining(["qr", "aa"]));
          expect(printed.flags).not.toContain("ra");
          // dig says so where an answer comes from elsewhere.
          expect(printed.text).not.toMatch(/unexpected source|mismatch/i);
          expect(printed.text).toMatch(/(SERVER|From)[: ]/);
        }
      },
    );

    test("id.server and version.bind in class CHAOS", async () => {
      expect((await dig(where(), "CH", "TXT", "id.server")).answer).toEqual([
        `id.server. 0 CH TXT "node-1.smb.example"`,
      ]);
      expect((await dig(where(), "CH", "TXT", "hostname.bind")).answer).toEqual([
        `hostname.bind. 0 CH TXT "node-1.smb.example"`,
      ]);
      expect((await dig(where(), "CH", "TXT", "version.bind", "+tcp")).answer).toEqual([
        `version.bind. 0 CH TXT "Rollcall of the lab"`,
      ]);
      expect((await kdig(where(), "CH", "TXT", "version.server")).answer).toEqual([
        `version.server. 0 CH TXT "Rollcall of the lab"`,
      ]);
      expect((await dig(where(), "CH", "TXT", "authors.bind")).status).toBe("REFUSED");
    });

    test("NSID, to who asks for it", async () => {
      const hex = Array.from(Buffer.from("node-1.smb.example"), (octet) =>
        octet.toString(16).padStart(2, "0"),
      ).join(" ");
      for (const name of ["fs1.smb.example", "nobody.smb.example", "elsewhere.example"]) {
        expect((await dig(where(), name, "+nsid")).text).toContain(`; NSID: ${hex} ("node-1.smb.example")`);
      }
      expect((await kdig(where(), "fs1.smb.example", "+nsid")).text).toMatch(
        /NSID: .*"node-1\.smb\.example"/,
      );
      expect((await dig(where(), "fs1.smb.example")).text).not.toContain("NSID");
    });

    test("rules and transfers know the family", async () => {
      const [mine, theirs] = family === "IPv4" ? ["v4", "v6"] : ["v6", "v4"];
      const zone = "zone smb.example";
      expect(
        (await nsupdate(where(), [zone, `update add a.${mine}.smb.example 60 A 192.0.2.1`])).failures,
      ).toEqual([]);
      expect(
        (await nsupdate(where(), [zone, `update add not-${mine}.${theirs}.smb.example 60 A 192.0.2.1`], "-v"))
          .failures,
      ).toEqual(["REFUSED"]);
      const { text } = await kdig(where(), "smb.example", "AXFR");
      expect(text).toMatch(family === "IPv6" ? /fs2\.smb\.example\.\s+300\s+IN\s+A/ : /REFUSED/);
    });
  });

  test("an answer too long for UDP is truncated, and dig comes again by TCP", async () => {
    const adds = Array.from(
      { length: 60 },
      (_, i) => `update add many.v4.smb.example 60 AAAA 2001:db8::${i + 1}`,
    );
    expect((await nsupdate(server, ["zone smb.example", ...adds])).failures).toEqual([]);
    const cut = await dig(server, "many.v4.smb.example", "AAAA", "+ignore");
    expect(cut.flags).toContain("tc");
    expect(cut.text).toMatch(/MSG SIZE {2}rcvd: (\d{1,3}|1[01]\d\d|12[0-2]\d|123[0-2])$/m);
    const small = await dig(server, "many.v4.smb.example", "AAAA", "+ignore", "+noedns");
    expect(Number(/rcvd: (\d+)/.exec(small.text)![1])).toBeLessThanOrEqual(512);
    const whole = await dig(server, "many.v4.smb.example", "AAAA");
    expect(whole.text).toContain("(TCP)");
    expect(whole.answer).toHaveLength(60);
  });

  test.each([
    ["another's name", ["www.elsewhere.example"], "REFUSED"],
    ["the root", [".", "NS"], "REFUSED"],
    ["another class", ["-c", "HS", "fs1.smb.example"], "REFUSED"],
    ["a name that is not there", ["nobody.smb.example"], "NXDOMAIN"],
    ["a type that is not there", ["fs1.smb.example", "AAAA"], "NOERROR"],
    ["an EDNS version to come", ["fs1.smb.example", "+edns=1", "+noednsneg"], "BADVERS"],
    [
      "EDNS options and flags nobody knows",
      ["fs1.smb.example", "+ednsopt=65001:abcdef", "+ednsflags=0x40"],
      "NOERROR",
    ],
    ["a cookie", ["fs1.smb.example", "+cookie=0123456789abcdef"], "NOERROR"],
    ["a client subnet", ["fs1.smb.example", "+subnet=192.0.2.0/24"], "NOERROR"],
  ])("%s", async (_, args, status) => {
    for (const transport of ["+notcp", "+tcp"])
      expect((await dig(server, ...args, transport)).status).toBe(status);
  });
});

describeWith(["dig"], "a server that does not say who it is", () => {
  test("answers neither NSID nor id.server nor version.bind", async () => {
    const server = await RollcallServer.start({
      config: `[server]\nidentity = ""\nversion = ""\n${ZONE}`,
      files: { "smb.zone": SMALL_ZONE },
    });
    try {
      for (const name of ["id.server", "version.bind"])
        expect((await dig(server, "CH", "TXT", name)).status).toBe("REFUSED");
      expect((await dig(server, "fs1.smb.example", "+nsid")).text).not.toContain("NSID");
    } finally {
      await server.remove();
    }
  });
});

function portOf(address: string): number {
  return Number(address.split(":").at(-1));
}
