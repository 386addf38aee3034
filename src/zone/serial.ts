/** Serial number arithmetic (RFC 1982) for SOA serials. */

/**
 * Compares two serials: negative where `a` is before `b`, positive where it is ahead, 0 where they are equal.
 * Undefined where they are exactly 2^31 apart, for which RFC 1982 §3.2 defines no order.
 */
export function compareSerial(a: number, b: number): number | undefined {
  const distance = (a - b) >>> 0;
  if (distance === 0) return 0;
  if (distance === 0x8000_0000) return undefined;
  return distance < 0x8000_0000 ? 1 : -1;
}

/** Whether `a` is ahead of `b` (RFC 1982 §3.2). */
export function isAhead(a: number, b: number): boolean {
  return (compareSerial(a, b) ?? 0) > 0;
}

/** The serial after this one, never 0: RFC 2136 §7.11 warns that some secondaries treat 0 specially. */
export function nextSerial(serial: number): number {
  const next = (serial + 1) >>> 0;
  return next === 0 ? 1 : next;
}
