/** What leads to services: SRV (RFC 2782), NAPTR (RFC 3403), KX (RFC 2230), PX (RFC 2163), DNAME (RFC 6672), URI (RFC 7553). */
import { RrType } from "../iana/type.ts";
import { characterString, legacyName, restString, u16 } from "./fields.ts";
import { row } from "./row.ts";
import type { RowTable } from "./row.ts";

export const service: RowTable = {
  [RrType.PX]: row(u16("a preference"), legacyName("an RFC 822 domain"), legacyName("an X.400 domain")),
  [RrType.SRV]: row(u16("a priority"), u16("a weight"), u16("a port"), legacyName("a target host's name")),
  [RrType.NAPTR]: row(
    u16("an order"),
    u16("a preference"),
    characterString("the flags"),
    characterString("a service"),
    characterString("a regular expression"),
    legacyName("a replacement name"),
  ),
  [RrType.KX]: row(u16("a preference"), legacyName("a key exchanger's name")),
  [RrType.DNAME]: row(legacyName("a target name")),
  // RFC 7553 §4.4: the target is the rest of the RDATA, and not empty.
  [RrType.URI]: row(u16("a priority"), u16("a weight"), restString("a URI", 1)),
};
