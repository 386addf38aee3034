/** The EDNS option Update Lease (RFC 9664 §4): how long what an update adds is to live, and how long it may. */
import type { EdnsOptionValue } from "./edns.ts";
import { EdnsOption } from "./iana/code.ts";

/** Seconds, each of 32 bits. */
export interface UpdateLease {
  readonly lease: number;
  /** Of KEY records; absent in the variant of four octets, where `lease` is theirs too. */
  readonly keyLease?: number | undefined;
}

/** Reads the option's data; undefined where they are neither four nor eight octets. */
export function readUpdateLease(data: Uint8Array): UpdateLease | undefined {
  if (data.length !== 4 && data.length !== 8) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const lease = view.getUint32(0);
  return data.length === 4 ? { lease } : { lease, keyLease: view.getUint32(4) };
}

/** The option, in the variant that the value has. */
export function updateLeaseOption({ lease, keyLease }: UpdateLease): EdnsOptionValue {
  const data = new Uint8Array(keyLease === undefined ? 4 : 8);
  const view = new DataView(data.buffer);
  view.setUint32(0, lease);
  if (keyLease !== undefined) view.setUint32(4, keyLease);
  return { code: EdnsOption.UPDATE_LEASE, data };
}
