/** OPCODEs, RCODEs, TSIG errors, EDNS options and Extended DNS Errors: the IANA "DNS Parameters" registries. */

export const Opcode = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const;

export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  /** Extended: needs OPT (RFC 6891 §6.1.3). */
  BADVERS: 16,
} as const;

/** TSIG and TKEY error field values (RFC 8945 §3, RFC 2930 §2.6). */
export const TsigError = {
  NOERROR: 0,
  BADSIG: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADMODE: 19,
  BADNAME: 20,
  BADALG: 21,
  BADTRUNC: 22,
} as const;

export const EdnsOption = {
  UPDATE_LEASE: 2,
  NSID: 3,
  CLIENT_SUBNET: 8,
  EXPIRE: 9,
  COOKIE: 10,
  KEEPALIVE: 11,
  PADDING: 12,
  EDE: 15,
} as const;

/** Extended DNS Error INFO-CODEs (RFC 8914 §4). */
export const Ede = {
  OTHER: 0,
  STALE_ANSWER: 3,
  NOT_READY: 14,
  BLOCKED: 15,
  PROHIBITED: 18,
  STALE_NXDOMAIN_ANSWER: 19,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
  NO_REACHABLE_AUTHORITY: 22,
  NETWORK_ERROR: 23,
  INVALID_DATA: 24,
} as const;

const rcodeNames = new Map<number, string>(Object.entries(Rcode).map(([name, number]) => [number, name]));
const tsigNames = new Map<number, string>(Object.entries(TsigError).map(([name, number]) => [number, name]));
const opcodeNames = new Map<number, string>(Object.entries(Opcode).map(([name, number]) => [number, name]));

/** The mnemonic of an RCODE, or `RCODEn`. */
export function rcodeToText(rcode: number): string {
  return rcodeNames.get(rcode) ?? `RCODE${rcode}`;
}

/** The mnemonic of a TSIG error, or `TSIGn`. */
export function tsigErrorToText(error: number): string {
  return tsigNames.get(error) ?? `TSIG${error}`;
}

/** The mnemonic of an OPCODE, or `OPCODEn`. */
export function opcodeToText(opcode: number): string {
  return opcodeNames.get(opcode) ?? `OPCODE${opcode}`;
}
