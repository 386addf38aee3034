/**
 * TSIG from first principles: octets put together by hand and node's HMAC, none of the code under test. What the
 * tables of this folder compare with.
 */
import { createHmac } from "node:crypto";

export type Octets = Uint8Array | readonly number[];

export function join(...parts: Octets[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export const u16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];

export const u48 = (value: number): number[] => [
  ...u16(Math.floor(value / 2 ** 32)),
  ...u16(Math.floor(value / 2 ** 16) % 2 ** 16),
  ...u16(value % 2 ** 16),
];

/** Wire form of a plain name; the case is kept. */
export function wireName(text: string): Uint8Array {
  const labels = text.replace(/\.$/, "").split(".");
  return join(...labels.map((label) => [label.length, ...Buffer.from(label, "ascii")]), [0]);
}

export interface Tsig {
  key: string;
  algorithm: string;
  time: number;
  fudge: number;
  mac: Octets;
  originalId: number;
  error: number;
  other: Octets;
}

/** RFC 8945 §4.3.3: the variables, names in lower case. */
export function variables(tsig: Tsig): Uint8Array {
  return join(
    wireName(tsig.key.toLowerCase()),
    u16(255),
    [0, 0, 0, 0],
    wireName(tsig.algorithm.toLowerCase()),
    timers(tsig),
    u16(tsig.error),
    u16(tsig.other.length),
    tsig.other,
  );
}

/** RFC 8945 §4.3.4. */
export function timers(tsig: Pick<Tsig, "time" | "fudge">): Uint8Array {
  return join(u48(tsig.time), u16(tsig.fudge));
}

/** RFC 8945 §4.3.1: a MAC with its length before it. */
export function sized(mac: Octets): Uint8Array {
  return join(u16(mac.length), mac);
}

export function hmac(digest: string, secret: Uint8Array, ...parts: Octets[]): Uint8Array {
  return createHmac(digest, secret)
    .update(join(...parts))
    .digest();
}

/** The message with the record at its end. */
export function withTsig(message: Uint8Array, tsig: Tsig): Uint8Array {
  const algorithm = wireName(tsig.algorithm);
  const rdata = join(
    algorithm,
    timers(tsig),
    sized(tsig.mac),
    u16(tsig.originalId),
    u16(tsig.error),
    sized(tsig.other),
  );
  const record = join(wireName(tsig.key), u16(250), u16(255), [0, 0, 0, 0], sized(rdata));
  const out = join(message, record);
  const count = ((message[10]! << 8) | message[11]!) + 1;
  out.set(u16(count), 10);
  return out;
}

/** The same octets with another ID. */
export function withId(message: Uint8Array, id: number): Uint8Array {
  return join(u16(id), message.subarray(2));
}

/** An update of `smb.example` that adds `node1 300 A 192.0.2.1`, by hand. */
export function update(id: number): Uint8Array {
  return join(
    u16(id),
    u16(0x2800),
    [0, 1, 0, 0, 0, 1, 0, 0],
    wireName("smb.example"),
    u16(6),
    u16(1),
    [5, ...Buffer.from("node1"), 0xc0, 12],
    u16(1),
    u16(1),
    [0, 0, 1, 44],
    sized([192, 0, 2, 1]),
  );
}

/** The reply to {@link update} with a given RCODE: the header and the zone. */
export function updateReply(id: number, rcode: number): Uint8Array {
  return join(
    u16(id),
    u16(0xa800 | rcode),
    [0, 1, 0, 0, 0, 0, 0, 0],
    wireName("smb.example"),
    u16(6),
    u16(1),
  );
}
