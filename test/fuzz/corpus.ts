/** Messages that fuzzing starts from: what the server is really sent, and what has broken decoders elsewhere. */
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { writeTkey } from "../../src/wire/tkey.ts";
import { writeTsig } from "../../src/wire/tsig.ts";
import { WireWriter } from "../../src/wire/writer.ts";
import { hex, parseRdata, typeNumber } from "../support/rdata.ts";

const zone = Name.parse("smb.example.");
const none = new Uint8Array(0);

function rr(owner: string, type: string, text: string, rrClass: number = RrClass.IN): ResourceRecord {
  const rdata = text === "" ? none : parseRdata(type, text, "smb.example.");
  return { name: Name.parse(owner, zone), type: typeNumber(type), class: rrClass, ttl: 1200, rdata };
}

const soa = rr("@", "SOA", "ns1 hostmaster 7 1h 15m 2w 60");

/** An update as a Windows host sends it: CNAME must not exist, old addresses out, new ones in (RFC 2136). */
const update = encodeMessage({
  id: 0x1234,
  flags: 0x2800,
  rcode: 0,
  questions: [{ name: zone, type: RrType.SOA, class: RrClass.IN }],
  answers: [
    { ...rr("fs1", "CNAME", "", RrClass.NONE), ttl: 0 },
    { ...rr("fs1", "A", "192.0.2.9"), ttl: 0 },
  ],
  authorities: [
    { ...rr("fs1", "AAAA", "", RrClass.ANY), ttl: 0 },
    { ...rr("fs1", "A", "192.0.2.9", RrClass.NONE), ttl: 0 },
    rr("fs1", "A", "192.0.2.10"),
    rr("_smb._tcp", "SRV", "0 0 445 fs1"),
  ],
});

function signed(message: Uint8Array): Uint8Array {
  const writer = new WireWriter();
  writer.bytes(message);
  writeTsig(writer, {
    keyName: Name.parse("dhcp.smb.example."),
    algorithm: Name.parse("hmac-sha256."),
    timeSigned: 1_700_000_000,
    fudge: 300,
    mac: new Uint8Array(32).fill(0xa5),
    originalId: 0x1234,
    error: 0,
    other: none,
  });
  writer.patchU16(10, (message[10]! << 8) + message[11]! + 1);
  return writer.finish();
}

function tkeyQuery(): Uint8Array {
  const name = Name.parse("1234.sig-host.smb.example.");
  const writer = new WireWriter();
  writer.bytes(
    encodeMessage({
      id: 1,
      flags: 0,
      rcode: 0,
      questions: [{ name, type: RrType.TKEY, class: RrClass.ANY }],
    }),
  );
  writeTkey(writer, {
    keyName: name,
    algorithm: Name.parse("gss-tsig."),
    inception: 1_700_000_000,
    expiration: 1_700_086_400,
    mode: 3,
    error: 0,
    key: new Uint8Array(64).fill(0x60),
    other: none,
  });
  writer.patchU16(10, 1);
  return writer.finish();
}

/** A reply that holds most types. */
const everything = encodeMessage({
  id: 2,
  flags: 0x8400,
  rcode: 0,
  questions: [{ name: zone, type: RrType.AXFR, class: RrClass.IN }],
  answers: [
    soa,
    rr("@", "NS", "ns1"),
    rr("@", "MX", "10 mail"),
    rr("ns1", "A", "192.0.2.1"),
    rr("ns1", "AAAA", "2001:db8::1"),
    rr("txt", "TXT", 'one "two three"'),
    rr("info", "HINFO", "PC WINDOWS"),
    rr("rp", "RP", "admin txt"),
    rr("afs", "AFSDB", "1 ns1"),
    rr("loc", "LOC", "52 14 5 N 0 8 50 E 10m"),
    rr("naptr", "NAPTR", '100 10 "U" "E2U+sip" "!^.*$!sip:a@b!" .'),
    rr("old", "DNAME", "new"),
    rr("ssh", "SSHFP", "4 2 0011223344"),
    rr("_443._tcp", "TLSA", "3 1 1 0011223344"),
    rr("sub", "DS", "60485 8 2 0011223344"),
    rr("@", "DNSKEY", "257 3 15 AQIDBA=="),
    rr("dhcp", "DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="),
    rr(
      "_dns",
      "SVCB",
      "1 ns1 mandatory=port alpn=h2,h3 port=853 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 dohpath=/q{?dns}",
    ),
    rr("www", "HTTPS", "0 ns1"),
    rr("uri", "URI", '10 1 "https://smb.example/"'),
    rr("@", "CAA", '0 issue "ca.example"'),
    rr("@", "WINS", "\\# 20 00000000 00000002 00000384 00000001 c0000201"),
    rr("t", "TYPE65280", "\\# 3 010203"),
    soa,
  ],
});

/** `dig +nsid +cookie smb.example SOA`: a query with EDNS options. */
const query = encodeMessage({
  id: 3,
  flags: 0x0120,
  rcode: 0,
  questions: [{ name: Name.parse("SmB.eXaMpLe."), type: RrType.SOA, class: RrClass.IN }],
  edns: {
    udpPayload: 1232,
    version: 0,
    extendedRcode: 0,
    dnssecOk: true,
    options: [
      { code: 3, data: none },
      { code: 10, data: hex("0102030405060708") },
    ],
  },
});

const ixfr = encodeMessage({
  id: 4,
  flags: 0,
  rcode: 0,
  questions: [{ name: zone, type: RrType.IXFR, class: RrClass.IN }],
  authorities: [soa],
});

const notify = encodeMessage({
  id: 5,
  flags: 0x2400,
  rcode: 0,
  questions: [{ name: zone, type: RrType.SOA, class: RrClass.IN }],
  answers: [soa],
});

/** Pointer chains and bounds that have hurt other decoders. */
const hostile = [
  // A name that points to itself; two that point to one another.
  "0001 0000 0001 0000 0000 0000 c00c 0001 0001",
  "0001 0000 0002 0000 0000 0000 c010 0001 0001 c00c 0001 0001",
  // Counts far beyond the octets.
  "0001 2800 ffff ffff ffff ffff 00 0006 0001",
  // A name in RDATA that would run past RDLENGTH into the next record.
  "0001 0000 0000 0002 0000 0000 00 0002 0001 00000000 0001 01 61 00 0001 0001 00000000 0004 01020304",
  // TSIG and OPT of no RDATA.
  "0001 0000 0000 0000 0000 0001 00 00fa 00ff 00000000 0000",
  "0001 0000 0000 0000 0000 0001 00 0029 1000 00000000 0000",
  "0001 0000 0000 0000 0000 0001 00 00f9 00ff 00000000 0000",
].map(hex);

export const corpus: readonly Uint8Array[] = [
  query,
  update,
  signed(update),
  signed(query),
  tkeyQuery(),
  everything,
  ixfr,
  notify,
  ...hostile,
];
