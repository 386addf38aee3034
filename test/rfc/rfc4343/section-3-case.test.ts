/** RFC 4343: names compare without case and keep it; the question comes back as it was asked ("0x20"). */
import { describe, expect, test } from "vitest";
import { Name } from "../../../src/wire/name.ts";
import { queryOctets, serve } from "../../support/zones.ts";

const served = serve([
  "Example.",
  `$TTL 60
@ SOA Ns h 1 900 300 86400 60
  NS Ns
Ns A 192.0.2.1
HOST A 192.0.2.2
Alias CNAME HoSt
Srv SRV 0 0 445 hOsT
oct\\193 A 192.0.2.3
oct\\225 A 192.0.2.4
a\\091 A 192.0.2.5
`,
]);

describe("RFC 4343", () => {
  test.each(["host.example.", "HOST.EXAMPLE.", "hOsT.eXaMpLe."])(
    "%s is found, and owns the answer as asked",
    (name) => {
      const reply = served.exchange(queryOctets(Name.parse(name), 1)) as Uint8Array;
      const wire = Name.parse(name).wire;
      expect([...reply.subarray(12, 12 + wire.length)]).toEqual([...wire]);
      expect(served.askText(`${name} A`).answer).toEqual([`${name} 60 A 192.0.2.2`]);
    },
  );

  test("names in RDATA keep the case of the zone, and own what follows in it", () => {
    expect(served.askText("ALIAS.example. A").answer).toEqual([
      "ALIAS.example. 60 CNAME HoSt.Example.",
      "HoSt.Example. 60 A 192.0.2.2",
    ]);
    expect(served.askText("srv.EXAMPLE. SRV").additional).toEqual(["hOsT.Example. 60 A 192.0.2.2"]);
  });

  test("§3 only A to Z have another case", () => {
    expect(served.askText("OCT\\193.example. A").answer).toEqual(["OCT\\193.example. 60 A 192.0.2.3"]);
    expect(served.askText("oct\\225.example. A").answer).toEqual(["oct\\225.example. 60 A 192.0.2.4"]);
    expect(served.askText("a\\123.example. A").rcode).toBe("NXDOMAIN");
    expect(served.askText("A\\091.example. A").rcode).toBe("NOERROR");
  });
});
