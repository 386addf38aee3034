/** HMAC with a shared secret (RFC 2104, RFC 8945 §6). */
import type { KeyObject } from "node:crypto";
import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { Name } from "../../wire/name.ts";
import type { KeyRing, TsigKey } from "./key.ts";
import { leastMacLength } from "./key.ts";
import type { MacContext, MacLength } from "./mac.ts";

class HmacContext implements MacContext {
  readonly keyName: Name;
  readonly algorithmName: Name;
  readonly macLength: number;
  readonly #digest: string;
  readonly #wholeLength: number;
  readonly #leastLength: number;
  // A KeyObject costs a fraction of handing OpenSSL the raw secret for every message.
  readonly #secret: KeyObject;

  constructor(key: TsigKey) {
    this.keyName = key.name;
    this.algorithmName = key.algorithm.name;
    this.macLength = key.macLength ?? key.algorithm.macLength;
    this.#digest = key.algorithm.digest;
    this.#wholeLength = key.algorithm.macLength;
    this.#leastLength = leastMacLength(key.algorithm);
    this.#secret = createSecretKey(key.secret);
  }

  judgeLength(length: number): MacLength {
    if (length > this.#wholeLength || length < this.#leastLength) return "malformed";
    return length < this.macLength ? "truncated" : "accepted";
  }

  mac(parts: readonly Uint8Array[], length: number = this.macLength): Uint8Array {
    const whole = this.#whole(parts);
    return length < whole.length ? whole.subarray(0, length) : whole;
  }

  verify(parts: readonly Uint8Array[], mac: Uint8Array): boolean {
    if (this.judgeLength(mac.length) === "malformed") return false;
    // RFC 8945 §5.2.2.1: a truncated MAC is compared over the octets it has.
    return timingSafeEqual(this.#whole(parts).subarray(0, mac.length), mac);
  }

  #whole(parts: readonly Uint8Array[]): Uint8Array {
    const hmac = createHmac(this.#digest, this.#secret);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  }
}

/** Contexts live as long as their keys do: a key taken out of the configuration takes its context with it. */
const contexts = new WeakMap<TsigKey, MacContext>();

/** The context of a key. Made once for each key. */
export function hmacContext(key: TsigKey): MacContext {
  let context = contexts.get(key);
  if (context === undefined) {
    context = new HmacContext(key);
    contexts.set(key, context);
  }
  return context;
}

/** The context for a key and algorithm named in a TSIG; undefined is BADKEY (RFC 8945 §5.2.1). */
export function findHmacContext(keys: KeyRing, keyName: Name, algorithm: Name): MacContext | undefined {
  const key = keys.get(keyName.key);
  if (key === undefined) return undefined;
  const known =
    key.algorithm.name.equals(algorithm) || key.algorithm.aliases.some((alias) => alias.equals(algorithm));
  return known ? hmacContext(key) : undefined;
}
