/** RDATA as text and on the wire: RFC 1035 §3.3 and §3.4, and the later types of the same simple kind. */
import { describe, expect, test } from "vitest";
import { checkRdata } from "../../../src/wire/rdata/rdata.ts";
import { RdataSyntaxError } from "../../../src/wire/rdata/text.ts";
import { hex, parseRdata, reprint, toHex, typeNumber } from "../../support/rdata.ts";

describe("text to octets and back", () => {
  test.each([
    ["A", "192.0.2.1", "c0000201", "192.0.2.1"],
    ["AAAA", "2001:DB8::0:1", "20010db8000000000000000000000001", "2001:db8::1"],
    ["NS", "ns", "026e73076578616d706c6500", "ns.example."],
    ["CNAME", "Host.Other.", "04486f7374054f7468657200", "Host.Other."],
    ["PTR", "@", "076578616d706c6500", "example."],
    ["MX", "10 mail", "000a046d61696c076578616d706c6500", "10 mail.example."],
    ["TXT", 'a "b c" ""', "01610362206300", '"a" "b c" ""'],
    ["TXT", '"q\\"\\\\\\007"', "0471225c07", '"q\\"\\\\\\007"'],
    ["TXT", "é", "02c3a9", '"\\195\\169"'],
    ["HINFO", "INTEL-386 WIN32", "09494e54454c2d3338360557494e3332", '"INTEL-386" "WIN32"'],
    ["MINFO", "a. b.", "016100016200", "a. b."],
    [
      "SOA",
      "ns hostmaster 2024010101 1h 15m 2w 60",
      "026e73076578616d706c65000a686f73746d6173746572076578616d706c6500 78a3f175 00000e10 00000384 00127500 0000003c",
      "ns.example. hostmaster.example. 2024010101 3600 900 1209600 60",
    ],
    ["SRV", "0 5 445 fs1", "0000000501bd03667331076578616d706c6500", "0 5 445 fs1.example."],
    [
      "NAPTR",
      '100 10 "U" "E2U+sip" "!^.*$!sip:a@b!" .',
      "0064000a01550745 3255 2b736970 0e215e2e2a24217369703a61406221 00",
      '100 10 "U" "E2U+sip" "!^.*$!sip:a@b!" .',
    ],
    ["RP", "admin .", "0561646d696e076578616d706c650000", "admin.example. ."],
    ["AFSDB", "1 a.", "0001016100", "1 a."],
    ["DNAME", "a.", "016100", "a."],
    ["URI", '10 1 "ftp://a/b"', "000a00016674703a2f2f612f62", '10 1 "ftp://a/b"'],
    ["SSHFP", "4 2 ab CD", "0402abcd", "4 2 ABCD"],
    ["TLSA", "3 1 1 0011 22", "030101001122", "3 1 1 001122"],
    ["DS", "60485 RSASHA1 1 2bb1", "ec4505012bb1", "60485 5 1 2BB1"],
    ["DNSKEY", "257 3 ED25519 AQ ID BA==", "0101030f01020304", "257 3 15 AQIDBA=="],
    [
      "DHCID",
      "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
      "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40",
      "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    ],
    ["EUI48", "00-00-5e-00-53-2a", "00005e00532a", "00-00-5e-00-53-2a"],
    ["EUI64", "00-00-5E-ef-10-00-00-2a", "00005eef1000002a", "00-00-5e-ef-10-00-00-2a"],
    ["OPENPGPKEY", "AQID", "010203", "AQID"],
  ])("%s %s", (type, text, wire, printed) => {
    expect(toHex(parseRdata(type, text))).toBe(toHex(hex(wire)));
    expect(reprint(type, text)).toBe(printed);
    expect(reprint(type, printed)).toBe(printed);
  });
});

describe("text that is refused, and what is said", () => {
  test.each([
    ["A", "192.0.2", 'an IPv4 address was expected, and "192.0.2" was found'],
    ["A", "192.0.2.01", 'an IPv4 address was expected, and "192.0.2.01" was found'],
    ["A", "", "an IPv4 address was expected, and the record ends"],
    ["A", "192.0.2.1 192.0.2.2", 'the end of the A record was expected, and "192.0.2.2" was found'],
    ["A", '"192.0.2.1"', "an IPv4 address was expected, and a quoted string was found"],
    ["AAAA", "1::2::3", 'an IPv6 address was expected, and "1::2::3" was found'],
    ["AAAA", "fe80::1%eth0", 'an IPv6 address was expected, and "fe80::1%eth0" was found'],
    ["MX", "mail 10", 'a preference (a number from 0 to 65535) was expected, and "mail" was found'],
    ["MX", "65536 mail", 'a preference (a number from 0 to 65535) was expected, and "65536" was found'],
    ["MX", "-1 mail", 'a preference (a number from 0 to 65535) was expected, and "-1" was found'],
    ["MX", "10", "a mail exchanger's name was expected, and the record ends"],
    ["NS", "a..b", `a name server's name was expected: an empty label in "a..b"`],
    ["TXT", "", "a character-string was expected, and the record ends"],
    ["TXT", `"${"x".repeat(256)}"`, "a character-string has at most 255 octets, and this has 256"],
    ["SOA", "ns h 1 1x 1 1 1", 'a refresh time (seconds, or as in 1h30m) was expected, and "1x" was found'],
    [
      "SOA",
      "ns h 4294967296 1 1 1 1",
      'a serial number (a number from 0 to 4294967295) was expected, and "4294967296" was found',
    ],
    ["SSHFP", "4 2 abc", 'a fingerprint in pairs of hexadecimal digits was expected, and "abc" was found'],
    ["DNSKEY", "257 3 15 A", 'a public key in Base64 was expected, and "A" was found'],
    [
      "DS",
      "1 NOSUCH 1 00",
      'a DNSSEC algorithm (a number from 0 to 255) was expected, and "NOSUCH" was found',
    ],
    ["EUI48", "00-00-5e-00-53", 'an EUI-48 address was expected, and "00-00-5e-00-53" was found'],
    ["URI", '1 1 ""', 'a URI was expected, and "" was found'],
    ["NULL", "abc", 'RDATA of type NULL in the form \\# LENGTH HEX was expected, and "abc" was found'],
  ])("%s %s", (type, text, message) => {
    expect(() => parseRdata(type, text)).toThrow(new RdataSyntaxError(message));
  });
});

describe("octets that are refused", () => {
  test.each([
    ["A", ""],
    ["A", "c00002"],
    ["AAAA", "c0000201"],
    ["NS", ""],
    ["NS", "0161"],
    ["NS", "01610000"],
    ["NS", "c000"],
    ["MX", "000a"],
    ["TXT", ""],
    ["TXT", "0261"],
    ["TXT", "016105"],
    ["HINFO", "0161"],
    ["HINFO", "0161016200"],
    ["SOA", "0000 00000001 00000001 00000001 00000001 000001"],
    ["SOA", "0000 00000001 00000001 00000001 00000001 00000001 00"],
    ["SRV", "000000000000"],
    ["SSHFP", "0402"],
    ["DS", "ec450501"],
    ["URI", "00010001"],
    ["CAA", "00"],
    ["CAA", "0000"],
    ["CAA", "00012d"],
    ["CAA", "00056973"],
    ["TSIG", "00"],
    ["TKEY", "00 00000000 00000000 0003 0000 0001 0000"],
  ])("%s %j", (type, wire) => {
    expect(() => checkRdata(typeNumber(type), hex(wire))).toThrow(
      expect.objectContaining({ name: "WireError" }),
    );
  });
});
