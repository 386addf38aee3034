/** Keytab files (MIT's format, version 2), with keys that fit nothing. */

export interface KeytabKey {
  readonly components: readonly string[];
  readonly realm: string;
  readonly version: number;
  readonly encryption: number;
}

export function keytabFile(...keys: KeytabKey[]): Uint8Array {
  const entries = keys.map(({ components, realm, version, encryption }) => {
    const entry = Buffer.concat([
      u16(components.length),
      text(realm),
      ...components.map(text),
      u32(1), // name type: principal
      u32(1_700_000_000),
      Buffer.of(version & 0xff),
      u16(encryption),
      u16(32),
      Buffer.alloc(32, 7),
      u32(version),
    ]);
    return Buffer.concat([u32(entry.length), entry]);
  });
  return Uint8Array.from(Buffer.concat([Buffer.of(5, 2), ...entries]));
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

function u32(value: number): Buffer {
  return Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
}

function text(value: string): Buffer {
  const octets = Buffer.from(value);
  return Buffer.concat([u16(octets.length), octets]);
}
