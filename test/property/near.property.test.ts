/** Answers by place, for any networks, clients and addresses: the same records always, and each before those farther away. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { ipv4ToText, ipv6ToText } from "../../src/wire/rdata/address.ts";
import { record } from "../../src/wire/record.ts";
import { ZoneImage } from "../../src/zone/image/image.ts";
import type { NearNetwork } from "../../src/zone/near.ts";
import { nearNetworks } from "../../src/zone/near.ts";
import { soaRecord } from "../support/model.ts";
import { SEED, Served } from "../support/zones.ts";

const APEX = Name.parse("example.");
const HOST = Name.parse("cap.example.");

/** An address as one number, a few bits of which vary wherever they stand: so that all prefixes are met. */
const addressOf = (bits: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: bits - 1 }), fc.boolean()), { maxLength: 4 })
    .map((flips) =>
      flips.reduce((sum, [at, set]) => (set ? sum | (1n << BigInt(at)) : sum), 10n << BigInt(bits - 8)),
    );

function octetsOf(address: bigint, bits: number): Uint8Array {
  return Uint8Array.from({ length: bits / 8 }, (_, i) =>
    Number((address >> BigInt(bits - 8 - 8 * i)) & 0xffn),
  );
}

const prefixOf = (address: bigint, length: number, bits: number): bigint => address >> BigInt(bits - length);

function networkOf(address: bigint, length: number, bits: number): NearNetwork {
  const base = prefixOf(address, length, bits) << BigInt(bits - length);
  const words = Array.from({ length: bits / 32 }, (_, i) =>
    Number((base >> BigInt(bits - 32 - 32 * i)) & 0xffff_ffffn),
  );
  return { base: words, length };
}

test.each([32, 128])("addresses of %d bits", (bits) => {
  const address = addressOf(bits);
  const length = fc.integer({ min: 0, max: bits });
  const situation = fc.record({
    client: address,
    addresses: fc.uniqueArray(address, { minLength: 1, maxLength: 12 }),
    networks: fc.array(fc.record({ address, length }), { maxLength: 5 }),
    own: fc.option(fc.integer({ min: 1, max: bits })),
    tcp: fc.boolean(),
  });
  fc.assert(
    fc.property(situation, ({ client, addresses, networks, own, tcp }) => {
      const type = bits === 32 ? RrType.A : RrType.AAAA;
      const list = networks.map((each) => networkOf(each.address, each.length, bits));
      if (own !== null) list.push({ base: undefined, length: own });
      const records = addresses.map((each) => record(HOST, type, 60, octetsOf(each, bits)));
      const image = ZoneImage.build(APEX, [soaRecord(APEX, 1), ...records], SEED);
      const near = bits === 32 ? nearNetworks(list, []) : nearNetworks([], list);
      const served = new Served([image], "test", near);
      const toText = bits === 32 ? ipv4ToText : ipv6ToText;
      const question = `cap.example. ${bits === 32 ? "A" : "AAAA"}`;
      const { answers } = served.ask(question, { client: toText(octetsOf(client, bits)), tcp });

      const answered = answers.map(({ rdata }) =>
        rdata.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n),
      );
      expect(new Set(answered)).toEqual(new Set(addresses));
      expect(answered).toHaveLength(addresses.length);
      // The longest prefix of a network that holds both.
      const nearness = (each: bigint): number => {
        const shared = [...networks, ...(own === null ? [] : [{ address: client, length: own }])]
          .filter((net) => prefixOf(net.address, net.length, bits) === prefixOf(client, net.length, bits))
          .filter((net) => prefixOf(net.address, net.length, bits) === prefixOf(each, net.length, bits));
        return Math.max(0, ...shared.map((net) => net.length));
      };
      const order = answered.map(nearness);
      expect(order).toEqual(order.toSorted((a, b) => b - a));
    }),
    { numRuns: 400 },
  );
});
