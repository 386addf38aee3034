/** Resource record TYPEs and QTYPEs: the IANA registry "Resource Record (RR) TYPEs" (RFC 6895). */

export const RrType = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  RT: 21,
  SIG: 24,
  KEY: 25,
  PX: 26,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  EUI48: 108,
  EUI64: 109,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
  WINS: 65281,
  WINSR: 65282,
} as const;

const nameOf = new Map<number, string>();
const numberOf = new Map<string, number>();
for (const [name, number] of Object.entries(RrType)) {
  // Windows writes WINS-R with a hyphen; the constant cannot.
  const text = name === "WINSR" ? "WINS-R" : name;
  nameOf.set(number, text);
  numberOf.set(text, number);
}

/** The mnemonic of a type, or `TYPEn` (RFC 3597 §5) where it has none. */
export function typeToText(type: number): string {
  return nameOf.get(type) ?? `TYPE${type}`;
}

/** The number of a mnemonic or `TYPEn` in any case; undefined where the text is neither. */
export function typeFromText(text: string): number | undefined {
  const upper = text.toUpperCase();
  const known = numberOf.get(upper);
  if (known !== undefined) return known;
  const generic = /^TYPE([0-9]{1,5})$/.exec(upper);
  if (generic === null) return undefined;
  const number = Number(generic[1]);
  return number <= 0xffff ? number : undefined;
}

/**
 * Whether a type is a QTYPE or meta type, which no zone may hold: 0, OPT, and 128–255 (RFC 6895 §3.1).
 */
export function isMetaType(type: number): boolean {
  return type === 0 || type === RrType.OPT || (type >= 128 && type <= 255);
}

/** Whether an RRset of this type holds one record at most: SOA, CNAME, DNAME (RFC 2136 §3.4.2.2, RFC 6672 §2.4). */
export function isSingleton(type: number): boolean {
  return type === RrType.SOA || type === RrType.CNAME || type === RrType.DNAME;
}
