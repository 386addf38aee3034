/** The table of NetBIOS registrations against a model of it: the same is found, counted, refused and forgotten. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { netbiosName, readNetbiosName } from "../../src/netbios/name.ts";
import { NB_GROUP } from "../../src/netbios/packet.ts";
import { Registrations } from "../../src/netbios/registrations.ts";

const LIMITS = { inAll: 12, perClient: 5 };
const label = fc.constantFrom("A", "B", "C", "D");
const client = fc.integer({ min: 1, max: 5 }).map((i) => `192.0.2.${i}`);
const address = fc.integer({ min: 1, max: 8 }).map((i) => `198.51.100.${i}`);

const step = fc.oneof(
  fc.record({
    do: fc.constant("add" as const),
    label,
    address,
    client,
    group: fc.boolean(),
    ttl: fc.integer({ min: 1, max: 50 }),
  }),
  fc.record({ do: fc.constant("remove" as const), label, address }),
  fc.record({ do: fc.constant("wait" as const), time: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ do: fc.constant("expire" as const) }),
);

interface Row {
  readonly label: string;
  readonly address: string;
  readonly client: string;
  readonly group: boolean;
  readonly expires: number;
}

test("any sequence of registrations, releases and time", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const table = new Registrations(LIMITS);
      let rows: Row[] = [];
      let untold: Row[] = [];
      let now = 0;
      for (const each of steps) {
        let same: [what: unknown, shouldBe: unknown] = [0, 0];
        if (each.do === "wait") now += each.time;
        else if (each.do === "expire") {
          const old = rows.filter(({ expires }) => expires <= now);
          same = [table.expire(now).length, old.length + untold.length];
          rows = rows.filter((row) => !old.includes(row));
          untold = [];
        } else if (each.do === "remove") {
          const found = rows.find((row) => row.label === each.label && row.address === each.address);
          const lost = table.remove(netbiosName(each.label, 0), each.address);
          same = [lost?.source, found?.client];
          rows = rows.filter((row) => row !== found);
        } else {
          const name = netbiosName(each.label, 0);
          const live = rows.filter((row) => row.label === each.label && row.expires > now);
          // The caller's part: a host and a group never have one name.
          if (live.some((row) => row.group !== each.group)) continue;
          const dropped = rows.filter((row) => row.label === each.label && row.group !== each.group);
          untold.push(...dropped);
          rows = rows.filter((row) => !dropped.includes(row));
          const known = rows.find((row) => row.label === each.label && row.address === each.address);
          const own = rows.filter((row) => row.client === each.client).length;
          const flags = each.group ? NB_GROUP : 0;
          const added = table.add(name, { flags, address: each.address }, each.client, now + each.ttl);
          let should = known === undefined ? "new" : "renewed";
          if (known?.client !== each.client && own >= LIMITS.perClient) should = "perClient";
          else if (known === undefined && rows.length >= LIMITS.inAll) should = "inAll";
          same = [added, should];
          if (should === "new" || should === "renewed") {
            rows = rows.filter((row) => row !== known);
            rows.push({ ...each, expires: now + each.ttl });
          }
        }
        expect(same[0]).toBe(same[1]);
        expect([table.size, table.names]).toEqual([rows.length, new Set(rows.map((row) => row.label)).size]);
        for (const wanted of ["A", "B", "C", "D"]) {
          const live = rows.filter((row) => row.label === wanted && row.expires > now);
          const found = table.find(netbiosName(wanted, 0), now);
          expect([...(found?.held.keys() ?? [])].toSorted()).toEqual(
            live.map((row) => row.address).toSorted(),
          );
        }
      }
    }),
  );
});

test("every name of fifteen octets and a suffix comes back as it went", () => {
  const octets = fc.uint8Array({ minLength: 0, maxLength: 15 });
  fc.assert(
    fc.property(octets, fc.integer({ min: 0, max: 255 }), (bytes, suffix) => {
      const name = netbiosName(String.fromCharCode(...bytes), suffix);
      const read = readNetbiosName(name.wire, 0)!;
      expect(read).toEqual(name);
      expect(read.label).toBe(String.fromCharCode(...bytes).replace(/[ \0]+$/, ""));
    }),
  );
});
