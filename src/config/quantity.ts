/** How durations, sizes and socket addresses are written in the configuration and on the command line. */
import { isIP } from "node:net";

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const UNIT_BYTES: Record<string, number> = {
  B: 1,
  kB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Longest duration: ten years. Timers and dates stay far from their limits. */
const MAX_DURATION_MS = 3650 * 86_400_000;

/** Milliseconds of a duration such as `500ms`, `30s`, `5m`, `1h30m` or `30d`; undefined where the text is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:[0-9]+(?:ms|min|s|m|h|d|w)\s*)+$/.test(text)) return undefined;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|min|s|m|h|d|w)/g)) {
    total += Number(digits) * UNIT_MS[unit!]!;
  }
  return total <= MAX_DURATION_MS ? total : undefined;
}

/** A duration in the largest units that leave nothing out: `1h30m`. */
export function durationToText(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  if (rest === 0) return "0s";
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const count = Math.floor(rest / UNIT_MS[unit]!);
    if (count > 0) text += `${count}${unit}`;
    rest %= UNIT_MS[unit]!;
  }
  return text;
}

/** Octets of a size such as `512KiB`, `64MiB`, `1GB` or `4096B`; undefined where the text is none. */
export function parseSize(text: string): number | undefined {
  const match = /^([0-9]+)\s*(B|kB|MB|GB|KiB|MiB|GiB)$/.exec(text);
  if (match === null) return undefined;
  const octets = Number(match[1]) * UNIT_BYTES[match[2]!]!;
  return Number.isSafeInteger(octets) ? octets : undefined;
}

/** Octets as people read them: `1.5 MiB`. */
export function sizeToText(octets: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = octets;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** A numeric address and port. */
export interface SocketAddressText {
  /** In canonical form: IPv6 as RFC 5952 writes it, without brackets. */
  readonly address: string;
  readonly port: number;
}

/**
 * Reads `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:53`.
 * @returns a sentence that says what is wrong, where it is none of these
 */
export function parseSocketAddress(text: string, defaultPort: number): SocketAddressText | string {
  let address = text;
  let portText: string | undefined;
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) {
    address = bracketed[1]!;
    portText = bracketed[2];
    if (isIP(address) !== 6) return `"${address}" within brackets is not an IPv6 address`;
  } else if (isIP(text) !== 6 && text.includes(":")) {
    const colon = text.lastIndexOf(":");
    address = text.slice(0, colon);
    portText = text.slice(colon + 1);
    if (isIP(address) === 6)
      return `"${text}" leaves open where the address ends: write [${address}]:${portText}`;
  }
  if (isIP(address) === 0) return `"${address}" is not a numeric IPv4 or IPv6 address`;
  let port = defaultPort;
  if (portText !== undefined) {
    if (!/^[0-9]{1,5}$/.test(portText) || Number(portText) > 65535) {
      return `"${portText}" is not a port: 0 to 65535 was expected`;
    }
    port = Number(portText);
  }
  return { address: canonicalAddress(address), port };
}

/** The one text form of a numeric address (RFC 5952 for IPv6), so that equal addresses are equal texts. */
export function canonicalAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const [bare, zone] = address.split("%");
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  return zone === undefined ? canonical : `${canonical}%${zone}`;
}

/** `192.0.2.1:53` or `[2001:db8::1]:53`. */
export function socketAddressToText({ address, port }: SocketAddressText): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
