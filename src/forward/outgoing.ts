/** Queries to upstream servers, and how hard they are to answer for anybody else (RFC 5452 §4). */
import { EDNS_VERSION, MAX_UDP_PAYLOAD } from "../wire/edns.ts";
import { RrClass } from "../wire/iana/class.ts";
import { encodeMessage, Flag } from "../wire/message.ts";
import { Name } from "../wire/name.ts";
import type { Asked } from "./asked.ts";

/** A query on its way, as its answer must repeat it. */
export interface SentQuery {
  readonly id: number;
  /** In the case it was sent. */
  readonly name: Name;
  readonly type: number;
  /** Whether the answer must have the name in that very case. */
  readonly caseCounts: boolean;
  readonly edns: boolean;
  readonly message: Uint8Array;
}

export interface OutgoingOptions {
  /** 16 bits nobody can guess. */
  readonly id: number;
  /** False for a server that does not know EDNS. */
  readonly edns: boolean;
  /** One random bit for each octet of the name, to mix its case by; absent: the case stays as asked. */
  readonly caseBits?: Uint8Array | undefined;
}

/** Encodes a recursive query. */
export function encodeQuery(asked: Asked, { id, edns, caseBits }: OutgoingOptions): SentQuery {
  const name = caseBits === undefined ? asked.name : mixedCase(asked.name, caseBits);
  const message = encodeMessage({
    id,
    flags: Flag.RD | (asked.checkingDisabled ? Flag.CD : 0),
    rcode: 0,
    questions: [{ name, type: asked.type, class: RrClass.IN }],
    ...(edns
      ? {
          edns: {
            udpPayload: MAX_UDP_PAYLOAD,
            version: EDNS_VERSION,
            extendedRcode: 0,
            dnssecOk: asked.dnssecOk,
            options: [],
          },
        }
      : {}),
  });
  return { id, name, type: asked.type, caseCounts: caseBits !== undefined, edns, message };
}

/**
 * The name with each letter in a case of chance: a forger has to guess it too (draft-vixie-dnsext-dns0x20).
 * @param bits at least one octet for every eight of the name
 */
function mixedCase({ wire }: Name, bits: Uint8Array): Name {
  const mixed = Uint8Array.from(wire);
  for (let at = 0; wire[at] !== 0; at += wire[at]! + 1) {
    for (let i = at + 1; i <= at + wire[at]!; i++) {
      const letter = wire[i]! | 0x20;
      if (letter < 0x61 || letter > 0x7a) continue;
      const upper = ((bits[i >> 3]! >> (i & 7)) & 1) === 1;
      mixed[i] = upper ? letter & ~0x20 : letter;
    }
  }
  return Name.fromTrustedWire(mixed);
}
