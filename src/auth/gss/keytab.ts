/**
 * Reads what a keytab holds (MIT's file format, version 2), for messages: whose keys, which version, which kind. The
 * keys themselves are left to the Kerberos library.
 */

/** One key of a keytab. */
export interface KeytabEntry {
  /** `DNS/ns1.smb.example@SMB.EXAMPLE` */
  readonly principal: string;
  /** The version of the key (kvno). */
  readonly version: number;
  /** Its encryption type by name, or its number. */
  readonly encryption: string;
}

/** Names of encryption types (IANA "Kerberos Encryption Type Numbers"). */
const ENCRYPTIONS: Readonly<Record<number, string>> = {
  17: "aes128-cts-hmac-sha1-96",
  18: "aes256-cts-hmac-sha1-96",
  19: "aes128-cts-hmac-sha256-128",
  20: "aes256-cts-hmac-sha384-192",
  23: "rc4-hmac",
  25: "camellia128-cts-cmac",
  26: "camellia256-cts-cmac",
};

/** The keys of a keytab in the order of the file, or why it is none. */
export function readKeytab(bytes: Uint8Array): readonly KeytabEntry[] | string {
  if (bytes.length < 2 || bytes[0] !== 5) return "it is not a keytab";
  if (bytes[1] !== 2) return `it is a keytab of version ${bytes[1]}, and only version 2 is read`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: KeytabEntry[] = [];
  for (let at = 2; at + 4 <= bytes.length;) {
    const size = view.getInt32(at);
    at += 4;
    // An entry that was deleted is a hole of a negative size; a zero ends the file.
    if (size === 0) break;
    const end = at + Math.abs(size);
    if (end > bytes.length) return "it ends in the middle of a key";
    if (size > 0) {
      const entry = readEntry(view, bytes, at, end);
      if (entry === undefined) return "a key in it is malformed";
      entries.push(entry);
    }
    at = end;
  }
  return entries;
}

function readEntry(view: DataView, bytes: Uint8Array, from: number, end: number): KeytabEntry | undefined {
  let at = from;
  const room = (octets: number): boolean => at + octets <= end;
  const text = (): string | undefined => {
    if (!room(2)) return undefined;
    const length = view.getUint16(at);
    at += 2;
    if (!room(length)) return undefined;
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };
  if (!room(2)) return undefined;
  const count = view.getUint16(at);
  at += 2;
  const realm = text();
  const components: string[] = [];
  for (let i = 0; i < count; i++) {
    const component = text();
    if (component === undefined) return undefined;
    components.push(component.replace(/[\\/@]/g, String.raw`\$&`));
  }
  // name type, time stamp, the version's low octet, encryption type, length of the key
  if (realm === undefined || !room(13)) return undefined;
  const low = view.getUint8(at + 8);
  const encryption = view.getUint16(at + 9);
  const keyLength = view.getUint16(at + 11);
  at += 13;
  if (!room(keyLength)) return undefined;
  at += keyLength;
  const whole = room(4) ? view.getUint32(at) : 0;
  return {
    principal: `${components.join("/")}@${realm}`,
    version: whole === 0 ? low : whole,
    encryption: ENCRYPTIONS[encryption] ?? String(encryption),
  };
}
