/** One key, one clock, and a request signed by hand: what the tables of this folder share. */
import { algorithmFromText, keyRing } from "../../../src/auth/tsig/key.ts";
import type { TsigKey } from "../../../src/auth/tsig/key.ts";
import type { RejectedRequest, ServerTransaction } from "../../../src/auth/tsig/server.ts";
import { verifyRequest } from "../../../src/auth/tsig/server.ts";
import { decodeMessage } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import type { TsigRecord } from "../../../src/wire/tsig.ts";
import type { Tsig } from "./by-hand.ts";
import { hmac, update, variables, withTsig } from "./by-hand.ts";

export const NOW = 1_800_000_000;
export const ID = 0x1234;
export const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);

export function makeKey(algorithm = "hmac-sha256", name = "dhcp.smb.example", macLength?: number): TsigKey {
  const key = { name: Name.parse(name), algorithm: algorithmFromText(algorithm)!, secret: SECRET };
  return macLength === undefined ? key : { ...key, macLength };
}

export const KEY = makeKey();
export const KEYS = keyRing([KEY]);

/** The fields of a good request's TSIG, but for its MAC. */
export function fields(change: Partial<Tsig> = {}): Tsig {
  return {
    key: "dhcp.smb.example",
    algorithm: "hmac-sha256",
    time: NOW,
    fudge: 300,
    mac: [],
    originalId: ID,
    error: 0,
    other: [],
    ...change,
  };
}

/** A signed update, and its whole MAC. `cut` shortens or lengthens what is sent of that. */
export function signedUpdate(
  change: Partial<Tsig> = {},
  { digest = "sha256", cut }: { digest?: string; cut?: number } = {},
): { bytes: Uint8Array; mac: Uint8Array } {
  const tsig = fields(change);
  const whole = hmac(digest, SECRET, update(tsig.originalId), variables(tsig));
  const mac = new Uint8Array(cut ?? whole.length);
  mac.set(whole.subarray(0, mac.length));
  return { bytes: withTsig(update(tsig.originalId), { ...tsig, mac }), mac };
}

export function tsigOf(bytes: Uint8Array): TsigRecord {
  const { tsig } = decodeMessage(bytes);
  if (tsig === undefined) throw new Error("the message has no TSIG");
  return tsig;
}

export function accept(bytes: Uint8Array, keys = KEYS, now = NOW): ServerTransaction {
  const verdict = verifyRequest(bytes, tsigOf(bytes), keys, now);
  if (!verdict.ok) throw new Error(`rejected: ${verdict.reason}`);
  return verdict.transaction;
}

export function reject(bytes: Uint8Array, keys = KEYS, now = NOW): RejectedRequest {
  const verdict = verifyRequest(bytes, tsigOf(bytes), keys, now);
  if (verdict.ok) throw new Error("accepted");
  return verdict;
}
