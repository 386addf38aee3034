/** IP addresses: octets <-> text (RFC 1035 §3.4.1 for IPv4; RFC 4291 §2.2 and RFC 5952 for IPv6). */

/** The four octets of a dotted quad; undefined where the text is none. Leading zeros are refused: some read them as octal. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const octets = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = match[i + 1]!;
    if (Number(part) > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
    octets[i] = Number(part);
  }
  return octets;
}

/** A dotted quad of the four octets at `offset`. */
export function ipv4ToText(octets: Uint8Array, offset = 0): string {
  return `${octets[offset]}.${octets[offset + 1]}.${octets[offset + 2]}.${octets[offset + 3]}`;
}

/** The sixteen octets of an IPv6 address in any form of RFC 4291 §2.2, without a zone; undefined where the text is none. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  // "::" stands for one group of zeros at least.
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const octets = new Uint8Array(16);
  octets.set(head);
  octets.set(tail, 16 - tail.length);
  return octets;
}

/** The octets of colon-separated groups, the last of which may be a dotted quad where `last`. */
function groups(text: string, last: boolean): number[] | undefined {
  const octets: number[] = [];
  if (text === "") return octets;
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes(".")) {
      const quad = parseIpv4(part);
      if (quad === undefined) return undefined;
      octets.push(...quad);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      const value = parseInt(part, 16);
      octets.push(value >> 8, value & 0xff);
    }
  }
  return octets.length <= 16 ? octets : undefined;
}

/** The text of the sixteen octets at `offset` as RFC 5952 §4 wants it; IPv4-mapped ones end in a dotted quad (§5). */
export function ipv6ToText(octets: Uint8Array, offset = 0): string {
  const values: number[] = [];
  for (let i = 0; i < 8; i++) values.push((octets[offset + 2 * i]! << 8) | octets[offset + 2 * i + 1]!);
  if (values.slice(0, 5).every((value) => value === 0) && values[5] === 0xffff) {
    return `::ffff:${ipv4ToText(octets, offset + 12)}`;
  }
  // The longest run of two zero groups or more, the first of equals (RFC 5952 §4.2).
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && values[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = values.map((value) => value.toString(16));
  if (best.at < 0) return hex.join(":");
  return `${hex.slice(0, best.at).join(":")}::${hex.slice(best.at + best.length).join(":")}`;
}
