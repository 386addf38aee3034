/**
 * Keys, fingerprints and rules: CAA (RFC 8659), SSHFP (RFC 4255), TLSA (RFC 6698), SMIMEA (RFC 8162), DS and DNSKEY
 * (RFC 4034), CDS and CDNSKEY (RFC 7344), OPENPGPKEY (RFC 7929), ZONEMD (RFC 8976).
 */
import { WireError } from "../error.ts";
import { RrType } from "../iana/type.ts";
import { numberOrMnemonic, restBase64, restHex, restString, u16, u32, u8 } from "./fields.ts";
import type { Field } from "./fields.ts";
import { row } from "./row.ts";
import type { RowTable } from "./row.ts";
import { expected, nextWord } from "./text.ts";

/** DNSSEC algorithm numbers (IANA "DNS Security Algorithm Numbers"). */
const DNSSEC_ALGORITHMS: Readonly<Record<string, number>> = {
  DELETE: 0,
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  "DSA-NSEC3-SHA1": 6,
  NSEC3DSA: 6,
  "RSASHA1-NSEC3-SHA1": 7,
  NSEC3RSASHA1: 7,
  RSASHA256: 8,
  RSASHA512: 10,
  "ECC-GOST": 12,
  ECCGOST: 12,
  ECDSAP256SHA256: 13,
  ECDSA256: 13,
  ECDSAP384SHA384: 14,
  ECDSA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
};

/** DS digest types (IANA "DS RR Type Digest Algorithms"). */
const DS_DIGESTS: Readonly<Record<string, number>> = {
  "SHA-1": 1,
  SHA1: 1,
  "SHA-256": 2,
  SHA256: 2,
  "SHA-384": 4,
  SHA384: 4,
};

/** A CAA property tag: letters and digits behind a length octet (RFC 8659 §4.1.1). */
const caaTag: Field = {
  skip: (reader) => {
    const at = reader.offset;
    const tag = reader.take(reader.u8());
    if (tag.length === 0 || !tag.every(isAlphanumeric)) {
      throw new WireError("WIRE_RDATA", "a CAA tag that is not of letters and digits", at);
    }
  },
  toText: (reader) => String.fromCharCode(...reader.take(reader.u8())),
  fromText: (source, out) => {
    const what = "a CAA tag of letters and digits";
    const text = nextWord(source, what);
    if (!/^[0-9a-z]{1,255}$/i.test(text)) throw expected(what, { text, quoted: false });
    out.counted8(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  },
};

function isAlphanumeric(octet: number): boolean {
  const lower = octet | 0x20;
  return (octet >= 0x30 && octet <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
}

const algorithm = numberOrMnemonic(1, "a DNSSEC algorithm", DNSSEC_ALGORITHMS);
const delegationSigner = row(
  u16("a key tag"),
  algorithm,
  numberOrMnemonic(1, "a digest type", DS_DIGESTS),
  restHex("a digest"),
);
const publicKey = row(u16("the flags"), u8("a protocol"), algorithm, restBase64("a public key"));
const association = row(
  u8("a certificate usage"),
  u8("a selector"),
  u8("a matching type"),
  restHex("certificate association data"),
);

export const security: RowTable = {
  [RrType.DS]: delegationSigner,
  [RrType.SSHFP]: row(u8("a key algorithm"), u8("a fingerprint type"), restHex("a fingerprint")),
  [RrType.DNSKEY]: publicKey,
  [RrType.TLSA]: association,
  [RrType.SMIMEA]: association,
  [RrType.CDS]: delegationSigner,
  [RrType.CDNSKEY]: publicKey,
  [RrType.OPENPGPKEY]: row(restBase64("an OpenPGP key")),
  [RrType.ZONEMD]: row(u32("a serial number"), u8("a scheme"), u8("a hash algorithm"), restHex("a digest")),
  [RrType.CAA]: row(u8("the flags"), caaTag, restString("a value", 0)),
};
