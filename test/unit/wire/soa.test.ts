import { expect, test } from "vitest";
import { readSoa, soaMinimum, soaSerial, withSerial, writeSoa } from "../../../src/wire/rdata/soa.ts";
import { hex, parseRdata } from "../../support/rdata.ts";

const rdata = parseRdata("SOA", "ns hostmaster 4294967295 1h 15m 2w 60");

test("fields by name", () => {
  const soa = readSoa(rdata);
  expect({ ...soa, mname: String(soa.mname), rname: String(soa.rname) }).toEqual({
    mname: "ns.example.",
    rname: "hostmaster.example.",
    serial: 4_294_967_295,
    refresh: 3600,
    retry: 900,
    expire: 1_209_600,
    minimum: 60,
  });
  expect(writeSoa(soa)).toEqual(rdata);
});

test("serial and minimum without reading the names, from a view too", () => {
  const framed = Uint8Array.from([1, 2, ...rdata, 3]).subarray(2, -1);
  expect(soaSerial(framed)).toBe(4_294_967_295);
  expect(soaMinimum(framed)).toBe(60);
});

test("withSerial copies", () => {
  const next = withSerial(rdata, 1);
  expect(soaSerial(next)).toBe(1);
  expect(soaSerial(rdata)).toBe(4_294_967_295);
});

test.each(["", "00 00", "0000 00000001 00000001 00000001 00000001 0000000100"])("%j is no SOA", (text) => {
  expect(() => readSoa(hex(text))).toThrow(expect.objectContaining({ name: "WireError" }));
});
