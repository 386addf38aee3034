/** A dispatcher of one zone without data, with GSS-TSIG: what the tests of TKEY send messages to. */
import { parseNetwork } from "../../src/auth/acl.ts";
import type { Gss } from "../../src/auth/gss/gss.ts";
import { algorithmFromText, keyRing } from "../../src/auth/tsig/key.ts";
import type { DispatchContext, Outcome } from "../../src/protocol/dispatch.ts";
import { dispatch } from "../../src/protocol/dispatch.ts";
import { QueryAnswerer } from "../../src/protocol/query.ts";
import { Opcode } from "../../src/wire/iana/code.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { encodeMessage } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { ZoneSet } from "../../src/zone/zone-set.ts";
import { SEED } from "./zones.ts";

export const NOW = 1_800_000_000;
export const HMAC_KEY = {
  name: Name.parse("dhcp.smb.example."),
  algorithm: algorithmFromText("hmac-sha256")!,
  secret: new Uint8Array(32),
};
const APEX = Name.parse("smb.example.");

function contextOf(gss: Gss | undefined): DispatchContext {
  return {
    answerer: new QueryAnswerer(new ZoneSet(SEED, []), { identity: "" }),
    keys: keyRing([HMAC_KEY]),
    gss,
    chaos: { identity: "", version: "" },
    zone: (apex) =>
      apex.equals(APEX)
        ? { apex, transfer: [{ net: parseNetwork("192.0.2.0/24")! }], update: [] }
        : undefined,
  };
}

/** What comes of a message. */
export function send(
  gss: Gss | undefined,
  bytes: Uint8Array,
  from: { readonly address?: string; readonly transport?: "tcp" | "udp"; readonly now?: number } = {},
): Outcome {
  const { address = "192.0.2.11", transport = "tcp", now = NOW } = from;
  return dispatch(bytes, { address, port: 40_000, transport }, now, contextOf(gss));
}

/** An update of the zone that changes nothing. */
export function updateMessage(id = 7): Uint8Array {
  const questions = [{ name: APEX, type: RrType.SOA, class: RrClass.IN }];
  return encodeMessage({ id, flags: Opcode.UPDATE << 11, rcode: 0, questions });
}
