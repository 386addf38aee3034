/** The algorithm names of GSS-TSIG (RFC 3645 §2, MS-GSSA §2.2): one procedure under two names. */
import { Name } from "../../wire/name.ts";

/** RFC 3645. */
export const GSS_TSIG: Name = Name.parse("gss-tsig.");
/** What Windows 2000 called it; Samba's `net ads dns` and `nsupdate -o` still do. */
export const GSS_MICROSOFT: Name = Name.parse("gss.microsoft.com.");

/** Whether a TSIG or TKEY names GSS-TSIG, in whatever case. */
export function isGssAlgorithm(algorithm: Name): boolean {
  return algorithm.equals(GSS_TSIG) || algorithm.equals(GSS_MICROSOFT);
}
