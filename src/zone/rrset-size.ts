/** How large an RRset may be: what is larger no message can carry. */

/**
 * Octets that the records of one RRset may take in an answer: one more would make it an answer, or a lone record in a
 * transfer, that no message can carry next to the longest names, an OPT record and a signature.
 */
export const MAX_RRSET_OCTETS = 64_000;

/** Octets of a record besides its RDATA, its owner being a compression pointer (RFC 1035 §4.1.3). */
export const RECORD_OVERHEAD = 12;
