/**
 * What TSIG needs of a message authentication code (RFC 8945 §4.3), apart from which one it is: shared-secret HMAC
 * (`hmac.ts`), and security contexts that make and check their own MACs (RFC 3645).
 */
import type { Name } from "../../wire/name.ts";

/**
 * What the length of a MAC received says before it is compared (RFC 8945 §5.2.2.1): `malformed` can be no MAC of this
 * algorithm; `truncated` is one, cut shorter than local policy allows.
 */
export type MacLength = "accepted" | "truncated" | "malformed";

/** One key, ready to make and check MACs. Holds no state of any transaction. */
export interface MacContext {
  readonly keyName: Name;
  readonly algorithmName: Name;
  /** Octets of MAC it puts on a message unless asked for more: what to reserve. */
  readonly macLength: number;
  /** Judges a received MAC by its length in octets alone. */
  judgeLength(length: number): MacLength;
  /** The MAC of the parts put together, `length` octets of it (default {@link macLength}). */
  mac(parts: readonly Uint8Array[], length?: number): Uint8Array;
  /** Whether `mac` is the MAC of the parts put together, or as many first octets of it as it has. In constant time. */
  verify(parts: readonly Uint8Array[], mac: Uint8Array): boolean;
}
