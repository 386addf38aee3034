/** The server about itself: TXT queries of class CHAOS for `version.bind`, `id.server` and their kin (RFC 4892). */
import { Rcode } from "../wire/iana/code.ts";
import { RrClass } from "../wire/iana/class.ts";
import { RrType } from "../wire/iana/type.ts";
import type { Question, ResourceRecord } from "../wire/record.ts";

export interface ChaosSettings {
  /** Answer to `id.server` and `hostname.bind`; empty: refused. */
  readonly identity: string;
  /** Answer to `version.bind` and `version.server`; empty: refused. */
  readonly version: string;
}

/** Longest character-string (RFC 1035 §3.3). */
const MAX_STRING = 255;

const encoder = new TextEncoder();

/** What the reply to a CHAOS question holds. A TTL of 0: it is never to be cached (RFC 4892 §2). */
export function answerChaos(
  question: Question,
  settings: ChaosSettings,
): { readonly rcode: number; readonly answers: readonly ResourceRecord[] } {
  const text = textFor(question.name.toString().toLowerCase(), settings);
  if (text === undefined || text === "") return { rcode: Rcode.REFUSED, answers: [] };
  if (question.type !== RrType.TXT && question.type !== RrType.ANY)
    return { rcode: Rcode.NOERROR, answers: [] };
  const octets = encoder.encode(text).subarray(0, MAX_STRING);
  const rdata = new Uint8Array(1 + octets.length);
  rdata[0] = octets.length;
  rdata.set(octets, 1);
  return {
    rcode: Rcode.NOERROR,
    answers: [{ name: question.name, type: RrType.TXT, class: RrClass.CH, ttl: 0, rdata }],
  };
}

function textFor(name: string, settings: ChaosSettings): string | undefined {
  if (name === "version.bind." || name === "version.server.") return settings.version;
  if (name === "id.server." || name === "hostname.bind.") return settings.identity;
  return undefined;
}
