/** The types of RFC 1035 §3.3 and §3.4, whose names are compressed on the wire. NULL and WKS stay opaque. */
import { RrType } from "../iana/type.ts";
import { characterString, characterStrings, compressedName, ipv4, seconds, u16, u32 } from "./fields.ts";
import { row } from "./row.ts";
import type { RowTable } from "./row.ts";

export const rfc1035: RowTable = {
  [RrType.A]: row(ipv4),
  [RrType.NS]: row(compressedName("a name server's name")),
  [RrType.MD]: row(compressedName("a host name")),
  [RrType.MF]: row(compressedName("a host name")),
  [RrType.CNAME]: row(compressedName("a canonical name")),
  [RrType.SOA]: row(
    compressedName("the primary server's name"),
    compressedName("the mailbox of the person responsible"),
    u32("a serial number"),
    seconds("a refresh time"),
    seconds("a retry time"),
    seconds("an expiry time"),
    seconds("a negative-caching time"),
  ),
  [RrType.MB]: row(compressedName("a host name")),
  [RrType.MG]: row(compressedName("a mailbox name")),
  [RrType.MR]: row(compressedName("a mailbox name")),
  [RrType.PTR]: row(compressedName("a domain name")),
  [RrType.HINFO]: row(characterString("a CPU name"), characterString("an operating system's name")),
  [RrType.MINFO]: row(compressedName("a mailbox name"), compressedName("a mailbox name for errors")),
  [RrType.MX]: row(u16("a preference"), compressedName("a mail exchanger's name")),
  [RrType.TXT]: row(characterStrings),
  // Same form as TXT (RFC 7208 §3.1); obsolete, still found.
  [RrType.SPF]: row(characterStrings),
};
