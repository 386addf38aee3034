/** The sample zones that `npm start` serves: nothing to complain of, documentation addresses only. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { rdataToText } from "../../../src/wire/rdata/rdata.ts";
import { checkZone } from "../../../src/zone/check.ts";
import { parse } from "../../support/zonefile.ts";

const read = (origin: string) =>
  parse(readFileSync(new URL(`../../../zones/${origin}zone`, import.meta.url)), origin);

describe.each(["smb.example.", "2.0.192.in-addr.arpa."])("%s", (origin) => {
  const { records, problems } = read(origin);

  test("is faultless", () => {
    expect(problems).toEqual([]);
    expect(checkZone(Name.parse(origin), records)).toEqual([]);
  });

  test("has addresses of RFC 5737 and RFC 3849 alone", () => {
    const addresses = records
      .filter(({ type }) => type === RrType.A || type === RrType.AAAA)
      .map(({ type, rdata }) => rdataToText(type, rdata));
    expect(addresses.filter((address) => !/^(192\.0\.2\.|2001:db8:)/.test(address))).toEqual([]);
  });
});

test("every address of the reverse zone's subnet that it names is the forward zone's", () => {
  const forward = new Set(
    read("smb.example.")
      .records.filter(({ type }) => type === RrType.A)
      .map(({ name, rdata }) => `${rdata[3]} ${name.key}`),
  );
  const wildcard = Name.parse("*.apps.smb.example.");
  const missing = read("2.0.192.in-addr.arpa.")
    .records.filter(({ type }) => type === RrType.PTR)
    .map(({ name, rdata }) => ({ last: name.toString().split(".")[0], target: Name.fromWire(rdata) }))
    .filter(
      ({ last, target }) => !forward.has(`${last} ${target.key}`) && !forward.has(`${last} ${wildcard.key}`),
    );
  expect(missing).toEqual([]);
});
