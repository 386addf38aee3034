/** RFC 9460: the test vectors of appendix D, and the rules of §2, §7 and §8 around them. */
import { describe, expect, test } from "vitest";
import { RrType } from "../../../src/wire/iana/type.ts";
import { checkRdata, rdataFromText, rdataToText } from "../../../src/wire/rdata/rdata.ts";
import { Name } from "../../../src/wire/name.ts";
import { fieldsOf, hex, parseRdata, reprint, toHex } from "../../support/rdata.ts";

const foo = "03666f6f076578616d706c6503636f6d00";

describe("appendix D.1 and D.2", () => {
  test.each([
    ["alias form", "0 foo.example.com.", `0000 ${foo}`, "0 foo.example.com."],
    ["target .", "1 .", "0001 00", "1 ."],
    ["a port", "16 foo.example.com. port=53", `0010 ${foo} 0003 0002 0035`, "16 foo.example.com. port=53"],
    [
      "a generic key",
      "1 foo.example.com. key667=hello",
      `0001 ${foo} 029b 0005 68656c6c6f`,
      '1 foo.example.com. key667="hello"',
    ],
    [
      "a generic key, quoted, with an escape",
      '1 foo.example.com. key667="hello\\210qoo"',
      `0001 ${foo} 029b 0009 68656c6c6fd2716f6f`,
      '1 foo.example.com. key667="hello\\210qoo"',
    ],
    [
      "two IPv6 hints",
      '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
      `0001 ${foo} 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001`,
      "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1",
    ],
    [
      "keys sorted, mandatory among them",
      "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
      "0010 03666f6f076578616d706c65036f726700 0000 0004 0001 0004 0001 0009 02 6832 05 68332d3139 0004 0004 c0000201",
      '16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1',
    ],
    [
      "a comma and a backslash in an alpn, quoted",
      '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
      "0010 03666f6f076578616d706c65036f726700 0001 000c 08 665c6f6f2c626172 02 6832",
      '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
    ],
    [
      "the same unquoted",
      "16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2",
      "0010 03666f6f076578616d706c65036f726700 0001 000c 08 665c6f6f2c626172 02 6832",
      '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
    ],
  ])("%s", (_, text, wire, printed) => {
    for (const type of ["SVCB", "HTTPS"]) {
      expect(toHex(parseRdata(type, text))).toBe(toHex(hex(wire)));
      expect(reprint(type, text)).toBe(printed);
      expect(reprint(type, printed)).toBe(printed);
    }
  });
});

describe("appendix D.3: refused", () => {
  test.each([
    ["a key given twice", "1 foo.example.com. key123=abc key123=def", /key123 is given twice/],
    ["mandatory without a value", "1 foo.example.com. mandatory", /mandatory/],
    ["alpn without a value", "1 foo.example.com. alpn", /alpn/],
    ["port without a value", "1 foo.example.com. port", /port/],
    ["ipv4hint without a value", "1 foo.example.com. ipv4hint", /ipv4hint|IPv4/],
    ["ipv6hint without a value", "1 foo.example.com. ipv6hint", /ipv6hint|IPv6/],
    ["no-default-alpn with a value", "1 foo.example.com. no-default-alpn=abc", /no value/],
    [
      "a mandatory key that is not there",
      "1 foo.example.com. mandatory=key123",
      /key123 is called mandatory/,
    ],
    ["mandatory in its own list", "1 foo.example.com. mandatory=mandatory", /mandatory/],
    ["a key twice in mandatory", "1 foo.example.com. mandatory=key123,key123 key123=abc", /increase/],
  ])("%s", (_, text, message) => {
    expect(() => parseRdata("SVCB", text)).toThrow(message);
  });
});

describe("§2.1 and §7: text", () => {
  test.each([
    ["a known key by its number takes wire octets", "1 . key3=\\001\\189", "1 . port=445"],
    ["a flag", "1 . alpn=h2 no-default-alpn", '1 . alpn="h2" no-default-alpn'],
    ["an empty generic key", "1 . key9999", "1 . key9999"],
    ["an ECH configuration", "1 . ech=AQID", "1 . ech=AQID"],
    ["a DoH path", '1 . dohpath="/q{?dns}"', '1 . dohpath="/q{?dns}"'],
    ["keys in any case", "1 . PORT=1", "1 . port=1"],
  ])("%s", (_, text, printed) => {
    expect(reprint("SVCB", text)).toBe(printed);
  });

  test.each([
    ["1 . port=65536", /port/],
    ["1 . port=x", /port/],
    ["1 . key65535=x", /SvcParam/],
    ["1 . key01=x", /SvcParam/],
    ["1 . nosuch=x", /SvcParam/],
    ["1 . ipv4hint=1.2.3", /IPv4/],
    ["1 . ipv4hint=1.2.3.4,", /IPv4/],
    ["1 . ech=A", /Base64/],
    ["1 . alpn=,", /protocol identifier/],
    ["1 . no-default-alpn", /needs alpn/],
    ["1 . key3=x", /two octets/],
    ["1", /target/],
  ])("%s is refused", (text, message) => {
    expect(() => parseRdata("SVCB", text)).toThrow(message);
  });

  test("a value in quotes may come as a field of its own", () => {
    const fields = [
      { text: "1", quoted: false },
      { text: ".", quoted: false },
      { text: "alpn=", quoted: false },
      { text: "h2,h3", quoted: true },
    ];
    expect(rdataToText(RrType.SVCB, rdataFromText(RrType.SVCB, fieldsOf(fields, Name.root)))).toBe(
      '1 . alpn="h2,h3"',
    );
  });
});

describe("§2.2: octets that are refused", () => {
  test.each([
    ["keys that do not increase", "0001 00 0004 0004 c0000201 0003 0002 0035"],
    ["a key twice", "0001 00 0003 0002 0035 0003 0002 0035"],
    ["a value cut short", "0001 00 0003 0004 0035"],
    ["half a key", "0001 00 00"],
    ["a port of three octets", "0001 00 0003 0003 003500"],
    ["an empty alpn", "0001 00 0001 0000"],
    ["an alpn with an empty identifier", "0001 00 0001 0001 00"],
    ["an alpn cut short", "0001 00 0001 0002 0268"],
    ["an IPv4 hint of five octets", "0001 00 0004 0005 c000020101"],
    ["an IPv6 hint of four octets", "0001 00 0006 0004 c0000201"],
    ["mandatory naming what is not there", "0001 00 0000 0002 0003"],
    ["mandatory naming itself", "0001 00 0000 0002 0000"],
    ["no-default-alpn alone", "0001 00 0002 0000"],
    ["a pointer as target", "0001 c000"],
  ])("%s", (_, wire) => {
    expect(() => checkRdata(RrType.SVCB, hex(wire))).toThrow(expect.objectContaining({ name: "WireError" }));
  });
});
