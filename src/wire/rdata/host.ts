/** What describes a host beside RFC 1035: AAAA (RFC 3596), RP, AFSDB, RT (RFC 1183), DHCID (RFC 4701), EUI48/64 (RFC 7043). */
import { RrType } from "../iana/type.ts";
import { ipv6, legacyName, octetsToHex, parseHex, restBase64, u16 } from "./fields.ts";
import type { Field } from "./fields.ts";
import { row } from "./row.ts";
import type { RowTable } from "./row.ts";
import { expected, nextWord } from "./text.ts";

/** An IEEE identifier: pairs of hexadecimal digits with hyphens between (RFC 7043 §3.2). */
function eui(size: 6 | 8): Field {
  const what = `an EUI-${size * 8} address`;
  return {
    size,
    skip: (reader) => reader.skip(size),
    toText: (reader) => octetsToHex(reader.take(size)).toLowerCase().match(/../g)!.join("-"),
    fromText: (source, out) => {
      const text = nextWord(source, what);
      if (!/^[0-9a-f]{2}(?:-[0-9a-f]{2})+$/i.test(text) || text.length !== size * 3 - 1) {
        throw expected(what, { text, quoted: false });
      }
      out.bytes(parseHex(text.replaceAll("-", ""), what));
    },
  };
}

export const host: RowTable = {
  [RrType.RP]: row(legacyName("a mailbox name"), legacyName("the name of a TXT record")),
  [RrType.AFSDB]: row(u16("a subtype"), legacyName("a host name")),
  [RrType.RT]: row(u16("a preference"), legacyName("a host name")),
  [RrType.AAAA]: row(ipv6),
  [RrType.DHCID]: row(restBase64("a DHCP identifier")),
  [RrType.EUI48]: row(eui(6)),
  [RrType.EUI64]: row(eui(8)),
};
